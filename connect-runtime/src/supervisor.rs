//! One per task: starts it, tries it again after errors that pass, and says honestly how it is.

mod life;
mod run;
mod thread;

use std::{sync::Arc, time::Duration};

use connect_core::Error;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};

pub(crate) use life::RetryPolicy;
use life::{Effect, Event, Life, next};
use thread::Thread;

use crate::{answers::State, shared::Shared, stop::Stop, task_spec::TaskSpec};

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
    thread: Thread,
    opened_at: Option<Instant>,
}

impl Supervisor {
    /// Starts a run on a thread of its own, and waits until it is open or has ended.
    async fn start(&mut self) -> Event {
        let (opened, is_open) = oneshot::channel();
        let run = run::run(
            Arc::clone(&self.shared),
            self.spec.clone(),
            self.stop.clone(),
            opened,
        );
        match Thread::spawn(&self.spec.id, run) {
            Ok(thread) => {
                self.run = Some(Run {
                    thread,
                    opened_at: None,
                })
            }
            Err(error) => return Event::Broke(error, Duration::ZERO),
        }
        tokio::select! {
            biased;
            // 1. It is open.
            Ok(()) = is_open => {}
            // 2. It ended before, or is told to stop.
            event = self.watch() => return event,
        }
        if let Some(run) = &mut self.run {
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
            ended = run.thread.ended() => ended,
            // 2. It did not end within the deadline of a stop.
            () = self.stop.hard() => {
                run.thread.cancel();
                match timeout(DROP_GRACE, run.thread.ended()).await {
                    Ok(_) => tracing::warn!(task = %self.spec.id, "the task did not stop in time and was dropped"),
                    Err(_) => tracing::error!(task = %self.spec.id, "the task blocks its thread and is left behind"),
                }
                return Event::Stopped;
            }
        };
        let lasted = run.opened_at.map_or(Duration::ZERO, |at| at.elapsed());
        self.run = None;
        match ended {
            Ok(()) => Event::Stopped,
            Err(error) if self.stop.is_soft() => {
                tracing::warn!(task = %self.spec.id, %error, "the task ended with an error while it was stopped");
                Event::Stopped
            }
            Err(error) => Event::Broke(error, lasted),
        }
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

/// A number between 0 and 1 that differs between tasks and tries; nothing secret hangs on it.
fn jitter() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    let bits = RandomState::new().hash_one(std::time::Instant::now());
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}
