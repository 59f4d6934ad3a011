//! Every kind of change, as it comes through the stream.

use serde_json::{Value, json};
use stack::PgVersion;

use crate::harness::{Database, Event, ops};

const STREAM: &[(&str, &str)] = &[("snapshot.mode", "no_data")];

async fn every_kind_of_change(version: PgVersion) {
    let db = Database::new(version);
    db.sql("create table customers (id int primary key, name text not null, note text)");
    let mut source = db.open(STREAM, None).await;
    db.sql("insert into customers values (1, 'Ada', null); update customers set note = 'hi'; delete from customers");
    let events = source.take(4).await;
    assert_eq!(ops(&events), "c u d tombstone");
    let [create, update, delete, tombstone] = &events[..] else {
        panic!("{events:?}")
    };

    assert_eq!(create.topic, "t.public.customers");
    assert_eq!(create.key, json!({"id": 1}));
    assert_eq!(create.value["before"], json!(null));
    assert_eq!(
        create.after(),
        &json!({"id": 1, "name": "Ada", "note": null})
    );
    assert_eq!(
        update.value["before"],
        json!(null),
        "the default identity logs no old row"
    );
    assert_eq!(update.after()["note"], "hi");
    assert_eq!(
        delete.value["before"],
        json!({"id": 1, "name": "", "note": null})
    );
    assert_eq!(delete.after(), &json!(null));
    assert_eq!(
        (&tombstone.key, &tombstone.value),
        (&json!({"id": 1}), &json!(null))
    );
    source_blocks(&db, &events);
    source.close().await;
}

fn source_blocks(db: &Database, events: &[Event]) {
    let source = |event: &Event| event.value["source"].clone();
    let (first, second) = (source(&events[0]), source(&events[1]));
    assert_eq!(first["connector"], "postgresql");
    assert_eq!(
        (&first["name"], &first["db"]),
        (&json!("t"), &json!(db.name))
    );
    assert_eq!(
        (&first["schema"], &first["table"]),
        (&json!("public"), &json!("customers"))
    );
    assert_eq!(first["snapshot"], Value::Null, "the default stands for it");
    let (ms, us, ns) = (&first["ts_ms"], &first["ts_us"], &first["ts_ns"]);
    assert_eq!(us.as_i64().unwrap() / 1000, ms.as_i64().unwrap());
    assert_eq!(ns.as_i64().unwrap() / 1000, us.as_i64().unwrap());
    assert!(ms.as_i64().unwrap() <= events[0].value["ts_ms"].as_i64().unwrap() + 1000);
    assert!(first["lsn"].as_i64() < second["lsn"].as_i64());
    assert!(first["txId"].as_i64() < second["txId"].as_i64());
    let sequence: Vec<String> = serde_json::from_str(second["sequence"].as_str().unwrap()).unwrap();
    assert_eq!(sequence[1], second["lsn"].to_string());
    assert!(sequence[0].parse::<u64>().unwrap() > first["lsn"].as_u64().unwrap());
}

#[tokio::test]
async fn every_kind_of_change_15() {
    every_kind_of_change(PgVersion::V15).await;
}

#[tokio::test]
async fn every_kind_of_change_18() {
    every_kind_of_change(PgVersion::V18).await;
}

#[tokio::test]
async fn a_changed_key_is_a_delete_and_a_create_that_name_each_other() {
    let db = Database::new(PgVersion::V15);
    db.sql(
        "create table t (id int primary key, v text); create table f (id int primary key, v text);
            alter table f replica identity full",
    );
    let mut source = db.open(STREAM, None).await;
    for table in ["t", "f"] {
        db.sql(&format!(
            "insert into {table} values (1, 'x'); update {table} set id = 2"
        ));
        let events = source.take(4).await;
        assert_eq!(ops(&events), "c d tombstone c");
        assert_eq!(events[1].key, json!({"id": 1}));
        assert_eq!(events[1].headers["__debezium.newkey"], json!({"id": 2}));
        assert_eq!(events[2].key, json!({"id": 1}));
        assert_eq!(events[3].key, json!({"id": 2}));
        assert_eq!(events[3].headers["__debezium.oldkey"], json!({"id": 1}));
        assert_eq!(events[3].after(), &json!({"id": 2, "v": "x"}));
    }
    source.close().await;
}

