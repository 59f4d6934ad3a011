//! Sources set back on real servers: what a dry run tells is what comes again.

use std::time::Duration;

use e2e::{
    LogKind, Outcome, Rest, Worker, WorkerOptions,
    configs::{mysql_source, postgres_source, with},
    mysql::{wait_stored, wait_streaming},
    scene::{SLOT, SOURCE},
};
use serde_json::{Value, json};
use stack::{Mysql, MysqlOptions, MysqlVersion, PgVersion, Postgres, Stack, wait_until};

const LIMIT: Duration = Duration::from_secs(60);
const REWIND: &str = "/connectors/faults/offsets/rewind";
const OFFSETS: &str = "/connectors/faults/offsets";

/// Tells what a rewind would do.
fn dry(rest: &Rest, to: &Value) -> Outcome<Value> {
    rest.send("POST", REWIND, &json!({"to": to, "dryRun": true}))
}

fn back(rest: &Rest, to: &Value) -> Outcome<Value> {
    rest.send("POST", REWIND, &json!({ "to": to }))
}

fn refused(rest: &Rest, to: &Value, says: &str) -> Outcome {
    let told = rest.refused("POST", REWIND, &json!({"to": to, "dryRun": true}))?;
    assert!(told.contains(says), "{to}: {told}");
    Ok(())
}

/// The changes among records, without what differs each time they are sent.
fn changes(records: Vec<(String, String)>) -> Outcome<Vec<Value>> {
    let values = records.into_iter().map(|(_, value)| value);
    let mut changes = Vec::new();
    for value in values.filter(|value| !value.is_empty() && value != "null") {
        let mut change: Value = serde_json::from_str(&value)?;
        for at in ["ts_ms", "ts_us", "ts_ns"] {
            change[at] = Value::Null;
        }
        changes.push(change);
    }
    Ok(changes)
}

/// The last changes of all, which must be those that came before once more; `key` tells transactions apart.
fn assert_again(changes: &[Value], again: usize, transactions: u64, key: &str) {
    let (first, second) = changes.split_at(changes.len() - again);
    let before = &first[first.len() - again..];
    let without_place = |all: &[Value]| -> Vec<Value> {
        let one = |change: &Value| {
            let mut change = change.clone();
            change["source"]["sequence"] = Value::Null;
            change
        };
        all.iter().map(one).collect()
    };
    assert_eq!(without_place(second), without_place(before));
    let mut ids: Vec<String> = second
        .iter()
        .map(|c| c["source"][key].to_string())
        .collect();
    ids.dedup();
    assert_eq!(ids.len() as u64, transactions, "{ids:?}");
}

fn wait_confirmed(postgres: &Postgres, slot: &str, lsn: &str) -> Outcome {
    let sql = format!(
        "select confirmed_flush_lsn >= '{lsn}' from pg_replication_slots where slot_name = '{slot}'"
    );
    wait_until("the slot to be confirmed", LIMIT, || {
        Ok(postgres.psql(&sql)?.trim() == "t")
    })?;
    Ok(())
}

fn lsn_now(postgres: &Postgres) -> Outcome<String> {
    Ok(postgres
        .psql("select pg_current_wal_lsn()")?
        .trim()
        .to_owned())
}

/// Four transactions of the table and one of another; an LSN before them, a time between the first two and the others, and the end.
fn write_rows(postgres: &Postgres) -> Outcome<(String, String, String)> {
    let early = lsn_now(postgres)?;
    postgres.psql("insert into t values (1, 1)")?;
    postgres.psql("insert into t values (2, 2), (3, 3)")?;
    let time = postgres.psql(
        "select to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
    )?;
    postgres.psql("insert into other values (1)")?;
    postgres.psql("begin; update t set v = 9 where id < 3; insert into t values (4, 4); commit")?;
    postgres.psql("delete from t where id = 3")?;
    Ok((early, time.trim().to_owned(), lsn_now(postgres)?))
}

