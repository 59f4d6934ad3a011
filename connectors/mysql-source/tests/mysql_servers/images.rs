//! Rows of which not everything is logged: `NOBLOB`, and documents of which only the changes are. What is not there is absent, not
//! null.

use connect_core::{Batch, Datum, SourceTask, Value, batch::Row};
use stack::{Mysql, MysqlOptions, MysqlVersion, Stack};

use super::{
    VERSIONS, block_on, soon,
    tasks::{Source, open},
};

/// `u id=1 n=2 j=absent > id=1 n=3 j={}`
fn told(row: Row<'_>) -> String {
    let value = row.value();
    let Some(op) = value.get("op") else {
        return "tombstone".to_owned();
    };
    let side = |name: &str| match value.get(name).map(|side| columns(&side)) {
        Some(columns) => columns,
        None => "none".to_owned(),
    };
    format!(
        "{} {} > {}",
        shown(&op.to_value()),
        side("before"),
        side("after")
    )
}

fn columns(side: &Datum<'_>) -> String {
    match side.to_value() {
        Value::Map(columns) => {
            let column = columns
                .iter()
                .map(|(name, value)| format!("{name}={}", shown(value)));
            column.collect::<Vec<_>>().join(" ")
        }
        other => shown(&other),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Absent => "absent".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Digits(digits) => digits.to_string(),
        Value::Str(text) => text.clone(),
        Value::Bytes(bytes) => format!("{bytes:x?}"),
        other => format!("{other:?}"),
    }
}

/// The next so many records.
async fn next(source: &mut Source, count: usize) -> Vec<String> {
    let mut read = Vec::new();
    let reading = async {
        while read.len() < count {
            let mut batch = Batch::default();
            source.task.poll(&mut batch).await.unwrap();
            read.extend(batch.rows().map(told));
        }
    };
    soon(reading).await;
    read
}

fn server(stack: &Stack, version: MysqlVersion, image: &str) -> Mysql {
    let options = MysqlOptions::new(version).set("binlog_row_image", image);
    let mysql = stack.mysql_with(options).unwrap();
    mysql
        .sql(
            "CREATE TABLE t (id INT PRIMARY KEY, n INT, j JSON, b BLOB);
             INSERT INTO t VALUES (1, 1, '{\"a\": 1, \"b\": [1, 2]}', 0x0102)",
        )
        .unwrap();
    mysql
}

#[test]
fn large_values_that_did_not_change_are_absent() {
    let stack = Stack::new().unwrap();
    for version in VERSIONS {
        let mysql = server(&stack, version, "NOBLOB");
        block_on(async {
            let more = [("tombstones.on.delete", "false")];
            let mut source = open(&mysql, version, &more, None).await;
            next(&mut source, 1).await;
            mysql
                .sql(
                    "UPDATE t SET n = 2; UPDATE t SET b = 0x03; INSERT INTO t (id) VALUES (2); DELETE FROM t WHERE id = 1",
                )
                .unwrap();
            let read = next(&mut source, 4).await;
            // MariaDB's JSON is a text; to MySQL a document is no BLOB.
            let j = match version.is_mariadb() {
                true => "absent",
                false => r#"{"a":1,"b":[1,2]}"#,
            };
            let expected = [
                format!("u id=1 n=1 j={j} b=absent > id=1 n=2 j={j} b=absent"),
                format!("u id=1 n=2 j={j} b=absent > id=1 n=2 j={j} b=[3]"),
                format!(
                    "c null > id=2 n=null j={} b=absent",
                    if version.is_mariadb() {
                        "absent"
                    } else {
                        "null"
                    }
                ),
                format!("d id=1 n=2 j={j} b=absent > null"),
            ];
            assert_eq!(read, expected, "{version}");
            source.close().await;
        });
    }
}

const PARTS: &str = "SET SESSION binlog_row_value_options = PARTIAL_JSON;
    UPDATE t SET j = JSON_SET(j, '$.a', 7); UPDATE t SET j = JSON_REMOVE(j, '$.b[0]'), n = 5;
    SET SESSION binlog_transaction_compression = ON; UPDATE t SET j = JSON_REPLACE(j, '$.a', 'x')";

#[test]
fn documents_of_which_only_changes_are_logged_are_whole() {
    let version = MysqlVersion::V97;
    let stack = Stack::new().unwrap();
    let mysql = server(&stack, version, "FULL");
    block_on(async {
        let mut source = open(&mysql, version, &[], None).await;
        next(&mut source, 1).await;
        mysql.sql(PARTS).unwrap();
        let read = next(&mut source, 3).await;
        let expected = [
            r#"u id=1 n=1 j={"a":1,"b":[1,2]} b=[1, 2] > id=1 n=1 j={"a":7,"b":[1,2]} b=[1, 2]"#,
            r#"u id=1 n=1 j={"a":7,"b":[1,2]} b=[1, 2] > id=1 n=5 j={"a":7,"b":[2]} b=[1, 2]"#,
            r#"u id=1 n=5 j={"a":7,"b":[2]} b=[1, 2] > id=1 n=5 j={"a":"x","b":[2]} b=[1, 2]"#,
        ];
        assert_eq!(read, expected);
        source.close().await;
    });
}

#[test]
fn changes_of_a_document_that_is_not_logged_leave_it_absent() {
    let version = MysqlVersion::V97;
    let stack = Stack::new().unwrap();
    let mysql = server(&stack, version, "MINIMAL");
    block_on(async {
        let mut source = open(&mysql, version, &[], None).await;
        next(&mut source, 1).await;
        mysql.sql(PARTS).unwrap();
        let read = next(&mut source, 3).await;
        for one in &read {
            assert!(
                one.contains("> id=1 ") && one.ends_with("j=absent b=absent"),
                "{read:?}"
            );
        }
        source.close().await;
    });
}

#[test]
fn a_row_of_nothing_but_defaults_is_a_row() {
    let stack = Stack::new().unwrap();
    for version in VERSIONS {
        let mysql = server(&stack, version, "MINIMAL");
        block_on(async {
            let mut source = open(&mysql, version, &[], None).await;
            next(&mut source, 1).await;
            let sql = "CREATE TABLE d (v INT DEFAULT 1); INSERT INTO d VALUES (); INSERT INTO d VALUES (); INSERT INTO d VALUES (3)";
            mysql.sql(sql).unwrap();
            // MariaDB logs all of a new row.
            let v = if version.is_mariadb() { "1" } else { "absent" };
            let defaults = format!("c null > v={v}");
            let expected = [&defaults, &defaults, "c null > v=3"];
            assert_eq!(next(&mut source, 3).await, expected, "{version}");
            source.close().await;
        });
    }
}
