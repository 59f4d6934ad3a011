//! The log on a Kafka cluster: written by a producer of our own, read and mostly administered through librdkafka.
//!
//! [`KafkaLog`] holds one client for administration; every appender and reader has a client and a thread of its own. Read in this
//! order: `settings` (Kafka's names to librdkafka's), `appender` with `producer` and `ledger` (the hot path), `transaction`, `reader`
//! with `fetch` and `rebalance`, `log` with `admin`.

mod admin;
mod appender;
mod client;
mod consumer;
mod destination;
mod error;
mod fetch;
mod jaas;
mod ledger;
mod log;
mod member;
mod native;
mod oauth;
mod patience;
mod producer;
mod reader;
mod rebalance;
mod room;
mod settings;
mod stores;
mod topics;
mod transaction;
mod wire;

pub use log::KafkaLog;
