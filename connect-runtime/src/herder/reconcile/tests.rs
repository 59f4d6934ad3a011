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
            Action::Relieve(id, edition) => self.phase(&id, Phase::Relieved(edition)),
            Action::Stop(id) | Action::Clear(id) => drop(self.running.tasks.remove(&id)),
        }
    }

    fn phase(&mut self, id: &TaskId, phase: Phase) {
        self.running.tasks.get_mut(id).unwrap().phase = phase;
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
    let editions = [(2, 1), (9, 1)].map(|(revision, run)| Edition { revision, run });
    for edition in editions {
        scene.assignment().tasks[0].run = edition.run;
        scene.wanted().tasks[0].revision = edition.revision;
        // It goes on until what comes after it is prepared; the actor tells it to stop, and sees its end.
        assert_eq!(scene.settle(), [Action::Relieve(id.clone(), edition)]);
        scene.phase(&id, Phase::Stopping);
        assert_eq!(scene.settle(), []);
        scene.running.tasks.remove(&id);
        assert_eq!(scene.settle(), [Action::Start(id.clone(), edition)]);
    }
}

#[test]
fn a_task_whose_heir_is_not_wanted_any_more_is_stopped_at_once() {
    type Change = fn(&mut Scene);
    let changes: [(Change, Option<u64>); 5] = [
        (|scene| scene.assignment().tasks[0].run = 2, Some(2)),
        (|scene| scene.assignment().tasks[0] = seat("other"), None),
        (|scene| scene.wanted().target = TargetState::Stopped, None),
        (|scene| scene.me = None, None),
        (|scene| drop(scene.desired.connectors.remove("c")), None),
    ];
    for (change, next) in changes {
        let mut scene = scene();
        scene.settle();
        let id = TaskId::new("c", 0);
        scene.assignment().tasks[0].run = 1;
        scene.settle();
        change(&mut scene);
        let done = scene.settle();
        assert_eq!(done.first(), Some(&Action::Stop(id.clone())), "{done:?}");
        let edition = next.map(|run| Edition { revision: 2, run });
        let start = edition.map(|edition| Action::Start(id.clone(), edition));
        let starts = done
            .iter()
            .find(|action| matches!(action, Action::Start(..)));
        assert_eq!(starts, start.as_ref(), "{done:?}");
    }
}

#[test]
fn a_task_that_fails_before_its_heir_is_prepared_is_followed_by_it() {
    let mut scene = scene();
    scene.settle();
    let id = TaskId::new("c", 0);
    scene.assignment().tasks[0].run = 1;
    scene.settle();
    scene.phase(&id, Phase::Failed);
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
