//! An incremental snapshot that Debezium and Tidewater read by turns, each going on where the other stood, while rows change:
//! no row is missing at the end. Keys of many types, which the offset has as Java serializes them.

use std::collections::BTreeMap;

use differential::turns::{LIMIT, Leave, kafka_connect, tidewater};
use e2e::{
    Outcome, Rest, Worker,
    configs::{postgres_source, with},
    scene::SOURCE,
};
use serde_json::Value;
use stack::{Connect, PgVersion, Postgres, Server, Stack, wait_until};

/// The key, its columns as they are made of a number, and how many rows.
type Keyed = (&'static str, &'static str, u32);
const LAST: &str = "incremental_snapshot_primary_key";

/// The key of the last row that was sent, as Java has it; `None` when no snapshot runs.
fn last_key(rest: &Rest) -> Option<String> {
    let offsets = rest.get(&format!("/connectors/{SOURCE}/offsets")).ok()?;
    let key = offsets["offsets"][0]["offset"][LAST].as_str()?;
    Some(key.to_owned())
}

/// Waits until rows were sent behind `before`.
fn goes_on(rest: &Rest, before: &str) -> Outcome<String> {
    let mut now = String::new();
    wait_until("the snapshot to go on", LIMIT, || {
        now = last_key(rest).unwrap_or_default();
        Ok(now.len() > NOTHING.len() && now != before)
    })?;
    Ok(now)
}

/// Java's null: no row was sent.
const NOTHING: &str = "aced000570";

fn change(postgres: &Postgres, turn: u32) -> Outcome {
    postgres.psql(&format!(
        "update t set v = v || ' changed {turn}' where n % 1000 = {turn}; delete from t where n % 1000 = 100 + {turn}"
    ))?;
    Ok(())
}

fn by_turns(leave: Leave, (columns, values, rows): Keyed) -> Outcome {
    if !Connect::is_installed() {
        println!("not checked: Debezium is not in the cache, see `cargo xtask test differential`");
        return Ok(());
    }
    let stack = Stack::new()?;
    let (postgres, kafka) = (stack.postgres(PgVersion::V15)?, stack.kafka()?);
    let names: Vec<&str> = columns
        .split(", ")
        .filter_map(|c| c.split(' ').next())
        .collect();
    postgres.psql(&format!(
        "create table t ({columns}, n int, v text, primary key ({})); alter table t owner to cdc; alter table t replica identity full;
         create table signals (id text primary key, type text, data text); alter table signals owner to cdc;
         insert into t select {values}, i, 'row ' || i from generate_series(1, {rows}) i",
        names.join(", ")
    ))?;
    let config = postgres_source(&postgres, SOURCE, "public.t,public.signals");
    let config = with(
        config,
        &[
            ("exactly.once.support", "required"),
            ("snapshot.mode", "no_data"),
            ("signal.data.collection", "public.signals"),
            ("incremental.snapshot.chunk.size", "10"),
            ("tombstones.on.delete", "false"),
        ],
    );
    let connect = kafka_connect(&stack, &kafka)?;
    connect.run_connector(SOURCE, &config)?;
    let theirs = Rest::new(connect.port());
    postgres.psql(
        "insert into signals values ('begin', 'execute-snapshot', '{\"data-collections\": [\"public.t\"]}')",
    )?;
    let key = goes_on(&theirs, "")?;
    change(&postgres, 1)?;
    leave(&connect)?;

    let worker = tidewater(&stack, &kafka)?;
    let key = goes_on(worker.rest(), &key)?;
    change(&postgres, 2)?;
    leave(worker.server())?;

    Server::start(&connect)?;
    let key = goes_on(&theirs, &key)?;
    change(&postgres, 3)?;
    leave(&connect)?;

    worker.server().start()?;
    goes_on(worker.rest(), &key)?;
    change(&postgres, 4)?;
    wait_until("the snapshot to end", LIMIT, || {
        let offsets = worker.rest().get(&format!("/connectors/{SOURCE}/offsets"));
        Ok(offsets.is_ok_and(|offsets| !offsets.to_string().contains(LAST)))
    })?;
    judge(&postgres, worker)
}

/// What a reader of the topic has is what is in the table.
fn judge(postgres: &Postgres, worker: Worker) -> Outcome {
    let mut rows: BTreeMap<String, String> = BTreeMap::new();
    let mut reads = 0;
    for (key, value) in worker.stop_and_read(&format!("{SOURCE}.public.t"))? {
        let change: Value = serde_json::from_str(&value)?;
        reads += u32::from(change["op"] == "r");
        match change["after"]["v"].as_str() {
            Some(v) => rows.insert(key, v.to_owned()),
            None => rows.remove(&key),
        };
    }
    let mut told: Vec<String> = rows.into_values().collect();
    let table = postgres.psql("select v from t")?;
    let mut table: Vec<&str> = table.lines().collect();
    told.sort();
    table.sort_unstable();
    let missing = table
        .iter()
        .filter(|v| told.binary_search(&(**v).to_owned()).is_err());
    assert_eq!(missing.count(), 0, "rows are missing");
    assert_eq!(told, table);
    let all = u32::try_from(table.len())?;
    assert!(reads < all + all / 2, "{reads} reads: it began anew");
    Ok(())
}

/// Numbers that are no integers, and dates.
#[test]
fn of_decimals_and_dates_that_stop() -> Outcome {
    let values = "i / 7.0 - 100, '1960-01-01'::date + i * 9, i % 2 = 0";
    by_turns(
        Server::stop,
        ("a numeric(20,6), d date, b boolean", values, 12_000),
    )
}

/// Floating point, small integers, bytes, and texts.
#[test]
fn of_floats_and_bytes_that_are_killed() -> Outcome {
    let values = "(i / 8)::float8 / 3, (i / 4)::float4 / 3, (i / 2)::smallint, \
        decode(lpad(to_hex(i), 8, '0'), 'hex'), 'text ' || i";
    let columns = "a double precision, f real, s smallint, k bytea, x text";
    by_turns(Server::kill9, (columns, values, 12_000))
}
