//! A task from its snapshot on, and from every position that it has had.

use std::{collections::BTreeMap, sync::Arc};

use connect_core::{
    Advance, Batch, Config, Datum, Position, Properties, SourceConnector, SourceTask, Start,
    TaskPlan, Value, batch::Row, meter::Meter, outside::Outside, watermark::watermark,
};
use mysql_source::{MariaDbSource, MySqlConfig, MySqlSource, MySqlTask};
use stack::{Mysql, MysqlOptions, MysqlVersion, Stack};

use super::{VERSIONS, block_on, soon};

/// A running task, and the position that it gave last.
pub(super) struct Source {
    pub(super) task: MySqlTask,
    _advance: Advance<Position>,
    pub(super) position: Option<Position>,
    /// What is stored beside it, by partition.
    pub(super) others: BTreeMap<Arc<str>, Position>,
}

pub(super) fn properties(mysql: &Mysql, more: &[(&str, &str)]) -> Properties {
    let port = mysql.port().to_string();
    let base = [
        ("topic.prefix", "t"),
        ("database.hostname", "127.0.0.1"),
        ("database.port", &port),
        ("database.user", "cdc"),
        ("database.password", "cdc"),
        ("database.server.id", "7100"),
        ("database.include.list", "inventory"),
        ("include.schema.changes", "false"),
    ];
    let all = base.iter().chain(more);
    all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

pub(super) async fn open(
    mysql: &Mysql,
    version: MysqlVersion,
    more: &[(&str, &str)],
    stored: impl IntoIterator<Item = Position>,
) -> Source {
    open_task(task(mysql, version, more), stored).await
}

/// A task that is not open.
pub(super) fn task(mysql: &Mysql, version: MysqlVersion, more: &[(&str, &str)]) -> MySqlTask {
    let config = MySqlConfig::parse(&properties(mysql, more)).unwrap();
    let task = match version.is_mariadb() {
        true => MariaDbSource::task(config, TaskPlan::new()),
        false => MySqlSource::task(config, TaskPlan::new()),
    };
    task.unwrap()
}

pub(super) async fn open_task(
    mut task: MySqlTask,
    stored: impl IntoIterator<Item = Position>,
) -> Source {
    let stored: Vec<Position> = stored.into_iter().collect();
    let (advance, safe) = watermark();
    let start = Start {
        stored: stored.clone(),
        safe,
        meter: Meter::default(),
        outside: Outside::default(),
    };
    soon(task.open(start)).await.unwrap();
    Source {
        task,
        _advance: advance,
        position: stored.last().cloned(),
        others: BTreeMap::new(),
    }
}

/// `c 4 d` for a created row, `u 4 c>d` for a changed one, `tombstone` for what follows a delete.
pub(super) fn told(row: Row<'_>) -> String {
    let shown = |datum: Datum<'_>| match datum.to_value() {
        Value::Null => "null".to_owned(),
        Value::Absent => "absent".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Digits(digits) => digits.to_string(),
        Value::Str(text) => text.clone(),
        other => format!("{other:?}"),
    };
    let value = row.value();
    let Some(op) = value.get("op") else {
        return "tombstone".to_owned();
    };
    let (op, before, after) = (
        op,
        value.get("before").unwrap(),
        value.get("after").unwrap(),
    );
    let field = |side: &Datum<'_>, name: &str| side.get(name).map_or("-".to_owned(), &shown);
    let op = shown(op);
    match op.as_str() {
        "u" => format!(
            "u {} {}>{}",
            field(&after, "id"),
            field(&before, "v"),
            field(&after, "v")
        ),
        "d" => format!("d {} {}", field(&before, "id"), field(&before, "v")),
        "t" => op,
        _ => format!("{op} {} {}", field(&after, "id"), field(&after, "v")),
    }
}

impl Source {
    /// Takes in where a batch leaves it.
    pub(super) fn stands(&mut self, batch: &Batch) {
        for other in batch.other_positions() {
            self.others.insert(other.partition.clone(), other.clone());
        }
        self.position = batch.position().cloned().or(self.position.take());
    }

    /// Reads until a record tells `last`; the records, and behind each batch its position.
    pub(super) async fn until(&mut self, last: &str) -> Vec<(String, Option<Position>)> {
        let mut read = Vec::new();
        let reading = async {
            while read.last().is_none_or(|(told, _)| told != last) {
                let mut batch = Batch::default();
                self.task.poll(&mut batch).await.unwrap();
                read.extend(batch.rows().map(|row| (told(row), None)));
                self.stands(&batch);
                if let (Some(position), Some((_, behind))) = (batch.position(), read.last_mut()) {
                    *behind = Some(position.clone());
                }
            }
        };
        soon(reading).await;
        read
    }

