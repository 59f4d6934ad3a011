//! Bad input over REST: it is refused with words that say what to do, no secret comes back, the worker goes on
//! answering, and a connector that runs is not disturbed.

use std::{fs, net::TcpStream, thread};

use e2e::{
    LogKind, Outcome, Raw, Rest, Scene, Worker, WorkerOptions,
    configs::{IMPATIENT, postgres_source, postgres_source_at, with},
    counters::{self, assert_exactly_once},
    raw,
    scene::SOURCE,
};
use serde_json::{Map, Value, json};
use stack::{Answer, PgVersion, PostgresOptions, Proxy, Stack};

/// What must never come back.
const CANARY: &str = "c4n4ry-s3cr3t";
/// Values that fit no number and no boolean.
const WRONG: [&str; 6] = [
    "x",
    "1.5.2",
    "99999999999999999999999",
    "tru",
    "\u{1F980}",
    "0x10",
];
/// Values that may fit or not, and must not hurt.
const ABSURD: [&str; 11] = [
    "",
    " ",
    "-1",
    "0",
    "9223372036854775807",
    "-9223372036854775808",
    ",,,",
    "${env:HOME}",
    "${",
    "(((",
    "\u{0}\n\t\u{FEFF}",
];

/// A worker alone: bad configurations need no servers.
fn worker(stack: &Stack) -> Outcome<Worker> {
    Worker::start(stack, WorkerOptions::on(LogKind::Embedded))
}

fn list(rest: &Rest, path: &str) -> Outcome<Vec<Value>> {
    let listed = rest.get(path)?;
    Ok(listed.as_array().cloned().ok_or("no list")?)
}

/// The classes of all connectors.
fn connectors(rest: &Rest) -> Outcome<Vec<String>> {
    let plugins = list(rest, "/connector-plugins")?;
    let classes = plugins.iter().filter_map(|plugin| plugin["class"].as_str());
    let classes: Vec<String> = classes.map(str::to_owned).collect();
    assert!(classes.len() >= 3, "{classes:?}");
    Ok(classes)
}

/// Names and types of the keys of a connector.
fn keys(rest: &Rest, class: &str) -> Outcome<Vec<(String, String)>> {
    let keys = list(rest, &format!("/connector-plugins/{class}/config"))?;
    let text = |key: &Value, name: &str| key[name].as_str().unwrap_or_default().to_owned();
    let keys: Vec<_> = keys
        .iter()
        .map(|key| (text(key, "name"), text(key, "type")))
        .collect();
    assert!(keys.len() > 20, "{class}: {keys:?}");
    Ok(keys)
}

fn is_typed(kind: &str) -> bool {
    ["INT", "LONG", "SHORT", "BOOLEAN", "DOUBLE"].contains(&kind)
}

/// The answer of `PUT …/config/validate`, which must be 200 or 400.
fn validate(rest: &Rest, class: &str, config: &Map<String, Value>) -> Outcome<Option<Value>> {
    let path = format!("/connector-plugins/{class}/config/validate");
    let answer = rest.ask("PUT", &path, &Value::from(config.clone()).to_string())?;
    assert!(
        !answer.body.contains(CANARY),
        "{class}: {config:?} gave {}",
        answer.body
    );
    match answer.status {
        200 => Ok(Some(serde_json::from_str(&answer.body)?)),
        400 => is_refusal(&answer).map(|()| None),
        status => Err(format!("{class}: {config:?} gave {status} {}", answer.body).into()),
    }
}

/// An error in Kafka Connect's form, with a message.
fn is_refusal(answer: &Answer) -> Outcome {
    let told: Value = serde_json::from_str(&answer.body).map_err(|error| {
        format!(
            "{} {:?} is no error of ours: {error}",
            answer.status, answer.body
        )
    })?;
    let message = told["message"].as_str().unwrap_or_default();
    if told["error_code"] == answer.status && !message.is_empty() && !message.contains("panicked") {
        return Ok(());
    }
    Err(format!("{} {}", answer.status, answer.body).into())
}

fn errors<'a>(answer: &'a Value, name: &str) -> Vec<&'a str> {
    let configs = answer["configs"].as_array().map_or(&[][..], Vec::as_slice);
    let values = configs.iter().map(|config| &config["value"]);
    let errors = values
        .filter(|value| value["name"] == name)
        .filter_map(|value| value["errors"].as_array());
    errors.flatten().filter_map(Value::as_str).collect()
}

fn config(class: &str) -> Map<String, Value> {
    let mut config = Map::new();
    config.insert("connector.class".into(), class.into());
    config.insert("name".into(), "bad".into());
    config
}

