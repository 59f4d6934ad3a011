//! What a snapshot tells of itself, what a signal asks for, and what may happen to tables while one is interrupted.

use connect_core::{
    Advance, Batch, Config, Position, SourceConnector, SourceTask, Start, TaskPlan, Value,
    meter::Meter, outside::Outside, watermark::watermark,
};
use mysql_source::{MySqlConfig, MySqlSource};
use stack::{Mysql, MysqlVersion, Stack};

use super::{
    VERSIONS, block_on,
    history::{Stored, Topic, again, is_own},
    soon,
    tasks::{Source, properties},
};

const ROWS: &str = "INSERT INTO t SELECT x.i + 100 * y.i, 0, REPEAT('p', 200) FROM
    (SELECT a.i + 10 * b.i AS i FROM (SELECT 0 i UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) a,
     (SELECT 0 i UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) b) x,
    (SELECT 0 i UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9 UNION SELECT 10 UNION SELECT 11) y";
const TABLE: &str = "CREATE TABLE t (id INT PRIMARY KEY, v INT, pad VARCHAR(300))";

fn texts(topic: &Topic) -> Vec<String> {
    let text = |event: &super::history::Event| {
        let number: String = event.key.chars().filter(char::is_ascii_digit).collect();
        format!(
            "{} {number} {}",
            event.op,
            event.version.map_or("-".to_owned(), |v| v.to_string())
        )
    };
    topic.events.iter().map(text).collect()
}

/// Reads until a record has come that ends so.
async fn until(topic: &mut Topic, source: &mut Source, last: &str) {
    while texts(topic).last().is_none_or(|text| text != last) {
        topic.poll(source).await;
    }
}

/// The same as if a signal had come just before the task died.
fn asked(stored: &Stored, data: &str) -> Stored {
    let mut stored = stored.clone();
    for position in stored.values_mut().filter(|position| is_own(position)) {
        let offset = position.offset.trim_end_matches('}');
        let signal = Value::Str(data.to_owned());
        let Value::Str(signal) = signal else {
            unreachable!()
        };
        let signal = signal.replace('\\', "\\\\").replace('"', "\\\"");
        position.offset = format!(
            "{offset},\"snapshot\":\"BLOCKING\",\"snapshot_completed\":false,\"last_snapshot_record\":false,\"snapshot_signal\":\"{signal}\"}}"
        )
        .into();
    }
    stored
}

#[test]
fn a_signal_has_tables_read_while_the_stream_waits() {
    for version in VERSIONS {
        let stack = Stack::new().unwrap();
        let mysql = stack.mysql(version).unwrap();
        mysql
            .sql("CREATE TABLE a (id INT PRIMARY KEY, v INT); CREATE TABLE b LIKE a; INSERT INTO a VALUES (1, 1), (2, 1), (3, 1); INSERT INTO b VALUES (4, 1), (5, 1)")
            .unwrap();
        let more = [("snapshot.mode", "no_data")];
        block_on(async {
            let mut topic = Topic::default();
            let mut source = again(&mysql, version, &more, &Stored::new()).await;
            topic.poll(&mut source).await;
            mysql.sql("INSERT INTO a VALUES (6, 1)").unwrap();
            until(&mut topic, &mut source, "c 6 1").await;
            source.close().await;
            let stored = topic.die(topic.positions());
            // Between the signal and the snapshot.
            mysql
                .sql("UPDATE a SET v = 2 WHERE id = 1; UPDATE b SET v = 2 WHERE id = 5")
                .unwrap();
            let data = r#"{"data-collections": ["inventory.a", "inventory.b"], "type": "blocking", "additional-conditions":
                [{"data-collection": "inventory.b", "filter": "SELECT * FROM b WHERE id > 4"}]}"#.replace('\n', " ");
            let mut topic = Topic::default();
            let mut source = again(&mysql, version, &more, &asked(&stored, &data)).await;
            until(&mut topic, &mut source, "r 5 2").await;
            assert_eq!(
                texts(&topic),
                [
                    "u 1 2", "u 5 2", "r 1 2", "r 2 1", "r 3 1", "r 6 1", "r 5 2"
                ],
                "{version}"
            );
            mysql.sql("INSERT INTO b VALUES (7, 1)").unwrap();
            until(&mut topic, &mut source, "c 7 1").await;
            assert_eq!(texts(&topic).len(), 8);
            assert!(!topic.offset().contains("snapshot"), "{}", topic.offset());
            source.close().await;
        });
    }
}

