//! Small connectors for tests, and a worker to run them on.

#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)]

pub mod collecting;
pub mod counting;
pub mod worker;
