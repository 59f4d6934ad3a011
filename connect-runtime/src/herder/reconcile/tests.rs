use super::*;
use crate::{
    herder::state::{DesiredConnector, DesiredTask, RunningTask},
    seats::Seat,
};

struct Scene {
    desired: Desired,
    assignments: BTreeMap<String, Assignment>,
    running: Running,
    me: Option<&'static str>,
}

fn seat(on: &str) -> Seat {
    Seat {
        on: Some(on.to_owned()),
        ..Seat::default()
    }
}

/// A connector with two tasks, one of them here.
fn scene() -> Scene {
    let task = |revision| DesiredTask {
        revision,
        ..DesiredTask::default()
    };
    let connector = DesiredConnector {
        revision: 1,
        tasks: vec![task(2), task(3)],
        ..DesiredConnector::default()
    };
    let assignment = Assignment {
        connector: seat("me"),
        tasks: vec![seat("me"), seat("other")],
        ..Assignment::default()
    };
    Scene {
        desired: Desired {
            connectors: BTreeMap::from([("c".to_owned(), connector)]),
            ..Desired::default()
        },
        assignments: BTreeMap::from([("c".to_owned(), assignment)]),
        running: Running::default(),
        me: Some("me"),
    }
}

impl Scene {
    fn actions(&self) -> Vec<Action> {
        let mine = Mine {
            desired: &self.desired,
            assignments: &self.assignments,
            me: self.me,
        };
        let mut of_it = Scope::default();
        of_it.add("c");
        let mut of_another = Scope::default();
        of_another.add("b");
        let actions = reconcile(mine, &self.running, &Scope::All);
        assert_eq!(reconcile(mine, &self.running, &of_it), actions);
        assert_eq!(reconcile(mine, &self.running, &of_another), []);
        actions
    }

    /// Does what the actions say, with every stop ending at once, until there is nothing left to do.
    fn settle(&mut self) -> Vec<Action> {
        let mut done = Vec::new();
        for _ in 0..20 {
            let actions = self.actions();
            if actions.is_empty() {
                return done;
            }
            for action in actions {
                self.perform(&action);
                done.push(action);
            }
        }
        panic!("it never settles: {done:?}");
    }

    fn perform(&mut self, action: &Action) {
        match action.clone() {
            Action::Show(name, shown) => drop(self.running.connectors.insert(name, shown)),
            Action::Forget(name) => drop(self.running.connectors.remove(&name)),
            Action::Start(id, edition) => {
                let task = RunningTask {
                    edition,
                    target: TargetState::Started,
                    phase: Phase::Alive,
                };
                let before = self.running.tasks.insert(id, task);
                assert_eq!(before, None, "a task was started twice");
            }
            Action::Rest(id, edition) => {
                let task = RunningTask {
                    edition,
                    target: TargetState::Paused,
                    phase: Phase::Resting,
                };
                assert_eq!(self.running.tasks.insert(id, task), None);
            }
            Action::Stop(id) | Action::Clear(id) => drop(self.running.tasks.remove(&id)),
        }
    }

    fn assignment(&mut self) -> &mut Assignment {
        self.assignments.get_mut("c").unwrap()
    }

    fn wanted(&mut self) -> &mut DesiredConnector {
        self.desired.connectors.get_mut("c").unwrap()
    }

    fn running(&self) -> Vec<TaskId> {
        self.running.tasks.keys().cloned().collect()
    }
}

#[test]
fn what_is_seated_here_runs_here_and_nothing_else() {
    let mut scene = scene();
    scene.settle();
    assert_eq!(scene.running(), [TaskId::new("c", 0)]);
    assert!(scene.running.connectors.contains_key("c"));
    scene.assignment().tasks = vec![seat("other"), seat("me")];
    scene.assignment().connector = seat("other");
    scene.settle();
    assert_eq!(scene.running(), [TaskId::new("c", 1)]);
    assert!(scene.running.connectors.is_empty());
}

#[test]
fn who_is_in_no_group_runs_nothing() {
    let mut scene = scene();
    scene.settle();
    scene.me = None;
    scene.settle();
    assert!(scene.running.tasks.is_empty() && scene.running.connectors.is_empty());
}

#[test]
fn another_edition_is_another_run() {
    let mut scene = scene();
    scene.settle();
    let id = TaskId::new("c", 0);
    let again = |edition| [Action::Stop(id.clone()), Action::Start(id.clone(), edition)];
    scene.assignment().tasks[0].run = 1;
    assert_eq!(
        scene.settle(),
        again(Edition {
            revision: 2,
            run: 1
        })
    );
    scene.wanted().tasks[0].revision = 9;
    assert_eq!(
        scene.settle(),
        again(Edition {
            revision: 9,
            run: 1
        })
    );
}

#[test]
fn a_failed_task_stays_failed_until_it_is_another_edition() {
    let mut scene = scene();
    scene.settle();
    let id = TaskId::new("c", 0);
    scene.running.tasks.get_mut(&id).unwrap().phase = Phase::Failed;
    assert_eq!(scene.settle(), []);
    scene.assignment().tasks[0].run = 1;
    let edition = Edition {
        revision: 2,
        run: 1,
    };
    assert_eq!(
        scene.settle(),
        [Action::Clear(id.clone()), Action::Start(id, edition)]
    );
}

#[test]
fn a_task_that_stops_is_waited_for() {
    let mut scene = scene();
    scene.settle();
    let id = TaskId::new("c", 0);
    scene.running.tasks.get_mut(&id).unwrap().phase = Phase::Stopping;
    scene.assignment().tasks[0].run = 1;
    assert_eq!(scene.settle(), []);
}

#[test]
fn a_paused_connector_is_shown_and_runs_nothing() {
    let mut scene = scene();
    scene.settle();
    scene.wanted().target = TargetState::Paused;
    let id = TaskId::new("c", 0);
    let edition = Edition {
        revision: 2,
        run: 0,
    };
    let done = scene.settle();
    assert!(done.contains(&Action::Stop(id.clone())), "{done:?}");
    assert!(
        done.contains(&Action::Rest(id.clone(), edition)),
        "{done:?}"
    );
    assert_eq!(scene.running.connectors["c"].target, TargetState::Paused);
    scene.wanted().target = TargetState::Started;
    let done = scene.settle();
    assert!(done.contains(&Action::Clear(id.clone())), "{done:?}");
    assert!(done.contains(&Action::Start(id, edition)), "{done:?}");
}
