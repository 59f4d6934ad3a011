//! One per task: starts it, tries it again after errors that pass, and says honestly how it is.

mod face;
mod heir;
mod life;
mod run;
mod thread;

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use connect_core::Result;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};

use face::Face;
pub(crate) use heir::Heir;
pub(crate) use life::RetryPolicy;
use life::{Effect, Event, Life, next};
use thread::Thread;

use crate::{shared::Shared, stop::Stop, task_spec::TaskSpec};

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

/// Whether a task is open and has not ended, for others to look at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Runs(Arc<AtomicBool>);

impl Runs {
    /// Whether it does now.
    pub(crate) fn get(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Runs a task until it is told to stop or fails for good. Its first run may have been prepared.
pub(crate) async fn supervise(
    shared: Arc<Shared>,
    spec: TaskSpec,
    heir: Option<Heir>,
    stop: Stop,
    runs: Runs,
) -> Outcome {
    let policy = spec.retry_policy();
    let mut supervisor = Supervisor {
        face: Face::new(&shared, &spec),
        shared,
        spec,
        stop,
        heir,
        run: None,
    };
    let (mut life, mut effect) = (Life::Starting(0, None), Effect::Start);
    loop {
        supervisor.face.show(&life, effect);
        let event = match effect {
            Effect::Finish => break,
            Effect::Start => supervisor.start().await,
            Effect::Show => supervisor.watch().await,
            Effect::Wait(delay) => supervisor.wait(delay).await,
        };
        (life, effect) = next(life, event, &policy, jitter());
        runs.0.store(matches!(life, Life::Running(_)), Relaxed);
    }
    match life {
        Life::Failed(_) => Outcome::Failed,
        _ => Outcome::Stopped,
    }
}

struct Supervisor {
    face: Face,
    shared: Arc<Shared>,
    spec: TaskSpec,
    stop: Stop,
    heir: Option<Heir>,
    run: Option<Run>,
}

struct Run {
    thread: Thread,
    opened_at: Option<Instant>,
}

impl Run {
    /// Waits until it has ended, or did not end within the deadline of a stop.
    async fn ended(&mut self, spec: &TaskSpec, stop: &Stop) -> Event {
        let ended = tokio::select! {
            biased;
            // 1. The run has ended.
            ended = self.thread.ended() => ended,
            // 2. It did not end within the deadline of a stop.
            () = stop.hard() => {
                self.thread.cancel();
                match timeout(DROP_GRACE, self.thread.ended()).await {
                    Ok(_) => tracing::warn!(task = %spec.id, "the task did not stop in time and was dropped"),
                    Err(_) => tracing::error!(task = %spec.id, "the task blocks its thread and is left behind"),
                }
                return Event::Stopped;
            }
        };
        let lasted = self.opened_at.map_or(Duration::ZERO, |at| at.elapsed());
        match ended {
            Ok(()) => Event::Stopped,
            Err(error) if stop.is_soft() => {
                tracing::warn!(task = %spec.id, %error, "the task ended with an error while it was stopped");
                Event::Stopped
            }
            Err(error) => Event::Broke(error, lasted),
        }
    }
}

impl Supervisor {
    /// Starts a run on a thread of its own, and waits until it is open or has ended.
    async fn start(&mut self) -> Event {
        let (opened, is_open) = oneshot::channel();
        match self.thread(opened) {
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

    /// That of the heir, if there is one whose thread still is.
    fn thread(&mut self, opened: oneshot::Sender<()>) -> Result<Thread> {
        let begun = match self.heir.take() {
            Some(heir) => heir.begin(self.stop.clone(), opened),
            None => Err(opened),
        };
        begun.or_else(|opened| {
            let (shared, stop) = (Arc::clone(&self.shared), self.stop.clone());
            let run = run::run(shared, self.spec.clone(), stop, opened);
            Thread::spawn(&self.spec.id, run)
        })
    }

    /// Waits until the run has ended. Meanwhile the status tells when the log is away.
    async fn watch(&mut self) -> Event {
        let Self {
            face,
            shared,
            spec,
            stop,
            run,
            ..
        } = self;
        let event = {
            let Some(run) = run else {
                return Event::Stopped;
            };
            let mut ended = pin!(run.ended(spec, stop));
            let mut health = shared.log_health.listen();
            loop {
                tokio::select! {
                    biased;
                    // 1. The run has ended.
                    event = &mut ended => break event,
                    // 2. The log is otherwise than it was.
                    Ok(()) = health.changed() => {
                        let trouble = health.borrow_and_update().clone();
                        face.show_log(trouble.map_or(Ok(()), Err));
                    }
                }
            }
        };
        self.run = None;
        event
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
}

/// A number between 0 and 1 that differs between tasks and tries; nothing secret hangs on it.
fn jitter() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    let bits = RandomState::new().hash_one(std::time::Instant::now());
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}
