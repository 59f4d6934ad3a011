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

mod record;

use std::{collections::BTreeMap, sync::Arc};

use connect_core::{Properties, Result};
use connect_log::{Log, TopicSpec};
use parking_lot::RwLock;

pub(crate) use record::ConfigRecord;

use crate::{
    answers::TaskId,
    herder::state::{Desired, DesiredTask},
    internal_topic::{Entry, InternalTopic},
    worker_config::WorkerConfig,
};

/// The table of configurations. Only the herder's actor writes it.
pub(crate) struct Configs {
    topic: InternalTopic,
    desired: Arc<RwLock<Desired>>,
    revision: u64,
}

impl Configs {
    /// Reads the topic; what is wanted is in the second value from then on.
    pub(crate) async fn open(
        log: &Arc<dyn Log>,
        config: &WorkerConfig,
    ) -> Result<(Self, Arc<RwLock<Desired>>)> {
        let spec = TopicSpec {
            name: config.config_topic.as_str().into(),
            partitions: Some(1),
            replication: Some(config.config_replication).filter(|r| *r > 0),
            settings: topic_settings(config, "config.storage."),
        };
        let client_id = format!("{}-configs", config.group_id);
        let (topic, entries) = InternalTopic::open(log, spec, &client_id).await?;
        let desired = Arc::new(RwLock::new(Desired::default()));
        let mut configs = Self {
            topic,
            desired: Arc::clone(&desired),
            revision: 0,
        };
        configs.load(&entries);
        Ok((configs, desired))
    }

    fn load(&mut self, entries: &BTreeMap<Vec<u8>, Vec<u8>>) {
        let mut records: Vec<ConfigRecord> = entries
            .iter()
            .filter_map(|(key, value)| ConfigRecord::parse(key, Some(value)))
            .collect();
        records.sort_by_key(ConfigRecord::rank);
        let desired = Arc::clone(&self.desired);
        apply_all(&mut desired.write(), &records, &mut self.revision);
    }

    /// Makes records durable, then what they say is wanted.
    pub(crate) async fn write(&mut self, records: &[ConfigRecord]) -> Result<()> {
        let entries: Vec<Entry> = records.iter().map(ConfigRecord::entry).collect();
        self.topic.write(&entries).await?;
        // An initial target state is written before its connector, and counts after it.
        let mut ranked = records.to_vec();
        ranked.sort_by_key(ConfigRecord::rank);
        apply_all(&mut self.desired.write(), &ranked, &mut self.revision);
        Ok(())
    }

    /// Lets a connector be started again: not stored, since a restart of the worker starts everything anyway.
    pub(crate) fn touch_connector(&mut self, name: &str) {
        self.revision += 1;
        if let Some(connector) = self.desired.write().connectors.get_mut(name) {
            connector.revision = self.revision;
        }
    }

    /// Lets a task be started again.
    pub(crate) fn touch_task(&mut self, id: &TaskId) {
        self.revision += 1;
        let mut desired = self.desired.write();
        let connector = desired.connectors.get_mut(&id.connector);
        if let Some(task) = connector.and_then(|c| c.tasks.get_mut(id.task as usize)) {
            task.revision = self.revision;
        }
    }
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

fn apply_all(desired: &mut Desired, records: &[ConfigRecord], revision: &mut u64) {
    let mut tasks: BTreeMap<TaskId, Properties> = BTreeMap::new();
    for record in records {
        *revision += 1;
        match record {
            ConfigRecord::Task(id, properties) => {
                tasks.insert(id.clone(), properties.clone());
            }
            ConfigRecord::Commit(name, count) => {
                commit(desired, name, *count, &mut tasks, *revision)
            }
            other => apply(desired, other, *revision),
        }
    }
}

fn apply(desired: &mut Desired, record: &ConfigRecord, revision: u64) {
    match record {
        ConfigRecord::Connector(name, Some(config)) => {
            let connector = desired.connectors.entry(name.clone()).or_default();
            connector.config.clone_from(config);
            connector.revision = revision;
        }
        ConfigRecord::Connector(name, None) => drop(desired.connectors.remove(name)),
        ConfigRecord::Target(name, Some(target)) => {
            if let Some(connector) = desired.connectors.get_mut(name) {
                connector.target = *target;
            }
        }
        ConfigRecord::Fencing(name, count) => {
            if let Some(connector) = desired.connectors.get_mut(name) {
                connector.fenced_tasks = Some(*count);
            }
        }
        _ => {}
    }
}

/// Takes the tasks of a commit if all of them are there. An incomplete set (after compaction) leaves none; planning makes them again.
fn commit(
    desired: &mut Desired,
    name: &str,
    count: u32,
    tasks: &mut BTreeMap<TaskId, Properties>,
    revision: u64,
) {
    let ids = (0..count).map(|task| TaskId::new(name, task));
    let set: Option<Vec<Properties>> = ids.map(|id| tasks.remove(&id)).collect();
    let Some(connector) = desired.connectors.get_mut(name) else {
        return;
    };
    let before = std::mem::take(&mut connector.tasks);
    connector.tasks = set
        .unwrap_or_default()
        .into_iter()
        .enumerate()
        .map(|(at, config)| match before.get(at) {
            Some(task) if task.config == config => task.clone(),
            _ => DesiredTask { config, revision },
        })
        .collect();
}

#[cfg(test)]
mod tests;