    pub(super) async fn close(mut self) {
        self.task.close().await.unwrap();
    }
}

const SNAPSHOT: &str = "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), n BIGINT UNSIGNED);
    INSERT INTO t VALUES (1, 'a', 7), (2, 'ü', NULL), (3, NULL, 18446744073709551615)";
/// A position behind each event.
const ONE: [(&str, &str); 1] = [("max.batch.size", "1")];
const CHANGES: [&str; 7] = [
    "INSERT INTO t VALUES (4, 'd', 1), (5, 'e', 2)",
    "BEGIN; UPDATE t SET v = 'b' WHERE id = 2; DELETE FROM t WHERE id = 1; COMMIT",
    "UPDATE t SET id = 6 WHERE id = 5",
    "ALTER TABLE t ADD COLUMN w VARCHAR(5) DEFAULT 'w' AFTER id",
    "INSERT INTO t (id, v) VALUES (7, 'g')",
    "BEGIN; INSERT INTO t (id, v) VALUES (8, 'undone'); ROLLBACK",
    "INSERT INTO t (id, v) VALUES (9, 'last')",
];
const STREAMED: [&str; 10] = [
    "c 4 d",
    "c 5 e",
    "u 2 ü>b",
    "d 1 a",
    "tombstone",
    "d 5 e",
    "tombstone",
    "c 6 e",
    "c 7 g",
    "c 9 last",
];

fn texts(read: &[(String, Option<Position>)]) -> Vec<&str> {
    read.iter().map(|(told, _)| told.as_str()).collect()
}

/// Begins with the snapshot, and streams what comes; then begins again at each position that there was.
fn streams_and_goes_on(version: MysqlVersion, options: MysqlOptions) {
    let stack = Stack::new().unwrap();
    let mysql = stack.mysql_with(options).unwrap();
    mysql.sql(SNAPSHOT).unwrap();
    block_on(async {
        let mut source = open(&mysql, version, &ONE, None).await;
        let read = source.until("r 3 null").await;
        assert_eq!(texts(&read), ["r 1 a", "r 2 ü", "r 3 null"], "{version}");
        let mut all = Vec::new();
        for sql in CHANGES {
            mysql.sql(sql).unwrap();
        }
        all.extend(source.until("c 9 last").await);
        assert_eq!(texts(&all), STREAMED, "{version}");
        source.close().await;
        let places: Vec<(usize, Position)> = all
            .iter()
            .enumerate()
            .filter_map(|(at, (_, position))| Some((at, position.clone()?)))
            .collect();
        // Rows of one event stay together: the first two, and those of the changed key.
        assert_eq!(places.len(), 6, "{version}");
        for (at, position) in places.iter().take(places.len() - 1) {
            let mut again = open(&mysql, version, &ONE, Some(position.clone())).await;
            let read = again.until("c 9 last").await;
            assert_eq!(texts(&read), STREAMED[at + 1..], "{version}: {position:?}");
            again.close().await;
        }
    });
}

#[test]
fn a_task_reads_tables_and_then_what_changes_in_them() {
    for version in VERSIONS {
        streams_and_goes_on(version, MysqlOptions::new(version));
    }
}

#[test]
fn over_compressed_connections_it_is_the_same() {
    for version in VERSIONS {
        let stack = Stack::new().unwrap();
        let mysql = stack.mysql(version).unwrap();
        mysql.sql(SNAPSHOT).unwrap();
        block_on(async {
            let more = [("driver.useCompression", "true")];
            let mut source = open(&mysql, version, &more, None).await;
            source.until("r 3 null").await;
            for sql in CHANGES {
                mysql.sql(sql).unwrap();
            }
            let read = source.until("c 9 last").await;
            assert_eq!(texts(&read), STREAMED, "{version}");
            source.close().await;
        });
    }
}

#[test]
fn without_ids_and_names_in_the_binlog_it_is_the_same() {
    let version = MysqlVersion::V97;
    let options = MysqlOptions::new(version)
        .set("gtid_mode", "OFF")
        .set("enforce_gtid_consistency", "OFF");
    streams_and_goes_on(version, options);
}

#[test]
fn compressed_transactions_are_the_same() {
    let mysql = MysqlVersion::V97;
    let options = MysqlOptions::new(mysql).set("binlog_transaction_compression", "ON");
    streams_and_goes_on(mysql, options);
    let mariadb = MysqlVersion::Mariadb118;
    let options = MysqlOptions::new(mariadb)
        .set("log_bin_compress", "ON")
        .set("log_bin_compress_min_len", "10");
    streams_and_goes_on(mariadb, options);
}

