//! The task: which phase it is in, and how one follows the other.

mod catch_up;
mod open;
mod plan;
mod prepare;
mod replay;
mod replicate;

use std::{sync::Arc, time::Duration};

use cdc::{
    channels::Channels, context::Context, pulse::Pulse, snapshot::tell, topics::transaction_topic,
    transaction::TransactionTopic,
};
use connect_core::{Batch, Error, Result, SourceTask, Start, keep::Turn, meter::Meter};
use tokio::time::{Instant, sleep};

use self::{catch_up::CatchUp, prepare::Prepared, replay::Replay};
pub(crate) use self::{
    catch_up::snapshot_connection,
    replicate::{Sent, feedback_interval, start_replication},
};
use crate::{
    captured::Captured,
    change::Messages,
    config::PostgresConfig,
    foreign,
    heartbeat::Beats,
    incremental::{Incremental, notifier},
    options::policy,
    position::{Place, partition, show_lsn},
    publication,
    relations::{Compiler, Relations},
    signals,
    slot::Slot,
    snapshot::{Polled, Snapshot},
    spill::Marks,
    stream::{Settings, Stream},
    temporal::{POSTGRES_EPOCH_US, postgres_micros_now},
    wire::{Connection, Progress, Purpose, Replication, Side, Target},
};

/// A server that was asked and says nothing for this many intervals is gone.
const SILENT_INTERVALS: u32 = 3;
/// The server keeps so much of an application's name.
const APPLICATION_BYTES: usize = 63;

/// A running PostgreSQL source.
#[derive(Debug)]
pub struct PostgresTask {
    config: Arc<PostgresConfig>,
    captured: Captured,
    /// What records say of this task, if they do.
    context: Option<Context>,
    partition: Arc<str>,
    phase: Phase,
    start: Option<Start>,
    /// What was durable when the task was opened, as an LSN.
    confirmed: u64,
    channels: Option<Arc<Channels>>,
    /// No snapshot was taken, which has yet to be told.
    has_skipped: bool,
    /// Connections that were opened before the task is.
    prepared: Option<Box<Prepared>>,
    /// A connection for replication that was opened while the catalog was looked at, or before.
    early: Option<Box<Connection>>,
    /// Held as long as the slot is ours to read.
    turn: Option<Turn>,
    /// Where what was kept of the stream can be forgotten.
    marks: Marks,
}

#[derive(Debug)]
enum Phase {
    /// Not opened yet, or closed.
    Idle,
    /// Reading what was kept of the stream.
    Replay(Box<Replay>),
    /// Reading the stream up to a snapshot.
    CatchUp(Box<CatchUp>),
    /// Reading tables.
    Snapshot(Box<Snapshot>),
    /// Reading the stream.
    Stream(Box<Stream>),
    /// Between a snapshot and the stream.
    Waiting(Instant, Box<Place>),
    /// The snapshot is complete and nothing else was wanted.
    Done,
}

impl PostgresTask {
    /// A task that has not connected yet.
    pub fn new(config: PostgresConfig) -> Result<Self> {
        let mut findings = Vec::new();
        let captured = Captured::new(&config, &mut findings)
            .ok_or_else(|| connect_core::config::invalid(&findings))?;
        Ok(Self {
            partition: partition(&config.topic_prefix).into(),
            context: (config.extended_headers)
                .then(|| Context::new(&config.topic_prefix, 0, "postgresql")),
            captured,
            config: Arc::new(config),
            phase: Phase::Idle,
            start: None,
            confirmed: 0,
            channels: None,
            has_skipped: false,
            prepared: None,
            early: None,
            turn: None,
            marks: Marks::default(),
        })
    }

    fn meter(&self) -> Meter {
        self.start
            .as_ref()
            .map(|start| start.meter.clone())
            .unwrap_or_default()
    }

    fn streams(&self) -> bool {
        policy(&self.config).streams
    }

    /// Starts replication from a place.
    async fn stream_from(&mut self, place: Place) -> Result<Stream> {
        let Some(start) = &self.start else {
            return Err(Error::new(
                &connect_core::error::INTERNAL,
                "a task streams before it was opened",
            ));
        };
        let mut connection = match self.early.take() {
            Some(connection) => *connection,
            None => self.open_replication().await?,
        };
        let every = feedback_interval(&self.config, &mut connection).await?;
        let progress = Progress {
            safe: start.safe.clone(),
            // Invariant 1: not that of the place, which may have been read a moment ago.
            confirmed: self.confirmed,
            every,
        };
        let sent = match self.config.stream_in_progress {
            true => Sent::InProgress,
            false => Sent::Committed,
        };
        let from = (place.at.commit_lsn, sent);
        let sql = start_replication(&self.config, from, connection.server_version());
        let replication = connection.replicate(&sql, progress).await?;
        tracing::info!(slot = %self.config.slot, lsn = %show_lsn(place.at.commit_lsn), "streaming");
        let silence_limit = every * SILENT_INTERVALS;
        Ok(self.stream_of(replication, place, silence_limit))
    }

    /// The records of a replication, from a place on.
    fn stream_of(&self, replication: Replication, place: Place, silence_limit: Duration) -> Stream {
        let settings = self.settings(&place, silence_limit);
        let beats = Beats::new(&self.config);
        Stream::new(replication, self.side(), settings, place, beats)
    }

