//! A connector that rests while its database is written to: the slot's changes are kept in the log, the server forgets
//! them, and when the connector runs again all of them come once and in order.

use std::time::Duration;

use e2e::{
    LogKind, Outcome, Scene, WorkerOptions,
    configs::{IMPATIENT, postgres_source, with},
    counters,
    scene::{SLOT, SOURCE, TOPIC},
};
use serde_json::Value;
use stack::{Error, PgVersion, Postgres, PostgresOptions, Stack, http, wait_until};

const LIMIT: Duration = Duration::from_secs(60);
const SPILLING: &[(&str, &str)] = &[
    ("status.update.interval.ms", "200"),
    ("slot.max.retained.wal.bytes", "2097152"),
    ("slot.max.retained.wal.action", "spill"),
];
const KEPT: &str = "are kept in the topic tidewater-faults-kept";

fn scene(stack: &Stack, version: PgVersion, log: LogKind) -> Outcome<Scene> {
    let postgres = stack.postgres_with(PostgresOptions::new(version))?;
    let config = postgres_source(&postgres, SOURCE, "public.counters");
    let config = with(with(config, IMPATIENT), SPILLING);
    let options = WorkerOptions::on(log)
        .exactly_once()
        .set("group.id", "tidewater");
    let scene = Scene::counting(stack, postgres, options, &config)?;
    scene.load.wait_for(2)?;
    Ok(scene)
}

fn change(scene: &Scene, what: &str) -> Outcome {
    let path = format!("/connectors/{SOURCE}/{what}");
    scene.worker.rest().must("PUT", &path)
}

/// Adds rows of a kilobyte to the table, none of which is a counter, and one of 640: in two transactions.
fn write_rows(postgres: &Postgres, from: u32, rows: u32) -> Outcome {
    let to = from + rows;
    postgres.psql(&format!(
        "insert into counters select i, 0, repeat(md5(i::text), 32) from generate_series({from}, {to}) i;
         insert into counters select {to} + 1, 0, string_agg(md5(i::text), '') from generate_series(1, 20000) i"
    ))?;
    Ok(())
}

/// A number of the connector at `/metrics`.
fn metric(scene: &Scene, name: &str) -> stack::Result<f64> {
    let address = format!("127.0.0.1:{}", scene.worker.rest().port());
    let page = http("GET", &address, "/metrics", "")?.body;
    let line = format!("tidewater_connector_{name}{{connector=\"{SOURCE}\"}} ");
    let value = page.lines().find_map(|l| l.strip_prefix(line.as_str()));
    Ok(value.and_then(|text| text.parse().ok()).unwrap_or(-1.0))
}

/// Rests until the slot keeps too much, and the server has been freed of it nevertheless.
fn rest_until_freed(scene: &Scene, rest: &str, state: &str) -> Outcome {
    change(scene, rest)?;
    if state == "PAUSED" {
        scene.worker.rest().wait_for(SOURCE, state)?;
    }
    write_rows(&scene.postgres, 10_000, 4_000)?;
    scene.worker.rest().wait_for_notice(SOURCE, KEPT)?;
    scene.load.wait_confirmed(SLOT)?;
    wait_until("the server to be freed", LIMIT, || {
        scene.postgres.psql("checkpoint")?;
        Ok(metric(scene, "slot_retained_wal_bytes")? < 2_097_152.0)
    })?;
    // The rows alone: 4,000 of a kilobyte and one of 640.
    assert!(metric(scene, "slot_spilled_bytes")? > 4_700_000.0);
    assert!(metric(scene, "slot_spilled_transactions")? > 2.0);
    Ok(())
}

/// Runs again until nothing is left of what was kept, and gives all records.
fn run_to_the_end(mut scene: Scene) -> Outcome<Vec<(String, String)>> {
    change(&scene, "resume")?;
    let rest = scene.worker.rest();
    rest.wait_for(SOURCE, "RUNNING")?;
    // It is told as long as the connector has not read it.
    rest.wait_for_notice(SOURCE, "")?;
    scene.load.wait_for(2)?;
    scene.load.finish(SLOT)?;
    change(&scene, "pause")?;
    rest.wait_for(SOURCE, "PAUSED")?;
    // The topic is empty, or it would be told again.
    let told = || rest.get(&format!("/connectors/{SOURCE}/status"));
    wait_until("another look", LIMIT, || {
        Ok(metric(&scene, "slot_active")? < 0.5)
    })?;
    assert_eq!(told()?["connector"]["trace"], Value::Null);
    let records = scene.worker.stop_and_read(TOPIC)?;
    let history = counters::history(&records)?;
    counters::assert_complete(&history, &scene.postgres)?;
    counters::assert_exactly_once(&history)?;
    Ok(records)
}

fn nothing_is_lost(version: PgVersion, log: LogKind, stack: &Stack) -> Outcome {
    let scene = scene(stack, version, log)?;
    rest_until_freed(&scene, "pause", "PAUSED")?;
    // More than one part, and tables that change their shape meanwhile.
    let more = "alter table counters add column more text default 'x'";
    scene.postgres.psql(more)?;
    write_rows(&scene.postgres, 100_000, 40_000)?;
    scene
        .postgres
        .psql("alter table counters drop column more")?;
    scene.load.wait_confirmed(SLOT)?;
    let records = run_to_the_end(scene)?;
    let of = |from: i64, to: i64| {
        let keys = records.iter().filter_map(|(_, value)| {
            let change: Value = serde_json::from_str(value).ok()?;
            let after = &change["after"];
            let (k, more) = (after["k"].as_i64()?, &after["more"]);
            (from..=to).contains(&k).then(|| (k, more == "x"))
        });
        keys.collect::<Vec<_>>()
    };
    assert_eq!(of(10_000, 14_001), numbered(10_000, 14_001, false));
    assert_eq!(of(100_000, 140_001), numbered(100_000, 140_001, true));
    Ok(())
}

