//! The memory that all requests, or all answers, may take together.

use tokio::sync::{Semaphore, SemaphorePermit};

/// The unit in which memory is counted.
const UNIT: usize = 1 << 10;

/// Memory that is left. Invariant 4: nothing is unbounded.
pub(crate) struct Budget {
    left: Semaphore,
    units: usize,
}

/// Memory that was taken; given back when dropped.
pub(crate) struct Room<'a>(Option<SemaphorePermit<'a>>);

impl Budget {
    pub(crate) fn of(bytes: usize) -> Self {
        let units = bytes / UNIT;
        Self {
            left: Semaphore::new(units),
            units,
        }
    }

    /// Waits until there are so many bytes, in the order of asking. More than there ever are waits for all of them: a value of any
    /// size can be read when nothing else is.
    pub(crate) async fn take(&self, bytes: usize) -> Room<'_> {
        let units = units(bytes).min(self.units);
        let permit = self
            .left
            .acquire_many(u32::try_from(units).unwrap_or(u32::MAX));
        // It is never closed.
        Room(permit.await.ok())
    }
}

impl Room<'_> {
    /// Gives back all but so many bytes.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        if let Some(permit) = &mut self.0 {
            let over = permit.num_permits().saturating_sub(units(bytes));
            drop(permit.split(over));
        }
    }
}

fn units(bytes: usize) -> usize {
    bytes.div_ceil(UNIT).max(1)
}
