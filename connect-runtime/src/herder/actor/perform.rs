//! What the worker does for each action of [`reconcile`](crate::herder::reconcile::reconcile).

use std::sync::{Arc, atomic::Ordering::Relaxed};

use tokio::time::Instant;
use tracing::Instrument;

use super::Actor;
use crate::{
    answers::{State, TargetState, TaskId},
    herder::{
        reconcile::{Action, Mine},
        state::{Edition, Phase, RunningConnector, RunningTask},
    },
    logs, stop, supervisor,
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
        let supervisor = supervisor::supervise(Arc::clone(&self.shared), spec, stop);
        let handle = self
            .supervisors
            .spawn(supervisor.instrument(logs::of_task(&id)));
        self.by_join.insert(handle.id(), id.clone());
        self.stoppers.insert(id.clone(), stopper);
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

    fn stop(&mut self, id: &TaskId) {
        if let Some(stopper) = self.stoppers.get(id) {
            stopper.stop_by(Instant::now() + self.shared.current.get().shutdown_timeout.0);
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
        }
    }
}