/// The task dies between the signal and the snapshot, and within the snapshot, and all is read.
#[test]
fn a_signal_of_the_table_is_obeyed_over_restarts() {
    for version in VERSIONS {
        let stack = Stack::new().unwrap();
        let mysql = stack.mysql(version).unwrap();
        mysql
            .sql(&format!("{TABLE}; {ROWS}; CREATE TABLE signals (id VARCHAR(64) PRIMARY KEY, type VARCHAR(32), data VARCHAR(2048))"))
            .unwrap();
        let more = [
            ("snapshot.mode", "no_data"),
            ("signal.data.collection", "inventory.signals"),
        ];
        let signal = r#"INSERT INTO signals VALUES ('one', 'execute-snapshot', '{"data-collections": ["inventory.t"], "type": "BLOCKING"}')"#;
        block_on(async {
            let mut topic = Topic::default();
            let mut source = again(&mysql, version, &more, &Stored::new()).await;
            topic.poll(&mut source).await;
            mysql.sql(signal).unwrap();
            let mut deaths = 0;
            loop {
                topic.poll(&mut source).await;
                let is_asked = topic.offset().contains("snapshot_signal");
                if is_asked && deaths < 5 {
                    deaths += 1;
                    mysql
                        .sql(&format!(
                            "UPDATE t SET v = v + 1 WHERE id IN (3, {deaths}00)"
                        ))
                        .unwrap();
                    drop(source);
                    let stored = topic.die(topic.positions());
                    source = again(&mysql, version, &more, &stored).await;
                }
                if !is_asked && deaths > 0 {
                    break;
                }
            }
            assert_eq!(deaths, 5, "{version}");
            mysql.sql("INSERT INTO t VALUES (5000, 9, '')").unwrap();
            until(&mut topic, &mut source, "c 5000 9").await;
            source.close().await;
            topic.events.retain(|event| event.topic == "t.inventory.t");
            let read = topic.events.iter().filter(|event| event.op == "r").count();
            assert_eq!(read, 1200, "{version}");
            let texts = texts(&topic);
            let changes = texts.iter().filter(|text| text.starts_with("u 3 "));
            assert_eq!(changes.count(), 5, "{version}");
        });
    }
}

/// Type, table and rows of each notification.
async fn notifications(mysql: &Mysql, version: MysqlVersion, more: &[(&str, &str)]) -> Vec<String> {
    let told = [
        ("notification.enabled.channels", "sink"),
        ("notification.sink.topic.name", "told"),
    ];
    let all: Vec<(&str, &str)> = more.iter().chain(&told).copied().collect();
    let mut source = again(mysql, version, &all, &Stored::new()).await;
    let mut all = Vec::new();
    while all
        .last()
        .is_none_or(|last: &String| !last.starts_with("COMPLETED"))
    {
        let mut batch = Batch::default();
        soon(source.task.poll(&mut batch)).await.unwrap();
        for row in batch.rows().filter(|row| &**row.topic() == "told") {
            let value = row.value().to_value();
            let text =
                |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or("").to_owned();
            let data = value.get("additional_data").unwrap();
            let table = ["scanned_collection", "current_collection_in_progress"]
                .map(|name| text(data.get(name)));
            let rows = text(data.get("total_rows_scanned"));
            all.push(
                format!("{} {} {rows}", text(value.get("type")), table.concat())
                    .trim()
                    .to_owned(),
            );
        }
    }
    source.close().await;
    all
}

#[test]
fn a_snapshot_tells_of_itself() {
    for version in VERSIONS {
        let stack = Stack::new().unwrap();
        let mysql = stack.mysql(version).unwrap();
        mysql
            .sql("CREATE TABLE a (id INT PRIMARY KEY, v INT); CREATE TABLE b LIKE a; INSERT INTO b VALUES (4, 1), (5, 1); ANALYZE TABLE a, b")
            .unwrap();
        block_on(async {
            let expected = [
                "STARTED",
                "IN_PROGRESS inventory.a",
                "TABLE_SCAN_COMPLETED inventory.a 0",
                "IN_PROGRESS inventory.b",
                "TABLE_SCAN_COMPLETED inventory.b 2",
                "COMPLETED",
            ];
            assert_eq!(
                notifications(&mysql, version, &[]).await,
                expected,
                "{version}"
            );
            let order = [("snapshot.tables.order.by.row.count", "descending")];
            let all = notifications(&mysql, version, &order).await;
            assert_eq!(all[1], "IN_PROGRESS inventory.b", "{version}");
            let several = [("snapshot.max.threads", "2")];
            let all = notifications(&mysql, version, &several).await;
            assert_eq!((all.len(), &*all[0]), (10, "STARTED"), "{version}: {all:?}");
            let nothing = [("snapshot.mode", "no_data")];
            assert_eq!(
                notifications(&mysql, version, &nothing).await,
                ["STARTED", "COMPLETED"]
            );
        });
    }
}

