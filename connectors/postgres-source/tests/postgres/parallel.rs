//! Snapshots by several connections: every row once, marked as by one, resumable part by part.

use std::collections::BTreeMap;

use stack::PgVersion;

use crate::harness::{Database, Event, Source};

/// Keys of every kind: numbers that are skewed, texts in a language's order, two columns of which one is nearly
/// constant, random ones; no key; and tables that are too small to be cut, or empty.
const TABLES: &str = "
    create table a_skewed (id bigint primary key, v text);
    insert into a_skewed select case when i < 9000 then i else i * 1000000::bigint end, repeat('v', 80) from generate_series(1, 9500) i;
    create table b_texts (name text primary key, v text);
    insert into b_texts select chr(65 + i % 58) || md5(i::text) || E'\\\\''\"é', repeat('v', 80) from generate_series(1, 9000) i;
    create table c_two (tenant int, at timestamptz, v text, primary key (tenant, at));
    insert into c_two select case when i % 100 = 0 then i else 7 end, '2026-01-01'::timestamptz + i * interval '1 second', repeat('v', 80)
        from generate_series(1, 9000) i;
    create table d_random (id uuid primary key, v text);
    insert into d_random select md5(i::text)::uuid, repeat('v', 80) from generate_series(1, 9000) i;
    create table e_keyless (id int, v text);
    insert into e_keyless select i, repeat('v', 80) from generate_series(1, 20000) i;
    delete from e_keyless where id <= 8000 or id > 15000;
    create table f_small (id int primary key); insert into f_small select generate_series(1, 10);
    create table g_parent (id int primary key, v text); create table g_child (primary key (id)) inherits (g_parent);
    insert into g_parent select i, repeat('v', 80) from generate_series(1, 9000) i;
    insert into g_child select i, repeat('v', 80) from generate_series(1, 9000) i;
    create table h_empty (id int primary key); create table z_empty (id int);
    analyze";

/// Rows of each table, by their texts.
type Rows = BTreeMap<String, BTreeMap<String, usize>>;

fn rows(events: &[Event]) -> Rows {
    let mut rows = Rows::new();
    for event in events {
        assert_eq!(event.op(), "r");
        let mut after = event.after().clone();
        after["v"].take();
        let table = rows.entry(event.topic.clone()).or_default();
        *table.entry(after.to_string()).or_default() += 1;
    }
    rows
}

async fn snapshot(source: &mut Source) -> Vec<Event> {
    let mut events = Vec::new();
    source.streams(|more, _| events.extend(more)).await;
    events
}

fn mark(event: &Event) -> &str {
    event.value["source"]["snapshot"].as_str().unwrap()
}

/// Topic, row and mark of all rows with a mark of their own.
fn marked(events: &[Event]) -> Vec<(String, String, String)> {
    let marked = events.iter().filter(|event| mark(event) != "true");
    let mut marked: Vec<_> = marked
        .map(|event| {
            let mut row = event.after().clone();
            row["v"].take();
            (event.topic.clone(), row.to_string(), mark(event).to_owned())
        })
        .collect();
    marked.sort();
    marked
}

/// The first row of a table is before its others, the last one behind them.
fn assert_framed(events: &[Event]) {
    let mut framed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for event in events {
        framed.entry(&event.topic).or_default().push(mark(event));
    }
    for (topic, marks) in framed {
        let (first, last) = (marks[0], marks[marks.len() - 1]);
        assert!(first.starts_with("first"), "{topic}: {first}");
        assert!(last.starts_with("last"), "{topic}: {last}");
        let between = &marks[1..marks.len() - 1];
        assert!(between.iter().all(|mark| *mark == "true"), "{topic}");
    }
    assert_eq!(mark(&events[0]), "first");
    assert_eq!(mark(&events[events.len() - 1]), "last");
}

