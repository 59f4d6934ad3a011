//! Snapshots: consistent with the stream, resumable, in every mode.

use std::collections::BTreeMap;

use connect_core::Position;
use serde_json::json;
use stack::PgVersion;

use crate::{
    harness::{Database, Event, ops},
    history::assert_same,
};

/// The rows of a table as a consumer of the records would have them.
fn apply(rows: &mut BTreeMap<i64, serde_json::Value>, events: &[Event]) {
    for event in events {
        let id = event.key["id"].as_i64().unwrap();
        match event.op() {
            "d" | "tombstone" => rows.remove(&id),
            _ => rows.insert(id, event.after()["v"].clone()),
        };
    }
}

fn table(db: &Database) -> BTreeMap<i64, serde_json::Value> {
    let rows = db.sql("select id, v from t order by id");
    let pair = |line: &str| {
        let (id, v) = line.split_once('|').unwrap();
        (id.parse().unwrap(), json!(v))
    };
    rows.lines().map(pair).collect()
}

#[tokio::test]
async fn rows_are_read_and_marked_then_the_stream_goes_on() {
    let db = Database::new(PgVersion::V15);
    db.sql("create table a (id int primary key, v text); create table b (id int primary key, v text);
            create table aa_empty (id int primary key);
            create table \"Weird \"\"name\" (\"the key\" text primary key, b bytea, gen int generated always as (1) stored);
            insert into a select i, 'v' || i from generate_series(1, 3) i; insert into b values (1, E'tab\\t \\\\ nl\\n');
            insert into \"Weird \"\"name\" values (E'\\\\N', '\\x00ff')");
    let mut source = db.open(&[], None).await;
    let mut events = source.take(5).await;
    let first = events
        .iter()
        .position(|e| e.value["source"]["snapshot"] == "first")
        .unwrap();
    assert_eq!(first, 0);
    assert_eq!(ops(&events), "r r r r r");
    let markers: Vec<&str> = events
        .iter()
        .map(|e| e.value["source"]["snapshot"].as_str().unwrap())
        .collect();
    let expected = [
        "first",
        "first_in_data_collection",
        "true",
        "last_in_data_collection",
        "last",
    ];
    assert_eq!(markers, expected);
    events.sort_by(|a, b| a.topic.cmp(&b.topic));
    let weird = &events[0];
    assert_eq!(weird.topic, "t.public.Weird__name");
    assert_eq!(
        weird.after(),
        &json!({"the key": "\\N", "b": [0, 255], "gen": 1})
    );
    assert_eq!(events.last().unwrap().after()["v"], "tab\t \\ nl\n");
    db.sql("insert into a values (4, 'new')");
    let more = source.take(1).await;
    assert_eq!(
        (ops(&more).as_str(), more[0].after()),
        ("c", &json!({"id": 4, "v": "new"}))
    );
    source.close().await;
}

/// Writers run during the snapshot, which is killed again and again; the records still end in the table's state.
async fn interrupted_snapshot(version: PgVersion) {
    let db = Database::new(version);
    db.sql("create table t (id int primary key, v text); insert into t select i, 'v' || i from generate_series(1, 20000) i");
    let mut source = db.open(&[], None).await;
    let mut rows = BTreeMap::new();
    let mut reads = 0;
    for round in 0..6 {
        let events = source.take(2500).await;
        reads += events.iter().filter(|event| event.op() == "r").count();
        apply(&mut rows, &events);
        db.sql(&format!(
            "update t set v = 'round {round}' where id % 7 = {round};
             delete from t where id % 101 = {round}; insert into t values (30000 + {round}, 'late');
             update t set id = 40000 + id where id in ({round} + 1000, 19000 - {round});
             insert into t values (-{round} - 1, 'low')"
        ));
        let position = source.position.clone();
        drop(source);
        source = db.open_again(&[], position).await;
    }
    let mut events = Vec::new();
    source.streams(|more, _| events.extend(more)).await;
    db.sql("insert into t values (99999, 'end')");
    let end = |events: &[Event]| events.iter().any(|event| event.key["id"] == 99999);
    events.extend(source.take_until(end).await);
    reads += events.iter().filter(|event| event.op() == "r").count();
    apply(&mut rows, &events);
    assert_same(&rows, &table(&db));
    assert!(
        reads < 21_000,
        "{reads} reads: rows before the last key were read again"
    );
    source.close().await;
}

#[tokio::test]
async fn an_interrupted_snapshot_goes_on_and_converges_15() {
    interrupted_snapshot(PgVersion::V15).await;
}

#[tokio::test]
async fn an_interrupted_snapshot_goes_on_and_converges_18() {
    interrupted_snapshot(PgVersion::V18).await;
}

/// Not interrupted, snapshot and stream meet exactly: nothing twice, nothing missing.
#[tokio::test]
async fn snapshot_and_stream_meet_exactly_under_load() {
    let db = Database::new(PgVersion::V15);
    db.sql("create table t (id serial primary key, v text); insert into t (v) select 'x' from generate_series(1, 5000)");
    let name = db.name.clone();
    let url = db.server.url();
    let (base, _) = url.rsplit_once('/').unwrap();
    let url = format!("{base}/{name}");
    let server = db.server.clone();
    let writer = std::thread::spawn(move || {
        for _ in 0..40 {
            server
                .psql_at(
                    &url,
                    "insert into t (v) select 'y' from generate_series(1, 50)",
                )
                .unwrap();
        }
    });
    let mut source = db.open(&[], None).await;
    let events = source.take(7000).await;
    writer.join().unwrap();
    let mut ids: Vec<i64> = events
        .iter()
        .map(|e| e.key["id"].as_i64().unwrap())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=7000).collect::<Vec<_>>());
    source.close().await;
}

