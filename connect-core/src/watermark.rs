//! Progress as a value: written by one, looked at by many.

use tokio::sync::watch;

use crate::{Error, Result};

/// The writing end of a [`Watermark`].
#[derive(Debug)]
pub struct Advance<T>(watch::Sender<State<T>>);

/// How far something has come. Cheap to clone; reading never waits.
#[derive(Debug)]
pub struct Watermark<T>(watch::Receiver<State<T>>);

#[derive(Debug, Clone)]
struct State<T> {
    value: Option<T>,
    failed: Option<Error>,
}

/// A new pair, with nothing reached yet.
pub fn watermark<T: Clone>() -> (Advance<T>, Watermark<T>) {
    let (tx, rx) = watch::channel(State {
        value: None,
        failed: None,
    });
    (Advance(tx), Watermark(rx))
}

impl<T: Clone> Advance<T> {
    /// Everything up to `value` is reached.
    pub fn to(&self, value: T) {
        self.0.send_modify(|state| state.value = Some(value));
    }

    /// It will never advance again, and why.
    pub fn fail(&self, error: Error) {
        self.0.send_modify(|state| {
            state.failed.get_or_insert(error);
        });
    }
}

impl<T> Clone for Watermark<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Clone> Watermark<T> {
    /// How far it has come; `None` before the first step.
    pub fn latest(&self) -> Option<T> {
        self.0.borrow().value.clone()
    }

    /// The error that ended it, if one did.
    pub fn failure(&self) -> Option<Error> {
        self.0.borrow().failed.clone()
    }

    /// Waits for the next step. Ends with the error that ended it; `Ok(None)` when the writer is gone.
    pub async fn changed(&mut self) -> Result<Option<T>> {
        let alive = self.0.changed().await.is_ok();
        let state = self.0.borrow_and_update();
        match (&state.failed, alive) {
            (Some(error), _) => Err(error.clone()),
            (None, false) => Ok(None),
            (None, true) => Ok(state.value.clone()),
        }
    }
}

impl<T: Clone + PartialOrd> Watermark<T> {
    /// Waits until `goal` is reached. Ends with the error that ended it.
    pub async fn reach(&mut self, goal: T) -> Result<()> {
        let state = self
            .0
            .wait_for(|s| s.failed.is_some() || s.value.as_ref().is_some_and(|v| *v >= goal))
            .await;
        match state {
            Ok(state) => state.failed.clone().map_or(Ok(()), Err),
            Err(_) => Err(Error::new(
                &crate::error::INTERNAL,
                "the writer of a watermark is gone",
            )),
        }
    }
}
