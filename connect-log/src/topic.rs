//! What a topic is.

use std::{collections::BTreeMap, sync::Arc};

/// A topic to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSpec {
    /// Its name.
    pub name: Arc<str>,
    /// How many partitions; `None` for the log's default (1 for the embedded log).
    pub partitions: Option<i32>,
    /// How many replicas; `None` for the broker's default. Logs without replicas ignore it.
    pub replication: Option<i16>,
    /// Settings by Kafka's names: `cleanup.policy`, `retention.ms`, `retention.bytes`, `max.message.bytes`, `delete.retention.ms`, …
    pub settings: BTreeMap<String, String>,
}

impl TopicSpec {
    /// A topic with a number of partitions and default settings.
    pub fn new(name: impl Into<Arc<str>>, partitions: i32) -> Self {
        Self {
            name: name.into(),
            partitions: Some(partitions),
            replication: None,
            settings: BTreeMap::new(),
        }
    }

    /// The same, keeping only the last record of each key.
    #[must_use]
    pub fn compacted(mut self) -> Self {
        self.settings
            .insert("cleanup.policy".to_owned(), "compact".to_owned());
        self
    }

    /// The same, with a setting more.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }
}

/// A topic that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicInfo {
    /// Its name.
    pub name: Arc<str>,
    /// How many partitions.
    pub partitions: i32,
    /// Settings that were set, and the defaults that matter: `cleanup.policy`, `max.message.bytes`.
    pub settings: BTreeMap<String, String>,
}
