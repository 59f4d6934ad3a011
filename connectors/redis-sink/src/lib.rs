//! Keeps Redis in step with topics: rows as hashes, JSON or strings, changes as streams.
//!
//! One connection per task. Records become commands in their order and go out in pipelines, so the order per key is
//! the order of the topic. [`write`] says how each kind of value converges when records come again.

mod address;
mod check;
mod config;
mod error;
mod keys;
mod resp;
mod task;
mod tls;
mod truncate;
mod wire;
mod write;

pub use config::RedisConfig;
pub use error::{ALL as CODES, classify};
pub use task::{RedisSink, RedisTask};