    fn settings(&self, place: &Place, silence_limit: Duration) -> Settings {
        Settings {
            relations: Relations::new(Compiler::new(&self.config, self.captured.clone())),
            partition: Arc::clone(&self.partition),
            batch_records: usize::try_from(self.config.batch_size.0).unwrap_or(usize::MAX),
            tombstones: self.config.tombstones,
            context: self.context.clone(),
            skipped: self.config.skipped,
            transactions: self.transaction_topic(),
            messages: Messages::new(&self.config, self.captured.messages().clone()),
            silence_limit,
            kept_limit: match self.config.stream_in_progress_limit {
                limit @ 1.. => limit.cast_unsigned(),
                _ => u64::MAX,
            },
            pulse: Pulse::new(&self.meter()),
            incremental: Incremental::boxed(
                &self.config,
                &self.captured,
                self.context.clone(),
                place.incremental.clone(),
                &self.meter(),
            ),
            takes_rows: self
                .config
                .signal_channels
                .0
                .iter()
                .any(|one| one == "source"),
            channels: self.channels.clone(),
        }
    }

    fn transaction_topic(&self) -> Option<TransactionTopic> {
        let config = &self.config;
        config.transaction_metadata.then(|| {
            let parts = (&config.topic_prefix, &config.topic_delimiter);
            let topic = transaction_topic(parts.0, parts.1, &config.transaction_topic);
            TransactionTopic::new(topic, config.schema_names)
        })
    }

    /// After this much silence the server is asked whether it is there.
    fn silence_limit(&self) -> Duration {
        self.config
            .status_interval
            .0
            .max(Duration::from_millis(100))
            * SILENT_INTERVALS
    }

    fn side(&self) -> Side {
        Side::new(target(&self.config), initial_statements(&self.config))
    }

    async fn drop_slot(&self, side: &mut Side) -> Result<()> {
        Slot::drop(side.connection().await?, &self.config.slot).await
    }
}

impl SourceTask for PostgresTask {
    async fn prepare(&mut self) {
        // Boxed: it happens once.
        Box::pin(self.make_ready()).await;
    }

    async fn open(&mut self, start: Start) -> Result<()> {
        let stored = start.stored.iter().find(|p| p.partition == self.partition);
        let stored = stored
            .map(|position| Place::parse(&position.offset))
            .transpose()?;
        let behind = stored.as_ref().and_then(|place| place.signal_offset);
        let channels = Channels::open(signals::channels(&self.config), &start.outside, behind);
        self.channels = Some(Arc::new(channels));
        self.start = Some(start);
        for warning in foreign::warnings(&self.config.rest) {
            tracing::warn!("{}", warning.message);
        }
        // Boxed: opening has many steps and happens once.
        self.phase = Box::pin(self.open_kept(stored)).await?;
        Ok(())
    }

    async fn poll(&mut self, out: &mut Batch) -> Result<()> {
        if std::mem::take(&mut self.has_skipped) {
            let now_ms = (postgres_micros_now() + POSTGRES_EPOCH_US) / 1000;
            tell(&notifier(&self.config), "SKIPPED", Vec::new(), out, now_ms);
        }
        self.forget_passed().await;
        match &mut self.phase {
            Phase::Stream(stream) => {
                stream.poll(out).await?;
                if stream.is_paused() {
                    Box::pin(self.pause_for_snapshot()).await?;
                }
                Ok(())
            }
            Phase::Waiting(..) => Box::pin(self.wait()).await,
            Phase::CatchUp(_) => Box::pin(self.catch_up(out)).await,
            Phase::Replay(_) => Box::pin(self.poll_replay(out)).await,
            Phase::Snapshot(snapshot) => {
                if snapshot.poll(out).await? == Polled::Complete {
                    Box::pin(self.after_snapshot()).await?;
                }
                Ok(())
            }
            Phase::Done => {
                sleep(Duration::from_secs(1)).await;
                Ok(())
            }
            Phase::Idle => Err(Error::new(
                &connect_core::error::INTERNAL,
                "a task was polled before it was opened",
            )),
        }
    }

    async fn close(&mut self) -> Result<()> {
        let mut side = match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Stream(stream) => Box::pin(stream.close()).await,
            Phase::CatchUp(now) => Box::pin(now.close()).await,
            Phase::Replay(now) => Box::pin(now.close()).await,
            _ => self.side(),
        };
        if self.config.slot_drop_on_stop && self.streams() {
            self.drop_slot(&mut side).await?;
        }
        side.close().await;
        self.turn = None;
        Ok(())
    }
}

/// How to reach the server.
pub(crate) fn target(config: &PostgresConfig) -> Target {
    Target {
        host: config.host.clone(),
        port: config.port,
        user: config.user.clone(),
        password: config.password.clone(),
        database: config.database.clone(),
        ssl_mode: config.ssl_mode,
        ssl_root_cert: config.ssl_root_cert.clone(),
        ssl_cert: config.ssl_cert.clone(),
        ssl_key: config.ssl_key.clone(),
        keep_alive: config.tcp_keep_alive,
        connect_timeout: config.connect_timeout.0,
        query_timeout: config.query_timeout.0,
        application: application(&config.topic_prefix),
    }
}

/// `tidewater <topic.prefix>`, as much of it as the server keeps.
fn application(prefix: &str) -> String {
    let mut name = format!("tidewater {prefix}");
    while name.len() > APPLICATION_BYTES {
        name.pop();
    }
    name
}

/// `database.initial.statements`, one by one.
pub(crate) fn initial_statements(config: &PostgresConfig) -> Vec<String> {
    cdc::options::statements(config.initial_statements.as_deref())
}
