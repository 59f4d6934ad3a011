//! The task driven by hand, against real servers.

#![allow(clippy::unwrap_used)]

mod checks;
mod harness;
mod history;
mod in_progress;
mod incremental;
mod interrupted;
mod memory;
mod parallel;
mod positions;
mod prepared;
mod restarts;
mod servers;
mod snapshots;
mod streaming;
mod types;