fn numbered(from: i64, to: i64, more: bool) -> Vec<(i64, bool)> {
    (from..=to).map(|k| (k, more)).collect()
}

#[test]
fn what_came_meanwhile_comes_once_on_the_embedded_log_15() -> Outcome {
    nothing_is_lost(PgVersion::V15, LogKind::Embedded, &Stack::new()?)
}

#[test]
fn what_came_meanwhile_comes_once_on_kafka_18() -> Outcome {
    let stack = Stack::new()?;
    let kafka = stack.kafka()?;
    let log = LogKind::Kafka(kafka.bootstrap().to_owned());
    nothing_is_lost(PgVersion::V18, log, &stack)
}

/// Kills the worker while it spills, and while it reads what it spilled.
fn kills_do_no_harm(log: LogKind, stack: &Stack) -> Outcome {
    let scene = scene(stack, PgVersion::V15, log)?;
    change(&scene, "pause")?;
    scene.worker.rest().wait_for(SOURCE, "PAUSED")?;
    for kill in 1..=4 {
        write_rows(&scene.postgres, kill * 10_000, 6_000)?;
        wait_until("spilling", LIMIT, || {
            let spilled = metric(&scene, "slot_spilled_bytes")?;
            Ok(spilled > f64::from(kill % 3) * 2_000_000.0)
        })?;
        scene.worker.server().kill9()?;
        scene.worker.server().start()?;
    }
    // What a killed worker had not committed is not kept: all of it is before the connector runs. And it is more than
    // can be read between two kills.
    write_rows(&scene.postgres, 50_000, 20_000)?;
    scene.load.wait_confirmed(SLOT)?;
    change(&scene, "resume")?;
    let reading = |before: usize| {
        let begun = || Ok(replays(&scene)? > before);
        wait_until("what was kept to be read", LIMIT, begun)
    };
    reading(0)?;
    for _ in 0..3 {
        scene.worker.server().kill9()?;
        let before = replays(&scene)?;
        scene.worker.server().start()?;
        // No kill was too late: something was left.
        reading(before)?;
    }
    run_to_the_end(scene).map(drop)
}

/// How many sessions the worker has begun to read, over all its starts.
fn replays(scene: &Scene) -> stack::Result<usize> {
    let log = std::fs::read(scene.worker.server().log_path())
        .map_err(|error| Error::new(format!("the worker's log: {error}")))?;
    let log = String::from_utf8_lossy(&log);
    Ok(log.matches("reading what was kept of the slot").count())
}

#[test]
fn killed_workers_do_no_harm_on_the_embedded_log() -> Outcome {
    kills_do_no_harm(LogKind::Embedded, &Stack::new()?)
}

#[test]
fn killed_workers_do_no_harm_on_kafka() -> Outcome {
    let stack = Stack::new()?;
    let kafka = stack.kafka()?;
    kills_do_no_harm(LogKind::Kafka(kafka.bootstrap().to_owned()), &stack)
}

#[test]
fn a_log_that_does_not_take_it_is_told_and_the_server_keeps_it() -> Outcome {
    let stack = Stack::new()?;
    let kafka = stack.kafka()?;
    // A topic of somebody who was there before us.
    let words =
        "--create --topic tidewater-faults-kept --partitions 1 --config max.message.bytes=1000";
    let words: Vec<&str> = words.split(' ').collect();
    kafka.tool("org.apache.kafka.tools.TopicCommand", &words)?;
    let log = LogKind::Kafka(kafka.bootstrap().to_owned());
    let scene = scene(&stack, PgVersion::V15, log)?;
    change(&scene, "pause")?;
    scene.worker.rest().wait_for(SOURCE, "PAUSED")?;
    write_rows(&scene.postgres, 10_000, 4_000)?;
    let rest = scene.worker.rest();
    rest.wait_for_notice(SOURCE, "cannot be kept in the log now")?;
    assert!(metric(&scene, "slot_retained_wal_bytes")? > 2_097_152.0);
    run_to_the_end(scene).map(drop)
}

#[test]
fn what_was_kept_goes_with_the_offsets() -> Outcome {
    let stack = Stack::new()?;
    let scene = scene(&stack, PgVersion::V15, LogKind::Embedded)?;
    rest_until_freed(&scene, "stop", "STOPPED")?;
    let rest = scene.worker.rest();
    rest.must("DELETE", &format!("/connectors/{SOURCE}/offsets"))?;
    rest.wait_for_notice(SOURCE, "")?;
    write_rows(&scene.postgres, 50_000, 4_000)?;
    // Nothing would read it: the tables are read again.
    rest.wait_for_notice(SOURCE, "no position of the connector")?;
    change(&scene, "resume")?;
    rest.wait_for(SOURCE, "RUNNING")?;
    rest.wait_for_stream(SOURCE)?;
    let mut scene = scene;
    scene.load.finish(SLOT)?;
    let history = counters::history(&scene.worker.stop_and_read(TOPIC)?)?;
    counters::assert_complete(&history, &scene.postgres)
}
