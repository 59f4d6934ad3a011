//! Snapshots by several connections: every row once, marked as by one, resumable part by part, as of one moment.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use connect_core::{Batch, SourceTask, Value};
use stack::{Mysql, MysqlVersion, Stack};

use super::{
    VERSIONS, block_on,
    history::{Event, Topic, again, rows},
    soon,
};

/// A table, its columns, its key, the key's values from `i`, and how many rows it has.
type Table = (&'static str, &'static str, &'static str, &'static str, u32);

/// Keys of every kind: numbers that are skewed, texts in the order of a language, in another character set, of bytes; times, dates
/// that never were, members of an enum, bits, decimals, floats; two columns of which one is nearly constant; no key; and tables
/// that are too small to be cut, or empty.
const TABLES: [Table; 16] = [
    (
        "a_skewed",
        "id BIGINT",
        "id",
        "IF(i < 4500, i, i * 1000000)",
        5000,
    ),
    (
        "b_texts",
        "n VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        "n",
        "CONCAT(ELT(1 + i % 7, 'a', 'B', 'ä', 'É', 'z', '''', 'o\\\\'), LEFT(SHA2(i, 256), 32))",
        5000,
    ),
    (
        "c_two",
        "tenant INT, at DATETIME(3)",
        "tenant, at",
        "IF(i % 100 = 0, i, 7), '2026-01-01' + INTERVAL i SECOND",
        5000,
    ),
    (
        "d_bytes",
        "id BINARY(16)",
        "id",
        "UNHEX(LEFT(SHA2(i, 256), 32))",
        5000,
    ),
    (
        "e_latin",
        "n VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_german2_ci",
        "n",
        "CONCAT(ELT(1 + i % 4, 'ä', 'ß', 'o', 'Ü'), LEFT(SHA2(i, 256), 32))",
        5000,
    ),
    (
        "f_sjis",
        "n VARCHAR(40) CHARACTER SET sjis",
        "n",
        "CONCAT(ELT(1 + i % 3, 'あ', '表', 'ソ'), LEFT(SHA2(i, 256), 32))",
        1500,
    ),
    (
        "g_dates",
        "d DATE, t TIME(6), y YEAR",
        "d, t, y",
        "ELT(1 + i % 4, '0000-00-00', '2026-02-30', '1999-12-31', '2026-00-01'), SEC_TO_TIME(i - 700.5), ELT(1 + i % 3, 0, 1970, 2155)",
        1500,
    ),
    (
        "h_members",
        "e ENUM('z','a','m'), b BIT(12), s SET('x','b')",
        "e, b, s",
        "1 + i % 3, i, ELT(1 + i % 4, '', 'x', 'b', 'x,b')",
        1500,
    ),
    (
        "i_decimals",
        "n DECIMAL(20,5)",
        "n",
        "(i - 700) * 1.00001",
        1500,
    ),
    ("j_floats", "f FLOAT", "f", "i * 0.1", 1500),
    (
        "k_unsigned",
        "id BIGINT UNSIGNED",
        "id",
        "18446744073709551615 - i * 1000",
        5000,
    ),
    (
        "l_stamps",
        "at TIMESTAMP(6) NOT NULL DEFAULT '2020-01-01 00:00:00', z INT(6) UNSIGNED ZEROFILL",
        "z, at",
        "i DIV 10, '2026-03-29 00:59:00' + INTERVAL i SECOND",
        1500,
    ),
    ("m_keyless", "id INT", "", "i", 5000),
    (
        "n_negative",
        "id TINYINT, j INT",
        "id, j",
        "i % 200 - 100, i",
        5000,
    ),
    ("o_small", "id INT", "id", "i", 10),
    ("z_empty", "id INT", "id", "i", 0),
];

fn prepare(mysql: &Mysql) {
    let mut sql = String::from(
        "SET sql_mode = 'ALLOW_INVALID_DATES';
         CREATE TABLE nums (i INT PRIMARY KEY); INSERT INTO nums VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10);
         INSERT INTO nums SELECT a.i + 10 * b.i FROM nums a, nums b WHERE b.i < 10;
         INSERT INTO nums SELECT a.i + 100 * b.i FROM nums a, nums b WHERE b.i < 50 OR b.i = 50 AND a.i = 0;",
    );
    for (name, columns, key, values, count) in TABLES {
        let primary = match key {
            "" => String::new(),
            key => format!(", PRIMARY KEY ({key})"),
        };
        let names: Vec<&str> = columns
            .split(", ")
            .filter_map(|c| c.split(' ').next())
            .collect();
        let names = match key {
            "" => names.join(", "),
            key => key.to_owned(),
        };
        sql.push_str(&format!(
            "CREATE TABLE {name} ({columns}, v INT, pad VARCHAR(400){primary});
             INSERT INTO {name} ({names}, v, pad) SELECT {values}, i, REPEAT('p', 300) FROM nums WHERE i <= {count};
             ANALYZE TABLE {name};"
        ));
    }
    mysql.sql(&sql).unwrap();
}

