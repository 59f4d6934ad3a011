//! Retention and compaction, from time to time, on a thread of its own. It writes through the writer, in slices.

use std::{sync::Arc, time::Instant};

use connect_core::Result;
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::{compact, engine::Shared, queue::closed, retain, seal, store::Store};

/// Blocks that are removed at once.
const SLICE_BLOCKS: usize = 256;

/// Wakes the keeper.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    state: Mutex<State>,
    rung: Condvar,
}

#[derive(Debug, Default)]
struct State {
    due: bool,
    stop: bool,
    waiting: Vec<oneshot::Sender<Result<()>>>,
}

impl Alarm {
    /// There is something to do.
    pub(crate) fn wake(&self) {
        self.state.lock().due = true;
        self.rung.notify_one();
    }

    /// Waits until a whole round was done from now on.
    pub(crate) async fn round(&self) -> Result<()> {
        let (done, answer) = oneshot::channel();
        self.state.lock().waiting.push(done);
        self.rung.notify_one();
        answer.await.map_err(|_| closed())?
    }

    /// The thread ends.
    pub(crate) fn stop(&self) {
        self.state.lock().stop = true;
        self.rung.notify_one();
    }

    /// Fails when the thread has to end.
    pub(crate) fn must_go_on(&self) -> Result<()> {
        if self.state.lock().stop {
            return Err(closed());
        }
        Ok(())
    }
}

/// The thread's state.
pub(crate) struct Keeper<S> {
    shared: Arc<Shared<S>>,
    compactions: compact::Compactions,
    sealed: seal::Sealed,
}

impl<S: Store> Keeper<S> {
    pub(crate) fn new(shared: Arc<Shared<S>>) -> Self {
        Self {
            shared,
            compactions: compact::Compactions::default(),
            sealed: seal::Sealed::default(),
        }
    }

    pub(crate) fn run(mut self) {
        while let Some(waiting) = self.wait() {
            let asked = !waiting.is_empty();
            let done = self.round(asked);
            if let Err(error) = &done
                && self.shared.keeper.must_go_on().is_ok()
            {
                tracing::warn!(error = %error, "upkeep of the log did not finish");
            }
            for waiter in waiting {
                // Who asked may be gone.
                let _ = waiter.send(done.clone());
            }
        }
    }

    /// Waits until it is time; `None` to end.
    fn wait(&self) -> Option<Vec<oneshot::Sender<Result<()>>>> {
        let next = Instant::now() + self.shared.limits.upkeep_interval;
        let alarm = &self.shared.keeper;
        let mut state = alarm.state.lock();
        while !state.stop && !state.due && state.waiting.is_empty() {
            if alarm.rung.wait_until(&mut state, next).timed_out() {
                break;
            }
        }
        state.due = false;
        let waiting = std::mem::take(&mut state.waiting);
        (!state.stop).then_some(waiting)
    }

    /// `asked`: compact also where it is hardly worth it.
    fn round(&mut self, asked: bool) -> Result<()> {
        for topic in self.shared.catalog.all() {
            let settings = topic.settings();
            for partition in &topic.partitions {
                self.shared.keeper.must_go_on()?;
                retain::retain(&self.shared, partition, &settings)?;
                if settings.compact {
                    self.compactions
                        .compact(&self.shared, partition, &settings, asked)?;
                } else {
                    self.sealed.seal(&self.shared, partition)?;
                }
            }
        }
        while self.shared.store.sweep(SLICE_BLOCKS)? {
            self.shared.keeper.must_go_on()?;
        }
        Ok(())
    }
}