/// A snapshot that has read some rows of `t`, and what is stored then.
async fn interrupted(
    mysql: &Mysql,
    version: MysqlVersion,
    more: &[(&str, &str)],
) -> (Topic, Stored) {
    let mut topic = Topic::default();
    let mut source = again(mysql, version, more, &Stored::new()).await;
    while topic.events.len() < 500 {
        topic.poll(&mut source).await;
    }
    drop(source);
    assert!(topic.events.len() < 1000 && topic.offset().contains("snapshot_key"));
    let stored = topic.die(topic.positions());
    (topic, stored)
}

#[test]
fn a_table_with_another_key_or_name_is_read_from_its_start() {
    for version in VERSIONS {
        let stack = Stack::new().unwrap();
        let mysql = stack.mysql(version).unwrap();
        mysql.sql(&format!("{TABLE}; {ROWS}")).unwrap();
        for (sql, count, topic_name) in [
            (
                "ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (v, id)",
                1200,
                "t.inventory.t",
            ),
            ("RENAME TABLE t TO a", 1200, "t.inventory.a"),
            ("ALTER TABLE a RENAME TO b", 1200, "t.inventory.b"),
            ("DROP TABLE b", 0, "t.inventory.b"),
        ] {
            block_on(async {
                let more = [("include.schema.changes", "true")];
                let (_, stored) = interrupted(&mysql, version, &more).await;
                mysql.sql(sql).unwrap();
                mysql
                    .sql("CREATE TABLE IF NOT EXISTS z (id INT PRIMARY KEY, v INT)")
                    .unwrap();
                let mut topic = Topic::default();
                let mut source = again(&mysql, version, &more, &stored).await;
                while topic.positions() == 0 || topic.offset().contains("\"snapshot\"") {
                    topic.poll(&mut source).await;
                }
                source.close().await;
                let read = topic.events.iter().filter(|event| event.op == "r");
                let read = read.filter(|event| event.topic == topic_name).count();
                assert_eq!(read, count, "{version}: {sql}");
                // The statement, and no structure again.
                let told = topic
                    .events
                    .iter()
                    .filter(|event| event.topic == "t")
                    .count();
                assert!((1..=2).contains(&told), "{version}: {sql}: {told}");
            });
        }
    }
}

async fn refused(mysql: &Mysql, stored: &Stored) -> connect_core::Error {
    let config = MySqlConfig::parse(&properties(mysql, &[])).unwrap();
    let mut task = MySqlSource::task(config, TaskPlan::new()).unwrap();
    let (_advance, safe): (Advance<Position>, _) = watermark();
    let start = Start {
        stored: stored.values().cloned().collect(),
        safe,
        meter: Meter::default(),
        outside: Outside::default(),
    };
    soon(task.open(start)).await.unwrap_err()
}

#[test]
fn a_snapshot_whose_binlog_is_gone_begins_anew_when_that_is_wanted() {
    let version = MysqlVersion::V97;
    let stack = Stack::new().unwrap();
    let mysql = stack.mysql(version).unwrap();
    mysql.sql(&format!("{TABLE}; {ROWS}")).unwrap();
    block_on(async {
        let (_, stored) = interrupted(&mysql, version, &[]).await;
        mysql
            .sql("INSERT INTO t VALUES (5000, 1, 'p'); FLUSH BINARY LOGS")
            .unwrap();
        let last = mysql.binlogs().unwrap().pop().unwrap();
        mysql
            .sql(&format!("PURGE BINARY LOGS TO '{last}'"))
            .unwrap();
        assert_eq!(refused(&mysql, &stored).await.code().name, "mysql.purged");
        let mut topic = Topic::default();
        let needed = [("snapshot.mode", "when_needed")];
        let mut source = again(&mysql, version, &needed, &stored).await;
        until(&mut topic, &mut source, "r 5000 1").await;
        assert_eq!(topic.events.len(), 1201);
        source.close().await;
    });
}

#[test]
fn an_interrupted_snapshot_goes_on_at_a_replica() {
    for version in VERSIONS {
        let stack = Stack::new().unwrap();
        let first = stack.mysql(version).unwrap();
        first.sql(&format!("{TABLE}; {ROWS}")).unwrap();
        let second = first.replica(&stack).unwrap();
        block_on(async {
            let (mut topic, stored) = interrupted(&first, version, &[]).await;
            first
                .sql("UPDATE t SET v = 1 WHERE id IN (7, 1100)")
                .unwrap();
            let all = first.gtids().unwrap();
            let caught_up = async {
                while second.gtids().unwrap() != all {
                    tokio::task::yield_now().await;
                }
            };
            soon(caught_up).await;
            second.promote().unwrap();
            let mut source = again(&second, version, &[], &stored).await;
            until(&mut topic, &mut source, "r 1199 0").await;
            source.close().await;
            let texts = texts(&topic);
            let place = |text: &str| texts.iter().position(|told| told == text);
            assert!(
                place("u 7 1").is_some() && place("u 1100 1") < place("r 1100 1"),
                "{version}"
            );
            assert_eq!(texts.len(), 1202, "{version}");
        });
    }
}
