//! One per task: starts it, tries it again after errors that pass, and says honestly how it is.

mod life;
mod run;

use std::{sync::Arc, time::Duration};

use connect_core::{Error, Result};
use tokio::{
    sync::oneshot,
    task::{JoinError, JoinHandle},
    time::{Instant, timeout},
};

pub(crate) use life::RetryPolicy;
use life::{Effect, Event, Life, next};

use crate::{answers::State, error::PANIC, shared::Shared, stop::Stop, task_spec::TaskSpec};

/// How long a run that was dropped gets to notice it. One that blocks its thread never does, and is left behind.
const DROP_GRACE: Duration = Duration::from_secs(1);

/// How a task ended for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was told to stop.
    Stopped,
    /// It failed, and its status says why.
    Failed,
}

/// Runs a task until it is told to stop or fails for good.
pub(crate) async fn supervise(shared: Arc<Shared>, spec: TaskSpec, stop: Stop) -> Outcome {
    let policy = spec.retry_policy();
    let mut supervisor = Supervisor {
        shared,
        spec,
        stop,
        run: None,
    };
    let (mut life, mut effect) = (Life::Starting(0, None), Effect::Start);
    loop {
        supervisor.show(&life, effect);
        let event = match effect {
            Effect::Finish => break,
            Effect::Start => supervisor.start().await,
            Effect::Show => supervisor.watch().await,
            Effect::Wait(delay) => supervisor.wait(delay).await,
        };
        (life, effect) = next(life, event, &policy, jitter());
    }
    match life {
        Life::Failed(_) => Outcome::Failed,
        _ => Outcome::Stopped,
    }
}

struct Supervisor {
    shared: Arc<Shared>,
    spec: TaskSpec,
    stop: Stop,
    run: Option<Run>,
}

struct Run {
    handle: AbortOnDrop,
    opened_at: Option<Instant>,
}

/// A supervisor that is dropped takes its run with it.
struct AbortOnDrop(JoinHandle<Result<()>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Supervisor {
    /// Starts a run in a task of its own, so that a panic ends nothing else, and waits until it is open or has ended.
    async fn start(&mut self) -> Event {
        let (opened, is_open) = oneshot::channel();
        let run = run::run(
            Arc::clone(&self.shared),
            self.spec.clone(),
            self.stop.clone(),
            opened,
        );
        let handle = AbortOnDrop(tokio::spawn(run));
        self.run = Some(Run {
            handle,
            opened_at: None,
        });
        let opened = tokio::select! {
            biased;
            // 1. It is open.
            Ok(()) = is_open => true,
            // 2. It ended before, or is told to stop.
            event = self.watch() => return event,
        };
        if let (Some(run), true) = (&mut self.run, opened) {
            run.opened_at = Some(Instant::now());
        }
        Event::Opened
    }

    /// Waits until the run has ended.
    async fn watch(&mut self) -> Event {
        let Some(run) = &mut self.run else {
            return Event::Stopped;
        };
        let ended = tokio::select! {
            biased;
            // 1. The run has ended.
            ended = &mut run.handle.0 => ended,
            // 2. It did not end within the deadline of a stop.
            () = self.stop.hard() => {
                run.handle.0.abort();
                if timeout(DROP_GRACE, &mut run.handle.0).await.is_err() {
                    tracing::error!(task = %self.spec.id, "the task blocks its thread and is left behind");
                } else {
                    tracing::warn!(task = %self.spec.id, "the task did not stop in time and was dropped");
                }
                return Event::Stopped;
            }
        };
        let lasted = run.opened_at.map_or(Duration::ZERO, |at| at.elapsed());
        self.run = None;
        self.ended(ended, lasted)
    }

    fn ended(&self, ended: Result<Result<()>, JoinError>, lasted: Duration) -> Event {
        let error = match ended {
            Ok(Ok(())) => return Event::Stopped,
            Ok(Err(error)) => error,
            Err(join) => panicked(join),
        };
        if self.stop.is_soft() {
            tracing::warn!(task = %self.spec.id, %error, "the task ended with an error while it was stopped");
            return Event::Stopped;
        }
        Event::Broke(error, lasted)
    }

    async fn wait(&self, delay: Duration) -> Event {
        tokio::select! {
            biased;
            // 1. It is told to stop.
            () = self.stop.soft() => Event::Stopped,
            // 2. The delay is over.
            () = tokio::time::sleep(delay) => Event::Waited,
        }
    }

    /// One status and one line of log per change. The status tells the truth: a task whose server is away is not RUNNING.
    fn show(&self, life: &Life, effect: Effect) {
        let id = &self.spec.id;
        let (state, trace) = match life {
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
        let version = self
            .shared
            .plugins
            .find(&self.spec.class)
            .map(|plugin| plugin.about.version);
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

fn panicked(join: JoinError) -> Error {
    let what = match join.try_into_panic() {
        Ok(payload) => {
            let text = payload
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned());
            let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
            let text: String = text.unwrap_or_default().chars().take(500).collect();
            format!("The task panicked: {text}")
        }
        Err(_) => "The task was dropped".to_owned(),
    };
    Error::new(&PANIC, what)
}

/// A number between 0 and 1 that differs between tasks and tries; nothing secret hangs on it.
fn jitter() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    let bits = RandomState::new().hash_one(std::time::Instant::now());
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}
