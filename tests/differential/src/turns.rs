//! One connector under Kafka Connect with Debezium and under Tidewater by turns, on the same internal topics and the same
//! place in the database's log.

mod mysql;
mod postgres;

use std::time::Duration;

use e2e::{
    LogKind, Outcome, Rest, Rounds, Worker, WorkerOptions,
    configs::with,
    counters::{self, History, assert_exactly_once},
    scene::SOURCE,
};
use serde_json::Value;
use stack::{Connect, ConnectOptions, Kafka, Server, Stack, wait_until};

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

/// A place in the log of a database: the file, if there are several, and where in it.
pub type LogPlace = (String, u64);

/// A database whose connector changes hands.
pub trait Handed {
    /// The topic of its counters.
    const TOPIC: &'static str;

    /// Makes the counters.
    fn table(&self) -> Outcome;

    /// Counts.
    fn count(&self) -> Rounds;

    /// The connector, which follows the counters.
    fn config(&self, bootstrap: &str) -> Value;

    /// Where the log ends.
    fn end(&self) -> Outcome<LogPlace>;

    /// What is stored, if it is the place of a stream.
    fn stored(offset: &Value) -> Option<LogPlace>;

    /// Waits until everything is read, when nobody writes any more.
    fn wait_read(&self, rest: &Rest) -> Outcome;

    /// The records of the topic without those that Debezium is known to repeat.
    fn without_debeziums_own_repeats(
        records: Vec<(String, String)>,
    ) -> Outcome<Vec<(String, String)>> {
        Ok(records)
    }

    /// Fails unless the history ends with what the table holds.
    fn assert_complete(&self, history: &History) -> Outcome;
}

/// Whether there is a peer to take turns with.
pub fn is_checked() -> bool {
    let is_installed = Connect::is_installed();
    if !is_installed {
        println!("not checked: Debezium is not in the cache, see `cargo xtask test differential`");
    }
    is_installed
}

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
pub fn takes_its_turn<D: Handed>(rest: &Rest, database: &D) -> Outcome {
    rest.wait_for(SOURCE, "RUNNING")?;
    let end = database.end()?;
    wait_until("the connector to go on", LIMIT, || {
        Ok(stored::<D>(rest).is_some_and(|stored| stored > end))
    })?;
    Ok(())
}

/// The place that is stored. Beside it there may be more offsets: what tables are.
pub fn stored<D: Handed>(rest: &Rest) -> Option<LogPlace> {
    let offsets = rest.get(&format!("/connectors/{SOURCE}/offsets")).ok()?;
    let all = offsets["offsets"].as_array()?;
    all.iter().find_map(|one| D::stored(&one["offset"]))
}

/// Both workers have two turns each, while counters count: nothing is lost, nothing comes twice.
pub fn by_turns<D: Handed>(stack: &Stack, database: &D, leave: Leave) -> Outcome {
    let kafka = stack.kafka()?;
    database.table()?;
    let config = with(
        database.config(kafka.bootstrap()),
        &[("exactly.once.support", "required")],
    );
    let connect = kafka_connect(stack, &kafka)?;
    connect.run_connector(SOURCE, &config)?;
    let mut load = database.count();
    let theirs = Rest::new(connect.port());
    takes_its_turn(&theirs, database)?;
    leave(&connect)?;

    let worker = tidewater(stack, &kafka)?;
    takes_its_turn(worker.rest(), database)?;
    leave(worker.server())?;

    Server::start(&connect)?;
    takes_its_turn(&theirs, database)?;
    leave(&connect)?;

    worker.server().start()?;
    takes_its_turn(worker.rest(), database)?;
    load.stop()?;
    database.wait_read(worker.rest())?;
    let records = D::without_debeziums_own_repeats(worker.stop_and_read(D::TOPIC)?)?;
    let history = counters::history(&records)?;
    database.assert_complete(&history)?;
    assert_exactly_once(&history)
}
