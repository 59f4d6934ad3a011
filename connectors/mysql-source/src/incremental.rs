//! Incremental snapshots: what MySQL and MariaDB do for [`cdc::incremental`].
//!
//! A chunk is read in a transaction of its own, on a connection of its own. It has to see all that the stream has brought,
//! which is logged a moment before it is visible:
//!
//! - MariaDB tells at which place in the binlog a transaction's snapshot is.
//! - MySQL commits in the order of the binlog, so that what lies before the row that opens a window is visible when that row
//!   has been written. Without such rows (`read.only`) the ids of transactions tell.
//!
//! Places in the binlog tell when the stream has come to where a chunk was read.

mod chunk;
mod lead;
mod order;
mod send;
mod window;

use std::sync::Arc;

use cdc::{
    captured::Captured,
    context::Context,
    incremental::{Incremental as State, Running, Settings, Tell, Wanted},
    notification::Notifier,
    options::signal_table,
    signal::Signal,
};
use connect_core::{Result, meter::Meter};

pub(crate) use self::window::Window;
use self::{
    lead::{Chunks, Lead},
    send::{Rows, Sender},
};
use crate::{
    catalog,
    config::MySqlConfig,
    gtid::Gtids,
    position::{Mark, Place},
    tables::Compiler,
    wire::Side,
};

/// The incremental snapshot of a task, running or not.
#[derive(Debug)]
pub(crate) struct Incremental {
    /// Its course.
    pub(crate) state: State<Mark, Rows>,
    chunks: Chunks,
    sender: Sender,
    side: Side,
}

/// How far the stream has come.
#[derive(Debug)]
pub(crate) struct Progress {
    /// Everything before this has been brought.
    pub at: Mark,
    /// Whether a part of the transaction that begins there has been brought, too.
    pub is_within: bool,
    /// What has been brought, also in part, if there are ids.
    pub gtids: Option<Gtids>,
}

/// What an incremental snapshot is made of.
pub(crate) struct Parts {
    /// As configured.
    pub config: Arc<MySqlConfig>,
    /// Which tables are captured.
    pub captured: Arc<Captured>,
    /// Makes tables.
    pub compiler: Compiler,
    /// What records say of the task, if they do.
    pub context: Option<Context>,
    /// A connection of its own.
    pub side: Side,
}

impl Incremental {
    /// Goes on from what an offset says; the stream begins at `place`.
    pub(crate) fn boxed(
        parts: Parts,
        place: &Place,
        running: Option<Arc<Running>>,
        meter: &Meter,
    ) -> Box<Self> {
        let Parts {
            config,
            captured,
            compiler,
            context,
            side,
        } = parts;
        let settings = Settings {
            notifier: notifier(&config),
            marks: marks(&config).map(|_| config.watermarking),
            chunk_rows: config.chunk_size.0,
        };
        Box::new(Self {
            state: State::new(settings, running, meter),
            chunks: Chunks::new(config, captured, compiler, place.gtids.clone()),
            sender: Sender::new(context),
            side: side.preparing(lead::SESSION),
        })
    }

    /// See [`State::obey`].
    pub(crate) async fn obey(
        &mut self,
        signal: Signal,
        progress: &Progress,
        position: &str,
        tell: &mut Tell<'_>,
    ) -> Result<Wanted> {
        let connection = self.side.connection().await?;
        let mut database = Lead::new(&mut self.chunks, connection, progress);
        let state = &mut self.state;
        state.obey(signal, &mut database, position, tell).await
    }

    /// See [`State::lead`].
    pub(crate) async fn lead(
        &mut self,
        window: &mut Option<Window>,
        progress: &Progress,
        tell: &mut Tell<'_>,
    ) -> Result<()> {
        let connection = self.side.connection().await?;
        let mut database = Lead::new(&mut self.chunks, connection, progress);
        let state = &mut self.state;
        state.lead(window, &progress.at, &mut database, tell).await
    }

    /// Gives its connection back when it has lain idle.
    pub(crate) async fn tidy(&mut self) {
        self.side.tidy().await;
    }

    /// Gives its connection back.
    pub(crate) async fn close(mut self) {
        self.side.close().await;
    }
}

/// The signal table as SQL has it, if marks stand in it.
fn marks(config: &MySqlConfig) -> Option<String> {
    let name = config
        .signal_table
        .as_deref()
        .filter(|_| !config.read_only)?;
    let (database, table) = signal_table(name)?;
    let (database, table) = (catalog::quoted(database), catalog::quoted(table));
    Some(format!("{database}.{table}"))
}

/// The channels of notifications, as configured.
pub(crate) fn notifier(config: &MySqlConfig) -> Notifier {
    let topic = config.notification_topic.as_deref();
    Notifier::of(&config.notification_channels, topic, &config.topic_prefix)
}
