//! What a task's status says. It tells the truth: a task whose server or log is away is not RUNNING.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use connect_core::{Error, Result};

use super::life::{Effect, Life};
use crate::{answers::State, shared::Shared, task_spec::TaskSpec};

/// The status of one task.
pub(super) struct Face {
    shared: Arc<Shared>,
    spec: TaskSpec,
    /// How the task itself is.
    own: (State, Option<String>),
    /// Whether the log's trouble is shown in place of that.
    is_troubled: bool,
}

impl Face {
    pub(super) fn new(shared: &Arc<Shared>, spec: &TaskSpec) -> Self {
        Self {
            shared: Arc::clone(shared),
            spec: spec.clone(),
            own: (State::Unassigned, None),
            is_troubled: false,
        }
    }

    /// One status and one line of log per change.
    pub(super) fn show(&mut self, life: &Life, effect: Effect) {
        let id = &self.spec.id;
        self.count(life);
        self.own = match life {
            Life::Starting(0, _) => {
                tracing::info!(task = %id, "the task is being started");
                (State::Restarting, None)
            }
            Life::Starting(_, error) => (State::Restarting, error.as_ref().map(Error::report)),
            Life::Running(_) => {
                tracing::info!(task = %id, "the task runs");
                (State::Running, None)
            }
            Life::Backoff(attempt, error) => {
                let Effect::Wait(delay) = effect else {
                    return;
                };
                tracing::warn!(task = %id, attempt, ?delay, %error, code = error.code().name, "the task is tried again");
                (State::Restarting, Some(waiting(error, *attempt, delay)))
            }
            Life::Failed(error) => {
                tracing::error!(task = %id, error = %error.report(), "the task has failed");
                (State::Failed, Some(error.report()))
            }
            Life::Stopped => {
                tracing::info!(task = %id, "the task has stopped");
                return;
            }
        };
        self.is_troubled = false;
        self.put(self.own.clone());
    }

    /// Counts starts and further tries.
    fn count(&self, life: &Life) {
        let metrics = &self.shared.metrics;
        let [attempts, good, bad] = &metrics.starts;
        match life {
            Life::Starting(0, _) => drop(attempts.fetch_add(1, Relaxed)),
            Life::Running(_) => drop(good.fetch_add(1, Relaxed)),
            Life::Failed(_) => drop(bad.fetch_add(1, Relaxed)),
            Life::Backoff(..) => drop(metrics.task(&self.spec.id).retries.fetch_add(1, Relaxed)),
            _ => {}
        }
    }

    /// Shows how the log is, while the task waits for it without an error of its own: the log's client overcomes most
    /// troubles by itself, but nothing goes on meanwhile.
    pub(super) fn show_log(&mut self, health: Result<()>) {
        match health {
            Err(error) if !self.is_troubled && self.own.1.is_none() => {
                tracing::warn!(task = %self.spec.id, %error, code = error.code().name, "the task waits for the log");
                self.is_troubled = true;
                let trace = format!("{}\n\tThe task goes on by itself", error.report());
                self.put((State::Restarting, Some(trace)));
            }
            Ok(()) if self.is_troubled => {
                tracing::info!(task = %self.spec.id, "the log is there again");
                self.is_troubled = false;
                self.put(self.own.clone());
            }
            _ => {}
        }
    }

    fn put(&self, (state, trace): (State, Option<String>)) {
        let plugin = self.shared.plugins.find(&self.spec.class);
        let version = plugin.map(|plugin| plugin.about.version);
        let id = &self.spec.id;
        self.shared.metrics.task(id).ratios.entered(state);
        self.shared.statuses.set_task(id, state, version, trace);
    }
}

fn waiting(error: &Error, attempt: u32, delay: Duration) -> String {
    let at = jiff::Timestamp::now() + delay;
    format!(
        "{}\n\tTry {attempt} failed; the next one follows in {:.1} s, at {at:.3}",
        error.report(),
        delay.as_secs_f64()
    )
}