/// Each key of each connector with each bad value: it is named, with its value, beside what else is wrong.
#[test]
fn every_key_refuses_what_does_not_fit() -> Outcome {
    let stack = Stack::new()?;
    let worker = worker(&stack)?;
    let rest = worker.rest();
    for class in connectors(rest)? {
        for (key, kind) in keys(rest, &class)? {
            if ["connector.class", "name"].contains(&key.as_str()) {
                continue;
            }
            // What is required is missing, too: so no server is asked, and each answer has several findings.
            let mut given = config(&class);
            for value in WRONG.iter().chain(&ABSURD) {
                given.insert(key.clone(), (*value).into());
                let Some(answer) = validate(rest, &class, &given)? else {
                    continue;
                };
                assert!(
                    answer["error_count"].as_u64() > Some(0),
                    "{class}: {given:?}"
                );
                if is_typed(&kind) && WRONG.contains(value) {
                    let errors = errors(&answer, &key);
                    let named = format!("Invalid value {value} for configuration {key}: ");
                    let says = errors
                        .iter()
                        .any(|error| error.starts_with(&named) && error.len() > named.len());
                    assert!(says, "{class} {key}={value}: {errors:?}");
                }
            }
            for value in [Value::Null, json!(true), json!(-7), json!(1e300)] {
                given.insert(key.clone(), value);
                validate(rest, &class, &given)?;
            }
        }
    }
    worker.rest().must("GET", "/health")
}

/// Everything wrong at once is told at once, over both ways to ask.
#[test]
fn all_findings_come_at_once() -> Outcome {
    let stack = Stack::new()?;
    let worker = worker(&stack)?;
    let rest = worker.rest();
    for class in connectors(rest)? {
        let typed: Vec<_> = keys(rest, &class)?
            .into_iter()
            .filter(|(_, kind)| is_typed(kind))
            .collect();
        let mut given = config(&class);
        for (key, _) in &typed {
            given.insert(key.clone(), "nonsense".into());
        }
        let answer = validate(rest, &class, &given)?.ok_or("no findings")?;
        let body = json!({ "name": "bad", "config": given }).to_string();
        let created = rest.ask("POST", "/connectors", &body)?;
        assert_eq!(created.status, 400, "{}", created.body);
        is_refusal(&created)?;
        for (key, _) in &typed {
            assert!(
                !errors(&answer, key).is_empty(),
                "{class}: {key} was not told"
            );
            let told = format!("Invalid value nonsense for configuration {key}: ");
            assert!(
                created.body.contains(&told),
                "{class}: {key} was not told in {}",
                created.body
            );
        }
    }
    assert!(list(rest, "/connectors")?.is_empty(), "nothing was created");
    Ok(())
}

/// Secrets come back in no answer, not even when everything else is wrong, nor in the status and the log.
#[test]
fn secrets_never_come_back() -> Outcome {
    let stack = Stack::new()?;
    let worker = worker(&stack)?;
    let rest = worker.rest();
    for class in connectors(rest)? {
        let mut given = config(&class);
        for (key, kind) in keys(rest, &class)? {
            if kind == "PASSWORD" {
                given.insert(key, CANARY.into());
            }
        }
        for url in ["connection.url", "redis.uri"] {
            let mut given = given.clone();
            given.insert(url.into(), format!("nonsense://user:{CANARY}@[:::/").into());
            validate(rest, &class, &given)?;
            given.insert(
                url.into(),
                format!("http://user:{CANARY}@127.0.0.1:1/").into(),
            );
            given.insert("topics".into(), "t".into());
            validate(rest, &class, &given)?;
        }
        for missing in ["connector.class", "name"] {
            let mut given = given.clone();
            given.remove(missing);
            let body = json!({ "name": "bad", "config": given }).to_string();
            for (method, path, body) in [
                ("POST", "/connectors", body.clone()),
                (
                    "PUT",
                    "/connectors/bad/config",
                    Value::from(given.clone()).to_string(),
                ),
                ("POST", "/connectors", body.replace("\"name\"", "\"nome\"")),
                ("POST", "/connectors", body.replace("}}", "")),
            ] {
                let answer = rest.ask(method, path, &body)?;
                assert!(answer.status >= 400, "{}", answer.body);
                assert!(
                    !answer.body.contains(CANARY),
                    "{method} {path}: {}",
                    answer.body
                );
            }
        }
    }
    Ok(())
}

