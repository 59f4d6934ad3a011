//! Coming back: after a stop, in mid-transaction, after the slot was lost.

use stack::PgVersion;

use crate::harness::{Database, Event};

const STREAM: &[(&str, &str)] = &[("snapshot.mode", "no_data")];

fn ids(events: &[Event]) -> Vec<i64> {
    events
        .iter()
        .map(|event| event.key["id"].as_i64().unwrap())
        .collect()
}

/// A transaction far larger than a batch: inserted rows that share log records, and rows with records of their own,
/// while another transaction commits in between.
#[tokio::test]
async fn a_restart_in_mid_transaction_neither_repeats_nor_omits() {
    let db = Database::new(PgVersion::V15);
    db.sql("create table t (id int primary key, v text)");
    let mut source = db.open(STREAM, None).await;
    db.sql("insert into t select i, 'x' from generate_series(1, 10) i");
    db.sql("begin; copy t (id) from stdin;\n101\n102\n103\n\\.\ninsert into t select i from generate_series(1001, 9000) i; commit");
    db.sql("insert into t values (20000)");
    let mut seen = Vec::new();
    let mut restarts = 0;
    while seen.len() < 10 + 3 + 8000 + 1 {
        let events = source.take(1).await;
        seen.extend(ids(&events));
        restarts += 1;
        // The batch is durable; the task dies without a word, and nothing was confirmed to the server.
        let position = source.position.clone();
        drop(source);
        source = db.open_again(STREAM, position).await;
    }
    let expected: Vec<i64> = (1..=10)
        .chain(101..=103)
        .chain(1001..=9000)
        .chain([20_000])
        .collect();
    assert_eq!(seen, expected);
    assert!(restarts > 3, "the transaction came in {restarts} batches");
    source.close().await;
}

#[tokio::test]
async fn what_is_not_durable_comes_again() {
    let db = Database::new(PgVersion::V18);
    db.sql("create table t (id int primary key)");
    let mut source = db.open(STREAM, None).await;
    db.sql("insert into t values (1)");
    assert_eq!(ids(&source.take(1).await), [1]);
    source.make_durable();
    let stored = source.position.clone();
    db.sql("insert into t values (2)");
    assert_eq!(ids(&source.take(1).await), [2]);
    drop(source);
    let mut source = db.open_again(STREAM, stored).await;
    assert_eq!(ids(&source.take(1).await), [2]);
    source.close().await;
}

/// Invariant 1: the server is told only what is durable, and is told it even when nobody polls.
#[tokio::test]
async fn the_slot_follows_what_is_durable_and_nothing_else() {
    let db = Database::new(PgVersion::V15);
    db.sql("create table t (id int primary key)");
    let mut source = db.open(STREAM, None).await;
    let (before, _) = db.confirmed_and_end();
    db.sql("insert into t values (1)");
    source.take(1).await;
    let again = db.sql("select pg_switch_wal() is not null");
    assert_eq!(again.trim(), "t");
    source.poll().await.unwrap();
    source.poll().await.unwrap();
    assert_eq!(db.confirmed_and_end().0, before, "nothing was durable");
    source.make_durable();
    let order = source.position.as_ref().unwrap().order;
    // Not polled meanwhile.
    db.wait_until("the slot is confirmed", || {
        db.confirmed_and_end().0 == order
    })
    .await;
    source.close().await;
}

#[tokio::test]
async fn the_slot_advances_while_only_other_tables_change() {
    let db = Database::new(PgVersion::V15);
    db.sql("create table mine (id int primary key); create table other (id int primary key)");
    let more = [
        ("snapshot.mode", "no_data"),
        ("table.include.list", "public.mine"),
    ];
    let mut source = db.open(&more, None).await;
    db.sql("insert into other select generate_series(1, 10000)");
    let (_, goal) = db.confirmed_and_end();
    let events = source
        .poll_until("the slot has passed the other table", |source| {
            source.make_durable();
            db.confirmed_and_end().0 >= goal
        })
        .await;
    assert_eq!(events, []);
    source.close().await;
}

#[tokio::test]
async fn a_lost_slot_is_a_clear_error_and_never_a_gap() {
    let db = Database::new(PgVersion::V15);
    db.sql("create table t (id int primary key)");
    let mut source = db.open(STREAM, None).await;
    db.sql("insert into t values (1)");
    source.take(1).await;
    let position = source.close().await;
    db.sql(&format!("select pg_drop_replication_slot('{}')", db.name));
    let error = db.try_open(STREAM, position.clone()).await.err().unwrap();
    assert_eq!(error.code().name, "postgres.slot_missing");
    assert!(error.report().contains("snapshot.mode=when_needed"));

    // Made again by somebody, it stands behind the gap.
    db.sql(&format!(
        "insert into t values (2); select pg_create_logical_replication_slot('{}', 'pgoutput')",
        db.name
    ));
    let error = db.try_open(STREAM, position.clone()).await.err().unwrap();
    assert_eq!(error.code().name, "postgres.slot_ahead");

    let mut source = db.open(&[("snapshot.mode", "when_needed")], position).await;
    assert_eq!(ids(&source.take(2).await), [1, 2]);
    source.close().await;
}

#[tokio::test]
async fn a_slot_has_one_reader_and_can_be_dropped_on_stop() {
    let db = Database::new(PgVersion::V15);
    let source = db.open(&[("slot.drop.on.stop", "true")], None).await;
    let mut source = source;
    source
        .poll_until("streaming", |source| source.position.is_some())
        .await;
    source.poll().await.unwrap();
    let error = db
        .try_open(STREAM, source.position.clone())
        .await
        .err()
        .unwrap();
    assert_eq!(error.code().name, "postgres.slot_active");
    source.close().await;
    let left = db.sql(&format!(
        "select count(*) from pg_replication_slots where slot_name = '{}'",
        db.name
    ));
    assert_eq!(left.trim(), "0");
}
