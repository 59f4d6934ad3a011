//! What this worker runs: it follows the assignments, and says when nothing runs any more of what was taken from it.
//!
//! It never waits for the log, so that nothing keeps it from stopping what it must not run.

mod heirs;
mod perform;
mod reporter;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use connect_core::Result;
use rustc_hash::FxHashMap;
use tokio::{
    sync::watch,
    task::{Id, JoinError, JoinSet},
    time::{Duration, Instant, sleep},
};

use heirs::Heirs;

use super::{
    reconcile::{Mine, reconcile},
    state::{Edition, Phase, Running},
};
use crate::{
    answers::{State, TargetState, TaskId},
    change::{Look, Scope},
    cluster::{RequestId, Whom},
    guards::Guards,
    seats::{Report, task_id},
    shared::Shared,
    stop::{Stop, Stopper},
    supervisor::{Outcome, Runs},
};

/// More rounds than this without an end are a defect.
const MAX_ROUNDS: usize = 1000;
/// How often loads are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// The worker. It ends when it is told to stop and all its tasks have ended.
pub(crate) struct Actor {
    shared: Arc<Shared>,
    running: Running,
    supervisors: JoinSet<Outcome>,
    by_join: FxHashMap<Id, TaskId>,
    reins: BTreeMap<TaskId, Reins>,
    heirs: Heirs,
    guards: Guards,
    report: watch::Sender<Report>,
    answered: BTreeSet<RequestId>,
    taken_back: BTreeSet<RequestId>,
    look: Look,
    is_draining: bool,
}

/// How a task that was started is held.
struct Reins {
    stopper: Stopper,
    runs: Runs,
}

