//! Incremental snapshots: every row, none staler than what came before it, on both kinds of watermark.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stack::PgVersion;

use crate::harness::{Database, Event, Source};

const SIGNALS: &str = "create table signals (id text primary key, type text, data text);";
const ON: [(&str, &str); 3] = [
    ("snapshot.mode", "no_data"),
    ("signal.data.collection", "public.signals"),
    ("incremental.snapshot.chunk.size", "10"),
];

fn execute(db: &Database, data: &str) {
    db.sql(&format!(
        "insert into signals values ('go', 'execute-snapshot', '{data}')"
    ));
}

/// The records of a table.
fn of<'a>(events: &'a [Event], table: &str) -> Vec<&'a Event> {
    let topic = format!("t.public.{table}");
    events.iter().filter(|event| event.topic == topic).collect()
}

fn reads(events: &[Event], table: &str) -> Vec<i64> {
    let reads = of(events, table).into_iter().filter(|e| e.op() == "r");
    reads.map(|e| e.key["id"].as_i64().unwrap()).collect()
}

/// Up to the end of an incremental snapshot, as its offset tells it.
async fn whole(source: &mut Source) -> Vec<Event> {
    let mut events = source
        .take_until(|events| !of(events, "signals").is_empty())
        .await;
    loop {
        let offset = source.position.as_ref().unwrap().offset.to_string();
        if !offset.contains("incremental_snapshot_collections") {
            return events;
        }
        events.extend(source.poll().await.unwrap());
    }
}