async fn as_one(version: PgVersion) {
    let db = Database::new(version);
    db.sql(TABLES);
    let only = ("snapshot.mode", "initial_only");
    let mut one = db.open(&[only], None).await;
    let expected = snapshot(&mut one).await;
    one.close().await;
    for (threads, multiplier) in [("2", "1"), ("4", "3"), ("1", "4")] {
        let more = [
            only,
            ("snapshot.max.threads", threads),
            ("snapshot.max.threads.multiplier", multiplier),
        ];
        let mut several = db.open(&more, None).await;
        let events = snapshot(&mut several).await;
        several.close().await;
        assert!(rows(&events) == rows(&expected), "{threads} connections");
        assert_eq!(marked(&events), marked(&expected));
        assert_framed(&events);
    }
}

#[tokio::test]
async fn several_connections_read_what_one_reads_15() {
    as_one(PgVersion::V15).await;
}

#[tokio::test]
async fn several_connections_read_what_one_reads_18() {
    as_one(PgVersion::V18).await;
}

/// What changes while they read is not seen by any of them, but streamed.
#[tokio::test]
async fn all_connections_see_the_same_moment() {
    let db = Database::new(PgVersion::V18);
    db.sql(
        "create table t (id int primary key, v text); alter table t replica identity full;
            insert into t select i, 'old' from generate_series(1, 30000) i",
    );
    let more = [
        ("snapshot.max.threads", "4"),
        ("snapshot.max.threads.multiplier", "2"),
    ];
    let mut source = db.open(&more, None).await;
    db.sql("update t set v = 'new'; delete from t where id % 2 = 0");
    let events = source.take(75_000).await;
    let (read, streamed): (Vec<_>, Vec<_>) = events.into_iter().partition(|e| e.op() == "r");
    assert_eq!(
        (read.len(), rows(&read)["t.public.t"].len()),
        (30_000, 30_000)
    );
    assert!(read.iter().all(|event| event.after()["v"] == "old"));
    assert_eq!(
        streamed.iter().filter(|event| event.op() == "u").count(),
        30_000
    );
    source.close().await;
}

/// The pages of a table without a key that were read stay read, unless the table was written anew.
#[tokio::test]
async fn pages_that_were_read_are_not_read_again() {
    let db = Database::new(PgVersion::V15);
    db.sql(
        "create table t (id int, v text); alter table t replica identity full;
            insert into t select i, repeat('v', 100) from generate_series(1, 40000) i",
    );
    let more = [
        ("snapshot.max.threads", "2"),
        ("snapshot.max.threads.multiplier", "16"),
    ];
    let mut source = db.open(&more, None).await;
    let mut events = source.take(20_000).await;
    let position = source.position.clone();
    drop(source);
    let mut source = db.open_again(&more, position.clone()).await;
    events.extend(snapshot(&mut source).await);
    source.close().await;
    let read = rows(&events);
    assert_eq!(read["t.public.t"].len(), 40_000, "every row");
    assert!(
        events.len() < 40_000 + 5_000,
        "{}: parts were read again",
        events.len()
    );
    db.sql("vacuum full t");
    let mut source = db.open_again(&more, position).await;
    let events = snapshot(&mut source).await;
    assert_eq!(events.len(), 40_000, "all of the new file");
    source.close().await;
}

/// A server that has no connection left for all of them is read by those that it lets in.
#[tokio::test]
async fn fewer_connections_than_wanted_are_enough() {
    let db = Database::new(PgVersion::V18);
    let few = format!("few_{}", db.name);
    db.sql(&format!(
        "create table t (id int primary key, v text); insert into t select i, repeat('v', 100) from generate_series(1, 20000) i;
         create role {few} login connection limit 4 password 'few'; grant select on t to {few}"
    ));
    let more = [
        ("snapshot.max.threads", "8"),
        ("database.user", few.as_str()),
        ("database.password", "few"),
        ("snapshot.mode", "initial_only"),
    ];
    let mut source = db.open(&more, None).await;
    assert_eq!(snapshot(&mut source).await.len(), 20_000);
    source.close().await;
    db.sql(&format!("drop owned by {few}; drop role {few}"));
}
