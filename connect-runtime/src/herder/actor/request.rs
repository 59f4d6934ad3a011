//! What the actor does for each request.

use connect_core::{Error, Properties, Result};

use super::Actor;
use crate::{
    answers::{ConnectorInfo, ConnectorStatus, State, TargetState, TaskId},
    configs::ConfigRecord,
    error::{ALREADY_EXISTS, NOT_FOUND, TASKS_STOPPING},
    herder::command::Command,
    offset_request,
    shared::not_found,
};

impl Actor {
    pub(super) async fn handle(&mut self, command: Command) {
        self.shared.stage.begin(command.describe());
        match command {
            Command::Create {
                name,
                config,
                initial_state,
                reply,
            } => {
                drop(reply.send(self.create(&name, config, initial_state).await));
            }
            Command::Put {
                name,
                config,
                expected,
                reply,
            } => {
                drop(reply.send(self.put(&name, config, expected).await));
            }
            Command::Delete { name, reply } => drop(reply.send(self.delete(&name).await)),
            Command::SetTarget {
                name,
                target,
                reply,
            } => {
                drop(reply.send(self.set_target(&name, target).await));
            }
            Command::Restart {
                name,
                include_tasks,
                only_failed,
                reply,
            } => {
                drop(reply.send(self.restart(&name, include_tasks, only_failed).await));
            }
            Command::RestartTask { id, reply } => drop(reply.send(self.restart_task(&id))),
            Command::Offsets {
                name,
                change,
                reply,
            } => {
                drop(reply.send(self.change_offsets(&name, change.as_deref()).await));
            }
            Command::Ping { reply } => drop(reply.send(Ok(()))),
        }
        self.shared.stage.end();
    }

    fn exists(&self, name: &str) -> bool {
        self.shared.desired.read().connectors.contains_key(name)
    }

    async fn create(
        &mut self,
        name: &str,
        config: Properties,
        initial_state: Option<TargetState>,
    ) -> Result<ConnectorInfo> {
        if self.exists(name) {
            return Err(Error::new(
                &ALREADY_EXISTS,
                format!("Connector {name} already exists"),
            ));
        }
        let mut records = Vec::new();
        if let Some(target) = initial_state {
            records.push(ConfigRecord::Target(name.to_owned(), Some(target)));
        }
        records.push(ConfigRecord::Connector(name.to_owned(), Some(config)));
        self.configs.write(&records).await?;
        let version = self.shared.version_of(&self.shared.desired.read(), name);
        self.shared
            .statuses
            .set_connector(name, State::Unassigned, version, None);
        self.shared.info(name)
    }

    async fn put(
        &mut self,
        name: &str,
        config: Properties,
        expected: Option<Properties>,
    ) -> Result<(bool, ConnectorInfo)> {
        if !self.exists(name) && expected.is_none() {
            return Ok((true, self.create(name, config, None).await?));
        }
        let now = self.shared.info(name)?.config;
        if expected.is_some_and(|expected| expected != now) {
            let what = "Cannot complete request momentarily due to stale configuration \
                        (typically caused by a concurrent config change)";
            return Err(Error::new(&ALREADY_EXISTS, what));
        }
        self.configs
            .write(&[ConfigRecord::Connector(name.to_owned(), Some(config))])
            .await?;
        Ok((false, self.shared.info(name)?))
    }

    async fn delete(&mut self, name: &str) -> Result<()> {
        if !self.exists(name) {
            return Err(not_found(name));
        }
        let records = [
            ConfigRecord::Connector(name.to_owned(), None),
            ConfigRecord::Target(name.to_owned(), None),
        ];
        self.configs.write(&records).await?;
        self.shared.statuses.remove_connector(name);
        self.shared.leave_kept(name).await;
        Ok(())
    }

    async fn set_target(&mut self, name: &str, target: TargetState) -> Result<()> {
        if !self.exists(name) {
            return Err(Error::new(&NOT_FOUND, format!("Unknown connector {name}")));
        }
        self.configs
            .write(&[ConfigRecord::Target(name.to_owned(), Some(target))])
            .await
    }

