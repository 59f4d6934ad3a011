//! A slot that keeps the server's log, since nobody reads it: the status and the metrics tell, and the slot is given up
//! before the disk is full, if that is wanted.

use std::time::Duration;

use e2e::{
    LogKind, Outcome, Scene, WorkerOptions,
    configs::{IMPATIENT, postgres_source, with},
    counters,
    scene::{SLOT, SOURCE, TOPIC},
};
use stack::{PgVersion, Postgres, PostgresOptions, Stack, http, wait_until};

const LIMIT: Duration = Duration::from_secs(30);
const GUARDED: &[(&str, &str)] = &[
    ("status.update.interval.ms", "200"),
    ("slot.max.retained.wal.bytes", "2097152"),
];

fn scene(stack: &Stack, version: PgVersion, more: &[(&str, &str)]) -> Outcome<Scene> {
    let postgres =
        stack.postgres_with(PostgresOptions::new(version).set("max_prepared_transactions", "2"))?;
    let config = postgres_source(&postgres, SOURCE, "public.counters");
    let config = with(with(with(config, IMPATIENT), GUARDED), more);
    let options = WorkerOptions::on(LogKind::Embedded).exactly_once();
    let scene = Scene::counting(stack, postgres, options, &config)?;
    scene.load.wait_for(2)?;
    Ok(scene)
}

/// Writes more than the limit of the log.
fn write_much(postgres: &Postgres) -> Outcome {
    postgres.psql(
        "create table if not exists much (text text);
         insert into much select repeat(md5(i::text), 32) from generate_series(1, 4000) i",
    )?;
    Ok(())
}

fn change(scene: &Scene, what: &str) -> Outcome {
    let path = format!("/connectors/{SOURCE}/{what}");
    scene.worker.rest().must("PUT", &path)
}

/// A number of the connector at `/metrics`.
fn metric(scene: &Scene, name: &str) -> stack::Result<f64> {
    let address = format!("127.0.0.1:{}", scene.worker.rest().port());
    let page = http("GET", &address, "/metrics", "")?.body;
    let line = format!("tidewater_connector_{name}{{connector=\"{SOURCE}\"}} ");
    let value = page.lines().find_map(|l| l.strip_prefix(line.as_str()));
    Ok(value.and_then(|text| text.parse().ok()).unwrap_or(-1.0))
}

fn told_while_paused_until_resumed(version: PgVersion) -> Outcome {
    let stack = Stack::new()?;
    let mut scene = scene(&stack, version, &[])?;
    let rest = scene.worker.rest();
    rest.wait_for_notice(SOURCE, "")?;
    change(&scene, "pause")?;
    rest.wait_for(SOURCE, "PAUSED")?;
    write_much(&scene.postgres)?;
    rest.wait_for_notice(SOURCE, "nobody reads it")?;
    wait_until("the metric", LIMIT, || {
        Ok(metric(&scene, "slot_retained_wal_bytes")? > 2_097_152.0)
    })?;
    change(&scene, "resume")?;
    rest.wait_for(SOURCE, "RUNNING")?;
    // What the server keeps becomes less when the source has read it and a checkpoint has told the slot.
    wait_until("the slot to keep less", LIMIT, || {
        scene.postgres.psql("checkpoint")?;
        Ok(metric(&scene, "slot_retained_wal_bytes")? < 2_097_152.0)
    })?;
    rest.wait_for_notice(SOURCE, "")?;
    scene.load.finish(SLOT)?;
    let history = counters::history(&scene.worker.stop_and_read(TOPIC)?)?;
    counters::assert_complete(&history, &scene.postgres)?;
    counters::assert_exactly_once(&history)
}

#[test]
fn told_while_paused_until_resumed_15() -> Outcome {
    told_while_paused_until_resumed(PgVersion::V15)
}

#[test]
fn told_while_paused_until_resumed_18() -> Outcome {
    told_while_paused_until_resumed(PgVersion::V18)
}

#[test]
fn a_transaction_that_stays_open_is_named() -> Outcome {
    let stack = Stack::new()?;
    // It runs: nothing is spilled.
    let spill = [("slot.max.retained.wal.action", "spill")];
    let scene = scene(&stack, PgVersion::V15, &spill)?;
    scene.postgres.psql("create table held (n int)")?;
    let hold = "begin; insert into held values (1); prepare transaction 'held'";
    scene.postgres.psql(hold)?;
    write_much(&scene.postgres)?;
    let rest = scene.worker.rest();
    rest.wait_for_notice(SOURCE, "the prepared transaction 'held'")?;
    scene.postgres.psql("commit prepared 'held'")?;
    wait_until("the slot to keep less", LIMIT, || {
        scene.postgres.psql("checkpoint")?;
        Ok(metric(&scene, "slot_retained_wal_bytes")? < 2_097_152.0)
    })?;
    rest.wait_for_notice(SOURCE, "")
}

#[test]
fn a_slot_that_may_be_dropped_is_dropped() -> Outcome {
    let stack = Stack::new()?;
    let drop = [("slot.max.retained.wal.action", "drop")];
    let scene = scene(&stack, PgVersion::V15, &drop)?;
    let rest = scene.worker.rest();
    change(&scene, "pause")?;
    rest.wait_for(SOURCE, "PAUSED")?;
    write_much(&scene.postgres)?;
    rest.wait_for_notice(SOURCE, "It was dropped")?;
    let slots = scene
        .postgres
        .psql("select slot_name from pg_replication_slots")?;
    assert_eq!(slots, "", "the slot is gone");
    change(&scene, "resume")?;
    rest.wait_for_failure(SOURCE, "postgres.slot_missing")
}
