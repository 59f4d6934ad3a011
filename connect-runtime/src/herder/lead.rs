//! From what is wanted and who is there to who has what. Pure.
//!
//! Rules: what runs somewhere stays there unless it must go; a seat is empty until the one who had it has nothing of it any more; what
//! belongs to a worker goes back to it when it comes back; the rest goes where the least is done.

mod balance;

use std::collections::{BTreeMap, BTreeSet};

use super::state::{Desired, DesiredConnector};
use crate::{
    answers::TargetState,
    change::Scope,
    seats::{Assignment, Report, Seat, Unit},
};

/// What the leader looks at.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// What is wanted.
    pub desired: &'a Desired,
    /// How it stands.
    pub assignments: &'a BTreeMap<String, Assignment>,
    /// What the workers say, by member.
    pub reports: &'a BTreeMap<String, Report>,
    /// The members of the group, with their workers' names.
    pub workers: &'a BTreeMap<String, String>,
    /// What is known of plans, by connector.
    pub plans: &'a BTreeMap<String, Planned>,
}

/// What the leader knows of a connector's plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Planned {
    /// The revision of the connector that was planned.
    pub revision: u64,
    /// Why it could not be planned.
    pub failed: Option<String>,
    /// Another number of tasks is to come, for which none of the present ones may run.
    pub is_waiting: bool,
}

/// Every assignment that changes; `None` where there is none any more. Their versions are the caller's.
///
/// With a scope of some connectors only theirs: enough where nothing else has changed. What this changes may call for a look at
/// all, since only then the seats are evened out.
pub fn lead(scene: Scene<'_>, scope: &Scope) -> BTreeMap<String, Option<Assignment>> {
    let wanted = scope.of(&scene.desired.connectors).map(|(name, _)| name);
    let known = scope.of(scene.assignments).map(|(name, _)| name);
    let names: BTreeSet<&String> = wanted.chain(known).collect();
    let mut next: BTreeMap<String, Assignment> = names
        .into_iter()
        .map(|name| (name.clone(), scene.kept(name)))
        .collect();
    if !scope.is_all() {
        // Most changes are of a configuration alone, and nobody has to be weighed for them.
        next.retain(|name, kept| scene.assignments.get(name) != Some(kept) || !kept.is_full());
    }
    if next.is_empty() {
        return BTreeMap::new();
    }
    balance::fill(scene, &mut next);
    let is_settled = next.values().all(|next| next.leaving.is_empty());
    if scope.is_all() && is_settled {
        balance::even_out(scene, &mut next);
    }
    let changed = next.into_iter().filter_map(|(name, assignment)| {
        let is_over =
            !scene.desired.connectors.contains_key(&name) && assignment.leaving.is_empty();
        let assignment = (!is_over).then_some(assignment);
        let same = assignment.as_ref() == scene.assignments.get(&name);
        (!same).then_some((name, assignment))
    });
    changed.collect()
}

impl Scene<'_> {
    /// An assignment without what is over: seats of members that are gone, seats that nobody wants.
    fn kept(&self, name: &str) -> Assignment {
        let mut kept = self.assignments.get(name).cloned().unwrap_or_default();
        let version = kept.version;
        kept.leaving
            .retain(|unit, member| !self.has_left(name, *unit, member, version));
        let wanted = self.desired.connectors.get(name);
        let plan = self.plans.get(name);
        let count = wanted.map_or(0, tasks_of);
        for task in (count..kept.tasks.len()).rev() {
            take(&mut kept, Unit::Task(task as u32));
            kept.tasks.truncate(task);
        }
        kept.tasks.resize_with(count, Seat::default);
        if plan.is_some_and(|plan| plan.is_waiting) {
            for task in 0..count as u32 {
                take(&mut kept, Unit::Task(task));
            }
        }
        if wanted.is_none() {
            take(&mut kept, Unit::Connector);
        }
        if let Some(plan) = plan {
            kept.failed.clone_from(&plan.failed);
        }
        let gone = |seat: &Seat| {
            let member = seat.on.as_ref();
            member.is_some_and(|member| !self.workers.contains_key(member))
        };
        let seats = std::iter::once(&mut kept.connector).chain(&mut kept.tasks);
        for seat in seats.filter(|seat| gone(seat)) {
            seat.on = None;
        }
        kept.leaving
            .retain(|_, member| self.workers.contains_key(member));
        kept
    }

    /// Whether nothing of a seat that was taken from a member can run there any more.
    fn has_left(&self, name: &str, unit: Unit, member: &str, version: u64) -> bool {
        let Some(report) = self.reports.get(member) else {
            return false;
        };
        report.version >= version && !report.still.contains(&(name.to_owned(), unit))
    }
}

fn tasks_of(connector: &DesiredConnector) -> usize {
    match connector.target {
        TargetState::Stopped => 0,
        _ => connector.tasks.len(),
    }
}

/// Takes a seat from whoever has it.
fn take(assignment: &mut Assignment, unit: Unit) {
    let member = assignment.seat_mut(unit).and_then(|seat| seat.on.take());
    if let Some(member) = member {
        assignment.leaving.insert(unit, member);
    }
}

#[cfg(test)]
mod tests;