#[tokio::test]
async fn a_signal_reads_a_table_in_chunks() {
    for more in [
        (
            "incremental.snapshot.watermarking.strategy",
            "insert_insert",
        ),
        (
            "incremental.snapshot.watermarking.strategy",
            "insert_delete",
        ),
        ("read.only", "true"),
    ] {
        let db = Database::new(PgVersion::V15);
        db.sql(SIGNALS);
        db.sql("create table a (id int primary key, v text); insert into a select i, 'v' || i from generate_series(1, 25) i;
                create table b (id int, n int not null, primary key (n, id)); insert into b select i % 7, i from generate_series(1, 25) i;
                create table empty (id int primary key); create table keyless (id int)");
        let mut config = ON.to_vec();
        config.push(more);
        let mut source = db.open(&config, None).await;
        execute(
            &db,
            r#"{"data-collections": ["public.(a|b|empty|keyless|missing)"]}"#,
        );
        let events = whole(&mut source).await;
        assert_eq!(
            reads(&events, "a"),
            (1..=25).collect::<Vec<i64>>(),
            "{more:?}"
        );
        let b = of(&events, "b");
        let n: Vec<i64> = b.iter().map(|e| e.key["n"].as_i64().unwrap()).collect();
        assert_eq!(n, (1..=25).collect::<Vec<i64>>(), "in the order of the key");
        let source_block = &of(&events, "a")[0].value["source"];
        assert_eq!(source_block["snapshot"], "incremental");
        assert_eq!(of(&events, "a")[0].after()["v"], "v1");
        source.close().await;
    }
}

/// What a consumer has at the end.
fn apply(rows: &mut BTreeMap<i64, Value>, events: &[Event]) {
    for event in of(events, "a") {
        let id = event.key["id"].as_i64().unwrap();
        match event.op() {
            "d" | "tombstone" => rows.remove(&id),
            _ => rows.insert(id, event.after()["v"].clone()),
        };
    }
}

fn table(db: &Database) -> BTreeMap<i64, Value> {
    let rows = db.sql("select id, v from a order by id");
    let pair = |line: &str| {
        let (id, v) = line.split_once('|').unwrap();
        (id.parse().unwrap(), json!(v))
    };
    rows.lines().map(pair).collect()
}

/// Changes, removes, adds and moves rows of `a` on a thread of its own.
fn changes(db: &Database) -> std::thread::JoinHandle<stack::Result<String>> {
    let name = db.name.clone();
    let server = db.server.clone();
    std::thread::spawn(move || {
        let (base, _) = server
            .url()
            .rsplit_once('/')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        server.psql_at(
            &format!("{base}/{name}"),
            "do $$ begin for i in 1..1500 loop
               update a set v = 'u' || i where id = 1 + (i * 37) % 400;
               delete from a where id = 1 + (i * 53) % 400 and i % 3 = 0;
               insert into a values (1 + (i * 53) % 400, 'n' || i) on conflict do nothing;
               update a set id = 1000 + i where id = 1 + (i * 11) % 400 and i % 5 = 0;
               commit; end loop; end $$",
        )
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_meanwhile_is_never_overwritten_also_over_crashes() {
    for read_only in ["false", "true"] {
        let db = Database::new(PgVersion::V15);
        db.sql(SIGNALS);
        db.sql("create table a (id int primary key, v text); insert into a select i, 'old' from generate_series(1, 400) i");
        let mut config = ON.to_vec();
        config.push(("read.only", read_only));
        let mut source = db.open(&config, None).await;
        execute(&db, r#"{"data-collections": ["public.a"]}"#);
        let writer = changes(&db);
        let (mut rows, mut durable, mut restarts) = (BTreeMap::new(), None, 0);
        loop {
            let events = source.poll().await.unwrap();
            apply(&mut rows, &events);
            let offset = source.position.as_ref().map(|p| p.offset.to_string());
            let runs = offset.is_some_and(|o| o.contains("incremental_snapshot_collections"));
            // The task dies with its last position durable, and with an older one.
            if runs && restarts < 5 && !events.is_empty() {
                restarts += 1;
                let stored = match restarts % 2 {
                    0 => source.position.clone(),
                    _ => durable.clone().or(source.position.clone()),
                };
                // The server may forget what is before it from now on.
                durable.clone_from(&stored);
                drop(source);
                source = db.open_again(&config, stored).await;
                continue;
            }
            durable = source.position.clone();
            if !runs && writer.is_finished() && restarts > 0 && events.is_empty() {
                break;
            }
        }
        writer.join().unwrap().unwrap();
        db.sql("insert into signals values ('end', 'log', '{\"message\": \"at {}\"}')");
        let rest = source
            .take_until(|events| of(events, "signals").iter().any(|e| e.key["id"] == "end"))
            .await;
        apply(&mut rows, &rest);
        assert_eq!(rows, table(&db), "read.only={read_only}");
        assert!(restarts >= 2, "{restarts} restarts");
        source.close().await;
    }
}

#[tokio::test]
async fn conditions_surrogates_pause_stop_and_nonsense() {
    let db = Database::new(PgVersion::V18);
    db.sql(SIGNALS);
    db.sql("create table a (id int primary key, v text, n int); insert into a select i, 'v' || i, i % 3 from generate_series(1, 60) i;
            create table k (n int not null, v text); insert into k select i % 4, 'x' from generate_series(1, 60) i");
    let mut config = ON.to_vec();
    config.extend([
        ("notification.enabled.channels", "sink,log"),
        ("notification.sink.topic.name", "told"),
    ]);
    let mut source = db.open(&config, None).await;
    execute(
        &db,
        r#"{"data-collections": ["public.a"], "additional-conditions": [{"data-collection": "public.a", "filter": "n = 0 or n = 1"}]}"#,
    );
    let events = whole(&mut source).await;
    let expected: Vec<i64> = (1..=60).filter(|id| id % 3 < 2).collect();
    assert_eq!(reads(&events, "a"), expected);
    db.sql("insert into signals values ('2', 'execute-snapshot', '{\"data-collections\": [\"public.k\"], \"surrogate-key\": \"n\"}')");
    let events = source
        .take_until(|events| told(events).contains(&"COMPLETED".to_owned()))
        .await;
    assert_eq!(
        of(&events, "k").len(),
        60,
        "rows that are equal in the surrogate too"
    );
    for (kind, data) in [
        ("execute-snapshot", "{"),
        ("dance", "{}"),
        ("execute-snapshot", r#"{"data-collections": []}"#),
    ] {
        db.sql(&format!(
            "insert into signals values (gen_random_uuid(), '{kind}', '{data}')"
        ));
    }
    let events = source.take_until(|events| told(events).len() >= 3).await;
    assert_eq!(told(&events), ["REJECTED", "REJECTED", "REJECTED"]);
    db.sql("insert into signals values ('3', 'execute-snapshot', '{\"data-collections\": [\"public.a\", \"public.k\"]}');
            insert into signals values ('p', 'pause-snapshot', '')");
    let events = source
        .take_until(|events| told(events).contains(&"PAUSED".to_owned()))
        .await;
    let stored = source.position.clone();
    drop(source);
    let mut source = db.open_again(&config, stored).await;
    db.sql("insert into signals values ('s', 'stop-snapshot', '{\"data-collections\": [\"public.k\"]}'), ('r', 'resume-snapshot', '')");
    let more = source
        .take_until(|events| told(events).contains(&"COMPLETED".to_owned()))
        .await;
    let told = told(&more);
    assert!(
        told.contains(&"ABORTED".to_owned()) && told.contains(&"RESUMED".to_owned()),
        "{told:?}"
    );
    let mut ids = reads(&events, "a");
    ids.extend(reads(&more, "a"));
    assert_eq!(ids, (1..=60).collect::<Vec<i64>>());
    assert!(of(&more, "k").is_empty());
    source.close().await;
}

fn told(events: &[Event]) -> Vec<String> {
    let told = events.iter().filter(|event| event.topic == "told");
    told.map(|event| event.value["type"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_blocking_snapshot_pauses_the_stream_and_survives_a_crash() {
    let db = Database::new(PgVersion::V15);
    db.sql(SIGNALS);
    db.sql("create table a (id int primary key, v text); insert into a select i, 'v' || i from generate_series(1, 2000) i;
            create table b (id int primary key, v text); insert into b values (1, 'x'), (2, 'y')");
    let mut source = db.open(&ON, None).await;
    db.sql("insert into a values (0, 'before'); update a set v = 'changed' where id = 7");
    let data = r#"{"type": "blocking", "data-collections": ["public.(a|b)"],
        "additional-conditions": [{"data-collection": "public.b", "filter": "select * from public.b where id = 2;"}]}"#;
    execute(&db, data);
    db.sql("update a set v = 'later' where id = 8");
    let mut events = source
        .take_until(|events| !reads(events, "a").is_empty())
        .await;
    assert!(reads(&events, "a").len() < 2000, "it has just begun");
    let stored = source.position.clone();
    drop(source);
    let mut source = db.open_again(&ON, stored).await;
    source.streams(|more, _| events.extend(more)).await;
    db.sql("insert into a values (-1, 'behind')");
    let end = |events: &[Event]| of(events, "a").iter().any(|e| e.key["id"] == -1);
    events.extend(source.take_until(end).await);
    let mut ids = reads(&events, "a");
    ids.sort_unstable();
    assert!(
        ids == (0..=2000).collect::<Vec<i64>>(),
        "{} rows",
        ids.len()
    );
    assert_eq!(reads(&events, "b"), [2]);
    let mut rows = BTreeMap::new();
    apply(&mut rows, &events);
    assert_eq!(rows, table(&db));
    let marked = of(&events, "b")[0].value["source"]["snapshot"].clone();
    assert_eq!(marked, "last");
    source.close().await;
}

#[tokio::test]
async fn signals_come_by_file_and_by_message() {
    let db = Database::new(PgVersion::V15);
    db.sql("create table a (id int primary key, v text); insert into a values (1, 'x'), (2, 'y')");
    let folder = std::env::temp_dir().join(&db.name);
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("signals.txt");
    let path = file.to_str().unwrap().to_owned();
    let signal = |id: &str| {
        json!({"id": id, "type": "execute-snapshot", "data": {"data-collections": ["public.a"]}})
            .to_string()
    };
    let config = [
        ("snapshot.mode", "no_data"),
        ("read.only", "true"),
        ("signal.enabled.channels", "file"),
        ("signal.file", &path),
        ("signal.poll.interval.ms", "50"),
        ("notification.enabled.channels", "sink"),
        ("notification.sink.topic.name", "told"),
    ];
    let mut source = db.open(&config, None).await;
    std::fs::write(&file, format!("no signal\n\n{}\n", signal("one"))).unwrap();
    let done = |events: &[Event]| told(events).contains(&"COMPLETED".to_owned());
    let events = source.take_until(done).await;
    assert_eq!(reads(&events, "a"), [1, 2]);
    assert_eq!(told(&events)[..3], ["SKIPPED", "REJECTED", "STARTED"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "", "it is emptied");
    assert!(source.outside.inbox().is_attended());
    assert!(source.outside.inbox().put(signal("two")));
    let events = source.take_until(done).await;
    assert_eq!(reads(&events, "a"), [1, 2]);
    assert!(
        events
            .iter()
            .any(|e| e.topic == "told" && e.key["id"] == "two")
    );
    source.close().await;
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_table_can_be_altered_and_emptied_while_it_is_read() {
    let db = Database::new(PgVersion::V18);
    db.sql(SIGNALS);
    db.sql("create table a (id int primary key, v text); insert into a select i, 'x' from generate_series(1, 100) i;
            create table b (id int primary key, v text); insert into b select i, 'x' from generate_series(1, 100) i");
    let mut source = db.open(&ON, None).await;
    execute(&db, r#"{"data-collections": ["public.a", "public.b"]}"#);
    let mut events = source
        .take_until(|events| reads(events, "a").len() >= 20)
        .await;
    // Between two polls a window is open: what follows comes before it closes, or behind it.
    db.sql("alter table a add w int not null default 7; update a set v = 'y' where id in (1, 35, 36, 99)");
    events.extend(
        source
            .take_until(|events| reads(events, "b").len() >= 20)
            .await,
    );
    db.sql("truncate b; insert into b values (1, 'new'), (77, 'new'), (200, 'new')");
    events.extend(whole(&mut source).await);
    db.sql("insert into b values (300, 'last')");
    let last = |events: &[Event]| of(events, "b").iter().any(|e| e.key["id"] == 300);
    events.extend(source.take_until(last).await);
    let has_w = |event: &&Event| event.after().get("w").is_some();
    let a = of(&events, "a");
    let first = a.iter().position(has_w).unwrap();
    assert!(
        a[first..].iter().all(has_w),
        "no row of the old shape behind one of the new"
    );
    let mut ids = reads(&events, "a");
    ids.extend(
        a.iter()
            .filter(|e| e.op() == "u")
            .map(|e| e.key["id"].as_i64().unwrap()),
    );
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids, (1..=100).collect::<Vec<i64>>());
    // Behind the first row that came after the truncate nothing older comes.
    let b = of(&events, "b");
    let new = b.iter().position(|e| e.after()["v"] == "new").unwrap();
    assert!(b[new..].iter().all(|e| e.after()["v"] != "x"));
    source.close().await;
}
