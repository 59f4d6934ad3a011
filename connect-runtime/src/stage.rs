//! What the worker is doing, for requests that wait in vain (KIP-1017).

use jiff::Timestamp;
use parking_lot::Mutex;

/// What the actor does now, or did last.
#[derive(Default)]
pub(crate) struct Stage(Mutex<Option<Step>>);

struct Step {
    what: String,
    began: Timestamp,
    ended: Option<Timestamp>,
}

impl Stage {
    /// The actor begins something.
    pub(crate) fn begin(&self, what: impl Into<String>) {
        *self.0.lock() = Some(Step {
            what: what.into(),
            began: Timestamp::now(),
            ended: None,
        });
    }

    /// The actor has done it.
    pub(crate) fn end(&self) {
        if let Some(step) = &mut *self.0.lock() {
            step.ended = Some(Timestamp::now());
        }
    }

    /// A sentence with a blank before it, or nothing.
    pub(crate) fn summary(&self) -> String {
        match &*self.0.lock() {
            None => String::new(),
            Some(Step {
                what,
                began,
                ended: None,
            }) => {
                format!(" The worker is currently {what}, which began at {began:.3}.")
            }
            Some(Step {
                what,
                began,
                ended: Some(ended),
            }) => format!(
                " The last operation the worker completed was {what}, which began at {began:.3} and completed at {ended:.3}."
            ),
        }
    }
}
