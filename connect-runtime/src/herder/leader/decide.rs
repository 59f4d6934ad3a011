//! What each request comes to: records to write, and an answer.

use connect_core::{Error, Properties, Result};
use serde_json::Value;

use super::{Decision, Leader};
use crate::{
    answers::{ConnectorInfo, ConnectorStatus, State, TargetState, TaskId},
    cluster::assignment_entry,
    configs::ConfigRecord,
    error::{ALREADY_EXISTS, BAD_REQUEST, NOT_FOUND, TASKS_STOPPING},
    herder::command::{Answer, Order},
    internal_topic::Entry,
    offset_request,
    seats::{Assignment, Unit},
    shared::not_found,
};

impl Decision {
    fn done(configs: Vec<ConfigRecord>) -> Self {
        Self {
            configs,
            entries: Vec::new(),
            answer: Answer::Done,
        }
    }
}

impl Leader {
    pub(super) async fn decide(&mut self, order: &Order) -> Result<Decision> {
        match order {
            Order::Create {
                name,
                config,
                initial_state,
            } => self.create(name, config, *initial_state),
            Order::Put {
                name,
                config,
                expected,
            } => self.put(name, config, expected.as_ref()),
            Order::Delete { name } => self.delete(name),
            Order::SetTarget { name, target } => self.set_target(name, *target),
            Order::Restart {
                name,
                include_tasks,
                only_failed,
            } => self.restart(name, *include_tasks, *only_failed),
            Order::RestartTask { id } => self.restart_task(id),
            Order::Offsets { name, change } => {
                self.change_offsets(name, change.as_deref()).await?;
                Ok(Decision::done(Vec::new()))
            }
            Order::Level { logger, level } => Ok(Decision::done(vec![ConfigRecord::Level {
                logger: logger.clone(),
                level: level.clone(),
            }])),
            Order::Signal { .. } | Order::Logs { .. } | Order::Ping => {
                let what = format!("The leader cannot be asked for {}", order.describe());
                Err(Error::new(&BAD_REQUEST, what))
            }
        }
    }

    /// What follows when a request is done.
    pub(super) async fn follow_up(&mut self, order: &Order) {
        match order {
            Order::Create { name, .. } => {
                let version = self.shared.version_of(&self.shared.desired.read(), name);
                let statuses = &self.shared.statuses;
                statuses.set_connector(name, State::Unassigned, version, None);
                statuses.release_connector(name);
            }
            Order::Delete { name } => self.shared.leave_kept(name).await,
            _ => {}
        }
    }

    fn exists(&self, name: &str) -> bool {
        self.shared.desired.read().connectors.contains_key(name)
    }

    /// The answer about a connector whose configuration is about to be this one.
    fn info(&self, name: &str, config: &Properties) -> ConnectorInfo {
        let tasks = self.shared.info(name).map(|info| info.tasks);
        ConnectorInfo {
            name: name.to_owned(),
            config: config.clone(),
            tasks: tasks.unwrap_or_default(),
            kind: self.shared.plugins.kind(config.get("connector.class")),
        }
    }

    fn create(
        &self,
        name: &str,
        config: &Properties,
        initial_state: Option<TargetState>,
    ) -> Result<Decision> {
        if self.exists(name) {
            let what = format!("Connector {name} already exists");
            return Err(Error::new(&ALREADY_EXISTS, what));
        }
        let target =
            initial_state.map(|target| ConfigRecord::Target(name.to_owned(), Some(target)));
        let connector = ConfigRecord::Connector(name.to_owned(), Some(config.clone()));
        Ok(Decision {
            configs: target.into_iter().chain([connector]).collect(),
            entries: Vec::new(),
            answer: Answer::Info(true, self.info(name, config)),
        })
    }

    fn put(
        &self,
        name: &str,
        config: &Properties,
        expected: Option<&Properties>,
    ) -> Result<Decision> {
        if !self.exists(name) && expected.is_none() {
            return self.create(name, config, None);
        }
        let now = self.shared.info(name)?.config;
        if expected.is_some_and(|expected| *expected != now) {
            let what = "Cannot complete request momentarily due to stale configuration \
                        (typically caused by a concurrent config change)";
            return Err(Error::new(&ALREADY_EXISTS, what));
        }
        Ok(Decision {
            configs: vec![ConfigRecord::Connector(
                name.to_owned(),
                Some(config.clone()),
            )],
            entries: Vec::new(),
            answer: Answer::Info(false, self.info(name, config)),
        })
    }