#[test]
fn what_a_minimal_image_does_not_have_is_absent() {
    let stack = Stack::new().unwrap();
    for version in VERSIONS {
        let options = MysqlOptions::new(version).set("binlog_row_image", "MINIMAL");
        let mysql = stack.mysql_with(options).unwrap();
        mysql.sql(SNAPSHOT).unwrap();
        block_on(async {
            let mut source = open(&mysql, version, &[], None).await;
            source.until("r 3 null").await;
            mysql.sql("UPDATE t SET n = 8 WHERE id = 1").unwrap();
            let read = source.until("u 1 absent>absent").await;
            assert_eq!(read.len(), 1, "{version}");
            mysql.sql("UPDATE t SET v = 'x' WHERE id = 1").unwrap();
            source.until("u 1 absent>x").await;
            source.close().await;
        });
    }
}

/// A replica takes over: the task goes on there, where files and positions are others.
#[test]
fn a_task_goes_on_at_a_replica_that_takes_over() {
    for version in VERSIONS {
        let stack = Stack::new().unwrap();
        let first = stack.mysql(version).unwrap();
        first.sql(SNAPSHOT).unwrap();
        let second = first.replica(&stack).unwrap();
        block_on(async {
            let mut source = open(&first, version, &ONE, None).await;
            source.until("r 3 null").await;
            first.sql("INSERT INTO t VALUES (4, 'd', 1)").unwrap();
            source.until("c 4 d").await;
            let behind_four = source.position.clone();
            source.close().await;
            first.sql("INSERT INTO t VALUES (5, 'e', 1)").unwrap();
            let all = first.gtids().unwrap();
            let caught_up = async {
                while second.gtids().unwrap() != all {
                    tokio::task::yield_now().await;
                }
            };
            soon(caught_up).await;
            second.promote().unwrap();
            second.sql("INSERT INTO t VALUES (6, 'f', 1)").unwrap();
            let mut source = open(&second, version, &ONE, behind_four).await;
            let read = source.until("c 6 f").await;
            assert_eq!(texts(&read), ["c 5 e", "c 6 f"], "{version}");
            source.close().await;
        });
    }
}

/// Rows of transactions that do not count are left out, unless that is not wanted; and a restart goes by the file where ids are not wanted.
#[test]
fn transactions_of_others_are_left_out() {
    for version in VERSIONS {
        let stack = Stack::new().unwrap();
        let mysql = stack.mysql(version).unwrap();
        mysql.sql(SNAPSHOT).unwrap();
        let (ours, other) = match version.is_mariadb() {
            true => ("0", "SET SESSION gtid_domain_id = 7"),
            false => (
                &*mysql.sql("SELECT @@server_uuid").unwrap().trim().to_owned(),
                "SET gtid_next = '11111111-2222-3333-4444-555555555555:1'",
            ),
        };
        block_on(async {
            for (filters, expected) in [("true", &["c 5 e"][..]), ("false", &["c 4 d", "c 5 e"])] {
                let more = [
                    ("gtid.source.includes", ours),
                    ("gtid.source.filter.dml.events", filters),
                    ("gtid.ignore.on.recovery", "true"),
                    ("snapshot.mode", "initial"),
                ];
                let mut source = open(&mysql, version, &more, None).await;
                source.until("r 3 null").await;
                let superuser = mysql.superuser();
                let run = |sql: &str| {
                    let sql = format!("USE inventory; {sql}");
                    mysql.sql_as(superuser.0, superuser.1, "", &sql).unwrap()
                };
                let number = if filters == "true" { ":1'" } else { ":2'" };
                let other = other.replace(":1'", number);
                run(&format!("{other}; INSERT INTO t VALUES (4, 'd', 1)"));
                run("INSERT INTO t VALUES (5, 'e', 1)");
                let read = source.until("c 5 e").await;
                assert_eq!(texts(&read), expected, "{version}");
                let place = source.position.clone();
                source.close().await;
                run("INSERT INTO t VALUES (6, 'f', 1)");
                let mut source = open(&mysql, version, &more, place).await;
                assert_eq!(texts(&source.until("c 6 f").await), ["c 6 f"], "{version}");
                source.close().await;
                run("SET SESSION sql_log_bin = 0; DELETE FROM t WHERE id IN (4, 5, 6)");
            }
        });
    }
}