/// The slot itself has confirmed everything, and what is no offset of it is refused.
fn assert_confirmed(rest: &Rest, early: &str) -> Outcome {
    let nothing = dry(rest, &json!({"earliest": true}))?;
    assert_eq!(
        (&nothing["bytes"], &nothing["transactions"]),
        (&json!(0), &json!(0)),
        "{nothing}"
    );
    refused(
        rest,
        &json!({"lsn": early}),
        "Slots that still have it: bookmark",
    )?;
    refused(rest, &json!({"lsn": "FFFF/0"}), "never goes forward")?;
    refused(rest, &json!({"gtid": "0-1-1"}), "knows no")?;
    let bad = json!({"offsets": [{"partition": {"server": SOURCE}, "offset": {"lsn": "0/10", "txId": "x"}}]});
    let told = rest.refused("PATCH", OFFSETS, &bad)?;
    assert!(told.contains("write 16") && told.contains("txId"), "{told}");
    Ok(())
}

/// Two transactions are behind the time, found by it or by their place.
fn assert_late(rest: &Rest, time: &str) -> Outcome {
    let late = dry(rest, &json!({"time": time}))?;
    assert_eq!(
        (&late["transactions"], &late["records"]),
        (&json!(2), &json!(4)),
        "{late}"
    );
    refused(rest, &json!({"time": "2001-01-01T00:00:00Z"}), "earliest")?;
    let middle = dry(rest, &json!({"lsn": late["to"]["lsn"]}))?;
    assert_eq!(
        (&middle["bytes"], &middle["offset"]),
        (&late["bytes"], &late["offset"]),
        "{middle}"
    );
    Ok(())
}

#[test]
fn postgres_goes_back_as_far_as_a_copy_of_its_slot() -> Outcome {
    let stack = Stack::new()?;
    let postgres = stack.postgres(PgVersion::V15)?;
    postgres.psql("create table t (id int primary key, v int); create table other (id int); alter table t owner to cdc")?;
    let worker = Worker::start(&stack, WorkerOptions::on(LogKind::Embedded))?;
    let rest = worker.rest();
    let config = with(
        postgres_source(&postgres, SOURCE, "public.t"),
        &[("slot.name", SLOT)],
    );
    rest.create(SOURCE, &config)?;
    rest.wait_for_stream(SOURCE)?;
    postgres.psql(&format!(
        "select pg_copy_logical_replication_slot('{SLOT}', 'bookmark')"
    ))?;
    let (early, time, end) = write_rows(&postgres)?;
    wait_confirmed(&postgres, SLOT, &end)?;
    let told = rest.refused("POST", REWIND, &json!({"to": {"earliest": true}}))?;
    assert!(told.contains("must be in the STOPPED state"), "{told}");
    rest.stop(SOURCE)?;
    assert_confirmed(rest, &early)?;
    // The copy that was made before has not.
    let config = with(config, &[("slot.name", "bookmark")]);
    rest.send("PUT", "/connectors/faults/config", &config)?;
    assert_late(rest, &time)?;
    let told = dry(rest, &json!({"earliest": true}))?;
    assert_eq!(
        (&told["transactions"], &told["records"]),
        (&json!(4), &json!(7)),
        "{told}"
    );
    let done = back(rest, &json!({"earliest": true}))?;
    assert_eq!(
        (&done["dryRun"], &done["offset"]),
        (&json!(false), &told["offset"])
    );
    rest.must("PUT", "/connectors/faults/resume")?;
    rest.wait_for(SOURCE, "RUNNING")?;
    wait_confirmed(&postgres, "bookmark", &end)?;
    let changes = changes(worker.stop_and_read("faults.public.t")?)?;
    assert_eq!(changes.len(), 14);
    assert_again(&changes, 7, 4, "txId");
    Ok(())
}

/// Where the binlog ends, as a target.
fn end(mysql: &Mysql) -> Outcome<(Value, u64)> {
    let (file, pos) = mysql.binlog_end()?;
    Ok((json!({"file": file, "pos": pos}), pos))
}

