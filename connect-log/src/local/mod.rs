//! What the logs that live in this process share: everything but where the blocks lie.
//!
//! ```text
//! appenders ─drafts─▶ queue ─▶ writer (one thread) ─changes─▶ store
//!                                 │ then: ends, watermarks, answers
//! readers ◀─blocks─ recent blocks of the partition, else the store
//! keeper (one thread): retention, compaction, as requests to the writer
//! ```

mod append;
mod asks;
mod block;
mod compact;
mod engine;
mod groups;
mod keeper;
mod known;
mod log;
mod look;
mod partition;
mod queue;
mod read;
mod request;
mod retain;
mod rewrite;
mod seal;
mod settings;
mod share;
mod store;
mod writer;

pub(crate) use block::{Block, Copying, Entry};
#[cfg(test)]
pub(crate) use block::{Draft, write_headers};
pub(crate) use engine::Limits;
pub use log::LocalLog;
pub(crate) use log::valid_name;
pub(crate) use look::Place;
pub(crate) use partition::{Catalog, Extent, Partition, PartitionId, Topic};
pub(crate) use request::GroupOffsets;
pub(crate) use settings::Settings;
pub(crate) use store::{Change, Head, Loaded, LoadedTopic, Store, Upto};
pub(crate) use writer::MAX_OFFSET;
