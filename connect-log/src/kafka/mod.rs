//! The log on a Kafka cluster: written and read by clients of our own, mostly administered through librdkafka.
//!
//! [`KafkaLog`] holds one client for administration, and the few threads that all appenders and readers share. Read in this order:
//! `settings` (Kafka's names to librdkafka's), `appender` with `producer` and `ledger` (the hot path), `transaction`, `consumer`
//! (readers), `log` with `admin`.

mod admin;
mod appender;
mod client;
mod consumer;
mod destination;
mod error;
#[doc(hidden)]
pub mod fuzz;
mod jaas;
mod ledger;
mod log;
mod member;
mod native;
mod oauth;
mod patience;
mod producer;
mod room;
mod settings;
mod stores;
mod topics;
mod transaction;
mod wire;

pub use log::KafkaLog;