fn executed(mysql: &Mysql) -> Outcome<String> {
    let sql = match mysql.version().is_mariadb() {
        true => "select @@global.gtid_binlog_pos",
        false => "select @@global.gtid_executed",
    };
    let text = mysql.sql(sql)?.replace("\\n", "");
    Ok(text.chars().filter(|c| !c.is_whitespace()).collect())
}

/// The binlog with four transactions in two files, and places in between.
struct Written {
    before: Value,
    middle: Value,
    gtids: String,
    time: String,
    last: u64,
    file: Value,
}

fn write(mysql: &Mysql) -> Outcome<Written> {
    // Binlogs tell whole seconds: what is of the second in which the oldest one began may have been in one before it.
    let second = || mysql.sql("select unix_timestamp()");
    let begun = second()?;
    wait_until("the next second", LIMIT, || {
        Ok(second().is_ok_and(|now| now != begun))
    })?;
    let before = end(mysql)?.0;
    mysql.sql("insert into t values (1, 1)")?;
    mysql.sql("insert into t values (2, 2), (3, 3)")?;
    let (gtids, time) = (
        executed(mysql)?,
        "select date_format(utc_timestamp(6), '%Y-%m-%dT%H:%i:%s.%fZ')",
    );
    let time = mysql.sql(time)?.trim().to_owned();
    let middle = end(mysql)?.0;
    mysql.sql("flush binary logs")?;
    mysql.sql(
        "start transaction; update t set v = 9 where id < 3; insert into t values (4, 4); commit",
    )?;
    let (place, last) = end(mysql)?;
    mysql.sql("delete from t where id = 3")?;
    Ok(Written {
        before,
        middle,
        gtids,
        time,
        last,
        file: place["file"].clone(),
    })
}

fn mysql_goes_back(version: MysqlVersion) -> Outcome {
    let stack = Stack::new()?;
    let options = MysqlOptions::new(version).set("binlog_row_metadata", "MINIMAL");
    let mysql = stack.mysql_with(options)?;
    mysql.sql("create table t (id int primary key, v int)")?;
    mysql.sql("flush binary logs")?;
    let options = WorkerOptions::on(LogKind::Embedded).exactly_once();
    let worker = Worker::start(&stack, options)?;
    let rest = worker.rest();
    rest.create(
        SOURCE,
        &mysql_source(&mysql, SOURCE, "inventory.t", "127.0.0.1:1"),
    )?;
    wait_streaming(&worker)?;
    let written = write(&mysql)?;
    wait_stored(&worker, &mysql)?;
    // A dry run does not disturb the task that reads.
    let told = dry(rest, &written.before)?;
    assert_eq!(
        (&told["transactions"], &told["records"]),
        (&json!(4), &json!(7)),
        "{told}"
    );
    assert_eq!(rest.states(SOURCE)?, ["RUNNING", "RUNNING"]);
    rest.stop(SOURCE)?;
    assert_told(rest, &mysql, &written)?;
    let told = dry(rest, &written.before)?;
    let done = back(rest, &written.before)?;
    assert_eq!(
        (&done["transactions"], &done["records"], &done["offset"]),
        (&json!(4), &json!(7), &told["offset"]),
        "{done}"
    );
    rest.must("PUT", "/connectors/faults/resume")?;
    wait_stored(&worker, &mysql)?;
    let changes = changes(worker.stop_and_read("faults.inventory.t")?)?;
    assert_eq!(changes.len(), 14);
    assert_again(&changes, 7, 4, "gtid");
    Ok(())
}

