//! Invariant 7 over REST: secrets are masked on read, and kept when a mask comes back.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::site::{Site, ask};

const CONFIG: &str = "/connectors/a/config";

fn config() -> Value {
    json!({
        "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
        "topic": "t",
        "file": "none",
        "db.password": "hunter2",
        "producer.override.sasl.jaas.config": "module required password=\"hunter2\";",
        "vault.token": "${file:/does/not/matter:token}",
        "upstream": "http://anna:hunter2@host/x",
    })
}

async fn told(to: SocketAddr, line: &str, body: &Value) -> Value {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let answer = ask(to, line, "", &body).await;
    assert!(answer.status < 300, "{line}: {answer:?}");
    assert!(!answer.body.contains("hunter2"), "{line}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

#[tokio::test]
async fn masks_come_and_go_and_secrets_stay() {
    let mut site = Site::new().await;
    let token = site.file("token.properties", "token=x\n");
    let masked = site.serve(&[]).await[0];
    let clear = site.serve(&[("rest.secrets.masked", "false")]).await[0];
    let mut config = config();
    config["vault.token"] = json!(format!("${{file:{token}:token}}"));
    let body = json!({"name": "a", "config": config, "initial_state": "PAUSED"});
    let created = told(masked, "POST /connectors", &body).await;
    assert_eq!(created["config"]["db.password"], "[hidden]");
    for path in [
        "/connectors/a",
        "/connectors?expand=info",
        "/connectors/a/tasks",
    ] {
        told(masked, &format!("GET {path}"), &Value::Null).await;
    }
    let read = told(masked, &format!("GET {CONFIG}"), &Value::Null).await;
    assert_eq!(read["db.password"], "[hidden]");
    assert_eq!(read["producer.override.sasl.jaas.config"], "[hidden]");
    assert_eq!(read["upstream"], "http://[hidden]@host/x");
    assert_eq!(read["vault.token"], config["vault.token"]);
    let mut changed = read;
    changed["topic"] = json!("u");
    told(
        masked,
        "PUT /connector-plugins/FileStreamSource/config/validate",
        &changed,
    )
    .await;
    told(masked, &format!("PUT {CONFIG}"), &changed).await;
    told(
        masked,
        &format!("PATCH {CONFIG}"),
        &json!({"db.password": "[hidden]", "topic": "v"}),
    )
    .await;
    let kept = ask(clear, &format!("GET {CONFIG}"), "", "").await;
    let kept: Value = serde_json::from_str(&kept.body).unwrap();
    config["topic"] = json!("v");
    config["name"] = json!("a");
    assert_eq!(kept, config);
    nothing_to_stand_for(masked).await;
    site.stop().await;
}

/// A mask of nothing is refused, and stored nowhere.
async fn nothing_to_stand_for(to: SocketAddr) {
    for patch in [
        json!({"other.password": "[hidden]"}),
        json!({"upstream": "http://[hidden]@elsewhere/x"}),
    ] {
        let refused = ask(to, &format!("PATCH {CONFIG}"), "", &patch.to_string()).await;
        assert_eq!(refused.status, 400, "{refused:?}");
        assert!(
            refused.body.contains("send the secret itself"),
            "{refused:?}"
        );
    }
    let body = json!({"name": "b", "config": {"connector.class": "x", "db.password": "[hidden]"}});
    let refused = ask(to, "POST /connectors", "", &body.to_string()).await;
    assert_eq!(refused.status, 400, "{refused:?}");
}
