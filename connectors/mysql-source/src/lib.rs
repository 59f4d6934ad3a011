//! Reads the binlog of MySQL and MariaDB, and snapshots, into batches.
//!
//! ```text
//! wire ─packets─▶ stream ─events─▶ binlog ─rows─▶ decode ─cells─▶ change ─records─▶ Batch
//!                    │ table maps                  ▲
//!                    └──────▶ known (+ catalog, types)┘          snapshot: rows of a query, shown ─cells─▶ change
//! ```
//!
//! Read in this order: [`wire`] (the server), [`binlog`] (its events), [`layout`] (the values in a row), [`types`]
//! (what becomes of a column), [`convert`] (what becomes of its values), `known` and `tables` (one compiled table),
//! [`ddl`] (what statements do to tables), [`course`] (which rows are sent), [`position`] (where that leaves the task),
//! `stream` and `snapshot` (the two phases), `task` (which phase, and where it stands).

pub mod binlog;
mod captured;
mod catalog;
mod change;
pub mod charset;
mod check;
pub mod config;
pub mod convert;
mod converters;
pub mod course;
pub mod ddl;
pub mod decimal;
pub mod declared;
mod decode;
pub mod error;
mod foreign;
#[doc(hidden)]
pub mod fuzz;
pub mod geometry;
pub mod gtid;
mod heartbeat;
mod incremental;
pub mod json;
mod known;
pub mod layout;
mod offsets;
pub mod position;
mod rewind;
mod schema_changes;
mod shown;
mod signals;
mod snapshot;
pub mod source;
mod stream;
mod tables;
mod task;
pub mod temporal;
pub mod types;
pub mod vector;
mod versions;
pub mod wire;

use std::collections::BTreeSet;

use connect_core::{
    Finding, Result, SourceConnector, TaskPlan,
    plugin::About,
    rewind::{Asked, OffsetChange, Rewind},
};

pub use config::MySqlConfig;
pub use task::MySqlTask;

use wire::Flavor;

/// The MySQL source connector.
#[derive(Debug)]
pub struct MySqlSource;

/// The MariaDB source connector.
#[derive(Debug)]
pub struct MariaDbSource;

impl SourceConnector for MySqlSource {
    type Config = MySqlConfig;
    type Task = MySqlTask;
    const TELLS_TRANSACTIONS: bool = true;
    const ABOUT: About = About {
        class: "io.tidewater.connector.mysql.MySqlConnector",
        aliases: &[(
            "io.debezium.connector.mysql.MySqlConnector",
            "io.debezium.connector.mysql.MySqlConnectorTask",
        )],
        task_class: "io.tidewater.connector.mysql.MySqlConnectorTask",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Snapshots and streams every committed change of a MySQL server.",
    };

    async fn check(config: &Self::Config) -> Vec<Finding> {
        check::check(config, Flavor::MySql, &BTreeSet::new()).await
    }

    async fn check_despite(config: &Self::Config, wrong: &BTreeSet<String>) -> Vec<Finding> {
        check::check(config, Flavor::MySql, wrong).await
    }

    fn plan(_config: &Self::Config, _max: usize) -> Result<Vec<TaskPlan>> {
        // A binlog is one ordered stream.
        Ok(vec![TaskPlan::new()])
    }

    fn task(config: Self::Config, _plan: TaskPlan) -> Result<Self::Task> {
        MySqlTask::new(config, Flavor::MySql)
    }

    fn wrong_offsets(_config: &Self::Config, changes: &[OffsetChange]) -> Vec<String> {
        offsets::wrong(Flavor::MySql, changes)
    }

    async fn rewind(config: &Self::Config, asked: Asked) -> Result<Rewind> {
        rewind::rewind(config, Flavor::MySql, asked).await
    }
}

impl SourceConnector for MariaDbSource {
    type Config = MySqlConfig;
    type Task = MySqlTask;
    const TELLS_TRANSACTIONS: bool = true;
    const ABOUT: About = About {
        class: "io.tidewater.connector.mariadb.MariaDbConnector",
        aliases: &[(
            "io.debezium.connector.mariadb.MariaDbConnector",
            "io.debezium.connector.mariadb.MariaDbConnectorTask",
        )],
        task_class: "io.tidewater.connector.mariadb.MariaDbConnectorTask",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Snapshots and streams every committed change of a MariaDB server.",
    };

    async fn check(config: &Self::Config) -> Vec<Finding> {
        check::check(config, Flavor::MariaDb, &BTreeSet::new()).await
    }

    async fn check_despite(config: &Self::Config, wrong: &BTreeSet<String>) -> Vec<Finding> {
        check::check(config, Flavor::MariaDb, wrong).await
    }

    fn plan(_config: &Self::Config, _max: usize) -> Result<Vec<TaskPlan>> {
        Ok(vec![TaskPlan::new()])
    }

    fn task(config: Self::Config, _plan: TaskPlan) -> Result<Self::Task> {
        MySqlTask::new(config, Flavor::MariaDb)
    }

    fn wrong_offsets(_config: &Self::Config, changes: &[OffsetChange]) -> Vec<String> {
        offsets::wrong(Flavor::MariaDb, changes)
    }

    async fn rewind(config: &Self::Config, asked: Asked) -> Result<Rewind> {
        rewind::rewind(config, Flavor::MariaDb, asked).await
    }
}
