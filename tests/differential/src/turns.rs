//! One connector under Kafka Connect with Debezium and under Tidewater by turns, on the same internal topics and the same slot.

use std::time::Duration;

use e2e::{LogKind, Outcome, Rest, Worker, WorkerOptions, scene::SOURCE};
use stack::{Connect, ConnectOptions, Kafka, Postgres, Server, Stack, wait_until};

/// What both workers must agree on: their group, since transactional ids are made of it, and the internal topics.
const SHARED: [(&str, &str); 8] = [
    ("group.id", "cdc"),
    ("config.storage.topic", "cdc-configs"),
    ("offset.storage.topic", "cdc-offsets"),
    ("status.storage.topic", "cdc-statuses"),
    ("exactly.once.source.support", "enabled"),
    ("offset.flush.interval.ms", "1000"),
    ("key.converter.schemas.enable", "false"),
    ("value.converter.schemas.enable", "false"),
];
/// How long a turn may take to begin.
pub const LIMIT: Duration = Duration::from_secs(90);

/// How a worker leaves.
pub type Leave = fn(&Server) -> stack::Result<()>;

/// Kafka Connect with Debezium.
pub fn kafka_connect(stack: &Stack, kafka: &Kafka) -> Outcome<Connect> {
    let quick = ConnectOptions::default().set("scheduled.rebalance.max.delay.ms", "0");
    let options = SHARED
        .iter()
        .fold(quick, |options, (name, value)| options.set(name, value));
    Ok(stack.connect(kafka.bootstrap(), options)?)
}

/// A worker of ours.
pub fn tidewater(stack: &Stack, kafka: &Kafka) -> Outcome<Worker> {
    let options = WorkerOptions::on(LogKind::Kafka(kafka.bootstrap().to_owned()));
    let options = SHARED
        .iter()
        .fold(options, |options, (name, value)| options.set(name, value));
    Worker::start(stack, options)
}

/// Waits until the connector runs, which nobody has told to this worker, and has stored that it has read what is being
/// written now.
pub fn takes_its_turn(rest: &Rest, postgres: &Postgres) -> Outcome {
    rest.wait_for(SOURCE, "RUNNING")?;
    let end = postgres.psql("select pg_current_wal_lsn() - '0/0'::pg_lsn")?;
    let end: u64 = end.trim().parse()?;
    wait_until("the connector to go on", LIMIT, || {
        let offsets = rest.get(&format!("/connectors/{SOURCE}/offsets"));
        let offsets = offsets.unwrap_or_default();
        let lsn = &offsets["offsets"][0]["offset"]["lsn"];
        Ok(lsn.as_u64().is_some_and(|lsn| lsn > end))
    })?;
    Ok(())
}
