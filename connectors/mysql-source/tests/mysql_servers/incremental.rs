//! Incremental snapshots: every row, none staler than what came before it, on all kinds of watermark and of key.

use std::collections::BTreeMap;

use connect_core::{Batch, Position, SourceTask, Value};
use stack::{Mysql, MysqlOptions, MysqlVersion, Stack};

use super::{
    VERSIONS, block_on, soon,
    tasks::{Source, open, told},
};

const SIGNALS: &str =
    "CREATE TABLE signals (id VARCHAR(64) PRIMARY KEY, type VARCHAR(32), data TEXT)";
const ON: [(&str, &str); 4] = [
    ("snapshot.mode", "no_data"),
    ("signal.data.collection", "inventory.signals"),
    ("incremental.snapshot.chunk.size", "10"),
    ("notification.enabled.channels", "sink"),
];
const TOLD: (&str, &str) = ("notification.sink.topic.name", "told");
/// Numbers from 1 on.
const NUMBERS: &str = "CREATE TABLE digits (d INT); INSERT INTO digits VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9);
    CREATE VIEW numbers AS SELECT a.d + 10 * b.d + 100 * c.d + 1 AS n FROM digits a, digits b, digits c";

/// A record: its topic, and what it tells; of a notification its type.
#[derive(Debug)]
struct Event {
    topic: String,
    told: String,
    place: String,
}

async fn poll(source: &mut Source) -> Vec<Event> {
    let mut batch = Batch::default();
    soon(source.task.poll(&mut batch)).await.unwrap();
    source.stands(&batch);
    let event = |row: connect_core::batch::Row<'_>| {
        let topic = row.topic().to_string();
        let value = row.value().to_value();
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let told = match topic.as_str() {
            "told" => text(value.get("type")).unwrap_or_default(),
            _ => told(row),
        };
        let place = text(value.get("source").and_then(|s| s.get("snapshot")));
        Event {
            topic,
            told,
            place: place.unwrap_or_default(),
        }
    };
    batch.rows().map(event).collect()
}

async fn until(source: &mut Source, end: impl Fn(&[Event]) -> bool) -> Vec<Event> {
    let mut events = Vec::new();
    while !end(&events) {
        events.extend(poll(source).await);
    }
    events
}

fn is_running(source: &Source) -> bool {
    let offset = source.position.as_ref().map(|p| p.offset.to_string());
    offset.is_some_and(|offset| offset.contains("incremental_snapshot_collections"))
}

/// Up to the end of an incremental snapshot.
async fn whole(source: &mut Source) -> Vec<Event> {
    until(source, |events| notified(events, "COMPLETED")).await
}

fn notified(events: &[Event], kind: &str) -> bool {
    let is_it = |event: &Event| event.topic == "told" && event.told == kind;
    events.iter().any(is_it)
}

fn of<'a>(events: &'a [Event], table: &str) -> Vec<&'a Event> {
    let topic = format!("t.inventory.{table}");
    events.iter().filter(|event| event.topic == topic).collect()
}

/// The ids that were read of a table.
fn reads(events: &[Event], table: &str) -> Vec<String> {
    let of = of(events, table).into_iter();
    let read = of.filter_map(|event| event.told.strip_prefix("r "));
    read.map(|told| told.split(' ').next().unwrap().to_owned())
        .collect()
}

fn numbers(range: std::ops::RangeInclusive<i64>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

fn execute(mysql: &Mysql, data: &str) {
    signal(mysql, "execute-snapshot", data);
}

fn signal(mysql: &Mysql, kind: &str, data: &str) {
    let data = data.replace('\\', "\\\\");
    let sql = format!("INSERT INTO signals VALUES (UUID(), '{kind}', '{data}')");
    mysql.sql(&sql).unwrap();
}

fn prepared(stack: &Stack, options: MysqlOptions) -> Mysql {
    let mysql = stack.mysql_with(options).unwrap();
    mysql.sql(SIGNALS).unwrap();
    mysql.sql(NUMBERS).unwrap();
    mysql
}

fn config<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut config = ON.to_vec();
    config.push(TOLD);
    config.extend(more);
    config
}

