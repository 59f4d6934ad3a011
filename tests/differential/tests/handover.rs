//! One connector under Kafka Connect with Debezium and under Tidewater by turns, on the same internal topics and the same
//! slot, while its table is written to: nothing is lost, nothing comes twice.

use std::time::Duration;

use e2e::{
    LogKind, Outcome, Rest, Worker, WorkerOptions,
    configs::{postgres_source, with},
    counters::{self, assert_complete, assert_exactly_once},
    scene::{SLOT, SOURCE, TOPIC},
};
use stack::{Connect, ConnectOptions, Kafka, PgVersion, Postgres, Server, Stack, wait_until};

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
const LIMIT: Duration = Duration::from_secs(90);

/// How a worker leaves.
type Leave = fn(&Server) -> stack::Result<()>;

fn kafka_connect(stack: &Stack, kafka: &Kafka) -> Outcome<Connect> {
    let quick = ConnectOptions::default().set("scheduled.rebalance.max.delay.ms", "0");
    let options = SHARED
        .iter()
        .fold(quick, |options, (name, value)| options.set(name, value));
    Ok(stack.connect(kafka.bootstrap(), options)?)
}

fn tidewater(stack: &Stack, kafka: &Kafka) -> Outcome<Worker> {
    let options = WorkerOptions::on(LogKind::Kafka(kafka.bootstrap().to_owned()));
    let options = SHARED
        .iter()
        .fold(options, |options, (name, value)| options.set(name, value));
    Worker::start(stack, options)
}

/// Waits until the connector runs, which nobody has told to this worker, and has stored that it has read what is being
/// written now.
fn takes_its_turn(rest: &Rest, postgres: &Postgres) -> Outcome {
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

fn by_turns(leave: Leave) -> Outcome {
    if !Connect::is_installed() {
        println!("not checked: Debezium is not in the cache, see `cargo xtask test differential`");
        return Ok(());
    }
    let stack = Stack::new()?;
    let (postgres, kafka) = (stack.postgres(PgVersion::V15)?, stack.kafka()?);
    counters::table(&postgres)?;
    let config = postgres_source(&postgres, SOURCE, "public.counters");
    let config = with(config, &[("exactly.once.support", "required")]);

    let connect = kafka_connect(&stack, &kafka)?;
    connect.run_connector(SOURCE, &config)?;
    let mut load = counters::count(&postgres);
    let theirs = Rest::new(connect.port());
    takes_its_turn(&theirs, &postgres)?;
    leave(&connect)?;

    let worker = tidewater(&stack, &kafka)?;
    takes_its_turn(worker.rest(), &postgres)?;
    leave(worker.server())?;

    Server::start(&connect)?;
    takes_its_turn(&theirs, &postgres)?;
    leave(&connect)?;

    worker.server().start()?;
    takes_its_turn(worker.rest(), &postgres)?;
    load.finish(SLOT)?;
    let history = counters::history(&worker.stop_and_read(TOPIC)?)?;
    assert_complete(&history, &postgres)?;
    assert_exactly_once(&history)
}

#[test]
fn workers_that_stop_lose_and_double_nothing() -> Outcome {
    by_turns(Server::stop)
}

#[test]
fn workers_that_are_killed_lose_and_double_nothing() -> Outcome {
    by_turns(Server::kill9)
}
