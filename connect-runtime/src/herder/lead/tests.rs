use proptest::prelude::*;

use super::*;
use crate::herder::state::DesiredTask;

/// A cluster that does what it is told, one step at a time.
#[derive(Debug, Default, Clone)]
struct World {
    desired: Desired,
    assignments: BTreeMap<String, Assignment>,
    reports: BTreeMap<String, Report>,
    workers: BTreeMap<String, String>,
    plans: BTreeMap<String, Planned>,
    version: u64,
    /// What runs where: a list, to see what runs twice.
    running: Vec<(String, Unit, String)>,
    /// How it was when it was last looked at, and what is to be looked at besides what differs.
    before: Option<Box<World>>,
    unseen: Scope,
}

impl World {
    fn want(&mut self, name: &str, tasks: usize) {
        let connector = DesiredConnector {
            tasks: vec![DesiredTask::default(); tasks],
            ..DesiredConnector::default()
        };
        self.desired.connectors.insert(name.to_owned(), connector);
    }

    fn come(&mut self, member: &str, worker: &str) {
        self.workers.insert(member.to_owned(), worker.to_owned());
    }

    /// Its session has ended: before that its lease has, and nothing of it runs.
    fn die(&mut self, member: &str) {
        self.workers.remove(member);
        self.reports.remove(member);
        self.running.retain(|(.., on)| on != member);
    }

    fn lead(&self, scope: &Scope) -> BTreeMap<String, Option<Assignment>> {
        let scene = Scene {
            desired: &self.desired,
            assignments: &self.assignments,
            reports: &self.reports,
            workers: &self.workers,
            plans: &self.plans,
        };
        lead(scene, scope)
    }

    /// What has changed since the last look, as those tell it who change it.
    fn scope(&mut self) -> Scope {
        let mut scope = std::mem::take(&mut self.unseen);
        let Some(before) = self.before.take() else {
            return Scope::All;
        };
        if before.workers != self.workers || before.reports != self.reports {
            return Scope::All;
        }
        let shape = |world: &Self, name: &String| {
            let wanted = world.desired.connectors.get(name);
            let wanted = wanted.map(|connector| connector.tasks.len());
            let assignment = world.assignments.get(name).cloned();
            (wanted, assignment, world.plans.get(name).cloned())
        };
        for world in [&*before, self] {
            let names = world.desired.connectors.keys();
            let names = names.chain(world.assignments.keys());
            for name in names.chain(world.plans.keys()) {
                if shape(&before, name) != shape(self, name) {
                    scope.add(name);
                }
            }
        }
        scope
    }

    fn step(&mut self) -> bool {
        let scope = self.scope();
        self.before = Some(Box::new(self.clone()));
        let changed = self.lead(&scope);
        let any = !changed.is_empty();
        if any && !scope.is_all() {
            self.unseen = Scope::All;
        }
        for (name, assignment) in changed {
            self.version += 1;
            match assignment {
                Some(mut assignment) => {
                    assignment.version = self.version;
                    self.assignments.insert(name, assignment);
                }
                None => drop(self.assignments.remove(&name)),
            }
        }
        any
    }

    /// One member acts on what it reads; it may be slow to stop.
    fn obey(&mut self, member: &str, slow: bool) {
        let mut wanted = BTreeSet::new();
        for (name, assignment) in &self.assignments {
            wanted.extend(assignment.of(member).map(|(unit, _)| (name.clone(), unit)));
        }
        self.running.retain(|(name, unit, on)| {
            on != member || slow || wanted.contains(&(name.clone(), *unit))
        });
        for (name, unit) in &wanted {
            let here = (name.clone(), *unit, member.to_owned());
            if !self.running.contains(&here) {
                self.running.push(here);
            }
        }
        let still = self
            .running
            .iter()
            .filter(|(name, unit, on)| on == member && !wanted.contains(&(name.clone(), *unit)));
        let report = Report {
            version: self.version,
            still: still.map(|(name, unit, _)| (name.clone(), *unit)).collect(),
            ..self.reports.get(member).cloned().unwrap_or_default()
        };
        self.reports.insert(member.to_owned(), report);
    }

    fn settle(&mut self) {
        for _ in 0..200 {
            let led = self.step();
            let before = (self.running.clone(), self.reports.clone());
            for member in self.workers.keys().cloned().collect::<Vec<_>>() {
                self.obey(&member, false);
            }
            self.check();
            if !led && before == (self.running.clone(), self.reports.clone()) {
                let missed = self.lead(&Scope::All);
                assert!(missed.is_empty(), "looks at some miss {missed:?}");
                return;
            }
        }
        panic!("it never settles: {self:?}");
    }

    /// Nothing runs twice.
    fn check(&self) {
        let mut seen = BTreeSet::new();
        for (name, unit, _) in &self.running {
            assert!(
                seen.insert((name, unit)),
                "{name} {unit} runs twice: {self:?}"
            );
        }
    }

    fn tasks_on(&self, member: &str) -> usize {
        let tasks = self
            .running
            .iter()
            .filter(|(_, unit, _)| *unit != Unit::Connector);
        tasks.filter(|(.., on)| on == member).count()
    }

    /// Where the tasks are, without the members' lives.
    fn places(&self) -> BTreeMap<(String, Unit), String> {
        let running = self.running.iter();
        let place = |(name, unit, on): &(String, Unit, String)| {
            ((name.clone(), *unit), self.workers[on].clone())
        };
        running.map(place).collect()
    }
}

