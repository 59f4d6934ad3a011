//! Configurations, tasks and target states, as Kafka Connect stores them in `config.storage.topic`.
//!
//! | key | value |
//! |---|---|
//! | `connector-<name>` | `{"properties":{…}}` |
//! | `task-<name>-<i>` | `{"properties":{…}}`, counts only after its commit |
//! | `commit-<name>` | `{"tasks":2}` |
//! | `target-state-<name>` | `{"state":"PAUSED","state.v2":"STOPPED"}` |
//! | `tasks-fencing-<name>` | `{"task-count":1}` |
//! | `restart-connector-<name>` | `{"include-tasks":true,"only-failed":false}` |
//! | `logger-cluster-<logger>` | `{"level":"INFO"}` |
//!
//! Only the leader writes it, with its pen; every worker follows it.

mod record;

use std::{collections::BTreeMap, sync::Arc};

use connect_core::{Properties, Result};
use connect_log::{Log, TopicSpec};
use parking_lot::{Mutex, RwLock};

pub(crate) use record::ConfigRecord;

use crate::{
    answers::{TargetState, TaskId},
    change::{Changes, Scope},
    herder::state::{Desired, DesiredTask},
    internal_topic::{InternalTopic, Own},
    worker_config::WorkerConfig,
};

/// The table of configurations.
pub(crate) struct Configs {
    topic: InternalTopic,
    reading: Mutex<Reading>,
    desired: Arc<RwLock<Desired>>,
    changes: Changes,
}

/// What was read and does not count yet.
struct Reading {
    own: Own,
    revision: u64,
    /// Tasks without their commit.
    tasks: BTreeMap<TaskId, Properties>,
    /// Of connectors that are not there yet: an initial state is written before its connector.
    targets: BTreeMap<String, TargetState>,
}

impl Configs {
    /// Reads the topic. `by` is this process.
    pub(crate) async fn open(
        log: &Arc<dyn Log>,
        config: &WorkerConfig,
        by: &Arc<str>,
        changes: &Changes,
    ) -> Result<Self> {
        let spec = TopicSpec {
            name: config.config_topic.as_str().into(),
            partitions: Some(1),
            replication: Some(config.config_replication).filter(|r| *r > 0),
            settings: topic_settings(config, "config.storage."),
        };
        let client_id = format!("{}-configs", config.group_id);
        let (topic, entries) = InternalTopic::open(log, spec, &client_id).await?;
        let configs = Self {
            topic,
            reading: Mutex::new(Reading {
                own: Own::new(by),
                revision: 0,
                tasks: BTreeMap::new(),
                targets: BTreeMap::new(),
            }),
            desired: Arc::default(),
            changes: changes.clone(),
        };
        configs.load(&entries);
        Ok(configs)
    }

    /// What is wanted, from now on.
    pub(crate) fn desired(&self) -> &Arc<RwLock<Desired>> {
        &self.desired
    }

    /// Its topic's name.
    pub(crate) fn topic(&self) -> &Arc<str> {
        self.topic.name()
    }

    fn load(&self, entries: &BTreeMap<Vec<u8>, Vec<u8>>) {
        let mut records: Vec<ConfigRecord> = entries
            .iter()
            .filter_map(|(key, value)| ConfigRecord::parse(key, Some(value)))
            .collect();
        // A compacted topic has the last record of each key, which is not the order in which they refer to each other.
        records.sort_by_key(ConfigRecord::rank);
        let mut reading = self.reading.lock();
        for record in records {
            reading.apply(&mut self.desired.write(), record, i64::MIN);
        }
        // Whoever goes on writes tasks anew, with their commit.
        reading.tasks.clear();
    }

    /// Takes in what others write. Never ends.
    pub(crate) async fn follow(&self) {
        self.topic.follow(|seen| self.see(seen)).await;
    }

    /// Takes in everything that was written until now.
    pub(crate) async fn catch_up(&self) -> Result<()> {
        self.topic.read_on(|seen| self.see(seen)).await
    }

