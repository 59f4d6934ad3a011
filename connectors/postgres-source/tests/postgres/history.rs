//! What a reader of the topic sees of every key: versions of rows, taken from one clock of the database.

use std::collections::BTreeMap;

use crate::harness::{Database, Event};

/// A table whose every change takes its version from the sequence `clock`.
pub(crate) const TABLE: &str = "create sequence clock;
    create table t (id int primary key, v bigint not null default nextval('clock'), pad text)";

/// What was seen last of a key.
#[derive(Debug, Clone, Copy)]
struct Last {
    version: i64,
    deleted: bool,
}

/// The state of the rows after events whose order was checked on the way: for each key, a change is newer than all
/// before it, and a read is not older.
pub(crate) fn ordered(events: &[Event]) -> BTreeMap<i64, i64> {
    let mut keys: BTreeMap<i64, Last> = BTreeMap::new();
    for event in events {
        let id = event.key["id"].as_i64().unwrap();
        let last = keys.get(&id).copied();
        if let Some(next) = checked(id, event, last) {
            keys.insert(id, next);
        }
    }
    let alive = keys.into_iter().filter(|(_, last)| !last.deleted);
    alive.map(|(id, last)| (id, last.version)).collect()
}

fn checked(id: i64, event: &Event, last: Option<Last>) -> Option<Last> {
    let version = event.after()["v"].as_i64();
    let before = last.map_or(-1, |last| last.version);
    let was_deleted = last.is_some_and(|last| last.deleted);
    let told = format!("key {id}: {} {version:?} after {last:?}", event.op());
    match event.op() {
        "tombstone" => {
            assert!(was_deleted, "{told}");
            return None;
        }
        "d" => {
            assert!(!was_deleted, "{told}");
            return Some(Last {
                version: before,
                deleted: true,
            });
        }
        "r" if !was_deleted => assert!(version.unwrap() >= before, "{told}"),
        "u" => assert!(!was_deleted && version.unwrap() > before, "{told}"),
        _ => assert!(version.unwrap() > before, "{told}"),
    }
    Some(Last {
        version: version.unwrap(),
        deleted: false,
    })
}

/// The table as it is.
pub(crate) fn rows(db: &Database) -> BTreeMap<i64, i64> {
    let rows = db.sql("select id, v from t");
    let pair = |line: &str| {
        let (id, v) = line.split_once('|').unwrap();
        (id.parse().unwrap(), v.parse().unwrap())
    };
    rows.lines().map(pair).collect()
}

/// Fails with the keys that differ.
pub(crate) fn assert_same<V: PartialEq + std::fmt::Debug>(
    topic: &BTreeMap<i64, V>,
    table: &BTreeMap<i64, V>,
) {
    let keys = topic.keys().chain(table.keys());
    let differ = keys.filter(|key| topic.get(key) != table.get(key));
    let differ: Vec<_> = differ
        .map(|key| (key, topic.get(key), table.get(key)))
        .take(10)
        .collect();
    assert!(differ.is_empty(), "key, topic, table: {differ:?}");
}

/// A topic and the positions that were stored with its batches.
#[derive(Default)]
pub(crate) struct Topic {
    pub events: Vec<Event>,
    /// After so many events the source stood there.
    positions: Vec<(usize, connect_core::Position)>,
}

impl Topic {
    /// Takes a batch.
    pub(crate) fn append(&mut self, events: Vec<Event>, position: Option<connect_core::Position>) {
        self.events.extend(events);
        self.positions
            .extend(position.map(|position| (self.events.len(), position)));
    }

    /// How many positions there are.
    pub(crate) fn positions(&self) -> usize {
        self.positions.len()
    }

    /// A task dies when so many positions are durable; gives the last of these. Records behind it stay in the topic
    /// where nothing but reads stands there, as at-least-once has it; else they vanish, as exactly-once has it.
    pub(crate) fn die(&mut self, durable: usize) -> Option<connect_core::Position> {
        self.positions.truncate(durable);
        let (len, position) = match self.positions.last() {
            Some((len, position)) => (*len, Some(position.clone())),
            None => (0, None),
        };
        if self.events[len..].iter().any(|event| event.op() != "r") {
            self.events.truncate(len);
        }
        position
    }
}