const TABLES: &str = "CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(9)); INSERT INTO a SELECT n, CONCAT('v', n) FROM numbers WHERE n <= 25;
    CREATE TABLE b (id INT, v INT NOT NULL, PRIMARY KEY (v, id)); INSERT INTO b SELECT n % 7, n FROM numbers WHERE n <= 25;
    CREATE TABLE nothing (id INT PRIMARY KEY); CREATE TABLE keyless (id INT); INSERT INTO keyless VALUES (1)";

fn reads_in_chunks(options: MysqlOptions, version: MysqlVersion, mores: &[(&str, &str)]) {
    let stack = Stack::new().unwrap();
    let mysql = prepared(&stack, options);
    mysql.sql(TABLES).unwrap();
    block_on(async {
        for more in mores {
            let mut source = open(&mysql, version, &config(&[*more]), None).await;
            poll(&mut source).await;
            execute(
                &mysql,
                r#"{"data-collections": ["inventory\\.(a|b|nothing|keyless)", "inventory.missing"]}"#,
            );
            let events = whole(&mut source).await;
            assert_eq!(reads(&events, "a"), numbers(1..=25), "{version} {more:?}");
            let rows: Vec<&str> = of(&events, "b").iter().map(|e| e.told.as_str()).collect();
            let expected: Vec<String> = (1..=25).map(|n| format!("r {} {n}", n % 7)).collect();
            assert_eq!(rows, expected, "in the order of the key");
            assert_eq!(of(&events, "a")[0].told, "r 1 v1");
            assert_eq!(of(&events, "a")[0].place, "incremental");
            assert!(reads(&events, "keyless").is_empty() && !is_running(&source));
            source.close().await;
        }
    });
}

const WATERMARKS: [(&str, &str); 3] = [
    (
        "incremental.snapshot.watermarking.strategy",
        "insert_insert",
    ),
    (
        "incremental.snapshot.watermarking.strategy",
        "insert_delete",
    ),
    ("read.only", "true"),
];

#[test]
fn a_signal_reads_a_table_in_chunks() {
    for version in VERSIONS {
        reads_in_chunks(MysqlOptions::new(version), version, &WATERMARKS);
    }
}