    async fn restart(
        &mut self,
        name: &str,
        include_tasks: bool,
        only_failed: bool,
    ) -> Result<Option<ConnectorStatus>> {
        if !self.exists(name) {
            return Err(Error::new(&NOT_FOUND, format!("Unknown connector: {name}")));
        }
        let mut status = self.shared.status(name).map_err(|_| {
            Error::new(&NOT_FOUND, format!("Status for connector {name} not found"))
        })?;
        if include_tasks || only_failed {
            let name = name.to_owned();
            self.configs
                .write(&[ConfigRecord::Restart {
                    name,
                    include_tasks,
                    only_failed,
                }])
                .await?;
        }
        let chosen = |state: State| !only_failed || state == State::Failed;
        if chosen(status.connector.state) {
            self.restart_connector(name);
            self.show_restarting(name, &mut status.connector.state);
        }
        let tasks = status.tasks.iter_mut();
        for task in tasks.filter(|task| include_tasks && chosen(task.state)) {
            self.restart_one(&TaskId::new(name, task.id));
            self.show_restarting(name, &mut task.state);
        }
        // The plan: versions, and the traces of what had failed, as they were.
        Ok((include_tasks || only_failed).then_some(status))
    }

    fn show_restarting(&self, name: &str, state: &mut State) {
        if self.is_started(name) {
            *state = State::Restarting;
        }
    }

    fn restart_connector(&mut self, name: &str) {
        let started = self.is_started(name);
        self.configs.touch_connector(name);
        if started {
            self.shared
                .statuses
                .set_connector(name, State::Restarting, None, None);
        }
    }

    fn restart_one(&mut self, id: &TaskId) {
        let started = self.is_started(&id.connector);
        self.configs.touch_task(id);
        if started {
            self.shared
                .statuses
                .set_task(id, State::Restarting, None, None);
        }
    }

    fn is_started(&self, name: &str) -> bool {
        let desired = self.shared.desired.read();
        desired
            .connectors
            .get(name)
            .is_some_and(|c| c.target == TargetState::Started)
    }

    fn restart_task(&mut self, id: &TaskId) -> Result<()> {
        let what = if !self.exists(&id.connector) {
            format!("Unknown connector: {}", id.connector)
        } else if self.shared.desired.read().task(id).is_none() {
            format!("Unknown task: {id}")
        } else {
            self.restart_one(id);
            return Ok(());
        };
        Err(Error::new(&NOT_FOUND, what))
    }

    async fn change_offsets(
        &mut self,
        name: &str,
        change: Option<&[(serde_json::Value, Option<serde_json::Value>)]>,
    ) -> Result<()> {
        if self.running.tasks_of(name).next().is_some() {
            let verb = if change.is_some() { "alter" } else { "reset" };
            let what = format!(
                "Failed to {verb} offsets for connector {name} because its tasks haven't stopped completely yet"
            );
            let stopped = self
                .shared
                .desired
                .read()
                .connectors
                .get(name)
                .map(|c| c.target);
            if stopped == Some(TargetState::Stopped) {
                return Err(Error::new(&TASKS_STOPPING, what));
            }
        }
        offset_request::change(&self.shared, name, change).await
    }
}

impl Command {
    /// What the worker does while it handles this.
    fn describe(&self) -> String {
        match self {
            Self::Create { name, .. } => format!("creating connector {name}"),
            Self::Put { name, .. } => format!("writing a config for connector {name}"),
            Self::Delete { name, .. } => format!("deleting connector {name}"),
            Self::SetTarget { name, .. } => format!("writing a target state for connector {name}"),
            Self::Restart { name, .. } => format!("restarting connector {name}"),
            Self::RestartTask { id, .. } => format!("restarting task {id}"),
            Self::Offsets { name, .. } => format!("modifying offsets of connector {name}"),
            Self::Ping { .. } => "answering a health check".to_owned(),
        }
    }
}
