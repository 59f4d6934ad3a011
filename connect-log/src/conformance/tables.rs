//! Tables over compacted topics.

use std::sync::Arc;

use bytes::Bytes;

use super::subject::{PATIENCE, Subject};
use crate::{AppenderSpec, FENCED, Table, TableChange, TableSpec, TopicSpec};

/// What was put is there at once, also after opening the table again.
pub async fn a_table_keeps_what_was_put(s: &Subject) {
    let name = s.name("table");
    let table = open(s, &name, None).await;
    assert_eq!(table.get(b"a"), None);
    table.put(b"a", Some(b"1")).await.unwrap();
    table.put(b"b", Some(b"1")).await.unwrap();
    table.put(b"a", Some(b"2")).await.unwrap();
    assert_eq!(table.get(b"a").as_deref(), Some(&b"2"[..]));
    table.put(b"b", None).await.unwrap();
    assert_eq!(table.get(b"b"), None);
    table.put(b"empty", Some(b"")).await.unwrap();
    drop(table);
    let table = open(s, &name, None).await;
    let all: Vec<_> = table.snapshot().into_iter().collect();
    let pair = |key: &'static [u8], value: &'static [u8]| {
        (Bytes::from_static(key), Bytes::from_static(value))
    };
    assert_eq!(all, [pair(b"a", b"2"), pair(b"empty", b"")]);
    assert!(table.failure().is_none());
}

/// Another table of the same topic sees the changes, in order, with its listeners.
pub async fn a_table_follows_others(s: &Subject) {
    let name = s.name("table");
    let writer = open(s, &name, None).await;
    writer.put(b"a", Some(b"1")).await.unwrap();
    let follower = open(s, &name, None).await;
    let (all, mut changes) = follower.snapshot_and_changes();
    assert_eq!(all.len(), 1);
    writer.put(b"b", Some(b"2")).await.unwrap();
    writer.put(b"a", None).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let next = tokio::time::timeout(PATIENCE, changes.recv()).await;
        let TableChange { key, value, .. } = next.unwrap().unwrap();
        seen.push((key, value));
    }
    seen.sort();
    let expected = [
        (Bytes::from("a"), None),
        (Bytes::from("b"), Some(Bytes::from("2"))),
    ];
    assert_eq!(seen, expected);
    assert_eq!((follower.get(b"a"), follower.snapshot().len()), (None, 1));
    let mut records = connect_core::Encoded::default();
    for number in 0..200_u32 {
        writer.push(&mut records, &number.to_be_bytes(), Some(b"x"));
    }
    writer.write(&records).await.unwrap();
    follower.catch_up().await.unwrap();
    assert_eq!(follower.snapshot().len(), 201);
}

/// With a transactional id only the newest writer can put.
pub async fn a_newer_writer_fences_the_older(s: &Subject) {
    let (name, id) = (s.name("table"), s.name("id"));
    let older = open(s, &name, Some(&id)).await;
    older.put(b"a", Some(b"1")).await.unwrap();
    let newer = open(s, &name, Some(&id)).await;
    newer.put(b"a", Some(b"2")).await.unwrap();
    let error = older.put(b"a", Some(b"3")).await.unwrap_err();
    assert_eq!(error.code(), &FENCED, "{error:?}");
    newer.catch_up().await.unwrap();
    assert_eq!(newer.get(b"a").as_deref(), Some(&b"2"[..]));
}

async fn open(s: &Subject, name: &str, transactional_id: Option<&str>) -> Table {
    let spec = TableSpec {
        topic: Some(TopicSpec::new(name, 2).compacted()),
        appender: AppenderSpec {
            transactional_id: transactional_id.map(str::to_owned),
            ..AppenderSpec::default()
        },
        reader: s.spec(None, &[]),
    };
    let log = Arc::clone(&s.log);
    Table::open(log, name, spec).await.unwrap()
}
