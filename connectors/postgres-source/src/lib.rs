//! Reads PostgreSQL's logical replication stream (pgoutput) and snapshots into batches.
//!
//! ```text
//! wire ─frames─▶ stream ─messages─▶ pgoutput ─tuples─▶ decode ─cells─▶ change ─records─▶ Batch
//!                   │ relation messages                  ▲
//!                   └──────▶ relations (+ catalog, types)┘          snapshot: COPY rows, the same decode
//! ```
//!
//! Read in this order: [`wire`] (the server), [`pgoutput`] (its messages), `relations` and `decode` (one
//! compiled table), `stream` and `snapshot` (the two phases), `task` (which phase, and where it stands).

mod array;
mod captured;
mod catalog;
mod change;
mod check;
mod config;
mod convert;
mod copy;
mod cursor;
mod decode;
mod default;
pub mod error;
mod foreign;
#[doc(hidden)]
pub mod fuzz;
mod geometry;
mod guard;
mod heartbeat;
mod incremental;
mod mask;
mod offsets;
mod options;
pub mod pgoutput;
mod position;
mod publication;
mod relations;
mod replica_identity;
mod reselect;
mod rewind;
mod seen;
mod signals;
mod slot;
mod snapshot;
mod source;
mod source_type;
mod spill;
mod stream;
mod task;
mod temporal;
mod timescaledb;
mod types;
mod vector;
pub mod wire;

use std::collections::BTreeSet;

use connect_core::{
    Finding, Result, SourceConnector, TaskPlan,
    guard::Guard,
    plugin::About,
    rewind::{Asked, OffsetChange, Rewind},
    transform::TransformClass,
};

pub use config::PostgresConfig;
pub use task::PostgresTask;

/// The PostgreSQL source connector.
#[derive(Debug)]
pub struct PostgresSource;

impl SourceConnector for PostgresSource {
    type Config = PostgresConfig;
    type Task = PostgresTask;
    const TELLS_TRANSACTIONS: bool = true;
    const TRANSFORMS: &'static [TransformClass] = &[timescaledb::CLASS];
    const ABOUT: About = About {
        class: "io.tidewater.connector.postgresql.PostgresConnector",
        aliases: &[(
            "io.debezium.connector.postgresql.PostgresConnector",
            "io.debezium.connector.postgresql.PostgresConnectorTask",
        )],
        task_class: "io.tidewater.connector.postgresql.PostgresConnectorTask",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Snapshots and streams every committed change of a PostgreSQL database.",
    };

    async fn check(config: &Self::Config) -> Vec<Finding> {
        check::check(config, &BTreeSet::new()).await
    }

    async fn check_despite(config: &Self::Config, wrong: &BTreeSet<String>) -> Vec<Finding> {
        check::check(config, wrong).await
    }

    fn plan(_config: &Self::Config, _max: usize) -> Result<Vec<TaskPlan>> {
        // A slot is one ordered stream with one reader.
        Ok(vec![TaskPlan::new()])
    }

    fn task(config: Self::Config, _plan: TaskPlan) -> Result<Self::Task> {
        PostgresTask::new(config)
    }

    async fn guard(config: &Self::Config, guard: Guard) -> Result<()> {
        guard::run(config, guard).await
    }

    fn wrong_offsets(_config: &Self::Config, changes: &[OffsetChange]) -> Vec<String> {
        offsets::wrong(changes)
    }

    async fn rewind(config: &Self::Config, asked: Asked) -> Result<Rewind> {
        rewind::rewind(config, asked).await
    }
}