/// Every way to say where to.
fn assert_told(rest: &Rest, mysql: &Mysql, written: &Written) -> Outcome {
    let is_mariadb = mysql.version().is_mariadb();
    let gtid = dry(rest, &json!({"gtid": written.gtids}))?;
    assert_eq!(
        (&gtid["transactions"], &gtid["to"]["gtids"]),
        (&json!(2), &json!(written.gtids)),
        "{gtid}"
    );
    assert_eq!(gtid["records"], json!(4), "{gtid}");
    let time = dry(rest, &json!({"time": written.time}))?;
    // MariaDB tells the second alone.
    let counted = time["transactions"].as_u64().unwrap_or(0);
    assert!(counted == 2 || is_mariadb && counted > 2, "{time}");
    // Behind the last transaction of a file the next one is in another.
    let middle = dry(rest, &written.middle)?;
    assert_eq!(middle["offset"], gtid["offset"], "{middle}");
    let last = dry(rest, &json!({"file": written.file, "pos": written.last}))?;
    assert_eq!(
        (&last["transactions"], &last["records"]),
        (&json!(1), &json!(1)),
        "{last}"
    );
    let begin = last["to"]["pos"].as_u64().unwrap_or(0);
    let within = dry(rest, &json!({"file": written.file, "pos": begin + 1}))?;
    assert_eq!(within["offset"], last["offset"], "{within}");
    assert!(
        within["notes"]
            .to_string()
            .contains("lies within the transaction"),
        "{within}"
    );
    let (_, now) = end(mysql)?;
    // MariaDB may write what is no transaction behind it.
    let stored = within["from"]["pos"].as_u64().unwrap_or(0);
    assert_eq!(within["bytes"], json!(stored - begin), "{within}");
    let earliest = dry(rest, &json!({"earliest": true}))?;
    assert!(earliest["transactions"].as_u64() > Some(4), "{earliest}");
    // The table was made before the connector knew it, and its rows tell no names.
    assert!(
        earliest["notes"].to_string().contains("inventory.t"),
        "{earliest}"
    );
    assert_refused(rest, mysql, (written, now))
}

/// What the server does not have, or not any more.
fn assert_refused(rest: &Rest, mysql: &Mysql, (written, now): (&Written, u64)) -> Outcome {
    refused(rest, &json!({"lsn": "0/10"}), "knows no")?;
    refused(
        rest,
        &json!({"file": written.file, "pos": now + 1}),
        "no place",
    )?;
    refused(
        rest,
        &json!({"time": "2001-01-01T00:00:00Z"}),
        "not there any more",
    )?;
    let oldest = mysql.binlogs()?.into_iter().next().unwrap_or_default();
    mysql.sql(&format!(
        "purge binary logs to '{}'",
        written.before["file"].as_str().unwrap_or("?")
    ))?;
    refused(rest, &json!({"file": oldest, "pos": 4}), "earliest")?;
    let (none, why) = match mysql.version().is_mariadb() {
        // Another server has made the transaction of this number.
        true => ("0-1-1", "has no 0-1-1"),
        false => (
            "00000000-0000-0000-0000-000000000001:1",
            "never goes forward",
        ),
    };
    refused(rest, &json!({ "gtid": none }), why)?;
    let bad = json!({"offsets": [{"partition": {"server": SOURCE}, "offset": {"file": 1, "gtids": "x"}}]});
    let told = rest.refused("PATCH", OFFSETS, &bad)?;
    assert!(
        told.contains("'file'") && told.contains("'gtids'"),
        "{told}"
    );
    Ok(())
}

#[test]
fn mysql_goes_back_in_its_binlog() -> Outcome {
    mysql_goes_back(MysqlVersion::V97)
}

#[test]
fn mariadb_goes_back_in_its_binlog() -> Outcome {
    mysql_goes_back(MysqlVersion::Mariadb118)
}

/// The file and the place that are stored.
fn stored(rest: &Rest) -> Outcome<(String, u64)> {
    let offsets = rest.get(OFFSETS)?;
    let mut all = offsets["offsets"].as_array().into_iter().flatten();
    let place = all.find(|offset| offset["offset"]["file"].is_string());
    let offset = &place.ok_or("no position")?["offset"];
    match (
        offset["snapshot"].is_null(),
        offset["file"].as_str(),
        offset["pos"].as_u64(),
    ) {
        (true, Some(file), Some(pos)) => Ok((file.to_owned(), pos)),
        _ => Err("not streaming".into()),
    }
}

