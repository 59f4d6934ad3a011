//! One connector under Kafka Connect with Debezium and under Tidewater by turns, on the same internal topics and the same
//! slot, while its table is written to: nothing is lost, nothing comes twice.

use std::collections::BTreeMap;

use differential::turns::{Leave, kafka_connect, takes_its_turn, tidewater};
use e2e::{
    Outcome, Rest,
    configs::{postgres_source, with},
    counters::{self, assert_complete, assert_exactly_once},
    scene::{SLOT, SOURCE, TOPIC},
};
use serde_json::Value;
use stack::{Connect, PgVersion, Server, Stack};

/// Debezium's offset cannot tell the begin of a transaction from its first change, since both have the same LSN: when its
/// task is restarted right behind such a change, as Kafka Connect does when it has taken in a new connector, it sends the
/// change again. All other repeats stay, and so does every repeat by Tidewater.
fn without_debeziums_own_repeats(records: Vec<(String, String)>) -> Outcome<Vec<(String, String)>> {
    let mut last = BTreeMap::new();
    let mut left = Vec::new();
    for (key, value) in records {
        let change: Value = serde_json::from_str(&value)?;
        let source = &change["source"];
        let by_debezium = source["version"]
            .as_str()
            .is_some_and(|v| v.ends_with(".Final"));
        let lsn = source["lsn"].as_u64();
        let before = last.insert(key.clone(), lsn);
        let is_first = first_lsn(source) == lsn;
        if !(by_debezium && is_first && before == Some(lsn)) {
            left.push((key, value));
        }
    }
    Ok(left)
}

/// The LSN at which the transaction of a change begins, from `source.sequence`.
fn first_lsn(source: &Value) -> Option<u64> {
    let sequence: Value = serde_json::from_str(source["sequence"].as_str()?).ok()?;
    sequence[0].as_str()?.parse().ok()
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
    let records = without_debeziums_own_repeats(worker.stop_and_read(TOPIC)?)?;
    let history = counters::history(&records)?;
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
