//! Incremental snapshots, asked for over REST while counters count, and killed in the middle: every row is read, once, and
//! nothing older than what was told before.

use std::{collections::BTreeMap, time::Duration};

use e2e::{
    LogKind, Outcome, Scene, WorkerOptions,
    configs::{IMPATIENT, postgres_source, with},
    counters,
    scene::{SLOT, SOURCE, TOPIC},
};
use serde_json::{Value, json};
use stack::{PgVersion, Stack, wait_until};

const LIMIT: Duration = Duration::from_secs(120);
/// Rows besides the counters.
const ROWS: u32 = 30_000;

fn signal(scene: &Scene, body: &Value) -> Outcome<u16> {
    let path = format!("/connectors/{SOURCE}/signals");
    let answer = scene.worker.rest().ask("POST", &path, &body.to_string())?;
    Ok(answer.status)
}

/// Whether the stored position tells of an incremental snapshot.
fn is_running(scene: &Scene) -> Outcome<bool> {
    let path = format!("/connectors/{SOURCE}/offsets");
    let offsets = scene.worker.rest().get(&path)?;
    Ok(offsets
        .to_string()
        .contains("incremental_snapshot_collections"))
}

fn wait(scene: &Scene, what: &str, running: bool) -> Outcome {
    wait_until(what, LIMIT, || {
        Ok(is_running(scene).is_ok_and(|is| is == running))
    })?;
    Ok(())
}

fn killed_in_the_middle(version: PgVersion, more: &[(&str, &str)]) -> Outcome {
    let stack = Stack::new()?;
    let postgres = stack.postgres(version)?;
    postgres.psql(
        "create table signals (id text primary key, type text, data text); alter table signals owner to cdc",
    )?;
    counters::large_table(&postgres, ROWS)?;
    let config = postgres_source(&postgres, SOURCE, "public.counters");
    let config = with(with(config, IMPATIENT), more);
    let config = with(
        config,
        &[
            ("snapshot.mode", "no_data"),
            ("incremental.snapshot.chunk.size", "100"),
        ],
    );
    let options = WorkerOptions::on(LogKind::Embedded).exactly_once();
    let worker = e2e::Worker::start(&stack, options)?;
    worker.rest().create(SOURCE, &config)?;
    worker.rest().wait_for(SOURCE, "RUNNING")?;
    worker.rest().wait_for_stream(SOURCE)?;
    let load = counters::count(&postgres);
    let scene = Scene {
        postgres,
        worker,
        load,
    };
    scene.load.wait_for(1)?;
    let snapshot =
        json!({"type": "execute-snapshot", "data": {"data-collections": ["public.counters"]}});
    assert_eq!(signal(&scene, &snapshot)?, 202);
    let mut kills = 0;
    wait(&scene, "the snapshot to begin", true)?;
    while kills < 5 && is_running(&scene)? {
        scene.worker.server().kill9()?;
        kills += 1;
        scene.worker.server().start()?;
        scene.worker.rest().wait_for(SOURCE, "RUNNING")?;
        scene.load.wait_for(1)?;
    }
    assert!(kills > 1, "it was over too soon to be killed in the middle");
    wait(&scene, "the snapshot to end", false)?;
    assert_eq!(signal(&scene, &json!({"no": "type"}))?, 400);
    judge(scene)
}

fn judge(mut scene: Scene) -> Outcome {
    scene.load.wait_for(2)?;
    scene.load.finish(SLOT)?;
    let records = scene.worker.stop_and_read(TOPIC)?;
    let mut reads: BTreeMap<i64, u32> = BTreeMap::new();
    for (_, value) in &records {
        let change: Value = serde_json::from_str(value)?;
        if change["op"] == "r" {
            assert_eq!(change["source"]["snapshot"], "incremental");
            *reads
                .entry(change["after"]["k"].as_i64().unwrap_or(0))
                .or_default() += 1;
        }
    }
    let others = scene
        .postgres
        .psql("select count(*) from counters where k not between 1 and 20")?;
    let read = reads.iter().filter(|(k, _)| !(1..=20).contains(*k));
    assert_eq!(read.count().to_string(), others.trim(), "every row is read");
    assert!(
        reads.values().all(|times| *times == 1),
        "no row is read two times"
    );
    let history = counters::history(&records)?;
    counters::assert_exactly_once(&history)?;
    counters::assert_complete(&history, &scene.postgres)
}

#[test]
fn with_marks_in_a_table() -> Outcome {
    killed_in_the_middle(
        PgVersion::V15,
        &[("signal.data.collection", "public.signals")],
    )
}

#[test]
fn without_writing_anything() -> Outcome {
    killed_in_the_middle(PgVersion::V18, &[("read.only", "true")])
}
