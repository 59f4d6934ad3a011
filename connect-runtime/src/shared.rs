//! What the actor, the tasks and the handle look at together.

use std::sync::Arc;

use connect_core::{Error, Properties, Result};
use connect_log::Log;
use parking_lot::RwLock;

use crate::{
    answers::{ConnectorInfo, ConnectorStatus, TaskId},
    config_provider::Providers,
    error::NOT_FOUND,
    guards::Guarded,
    herder::state::Desired,
    kept::Keeps,
    metrics::Metrics,
    offsets::Offsets,
    outside::Ways,
    plugins::Plugins,
    stage::Stage,
    statuses::Statuses,
    worker_config::WorkerConfig,
};

/// One worker's parts.
pub(crate) struct Shared {
    pub(crate) config: WorkerConfig,
    pub(crate) plugins: Plugins,
    pub(crate) providers: Providers,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) cluster_id: String,
    /// What is wanted; the actor writes it, everybody reads it.
    pub(crate) desired: Arc<RwLock<Desired>>,
    pub(crate) statuses: Arc<Statuses>,
    pub(crate) offsets: Arc<Offsets>,
    pub(crate) stage: Stage,
    pub(crate) metrics: Metrics,
    pub(crate) ways: Ways,
    pub(crate) guarded: Guarded,
    pub(crate) keeps: Keeps,
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
        let connector = self.statuses.connector(name).ok_or_else(|| {
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
