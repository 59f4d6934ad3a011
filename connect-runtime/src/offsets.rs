//! Positions of sources, as Kafka Connect stores them in `offset.storage.topic`: `["name",{partition}]` → `{offset}`.
//!
//! Kafka compacts by the bytes of the key, so a partition that is known is written under the very key it was read from.

mod record;
mod store;

use std::{collections::BTreeMap, sync::Arc};

use connect_core::{Position, Result};
use connect_log::{Log, TopicSpec};
use parking_lot::RwLock;
use serde_json::Value;

use crate::{
    configs::topic_settings,
    internal_topic::{Entry, InternalTopic},
    place::Place,
    worker_config::WorkerConfig,
};
use record::{key_bytes, parse_key, sorted};
pub(crate) use store::{OffsetStore, OwnTopics};

/// The table of source offsets.
pub(crate) struct Offsets {
    topic: InternalTopic,
    place: Place,
    memory: RwLock<BTreeMap<String, BTreeMap<String, Stored>>>,
}

/// One stored offset, as the topic tells it. What counts for a task is told by the topic alone, in its order.
#[derive(Debug, Clone)]
struct Stored {
    key: Vec<u8>,
    partition: Arc<str>,
    offset: Arc<str>,
    /// What was made durable here since then, until the topic tells it too.
    written: Option<Arc<str>>,
}

impl Stored {
    /// The newest that is known.
    fn latest(&self) -> &Arc<str> {
        self.written.as_ref().unwrap_or(&self.offset)
    }

    fn position(&self, offset: &Arc<str>) -> Position {
        Position {
            partition: Arc::clone(&self.partition),
            offset: Arc::clone(offset),
            order: 0,
        }
    }
}

impl Offsets {
    /// Reads the topic.
    pub(crate) async fn open(
        log: &Arc<dyn Log>,
        config: &WorkerConfig,
        place: &Place,
    ) -> Result<Self> {
        Self::open_topic(log, config, place, &config.offset_topic).await
    }

    /// Reads a topic that a connector has for itself, made as that of all is.
    async fn open_topic(
        log: &Arc<dyn Log>,
        config: &WorkerConfig,
        place: &Place,
        topic: &str,
    ) -> Result<Self> {
        let spec = TopicSpec {
            name: topic.into(),
            partitions: Some(config.offset_partitions),
            replication: Some(config.offset_replication).filter(|r| *r > 0),
            settings: topic_settings(config, "offset.storage."),
        };
        let client_id = format!("{}-offsets", config.group_id);
        let (topic, entries) = InternalTopic::open(log, spec, &client_id).await?;
        let offsets = Self {
            topic,
            place: place.clone(),
            memory: RwLock::default(),
        };
        for (key, value) in entries {
            offsets.remember(key, Some(&value));
        }
        Ok(offsets)
    }

    /// Where its writer lives.
    pub(crate) fn runtime(&self) -> &tokio::runtime::Handle {
        self.topic.runtime()
    }

    /// The topic's name, for appenders that write offsets in their own transactions.
    pub(crate) fn topic(&self) -> &Arc<str> {
        self.topic.name()
    }

    /// Takes in what is written from now on, by whomever. Never ends.
    pub(crate) async fn follow(&self) {
        self.topic
            .follow(|seen| self.remember(seen.key.to_vec(), seen.value))
            .await;
    }

    /// Takes in what others have stored, and what a transaction of ours stored whose end was not seen. Only then it is known
    /// where a task that has fenced its predecessor stands.
    pub(crate) async fn refresh(&self) -> Result<()> {
        self.topic
            .catch_up(|seen| self.remember(seen.key.to_vec(), seen.value))
            .await
    }

    /// The stored positions of a connector, one per partition: those of the last [`Self::refresh`], or newer ones.
    pub(crate) fn stored(&self, connector: &str) -> Vec<Position> {
        self.of(connector, |stored| &stored.offset)
    }

    /// The same with what was made durable here since then.
    pub(crate) fn latest(&self, connector: &str) -> Vec<Position> {
        self.of(connector, Stored::latest)
    }

    fn of(&self, connector: &str, offset: impl Fn(&Stored) -> &Arc<str>) -> Vec<Position> {
        let memory = self.memory.read();
        let stored = memory.get(connector).into_iter().flat_map(BTreeMap::values);
        stored
            .map(|stored| stored.position(offset(stored)))
            .collect()
    }