    fn delete(&self, name: &str) -> Result<Decision> {
        if !self.exists(name) {
            return Err(not_found(name));
        }
        Ok(Decision::done(vec![
            ConfigRecord::Connector(name.to_owned(), None),
            ConfigRecord::Target(name.to_owned(), None),
        ]))
    }

    fn set_target(&self, name: &str, target: TargetState) -> Result<Decision> {
        if !self.exists(name) {
            return Err(Error::new(&NOT_FOUND, format!("Unknown connector {name}")));
        }
        let record = ConfigRecord::Target(name.to_owned(), Some(target));
        Ok(Decision::done(vec![record]))
    }

    fn restart(&self, name: &str, include_tasks: bool, only_failed: bool) -> Result<Decision> {
        if !self.exists(name) {
            return Err(Error::new(&NOT_FOUND, format!("Unknown connector: {name}")));
        }
        let mut status = self.shared.status(name).map_err(|_| {
            Error::new(&NOT_FOUND, format!("Status for connector {name} not found"))
        })?;
        let mut configs = Vec::new();
        if include_tasks || only_failed {
            configs.push(ConfigRecord::Restart {
                name: name.to_owned(),
                include_tasks,
                only_failed,
            });
        }
        let units = chosen(&status, include_tasks, only_failed);
        if self.is_started(name) {
            show_restarting(&mut status, &units);
        }
        Ok(Decision {
            configs,
            entries: self.another_run(name, &units),
            // The plan: versions, and the traces of what had failed, as they were.
            answer: Answer::Status((include_tasks || only_failed).then_some(status)),
        })
    }

    /// The assignment with another run of these units.
    fn another_run(&self, name: &str, units: &[Unit]) -> Vec<Entry> {
        let known = self.shared.cluster.known();
        let Some(assignment) = known.assignments.get(name) else {
            return Vec::new();
        };
        let mut assignment = Assignment {
            version: known.version + 1,
            ..assignment.clone()
        };
        for unit in units {
            if let Some(seat) = assignment.seat_mut(*unit) {
                seat.run += 1;
            }
        }
        vec![assignment_entry(name, Some(&assignment))]
    }

    fn is_started(&self, name: &str) -> bool {
        let desired = self.shared.desired.read();
        let connector = desired.connectors.get(name);
        connector.is_some_and(|connector| connector.target == TargetState::Started)
    }

    fn restart_task(&self, id: &TaskId) -> Result<Decision> {
        let what = if !self.exists(&id.connector) {
            format!("Unknown connector: {}", id.connector)
        } else if self.shared.desired.read().task(id).is_none() {
            format!("Unknown task: {id}")
        } else {
            return Ok(Decision {
                configs: Vec::new(),
                entries: self.another_run(&id.connector, &[Unit::Task(id.task)]),
                answer: Answer::Done,
            });
        };
        Err(Error::new(&NOT_FOUND, what))
    }

    async fn change_offsets(
        &mut self,
        name: &str,
        change: Option<&[(Value, Option<Value>)]>,
    ) -> Result<()> {
        let is_quiet = {
            let known = self.shared.cluster.known();
            let assignment = known.assignments.get(name);
            assignment.is_none_or(|assignment| assignment.is_quiet())
        };
        let target = {
            let desired = self.shared.desired.read();
            desired.connectors.get(name).map(|c| c.target)
        };
        if !is_quiet && target == Some(TargetState::Stopped) {
            let verb = if change.is_some() { "alter" } else { "reset" };
            let what = format!(
                "Failed to {verb} offsets for connector {name} because its tasks haven't stopped completely yet"
            );
            return Err(Error::new(&TASKS_STOPPING, what));
        }
        offset_request::change(&self.shared, name, change).await
    }
}

/// What a restart is of.
fn chosen(status: &ConnectorStatus, include_tasks: bool, only_failed: bool) -> Vec<Unit> {
    let is_chosen = |state: State| !only_failed || state == State::Failed;
    let connector = is_chosen(status.connector.state).then_some(Unit::Connector);
    let tasks = status.tasks.iter();
    let tasks = tasks.filter(|task| include_tasks && is_chosen(task.state));
    connector
        .into_iter()
        .chain(tasks.map(|task| Unit::Task(task.id)))
        .collect()
}

fn show_restarting(status: &mut ConnectorStatus, units: &[Unit]) {
    for unit in units {
        match unit {
            Unit::Connector => status.connector.state = State::Restarting,
            Unit::Task(id) => {
                let task = status.tasks.iter_mut().find(|task| task.id == *id);
                if let Some(task) = task {
                    task.state = State::Restarting;
                }
            }
        }
    }
}