fn wait_at_the_end(rest: &Rest, mysql: &Mysql) -> Outcome {
    let end = mysql.binlog_end()?;
    wait_until("the end of the binlog", LIMIT, || {
        Ok(stored(rest).is_ok_and(|at| at == end))
    })?;
    Ok(())
}

#[test]
fn mysql_without_gtids_goes_back_by_files() -> Outcome {
    let stack = Stack::new()?;
    let options = MysqlOptions::new(MysqlVersion::V97)
        .set("gtid_mode", "OFF")
        .set("enforce_gtid_consistency", "OFF");
    let mysql = stack.mysql_with(options)?;
    mysql.sql("create table t (id int primary key, v int)")?;
    let worker = Worker::start(&stack, WorkerOptions::on(LogKind::Embedded))?;
    let rest = worker.rest();
    rest.create(
        SOURCE,
        &mysql_source(&mysql, SOURCE, "inventory.t", "127.0.0.1:1"),
    )?;
    wait_until("the stream", LIMIT, || Ok(stored(rest).is_ok()))?;
    let written = write(&mysql)?;
    wait_at_the_end(rest, &mysql)?;
    rest.stop(SOURCE)?;
    assert_eq!(
        dry(rest, &json!({"time": written.time}))?["transactions"],
        json!(2)
    );
    let none = json!({"gtid": "24bc7850-2c16-11e6-a073-0242ac110002:1"});
    refused(rest, &none, "does not go by GTIDs")?;
    let done = back(rest, &written.before)?;
    assert_eq!(
        (&done["transactions"], &done["offset"]["gtids"]),
        (&json!(4), &Value::Null),
        "{done}"
    );
    rest.must("PUT", "/connectors/faults/resume")?;
    wait_at_the_end(rest, &mysql)?;
    let changes = changes(worker.stop_and_read("faults.inventory.t")?)?;
    assert_eq!(changes.len(), 14);
    assert_eq!(changes[..7], changes[7..]);
    Ok(())
}

/// A place without ids, as people write it.
fn a_place_alone(version: MysqlVersion) -> Outcome {
    let stack = Stack::new()?;
    let mysql = stack.mysql(version)?;
    mysql.sql("create table t (id int primary key, v int)")?;
    let worker = Worker::start(&stack, WorkerOptions::on(LogKind::Embedded))?;
    let rest = worker.rest();
    rest.create(
        SOURCE,
        &mysql_source(&mysql, SOURCE, "inventory.t", "127.0.0.1:1"),
    )?;
    wait_streaming(&worker)?;
    mysql.sql("insert into t values (1, 1)")?;
    mysql.sql("insert into t values (2, 1)")?;
    wait_stored(&worker, &mysql)?;
    rest.stop(SOURCE)?;
    let place = end(&mysql)?.0;
    let offsets = json!({"offsets": [{"partition": {"server": SOURCE}, "offset": place}]});
    rest.send("PATCH", OFFSETS, &offsets)?;
    // Only the second time it goes by the ids that it has stored.
    for id in [3, 4] {
        rest.must("PUT", "/connectors/faults/resume")?;
        mysql.sql(&format!("insert into t values ({id}, 1)"))?;
        wait_stored(&worker, &mysql)?;
        rest.stop(SOURCE)?;
    }
    let changes = changes(worker.stop_and_read("faults.inventory.t")?)?;
    let ids: Vec<i64> = changes
        .iter()
        .filter_map(|change| change["after"]["id"].as_i64())
        .collect();
    assert_eq!(ids, [1, 2, 3, 4]);
    Ok(())
}

#[test]
fn nothing_comes_again_behind_a_place_of_mysql_alone() -> Outcome {
    a_place_alone(MysqlVersion::V97)
}

#[test]
fn nothing_comes_again_behind_a_place_of_mariadb_alone() -> Outcome {
    a_place_alone(MysqlVersion::Mariadb118)
}
