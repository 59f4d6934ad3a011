//! What is wanted, and what runs: two plain values that [`reconcile`](super::reconcile) compares.

use std::collections::BTreeMap;

use connect_core::Properties;

use crate::{
    answers::{TargetState, TaskId},
    change::Scope,
};

/// What is wanted of all connectors.
#[derive(Debug, Clone, Default)]
pub struct Desired {
    /// By name.
    pub connectors: BTreeMap<String, DesiredConnector>,
    /// Levels of loggers on all workers, with the time at which they were set, in milliseconds since 1970-01-01.
    pub levels: BTreeMap<String, (String, i64)>,
}

/// What is wanted of one connector.
#[derive(Debug, Clone, Default)]
pub struct DesiredConnector {
    /// Its configuration, placeholders unresolved.
    pub config: Properties,
    /// Started, paused or stopped.
    pub target: TargetState,
    /// Changes with the configuration.
    pub revision: u64,
    /// Its tasks, as they were last planned.
    pub tasks: Vec<DesiredTask>,
    /// How many tasks of the last generation may still hold open transactions (`tasks-fencing-<name>`).
    pub fenced_tasks: Option<u32>,
}

/// What is wanted of one task.
#[derive(Debug, Clone, Default)]
pub struct DesiredTask {
    /// Its configuration, placeholders unresolved.
    pub config: Properties,
    /// Changes with the configuration.
    pub revision: u64,
}

/// What runs on this worker.
#[derive(Debug, Clone, Default)]
pub struct Running {
    /// Connectors by name.
    pub connectors: BTreeMap<String, RunningConnector>,
    /// Tasks by id.
    pub tasks: BTreeMap<TaskId, RunningTask>,
}

/// Which configuration, and which run of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edition {
    /// Changes with the configuration.
    pub revision: u64,
    /// Changes with every restart on request.
    pub run: u64,
}

/// How a connector was last shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningConnector {
    /// The edition.
    pub edition: Edition,
    /// What is wanted of it.
    pub target: TargetState,
    /// Why it has no tasks.
    pub failed: Option<String>,
    /// Whether it has tasks.
    pub is_planned: bool,
}

/// A task that was started and whose end was not yet seen, or that ended for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunningTask {
    /// The edition that was started.
    pub edition: Edition,
    /// Started, or paused: then it only has a status.
    pub target: TargetState,
    /// What became of it.
    pub phase: Phase,
}

/// What became of a task that was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It runs, or its supervisor is about to try it again.
    Alive,
    /// It runs, and is told to stop as soon as its heir, a run of this edition, is prepared.
    Relieved(Edition),
    /// It was told to stop.
    Stopping,
    /// It failed for good; another edition starts it again.
    Failed,
    /// It is paused.
    Resting,
}

impl Desired {
    /// Whether a task belongs to a connector that is started, with its revision.
    pub fn task(&self, id: &TaskId) -> Option<&DesiredTask> {
        self.connectors
            .get(&id.connector)?
            .tasks
            .get(id.task as usize)
    }
}

impl Running {
    /// The tasks of some connectors.
    pub fn tasks_in<'a>(
        &'a self,
        scope: &'a Scope,
    ) -> Box<dyn Iterator<Item = (&'a TaskId, &'a RunningTask)> + Send + 'a> {
        match scope {
            Scope::All => Box::new(self.tasks.iter()),
            Scope::Only(names) => Box::new(names.iter().flat_map(|name| self.tasks_of(name))),
        }
    }

    /// The tasks of one connector.
    pub fn tasks_of<'a>(
        &'a self,
        connector: &'a str,
    ) -> impl Iterator<Item = (&'a TaskId, &'a RunningTask)> {
        self.tasks
            .range(TaskId::new(connector, 0)..=TaskId::new(connector, u32::MAX))
    }
}
