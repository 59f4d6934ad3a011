//! Logins, roles, and the audit of what they do.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::site::{Answer, Site, ask, bind};

const FILE_SOURCE: &str = "org.apache.kafka.connect.file.FileStreamSourceConnector";

fn basic(name: &str, password: &str) -> String {
    let proof = BASE64_STANDARD.encode(format!("{name}:{password}"));
    format!("Authorization: Basic {proof}\r\n")
}

fn users() -> String {
    let hash = |password: &str| api::hash_password(password).unwrap();
    format!(
        "admin user anna {}\nread user rita {}\noperate token ci {}\n",
        hash("a-pw"),
        hash("r-pw"),
        api::hash_token("the-token")
    )
}

fn is_unknown(answer: &Answer) {
    assert_eq!(answer.status, 401, "{answer:?}");
    assert_eq!(answer.body, "User cannot access the resource.");
    assert!(answer.header("www-authenticate").unwrap().contains("basic"));
}

#[tokio::test]
async fn roles_say_who_may_do_what() {
    let mut site = Site::new().await;
    let file = site.file("users", &users());
    let audit = site.folder.path().join("audit.jsonl").display().to_string();
    let properties = [
        ("rest.users.file", file.as_str()),
        ("rest.users.open.paths", "/health,/connectors/open/pause"),
        ("rest.audit.log", &audit),
    ];
    let to = site.serve(&properties).await[0];
    let (anna, rita) = (basic("anna", "a-pw"), basic("rita", "r-pw"));
    let ci = "Authorization: Bearer the-token\r\n";
    is_unknown(&ask(to, "GET /connectors", "", "").await);
    is_unknown(&ask(to, "GET /connectors", &basic("anna", "r-pw"), "").await);
    is_unknown(&ask(to, "GET /connectors", &basic("nobody", "a-pw"), "").await);
    is_unknown(&ask(to, "GET /connectors", "Authorization: Bearer other\r\n", "").await);
    is_unknown(&ask(to, "GET /connectors", "Authorization: Basic %%%\r\n", "").await);
    assert_eq!(ask(to, "GET /health", "", "").await.status, 200);
    is_unknown(&ask(to, "PUT /connectors/open/pause", "", "").await);
    let config = json!({"connector.class": FILE_SOURCE, "topic": "t", "file": "none", "db.password": "hunter2"});
    let body = json!({"name": "a", "config": config}).to_string();
    for (who, list, create, pause) in [
        (rita.as_str(), 200, 403, 403),
        (ci, 200, 403, 404),
        (anna.as_str(), 200, 201, 202),
    ] {
        assert_eq!(ask(to, "GET /connectors", who, "").await.status, list);
        let created = ask(to, "POST /connectors", who, &body).await;
        assert_eq!(created.status, create, "{created:?}");
        let paused = ask(to, "PUT /connectors/a/pause/", who, "").await;
        assert_eq!(paused.status, pause, "{paused:?}");
    }
    let refused = ask(to, "DELETE /connectors/a", ci, "").await;
    let told: Value = serde_json::from_str(&refused.body).unwrap();
    assert_eq!(told["error_code"], 403);
    assert!(
        told["message"].as_str().unwrap().contains("needs admin"),
        "{told}"
    );
    told_in(&audit);
    site.stop().await;
}

/// The lines of the audit log.
fn told_in(path: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(!text.contains("hunter2") && !text.contains("the-token") && !text.contains("a-pw"));
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let find = |who: Value, method: &str, path: &str, status: u16| {
        let fits = |line: &&Value| {
            line["who"] == who
                && line["method"] == method
                && line["path"] == path
                && line["status"] == status
        };
        lines
            .iter()
            .find(fits)
            .unwrap_or_else(|| panic!("no {who} {method} {path} {status} in {text}"))
    };
    let created = find(json!("anna"), "POST", "/connectors", 201);
    assert_eq!(created["role"], "admin");
    assert!(created["from"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert!(created["time"].as_str().unwrap().ends_with('Z'));
    let deleted = find(json!("ci"), "DELETE", "/connectors/a", 403);
    assert_eq!(deleted["connector"], "a");
    find(Value::Null, "GET", "/connectors", 401);
    let is_read = |line: &&Value| line["method"] == "GET" && line["status"] == 200;
    assert!(
        !lines.iter().any(|line| is_read(&line)),
        "reads are not told: {text}"
    );
}

#[tokio::test]
async fn a_changed_file_of_users_is_read_again() {
    let mut site = Site::new().await;
    let file = site.file("users", &users());
    let to = site.serve(&[("rest.users.file", &file)]).await[0];
    let (anna, eve) = (basic("anna", "a-pw"), basic("eve", "e-pw"));
    assert_eq!(ask(to, "GET /", &anna, "").await.status, 200);
    let hash = api::hash_password("e-pw").unwrap();
    site.file("users", &format!("admin user eve {hash}\n"));
    // It is looked at each second; logins that are wrong until then count.
    let until = |who: String, status: u16| async move {
        for _ in 0..600 {
            if ask(to, "GET /", &who, "").await.status == status {
                return true;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        false
    };
    assert!(until(anna, 401).await, "anna is gone");
    assert_eq!(ask(to, "GET /", &eve, "").await.status, 200);
    // What cannot be read changes nothing.
    site.file("users", "nonsense\n");
    assert!(until(eve, 200).await, "eve stays");
    site.stop().await;
}

#[tokio::test]
async fn kafka_connects_own_files_of_users_work() {
    let mut site = Site::new().await;
    let users = site.file("creds.properties", "# who\nanna=a-pw\n");
    let module = "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule";
    let jaas = site.file(
        "jaas.conf",
        &format!("KafkaConnect {{\n  {module} required\n  file=\"{users}\";\n}};\n"),
    );
    let extension = (
        "rest.extension.classes",
        "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension",
    );
    let to = site
        .serve(&[extension, ("rest.jaas.config.file", &jaas)])
        .await[0];
    is_unknown(&ask(to, "GET /connectors", "", "").await);
    is_unknown(&ask(to, "GET /connectors", &basic("anna", "x"), "").await);
    let anna = basic("anna", "a-pw");
    assert_eq!(ask(to, "GET /connectors", &anna, "").await.status, 200);
    assert_eq!(
        ask(to, "PUT /connectors/x/pause", &anna, "").await.status,
        404
    );
    site.stop().await;
}

#[tokio::test]
async fn a_wrong_configuration_ends_the_start_with_its_property() {
    let site = Site::new().await;
    let empty = site.file("empty", "");
    for (name, value, says) in [
        ("rest.users.file", "/does/not/exist", "/does/not/exist"),
        ("rest.users.file", empty.as_str(), "nobody"),
        (
            "rest.extension.classes",
            "com.example.Mine",
            "com.example.Mine",
        ),
        ("listeners", "https://127.0.0.1:0", "ssl.keystore.location"),
        ("listeners", "ftp://127.0.0.1:0", "ftp://"),
        ("response.http.headers.config", "nonsense", "nonsense"),
    ] {
        let error = bind(&[(name, value)]).await.err().expect(name).report();
        assert!(error.contains(says), "{name}: {error}");
    }
    site.stop().await;
}
