//! Incremental snapshots: tables are read in chunks while streaming goes on, when a signal says so.
//!
//! The stream stands still for a moment, a chunk is read, and the stream goes on. The chunk waits until the stream has
//! come to where it was read, and each row that changes meanwhile is dropped from it ([`Window`]); the rest is sent.
//! So what is sent of a row is never older than what was sent before it:
//!
//! - What the stream brings after the chunk was read drops the row.
//! - What it has brought before has been seen by the chunk's own snapshot. Commits become visible a moment after they are
//!   logged, so this is looked at, and the chunk is read again if need be ([`Recent`]).
//! - What the chunk has seen is in the stream before the place where the window closes, hence nothing older follows.
//!
//! The window closes with a row in the signal table, as Debezium has it, or without one (`read.only`) when the stream
//! has come to the end of the log as it was behind the chunk. That also closes it when the row does not come.

mod chunk;
mod lead;
mod recent;
mod running;
mod send;
mod window;

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
};

use cdc::options::{Watermarking, signal_table};
use cdc::{
    context::Context,
    java::uuid_text,
    notification::{INCREMENTAL, Notification, Notifier, SIGNAL},
    signal::{Execute, Order, Signal, expand, logged},
};
use connect_core::{
    Batch, Result,
    meter::{Gauge, Meter},
};
use tokio::time::Instant;

use self::{chunk::Chunk, send::Sending};
pub(crate) use self::{
    recent::Recent,
    running::{Collection, Running},
    window::Window,
};
use crate::{
    captured::Captured,
    catalog::{self, TableInfo, Which},
    config::PostgresConfig,
    relations::{Compiler, Table},
    wire::Connection,
};

/// The incremental snapshot of a task, running or not.
#[derive(Debug)]
pub(crate) struct Incremental {
    config: Arc<PostgresConfig>,
    captured: Captured,
    compiler: Compiler,
    notifier: Notifier,
    running: Option<Arc<Running>>,
    phase: Phase,
    stops: Vec<String>,
    /// The table that is being read.
    reading: Option<Reading>,
    /// The id of the chunk that is being read, once it has a mark in the signal table.
    mark: Option<Mark>,
    limit: u64,
    rows_scanned: u64,
    sender: send::Sender,
    shown: Shown,
}

/// The numbers that it shows.
#[derive(Debug)]
struct Shown {
    running: Gauge,
    paused: Gauge,
    rows: Gauge,
    tables_left: Gauge,
}

impl Shown {
    fn new(meter: &Meter) -> Self {
        Self {
            running: meter.gauge("incremental-snapshot-running"),
            paused: meter.gauge("incremental-snapshot-paused"),
            rows: meter.gauge("incremental-snapshot-rows-scanned"),
            tables_left: meter.gauge("incremental-snapshot-remaining-table-count"),
        }
    }

    fn set(&self, running: Option<&Running>) {
        let tables = running.map_or(0, |running| running.collections.len());
        self.running.set(i64::from(running.is_some()));
        self.paused
            .set(i64::from(running.is_some_and(|running| running.paused)));
        self.tables_left
            .set(i64::try_from(tables).unwrap_or(i64::MAX));
    }
}

/// Where the current chunk is.
#[derive(Debug)]
enum Phase {
    /// There is none.
    Idle,
    /// It has to be read, from this moment on.
    Due(Instant),
    /// It waits for the stream: for this mark, or this LSN.
    Open {
        id: String,
        lsn: u64,
        last: Vec<cdc::java::Part>,
    },
    /// It is being sent.
    Sending(Box<Sending>),
}

/// A table, as it was when its last chunk was read.
#[derive(Debug)]
struct Reading {
    info: TableInfo,
    table: Arc<Table>,
    order: chunk::Order,
}

/// The row that opened a window.
#[derive(Debug, Clone)]
struct Mark {
    id: String,
    opened: String,
}