#[tokio::test]
async fn the_full_identity_gives_whole_old_rows() {
    let db = Database::new(PgVersion::V15);
    db.sql(
        "create table t (id int primary key, v text not null); alter table t replica identity full;
            create table nokey (v text); alter table nokey replica identity full",
    );
    let mut source = db.open(STREAM, None).await;
    db.sql(
        "insert into t values (1, 'a'); update t set v = 'b'; delete from t;
            insert into nokey values ('x'); update nokey set v = 'y'; delete from nokey",
    );
    let events = source.take(8).await;
    assert_eq!(ops(&events), "c u d tombstone c u d tombstone");
    assert_eq!(events[1].value["before"], json!({"id": 1, "v": "a"}));
    assert_eq!(events[2].value["before"], json!({"id": 1, "v": "b"}));
    assert_eq!(events[5].key, json!(null));
    assert_eq!(events[5].value["before"], json!({"v": "x"}));
    source.close().await;
}

#[tokio::test]
async fn unchanged_large_values_are_absent_or_come_from_the_old_row() {
    let db = Database::new(PgVersion::V15);
    db.sql(
        "create table t (id int primary key, small int, big text);
            alter table t alter big set storage external;
            create table f (id int primary key, small int, big text);
            alter table f alter big set storage external; alter table f replica identity full",
    );
    let mut source = db.open(STREAM, None).await;
    let big = "b".repeat(100_000);
    for (table, expected) in [("t", "<absent>"), ("f", &big)] {
        db.sql(&format!(
            "insert into {table} values (1, 0, repeat('b', 100000)); update {table} set small = 1;
             update {table} set big = null"
        ));
        let events = source.take(3).await;
        assert_eq!(events[0].after()["big"], json!(big));
        assert_eq!(events[1].after()["big"], json!(expected));
        assert_eq!(events[2].after()["big"], json!(null));
    }
    source.close().await;
}

#[tokio::test]
async fn truncates_come_when_they_are_wanted() {
    let db = Database::new(PgVersion::V15);
    db.sql("create table a (id int primary key); create table b (id int primary key)");
    let more = [("snapshot.mode", "no_data"), ("skipped.operations", "none")];
    let mut source = db.open(&more, None).await;
    db.sql("insert into a values (1); truncate a, b");
    let events = source.take(3).await;
    assert_eq!(ops(&events), "c t t");
    assert_eq!(
        (&events[1].key, events[1].after()),
        (&json!(null), &json!(null))
    );
    let mut topics = [events[1].topic.as_str(), events[2].topic.as_str()];
    topics.sort_unstable();
    assert_eq!(topics, ["t.public.a", "t.public.b"]);
    let position = source.close().await;
    let mut source = db.open(STREAM, position).await;
    db.sql("truncate a; insert into a values (2)");
    assert_eq!(ops(&source.take(1).await), "c");
    source.close().await;
}

#[tokio::test]
async fn schema_changes_and_new_tables_are_followed() {
    let db = Database::new(PgVersion::V15);
    db.sql("create table t (id int primary key, v text)");
    let mut source = db.open(STREAM, None).await;
    db.sql("insert into t values (1, 'a')");
    assert_eq!(source.take(1).await[0].after(), &json!({"id": 1, "v": "a"}));
    db.sql("alter table t add column n numeric(5,2) not null default 1.5; insert into t values (2, 'b', 2.25)");
    let added = source.take(1).await;
    assert_eq!(added[0].after(), &json!({"id": 2, "v": "b", "n": [0, 225]}));
    let batch = source.batch();
    let schema = batch.routes()[0].value().unwrap();
    let (_, after) = schema.field("after").unwrap();
    let (_, n) = after.schema.field("n").unwrap();
    assert!(!n.schema.optional);
    assert!(n.schema.default.is_some());
    db.sql(
        "alter table t drop column v; alter table t rename n to m; insert into t values (3, 1);
            create table later (k text primary key); insert into later values ('x')",
    );
    let events = source.take(2).await;
    assert_eq!(events[0].after(), &json!({"id": 3, "m": [100]}));
    assert_eq!(
        (events[1].topic.as_str(), &events[1].key),
        ("t.public.later", &json!({"k": "x"}))
    );
    source.close().await;
}