impl Actor {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            look: shared.changes.look(),
            shared,
            running: Running::default(),
            supervisors: JoinSet::new(),
            by_join: FxHashMap::default(),
            reins: BTreeMap::new(),
            heirs: Heirs::default(),
            guards: Guards::default(),
            report: watch::channel(Report::default()).0,
            answered: BTreeSet::new(),
            taken_back: BTreeSet::new(),
            is_draining: false,
        }
    }

    /// Keeps what runs equal to what is wanted here, until it is stopped.
    pub(crate) async fn run(mut self, stop: Stop) {
        let mut reporter = JoinSet::new();
        reporter.spawn(reporter::run(
            Arc::clone(&self.shared),
            self.report.subscribe(),
        ));
        self.work(&stop).await;
        self.stop_all(&stop).await;
    }

    async fn work(&mut self, stop: &Stop) {
        let mut standing = self.shared.place.listen();
        self.shared
            .metrics
            .membership
            .see(self.shared.place.standing().as_ref());
        self.settle();
        while !(self.is_draining && self.is_drained(stop)) {
            tokio::select! {
                biased;
                // 1. The worker is being stopped: others take over first.
                () = stop.soft(), if !self.is_draining => self.is_draining = true,
                // 2. A task has ended.
                Some(ended) = self.supervisors.join_next_with_id() => self.ended(ended),
                // 3. An heir is prepared, or was waited for long enough.
                Some((id, edition)) = self.heirs.next() => self.relieved(&id, edition),
                // 4. This worker's place in the group is another one.
                Ok(()) = standing.changed() => {
                    let now = standing.borrow_and_update().clone();
                    self.shared.metrics.membership.see(now.as_ref());
                    self.look.add(&Scope::All);
                }
                // 5. Configurations or assignments have changed.
                Ok(()) = self.look.changed() => {}
                // 6. It is time to look how much there is to do.
                () = sleep(LOOK) => self.weigh(),
            }
            self.settle();
        }
    }

    /// Whether there is nobody who would take over, or everything was taken, or there is no time left.
    fn is_drained(&self, stop: &Stop) -> bool {
        let Some(standing) = self.shared.place.standing() else {
            return true;
        };
        let me = &standing.view.me;
        let known = self.shared.cluster.known();
        let others = standing.view.members.keys().filter(|member| *member != me);
        let can_take = |member: &String| known.reports.get(member).is_none_or(|r| !r.draining);
        let is_mine = known
            .assignments
            .values()
            .any(|assignment| assignment.of(me).next().is_some());
        !others.into_iter().any(can_take) || !is_mine || Instant::now() >= stop.deadline()
    }

    fn me(&self) -> Option<String> {
        let standing = self.shared.place.standing()?;
        (!standing.lease.is_lost()).then_some(standing.view.me)
    }

    fn settle(&mut self) {
        let me = self.me();
        let scope = self.look.take();
        for round in 0.. {
            let actions = {
                let desired = self.shared.desired.read();
                let known = self.shared.cluster.known();
                let mine = Mine {
                    desired: &desired,
                    assignments: &known.assignments,
                    me: me.as_deref(),
                };
                reconcile(mine, &self.running, &scope)
            };
            if actions.is_empty() {
                break;
            }
            if round == MAX_ROUNDS {
                tracing::error!("reconciling does not come to an end");
                break;
            }
            for action in actions {
                self.perform(action);
            }
        }
        self.forget_heirs(me.as_deref());
        self.guards
            .settle(&self.shared, &self.running.connectors, &scope);
        self.forget_logs(&scope);
        if let Some(me) = me {
            self.tell(&me);
            self.attend(&me);
            self.take_back(&me);
        }
    }

    /// An heir that is not to run here has nothing to wait for.
    fn forget_heirs(&mut self, me: Option<&str>) {
        let desired = self.shared.desired.read();
        let known = self.shared.cluster.known();
        let mine = Mine {
            desired: &desired,
            assignments: &known.assignments,
            me,
        };
        let is_wanted =
            |id: &TaskId, edition: Edition| mine.task(id) == Some((edition, TargetState::Started));
        self.heirs.retain(is_wanted);
    }

    /// What was logged of deleted connectors goes.
    fn forget_logs(&self, scope: &Scope) {
        let desired = self.shared.desired.read();
        let exists = |name: &str| desired.connectors.contains_key(name);
        let is_any_gone = match scope {
            Scope::All => true,
            Scope::Only(names) => !names.iter().all(|name| exists(name)),
        };
        if is_any_gone {
            self.shared.logs.retain(exists);
        }
    }

    /// Tells the leader that what was taken from this worker does not run any more.
    fn tell(&self, me: &str) {
        let known = self.shared.cluster.known();
        let mut report = self.report.borrow().clone();
        let mut is_asked = false;
        report.still.clear();
        for (name, assignment) in &known.assignments {
            let leaving = assignment.leaving.iter();
            for (unit, _) in leaving.filter(|(_, member)| *member == me) {
                is_asked = true;
                let runs =
                    task_id(name, *unit).is_some_and(|id| self.running.tasks.contains_key(&id));
                if runs {
                    report.still.insert((name.clone(), *unit));
                }
            }
        }
        if is_asked {
            report.version = known.version;
        }
        report.draining = self.is_draining;
        self.publish(report);
    }

    fn publish(&self, report: Report) {
        self.report.send_if_modified(|before| {
            let is_new = *before != report;
            *before = report;
            is_new
        });
    }

    /// Tells how much its tasks have to do, roughly, so that it is rarely told.
    fn weigh(&self) {
        let mut report = self.report.borrow().clone();
        report.loads = self.shared.metrics.loads();
        self.publish(report);
    }

    /// Answers what only this worker can answer.
    fn attend(&mut self, me: &str) {
        let known = self.shared.cluster.known();
        self.answered.retain(|id| known.requests.contains_key(id));
        let mine = known
            .requests
            .iter()
            .filter(|(_, request)| matches!(&request.whom, Whom::Member(member) if member == me));
        for (id, request) in mine {
            if self.answered.insert(id.clone()) {
                reporter::answer(&self.shared, id.clone(), request.order.clone());
            }
        }
    }

    /// Takes back what nobody here waits for any more: whoever asks in vain leaves nothing behind.
    fn take_back(&mut self, me: &str) {
        let given_up = self.shared.cluster.given_up(me);
        for id in given_up.difference(&self.taken_back) {
            reporter::take_back(&self.shared, id.clone());
        }
        self.taken_back = given_up;
    }

    fn ended(&mut self, ended: Result<(Id, Outcome), JoinError>) {
        let (join, outcome) = match ended {
            Ok((join, outcome)) => (join, outcome),
            Err(error) => (error.id(), Outcome::Failed),
        };
        let Some(id) = self.by_join.remove(&join) else {
            return;
        };
        self.reins.remove(&id);
        let mut about = Scope::default();
        about.add(&id.connector);
        self.look.add(&about);
        match outcome {
            Outcome::Failed => {
                if let Some(task) = self.running.tasks.get_mut(&id) {
                    task.phase = Phase::Failed;
                }
            }
            Outcome::Stopped => self.clear(&id),
        }
    }

    async fn stop_all(&mut self, stop: &Stop) {
        let deadline = stop.deadline();
        self.heirs = Heirs::default();
        for reins in self.reins.values() {
            reins.stopper.stop_by(deadline);
        }
        while let Some(ended) = self.supervisors.join_next_with_id().await {
            let (join, outcome) = match ended {
                Ok(ended) => ended,
                Err(error) => (error.id(), Outcome::Failed),
            };
            if let (Some(id), Outcome::Stopped) = (self.by_join.remove(&join), outcome) {
                let statuses = &self.shared.statuses;
                statuses.set_task(&id, State::Unassigned, None, None);
            }
        }
        for (name, connector) in &self.running.connectors {
            if connector.target == TargetState::Started {
                let statuses = &self.shared.statuses;
                statuses.set_connector(name, State::Unassigned, None, None);
            }
        }
    }
}
