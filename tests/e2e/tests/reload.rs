//! SIGHUP: the worker reads its properties again, without a restart.

use std::{fs, time::Duration};

use e2e::{LogKind, Outcome, Worker, WorkerOptions, configs::postgres_source, items};
use stack::{PgVersion, Stack, wait_until};

const LIMIT: Duration = Duration::from_secs(60);
const SOURCE: &str = "again";
const TOPIC: &str = "again.public.items";

/// Waits until the worker's log has a line with all of these in it.
fn wait_for_line(worker: &Worker, parts: &[&str]) -> Outcome {
    wait_until(&format!("a line with {parts:?}"), LIMIT, || {
        let log = fs::read_to_string(worker.server().log_path())?;
        let is_it = |line: &str| parts.iter().all(|part| line.contains(part));
        Ok(log.lines().any(is_it))
    })?;
    Ok(())
}

/// Waits until the first number of this name at `/metrics` is so large.
fn wait_for_number(worker: &Worker, name: &str, number: &str) -> Outcome {
    wait_until(&format!("{name} to be {number}"), LIMIT, || {
        let told = worker.rest().ask("GET", "/metrics", "");
        let page = told.map(|answer| answer.body).unwrap_or_default();
        let found = page.lines().find(|line| line.starts_with(name));
        Ok(found.and_then(|line| line.rsplit(' ').next()) == Some(number))
    })?;
    Ok(())
}

/// Restarts the task and waits until its next life, the one of this number, runs.
fn restart(worker: &Worker, life: &str) -> Outcome {
    let path = format!("/connectors/{SOURCE}/tasks/0/restart");
    worker.rest().must("POST", &path)?;
    wait_for_number(
        worker,
        "kafka_connect_worker_task_startup_success_total",
        life,
    )
}

#[test]
fn what_may_change_changes_and_what_is_wrong_changes_nothing() -> Outcome {
    let stack = Stack::new()?;
    let postgres = stack.postgres(PgVersion::V15)?;
    items::table(&postgres)?;
    let worker = Worker::start(&stack, WorkerOptions::on(LogKind::Embedded))?;
    let rest = worker.rest();
    rest.create(SOURCE, &postgres_source(&postgres, SOURCE, items::TABLE))?;
    rest.wait_for_stream(SOURCE)?;
    let add = |id: u32| postgres.psql(&format!("insert into items values ({id}, 0, '')"));
    let wait_for_records = |count: &str| {
        let written = "kafka_connect_source_task_source_record_write_total{";
        wait_for_number(&worker, written, count)
    };
    add(1)?;
    wait_for_records("1")?;
    let before = rest.get(&format!("/connectors/{SOURCE}/status"))?;

    worker.reload(|file| file + "offset.flush.interval.ms=soon\nexactly.once.source.support=maybe\nvalue.converter.schemas.enable=true\n")?;
    let both = ["do not hold; nothing has changed"];
    wait_for_line(&worker, &both)?;
    let log = fs::read_to_string(worker.server().log_path())?;
    assert!(
        log.contains("Invalid value soon") && log.contains("Invalid value maybe"),
        "{log}"
    );
    restart(&worker, "2")?;
    add(2)?;
    wait_for_records("2")?;

    worker.reload(|file| {
        let file = file.replace("offset.flush.interval.ms=soon\n", "");
        file.replace("exactly.once.source.support=maybe", "group.id=other")
    })?;
    wait_for_line(
        &worker,
        &["were read again;", "value.converter.schemas.enable"],
    )?;
    wait_for_line(&worker, &["needs a restart of the worker", "group.id"])?;
    // The task that runs goes on as it was; the next one has the new properties.
    add(3)?;
    wait_for_records("3")?;
    restart(&worker, "3")?;
    add(4)?;
    wait_for_records("4")?;
    let after = rest.get(&format!("/connectors/{SOURCE}/status"))?;
    assert_eq!(before, after);
    let records = worker.stop_and_read(TOPIC)?;
    let with_schema: Vec<bool> = records
        .iter()
        .map(|(_, value)| value.starts_with("{\"schema\":"))
        .collect();
    assert_eq!(with_schema, [false, false, false, true]);
    Ok(())
}
