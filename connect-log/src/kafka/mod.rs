//! The log on a Kafka cluster: written, read and administered by clients of our own.
//!
//! [`KafkaLog`] holds one client for administration, and the few threads that all appenders and readers share. Read in this order:
//! `settings` with `properties` (what users may say), `appender` with `producer` and `ledger` (the hot path), `transaction`, `consumer`
//! (readers), `log` with `admin`.

mod admin;
mod appender;
mod client;
mod consumer;
mod destination;
#[doc(hidden)]
pub mod fuzz;
mod jaas;
mod ledger;
mod log;
mod member;
mod oauth;
mod producer;
mod properties;
mod room;
mod settings;
mod stores;
mod topics;
mod transaction;
mod wire;

pub use log::KafkaLog;
