//! What a reader of the topic sees of every key: versions of rows, which never go back.

use std::collections::{BTreeMap, BTreeSet};

use connect_core::{Batch, Position, SourceTask, Value, batch::Row};

use super::{
    soon,
    tasks::{Source, open},
};
use stack::{Mysql, MysqlVersion};

/// A record.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) topic: String,
    pub(super) key: String,
    pub(super) op: String,
    /// The column `v` behind the change.
    pub(super) version: Option<i64>,
    /// `source.snapshot`
    pub(super) mark: String,
}

fn text(value: Option<Value>) -> String {
    match value {
        Some(Value::Str(text)) => text,
        _ => String::new(),
    }
}

fn number(value: Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(number),
        Value::Digits(digits) => digits.to_string().parse().ok(),
        _ => None,
    }
}

impl Event {
    pub(super) fn of(row: Row<'_>) -> Self {
        let value = row.value();
        let get = |name: &str| value.get(name);
        let after = get("after").and_then(|after| after.get("v"));
        let mark = get("source").and_then(|source| source.get("snapshot"));
        let op = get("op").map(|op| op.to_value());
        Self {
            topic: row.topic().to_string(),
            key: format!("{:?}", row.key().to_value()),
            op: op.map_or("tombstone".to_owned(), |op| text(Some(op))),
            version: after.and_then(|v| number(v.to_value())),
            mark: text(mark.map(|mark| mark.to_value())),
        }
    }
}

/// What was seen last of a key.
#[derive(Debug, Clone, Copy)]
struct Last {
    version: i64,
    deleted: bool,
}

/// The state of the rows after events whose order was checked on the way: for each key, a change is newer than all
/// before it, and a read is not older.
pub(super) fn ordered(events: &[Event]) -> BTreeMap<String, i64> {
    let mut keys: BTreeMap<&str, Last> = BTreeMap::new();
    for event in events {
        let last = keys.get(event.key.as_str()).copied();
        if let Some(next) = checked(event, last) {
            keys.insert(&event.key, next);
        }
    }
    let alive = keys.into_iter().filter(|(_, last)| !last.deleted);
    alive
        .map(|(key, last)| (key.to_owned(), last.version))
        .collect()
}

fn checked(event: &Event, last: Option<Last>) -> Option<Last> {
    let before = last.map_or(-1, |last| last.version);
    let was_deleted = last.is_some_and(|last| last.deleted);
    let told = format!("{event:?} after {last:?}");
    match event.op.as_str() {
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
        "r" if !was_deleted => assert!(event.version.unwrap() >= before, "{told}"),
        "u" => assert!(!was_deleted && event.version.unwrap() > before, "{told}"),
        _ => assert!(event.version.unwrap() > before, "{told}"),
    }
    Some(Last {
        version: event.version.unwrap(),
        deleted: false,
    })
}

/// Fails with the keys that differ.
pub(super) fn assert_same(topic: &BTreeMap<String, i64>, table: &BTreeMap<String, i64>) {
    let keys: BTreeSet<&String> = topic.keys().chain(table.keys()).collect();
    let differ = keys
        .into_iter()
        .filter(|key| topic.get(*key) != table.get(*key));
    let differ: Vec<_> = differ
        .map(|key| (key, topic.get(key), table.get(key)))
        .take(10)
        .collect();
    assert!(differ.is_empty(), "key, topic, table: {differ:?}");
}

/// What is stored, by partition.
pub(super) type Stored = BTreeMap<String, Position>;

/// A topic and the positions that were stored with its batches.
#[derive(Default)]
pub(super) struct Topic {
    pub(super) events: Vec<Event>,
    /// After so many events this was stored.
    stored: Vec<(usize, Stored)>,
}

impl Topic {
    /// Polls once.
    pub(super) async fn poll(&mut self, source: &mut Source) {
        let mut batch = Batch::default();
        soon(source.task.poll(&mut batch)).await.unwrap();
        self.events.extend(batch.rows().map(Event::of));
        let Some(position) = batch.position() else {
            return;
        };
        let mut stored = self
            .stored
            .last()
            .map_or(Stored::new(), |(_, stored)| stored.clone());
        for one in batch.other_positions().iter().chain([position]) {
            stored.insert(one.partition.to_string(), one.clone());
        }
        self.stored.push((self.events.len(), stored));
    }

    /// How many positions there are.
    pub(super) fn positions(&self) -> usize {
        self.stored.len()
    }

    /// The offset of the last position.
    pub(super) fn offset(&self) -> String {
        let last = self.stored.last();
        let own = last.and_then(|(_, stored)| stored.values().find(|one| is_own(one)));
        own.map_or(String::new(), |position| position.offset.to_string())
    }

    /// A task dies when so many positions are durable; gives what is stored then. Records behind it stay in the topic
    /// where nothing but reads stands there, as at-least-once has it; else they vanish, as exactly-once has it, and as they do
    /// before the first position, which is stored before the first row.
    pub(super) fn die(&mut self, durable: usize) -> Stored {
        self.stored.truncate(durable);
        let last = self.stored.last().cloned();
        let (len, stored) = last.unwrap_or_default();
        let is_new = stored.is_empty();
        if is_new || self.events[len..].iter().any(|event| event.op != "r") {
            self.events.truncate(len);
        }
        stored
    }
}

/// Whether a position is that of the task, and not of one of its tables.
pub(super) fn is_own(position: &Position) -> bool {
    !position.partition.contains("\"table\"")
}

/// A task that goes on from what is stored.
pub(super) async fn again(
    mysql: &Mysql,
    version: MysqlVersion,
    more: &[(&str, &str)],
    stored: &Stored,
) -> Source {
    open(mysql, version, more, stored.values().cloned()).await
}

/// The rows of the captured tables as a new snapshot has them.
pub(super) async fn rows(
    mysql: &Mysql,
    version: MysqlVersion,
    more: &[(&str, &str)],
) -> Vec<Event> {
    let only = [("snapshot.mode", "initial_only"), ("topic.prefix", "t")];
    let all: Vec<(&str, &str)> = more.iter().copied().chain(only).collect();
    let mut source = open(mysql, version, &all, None).await;
    let mut topic = Topic::default();
    while topic.offset().is_empty() || topic.offset().contains("\"snapshot\"") {
        topic.poll(&mut source).await;
    }
    source.close().await;
    topic.events
}

/// Their versions by key.
pub(super) fn versions(events: &[Event]) -> BTreeMap<String, i64> {
    let pair = |event: &Event| (event.key.clone(), event.version.unwrap_or(-1));
    events.iter().map(pair).collect()
}
