//! A reader of our own.
//!
//! A task per reader learns which broker has what (`keeper`, `places`), and a task per broker fetches (`link`, `ask`), on the few
//! threads that producers send on: an idle reader has no thread, and a request waits at the broker. What they share with the reader is
//! the `plan`. Answers lie as they came; a poll (`reader`, `holdings`) decompresses and takes records out of them (`section`, `batch`,
//! `record`, `inflate`) straight into the arena of its caller. A reader with a group has a task that keeps it a member (`group`). Source: <https://kafka.apache.org/protocol>, KIP-98 (transactions), KIP-320 (epochs),
//! KIP-392 (replicas), KIP-516 (ids of topics).

mod ask;
mod batch;
pub(super) mod fuzz;
mod group;
mod holdings;
mod inflate;
mod keeper;
mod link;
mod names;
mod places;
mod plan;
mod reader;
mod record;
mod section;
mod settings;

pub(super) use reader::KafkaReader;
