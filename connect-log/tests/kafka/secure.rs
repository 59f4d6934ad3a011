//! The log over TLS and with logins, as Kafka's client properties say it.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::{Arc, LazyLock},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use connect_log::{Log, SETTING, UNAUTHORIZED, conformance::Subject, kafka::KafkaLog};
use stack::{Kafka, KafkaOptions, SASL_PASSWORD, SASL_USER, Secured, Stack, certificates};

use super::broker::{numbers, plain, settings, topic, transactional, unique, values};

struct Shared {
    _stack: Stack,
    kafka: Kafka,
    folder: tempfile::TempDir,
}

static SHARED: LazyLock<Shared> = LazyLock::new(|| {
    let stack = Stack::new().expect("a folder for servers");
    let kafka = stack.kafka_with(KafkaOptions::default().secured());
    Shared {
        kafka: kafka.expect("a broker"),
        _stack: stack,
        folder: tempfile::tempdir().expect("a folder"),
    }
});

fn addresses() -> &'static Secured {
    SHARED.kafka.secured().expect("listeners with TLS")
}

fn file(name: &str) -> String {
    let folder = certificates().expect("certificates");
    folder.join(name).display().to_string()
}

fn content(name: &str) -> String {
    fs::read_to_string(file(name)).expect("a certificate")
}

fn jaas(module: &str, password: &str) -> String {
    format!(
        "org.apache.kafka.common.security.{module} required username=\"{SASL_USER}\" password=\"{password}\";"
    )
}

/// The properties of a client that logs in.
fn login(mechanism: &str, password: &str) -> BTreeMap<String, String> {
    let module = match mechanism {
        "PLAIN" => "plain.PlainLoginModule",
        _ => "scram.ScramLoginModule",
    };
    let jaas = jaas(module, password);
    settings(&[
        ("bootstrap.servers", &addresses().sasl),
        ("security.protocol", "SASL_SSL"),
        ("sasl.mechanism", mechanism),
        ("sasl.jaas.config", &jaas),
        ("ssl.truststore.type", "PEM"),
        ("ssl.truststore.location", &file("ca.pem")),
    ])
}

fn mutual(more: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut all = settings(&[
        ("bootstrap.servers", &addresses().mutual),
        ("security.protocol", "SSL"),
    ]);
    all.extend(settings(more));
    all
}

/// Writes and reads ten records.
async fn works(settings: &BTreeMap<String, String>) {
    let log: Arc<dyn Log> = KafkaLog::connect(settings).expect("valid settings");
    let topic = topic(&*log, 1).await;
    let mut appender = log.appender(plain()).await.expect("an appender");
    let ticket = appender
        .append(&numbers(&topic, 0..10))
        .await
        .expect("records taken");
    appender
        .durable()
        .reach(ticket.ticket)
        .await
        .expect("durable records");
    assert_eq!(values(&*log, &topic).await.len(), 10);
}

/// The report of the error of a producer; the code of all clients is `log.unauthorized`.
async fn refused(settings: &BTreeMap<String, String>) -> String {
    let log = KafkaLog::connect(settings).expect("valid settings");
    let health = log.health().await.expect_err("a refusal of readers too");
    assert_eq!(health.code(), &UNAUTHORIZED, "{}", health.report());
    let log = KafkaLog::connect(settings).expect("valid settings");
    let appender = log.appender(transactional(&unique("refused"))).await;
    let error = appender.err().expect("a refusal");
    assert_eq!(error.code(), &UNAUTHORIZED, "{}", error.report());
    error.report() + &health.report()
}

async fn scram() -> Subject {
    Subject::new(KafkaLog::connect(&login("SCRAM-SHA-512", SASL_PASSWORD)).expect("valid settings"))
}

connect_log::conformance_tests!(scram);

