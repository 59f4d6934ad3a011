//! Logins and rights, against an Elasticsearch with security that the environment names.

use connect_core::{
    Config, Error, Properties, Rejects, SinkConnector, SinkTask, Verdict,
    meter::Meter,
    testing::changes::{Change, Shape, Table, nulls},
};
use es_sink::{EsConfig, EsSink};
use reqwest::Url;
use serde_json::{Value, json};

struct Secured {
    base: Url,
    user: String,
    password: String,
}

impl Secured {
    /// `http://elastic:password@host:port` in `TIDEWATER_ELASTICSEARCH_SECURED_URL`.
    fn named() -> Self {
        let name = "TIDEWATER_ELASTICSEARCH_SECURED_URL";
        let mut base = Url::parse(&std::env::var(name).expect(name)).expect(name);
        let user = base.username().to_owned();
        let password = base.password().unwrap_or_default().to_owned();
        base.set_username("").expect(name);
        base.set_password(None).expect(name);
        Self {
            base,
            user,
            password,
        }
    }

    fn config(&self, more: &[(&str, &str)]) -> EsConfig {
        let mut given = Properties::from([("connection.url".into(), self.base.to_string())]);
        given.extend(more.iter().map(|(k, v)| ((*k).into(), (*v).into())));
        EsConfig::parse(&given).expect("configuration")
    }

    /// An API key that may write indices whose names begin with `allowed`.
    async fn api_key(&self) -> String {
        let rights = [
            "index",
            "delete",
            "read",
            "create_index",
            "view_index_metadata",
            "manage",
        ];
        let role = json!({"cluster": ["monitor"], "indices": [{"names": ["allowed*"], "privileges": rights}]});
        let body = json!({"name": "sink", "role_descriptors": {"sink": role}});
        let answer = self.ask("_security/api_key", Some(body)).await;
        let part = |name: &str| answer[name].as_str().expect("key").to_owned();
        format!("{}:{}", part("id"), part("api_key"))
    }

    async fn ask(&self, path: &str, body: Option<Value>) -> Value {
        let tls = rustls::ClientConfig::builder_with_provider(
            rustls::crypto::ring::default_provider().into(),
        )
        .with_safe_default_protocol_versions()
        .expect("protocols")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .build();
        let url = self.base.join(path).expect("path");
        let mut request = client
            .expect("client")
            .post(url)
            .basic_auth(&self.user, Some(&self.password));
        if let Some(body) = body {
            request = request.json(&body);
        }
        request
            .send()
            .await
            .expect("answer")
            .json()
            .await
            .expect("JSON")
    }
}

async fn write(config: EsConfig, topic: &str) -> Result<Rejects, Error> {
    let mut task = EsSink::task(config, Properties::new())?;
    task.open(Meter::default()).await?;
    let changes = [
        Change::Put(1, nulls()),
        Change::Put(2, vec![]),
        Change::Delete(1),
    ];
    task.write(&Table::new(topic, Shape::Envelope).batch(&changes, 0))
        .await
}

#[tokio::test]
async fn logins_and_rights_are_told_apart() {
    // OpenSearch's security needs a plugin that no registry has: only where a secured server is named.
    if std::env::var_os("TIDEWATER_ELASTICSEARCH_SECURED_URL").is_none() {
        return;
    }
    let server = Secured::named();
    let (user, password) = (server.user.as_str(), server.password.as_str());
    let login = |password| {
        [
            ("connection.username", user),
            ("connection.password", password),
        ]
    };
    assert!(
        write(server.config(&login(password)), "anything")
            .await
            .unwrap()
            .is_empty()
    );
    for config in [server.config(&[]), server.config(&login("wrong-password"))] {
        let findings = EsSink::check(&config).await;
        assert!(findings.iter().any(|f| f.is_error()), "{findings:?}");
        let err = write(config, "anything").await.unwrap_err();
        assert_eq!(err.code().name, "es.auth", "{err:?}");
        assert_eq!(err.verdict(), Verdict::Fail);
        assert!(!format!("{err:?} {findings:?}").contains("wrong-password"));
    }
    let key = server.api_key().await;
    let keyed = |topics| server.config(&[("connection.api.key", &key), ("topics", topics)]);
    assert!(write(keyed("allowed"), "allowed").await.unwrap().is_empty());
    assert_eq!(EsSink::check(&keyed("allowed")).await, []);
    let err = write(keyed("other"), "other").await.unwrap_err();
    assert_eq!(err.code().name, "es.permission", "{err:?}");
    let findings = EsSink::check(&keyed("other")).await;
    assert!(
        findings.iter().any(|f| f.message.contains("other")),
        "{findings:?}"
    );
}