/// The password of a connector that runs stands in no status and no log, whatever goes wrong with it.
#[test]
fn a_password_in_use_is_never_told() -> Outcome {
    let stack = Stack::new()?;
    let postgres = stack.postgres_with(PostgresOptions::new(PgVersion::V15))?;
    let password = |text: &str| postgres.psql(&format!("alter role cdc password '{text}'"));
    password(CANARY)?;
    counters::table(&postgres)?;
    let proxy = Proxy::to(&format!("127.0.0.1:{}", postgres.port()))?;
    let worker = worker(&stack)?;
    let rest = worker.rest();
    let secret = [("database.password", CANARY)];
    let config = with(
        postgres_source_at(proxy.port(), SOURCE, "public.counters"),
        IMPATIENT,
    );
    rest.create(SOURCE, &with(config, &secret))?;
    rest.wait_for(SOURCE, "RUNNING")?;
    let told = || -> Outcome {
        for path in [
            "/connectors/faults/status",
            "/connectors?expand=status",
            "/metrics",
        ] {
            let answer = rest.ask("GET", path, "")?;
            assert!(!answer.body.contains(CANARY), "{path}: {}", answer.body);
        }
        Ok(())
    };
    proxy.cut();
    rest.wait_for_trouble(SOURCE, "postgres.connection")?;
    told()?;
    password("another")?;
    proxy.heal();
    rest.wait_for_failure(SOURCE, "postgres.authentication")?;
    told()?;
    let log = fs::read_to_string(worker.server().log_path())?;
    assert!(!log.contains(CANARY), "the log has a secret");
    Ok(())
}

/// Requests that no client should send; each with the statuses that are right.
fn bad_requests() -> Vec<(Raw, &'static [u16])> {
    let post = || Raw::new("POST", "/connectors");
    let large = "x".repeat(10 << 20);
    let name = "n".repeat(1 << 20);
    vec![
        (post(), &[400]),
        (post().json("{"), &[400]),
        (post().json("null"), &[400]),
        (post().json("[]"), &[400]),
        (post().json("{}"), &[400]),
        (post().json("\"text\""), &[400]),
        (post().json("{\"name\":\"a\",\"config\":[]}"), &[400]),
        (post().json("{\"name\":{},\"config\":{}}"), &[400]),
        (
            post().json("{\"name\":\"a\",\"config\":{\"x\":{\"y\":1}}}"),
            &[400],
        ),
        (
            post().json("{\"name\":\"a\",\"config\":{}} trailing"),
            &[400],
        ),
        (
            post().json("{\"name\":\"a\",\"config\":{},\"initial_state\":\"FLYING\"}"),
            &[400],
        ),
        (
            post().json(b"{\"name\":\"\xff\xfe\",\"config\":{}}".as_slice()),
            &[400],
        ),
        (post().json(b"\xef\xbb\xbf{}".as_slice()), &[400]),
        (post().json("[".repeat(200_000)), &[400]),
        (post().json("{\"a\":".repeat(200_000)), &[400]),
        (
            post().json(format!(
                "{{\"name\":\"a\",\"config\":{{\"x\":\"{large}\"}}}}"
            )),
            &[413],
        ),
        (
            Raw::new("PUT", "/connectors/a/config").json(large.clone()),
            &[413],
        ),
        (
            Raw::new("PATCH", "/connectors/a/offsets").json(large),
            &[413],
        ),
        (
            post().header("Content-Type", "text/plain").body("{}"),
            &[415],
        ),
        (
            post()
                .header("Content-Type", "application/xml")
                .body("<a/>"),
            &[415],
        ),
        (
            post().header("Content-Type", "\u{e9}").body("{}"),
            &[400, 415],
        ),
        (
            post().header("Content-Encoding", "gzip").json("{}"),
            &[400, 415],
        ),
        (Raw::new("GET", "/").header("Accept", "text/html"), &[406]),
        (
            Raw::new("GET", "/").header("X-Large", &"x".repeat(1 << 20)),
            &[400, 431],
        ),
        (
            Raw::new("GET", &format!("/connectors/{name}")),
            &[404, 414, 431],
        ),
        (Raw::new("GET", "/connectors/../../etc/passwd"), &[404]),
        (
            Raw::new("GET", "/connectors/..%2f..%2fetc%2fpasswd"),
            &[404],
        ),
        (Raw::new("GET", "/connectors/%00"), &[400, 404]),
        (Raw::new("GET", "/connectors/%ff%fe/status"), &[400, 404]),
        (Raw::new("GET", "/connectors/%zz"), &[400, 404]),
        (
            Raw::new("GET", "/connectors/a/tasks/99999999999999999999/status"),
            &[400, 404],
        ),
        (
            Raw::new("GET", "/connectors/a/tasks/-1/status"),
            &[400, 404],
        ),
        (
            Raw::new("POST", "/connectors/a/tasks/x/restart"),
            &[400, 404],
        ),
        (Raw::new("GET", "/connector-plugins/..%2f/config"), &[404]),
        (
            Raw::new("PUT", "/connector-plugins/nothing/config/validate").json("{}"),
            &[400, 404],
        ),
        (
            Raw::new("PUT", "/admin/loggers/root").json("{\"level\":\"LOUD\"}"),
            &[400, 404],
        ),
        (Raw::new("PUT", "/admin/loggers/root").json("[1]"), &[400]),
        (Raw::new("DELETE", "/"), &[405]),
        (Raw::new("BREW", "/connectors"), &[405]),
        (
            Raw::new("PATCH", "/connectors/none/offsets").json("{\"offsets\":[{\"partition\":1}]}"),
            &[400, 404],
        ),
    ]
}

