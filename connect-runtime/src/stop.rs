//! A stop in two stages: soft asks a task to finish what is in hand, hard drops it.

use tokio::{sync::watch, time::Instant};

/// The side that stops.
#[derive(Debug)]
pub(crate) struct Stopper(watch::Sender<Option<Instant>>);

/// The side that is stopped. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<Option<Instant>>);

/// A new pair.
pub(crate) fn stop() -> (Stopper, Stop) {
    let (tx, rx) = watch::channel(None);
    (Stopper(tx), Stop(rx))
}

impl Stopper {
    /// Asks to finish until the deadline. A second call can only make it earlier.
    pub(crate) fn stop_by(&self, deadline: Instant) {
        self.0
            .send_modify(|at| *at = Some(at.map_or(deadline, |old| old.min(deadline))));
    }
}

impl Stop {
    /// Waits until it is asked to finish; a stopper that is gone asks too.
    pub(crate) async fn soft(&self) {
        let mut signal = self.0.clone();
        let _asked_or_gone = signal.wait_for(Option::is_some).await;
    }

    /// Waits until the deadline has passed.
    pub(crate) async fn hard(&self) {
        let mut signal = self.0.clone();
        loop {
            self.soft().await;
            let Some(deadline) = *signal.borrow_and_update() else {
                return;
            };
            tokio::select! {
                biased;
                // 1. The deadline.
                () = tokio::time::sleep_until(deadline) => return,
                // 2. An earlier deadline.
                Ok(()) = signal.changed() => {}
            }
        }
    }

    /// Until when to finish; now, when nobody told.
    pub(crate) fn deadline(&self) -> Instant {
        self.0.borrow().unwrap_or_else(Instant::now)
    }

    /// Whether it is asked to finish.
    pub(crate) fn is_soft(&self) -> bool {
        self.0.borrow().is_some() || self.0.has_changed().is_err()
    }
}
