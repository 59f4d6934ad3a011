use std::collections::BTreeMap;

use super::*;
use crate::herder::state::{DesiredTask, RunningTask};

fn wanted(target: TargetState, revision: u64, tasks: &[u64]) -> Desired {
    let tasks = tasks.iter().map(|revision| DesiredTask {
        revision: *revision,
        ..Default::default()
    });
    let connector = DesiredConnector {
        target,
        revision,
        tasks: tasks.collect(),
        ..Default::default()
    };
    Desired {
        connectors: BTreeMap::from([("c".to_owned(), connector)]),
    }
}

/// Does what the actions say, with every stop ending at once, until there is nothing left to do.
fn settle(desired: &Desired, running: &mut Running) -> Vec<Action> {
    let mut done = Vec::new();
    for _ in 0..20 {
        let actions = reconcile(desired, running);
        if actions.is_empty() {
            return done;
        }
        for action in actions {
            perform(desired, running, &action);
            done.push(action);
        }
    }
    panic!("it never settles: {done:?}");
}

fn perform(desired: &Desired, running: &mut Running, action: &Action) {
    match action {
        Action::Plan(name) | Action::Settle(name, _) => {
            let connector = &desired.connectors[name];
            let RunningConnector { revision, target } = RunningConnector {
                revision: connector.revision,
                target: connector.target,
            };
            running
                .connectors
                .insert(name.clone(), RunningConnector { revision, target });
        }
        Action::Forget(name) => drop(running.connectors.remove(name)),
        Action::Start(id) => {
            let revision = desired.task(id).unwrap().revision;
            let before = running.tasks.insert(
                id.clone(),
                RunningTask {
                    revision,
                    phase: Phase::Alive,
                },
            );
            assert_eq!(before, None, "a task was started twice");
        }
        Action::Stop(id) | Action::Clear(id) => drop(running.tasks.remove(id)),
    }
}

#[test]
fn a_new_connector_is_planned_and_its_tasks_start() {
    let mut running = Running::default();
    let done = settle(&wanted(TargetState::Started, 1, &[1, 1]), &mut running);
    let start = |task| Action::Start(TaskId::new("c", task));
    assert_eq!(done, [Action::Plan("c".into()), start(0), start(1)]);
}

#[test]
fn a_changed_task_is_stopped_first_and_the_others_stay() {
    let mut running = Running::default();
    settle(&wanted(TargetState::Started, 1, &[1, 1]), &mut running);
    let changed = wanted(TargetState::Started, 1, &[1, 2]);
    assert_eq!(
        reconcile(&changed, &running),
        [Action::Stop(TaskId::new("c", 1))]
    );
    running.tasks.get_mut(&TaskId::new("c", 1)).unwrap().phase = Phase::Stopping;
    assert_eq!(
        reconcile(&changed, &running),
        [],
        "it waits for the old run to end"
    );
    running.tasks.remove(&TaskId::new("c", 1));
    assert_eq!(
        reconcile(&changed, &running),
        [Action::Start(TaskId::new("c", 1))]
    );
}

#[test]
fn paused_and_stopped_connectors_have_no_running_tasks() {
    for target in [TargetState::Paused, TargetState::Stopped] {
        let mut running = Running::default();
        settle(&wanted(TargetState::Started, 1, &[1]), &mut running);
        settle(&wanted(target, 1, &[1]), &mut running);
        assert!(running.tasks.is_empty());
        let again = settle(&wanted(TargetState::Started, 1, &[1]), &mut running);
        assert_eq!(
            again,
            [Action::Plan("c".into()), Action::Start(TaskId::new("c", 0))]
        );
    }
}

#[test]
fn a_failed_task_stays_failed_until_its_revision_changes() {
    let mut running = Running::default();
    settle(&wanted(TargetState::Started, 1, &[1]), &mut running);
    running.tasks.get_mut(&TaskId::new("c", 0)).unwrap().phase = Phase::Failed;
    assert_eq!(
        reconcile(&wanted(TargetState::Started, 1, &[1]), &running),
        []
    );
    let done = settle(&wanted(TargetState::Started, 1, &[2]), &mut running);
    assert_eq!(
        done,
        [
            Action::Clear(TaskId::new("c", 0)),
            Action::Start(TaskId::new("c", 0))
        ]
    );
}

#[test]
fn a_deleted_connector_is_forgotten_after_its_tasks() {
    let mut running = Running::default();
    settle(&wanted(TargetState::Started, 1, &[1]), &mut running);
    assert_eq!(
        reconcile(&Desired::default(), &running),
        [Action::Stop(TaskId::new("c", 0))]
    );
    running.tasks.clear();
    assert_eq!(
        reconcile(&Desired::default(), &running),
        [Action::Forget("c".into())]
    );
}

#[test]
fn fewer_tasks_than_before_stop_the_rest() {
    let mut running = Running::default();
    settle(&wanted(TargetState::Started, 1, &[1, 1, 1]), &mut running);
    let done = settle(&wanted(TargetState::Started, 2, &[1]), &mut running);
    let stop = |task| Action::Stop(TaskId::new("c", task));
    assert_eq!(done, [stop(1), stop(2), Action::Plan("c".into())]);
}
