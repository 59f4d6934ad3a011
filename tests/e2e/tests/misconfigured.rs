//! A configuration with everything wrong is told so before anything starts, with the same words by validation, by the
//! request that would create the connector, and by `tidewater check`.

use std::{collections::BTreeSet, fs, process::Command};

use e2e::{
    LogKind, Outcome, Rest, Worker, WorkerOptions,
    configs::{postgres_source, with},
};
use serde_json::{Value, json};
use stack::{PgVersion, Postgres, PostgresOptions, Stack, binary};

/// Property and sentence.
type Told = BTreeSet<(String, String)>;

/// What validation says under `errors` or `warnings`.
fn validated(rest: &Rest, config: &Value, kind: &str) -> Outcome<Told> {
    let path = "/connector-plugins/PostgresConnector/config/validate";
    let named = with(config.clone(), &[("name", "bad")]);
    let answer = rest.ask("PUT", path, &named.to_string())?;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer: Value = serde_json::from_str(&answer.body)?;
    let mut told = Told::new();
    for config in answer["configs"].as_array().into_iter().flatten() {
        let value = &config["value"];
        for sentence in value[kind].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            told.insert((text(&value["name"]), text(sentence)));
        }
    }
    Ok(told)
}

/// What `tidewater check` prints as `error` or `warning`.
fn checked(config: &Value, kind: &str) -> Outcome<Told> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("config.json");
    fs::write(
        &file,
        json!({ "name": "bad", "config": config }).to_string(),
    )?;
    let output = Command::new(binary("tidewater")?)
        .arg("check")
        .arg(&file)
        .output()?;
    assert!(!output.status.success());
    let text = String::from_utf8(output.stdout)?;
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix(kind)?.strip_prefix(": "));
    Ok(lines
        .filter_map(|line| line.split_once(": "))
        .map(|(key, sentence)| (key.to_owned(), sentence.to_owned()))
        .collect())
}

/// A server for replicas only, a user who may do nothing, tables without keys, a list that does not compile or match.
fn wrong(postgres: &Postgres) -> Outcome<Vec<Value>> {
    postgres.psql(
        "create table counters (id int primary key); create table keyless (v int);
         create role nobody login password 'cdc'; select pg_create_physical_replication_slot('taken')",
    )?;
    let base = with(
        postgres_source(postgres, "bad", ""),
        &[("database.user", "nobody")],
    );
    Ok(vec![
        with(base.clone(), &[("table.include.list", "public.*,publc.x")]),
        with(
            base,
            &[("table.include.list", "("), ("snapshot.fetch.size", "0")],
        ),
    ])
}

/// Exactly these errors, each containing some words, in all three places.
fn is_told_everywhere(rest: &Rest, config: &Value, keys: &[(&str, &str)]) -> Outcome {
    let errors = validated(rest, config, "errors")?;
    for (key, says) in keys {
        let is_told = |(k, sentence): &(String, String)| k == key && sentence.contains(says);
        assert!(errors.iter().any(is_told), "{key}: {says}: {errors:#?}");
    }
    assert_eq!(errors.len(), keys.len(), "{errors:#?}");
    let one_line = |told: Told| -> Told {
        let first = |text: String| text.lines().next().unwrap_or_default().to_owned();
        told.into_iter()
            .map(|(key, text)| (key, first(text)))
            .collect()
    };
    assert_eq!(checked(config, "error")?, one_line(errors.clone()));
    let warnings = validated(rest, config, "warnings")?;
    assert_eq!(checked(config, "warning")?, warnings);

    let body = json!({ "name": "bad", "config": config }).to_string();
    let refused = rest.ask("POST", "/connectors", &body)?;
    assert_eq!(refused.status, 400, "{}", refused.body);
    let refused: Value = serde_json::from_str(&refused.body)?;
    let message = refused["message"].as_str().unwrap_or_default();
    assert!(
        errors.iter().all(|(_, text)| message.contains(&**text)),
        "{message}"
    );
    Ok(())
}

#[test]
fn everything_wrong_is_told_everywhere() -> Outcome {
    let stack = Stack::new()?;
    let options = PostgresOptions::new(PgVersion::V18)
        .set("wal_level", "replica")
        .set("max_replication_slots", "1");
    let postgres = stack.postgres_with(options)?;
    let worker = Worker::start(&stack, WorkerOptions::on(LogKind::Embedded))?;
    let rest = worker.rest();
    let [tables, lists] = &*wrong(&postgres)? else {
        return Err("two configurations".into());
    };
    for (config, keys) in [
        (
            tables,
            &[
                ("database.hostname", "wal_level is replica"),
                ("slot.name", "all replication slots of the server are taken"),
                ("database.user", "no REPLICATION right"),
                (
                    "database.user",
                    "may not read public.counters, public.keyless",
                ),
                (
                    "publication.autocreate.mode",
                    "may not create a publication",
                ),
                ("publication.autocreate.mode", "does not own"),
            ][..],
        ),
        (
            lists,
            &[
                ("table.include.list", "regex parse error"),
                ("snapshot.fetch.size", "Invalid value 0"),
                ("database.hostname", "wal_level is replica"),
                ("slot.name", "all replication slots of the server are taken"),
                ("database.user", "no REPLICATION right"),
            ],
        ),
    ] {
        is_told_everywhere(rest, config, keys)?;
    }
    Ok(())
}
