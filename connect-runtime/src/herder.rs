//! The handle through which everybody speaks to the workers: cheap to clone.
//!
//! Reading methods look at what this worker knows, and answer also while the log is away. Writing methods validate in the caller's task,
//! then ask the leader, on whatever worker that is, which makes it durable before it answers. Read on with `lead` (who gets what, pure),
//! `leader` (who decides), `reconcile` (what a worker has to do, pure), `actor` (who does it).

pub(crate) mod actor;
pub(crate) mod command;
pub mod lead;
pub(crate) mod leader;
mod plan;
pub mod reconcile;
mod route;
pub mod state;

use std::{sync::Arc, time::Duration};

use connect_core::{Error, Properties, Result, error::INTERNAL};
use connect_log::Member;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::{
    answers::{
        ConfigInfos, ConfigKeyInfo, ConnectorInfo, ConnectorOffset, ConnectorStatus, GivenConfig,
        Health, HealthStatus, PluginInfo, ServerInfo, TargetState, TaskId, TaskState,
    },
    error::{BAD_REQUEST, FORBIDDEN, NOT_FOUND, TASKS_STOPPING, TIMEOUT},
    offset_request, outside,
    progress::ProgressStatus,
    reload::Reloaded,
    shared::Shared,
    validate,
    worker_config::WorkerConfig,
};
pub use route::Levels;

use command::{Answer, Command, Order};

/// How long a request waits for the leader before it answers with an error.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);
/// How long a request for health waits.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(10);
/// How long after their deadline tasks are waited for.
const STOP_GRACE: Duration = Duration::from_secs(2);
/// How often it is looked whether they have ended.
const STOP_POLL: Duration = Duration::from_millis(20);

/// A handle to the worker. Errors carry Kafka Connect's texts, and codes with its HTTP statuses.
#[derive(Clone)]
pub struct Herder {
    pub(crate) shared: Arc<Shared>,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) member: Arc<Member>,
}

/// Connectors: what is wanted.
impl Herder {
    /// The names of all connectors, sorted.
    pub async fn connectors(&self) -> Vec<String> {
        self.shared
            .desired
            .read()
            .connectors
            .keys()
            .cloned()
            .collect()
    }

    /// The worker's properties as they are now.
    pub fn worker_config(&self) -> Arc<WorkerConfig> {
        self.shared.current.get()
    }

    /// Takes what may change while the worker runs from `new` over `old`, which holds; gives what holds then. The error names everything in `new`
    /// that does not hold; then nothing has changed.
    pub fn reload(&self, old: &Properties, new: &Properties) -> Result<(Properties, Reloaded)> {
        self.shared.current.reload(old, new)
    }

    /// A connector's configuration and tasks. 404 when there is none.
    pub async fn info(&self, name: &str) -> Result<ConnectorInfo> {
        self.shared.info(name)
    }

    /// Creates a connector. 400 when its configuration does not hold, 409 when it exists.
    pub async fn create(
        &self,
        name: &str,
        config: GivenConfig,
        initial_state: Option<TargetState>,
    ) -> Result<ConnectorInfo> {
        let name = name.trim();
        let config = validate::named(name, config)?;
        let config = validate::accepted(&self.shared, config).await?;
        let name = name.to_owned();
        let order = Order::Create {
            name,
            config,
            initial_state,
        };
        Ok(info_of(self.ask(order).await?)?.1)
    }

    /// Creates a connector or changes its configuration; tells whether it was created.
    pub async fn put_config(
        &self,
        name: &str,
        config: GivenConfig,
    ) -> Result<(bool, ConnectorInfo)> {
        let config = validate::named(name, config)?;
        let config = validate::accepted(&self.shared, config).await?;
        let name = name.to_owned();
        let order = Order::Put {
            name,
            config,
            expected: None,
        };
        info_of(self.ask(order).await?)
    }

    /// Changes the given keys and removes those whose value is `None`. 404 when there is no such connector.
    pub async fn patch_config(&self, name: &str, patch: GivenConfig) -> Result<ConnectorInfo> {
        let before = self.shared.info(name)?.config;
        let mut after: GivenConfig = before
            .iter()
            .map(|(k, v)| (k.clone(), Some(v.clone())))
            .collect();
        for (key, value) in patch {
            match value {
                Some(value) => after.insert(key, Some(value)),
                None => after.remove(&key),
            };
        }
        let config = validate::accepted(&self.shared, validate::named(name, after)?).await?;
        let name = name.to_owned();
        let order = Order::Put {
            name,
            config,
            expected: Some(before),
        };
        Ok(info_of(self.ask(order).await?)?.1)
    }