const CAPTURED: (&str, &str) = ("table.exclude.list", "inventory\\.nums");
/// A date that never was is no key of a record, though it is one of a table.
const KEYS: (&str, &str) = ("message.key.columns", "inventory.g_dates:v");

/// How often each row was read, by table and `v`.
fn counts(events: &[Event]) -> BTreeMap<(String, i64), usize> {
    let mut counts = BTreeMap::new();
    for event in events {
        assert_eq!(event.op, "r");
        let row = (event.topic.clone(), event.version.unwrap());
        *counts.entry(row).or_default() += 1;
    }
    counts
}

fn expected() -> BTreeMap<(String, i64), usize> {
    let rows = TABLES.iter().flat_map(|(name, _, _, _, count)| {
        (1..=i64::from(*count)).map(move |v| ((format!("t.inventory.{name}"), v), 1))
    });
    rows.collect()
}

fn assert_all_once(events: &[Event], told: &str) {
    let (counts, expected) = (counts(events), expected());
    let differ = counts
        .iter()
        .filter(|(row, count)| expected.get(*row) != Some(*count));
    let differ: Vec<_> = differ.take(5).collect();
    let missing = expected.keys().filter(|row| !counts.contains_key(*row));
    let missing: Vec<_> = missing.take(5).collect();
    assert!(
        differ.is_empty() && missing.is_empty(),
        "{told}: {differ:?}, missing: {missing:?}"
    );
}

/// Row and mark of all rows with a mark of their own.
fn marked(events: &[Event]) -> Vec<(String, Option<i64>, String)> {
    let marked = events.iter().filter(|event| event.mark != "true");
    let mut marked: Vec<_> = marked
        .map(|event| (event.topic.clone(), event.version, event.mark.clone()))
        .collect();
    marked.sort();
    marked
}

#[test]
fn several_connections_read_what_one_reads() {
    for version in VERSIONS {
        let stack = Stack::new().unwrap();
        let mysql = stack.mysql(version).unwrap();
        prepare(&mysql);
        block_on(async {
            let one = rows(&mysql, version, &[CAPTURED, KEYS]).await;
            assert_all_once(&one, &format!("{version}"));
            for (threads, multiplier) in [("2", "1"), ("4", "3"), ("1", "4")] {
                let more = [
                    CAPTURED,
                    KEYS,
                    ("snapshot.max.threads", threads),
                    ("snapshot.max.threads.multiplier", multiplier),
                ];
                let several = rows(&mysql, version, &more).await;
                assert_all_once(&several, &format!("{version}: {threads}"));
                let keyed = |events: &[Event]| {
                    let mut marked = marked(events);
                    marked.retain(|(topic, ..)| {
                        topic != "t.inventory.m_keyless" && topic != "t.inventory.j_floats"
                    });
                    marked
                };
                assert_eq!(keyed(&several), keyed(&one), "{version}: {threads}");
            }
        });
    }
}

/// It stops behind every batch, everything durable: no row comes twice, except those of tables that are read whole.
async fn resumed_at_every_batch(mysql: &Mysql, version: MysqlVersion, more: &[(&str, &str)]) {
    let mut topic = Topic::default();
    let mut stored = Default::default();
    let mut tries = 0;
    while topic.positions() == 0 || topic.offset().contains("\"snapshot\"") {
        let mut source = again(mysql, version, more, &stored).await;
        let before = topic.events.len();
        while topic.events.len() == before
            && (topic.positions() == 0 || topic.offset().contains("\"snapshot\""))
        {
            topic.poll(&mut source).await;
        }
        // A table without key is read to its end.
        let is_whole =
            |event: &Event| event.topic.ends_with("m_keyless") || event.topic.ends_with("j_floats");
        while topic.events.last().is_some_and(is_whole) && topic.offset().contains("\"snapshot\"") {
            topic.poll(&mut source).await;
        }
        drop(source);
        let len = topic.events.len();
        stored = topic.die(topic.positions());
        assert_eq!(topic.events.len(), len);
        tries += 1;
    }
    assert!(tries > 50, "{tries} tries");
    let told = format!("{version}: {more:?}");
    let is_keyed =
        |event: &&Event| !event.topic.ends_with("m_keyless") && !event.topic.ends_with("j_floats");
    let keyed: Vec<Event> = topic.events.iter().filter(is_keyed).cloned().collect();
    let mut expected = expected();
    expected.retain(|(topic, _), _| !topic.ends_with("m_keyless") && !topic.ends_with("j_floats"));
    let counts = counts(&keyed);
    let differ: Vec<_> = expected
        .iter()
        .filter(|(row, count)| counts.get(*row) != Some(*count))
        .take(5)
        .collect();
    assert!(
        differ.is_empty() && counts.len() == expected.len(),
        "{told}: {differ:?}"
    );
}

#[test]
fn a_snapshot_goes_on_behind_every_batch() {
    for version in VERSIONS {
        let stack = Stack::new().unwrap();
        let mysql = stack.mysql(version).unwrap();
        prepare(&mysql);
        block_on(resumed_at_every_batch(&mysql, version, &[CAPTURED, KEYS]));
    }
}

