//! A durable log in one file of SQLite, for one process.
//!
//! One thread writes; everything that waits is made durable by one commit and one `fsync` (WAL, `synchronous=FULL`). A row of
//! the file is a block of many records of one partition, compressed with LZ4 unless the topic says `compression.type=none`.
//!
//! Why blocks: 1 M records of 600 bytes cost, with `fsync`, 5.2 CPU seconds as one row each (pages of 4 KiB; 2.1 with 16 KiB)
//! and 1.2 as blocks of 128 KiB in pages of 16 KiB; LZ4 takes 0.65 and saves 0.85 of these, and three quarters of the disk. Reading
//! costs 0.2. `benches/embedded.rs` measures the whole log.

mod error;
mod file;
#[doc(hidden)]
pub mod fuzz;
mod read;
mod store;
mod write;

use std::{path::Path, sync::Arc, time::Duration};

use connect_core::Result;

use crate::local::{Limits, LocalLog};
use store::Sqlite;

/// A log in one file, `log.db`, of a folder.
///
/// One process has it at a time. What it acknowledged survives a crash of the process and of the machine.
pub type EmbeddedLog = LocalLog<Sqlite>;

/// How much an embedded log may take.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// Bytes that wait for the disk, at most; appenders wait when there are more.
    pub queue_bytes: usize,
    /// Bytes of the newest records that are kept in memory for readers.
    pub recent_bytes: usize,
    /// Bytes of one transaction, at most: it is held in memory until its commit.
    pub transaction_bytes: usize,
    /// Time between two rounds of retention and compaction.
    pub upkeep_interval: Duration,
    /// Bytes that the file may have, at most; as if the disk were full there. `None` for no limit.
    pub max_file_bytes: Option<u64>,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self {
            queue_bytes: 16 << 20,
            recent_bytes: 8 << 20,
            transaction_bytes: 64 << 20,
            upkeep_interval: Duration::from_secs(10),
            max_file_bytes: None,
        }
    }
}

impl EmbeddedLog {
    /// Opens the log of a folder; makes both when they are not there.
    ///
    /// Fails with `log.unusable` when another process has it, when `log.db` is not ours, is damaged, or was written by a newer version;
    /// with `log.storage` when the disk does not allow it. Reads the file, so do not call it where waiting hurts.
    pub fn open(dir: &Path, options: &EmbeddedOptions) -> Result<Arc<Self>> {
        let store = Sqlite::open(dir, options.max_file_bytes)?;
        let limits = Limits {
            queue_bytes: options.queue_bytes,
            recent_bytes: options.recent_bytes,
            transaction_bytes: options.transaction_bytes,
            upkeep_interval: options.upkeep_interval,
        };
        Self::start(store, limits)
    }
}