#[tokio::test]
async fn the_modes_decide_what_is_read() {
    let db = Database::new(PgVersion::V15);
    db.sql("create table t (id int primary key, v text); insert into t values (1, 'a')");
    let mut once = db.open(&[("snapshot.mode", "initial_only")], None).await;
    assert_eq!(ops(&once.take(1).await), "r");
    assert_eq!(once.poll().await.unwrap(), []);
    let position = once.close().await;
    let slots = db.sql(&format!(
        "select count(*) from pg_replication_slots where slot_name = '{}'",
        db.name
    ));
    assert_eq!(
        slots.trim(),
        "0",
        "nothing is streamed, so no slot is needed"
    );
    let mut again = db
        .open(&[("snapshot.mode", "initial_only")], position)
        .await;
    assert_eq!(again.poll().await.unwrap(), []);
    again.close().await;

    let mut initial = db.open(&[], None).await;
    assert_eq!(ops(&initial.take(1).await), "r");
    let position: Option<Position> = initial.close().await;
    let mut always = db
        .open(&[("snapshot.mode", "always")], position.clone())
        .await;
    assert_eq!(ops(&always.take(1).await), "r");
    always.close().await;
    let mut initial = db.open(&[], position).await;
    db.sql("insert into t values (2, 'b')");
    assert_eq!(ops(&initial.take(1).await), "c");
    initial.close().await;
}

#[tokio::test]
async fn an_empty_database_streams_at_once() {
    let db = Database::new(PgVersion::V18);
    let mut source = db.open(&[], None).await;
    source.poll().await.unwrap();
    assert!(
        source.position.is_some(),
        "the place of the slot is stored, so that a lost slot is noticed"
    );
    db.sql("create table t (id int primary key); insert into t values (1)");
    assert_eq!(ops(&source.take(1).await), "c");
    source.close().await;
}

/// The topics of the rows of a snapshot, each once, in order.
fn order_of_tables(events: &[Event]) -> Vec<String> {
    let mut topics: Vec<String> = events.iter().map(|e| e.topic.clone()).collect();
    topics.dedup();
    topics
}

#[tokio::test]
async fn tables_come_by_their_sizes_also_after_a_restart() {
    let db = Database::new(PgVersion::V15);
    db.sql("create table a (id int primary key); insert into a select generate_series(1, 1500);
            create table b (id int primary key); insert into b select generate_series(1, 2);
            create table c (id int primary key); insert into c select generate_series(1, 5000); analyze");
    for (order, expected) in [
        ("ascending", ["t.public.b", "t.public.a", "t.public.c"]),
        ("descending", ["t.public.c", "t.public.a", "t.public.b"]),
    ] {
        let config = [
            ("snapshot.mode", "initial_only"),
            ("snapshot.tables.order.by.row.count", order),
        ];
        let mut source = db.open(&config, None).await;
        let mut events = source.take(1600).await;
        let stored = source.position.clone();
        drop(source);
        let mut source = db.open(&config, stored).await;
        source.streams(|more, _| events.extend(more)).await;
        assert_eq!(order_of_tables(&events), expected);
        assert_eq!(events.len(), 6502, "no row two times");
    }
}

#[tokio::test]
async fn a_snapshot_is_isolated_locked_and_followed_by_a_pause_as_configured() {
    for isolation in [
        "serializable",
        "repeatable_read",
        "read_committed",
        "read_uncommitted",
    ] {
        let db = Database::new(PgVersion::V18);
        db.sql("create table t (id int primary key, v text); insert into t select i, 'x' from generate_series(1, 3000) i");
        let config = [
            ("snapshot.isolation.mode", isolation),
            ("snapshot.locking.mode", "shared"),
            ("streaming.delay.ms", "1200"),
            ("snapshot.mode", "always"),
        ];
        let stored = db.open(&[("snapshot.mode", "no_data")], None).await;
        db.sql("insert into t values (0, 'y')");
        let mut first = stored;
        let events = first.take(1).await;
        let stored = first.position.clone();
        first.close().await;
        let mut source = db.open(&config, stored).await;
        let mut all = source
            .take_until(|events| events.iter().any(|e| e.op() == "r"))
            .await;
        let locks = "select count(*) from pg_locks where relation = 't'::regclass and mode = 'AccessShareLock' and granted";
        assert_ne!(db.sql(locks).trim(), "0", "{isolation}");
        db.sql("update t set v = 'z' where id = 5");
        all.extend(
            source
                .take_until(|events| events.iter().any(|e| e.op() == "u"))
                .await,
        );
        all.splice(0..0, events);
        let mut rows = BTreeMap::new();
        apply(&mut rows, &all);
        assert_eq!(rows, table(&db), "{isolation}");
        source.close().await;
    }
}

#[tokio::test]
async fn the_configuration_can_decide_what_is_read() {
    let db = Database::new(PgVersion::V15);
    db.sql("create table t (id int primary key, v text); insert into t values (1, 'a')");
    let based = |data: &'static str, stream: &'static str| {
        [
            ("snapshot.mode", "configuration_based"),
            ("snapshot.mode.configuration.based.snapshot.data", data),
            ("snapshot.mode.configuration.based.start.stream", stream),
        ]
    };
    let mut source = db.open(&based("false", "true"), None).await;
    db.sql("insert into t values (2, 'b')");
    assert_eq!(ops(&source.take(1).await), "c");
    let stored = source.close().await;
    let mut source = db.open(&based("true", "true"), stored).await;
    assert_eq!(ops(&source.take(2).await), "r r");
    source.close().await;
    let mut source = db.open(&based("true", "false"), None).await;
    assert_eq!(ops(&source.take(2).await), "r r");
    source.close().await;
}