/// What changes while they read is not seen by any of them, but streamed; whatever may be locked.
#[test]
fn all_connections_see_the_same_moment() {
    for version in VERSIONS {
        let stack = Stack::new().unwrap();
        let mysql = stack.mysql(version).unwrap();
        mysql
            .sql(
                "CREATE TABLE a (id INT PRIMARY KEY, v INT, pad VARCHAR(300)); CREATE TABLE b LIKE a; CREATE TABLE c LIKE a;
                 INSERT INTO a SELECT 1 + x.i + 10 * y.i + 100 * z.i, 0, REPEAT('p', 300) FROM
                 (SELECT 0 i UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) x,
                 (SELECT 0 i UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) y,
                 (SELECT 0 i UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4) z;
                 INSERT INTO b SELECT * FROM a; INSERT INTO c SELECT * FROM a; CREATE TABLE stop (id INT)",
            )
            .unwrap();
        let done = Arc::new(AtomicBool::new(false));
        let writer = write(mysql.clone(), Arc::clone(&done));
        block_on(async {
            for locking in ["minimal", "none"] {
                let more = [
                    ("snapshot.max.threads", "4"),
                    ("snapshot.locking.mode", locking),
                ];
                let events = rows(&mysql, version, &more).await;
                // Each transaction sets all rows of all tables to the same number.
                let seen: Vec<i64> = events.iter().filter_map(|event| event.version).collect();
                assert_eq!(seen.len(), 1500, "{version}");
                assert!(
                    seen.iter().all(|v| *v == seen[0]),
                    "{version}, {locking}: torn"
                );
            }
        });
        done.store(true, Ordering::Relaxed);
        writer.join().unwrap();
    }
}

/// Writes without a pause until it is told to stop.
fn write(mysql: Mysql, done: Arc<AtomicBool>) -> thread::JoinHandle<()> {
    let step =
        "BEGIN; UPDATE a SET v = v + 1; UPDATE b SET v = v + 1; UPDATE c SET v = v + 1; COMMIT;";
    thread::spawn(move || {
        while !done.load(Ordering::Relaxed) {
            mysql.sql(&step.repeat(20)).unwrap();
        }
    })
}

/// A server that has no connection left for all of them is read by those that it lets in.
#[test]
fn fewer_connections_than_wanted_are_enough() {
    for version in [MysqlVersion::V97, MysqlVersion::Mariadb1011] {
        let stack = Stack::new().unwrap();
        let mysql = stack.mysql(version).unwrap();
        prepare(&mysql);
        mysql
            .sql(
                "CREATE USER few IDENTIFIED BY 'few' WITH MAX_USER_CONNECTIONS 4;
                 GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO few",
            )
            .unwrap();
        let more = [
            CAPTURED,
            KEYS,
            ("snapshot.max.threads", "8"),
            ("database.user", "few"),
            ("database.password", "few"),
        ];
        block_on(async {
            let events = rows(&mysql, version, &more).await;
            assert_all_once(&events, &format!("{version}"));
        });
    }
}

/// How many parts each table was read in, as notifications tell.
async fn parts(mysql: &Mysql, version: MysqlVersion) -> BTreeMap<String, String> {
    let more = [
        CAPTURED,
        KEYS,
        ("snapshot.max.threads", "2"),
        ("snapshot.max.threads.multiplier", "3"),
        ("snapshot.mode", "initial_only"),
        ("notification.enabled.channels", "sink"),
        ("notification.sink.topic.name", "told"),
    ];
    let mut source = again(mysql, version, &more, &Default::default()).await;
    let (mut parts, mut is_complete) = (BTreeMap::new(), false);
    while !is_complete {
        let mut batch = Batch::default();
        soon(source.task.poll(&mut batch)).await.unwrap();
        for row in batch.rows().filter(|row| &**row.topic() == "told") {
            let value = row.value().to_value();
            is_complete |= value.get("type").and_then(Value::as_str) == Some("COMPLETED");
            let data = value.get("additional_data").unwrap();
            let text = |name: &str| data.get(name).and_then(Value::as_str).map(str::to_owned);
            parts.extend(text("scanned_collection").zip(text("total_chunks")));
        }
    }
    source.close().await;
    parts
}

#[test]
fn large_tables_are_cut_whatever_their_keys_are() {
    for version in VERSIONS {
        let stack = Stack::new().unwrap();
        let mysql = stack.mysql(version).unwrap();
        prepare(&mysql);
        let parts = block_on(parts(&mysql, version));
        for (name, least) in [
            ("a_skewed", 4),
            ("b_texts", 4),
            ("c_two", 4),
            ("d_bytes", 4),
            ("e_latin", 4),
            ("k_unsigned", 4),
            ("n_negative", 4),
        ] {
            let told: usize = parts[&format!("inventory.{name}")].parse().unwrap();
            assert!((least..=9).contains(&told), "{version}: {name}: {told}");
        }
        for name in ["j_floats", "m_keyless", "o_small", "z_empty"] {
            assert_eq!(
                parts[&format!("inventory.{name}")],
                "1",
                "{version}: {name}"
            );
        }
    }
}
