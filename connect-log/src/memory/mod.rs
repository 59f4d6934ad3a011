//! A log in memory, for tests and benchmarks: the same contract, nothing survives.

mod store;

use std::{sync::Arc, time::Duration};

use connect_core::Result;

use crate::local::{Limits, LocalLog};
pub(crate) use store::Memory;

/// A log whose blocks lie in memory. It grows without a bound but retention and compaction.
pub type MemoryLog = LocalLog<Memory>;

impl MemoryLog {
    /// An empty log.
    ///
    /// # Panics
    /// When the system has no threads left.
    pub fn new() -> Arc<Self> {
        Self::open().expect("a log in memory opens when threads can be started")
    }

    /// An empty log.
    pub fn open() -> Result<Arc<Self>> {
        let limits = Limits {
            queue_bytes: 16 << 20,
            recent_bytes: 1 << 20,
            transaction_bytes: 64 << 20,
            upkeep_interval: Duration::from_secs(10),
        };
        Self::start(Memory::default(), limits)
    }
}