#[test]
fn without_ids_marks_tell_what_is_visible() {
    let version = MysqlVersion::V97;
    let options = || {
        MysqlOptions::new(version)
            .set("gtid_mode", "OFF")
            .set("enforce_gtid_consistency", "OFF")
    };
    reads_in_chunks(options(), version, &WATERMARKS[..2]);
    let stack = Stack::new().unwrap();
    let mysql = prepared(&stack, options());
    block_on(async {
        let mut source = open(&mysql, version, &config(&[("read.only", "true")]), None).await;
        poll(&mut source).await;
        execute(&mysql, r#"{"data-collections": ["inventory.digits"]}"#);
        until(&mut source, |events| notified(events, "REJECTED")).await;
        source.close().await;
    });
}

/// Keys that the server orders in other ways than their texts.
const KEYS: [(&str, &str); 14] = [
    ("tiny", "TINYINT|n - 20"),
    ("big", "BIGINT UNSIGNED|18446744073709551615 - n"),
    ("decimals", "DECIMAL(10,3)|n / 8"),
    ("floats", "FLOAT|n / 7"),
    ("doubles", "DOUBLE|n / 7"),
    ("dates", "DATE|DATE_ADD('1999-12-20', INTERVAL n DAY)"),
    (
        "moments",
        "DATETIME(6)|DATE_ADD('1999-12-20 23:59:59.5', INTERVAL n * 1100 MICROSECOND)",
    ),
    (
        "stamps",
        "TIMESTAMP(3)|DATE_ADD('2026-03-29 01:59:40', INTERVAL n SECOND)",
    ),
    ("times", "TIME(1)|SEC_TO_TIME(n * 3000 - 70000)"),
    ("years", "YEAR|1990 + n"),
    (
        "texts",
        "VARCHAR(40) COLLATE utf8mb4_general_ci|CONCAT(IF(n % 2, 'ä''', 'Z\\\\'), n)",
    ),
    (
        "latins",
        "CHAR(10) CHARACTER SET latin1 COLLATE latin1_swedish_ci|CONCAT('Ö', n)",
    ),
    ("bytes", "VARBINARY(20)|UNHEX(LPAD(HEX(n * 7919), 8, '0'))"),
    ("bits", "BIT(12)|n * 100"),
];
const MEMBERS: &str = "CREATE TABLE members (id ENUM('z','y','x','w','v','u','t','s','r','q','p','o','n','m','l','k','j','i','h','g','f','e','d','c','b','a') PRIMARY KEY, v INT);
    INSERT INTO members SELECT n, n FROM numbers WHERE n <= 26;
    CREATE TABLE sets (id SET('c','b','a','d','e') PRIMARY KEY, v INT); INSERT INTO sets SELECT n, n FROM numbers WHERE n <= 31";

#[test]
fn every_kind_of_key_is_read_to_its_end() {
    for version in VERSIONS {
        let stack = Stack::new().unwrap();
        let mysql = prepared(&stack, MysqlOptions::new(version));
        for (table, kind) in KEYS {
            let (kind, value) = kind.split_once('|').unwrap();
            let sql = format!(
                "SET time_zone = '+00:00'; CREATE TABLE {table} (id {kind} PRIMARY KEY, v INT);
                 INSERT INTO {table} SELECT {value}, n FROM numbers WHERE n <= 40"
            );
            mysql.sql(&sql).unwrap();
        }
        mysql.sql(MEMBERS).unwrap();
        let names = KEYS.iter().map(|(table, _)| *table);
        let names: Vec<&str> = names.chain(["members", "sets"]).collect();
        block_on(async {
            let mut source = open(&mysql, version, &config(&[]), None).await;
            poll(&mut source).await;
            let wanted = format!(
                r#"{{"data-collections": ["inventory.({})"]}}"#,
                names.join("|")
            );
            execute(&mysql, &wanted);
            let events = whole(&mut source).await;
            for table in names {
                let rows = of(&events, table).into_iter();
                let rows = rows.map(|e| e.told.rsplit(' ').next().unwrap().parse().unwrap());
                let mut rows: Vec<i64> = rows.collect();
                rows.sort_unstable();
                let count = mysql.sql(&format!("SELECT COUNT(*) FROM {table}")).unwrap();
                let count: i64 = count.trim().parse().unwrap();
                assert_eq!(rows, (1..=count).collect::<Vec<i64>>(), "{version} {table}");
            }
            source.close().await;
        });
    }
}

/// What a consumer has at the end.
fn apply(rows: &mut BTreeMap<i64, String>, events: &[Event]) {
    for event in of(events, "a") {
        let mut words = event.told.splitn(3, ' ');
        let op = words.next().unwrap();
        let Some(id) = words.next().map(|id| id.parse().unwrap()) else {
            continue;
        };
        let v = words.next().unwrap_or_default();
        match op {
            "d" => rows.remove(&id),
            _ => rows.insert(id, v.rsplit('>').next().unwrap().to_owned()),
        };
    }
}

fn table(mysql: &Mysql) -> BTreeMap<i64, String> {
    let rows = mysql.sql("SELECT id, v FROM a").unwrap();
    let pair = |line: &str| {
        let (id, v) = line.split_once('\t').unwrap();
        (id.parse().unwrap(), v.to_owned())
    };
    rows.lines().map(pair).collect()
}

const WRITER: &str = "DELIMITER //
CREATE PROCEDURE work() BEGIN
  DECLARE i INT DEFAULT 1;
  WHILE i <= 1200 DO
    UPDATE a SET v = CONCAT('u', i) WHERE id = 1 + (i * 37) % 400;
    IF i % 3 = 0 THEN DELETE FROM a WHERE id = 1 + (i * 53) % 400; END IF;
    INSERT IGNORE INTO a VALUES (1 + (i * 53) % 400, CONCAT('n', i));
    IF i % 5 = 0 THEN UPDATE a SET id = 1000 + i WHERE id = 1 + (i * 11) % 400; END IF;
    SET i = i + 1;
  END WHILE;
END //";

fn never_stale(version: MysqlVersion, options: MysqlOptions, more: &[(&str, &str)]) {
    let stack = Stack::new().unwrap();
    let mysql = prepared(&stack, options);
    mysql
        .sql("CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(9)); INSERT INTO a SELECT n, 'old' FROM numbers WHERE n <= 400")
        .unwrap();
    mysql.sql(WRITER).unwrap();
    let config = config(more);
    block_on(async {
        let mut source = open(&mysql, version, &config, None).await;
        poll(&mut source).await;
        execute(&mysql, r#"{"data-collections": ["inventory.a"]}"#);
        let writing = mysql.clone();
        let writer = std::thread::spawn(move || writing.sql("CALL work()"));
        let (mut rows, mut durable, mut restarts) = (BTreeMap::new(), None::<Position>, 0);
        loop {
            let events = poll(&mut source).await;
            apply(&mut rows, &events);
            let runs = is_running(&source);
            // The task dies with its last position durable, and with an older one.
            if runs && restarts < 5 && !events.is_empty() {
                restarts += 1;
                let stored = match restarts % 2 {
                    0 => source.position.clone(),
                    _ => durable.clone().or(source.position.clone()),
                };
                durable.clone_from(&stored);
                drop(source);
                source = open(&mysql, version, &config, stored).await;
                continue;
            }
            durable.clone_from(&source.position);
            if !runs && writer.is_finished() && restarts > 0 && events.is_empty() {
                break;
            }
        }
        writer.join().unwrap().unwrap();
        mysql.sql("INSERT INTO a VALUES (0, 'last')").unwrap();
        let last = |events: &[Event]| of(events, "a").iter().any(|e| e.told == "c 0 last");
        apply(&mut rows, &until(&mut source, last).await);
        let mut expected = table(&mysql);
        // A small image of a row that got another key does not have what stayed the same.
        expected.retain(|id, _| rows.get(id).is_none_or(|v| v != "absent"));
        rows.retain(|_, v| v != "absent");
        assert_eq!(rows, expected, "{version} {more:?}");
        assert!(restarts >= 2, "{restarts} restarts");
        source.close().await;
    });
}

#[test]
fn what_changes_meanwhile_is_never_overwritten_also_over_crashes() {
    for version in VERSIONS {
        for read_only in ["false", "true"] {
            let more = [("read.only", read_only)];
            never_stale(version, MysqlOptions::new(version), &more);
        }
    }
}

#[test]
fn the_same_with_small_images_and_compressed_transactions() {
    let version = MysqlVersion::V97;
    let minimal = MysqlOptions::new(version)
        .set("binlog_row_image", "MINIMAL")
        .set("binlog_row_metadata", "MINIMAL");
    never_stale(
        version,
        minimal,
        &[("message.key.columns", "inventory.a:id")],
    );
    let compressed = MysqlOptions::new(version).set("binlog_transaction_compression", "ON");
    never_stale(version, compressed, &[]);
}

async fn refuses_nonsense(mysql: &Mysql, source: &mut Source) {
    for (kind, data) in [
        ("execute-snapshot", "{"),
        ("dance", "{}"),
        ("execute-snapshot", r#"{"data-collections": []}"#),
    ] {
        signal(mysql, kind, data);
    }
    let refused = |events: &[Event]| events.iter().filter(|e| e.told == "REJECTED").count() == 3;
    until(source, refused).await;
}

#[test]
fn conditions_surrogates_pause_stop_and_nonsense() {
    let version = MysqlVersion::V97;
    let stack = Stack::new().unwrap();
    let mysql = prepared(&stack, MysqlOptions::new(version));
    mysql
        .sql("CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(9), n INT); INSERT INTO a SELECT n, CONCAT('v', n), n % 3 FROM numbers WHERE n <= 60;
              CREATE TABLE k (id INT, v VARCHAR(9)); INSERT INTO k SELECT IF(n % 4 = 0, NULL, n % 4), 'x' FROM numbers WHERE n <= 60")
        .unwrap();
    let config = config(&[]);
    block_on(async {
        let mut source = open(&mysql, version, &config, None).await;
        poll(&mut source).await;
        execute(
            &mysql,
            r#"{"data-collections": ["inventory.a"], "additional-conditions": [{"data-collection": "inventory.a", "filter": "n = 0 or n = 1"}]}"#,
        );
        let events = whole(&mut source).await;
        let expected = (1..=60)
            .filter(|id| id % 3 < 2)
            .map(|id: i64| id.to_string());
        assert_eq!(reads(&events, "a"), expected.collect::<Vec<_>>());
        execute(
            &mysql,
            r#"{"data-collections": ["inventory.k"], "surrogate-key": "id"}"#,
        );
        let events = whole(&mut source).await;
        let rows = of(&events, "k").len();
        assert_eq!(rows, 60, "rows that are equal in the surrogate, and nulls");
        refuses_nonsense(&mysql, &mut source).await;
        execute(
            &mysql,
            r#"{"data-collections": ["inventory.a", "inventory.k"]}"#,
        );
        signal(&mysql, "pause-snapshot", "");
        let events = until(&mut source, |events| notified(events, "PAUSED")).await;
        let stored = source.position.clone();
        drop(source);
        let mut source = open(&mysql, version, &config, stored).await;
        signal(
            &mysql,
            "stop-snapshot",
            r#"{"data-collections": ["inventory.k"]}"#,
        );
        signal(&mysql, "resume-snapshot", "");
        let more = whole(&mut source).await;
        assert!(
            notified(&more, "ABORTED") && notified(&more, "RESUMED"),
            "{more:?}"
        );
        let mut ids = reads(&events, "a");
        ids.extend(reads(&more, "a"));
        assert_eq!(ids, numbers(1..=60));
        assert!(of(&more, "k").is_empty());
        source.close().await;
    });
}

#[test]
fn a_table_can_be_altered_and_emptied_while_it_is_read() {
    for version in VERSIONS {
        let stack = Stack::new().unwrap();
        let mysql = prepared(&stack, MysqlOptions::new(version));
        for table in ["a", "b"] {
            let sql = format!(
                "CREATE TABLE {table} (id INT PRIMARY KEY, v VARCHAR(9)); INSERT INTO {table} SELECT n, 'x' FROM numbers WHERE n <= 100"
            );
            mysql.sql(&sql).unwrap();
        }
        block_on(async {
            let mut source = open(&mysql, version, &config(&[]), None).await;
            poll(&mut source).await;
            execute(
                &mysql,
                r#"{"data-collections": ["inventory.a", "inventory.b"]}"#,
            );
            let mut events = until(&mut source, |events| reads(events, "a").len() >= 20).await;
            // Between two polls a window is open: what follows comes before it closes, or behind it.
            mysql
                .sql("ALTER TABLE a ADD w INT NOT NULL DEFAULT 7 FIRST; UPDATE a SET v = 'y' WHERE id IN (1, 35, 36, 99)")
                .unwrap();
            events.extend(until(&mut source, |events| reads(events, "b").len() >= 20).await);
            mysql
                .sql("TRUNCATE b; INSERT INTO b VALUES (1, 'new'), (77, 'new'), (200, 'new')")
                .unwrap();
            events.extend(whole(&mut source).await);
            let mut ids = reads(&events, "a");
            let updates = of(&events, "a").into_iter();
            let updates = updates.filter_map(|event| event.told.strip_prefix("u "));
            ids.extend(updates.map(|told| told.split(' ').next().unwrap().to_owned()));
            let mut ids: Vec<i64> = ids.iter().map(|id| id.parse().unwrap()).collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids, (1..=100).collect::<Vec<i64>>(), "{version}");
            // Behind the first row that came after the truncate nothing older comes.
            let b = of(&events, "b");
            let new = b.iter().position(|e| e.told.ends_with("new")).unwrap();
            assert!(b[new..].iter().all(|e| !e.told.ends_with('x')), "{version}");
            source.close().await;
        });
    }
}