/// What follows the position is gone: the task says so, or takes a new snapshot where that is wanted.
#[test]
fn a_purged_binlog_is_told_and_read_around_when_needed() {
    let version = MysqlVersion::V97;
    let stack = Stack::new().unwrap();
    let mysql = stack.mysql(version).unwrap();
    mysql.sql(SNAPSHOT).unwrap();
    block_on(async {
        let mut source = open(&mysql, version, &[], None).await;
        source.until("r 3 null").await;
        let place = source.position.clone();
        source.close().await;
        mysql.sql("INSERT INTO t VALUES (4, 'd', 1)").unwrap();
        mysql.sql("FLUSH BINARY LOGS").unwrap();
        let last = mysql.binlogs().unwrap().pop().unwrap();
        let purge = format!("PURGE BINARY LOGS TO '{last}'");
        let (user, password) = mysql.superuser();
        mysql.sql_as(user, password, "", &purge).unwrap();
        let config = MySqlConfig::parse(&properties(&mysql, &[])).unwrap();
        let mut task = MySqlSource::task(config, TaskPlan::new()).unwrap();
        let (_advance, safe) = watermark();
        let start = Start {
            stored: place.clone().into_iter().collect(),
            safe,
            meter: Meter::default(),
            outside: Outside::default(),
        };
        let refused = soon(task.open(start)).await.unwrap_err();
        assert_eq!(refused.code().name, "mysql.purged");
        let needed = [("snapshot.mode", "when_needed")];
        let mut source = open(&mysql, version, &needed, place).await;
        let read = source.until("r 4 d").await;
        assert_eq!(read.len(), 4);
        source.close().await;
    });
}

/// More rows than a buffer holds, and values larger than a packet, among tables without rows.
#[test]
fn large_tables_and_values_are_read_whole() {
    let version = MysqlVersion::V97;
    let stack = Stack::new().unwrap();
    let options = MysqlOptions::new(version).set("max_allowed_packet", "64M");
    let mysql = stack.mysql_with(options).unwrap();
    mysql
        .sql(
            "CREATE TABLE a (id INT PRIMARY KEY, v LONGTEXT); CREATE TABLE m (id INT PRIMARY KEY);
             CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT);
             SET cte_max_recursion_depth = 10000;
             INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
             SELECT i, CONCAT(i, REPEAT('x', 500)) FROM n;
             INSERT INTO t VALUES (3001, REPEAT('y', 20000000)), (3002, 'end')",
        )
        .unwrap();
    block_on(async {
        let mut source = open(&mysql, version, &[], None).await;
        let read = source.until("r 3002 end").await;
        assert_eq!(read.len(), 3002);
        for (nth, (told, _)) in (1..=3000).zip(&read) {
            assert_eq!(*told, format!("r {nth} {nth}{}", "x".repeat(500)));
        }
        assert_eq!(read[3000].0.len(), "r 3001 ".len() + 20_000_000);
        mysql
            .sql("UPDATE t SET v = CONCAT(v, 'z') WHERE id = 3001; INSERT INTO t VALUES (3003, 'last')")
            .unwrap();
        let read = source.until("c 3003 last").await;
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].0.len(), "u 3001 >".len() + 40_000_001);
        source.close().await;
    });
}

#[test]
fn a_change_that_was_logged_as_a_statement_stops_the_task() {
    let version = MysqlVersion::V97;
    let stack = Stack::new().unwrap();
    let mysql = stack.mysql_with(MysqlOptions::new(version)).unwrap();
    mysql.sql(SNAPSHOT).unwrap();
    let statement = "SET SESSION binlog_format = STATEMENT; INSERT INTO t (id, v) VALUES (4, 'd')";
    block_on(async {
        let mut source = open(&mysql, version, &ONE, None).await;
        source.until("r 3 null").await;
        mysql.sql(statement).unwrap();
        let failed = async {
            loop {
                let mut batch = Batch::default();
                if let Err(error) = source.task.poll(&mut batch).await {
                    break error;
                }
            }
        };
        let error = soon(failed).await;
        assert_eq!(error.code(), &mysql_source::error::STATEMENT);
        assert!(error.to_string().contains("inventory.t"), "{error}");
        let warns = [("inconsistent.schema.handling.mode", "warn")];
        let mut source = open(&mysql, version, &warns, source.position.clone()).await;
        mysql.sql("INSERT INTO t (id, v) VALUES (5, 'e')").unwrap();
        assert_eq!(texts(&source.until("c 5 e").await), ["c 5 e"]);
        source.close().await;
    });
}