/// What the stream has to do for a signal.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// Nothing.
    Nothing,
    /// Pause for a snapshot.
    Blocking(Signal),
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
        let shown = Shown::new(meter);
        shown.set(running.as_deref());
        if let Some(running) = &running {
            tracing::info!(tables = %running.names(), "an incremental snapshot goes on");
        }
        Box::new(Self {
            phase: match running {
                None => Phase::Idle,
                Some(_) => Phase::Due(Instant::now()),
            },
            compiler: Compiler::new(config, captured.clone()),
            captured: captured.clone(),
            notifier: notifier(config),
            running,
            stops: Vec::new(),
            reading: None,
            mark: None,
            limit: u64::from(config.chunk_size.0),
            rows_scanned: 0,
            shown,
            sender: send::Sender::new(context),
            config: Arc::clone(config),
        })
    }

    /// For the offset.
    pub(crate) fn running(&self) -> Option<Arc<Running>> {
        self.running.clone()
    }

    /// Brings its numbers up to date.
    pub(crate) fn show(&self) {
        self.shown.set(self.running.as_deref());
    }

    /// Whether anything happens.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle)
    }

    /// When a chunk is to be read, at the latest.
    pub(crate) fn due(&self) -> Option<Instant> {
        match self.phase {
            Phase::Due(at) if !self.is_paused() => Some(at),
            _ => None,
        }
    }

    fn is_paused(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.paused)
    }

    fn change(&mut self) -> &mut Running {
        Arc::make_mut(self.running.get_or_insert_default())
    }

    /// Does what a signal says. What cannot be done is logged and told, and never an error.
    pub(crate) async fn obey(
        &mut self,
        signal: Signal,
        connection: &mut Connection,
        position: &str,
        tell: &mut Tell<'_>,
    ) -> Result<Wanted> {
        match signal.order() {
            Err(why) => self.refuse(&signal, &why.to_string(), tell),
            Ok(Order::Log(message)) => {
                tracing::info!(id = %signal.id, "{}", logged(&message, position));
            }
            Ok(Order::Execute(execute)) if execute.blocking => {
                return Ok(Wanted::Blocking(signal));
            }
            Ok(Order::Execute(execute)) => self.start(signal, execute, connection, tell).await?,
            Ok(Order::Stop(names)) => self.stop(names, tell),
            Ok(Order::Pause) => self.pause(true, tell),
            Ok(Order::Resume) => self.pause(false, tell),
            Ok(Order::WindowOpen) => {}
            Ok(Order::WindowClose) => self.close(&signal.id),
        }
        Ok(Wanted::Nothing)
    }

    /// A signal that cannot be obeyed.
    pub(crate) fn refuse(&self, signal: &Signal, why: &str, tell: &mut Tell<'_>) {
        tracing::warn!(id = %signal.id, kind = %signal.kind, why, "a signal cannot be obeyed");
        let notification = Notification {
            id: signal.id.clone(),
            aggregate: SIGNAL,
            kind: "REJECTED",
            data: vec![
                ("signal_type", signal.kind.clone()),
                ("reason", why.to_owned()),
            ],
        };
        self.notifier.tell(notification, tell.out, tell.now_ms);
    }

    /// A message that is no signal at all.
    pub(crate) fn refuse_text(&self, why: &str, tell: &mut Tell<'_>) {
        let nobody = Signal {
            id: random_id(),
            kind: String::new(),
            data: String::new(),
        };
        self.refuse(&nobody, why, tell);
    }

    async fn start(
        &mut self,
        signal: Signal,
        execute: Execute,
        connection: &mut Connection,
        tell: &mut Tell<'_>,
    ) -> Result<()> {
        if !self.config.read_only && self.config.signal_table.is_none() {
            let why = "an incremental snapshot needs `signal.data.collection`, or `read.only`";
            self.refuse(&signal, why, tell);
            return Ok(());
        }
        let which = Which::Captured(&self.captured, &self.config);
        let tables = catalog::tables(connection, which).await?;
        let names: Vec<String> = tables.iter().map(TableInfo::full_name).collect();
        let names = expand(&execute.collections, names.iter().map(String::as_str));
        tracing::info!(id = %signal.id, tables = ?names, "an incremental snapshot is wanted");
        let collections = names.into_iter().map(|id| Collection {
            condition: execute.filter(&id).map(str::to_owned),
            surrogate: execute.surrogate_key.clone(),
            id,
        });
        let is_first = self.running.is_none();
        let running = self.change();
        running.collections.extend(collections);
        running.correlation = Some(signal.id);
        if is_first {
            let names = running.names();
            self.tell("STARTED", vec![("data_collections", names)], tell);
            self.phase = Phase::Due(Instant::now());
        }
        Ok(())
    }

    fn stop(&mut self, names: Vec<String>, tell: &mut Tell<'_>) {
        if self.running.is_none() {
            tracing::info!("no incremental snapshot is running that could be stopped");
            return;
        }
        let all = || vec![".*".to_owned()];
        self.stops
            .extend(if names.is_empty() { all() } else { names });
        // It would never come to the next chunk.
        if self.is_paused() {
            self.obey_stops(tell);
        }
    }

    fn pause(&mut self, paused: bool, tell: &mut Tell<'_>) {
        if self.running.is_none() || self.is_paused() == paused {
            return;
        }
        self.change().paused = paused;
        tracing::info!(paused, "the incremental snapshot was paused or resumed");
        let names = self.running.as_ref().map(|r| r.names()).unwrap_or_default();
        let kind = if paused { "PAUSED" } else { "RESUMED" };
        self.tell(kind, vec![("data_collections", names)], tell);
    }

    /// Takes tables out that are not wanted any more; between two chunks.
    fn obey_stops(&mut self, tell: &mut Tell<'_>) {
        if self.stops.is_empty() || self.running.is_none() {
            self.stops.clear();
            return;
        }
        let patterns = std::mem::take(&mut self.stops);
        let ids = (self.change().collections.iter()).map(|one| one.id.clone());
        let ids: Vec<String> = ids.collect();
        let wanted = expand(&patterns, ids.iter().map(String::as_str));
        let is_read = self.reading.is_some() || self.change().last.is_some();
        let current = ids.first().filter(|id| is_read && wanted.contains(id));
        let mut stopped: Vec<String> = Vec::new();
        for id in wanted.iter().filter(|id| ids.contains(id)) {
            if Some(id) != current {
                self.change().collections.retain(|one| one.id != *id);
                stopped.push(id.clone());
            }
        }
        if let Some(current) = current {
            stopped.push(current.clone());
            self.next_table(tell);
        }
        tracing::info!(tables = ?stopped, "tables are taken out of the incremental snapshot");
        self.tell(
            "ABORTED",
            vec![("data_collections", stopped.join(","))],
            tell,
        );
        if self
            .running
            .as_ref()
            .is_some_and(|r| r.collections.is_empty())
        {
            self.running = None;
        }
        if self.running.is_none() && matches!(self.phase, Phase::Due(_)) {
            self.phase = Phase::Idle;
        }
    }

    /// Goes on to the next table, or ends.
    fn next_table(&mut self, tell: &mut Tell<'_>) {
        self.reading = None;
        self.rows_scanned = 0;
        let running = self.change();
        running.next_table();
        if running.collections.is_empty() {
            tracing::info!("the incremental snapshot is complete");
            self.tell("COMPLETED", Vec::new(), tell);
            self.running = None;
        }
    }

    fn tell(&self, kind: &'static str, data: Vec<(&'static str, String)>, tell: &mut Tell<'_>) {
        let id = self.running.as_ref().and_then(|r| r.correlation.clone());
        let notification = Notification {
            id: id.unwrap_or_else(random_id),
            aggregate: INCREMENTAL,
            kind,
            data,
        };
        self.notifier.tell(notification, tell.out, tell.now_ms);
    }

    /// The mark of a closed window has come.
    fn close(&mut self, mark: &str) {
        if let Phase::Open { id, lsn, .. } = &mut self.phase
            && mark.starts_with(id.as_str())
        {
            *lsn = 0;
        }
    }

    fn marks(&self) -> Option<(String, Watermarking)> {
        let name = self
            .config
            .signal_table
            .as_deref()
            .filter(|_| !self.config.read_only)?;
        let (schema, table) = signal_table(name)?;
        let name = format!("{}.{}", catalog::quoted(schema), catalog::quoted(table));
        Some((name, self.config.watermarking))
    }
}

/// Where notifications go, and when they are told.
pub(crate) struct Tell<'a> {
    /// The batch for those that are records.
    pub out: &'a mut Batch,
    /// Milliseconds since 1970-01-01.
    pub now_ms: i64,
}

/// The channels of notifications, as configured.
pub(crate) fn notifier(config: &PostgresConfig) -> Notifier {
    let has = |name: &str| config.notification_channels.0.iter().any(|one| one == name);
    let topic = config.notification_topic.as_deref().filter(|_| has("sink"));
    Notifier::new(topic, has("log"), &config.topic_prefix)
}

/// A random UUID.
pub(crate) fn random_id() -> String {
    let random = || RandomState::new().build_hasher().finish();
    let bits = u128::from(random()) << 64 | u128::from(random());
    // Version 4, variant 1.
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    uuid_text(bits)
}