    /// Deletes a connector. Its offsets stay, so that a new one of the same name goes on from them.
    pub async fn delete(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        self.ask(Order::Delete { name }).await.map(drop)
    }

    /// Lets the tasks wait.
    pub async fn pause(&self, name: &str) -> Result<()> {
        self.set_target(name, TargetState::Paused).await
    }

    /// Lets a paused or stopped connector go on.
    pub async fn resume(&self, name: &str) -> Result<()> {
        self.set_target(name, TargetState::Started).await
    }

    /// Stops a connector: it has no tasks afterwards, and its offsets can be changed.
    pub async fn stop(&self, name: &str) -> Result<()> {
        self.set_target(name, TargetState::Stopped).await
    }

    async fn set_target(&self, name: &str, target: TargetState) -> Result<()> {
        let name = name.to_owned();
        self.ask(Order::SetTarget { name, target }).await.map(drop)
    }

    /// Restarts a connector. With both flags false only the connector itself is restarted and the answer is `None`.
    pub async fn restart(
        &self,
        name: &str,
        include_tasks: bool,
        only_failed: bool,
    ) -> Result<Option<ConnectorStatus>> {
        let name = name.to_owned();
        let order = Order::Restart {
            name,
            include_tasks,
            only_failed,
        };
        match self.ask(order).await? {
            Answer::Status(status) => Ok(status),
            other => Err(unexpected(&other)),
        }
    }

    /// Restarts one task, whatever its state.
    pub async fn restart_task(&self, name: &str, task: u32) -> Result<()> {
        let id = TaskId::new(name, task);
        self.ask(Order::RestartTask { id }).await.map(drop)
    }

    /// The configurations of a connector's tasks, placeholders unresolved.
    pub async fn task_configs(&self, name: &str) -> Result<Vec<(TaskId, Properties)>> {
        self.shared.task_configs(name)
    }
}

/// Connectors: how they are.
impl Herder {
    /// How a connector and its tasks are. 404 when nothing is known of it.
    pub async fn status(&self, name: &str) -> Result<ConnectorStatus> {
        self.shared.status(name)
    }

    /// The same with the progress of its tasks.
    pub async fn progress(&self, name: &str) -> Result<ProgressStatus> {
        let status = self.shared.status(name)?;
        let meter = |task: u32| {
            let known = self.shared.metrics.known(&TaskId::new(name, task));
            known.map(|metrics| metrics.meter.clone())
        };
        Ok(ProgressStatus::new(status, meter))
    }

    /// How one task is.
    pub async fn task_status(&self, name: &str, task: u32) -> Result<TaskState> {
        let id = TaskId::new(name, task);
        self.shared
            .statuses
            .task(&id)
            .ok_or_else(|| Error::new(&NOT_FOUND, format!("No status found for task {id}")))
    }

    /// Gives a signal to a connector's running task; gives its id. 404 when there is no such connector, 409 when it takes none.
    pub async fn signal(&self, name: &str, signal: Value) -> Result<String> {
        self.shared.info(name)?;
        let (id, message) = outside::signal(signal)?;
        self.tell_task(name, message).await?;
        Ok(id)
    }

    /// The topics that a connector has used since the last reset; none for an unknown one.
    pub async fn topics(&self, name: &str) -> Result<Vec<String>> {
        if !self.shared.config.topic_tracking {
            return Err(Error::new(&FORBIDDEN, "Topic tracking is disabled."));
        }
        Ok(self.shared.statuses.topics(name))
    }

    /// Forgets the topics that a connector has used.
    pub async fn reset_topics(&self, name: &str) -> Result<()> {
        if !self.shared.config.topic_tracking {
            return Err(Error::new(&FORBIDDEN, "Topic tracking is disabled."));
        }
        if !self.shared.config.topic_tracking_reset {
            return Err(Error::new(&FORBIDDEN, "Topic tracking reset is disabled."));
        }
        self.shared.statuses.reset_topics(name);
        Ok(())
    }
}

/// Offsets.
impl Herder {
    /// A connector's offsets: of the source, or of the sink's consumer group.
    pub async fn offsets(&self, name: &str) -> Result<Vec<ConnectorOffset>> {
        within(REQUEST_TIMEOUT, offset_request::read(&self.shared, name)).await
    }

