//! Bad configurations over REST: all that is wrong is told at once and by name, no secret comes back, and nothing hurts
//! the worker.

use std::{fs, time::Duration};

use e2e::{
    LogKind, Outcome, Rest, Worker, WorkerOptions,
    configs::{IMPATIENT, postgres_source, postgres_source_at, redis_sink, with},
    counters,
    raw::is_refusal,
    scene::SOURCE,
};
use serde_json::{Map, Value, json};
use stack::{PgVersion, PostgresOptions, Proxy, Stack, wait_until};

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
                // The connectors of files need nothing but topics.
                let is_whole = class.contains(".FileStream") && key.starts_with("topic");
                assert!(
                    answer["error_count"].as_u64() > Some(0) || is_whole,
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

/// Numbers at the ends of what a property takes.
const EXTREME: [&str; 5] = ["0", "1", "32767", "2147483647", "9223372036854775807"];

/// A configuration for every numeric key and extreme number that validation lets pass.
fn extremes(rest: &Rest, class: &str, base: &Value) -> Outcome<Vec<(String, Value)>> {
    let mut accepted = Vec::new();
    for (key, kind) in keys(rest, class)? {
        if !["INT", "LONG", "SHORT"].contains(&kind.as_str()) || key.ends_with("port") {
            continue;
        }
        for value in EXTREME {
            let given = with(base.clone(), &[(&key, value)]);
            let path = format!("/connector-plugins/{class}/config/validate");
            let answer = rest.ask(
                "PUT",
                &path,
                &with(given.clone(), &[("name", "x")]).to_string(),
            )?;
            assert_eq!(answer.status, 200, "{key}={value}: {}", answer.body);
            let answer: Value = serde_json::from_str(&answer.body)?;
            if answer["error_count"] == 0 {
                let kind = class.rsplit('.').next().unwrap_or_default();
                accepted.push((format!("{kind} {key}={value}"), given));
            }
        }
    }
    assert!(accepted.len() > 20, "{class}: {accepted:?}");
    Ok(accepted)
}

/// What validation lets pass is run, all of it at once: nothing panics, and the worker goes on.
#[test]
fn extreme_numbers_harm_nobody() -> Outcome {
    let stack = Stack::new()?;
    let postgres = stack.postgres(PgVersion::V15)?;
    let redis = stack.redis()?;
    counters::table(&postgres)?;
    let options =
        WorkerOptions::on(LogKind::Embedded).set("task.shutdown.graceful.timeout.ms", "3000");
    let worker = Worker::start(&stack, options)?;
    let rest = worker.rest();
    let source = postgres_source(&postgres, SOURCE, "public.counters");
    let source = with(source, &[("snapshot.mode", "initial_only")]);
    let sink = redis_sink(&redis, "faults\\..*");
    let class = |config: &Value| {
        config["connector.class"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let mut all = extremes(rest, &class(&source), &source)?;
    all.extend(extremes(rest, &class(&sink), &sink)?);
    // A limit of a millisecond may hold at one time and not at another: then the connector is refused.
    all.retain(|(name, config)| match rest.create(name, config) {
        Ok(()) => true,
        Err(error) => {
            assert!(error.to_string().contains(": 400 "), "{name}: {error}");
            false
        }
    });
    for (name, _) in &all {
        if name.contains("delay") {
            continue;
        }
        let escaped: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let path = format!("/connectors/{escaped}/status");
        wait_until(
            &format!("{name} to settle"),
            Duration::from_secs(60),
            || {
                let status = rest.get(&path).unwrap_or_default();
                let task = &status["tasks"][0];
                Ok(task["trace"].is_string()
                    || ["RUNNING", "FAILED"].iter().any(|s| task["state"] == *s))
            },
        )?;
    }
    rest.must("GET", "/health")?;
    worker.server().stop()?;
    let log = fs::read_to_string(worker.server().log_path())?;
    let panic = log.lines().find(|line| line.contains("panic"));
    assert!(panic.is_none(), "{panic:?}");
    Ok(())
}
