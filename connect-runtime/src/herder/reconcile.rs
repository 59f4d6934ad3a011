//! From what is wanted and what runs to what has to be done. Pure.

use super::state::{Desired, DesiredConnector, Phase, Running, RunningConnector};
use crate::answers::{TargetState, TaskId};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Split the connector's work into tasks and commit these; then reconcile again.
    Plan(String),
    /// Record that the connector is paused or stopped.
    Settle(String, TargetState),
    /// Forget a connector that is not wanted any more and has no tasks left.
    Forget(String),
    /// Start a task that does not run.
    Start(TaskId),
    /// Tell a running task to stop.
    Stop(TaskId),
    /// Forget a task that failed and is not wanted as it was.
    Clear(TaskId),
}

/// Everything that has to be done now. Done in order and repeated after each event, it ends with an empty list.
///
/// A task is started only when no earlier run of it is left, so that a connector never runs twice.
pub fn reconcile(desired: &Desired, running: &Running) -> Vec<Action> {
    let mut actions = Vec::new();
    for (id, task) in &running.tasks {
        let wanted = desired
            .connectors
            .get(&id.connector)
            .is_some_and(|connector| {
                connector.target == TargetState::Started
                    && desired
                        .task(id)
                        .is_some_and(|wanted| wanted.revision == task.revision)
            });
        match task.phase {
            Phase::Alive if !wanted => actions.push(Action::Stop(id.clone())),
            Phase::Failed if !wanted => actions.push(Action::Clear(id.clone())),
            _ => {}
        }
    }
    for (name, connector) in &desired.connectors {
        one(name, connector, running, &mut actions);
    }
    for name in running.connectors.keys() {
        let left = running.tasks_of(name).next().is_some();
        if !desired.connectors.contains_key(name) && !left {
            actions.push(Action::Forget(name.clone()));
        }
    }
    actions
}

fn one(name: &str, connector: &DesiredConnector, running: &Running, actions: &mut Vec<Action>) {
    let settled = running.connectors.get(name)
        == Some(&RunningConnector {
            revision: connector.revision,
            target: connector.target,
        });
    match connector.target {
        TargetState::Started if !settled => actions.push(Action::Plan(name.to_owned())),
        TargetState::Started => {
            let ids = (0..connector.tasks.len() as u32).map(|task| TaskId::new(name, task));
            let missing = ids.filter(|id| !running.tasks.contains_key(id));
            actions.extend(missing.map(Action::Start));
        }
        target if !settled => actions.push(Action::Settle(name.to_owned(), target)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
