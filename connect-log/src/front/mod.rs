//! The read-only Kafka front: the topics of a log in this process, for every client of Kafka that reads.
//!
//! ```text
//! serve ─connections─▶ connection ─bytes─▶ request (shape, then decoded) ─▶ answer ─▶ metadata offsets fetch group …
//!                          ▲                                                                      │
//!                          └───────────────────────── frame ◀────────── blocks as record batches ─┘
//! ```
//!
//! It stands on the log itself, not on a reader: blocks become record batches without an object per record, and what is visible is what
//! the writer published, which is committed records only. It writes nothing but the offsets of its clients' groups.

mod answer;
mod apis;
mod batch;
mod budget;
mod configs;
mod connection;
mod fetch;
mod gather;
mod group;
mod ids;
mod metadata;
mod offsets;
mod refuse;
mod request;
mod serve;
pub(crate) mod shape;

pub use serve::{Advertised, serve};