#[tokio::test]
async fn every_mechanism_logs_in() {
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        works(&login(mechanism, SASL_PASSWORD)).await;
        let mut open = login(mechanism, SASL_PASSWORD);
        open.extend(settings(&[
            ("bootstrap.servers", &addresses().open),
            ("security.protocol", "SASL_PLAINTEXT"),
        ]));
        works(&open).await;
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_and_never_printed() {
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let report = refused(&login(mechanism, "hunter2")).await;
        assert!(report.contains("sasl.jaas.config"), "{report}");
        assert!(!report.contains("hunter2"), "{report}");
    }
}

#[tokio::test]
async fn clients_show_certificates_from_stores_of_all_kinds() {
    let own = content("client.pem") + &content("client.key");
    let pem = SHARED.folder.path().join("client-store.pem");
    fs::write(&pem, own).unwrap();
    let pem = pem.display().to_string();
    let (ca, ca_text) = (file("ca.pem"), content("ca.pem").replace('\n', " "));
    let (chain, key) = (content("client.pem"), content("client.key"));
    works(&mutual(&[
        ("ssl.truststore.location", &ca),
        ("ssl.truststore.type", "PEM"),
        ("ssl.keystore.location", &pem),
        ("ssl.keystore.type", "PEM"),
    ]))
    .await;
    works(&mutual(&[
        ("ssl.truststore.certificates", &ca_text),
        ("ssl.keystore.certificate.chain", &chain),
        ("ssl.keystore.key", &key),
    ]))
    .await;
    let p12 = pkcs12(SHARED.folder.path());
    works(&mutual(&[
        ("ssl.truststore.location", &ca),
        ("ssl.keystore.location", &p12),
        ("ssl.keystore.type", "PKCS12"),
        ("ssl.keystore.password", "changeit"),
        ("ssl.key.password", "changeit"),
    ]))
    .await;
    let closed = encrypted_key(SHARED.folder.path());
    works(&mutual(&[
        ("ssl.truststore.location", &ca),
        ("ssl.keystore.certificate.chain", &chain),
        ("ssl.keystore.key", &closed),
        ("ssl.key.password", "changeit"),
    ]))
    .await;
}

/// A key store as OpenSSL and Java make it.
fn pkcs12(folder: &Path) -> String {
    let store = folder.join("client.p12").display().to_string();
    let (certificate, key) = (file("client.pem"), file("client.key"));
    openssl(&[
        "pkcs12",
        "-export",
        "-in",
        &certificate,
        "-inkey",
        &key,
        "-name",
        "client",
        "-out",
        &store,
        "-passout",
        "pass:changeit",
    ]);
    store
}

fn encrypted_key(folder: &Path) -> String {
    let closed = folder.join("closed.key").display().to_string();
    let key = file("client.key");
    openssl(&[
        "pkcs8",
        "-topk8",
        "-in",
        &key,
        "-out",
        &closed,
        "-passout",
        "pass:changeit",
    ]);
    fs::read_to_string(closed).expect("a key")
}

fn openssl(words: &[&str]) {
    let done = Command::new("openssl")
        .args(words)
        .output()
        .expect("openssl");
    assert!(done.status.success(), "{done:?}");
}

#[tokio::test]
async fn who_is_not_trusted_is_told_what_to_do() {
    let ca = file("ca.pem");
    let stranger = SHARED.folder.path().join("stranger.pem");
    let (out, key) = (
        stranger.display().to_string(),
        stranger.with_extension("key").display().to_string(),
    );
    openssl(&[
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "10",
        "-subj",
        "/CN=Stranger",
        "-keyout",
        &key,
        "-out",
        &out,
    ]);
    let mut unknown = login("SCRAM-SHA-512", SASL_PASSWORD);
    unknown.insert("ssl.truststore.location".into(), out);
    let report = refused(&unknown).await;
    assert!(report.contains("ssl.truststore.location"), "{report}");
    let nobody = mutual(&[("ssl.truststore.location", &ca)]);
    let log = KafkaLog::connect(&nobody).unwrap();
    let error = log.appender(transactional(&unique("refused"))).await.err();
    let report = error.expect("a refusal").report();
    assert!(report.contains("ssl.keystore.location"), "{report}");
    let mut open = settings(&[("bootstrap.servers", &addresses().mutual)]);
    let log = KafkaLog::connect(&open).unwrap();
    let report = log
        .appender(transactional(&unique("refused")))
        .await
        .err()
        .unwrap()
        .report();
    assert!(report.contains("security.protocol"), "{report}");
    open.insert("security.protocol".into(), "KERBEROS".into());
    assert_eq!(KafkaLog::connect(&open).err().unwrap().code(), &SETTING);
}

