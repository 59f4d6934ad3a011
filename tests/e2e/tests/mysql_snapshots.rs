//! Snapshots of MySQL and MariaDB while counters count, killed in the middle: every row is read, nothing older than what was told
//! before, and nothing comes twice.

use std::{collections::BTreeMap, time::Duration};

use e2e::{
    LogKind, Outcome, Worker, WorkerOptions,
    configs::{IMPATIENT, mysql_source, with},
    counters::{assert_exactly_once, history},
    mysql::{self, MysqlScene, TOPIC, wait_streaming},
    scene::SOURCE,
};
use serde_json::{Value, json};
use stack::{Mysql, MysqlOptions, MysqlVersion, Stack, wait_until};

const LIMIT: Duration = Duration::from_secs(120);
/// Rows besides the counters.
const ROWS: u32 = 30_000;
const TABLE: &str = "inventory.counters";

/// Whether the stored position has a key.
fn stored(worker: &Worker, key: &str) -> bool {
    let path = format!("/connectors/{SOURCE}/offsets");
    let offsets = worker.rest().get(&path);
    offsets.is_ok_and(|offsets| offsets.to_string().contains(&format!("\"{key}\"")))
}

fn wait(worker: &Worker, what: &str, key: &str, is_there: bool) -> Outcome {
    wait_until(what, LIMIT, || Ok(stored(worker, key) == is_there))?;
    Ok(())
}

fn server(stack: &Stack, version: MysqlVersion) -> Outcome<Mysql> {
    let mysql = stack.mysql_with(MysqlOptions::new(version))?;
    mysql.sql("create table signals (id varchar(64) primary key, type varchar(32), data text)")?;
    mysql::large_table(&mysql, ROWS)?;
    Ok(mysql)
}

fn worker(stack: &Stack) -> Outcome<Worker> {
    let options = WorkerOptions::on(LogKind::Embedded).exactly_once();
    Worker::start(stack, options.set("offset.flush.interval.ms", "100"))
}

/// Kills the worker as long as a snapshot goes on, five times at most.
fn kill_within(scene: &MysqlScene, key: &str) -> Outcome {
    let worker = &scene.worker;
    wait(worker, "the snapshot to begin", key, true)?;
    let mut kills = 0;
    while kills < 5 && stored(worker, key) {
        worker.server().kill9()?;
        kills += 1;
        worker.server().start()?;
        worker.rest().wait_for(SOURCE, "RUNNING")?;
        scene.load.wait_for(1)?;
    }
    assert!(kills > 1, "it was over too soon to be killed in the middle");
    wait(worker, "the snapshot to end", key, false)?;
    scene.load.wait_for(2)
}

fn judge(scene: MysqlScene, kind: Option<&str>) -> Outcome {
    let mysql = scene.mysql.clone();
    let records = scene.finish_with(TOPIC)?;
    let mut reads: BTreeMap<i64, u32> = BTreeMap::new();
    for (_, value) in &records {
        let change: Value = serde_json::from_str(value)?;
        if change["op"] == "r" {
            let snapshot = &change["source"]["snapshot"];
            assert!(kind.is_none_or(|kind| snapshot == kind), "{snapshot}");
            let k = change["after"]["k"].as_i64().unwrap_or(0);
            *reads.entry(k).or_default() += 1;
        }
    }
    let others = mysql.sql("select count(*) from counters where k not between 1 and 20")?;
    let read = reads.iter().filter(|(k, _)| !(1..=20).contains(*k));
    assert_eq!(read.count().to_string(), others.trim(), "every row is read");
    assert!(reads.values().all(|times| *times == 1), "and once");
    let history = history(&records)?;
    assert_exactly_once(&history)?;
    mysql::assert_complete(&history, &mysql)
}

fn incremental(version: MysqlVersion, more: &[(&str, &str)]) -> Outcome {
    let stack = Stack::new()?;
    let mysql = server(&stack, version)?;
    let config = with(
        with(mysql_source(&mysql, SOURCE, TABLE, ""), IMPATIENT),
        more,
    );
    let small = [
        ("snapshot.mode", "no_data"),
        ("incremental.snapshot.chunk.size", "100"),
    ];
    let worker = worker(&stack)?;
    worker.rest().create(SOURCE, &with(config, &small))?;
    wait_streaming(&worker)?;
    let load = mysql::count(&mysql);
    let scene = MysqlScene {
        mysql,
        worker,
        load,
    };
    scene.load.wait_for(1)?;
    let path = format!("/connectors/{SOURCE}/signals");
    let wanted = json!({"type": "execute-snapshot", "data": {"data-collections": [TABLE]}});
    let answer = scene
        .worker
        .rest()
        .ask("POST", &path, &wanted.to_string())?;
    assert_eq!(answer.status, 202, "{}", answer.body);
    kill_within(&scene, "incremental_snapshot_collections")?;
    judge(scene, Some("incremental"))
}

/// From the first row on, while the counters count.
fn initial(version: MysqlVersion, threads: &str) -> Outcome {
    let stack = Stack::new()?;
    let mysql = server(&stack, version)?;
    let config = with(mysql_source(&mysql, SOURCE, TABLE, ""), IMPATIENT);
    let config = with(config, &[("snapshot.max.threads", threads)]);
    let load = mysql::count(&mysql);
    load.wait_for(1)?;
    let worker = worker(&stack)?;
    worker.rest().create(SOURCE, &config)?;
    let scene = MysqlScene {
        mysql,
        worker,
        load,
    };
    kill_within(&scene, "snapshot")?;
    judge(scene, None)
}

#[test]
fn incremental_with_marks_in_a_table() -> Outcome {
    let marks = [("signal.data.collection", "inventory.signals")];
    incremental(MysqlVersion::V97, &marks)
}

#[test]
fn incremental_without_writing_anything() -> Outcome {
    incremental(MysqlVersion::Mariadb118, &[("read.only", "true")])
}

#[test]
fn initial_by_one_connection() -> Outcome {
    initial(MysqlVersion::Mariadb118, "1")
}

#[test]
fn initial_by_several_connections() -> Outcome {
    initial(MysqlVersion::V97, "3")
}