#[tokio::test]
async fn a_backlog_of_many_tables_has_each_as_it_is() {
    let db = Database::new(PgVersion::V15);
    for at in 0..12 {
        db.sql(&format!("create table t{at} (id int primary key, n int)"));
    }
    let source = db.open(STREAM, None).await;
    let stored = source.close().await;
    for at in 0..12 {
        db.sql(&format!("insert into t{at} values ({at}, 1)"));
    }
    // What a table becomes later is not what its earlier rows have, but what its later ones have.
    db.sql("alter table t9 add column more int default 5; insert into t9 values (100, 2)");
    let mut source = db.open(STREAM, stored).await;
    let events = source.take(13).await;
    for (at, event) in events.iter().take(12).enumerate() {
        assert_eq!(event.topic, format!("t.public.t{at}"));
        assert_eq!(event.after(), &json!({"id": at, "n": 1}));
    }
    assert_eq!(events[12].after(), &json!({"id": 100, "n": 2, "more": 5}));
    // Looked up again, since this is younger than what was looked up at once.
    db.sql(
        "alter table t10 add column more int not null default 7; insert into t10 values (100, 2)",
    );
    db.sql("alter table t11 rename n to m; insert into t11 values (100, 2)");
    let events = source.take(2).await;
    assert_eq!(events[0].after(), &json!({"id": 100, "n": 2, "more": 7}));
    assert_eq!(events[1].after(), &json!({"id": 100, "m": 2}));
    source.close().await;
}

#[tokio::test]
async fn filters_choose_tables_and_columns() {
    let db = Database::new(PgVersion::V15);
    db.sql("create schema s; create table s.a (id int primary key, secret text, v int); create table s.b (id int primary key)");
    let more = [
        ("snapshot.mode", "no_data"),
        ("table.include.list", "s\\.a"),
        ("column.exclude.list", "s.a.secret"),
        ("publication.autocreate.mode", "filtered"),
    ];
    let mut source = db.open(&more, None).await;
    db.sql("insert into s.b values (1); insert into s.a values (1, 'x', 2)");
    let events = source.take(1).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].after(), &json!({"id": 1, "v": 2}));
    let position = source.close().await;
    assert_eq!(
        db.sql("select tablename from pg_publication_tables").trim(),
        "a"
    );

    let more = [
        ("publication.autocreate.mode", "filtered"),
        ("table.include.list", "s\\..*"),
    ];
    let mut source = db.open(&more, position).await;
    db.sql("insert into s.b values (2)");
    assert_eq!(source.take(1).await[0].topic, "t.s.b");
    source.close().await;
}

#[tokio::test]
async fn heartbeats_come_and_run_their_query() {
    let db = Database::new(PgVersion::V15);
    db.sql("create table beats (id serial primary key)");
    let more = [
        ("snapshot.mode", "no_data"),
        ("heartbeat.interval.ms", "50"),
        ("heartbeat.action.query", "insert into beats default values"),
    ];
    let mut source = db.open(&more, None).await;
    let both = |events: &[Event]| {
        let has = |topic: &str| events.iter().any(|event| event.topic == topic);
        has("__debezium-heartbeat.t") && has("t.public.beats")
    };
    let events = source.take_until(both).await;
    let beat = events
        .iter()
        .find(|e| e.topic == "__debezium-heartbeat.t")
        .unwrap();
    assert_eq!(beat.key, json!({"serverName": "t"}));
    assert!(beat.value["ts_ms"].as_i64().unwrap() > 1_600_000_000_000);
    source.close().await;
}
