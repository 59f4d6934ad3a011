//! What every client of a cluster shares: what is known of the cluster's health.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use connect_core::{Code, Error, Result};
use parking_lot::Mutex;

use crate::{UNAUTHORIZED, UNAVAILABLE};

/// The last trouble that clients had with the cluster, until something works again.
#[derive(Debug, Clone, Default)]
pub(super) struct Health(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Whether there is trouble: looked at for every delivery.
    ill: AtomicBool,
    trouble: Mutex<Option<Trouble>>,
}

#[derive(Debug, Clone)]
struct Trouble {
    code: &'static Code,
    reason: String,
    since: Instant,
}

impl Health {
    /// Something worked: forget the trouble.
    pub(super) fn well(&self) {
        if self.0.ill.load(Ordering::Acquire) && self.0.trouble.lock().take().is_some() {
            self.0.ill.store(false, Ordering::Release);
            tracing::info!("kafka answers again");
        }
    }

    /// The trouble as an error, if there is any.
    pub(super) fn trouble(&self) -> Option<Error> {
        if !self.0.ill.load(Ordering::Acquire) {
            return None;
        }
        let trouble = self.0.trouble.lock().clone()?;
        let error = Error::new(trouble.code, "could not reach the Kafka cluster");
        Some(error.context("reason", trouble.reason))
    }

    /// Fails when the trouble lasts for longer than this.
    pub(super) fn check(&self, patience: Duration) -> Result<()> {
        if !self.0.ill.load(Ordering::Acquire) {
            return Ok(());
        }
        let since = self.0.trouble.lock().as_ref().map(|trouble| trouble.since);
        match since {
            Some(since) if since.elapsed() > patience => self.trouble().map_or(Ok(()), Err),
            _ => Ok(()),
        }
    }

    /// An error that may be a mere consequence (a timeout) with its reason, when that is known.
    pub(super) fn explain(&self, error: Error) -> Error {
        if error.code() != &UNAVAILABLE {
            return error;
        }
        match self.trouble() {
            Some(trouble) if trouble.code() == &UNAUTHORIZED => trouble,
            Some(trouble) => error.caused_by(trouble),
            None => error,
        }
    }

    /// Brokers could not be reached, as our own clients saw it.
    pub(super) fn ill_because(&self, error: &Error) {
        let code = match error.code() == &UNAUTHORIZED {
            true => &UNAUTHORIZED,
            false => &UNAVAILABLE,
        };
        self.ill(code, &error.report());
    }

    fn ill(&self, code: &'static Code, reason: &str) {
        let mut trouble = self.0.trouble.lock();
        // That all brokers are down follows from it, and would hide the reason.
        let is_consequence = code == &UNAVAILABLE
            && trouble
                .as_ref()
                .is_some_and(|old| old.code == &UNAUTHORIZED);
        if is_consequence {
            return;
        }
        if trouble.as_ref().is_none_or(|old| old.code != code) {
            tracing::warn!(reason, "kafka cannot be reached");
        }
        let since = trouble.as_ref().map_or_else(Instant::now, |old| old.since);
        *trouble = Some(Trouble {
            code,
            reason: reason.to_owned(),
            since,
        });
        self.0.ill.store(true, Ordering::Release);
    }
}