fn three() -> World {
    let mut world = World::default();
    for member in ["a", "b", "c"] {
        world.come(member, member);
    }
    for number in 0..9 {
        world.want(&format!("c{number}"), 1);
    }
    world.settle();
    world
}

#[test]
fn work_is_shared_evenly() {
    let world = three();
    for member in ["a", "b", "c"] {
        assert_eq!(world.tasks_on(member), 3);
    }
    for assignment in world.assignments.values() {
        assert_eq!(assignment.connector.on, assignment.tasks[0].on);
    }
}

#[test]
fn what_a_dead_worker_had_runs_elsewhere_and_comes_back_with_it() {
    let mut world = three();
    let before = world.places();
    world.die("b");
    world.settle();
    let meanwhile = world.places();
    assert_eq!(meanwhile.len(), before.len());
    let moved = before.iter().filter(|(unit, on)| meanwhile[*unit] != **on);
    assert!(
        moved.clone().all(|(_, on)| on == "b"),
        "what lived stayed where it was"
    );
    // The same worker in another life.
    world.come("b2", "b");
    world.settle();
    assert_eq!(world.places(), before);
}

#[test]
fn a_new_worker_gets_its_share_and_no_more_is_moved() {
    let mut world = three();
    let before = world.places();
    world.come("d", "d");
    world.settle();
    let after = world.places();
    let moved = before.iter().filter(|(unit, on)| after[*unit] != **on);
    let tasks = moved
        .filter(|((_, unit), _)| *unit != Unit::Connector)
        .count();
    assert_eq!((world.tasks_on("d"), tasks), (2, 2));
}

#[test]
fn a_worker_that_drains_has_nothing_in_the_end() {
    let mut world = three();
    world.reports.get_mut("a").unwrap().draining = true;
    world.settle();
    assert_eq!(world.running.iter().filter(|(.., on)| on == "a").count(), 0);
    assert_eq!(world.running.len(), 18);
    // The last one has nobody to give its work to.
    for member in ["b", "c"] {
        world.reports.get_mut(member).unwrap().draining = true;
    }
    world.settle();
    assert_eq!(world.running.len(), 18);
}

#[test]
fn a_busy_task_has_a_worker_for_itself() {
    let mut world = three();
    let busy = world
        .running
        .iter()
        .find(|(_, unit, on)| on == "a" && *unit == Unit::Task(0));
    let (name, ..) = busy.unwrap().clone();
    let loads = BTreeMap::from([(format!("{name}-0"), 900)]);
    world.reports.get_mut("a").unwrap().loads = loads;
    world.settle();
    assert_eq!(world.tasks_on("a"), 1, "{:?}", world.places());
}

#[test]
fn tasks_of_another_generation_wait_for_the_present_ones() {
    let mut world = three();
    let plan = Planned {
        is_waiting: true,
        ..Planned::default()
    };
    world.plans.insert("c1".to_owned(), plan);
    world.settle();
    assert!(world.assignments["c1"].is_quiet());
    assert_eq!(
        world
            .running
            .iter()
            .filter(|(name, ..)| name == "c1")
            .count(),
        1
    );
    world.plans.remove("c1");
    world.want("c1", 3);
    world.settle();
    assert_eq!(
        world
            .running
            .iter()
            .filter(|(name, ..)| name == "c1")
            .count(),
        4
    );
}

#[test]
fn a_deleted_connector_is_gone_when_nothing_of_it_runs() {
    let mut world = three();
    world.desired.connectors.remove("c1");
    assert!(world.step());
    assert!(world.assignments.contains_key("c1"));
    for member in ["a", "b", "c"] {
        world.obey(member, true);
    }
    world.step();
    assert!(world.assignments.contains_key("c1"), "it still runs");
    world.settle();
    assert!(!world.assignments.contains_key("c1"));
}

proptest! {
    /// Whatever happens in whatever order, nothing runs twice, and in the end everything runs.
    #[test]
    fn nothing_ever_runs_twice(events in prop::collection::vec((0_u8..8, 0_u8..4, any::<bool>()), 1..60)) {
        let mut world = World::default();
        world.come("m0", "w0");
        for (life, (what, which, slow)) in events.into_iter().enumerate() {
            let worker = format!("w{which}");
            let member = world.workers.iter().find(|(_, w)| **w == worker).map(|(m, _)| m.clone());
            match (what, member) {
                (0, None) => world.come(&format!("m{life}"), &worker),
                (1, Some(member)) if world.workers.len() > 1 => world.die(&member),
                (2, _) => world.want(&format!("c{which}"), 1 + usize::from(slow) * 2),
                (3, _) => drop(world.desired.connectors.remove(&format!("c{which}"))),
                (4, Some(member)) => world.obey(&member, slow),
                (5, Some(member)) => {
                    world.reports.entry(member).or_default().draining = slow;
                }
                _ => drop(world.step()),
            }
            world.check();
        }
        for report in world.reports.values_mut() {
            report.draining = false;
        }
        world.settle();
        let wanted: usize = world.desired.connectors.values().map(|c| c.tasks.len() + 1).sum();
        prop_assert_eq!(world.running.len(), wanted);
    }
}
