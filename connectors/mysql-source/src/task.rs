//! The task: which phase it is in, and how one follows the other.

mod catch_up;
mod kept;
mod open;
mod plan;
mod prepare;

pub(crate) use open::gtid_filter;

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use cdc::{
    captured::Captured, channels::Channels, context::Context, options, snapshot::tell,
    topics::transaction_topic, transaction::TransactionTopic,
};
use connect_core::{Batch, Error, Result, SourceTask, Start, meter::Meter};
use tokio::time::{Instant, sleep, sleep_until};

use self::{catch_up::CatchUp, prepare::Prepared};
use crate::{
    captured,
    config::{MySqlConfig, SslMode},
    foreign,
    incremental::{Incremental, Parts, notifier},
    known::Tables,
    position::{Place, partition},
    schema_changes::SchemaTopic,
    signals,
    snapshot::{Polled, Snapshot},
    source::connector,
    stream::{Settings, Stream},
    tables::Compiler,
    versions::Versions,
    wire::{Connection, Flavor, Side, Target},
};

/// How long the stream's heartbeats are apart.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// The server is gone when it has been silent for three of them.
const SILENCE_LIMIT: Duration = HEARTBEAT.saturating_mul(3);

/// A running MySQL or MariaDB source.
#[derive(Debug)]
pub struct MySqlTask {
    config: Arc<MySqlConfig>,
    flavor: Flavor,
    captured: Arc<Captured>,
    /// What records say of this task, if they do.
    context: Option<Context>,
    partition: Arc<str>,
    phase: Phase,
    start: Option<Start>,
    channels: Option<Arc<Channels>>,
    /// Connections that were opened before the task is.
    prepared: Option<Box<Prepared>>,
    /// Of these the one for the binlog, while the task is being opened.
    early: Option<Box<Connection>>,
    /// A connection for questions that is open already, for the stream.
    lent: Option<Box<Side>>,
    /// What has yet to be told of a snapshot that reads nothing.
    untold: &'static [&'static str],
}

#[derive(Debug)]
enum Phase {
    /// Not opened yet, or closed.
    Idle,
    /// Reading the stream up to a snapshot.
    CatchUp(Box<CatchUp>),
    /// Reading tables.
    Snapshot(Box<Snapshot>),
    /// Reading the stream.
    Stream(Box<Stream>),
    /// Between a snapshot and the stream.
    Waiting(Instant, Box<(Place, Versions)>),
    /// The snapshot is complete and nothing else was wanted.
    Done,
}

impl MySqlTask {
    /// A task that has not connected yet.
    pub fn new(config: MySqlConfig, flavor: Flavor) -> Result<Self> {
        let mut findings = Vec::new();
        let captured = captured::captured(&config, &mut findings)
            .ok_or_else(|| connect_core::config::invalid(&findings))?;
        Ok(Self {
            partition: partition(&config.topic_prefix).into(),
            context: (config.extended_headers)
                .then(|| Context::new(&config.topic_prefix, 0, connector(flavor))),
            captured: Arc::new(captured),
            config: Arc::new(config),
            flavor,
            phase: Phase::Idle,
            start: None,
            channels: None,
            prepared: None,
            early: None,
            lent: None,
            untold: &[],
        })
    }

    fn meter(&self) -> Meter {
        self.start
            .as_ref()
            .map(|start| start.meter.clone())
            .unwrap_or_default()
    }

    fn side(&self) -> Side {
        let statements = options::statements(self.config.initial_statements.as_deref());
        Side::new(target(&self.config, self.flavor), statements)
    }

    fn compiler(&self) -> Compiler {
        Compiler::new(&self.config, self.flavor, Arc::clone(&self.captured))
    }