#[tokio::test]
async fn kerberos_is_refused_at_once() {
    let mut settings = login("PLAIN", SASL_PASSWORD);
    let jaas = "com.sun.security.auth.module.Krb5LoginModule required password=\"hunter2\";";
    settings.insert("sasl.mechanism".into(), "GSSAPI".into());
    settings.insert("sasl.jaas.config".into(), jaas.into());
    let error = KafkaLog::connect(&settings).err().expect("a refusal");
    assert_eq!(error.code(), &SETTING);
    assert!(error.report().contains("GSSAPI"), "{}", error.report());
    assert!(!error.report().contains("hunter2"), "{}", error.report());
}

/// Properties of a client whose tokens come from here.
fn with_tokens(endpoint: &str, secret: &str) -> BTreeMap<String, String> {
    let mut all = login("OAUTHBEARER", "");
    let jaas = format!(
        "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId=\"tide\" clientSecret=\"{secret}\" scope=\"kafka log\";"
    );
    all.insert("sasl.jaas.config".into(), jaas);
    all.insert(
        "sasl.oauthbearer.token.endpoint.url".into(),
        endpoint.to_owned(),
    );
    all
}

#[tokio::test]
async fn tokens_of_an_endpoint_log_in() {
    let endpoint = Tokens::start();
    works(&with_tokens(&endpoint.url, "s3cret")).await;
    let report = refused_by_endpoint(&with_tokens(&endpoint.url, "hunter2")).await;
    assert!(report.contains("clientSecret"), "{report}");
    assert!(!report.contains("hunter2"), "{report}");
}

async fn refused_by_endpoint(settings: &BTreeMap<String, String>) -> String {
    let log = KafkaLog::connect(settings).expect("valid settings");
    let error = log
        .appender(transactional(&unique("refused")))
        .await
        .err()
        .expect("a refusal");
    assert_eq!(error.code(), &UNAUTHORIZED, "{}", error.report());
    error.report()
}

/// An endpoint of the client credentials grant, for one client; its tokens are unsecured ones, which Kafka takes unless told
/// otherwise.
struct Tokens {
    url: String,
}

impl Tokens {
    /// Serves until the program ends.
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let _closed = Self::answer(socket);
            }
        });
        Self {
            url: format!("http://{address}/token"),
        }
    }

    fn answer(mut socket: TcpStream) -> std::io::Result<()> {
        let mut request = BufReader::new(socket.try_clone()?);
        let (mut login, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            request.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                if line.trim_end().is_empty() {
                    break;
                }
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                "authorization" => login = value.to_owned(),
                "content-length" => length = value.parse().unwrap_or(0),
                _ => {}
            }
        }
        let mut form = vec![0; length];
        request.read_exact(&mut form)?;
        // tide:s3cret
        let is_known = login == "Basic dGlkZTpzM2NyZXQ="
            && form == b"grant_type=client_credentials&scope=kafka%20log";
        let (status, body) = if is_known {
            ("200 OK", token())
        } else {
            (
                "401 Unauthorized",
                "{\"error\":\"invalid_client\"}".to_owned(),
            )
        };
        write!(
            socket,
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    }
}

fn token() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a time after 1970");
    let now = now.as_secs();
    let claims = format!("{{\"sub\":\"tide\",\"iat\":{now},\"exp\":{}}}", now + 600);
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let token = format!("{}.{}.", part("{\"alg\":\"none\"}"), part(&claims));
    format!("{{\"access_token\":\"{token}\",\"token_type\":\"Bearer\",\"expires_in\":600}}")
}