    /// Sets offsets of a stopped connector; `None` removes one. The answer is Kafka Connect's sentence.
    pub async fn alter_offsets(&self, name: &str, offsets: OffsetChange) -> Result<&'static str> {
        if offsets.is_empty() {
            let what = "Partitions / offsets need to be provided for an alter offsets request";
            return Err(Error::new(&BAD_REQUEST, what));
        }
        self.change_offsets(name, Some(offsets)).await?;
        Ok("The offsets for this connector have been altered successfully")
    }

    /// Forgets all offsets of a stopped connector. The answer is Kafka Connect's sentence.
    pub async fn reset_offsets(&self, name: &str) -> Result<&'static str> {
        self.change_offsets(name, None).await?;
        Ok("The offsets for this connector have been reset successfully")
    }

    /// A connector that was stopped just now may still have tasks that finish: these are waited for.
    async fn change_offsets(&self, name: &str, change: Option<OffsetChange>) -> Result<()> {
        let patience = self.shared.current.get().shutdown_timeout.0 + STOP_GRACE;
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let (name, change) = (name.to_owned(), change.clone());
            let changed = self.ask(Order::Offsets { name, change }).await.map(drop);
            let stopping = changed.as_ref().is_err_and(|e| e.code() == &TASKS_STOPPING);
            if !stopping || tokio::time::Instant::now() >= deadline {
                return changed;
            }
            tokio::time::sleep(STOP_POLL).await;
        }
    }
}

/// Plugins and validation.
impl Herder {
    /// Every plugin: sinks, sources, transforms, predicates, converters, header converters.
    pub async fn plugins(&self) -> Vec<PluginInfo> {
        self.shared.plugins.list()
    }

    /// The keys of a plugin: its own, then for connectors those of the runtime. 404 when nobody answers to the name,
    /// 400 when its version is not in the range that is asked for (KIP-891).
    pub async fn plugin_keys(
        &self,
        class: &str,
        version: Option<&str>,
    ) -> Result<Vec<ConfigKeyInfo>> {
        if let Some(version) = version {
            validate::plugin_version(&self.shared, class, version)?;
        }
        validate::plugin_keys(&self.shared, class)
    }

    /// Says everything that does not hold in a configuration. 400 when it is not for this plugin, or names none.
    pub async fn validate(&self, plugin: &str, config: GivenConfig) -> Result<ConfigInfos> {
        within(
            REQUEST_TIMEOUT,
            validate::request(&self.shared, plugin, config),
        )
        .await
    }
}

/// The worker itself.
impl Herder {
    /// Version, commit and the log's id.
    pub async fn server_info(&self) -> ServerInfo {
        ServerInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("TIDEWATER_COMMIT")
                .unwrap_or("unknown")
                .to_owned(),
            kafka_cluster_id: self.shared.cluster_id.clone(),
        }
    }

    /// The level of a logger on every worker of the group, also on those that start later.
    pub async fn set_level(&self, logger: &str, level: &str) -> Result<()> {
        let (logger, level) = (logger.to_owned(), level.to_owned());
        self.ask(Order::Level { logger, level }).await.map(drop)
    }

    /// Whether the worker can handle requests: asks its loop, for at most ten seconds.
    pub async fn health(&self) -> Health {
        let (status, message) = match self.ping(HEALTH_TIMEOUT).await {
            Ok(()) => (
                HealthStatus::Healthy,
                "Worker has completed startup and is ready to handle requests.".to_owned(),
            ),
            Err(_) => (
                HealthStatus::Unhealthy,
                format!(
                    "Worker was unable to handle this request and may be unable to handle other requests.{}",
                    self.shared.stage.summary()
                ),
            ),
        };
        Health { status, message }
    }

    /// All numbers in Prometheus' text format, by the names that dashboards for Kafka Connect use.
    pub async fn metrics_text(&self) -> String {
        self.shared.metrics_text()
    }
}

pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(limit, work)
        .await
        .unwrap_or_else(|_| Err(Error::new(&TIMEOUT, "Request timed out.")))
}

/// Offsets to set: pairs of a partition and its new offset, or none to remove it.
pub type OffsetChange = Vec<(Value, Option<Value>)>;

fn info_of(answer: Answer) -> Result<(bool, ConnectorInfo)> {
    match answer {
        Answer::Info(is_new, info) => Ok((is_new, info)),
        other => Err(unexpected(&other)),
    }
}

pub(crate) fn unexpected(answer: &Answer) -> Error {
    Error::new(
        &INTERNAL,
        format!("the leader answered something else: {answer:?}"),
    )
}
