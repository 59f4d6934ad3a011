//! Looking after what a connector holds on its server, whether its tasks run or not.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{keep::Keep, meter::Meter};

/// What a connector shows of what it holds. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// Its numbers.
    pub meter: Meter,
    /// What it keeps in the log.
    pub keep: Keep,
    notice: Arc<Mutex<Option<String>>>,
}

impl Guard {
    /// Of a connector that can keep things in the log.
    pub fn keeping(keep: Keep) -> Self {
        Self {
            keep,
            ..Self::default()
        }
    }

    /// What the status of the connector tells from now on; `None` when all is well.
    pub fn tell(&self, notice: Option<String>) {
        *self.notice.lock().unwrap_or_else(PoisonError::into_inner) = notice;
    }

    /// What was told last.
    pub fn notice(&self) -> Option<String> {
        let notice = self.notice.lock();
        notice.unwrap_or_else(PoisonError::into_inner).clone()
    }
}