    fn settings(&self, versions: Versions) -> Settings {
        let config = &self.config;
        let transactions = config.transaction_metadata.then(|| {
            let parts = (&config.topic_prefix, &config.topic_delimiter);
            let topic = transaction_topic(parts.0, parts.1, &config.transaction_topic);
            TransactionTopic::new(topic, config.schema_names)
        });
        Settings {
            tables: Tables::new(self.compiler(), versions),
            schema_topic: self.schema_topic(),
            only_captured: config.tells_captured_only(),
            tombstones: config.tombstones,
            context: self.context.clone(),
            skipped: config.skipped,
            transactions,
            include_query: config.include_query,
            inconsistent: config.inconsistent,
            sources: gtid_filter(config, &mut Vec::new())
                .filter(|filter| config.gtid_filters_rows && !filter.is_open()),
            signal_table: config
                .signal_table
                .as_deref()
                .and_then(options::signal_table)
                .map(|(database, table)| format!("{database}.{table}")),
        }
    }

    /// Snapshots while streaming, from a place on.
    fn incremental(&self, place: &Place) -> Box<Incremental> {
        let parts = Parts {
            config: Arc::clone(&self.config),
            captured: Arc::clone(&self.captured),
            compiler: self.compiler(),
            context: self.context.clone(),
            side: self.side(),
        };
        Incremental::boxed(parts, place, place.incremental.clone(), &self.meter())
    }

    /// Where schema changes are told, if they are.
    fn schema_topic(&self) -> Option<Arc<SchemaTopic>> {
        let config = &self.config;
        config.include_schema_changes.then(|| {
            let (prefix, names) = (&config.topic_prefix, config.schema_names);
            SchemaTopic::new(prefix, self.flavor, names, config.include_schema_comments).into()
        })
    }

    /// The snapshot is complete: stream, or rest.
    async fn after_snapshot(&mut self) -> Result<()> {
        let Phase::Snapshot(snapshot) = std::mem::replace(&mut self.phase, Phase::Idle) else {
            return Ok(());
        };
        let (place, versions) = snapshot.finish().await;
        self.phase = match self.config.policy().streams {
            true if !self.config.streaming_delay.0.is_zero() => {
                let until = Instant::now() + self.config.streaming_delay.0;
                Phase::Waiting(until, Box::new((place, versions)))
            }
            true => self.stream_phase(place, versions).await?,
            false => Phase::Done,
        };
        Ok(())
    }

    /// Waits between a snapshot and the stream, a second at most.
    async fn wait(&mut self) -> Result<()> {
        let Phase::Waiting(until, _) = &self.phase else {
            return Ok(());
        };
        let until = *until;
        sleep_until(until.min(Instant::now() + Duration::from_secs(1))).await;
        if Instant::now() >= until
            && let Phase::Waiting(_, ready) = std::mem::replace(&mut self.phase, Phase::Idle)
        {
            let (place, versions) = *ready;
            self.phase = self.stream_phase(place, versions).await?;
        }
        Ok(())
    }
}

impl SourceTask for MySqlTask {
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
        for warning in foreign::warnings(&self.config) {
            tracing::warn!("{}", warning.message);
        }
        // Boxed: opening has many steps and happens once.
        self.phase = Box::pin(self.open_phase(stored)).await?;
        Ok(())
    }

    async fn poll(&mut self, out: &mut Batch) -> Result<()> {
        for kind in std::mem::take(&mut self.untold) {
            tell(&notifier(&self.config), kind, Vec::new(), out, now_ms());
        }
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
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Stream(stream) => stream.close().await.close().await,
            Phase::CatchUp(now) => Box::pin(now.close()).await.close().await,
            _ => {}
        }
        Ok(())
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let ms = since.map_or(0, |since| since.as_millis());
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// How to reach the server.
pub(crate) fn target(config: &MySqlConfig, flavor: Flavor) -> Target {
    let usual = match flavor {
        Flavor::MySql => SslMode::Preferred,
        Flavor::MariaDb => SslMode::Disabled,
    };
    Target {
        host: config.host.clone(),
        port: config.port,
        user: config.user.clone(),
        password: config.password.clone(),
        ssl_mode: config.ssl_mode.unwrap_or(usual).plain(),
        ssl_ca: config.ssl_ca.clone(),
        ssl_cert: config.ssl_cert.clone(),
        ssl_key: config.ssl_key.clone(),
        compression: config.compression(),
        keep_alive: config.keep_alive,
        connect_timeout: config.connect_timeout.0,
        query_timeout: config.query_timeout.0,
        application: format!("tidewater {}", config.topic_prefix),
    }
}
