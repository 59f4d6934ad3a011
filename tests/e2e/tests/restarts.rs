//! A task that is restarted, or gets another configuration, while rows are written: nothing is lost, and with exactly-once nothing comes
//! twice. What follows is prepared while the task runs, which must not keep it from being stopped.

use std::time::Duration;

use e2e::{
    LogKind, Outcome, Scene, WorkerOptions,
    configs::{IMPATIENT, postgres_source, with},
    counters::{History, assert_at_least_once, assert_exactly_once},
    rounds,
    scene::{SLOT, SOURCE},
};
use serde_json::Value;
use stack::{PgVersion, Postgres, PostgresOptions, Stack, USER, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

fn config(postgres: &Postgres) -> Value {
    let config = postgres_source(postgres, SOURCE, "public.counters");
    with(config, IMPATIENT)
}

/// The server's process that sends to the source; none while there is none.
fn sender(postgres: &Postgres) -> stack::Result<String> {
    let sql = format!(
        "select active_pid from pg_replication_slots where slot_name = '{SLOT}' and active"
    );
    Ok(postgres.psql(&sql)?.trim().to_owned())
}

/// Waits until another run of the task streams.
fn wait_for_another(postgres: &Postgres, before: &str) -> Outcome {
    wait_until("another run of the task", LIMIT, || {
        let now = sender(postgres)?;
        Ok(!now.is_empty() && now != before)
    })?;
    Ok(())
}

/// Both ways in turn, each in the middle of the load.
fn restarted(stack: &Stack, options: WorkerOptions) -> Outcome<History> {
    let postgres = stack.postgres_with(PostgresOptions::new(PgVersion::V15))?;
    let config = config(&postgres);
    let scene = Scene::counting(stack, postgres.clone(), options, &config)?;
    let rest = scene.worker.rest();
    for round in 0..rounds(6, 60) {
        scene.load.wait_for(1)?;
        let before = sender(&postgres)?;
        match round % 2 {
            0 => rest.must("POST", &format!("/connectors/{SOURCE}/tasks/0/restart"))?,
            _ => {
                let size = (100 + round).to_string();
                let another = with(config.clone(), &[("max.batch.size", &size)]);
                let path = format!("/connectors/{SOURCE}/config");
                rest.send("PUT", &path, &another)?;
            }
        }
        wait_for_another(&postgres, &before)?;
    }
    rest.wait_for(SOURCE, "RUNNING")?;
    scene.finish()
}

#[test]
fn restarts_lose_nothing() -> Outcome {
    let options = WorkerOptions::on(LogKind::Embedded);
    assert_at_least_once(&restarted(&Stack::new()?, options)?)
}

#[test]
fn restarts_lose_and_repeat_nothing() -> Outcome {
    let options = WorkerOptions::on(LogKind::Embedded).exactly_once();
    assert_exactly_once(&restarted(&Stack::new()?, options)?)
}

#[test]
fn restarts_on_kafka_lose_and_repeat_nothing() -> Outcome {
    let stack = Stack::new()?;
    let kafka = stack.kafka()?;
    let log = LogKind::Kafka(kafka.bootstrap().to_owned());
    let options = WorkerOptions::on(log).exactly_once();
    assert_exactly_once(&restarted(&stack, options)?)
}

/// What follows cannot connect: the task is stopped all the same, and its status tells why it does not run.
#[test]
fn a_server_that_refuses_what_follows_is_told() -> Outcome {
    let stack = Stack::new()?;
    let postgres = stack.postgres_with(PostgresOptions::new(PgVersion::V15))?;
    let options = WorkerOptions::on(LogKind::Embedded).exactly_once();
    let scene = Scene::counting(&stack, postgres.clone(), options, &config(&postgres))?;
    let rest = scene.worker.rest();
    let restart = format!("/connectors/{SOURCE}/tasks/0/restart");
    scene.load.wait_for(1)?;
    // The sessions that are there go on.
    postgres.psql(&format!("alter role {USER} password 'another'"))?;
    rest.must("POST", &restart)?;
    rest.wait_for_failure(SOURCE, "postgres.authentication")?;
    wait_until("the slot to be free", LIMIT, || {
        Ok(sender(&postgres)?.is_empty())
    })?;
    let password = stack::PASSWORD;
    postgres.psql(&format!("alter role {USER} password '{password}'"))?;
    rest.must("POST", &restart)?;
    rest.wait_for(SOURCE, "RUNNING")?;
    scene.load.wait_for(1)?;
    assert_exactly_once(&scene.finish()?)
}
