//! Incremental snapshots: what PostgreSQL does for [`cdc::incremental`].
//!
//! A chunk is read in a transaction of its own, whose snapshot has to see all transactions that the stream has brought
//! ([`Recent`]); LSNs tell when the stream has come to where it was read.

mod chunk;
mod lead;
mod recent;
mod send;
mod window;

use std::sync::Arc;

use cdc::{
    context::Context,
    incremental::{Incremental as State, Running, Settings, Tell, Wanted},
    notification::Notifier,
    options::signal_table,
    signal::Signal,
};
use connect_core::{Result, meter::Meter};

use self::{
    lead::{Chunks, Lead},
    send::{Rows, Sender},
};
pub(crate) use self::{recent::Recent, window::Window};
use crate::{captured::Captured, catalog, config::PostgresConfig, wire::Connection};

/// The incremental snapshot of a task, running or not.
#[derive(Debug)]
pub(crate) struct Incremental {
    /// Its course.
    pub(crate) state: State<u64, Rows>,
    chunks: Chunks,
    sender: Sender,
}

impl Incremental {
    /// Goes on from what an offset says.
    pub(crate) fn boxed(
        config: &Arc<PostgresConfig>,
        captured: &Captured,
        context: Option<Context>,
        running: Option<Arc<Running>>,
        meter: &Meter,
    ) -> Box<Self> {
        let settings = Settings {
            notifier: notifier(config),
            marks: marks(config).map(|_| config.watermarking),
            chunk_rows: config.chunk_size.0,
        };
        Box::new(Self {
            state: State::new(settings, running, meter),
            chunks: Chunks::new(config, captured),
            sender: Sender::new(context),
        })
    }

    /// See [`State::obey`].
    pub(crate) async fn obey(
        &mut self,
        signal: Signal,
        connection: &mut Connection,
        position: &str,
        tell: &mut Tell<'_>,
    ) -> Result<Wanted> {
        let mut database = Lead {
            chunks: &mut self.chunks,
            connection,
            recent: &Recent::new(),
        };
        let state = &mut self.state;
        state.obey(signal, &mut database, position, tell).await
    }

    /// See [`State::lead`]. `stream_at` is the LSN up to which the stream has come.
    pub(crate) async fn lead(
        &mut self,
        window: &mut Option<Window>,
        (recent, stream_at): (&Recent, u64),
        connection: &mut Connection,
        tell: &mut Tell<'_>,
    ) -> Result<()> {
        let mut database = Lead {
            chunks: &mut self.chunks,
            connection,
            recent,
        };
        let state = &mut self.state;
        state.lead(window, &stream_at, &mut database, tell).await
    }
}

/// The signal table as SQL has it, if marks stand in it.
fn marks(config: &PostgresConfig) -> Option<String> {
    let name = config
        .signal_table
        .as_deref()
        .filter(|_| !config.read_only)?;
    let (schema, table) = signal_table(name)?;
    let (schema, table) = (catalog::quoted(schema), catalog::quoted(table));
    Some(format!("{schema}.{table}"))
}

/// The channels of notifications, as configured.
pub(crate) fn notifier(config: &PostgresConfig) -> Notifier {
    let topic = config.notification_topic.as_deref();
    Notifier::of(&config.notification_channels, topic, &config.topic_prefix)
}