#[test]
fn bad_requests_are_refused_and_disturb_nobody() -> Outcome {
    let stack = Stack::new()?;
    let postgres = stack.postgres(PgVersion::V15)?;
    let source = postgres_source(&postgres, SOURCE, "public.counters");
    let options = WorkerOptions::on(LogKind::Embedded).exactly_once();
    let scene = Scene::counting(&stack, postgres, options, &source)?;
    let rest = scene.worker.rest();
    for (request, right) in bad_requests() {
        let answer = request.send(rest.port())?;
        let short: String = format!("{request:?}").chars().take(300).collect();
        assert!(
            right.contains(&answer.status),
            "{short} gave {} {}",
            answer.status,
            answer.body
        );
        // Some of these the HTTP library refuses before we see them.
        if ![400, 414, 431].contains(&answer.status) || !answer.body.is_empty() {
            is_refusal(&answer).map_err(|error| format!("{short}: {error}"))?;
        }
    }
    for garbage in [
        &b"\x16\x03\x01\x02\x00"[..],
        b"GET\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
    ] {
        // It may be answered or not.
        let _ = raw::send(rest.port(), garbage);
    }
    odd_names(rest, &source)?;
    crowd(rest)?;
    undisturbed(scene)
}

/// Names that are odd but allowed, and those that are not.
fn odd_names(rest: &Rest, config: &Value) -> Outcome {
    let create = |name: &str| {
        let body = json!({ "name": name, "config": config, "initial_state": "STOPPED" });
        rest.ask("POST", "/connectors", &body.to_string())
    };
    for name in [
        "../../etc/passwd",
        "a b",
        "%2e%2e",
        "\u{1F980}",
        "a?b#c",
        "..",
        "x".repeat(3000).as_str(),
    ] {
        let created = create(name)?;
        assert_eq!(created.status, 201, "{name}: {}", created.body);
        let escaped: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        rest.must("GET", &format!("/connectors/{escaped}/status"))?;
        rest.must("DELETE", &format!("/connectors/{escaped}"))?;
    }
    for name in ["", " ", "a\nb", "\u{0}", "\u{7f}"] {
        let refused = create(name)?;
        assert_eq!(refused.status, 400, "{name:?}: {}", refused.body);
        is_refusal(&refused)?;
    }
    Ok(())
}

/// Many at once, and some who connect and say nothing.
fn crowd(rest: &Rest) -> Outcome {
    let idle: Vec<_> = (0..100)
        .filter_map(|_| TcpStream::connect(("127.0.0.1", rest.port())).ok())
        .collect();
    assert_eq!(idle.len(), 100);
    let ask = || -> Outcome {
        for path in [
            "/",
            "/connectors?expand=status&expand=info",
            "/metrics",
            "/connector-plugins",
            "/health",
        ]
        .repeat(5)
        {
            rest.must("GET", path)?;
        }
        for _ in 0..5 {
            let refused = Raw::new("POST", "/connectors")
                .json("[".repeat(10_000))
                .send(rest.port())?;
            assert_eq!(refused.status, 400);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let asking: Vec<_> = (0..24).map(|_| scope.spawn(ask)).collect();
        asking
            .into_iter()
            .try_for_each(|one| one.join().map_err(|_| "a client panicked")?)
    })
}

/// The connector has run all the time, in one go.
fn undisturbed(scene: Scene) -> Outcome {
    scene.load.wait_for(1)?;
    assert_eq!(scene.worker.rest().states(SOURCE)?, ["RUNNING", "RUNNING"]);
    let log = fs::read_to_string(scene.worker.server().log_path())?;
    assert_eq!(
        log.matches("the task runs").count(),
        1,
        "the task was started again"
    );
    assert!(!log.contains("panicked"), "something panicked");
    assert_exactly_once(&scene.finish()?)
}
