//! From what is wanted of this worker and what runs here to what has to be done. Pure.

use std::collections::BTreeMap;

use super::state::{Desired, Edition, Phase, Running, RunningConnector};
use crate::{
    answers::{TargetState, TaskId},
    change::Scope,
    seats::{Assignment, Unit},
};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Tell how the connector is.
    Show(String, RunningConnector),
    /// The connector is not looked after here any more.
    Forget(String),
    /// Start a task that does not run.
    Start(TaskId, Edition),
    /// Tell that a task is paused.
    Rest(TaskId, Edition),
    /// Prepare this edition of a task, which takes nothing from the one that is alive, and then tell that one to stop.
    Relieve(TaskId, Edition),
    /// Tell a running task to stop.
    Stop(TaskId),
    /// Forget a task that has ended or is paused, and is not wanted as it was.
    Clear(TaskId),
}

/// What this worker has.
#[derive(Debug, Clone, Copy)]
pub struct Mine<'a> {
    /// What is wanted of all connectors.
    pub desired: &'a Desired,
    /// Who has what.
    pub assignments: &'a BTreeMap<String, Assignment>,
    /// Who this worker is; nobody, when it is in no group: then nothing may run.
    pub me: Option<&'a str>,
}

/// Everything that has to be done now for some connectors. Done in order and repeated after each event, it ends with an empty list.
///
/// A task is started only when no earlier run of it is left here, and the leader gives a seat away only when none is left elsewhere, so that a
/// task never runs twice.
pub fn reconcile(mine: Mine<'_>, running: &Running, scope: &Scope) -> Vec<Action> {
    let mut actions = Vec::new();
    for (id, task) in running.tasks_in(scope) {
        let wanted = mine.task(id);
        if wanted == Some((task.edition, task.target)) {
            continue;
        }
        let next = wanted
            .and_then(|(edition, target)| (target == TargetState::Started).then_some(edition));
        match (task.phase, next) {
            (Phase::Alive, Some(next)) => actions.push(Action::Relieve(id.clone(), next)),
            (Phase::Relieved(heir), Some(next)) if heir == next => {}
            (Phase::Alive | Phase::Relieved(_), _) => actions.push(Action::Stop(id.clone())),
            (Phase::Failed | Phase::Resting, _) => actions.push(Action::Clear(id.clone())),
            (Phase::Stopping, _) => {}
        }
    }
    for (name, _) in scope.of(&running.connectors) {
        if mine.connector(name).is_none() {
            actions.push(Action::Forget(name.clone()));
        }
    }
    let Some(me) = mine.me else { return actions };
    for (name, assignment) in scope.of(mine.assignments) {
        if let Some(connector) = mine.connector(name)
            && running.connectors.get(name) != Some(&connector)
        {
            actions.push(Action::Show(name.clone(), connector));
        }
        for (unit, _) in assignment.of(me) {
            let Unit::Task(task) = unit else { continue };
            let id = TaskId::new(name, task);
            match mine.task(&id) {
                _ if running.tasks.contains_key(&id) => {}
                Some((edition, TargetState::Started)) => actions.push(Action::Start(id, edition)),
                Some((edition, TargetState::Paused)) => actions.push(Action::Rest(id, edition)),
                Some((_, TargetState::Stopped)) | None => {}
            }
        }
    }
    actions
}

impl Mine<'_> {
    /// What this worker is to do with a task.
    pub fn task(&self, id: &TaskId) -> Option<(Edition, TargetState)> {
        let seat = self
            .assignments
            .get(&id.connector)?
            .tasks
            .get(id.task as usize)?;
        let connector = self.desired.connectors.get(&id.connector)?;
        let is_mine = self.me.is_some() && seat.on.as_deref() == self.me;
        let edition = Edition {
            revision: connector.tasks.get(id.task as usize)?.revision,
            run: seat.run,
        };
        let is_wanted = is_mine && connector.target != TargetState::Stopped;
        is_wanted.then_some((edition, connector.target))
    }

    /// How this worker is to look after a connector.
    pub fn connector(&self, name: &str) -> Option<RunningConnector> {
        let assignment = self.assignments.get(name)?;
        let connector = self.desired.connectors.get(name)?;
        let is_mine = self.me.is_some() && assignment.connector.on.as_deref() == self.me;
        is_mine.then(|| RunningConnector {
            edition: Edition {
                revision: connector.revision,
                run: assignment.connector.run,
            },
            target: connector.target,
            failed: assignment.failed.clone(),
            is_planned: !assignment.tasks.is_empty(),
        })
    }
}

#[cfg(test)]
mod tests;
