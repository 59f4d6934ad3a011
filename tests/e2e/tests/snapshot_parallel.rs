//! A snapshot by several connections, killed again and again: every row is read, what was read stays read, and the status over
//! REST tells how far it is.

use std::{collections::BTreeSet, time::Duration};

use e2e::{
    LogKind, Outcome, Rest, Worker, WorkerOptions,
    configs::{IMPATIENT, postgres_source, with},
    scene::SOURCE,
};
use serde_json::Value;
use stack::{PgVersion, Stack, wait_until};

const LIMIT: Duration = Duration::from_secs(120);
const ROWS: usize = 200_000;
const TABLE: &str = "large";

fn status(rest: &Rest) -> Outcome<Value> {
    rest.get(&format!("/connectors/{SOURCE}/status?expand=progress"))
}

/// How many rows a running snapshot has read.
fn progress(rest: &Rest) -> Option<i64> {
    let status = status(rest).ok()?;
    let snapshot = &status["tasks"][0]["progress"]["snapshot"];
    let rows = snapshot["rows"].as_i64()?;
    assert_eq!(snapshot["tables"], 2, "{snapshot}");
    assert!(
        snapshot["estimated_rows"].as_i64() >= Some(rows),
        "{snapshot}"
    );
    Some(rows)
}

/// The rows that the stored position tells of, while the snapshot is not complete; the inner `None` before the first.
fn stored(rest: &Rest) -> Outcome<Option<Option<i64>>> {
    let offsets = rest.get(&format!("/connectors/{SOURCE}/offsets"))?;
    let Some(offset) = offsets["offsets"][0].get("offset") else {
        return Ok(Some(None));
    };
    let running = offset.get("snapshot").is_some();
    Ok(running.then(|| offset["snapshot_rows_read"].as_i64()))
}

fn killed_in_the_middle(version: PgVersion) -> Outcome {
    let stack = Stack::new()?;
    let postgres = stack.postgres(version)?;
    postgres.psql(&format!(
        "create table {TABLE} (id int primary key, v text); alter table {TABLE} owner to cdc;
         insert into {TABLE} select i, repeat('v', 200) from generate_series(1, {ROWS}) i;
         create table tiny (id int primary key); alter table tiny owner to cdc; insert into tiny values (1); analyze"
    ))?;
    let config = postgres_source(&postgres, SOURCE, "public.large,public.tiny");
    let config = with(with(config, IMPATIENT), &[("snapshot.max.threads", "3")]);
    let options = WorkerOptions::on(LogKind::Embedded).set("offset.flush.interval.ms", "100");
    let worker = Worker::start(&stack, options)?;
    worker.rest().create(SOURCE, &config)?;
    let (mut kills, mut before) = (0, 0);
    while kills < 3 {
        wait_until("rows to be stored", LIMIT, || {
            Ok(match stored(worker.rest()) {
                Ok(None) => true,
                Ok(Some(rows)) => rows > Some(before),
                Err(_) => false,
            })
        })?;
        let Some(rows) = stored(worker.rest())? else {
            break;
        };
        before = rows.unwrap_or(before);
        worker.server().kill9()?;
        kills += 1;
        worker.server().start()?;
        worker.rest().wait_for(SOURCE, "RUNNING")?;
        let told = || {
            progress(worker.rest())
                .or_else(|| stored(worker.rest()).ok()?.is_none().then_some(i64::MAX))
        };
        wait_until("the status to go on from there", LIMIT, || {
            Ok(told().is_some_and(|rows| rows >= before))
        })?;
    }
    assert!(kills > 1, "it was over too soon to be killed in the middle");
    worker.rest().wait_for_stream(SOURCE)?;
    let ended = status(worker.rest())?;
    assert!(ended["tasks"][0].get("progress").is_none(), "{ended}");
    let plain = worker.rest().get(&format!("/connectors/{SOURCE}/status"))?;
    assert_eq!(ended, plain);
    judge(worker, kills)
}

fn judge(worker: Worker, kills: usize) -> Outcome {
    let records = worker.stop_and_read(&format!("{SOURCE}.public.{TABLE}"))?;
    let keys: BTreeSet<&String> = records.iter().map(|(key, _)| key).collect();
    assert_eq!(keys.len(), ROWS, "every row is read");
    // What was under way at each kill comes again, and no more.
    let again = records.len() - ROWS;
    assert!(again < kills * ROWS / 3, "{again} rows were read again");
    Ok(())
}

#[test]
fn of_postgres_15() -> Outcome {
    killed_in_the_middle(PgVersion::V15)
}

#[test]
fn of_postgres_18() -> Outcome {
    killed_in_the_middle(PgVersion::V18)
}
