//! Where the least is done.

use std::collections::BTreeMap;

use super::{Scene, take};
use crate::seats::{Assignment, Unit};

/// How many seats change hands at once: the rest of the cluster works on, and so does most of a worker that is filled.
const AT_ONCE: usize = 16;
/// A tenth of a task.
const CONNECTOR: u32 = 100;
/// Every task weighs so much, and besides what it uses of a core, in thousandths, this many times.
const TASK: u32 = 1000;
const PER_LOAD: u32 = 4;

/// What each member that may get more has to do.
struct Weights<'a> {
    scene: Scene<'a>,
    by_member: BTreeMap<String, u32>,
    /// Whether there is a task of which it is known what it uses.
    is_measured: bool,
}

/// Gives empty seats away.
pub(super) fn fill(scene: Scene<'_>, next: &mut BTreeMap<String, Assignment>) {
    let mut weights = Weights::new(scene, next);
    let names: Vec<String> = next.keys().cloned().collect();
    for name in names
        .iter()
        .filter(|n| scene.desired.connectors.contains_key(*n))
    {
        let Some(assignment) = next.get_mut(name) else {
            continue;
        };
        let is_waiting = scene.plans.get(name).is_some_and(|plan| plan.is_waiting);
        let tasks = if is_waiting {
            0
        } else {
            assignment.tasks.len() as u32
        };
        for task in 0..tasks {
            weights.seat(name, assignment, Unit::Task(task));
        }
        with_the_first_task(assignment);
        let first = assignment.tasks.first();
        match first.map(|seat| seat.on.clone()) {
            // It goes where its first task goes, once that is known.
            Some(None) if !is_waiting => {}
            Some(Some(member)) if !assignment.leaving.contains_key(&Unit::Connector) => {
                assignment.connector.on = Some(member);
            }
            _ => weights.seat(name, assignment, Unit::Connector),
        }
    }
}

/// A connector itself is where its first task is: they share what they hold on the server.
fn with_the_first_task(assignment: &mut Assignment) {
    let first = assignment.tasks.first().and_then(|seat| seat.on.clone());
    if first.is_some() && assignment.connector.on.is_some() && assignment.connector.on != first {
        take(assignment, Unit::Connector);
    }
}

/// Takes a few seats away that would be better elsewhere.
pub(super) fn even_out(scene: Scene<'_>, next: &mut BTreeMap<String, Assignment>) {
    let mut weights = Weights::new(scene, next);
    if weights.by_member.is_empty() {
        return;
    }
    let mut left = AT_ONCE;
    for assignment in next.values_mut() {
        let units: Vec<Unit> = assignment.seats().map(|(unit, _)| unit).collect();
        for unit in units {
            let moves = weights.must_move(assignment, unit);
            if moves && left > 0 {
                take(assignment, unit);
                left -= 1;
            }
        }
    }
    if left < AT_ONCE {
        // First everything goes where it belongs.
        return;
    }
    while left > 0 && weights.move_one(next) {
        left -= 1;
    }
}

impl<'a> Weights<'a> {
    fn new(scene: Scene<'a>, next: &BTreeMap<String, Assignment>) -> Self {
        let draining = |member: &String| scene.reports.get(member).is_some_and(|r| r.draining);
        let members = scene.workers.keys().filter(|member| !draining(member));
        let mut weights = Self {
            scene,
            by_member: members.map(|member| (member.clone(), 0)).collect(),
            is_measured: scene.reports.values().any(|r| !r.loads.is_empty()),
        };
        let others = scene.assignments.iter();
        let others = others.filter(|(name, _)| !next.contains_key(*name));
        for (name, assignment) in others.chain(next) {
            for (unit, seat) in assignment.seats() {
                let weight = weights.of(name, unit);
                let on = seat.on.as_ref();
                if let Some(sum) = on.and_then(|on| weights.by_member.get_mut(on)) {
                    *sum += weight;
                }
            }
        }
        weights
    }

    /// A task that nobody has measured weighs what a quiet one does.
    fn of(&self, name: &str, unit: Unit) -> u32 {
        match unit {
            Unit::Connector => return CONNECTOR,
            Unit::Task(_) if !self.is_measured => return TASK,
            Unit::Task(_) => {}
        }
        let id = format!("{name}-{unit}");
        let loads = self.scene.reports.values().filter_map(|r| r.loads.get(&id));
        TASK + loads.max().copied().unwrap_or(0).min(1000) * PER_LOAD
    }

    fn lightest(&self) -> Option<(String, u32)> {
        let least = self.by_member.iter().min_by_key(|(_, weight)| **weight);
        least.map(|(member, weight)| (member.clone(), *weight))
    }

    /// The member that a worker is in this life.
    fn member(&self, worker: &str) -> Option<&String> {
        let mut members = self.by_member.keys();
        members.find(|member| self.scene.workers.get(*member).is_some_and(|w| w == worker))
    }

    fn seat(&mut self, name: &str, assignment: &mut Assignment, unit: Unit) {
        if assignment.leaving.contains_key(&unit) {
            return;
        }
        let weight = self.of(name, unit);
        let Some(seat) = assignment.seat_mut(unit).filter(|seat| seat.on.is_none()) else {
            return;
        };
        let home = seat
            .home
            .as_ref()
            .and_then(|home| self.member(home))
            .cloned();
        let Some(member) = home.or_else(|| Some(self.lightest()?.0)) else {
            return;
        };
        *self.by_member.entry(member.clone()).or_default() += weight;
        // A seat belongs to the worker that has it first, also while that worker is away.
        seat.home
            .get_or_insert_with(|| self.scene.workers.get(&member).cloned().unwrap_or_default());
        seat.on = Some(member);
    }

    /// Off a worker that is about to stop, and back to the one that it belongs to.
    fn must_move(&self, assignment: &Assignment, unit: Unit) -> bool {
        let Some(seat) = assignment.seat(unit) else {
            return false;
        };
        let Some(on) = &seat.on else { return false };
        if !self.by_member.contains_key(on) {
            return true;
        }
        let home = seat.home.as_ref().and_then(|home| self.member(home));
        unit != Unit::Connector && home.is_some_and(|home| home != on)
    }

    /// Moves the heaviest task that makes it more even, from the member with the most to that with the least.
    fn move_one(&mut self, next: &mut BTreeMap<String, Assignment>) -> bool {
        let heaviest = self.by_member.iter().max_by_key(|(_, weight)| **weight);
        let Some((from, most)) = heaviest.map(|(m, w)| (m.clone(), *w)) else {
            return false;
        };
        let Some((to, least)) = self.lightest() else {
            return false;
        };
        let room = (most - least) / 2;
        let mut best: Option<(u32, String, Unit)> = None;
        for (name, assignment) in next.iter() {
            let tasks = assignment
                .of(&from)
                .filter(|(unit, _)| *unit != Unit::Connector);
            for (unit, _) in tasks {
                let weight = self.of(name, unit);
                if weight <= room && best.as_ref().is_none_or(|(best, ..)| weight > *best) {
                    best = Some((weight, name.clone(), unit));
                }
            }
        }
        let Some((weight, name, unit)) = best else {
            return false;
        };
        let Some(assignment) = next.get_mut(&name) else {
            return false;
        };
        take(assignment, unit);
        if let Some(seat) = assignment.seat_mut(unit) {
            seat.home = self.scene.workers.get(&to).cloned();
        }
        for (member, is_more) in [(from, false), (to, true)] {
            let sum = self.by_member.entry(member).or_default();
            *sum = if is_more {
                *sum + weight
            } else {
                sum.saturating_sub(weight)
            };
        }
        true
    }
}
