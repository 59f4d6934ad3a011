//! Tables that change: rows of the past are read with the columns of then.

use connect_core::{Batch, Position, SourceTask, Value, batch::Row};
use stack::{MysqlOptions, Stack};

use super::{
    VERSIONS, block_on, soon,
    tasks::{Source, open},
};

/// Columns by name, for tables whose columns change.
fn columns(row: Row<'_>) -> String {
    let after = row.value().get("after").map(|after| after.to_value());
    let Some(Value::Map(columns)) = after else {
        return "none".to_owned();
    };
    let shown = columns.iter().map(|(name, value)| match value {
        Value::Digits(digits) => format!("{name}={digits}"),
        Value::Int(number) => format!("{name}={number}"),
        other => format!("{name}={other:?}"),
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// Statements that change what columns are called, of which rows without names tell nothing.
const EVOLUTION: [&str; 12] = [
    "INSERT INTO t VALUES (1, 10, 20)",
    "ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN b TO a",
    "INSERT INTO t VALUES (2, 10, 20)",
    "ALTER TABLE t ADD COLUMN first INT DEFAULT 5 FIRST",
    "INSERT INTO t (id) VALUES (3)",
    "ALTER TABLE t DROP COLUMN a, CHANGE b other INT",
    "INSERT INTO t VALUES (6, 4, 7)",
    "CREATE TABLE _t_gho LIKE t",
    "ALTER TABLE _t_gho ADD COLUMN ghost INT NOT NULL DEFAULT 8, MODIFY COLUMN other INT FIRST",
    "RENAME TABLE t TO _t_del, _t_gho TO t",
    "INSERT INTO t (id) VALUES (5)",
    "DROP TABLE _t_del",
];

const EVOLVED: [&str; 5] = [
    "id=1 a=10 b=20",
    "id=2 b=10 a=20",
    "first=5 id=3 b=Null a=Null",
    "first=6 id=4 other=7",
    "other=Null first=5 id=5 ghost=8",
];

/// All positions behind a row, with what is stored beside the last of them.
async fn evolved(source: &mut Source) -> Vec<(String, Position)> {
    let mut read = Vec::new();
    let reading = async {
        while read.len() < EVOLVED.len() {
            let mut batch = Batch::default();
            source.task.poll(&mut batch).await.unwrap();
            for other in batch.other_positions() {
                let partition = other.partition.clone();
                source.others.insert(partition, other.clone());
            }
            let place = batch.position().cloned();
            read.extend(
                batch
                    .rows()
                    .map(|row| (columns(row), place.clone().unwrap())),
            );
        }
    };
    soon(reading).await;
    read
}

#[test]
fn a_restart_in_the_past_finds_the_tables_of_then() {
    for version in VERSIONS {
        let options = MysqlOptions::new(version).set("binlog_row_metadata", "MINIMAL");
        let stack = Stack::new().unwrap();
        let mysql = stack.mysql_with(options).unwrap();
        let sql = "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT)";
        mysql.sql(sql).unwrap();
        let more = [
            ("max.batch.size", "1"),
            ("table.include.list", "inventory.t"),
        ];
        block_on(async {
            let mut source = open(&mysql, version, &more, None).await;
            let place = async {
                loop {
                    let mut batch = Batch::default();
                    source.task.poll(&mut batch).await.unwrap();
                    let others = batch.other_positions().iter();
                    let others = others.map(|other| (other.partition.clone(), other.clone()));
                    source.others.extend(others);
                    let position = batch.position();
                    // Behind the snapshot, which would keep the table from being altered.
                    let is_behind = |place: &&Position| !place.offset.contains("snapshot");
                    if let Some(position) = position.filter(is_behind) {
                        break position.clone();
                    }
                }
            };
            let start = soon(place).await;
            for sql in EVOLUTION {
                mysql.sql(sql).unwrap();
            }
            let all = evolved(&mut source).await;
            let read: Vec<&str> = all.iter().map(|(columns, _)| columns.as_str()).collect();
            assert_eq!(read, EVOLVED, "{version}");
            // From before everything, and from behind each row, with the tables as they are stored by now.
            let places = std::iter::once(&start).chain(all.iter().map(|(_, place)| place));
            for (at, place) in places.enumerate().take(EVOLVED.len()) {
                let stored = source.others.values().cloned().chain([place.clone()]);
                let mut again = open(&mysql, version, &more, stored).await;
                let mut read = Vec::new();
                let reading = async {
                    while read.len() < EVOLVED.len() - at {
                        let mut batch = Batch::default();
                        again.task.poll(&mut batch).await.unwrap();
                        read.extend(batch.rows().map(columns));
                    }
                };
                soon(reading).await;
                assert_eq!(read, EVOLVED[at..], "{version}: {place:?}");
                again.close().await;
            }
            source.close().await;
        });
    }
}
