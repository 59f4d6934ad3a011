//! What the worker does for each action of [`reconcile`](crate::herder::reconcile::reconcile).

use std::sync::{Arc, atomic::Ordering::Relaxed};

use tokio::time::Instant;
use tracing::Instrument;

use super::{Actor, Reins};
use crate::{
    answers::{State, TargetState, TaskId},
    herder::{
        reconcile::{Action, Mine},
        state::{Edition, Phase, RunningConnector, RunningTask},
    },
    logs, stop,
    supervisor::{self, Runs},
    task_spec::TaskSpec,
};

impl Actor {
    pub(super) fn perform(&mut self, action: Action) {
        match action {
            Action::Show(name, connector) => self.show(name, connector),
            Action::Forget(name) => {
                self.running.connectors.remove(&name);
                self.shared.statuses.release_connector(&name);
            }
            Action::Start(id, edition) => self.start(id, edition),
            Action::Rest(id, edition) => self.rest(id, edition),
            Action::Relieve(id, edition) => self.relieve(&id, edition),
            Action::Stop(id) => self.stop(&id),
            Action::Clear(id) => self.clear(&id),
        }
    }

    fn show(&mut self, name: String, connector: RunningConnector) {
        let (state, trace) = match (&connector.failed, connector.target) {
            (Some(trace), TargetState::Started) => (State::Failed, Some(trace.clone())),
            (None, TargetState::Started) => (State::Running, None),
            (_, TargetState::Paused) => (State::Paused, None),
            (_, TargetState::Stopped) => (State::Stopped, None),
        };
        let version = self.shared.version_of(&self.shared.desired.read(), &name);
        self.count_start(&name, &connector, state);
        let statuses = &self.shared.statuses;
        statuses.set_connector(&name, state, version, trace);
        self.running.connectors.insert(name, connector);
    }

    /// A connector that is new here, or is started again, has started or not.
    fn count_start(&self, name: &str, connector: &RunningConnector, state: State) {
        let before = self.running.connectors.get(name);
        let again = before.is_none_or(|before| {
            before.edition != connector.edition || before.target != TargetState::Started
        });
        if connector.target == TargetState::Started && again {
            let [attempts, good, bad] = &self.shared.metrics.connector_starts;
            attempts.fetch_add(1, Relaxed);
            let of = if state == State::Failed { bad } else { good };
            of.fetch_add(1, Relaxed);
        }
    }

    fn start(&mut self, id: TaskId, edition: Edition) {
        let Some(spec) = TaskSpec::of(&self.shared, &id) else {
            return;
        };
        let (stopper, stop) = stop::stop();
        let runs = Runs::default();
        let heir = self.heirs.take(&id, edition);
        let shared = Arc::clone(&self.shared);
        let supervisor = supervisor::supervise(shared, spec, heir, stop, runs.clone());
        let handle = self
            .supervisors
            .spawn(supervisor.instrument(logs::of_task(&id)));
        self.by_join.insert(handle.id(), id.clone());
        self.reins.insert(id.clone(), Reins { stopper, runs });
        let task = RunningTask {
            edition,
            target: TargetState::Started,
            phase: Phase::Alive,
        };
        self.running.tasks.insert(id, task);
    }

    fn rest(&mut self, id: TaskId, edition: Edition) {
        let version = self
            .shared
            .version_of(&self.shared.desired.read(), &id.connector);
        let statuses = &self.shared.statuses;
        statuses.set_task(&id, State::Paused, version, None);
        let metrics = self.shared.metrics.task(&id);
        metrics.ratios.entered(State::Paused);
        let task = RunningTask {
            edition,
            target: TargetState::Paused,
            phase: Phase::Resting,
        };
        self.running.tasks.insert(id, task);
    }

    /// A task that does not run has nothing to go on with until its heir is prepared.
    fn relieve(&mut self, id: &TaskId, edition: Edition) {
        let runs = self.reins.get(id).is_some_and(|reins| reins.runs.get());
        if runs
            && self.heirs.make(&self.shared, id, edition)
            && let Some(task) = self.running.tasks.get_mut(id)
        {
            task.phase = Phase::Relieved(edition);
        } else {
            self.stop(id);
        }
    }

    /// The heir of a task has done what it can while the task runs.
    pub(super) fn relieved(&mut self, id: &TaskId, edition: Edition) {
        let task = self.running.tasks.get(id);
        if task.is_some_and(|task| task.phase == Phase::Relieved(edition)) {
            self.stop(id);
        }
    }

    fn stop(&mut self, id: &TaskId) {
        if let Some(reins) = self.reins.get(id) {
            let patience = self.shared.current.get().shutdown_timeout.0;
            reins.stopper.stop_by(Instant::now() + patience);
        }
        if let Some(task) = self.running.tasks.get_mut(id) {
            task.phase = Phase::Stopping;
        }
    }

    /// Nothing of the task runs here any more. If it is not to run again, others tell how it is.
    pub(super) fn clear(&mut self, id: &TaskId) {
        self.running.tasks.remove(id);
        let me = self.me();
        let desired = self.shared.desired.read();
        let known = self.shared.cluster.known();
        let mine = Mine {
            desired: &desired,
            assignments: &known.assignments,
            me: me.as_deref(),
        };
        if mine.task(id).is_none() {
            self.shared.statuses.release_task(id);
            self.shared.metrics.remove(id);
            // It counts in those metrics.
            self.heirs.retain(|heir, _| heir != id);
        }
    }
}