    /// The records that store positions, with the keys under which their partitions are known. None for what is stored already.
    pub(crate) fn entries(&self, connector: &str, positions: &[Position]) -> Vec<Entry> {
        let memory = self.memory.read();
        let known = memory.get(connector);
        let entry = |position: &Position| {
            let stored = known.and_then(|known| known.get(&sorted(&position.partition)));
            if stored.is_some_and(|stored| *stored.latest() == position.offset) {
                return None;
            }
            let key = stored.map_or_else(
                || key_bytes(connector, &position.partition),
                |stored| stored.key.clone(),
            );
            Some((key, Some(position.offset.as_bytes().to_vec())))
        };
        positions.iter().filter_map(entry).collect()
    }

    /// Stores entries and waits until they are durable.
    pub(crate) async fn save(&self, entries: Vec<Entry>) -> Result<()> {
        self.topic.write(&entries, self.place.lease()).await?;
        self.committed(entries);
        Ok(())
    }

    /// Remembers entries that were made durable by somebody's transaction.
    pub(crate) fn committed(&self, entries: Vec<Entry>) {
        for (key, value) in entries {
            self.wrote(key, value.as_deref());
        }
    }

    /// The topic tells it later than what was written before it: it must not be overwritten by that.
    fn wrote(&self, key: Vec<u8>, value: Option<&[u8]>) {
        let Some((connector, partition)) = parse_key(&key) else {
            return;
        };
        if let Some(value) = text(value)
            && let Some(known) = self.memory.write().get_mut(&connector)
            && let Some(stored) = known.get_mut(&sorted(&partition))
        {
            stored.written = (*stored.offset != *value).then(|| value.into());
            return;
        }
        self.remember(key, value);
    }

    /// Sets offsets of a connector; `None` removes one.
    pub(crate) async fn alter(
        &self,
        connector: &str,
        change: &[(Value, Option<Value>)],
    ) -> Result<()> {
        let entries = {
            let memory = self.memory.read();
            let known = memory.get(connector);
            let one = |(partition, offset): &(Value, Option<Value>)| {
                let partition = partition.to_string();
                let stored = known.and_then(|k| k.get(&sorted(&partition)));
                let key = stored.map_or_else(
                    || key_bytes(connector, &partition),
                    |stored| stored.key.clone(),
                );
                (
                    key,
                    offset
                        .as_ref()
                        .map(|offset| offset.to_string().into_bytes()),
                )
            };
            change.iter().map(one).collect()
        };
        self.save(entries).await
    }

    /// Removes all offsets of a connector.
    pub(crate) async fn reset(&self, connector: &str) -> Result<()> {
        let keys: Vec<Vec<u8>> = {
            let memory = self.memory.read();
            let stored = memory.get(connector).into_iter().flat_map(BTreeMap::values);
            stored.map(|stored| stored.key.clone()).collect()
        };
        if keys.is_empty() {
            return Ok(());
        }
        self.save(keys.into_iter().map(|key| (key, None)).collect())
            .await
    }

    fn remember(&self, key: Vec<u8>, value: Option<&[u8]>) {
        let Some((connector, partition)) = parse_key(&key) else {
            return;
        };
        let mut memory = self.memory.write();
        let known = memory.entry(connector).or_default();
        let sorted = sorted(&partition);
        match text(value) {
            Some(offset) => {
                let before = known.get_mut(&sorted);
                let written = before.and_then(|before| before.written.take());
                let stored = Stored {
                    key,
                    partition: partition.into(),
                    offset: offset.into(),
                    written: written.filter(|written| **written != *offset),
                };
                known.insert(sorted, stored);
            }
            None => drop(known.remove(&sorted)),
        }
    }
}

/// The offset of a record; none for what removes it.
fn text(value: Option<&[u8]>) -> Option<&str> {
    let text = value.and_then(|bytes| std::str::from_utf8(bytes).ok());
    text.filter(|text| *text != "null")
}

/// Positions as JSON, in Kafka Connect's answer.
pub(crate) fn as_json(stored: &[Position]) -> Vec<(Value, Value)> {
    let parse = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    let pair = |position: &Position| (parse(&position.partition), parse(&position.offset));
    stored.iter().map(pair).collect()
}

#[cfg(test)]
pub(crate) use record::is_same_to_the_byte;

#[cfg(test)]
mod tests;
