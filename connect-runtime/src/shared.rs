//! What the actor, the tasks and the handle look at together.

use std::sync::{Arc, atomic::AtomicU64};

use connect_core::{Error, Properties, Result};
use connect_log::Log;
use parking_lot::RwLock;

use crate::{
    answers::{ConnectorInfo, ConnectorStatus, TaskId},
    change::Changes,
    cluster::Cluster,
    config_provider::Providers,
    configs::Configs,
    error::NOT_FOUND,
    guards::Guarded,
    herder::state::Desired,
    kept::Keeps,
    log_health::LogHealth,
    logs::Logs,
    metrics::Metrics,
    offsets::{Offsets, OwnTopics},
    outside::Ways,
    place::Place,
    plugins::Plugins,
    reload::Current,
    spans::Traces,
    stage::Stage,
    statuses::Statuses,
    worker_config::WorkerConfig,
};

/// One worker's parts.
pub(crate) struct Shared {
    /// As at the start.
    pub(crate) config: WorkerConfig,
    /// As tasks get it that start now.
    pub(crate) current: Current,
    pub(crate) plugins: Plugins,
    pub(crate) providers: Providers,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) log_health: LogHealth,
    pub(crate) cluster_id: String,
    /// This process, as it marks what it writes, and the next number of a record of its own.
    pub(crate) by: Arc<str>,
    pub(crate) numbers: Arc<AtomicU64>,
    pub(crate) place: Place,
    pub(crate) changes: Changes,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) configs: Arc<Configs>,
    /// What is wanted, as the configurations say.
    pub(crate) desired: Arc<RwLock<Desired>>,
    pub(crate) statuses: Arc<Statuses>,
    pub(crate) offsets: Arc<Offsets>,
    pub(crate) own_topics: OwnTopics,
    pub(crate) stage: Stage,
    pub(crate) metrics: Metrics,
    pub(crate) ways: Ways,
    pub(crate) guarded: Guarded,
    pub(crate) keeps: Keeps,
    pub(crate) logs: Logs,
    pub(crate) traces: Traces,
}

impl Shared {
    /// A connector's configuration and tasks.
    pub(crate) fn info(&self, name: &str) -> Result<ConnectorInfo> {
        let desired = self.desired.read();
        let connector = desired
            .connectors
            .get(name)
            .ok_or_else(|| not_found(name))?;
        Ok(ConnectorInfo {
            name: name.to_owned(),
            config: connector.config.clone(),
            tasks: (0..connector.tasks.len() as u32)
                .map(|task| TaskId::new(name, task))
                .collect(),
            kind: self.plugins.kind(connector.config.get("connector.class")),
        })
    }

    /// How a connector and its tasks are.
    pub(crate) fn status(&self, name: &str) -> Result<ConnectorStatus> {
        let class = self
            .desired
            .read()
            .connectors
            .get(name)
            .and_then(|connector| connector.config.get("connector.class").cloned());
        // One that is deleted has none, although its tasks may still be ending.
        let connector = class.as_ref().and_then(|_| self.statuses.connector(name));
        let connector = connector.ok_or_else(|| {
            Error::new(&NOT_FOUND, format!("No status found for connector {name}"))
        })?;
        let mut state = connector.of_connector();
        state.trace = state.trace.or_else(|| self.guarded.notice(name));
        Ok(ConnectorStatus {
            name: name.to_owned(),
            connector: state,
            tasks: self.statuses.tasks_of(name),
            kind: self.plugins.kind(class.as_ref()),
        })
    }

    /// Forgets statuses and numbers of tasks that a connector does not have, from this one on.
    pub(crate) fn forget_tasks(&self, name: &str, from: u32) {
        let tasks = self.statuses.tasks_of(name);
        for task in tasks.iter().filter(|task| task.id >= from) {
            let id = TaskId::new(name, task.id);
            self.statuses.remove_task(&id);
            self.metrics.remove(&id);
        }
    }

    /// The configurations of a connector's tasks.
    pub(crate) fn task_configs(&self, name: &str) -> Result<Vec<(TaskId, Properties)>> {
        let desired = self.desired.read();
        let connector = desired
            .connectors
            .get(name)
            .ok_or_else(|| not_found(name))?;
        let tasks = connector.tasks.iter().zip(0..);
        Ok(tasks
            .map(|(task, id)| (TaskId::new(name, id), task.config.clone()))
            .collect())
    }

    /// The version of a connector's plugin.
    pub(crate) fn version_of(&self, desired: &Desired, name: &str) -> Option<&'static str> {
        let class = desired
            .connectors
            .get(name)?
            .config
            .get("connector.class")?;
        self.plugins.find(class).map(|plugin| plugin.about.version)
    }
}

/// 404 in Kafka Connect's words.
pub(crate) fn not_found(name: &str) -> Error {
    Error::new(&NOT_FOUND, format!("Connector {name} not found"))
}
