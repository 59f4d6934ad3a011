//! The same SQL and the same configuration for Debezium on Kafka Connect and for Tidewater, and a comparison of all that they
//! write: topic, key, value, schemas, headers, order.
//!
//! A [`Scenario`] is an SQL file of the folder `scenarios`. Both sides have a Kafka of their own, so that the configuration is the
//! same to the letter, names of topics and schemas too; only the names of slot, publication and user and the server id differ. What cannot be
//! equal is masked by name in [`mask`], and nowhere else.

mod compare;
mod database;
pub mod mask;
mod mysql;
mod peers;
mod postgres;
mod record;
mod rest;
mod run;
mod scenario;
mod side;
mod tap;
pub mod turns;

pub use compare::{Difference, compare};
pub use database::{Database, End};
pub use mysql::MysqlDatabase;
pub use peers::{Peers, SERVERS, Server};
pub use postgres::PostgresDatabase;
pub use record::Record;
pub use rest::{Request, RestPair, RestSide, parse};
pub use run::{record, run};
pub use scenario::{Expected, Scenario, Trial};
pub use side::Side;