    fn see(&self, seen: &crate::internal_topic::Seen<'_>) {
        let mut reading = self.reading.lock();
        if !reading.own.is_new(seen.written) {
            return;
        }
        if let Some(record) = ConfigRecord::parse(seen.key, seen.value) {
            let about = about([&record]);
            reading.apply(&mut self.desired.write(), record, seen.timestamp_ms);
            drop(reading);
            self.changes.tell(&about);
        }
    }

    /// Records of our own are durable, the first under this number.
    pub(crate) fn wrote(&self, records: &[ConfigRecord], first: u64) {
        let mut reading = self.reading.lock();
        let now = jiff::Timestamp::now().as_millisecond();
        for (record, number) in records.iter().zip(first..) {
            if reading.own.count(number) {
                reading.apply(&mut self.desired.write(), record.clone(), now);
            }
        }
        drop(reading);
        self.changes.tell(&about(records));
    }
}

/// The connectors that records are about.
fn about<'a>(records: impl IntoIterator<Item = &'a ConfigRecord>) -> Scope {
    let mut about = Scope::default();
    let names = records.into_iter().filter_map(ConfigRecord::connector);
    names.for_each(|name| about.add(name));
    about
}

/// Settings of an internal topic: everything under the prefix that is not about its shape.
pub(crate) fn topic_settings(config: &WorkerConfig, prefix: &str) -> BTreeMap<String, String> {
    let mut settings = config.under(prefix);
    for ours in [
        "topic",
        "partitions",
        "replication.factor",
        "cleanup.policy",
    ] {
        settings.remove(ours);
    }
    settings
}

impl Reading {
    fn apply(&mut self, desired: &mut Desired, record: ConfigRecord, timestamp_ms: i64) {
        self.revision += 1;
        let revision = self.revision;
        match record {
            ConfigRecord::Task(id, properties) => drop(self.tasks.insert(id, properties)),
            ConfigRecord::Commit(name, count) => self.commit(desired, &name, count),
            ConfigRecord::Connector(name, Some(config)) => {
                let initial = self.targets.remove(&name);
                let connector = desired.connectors.entry(name).or_default();
                connector.config = config;
                connector.revision = revision;
                connector.target = initial.unwrap_or(connector.target);
            }
            ConfigRecord::Connector(name, None) => drop(desired.connectors.remove(&name)),
            ConfigRecord::Target(name, target) => match desired.connectors.get_mut(&name) {
                Some(connector) => connector.target = target.unwrap_or(connector.target),
                None => match target {
                    Some(target) => drop(self.targets.insert(name, target)),
                    None => drop(self.targets.remove(&name)),
                },
            },
            ConfigRecord::Fencing(name, count) => {
                if let Some(connector) = desired.connectors.get_mut(&name) {
                    connector.fenced_tasks = Some(count);
                }
            }
            ConfigRecord::Level { logger, level } => {
                desired.levels.insert(logger, (level, timestamp_ms));
            }
            ConfigRecord::Restart { .. } => {}
        }
    }

    /// Takes the tasks of a commit if all of them are there. An incomplete set (after compaction) leaves none; planning makes them again.
    fn commit(&mut self, desired: &mut Desired, name: &str, count: u32) {
        let ids = (0..count).map(|task| TaskId::new(name, task));
        let set: Option<Vec<Properties>> = ids.map(|id| self.tasks.remove(&id)).collect();
        self.tasks.retain(|id, _| id.connector != name);
        let Some(connector) = desired.connectors.get_mut(name) else {
            return;
        };
        let before = std::mem::take(&mut connector.tasks);
        let revision = self.revision;
        let tasks = set.unwrap_or_default().into_iter().enumerate();
        let tasks = tasks.map(|(at, config)| match before.get(at) {
            Some(task) if task.config == config => task.clone(),
            _ => DesiredTask { config, revision },
        });
        connector.tasks = tasks.collect();
    }
}

#[cfg(test)]
mod tests;
