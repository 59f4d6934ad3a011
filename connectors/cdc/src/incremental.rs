//! Incremental snapshots: tables are read in chunks while streaming goes on, when a signal says so.
//!
//! The stream stands still for a moment, a chunk is read, and the stream goes on. The chunk waits until the stream has
//! come to where it was read, and each row that changes meanwhile is dropped from it ([`Window`]); the rest is sent.
//! So what is sent of a row is never older than what was sent before it:
//!
//! - What the stream brings after the chunk was read drops the row.
//! - What it has brought before has been seen by the chunk's own snapshot. Commits become visible a moment after they are
//!   logged, so the [`Database`] looks at this, and the chunk is read again if need be ([`Read::Later`]).
//! - What the chunk has seen is in the stream before the place where the window closes, hence nothing older follows.
//!
//! The window closes with a row in the signal table, as Debezium has it, or without one (`read.only`) when the stream
//! has come to the end of the log as it was behind the chunk. That also closes it when the row does not come.

mod database;
mod lead;
mod running;

use std::sync::Arc;

use connect_core::{
    Batch, Result,
    meter::{Gauge, Meter},
};
use tokio::time::Instant;

pub use self::{
    database::{Chunk, Database, Next, Read, Status, Window},
    running::{Collection, Running},
};
use crate::{
    java::Part,
    notification::{INCREMENTAL, Notification, Notifier, SIGNAL, random_id},
    options::Watermarking,
    signal::{Execute, Order, Signal, expand, logged},
};

/// How incremental snapshots are read.
#[derive(Debug)]
pub struct Settings {
    /// Who tells of them.
    pub notifier: Notifier,
    /// How marks stand in the signal table; `None` when nothing is written.
    pub marks: Option<Watermarking>,
    /// A chunk has so many rows.
    pub chunk_rows: u32,
}

/// The incremental snapshot of a task, running or not. `G` is a place in the server's log, `R` the rows of a closed window.
#[derive(Debug)]
pub struct Incremental<G, R> {
    settings: Settings,
    running: Option<Arc<Running>>,
    phase: Phase<G, R>,
    stops: Vec<String>,
    /// Whether reading the first table has begun.
    has_begun: bool,
    /// The id of the chunk that is being read, once it has a mark in the signal table.
    mark: Option<Mark>,
    limit: u64,
    rows_scanned: u64,
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
enum Phase<G, R> {
    /// There is none.
    Idle,
    /// It has to be read, from this moment on.
    Due(Instant),
    /// It waits for the stream: for this mark, or this place; `None` when the mark has come.
    Open {
        id: String,
        goal: Option<G>,
        last: Vec<Part>,
    },
    /// It is being sent; behind its last row stands this key.
    Sending { rows: Box<R>, last: Vec<Part> },
}

/// The row that opened a window.
#[derive(Debug, Clone)]
struct Mark {
    id: String,
    opened: String,
}

/// What the stream has to do for a signal.
#[derive(Debug)]
pub enum Wanted {
    /// Nothing.
    Nothing,
    /// Pause for a snapshot.
    Blocking(Signal),
}

/// Where notifications go, and when they are told.
pub struct Tell<'a> {
    /// The batch for those that are records.
    pub out: &'a mut Batch,
    /// Milliseconds since 1970-01-01.
    pub now_ms: i64,
}

impl<G, R> Incremental<G, R> {
    /// Goes on from what an offset says.
    pub fn new(settings: Settings, running: Option<Arc<Running>>, meter: &Meter) -> Self {
        let shown = Shown::new(meter);
        shown.set(running.as_deref());
        if let Some(running) = &running {
            tracing::info!(tables = %running.names(), "an incremental snapshot goes on");
        }
        Self {
            phase: match running {
                None => Phase::Idle,
                Some(_) => Phase::Due(Instant::now()),
            },
            has_begun: running.as_ref().is_some_and(|r| r.last.is_some()),
            running,
            stops: Vec::new(),
            mark: None,
            limit: u64::from(settings.chunk_rows),
            rows_scanned: 0,
            shown,
            settings,
        }
    }

    /// For the offset.
    pub fn running(&self) -> Option<Arc<Running>> {
        self.running.clone()
    }

    /// Brings its numbers up to date.
    pub fn show(&self) {
        self.shown.set(self.running.as_deref());
    }

    /// Whether nothing happens.
    pub fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle)
    }

    /// When a chunk is to be read, at the latest.
    pub fn due(&self) -> Option<Instant> {
        match self.phase {
            Phase::Due(at) if !self.is_paused() => Some(at),
            _ => None,
        }
    }

    /// The rows of a closed window that have yet to be sent.
    pub fn sending(&mut self) -> Option<&mut R> {
        match &mut self.phase {
            Phase::Sending { rows, .. } => Some(rows),
            _ => None,
        }
    }

    /// Rows were sent up to this key; without one, all of them.
    pub fn sent(&mut self, upto: Option<Vec<Part>>) {
        let last = match upto {
            Some(key) => key,
            None => match std::mem::replace(&mut self.phase, Phase::Due(Instant::now())) {
                Phase::Sending { last, .. } => last,
                other => {
                    self.phase = other;
                    return;
                }
            },
        };
        self.change().last = Some(last);
    }

    fn is_paused(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.paused)
    }

    fn change(&mut self) -> &mut Running {
        Arc::make_mut(self.running.get_or_insert_default())
    }

    /// Does what a signal says. What cannot be done is logged and told, and never an error.
    pub async fn obey<D: Database<Goal = G> + Send>(
        &mut self,
        signal: Signal,
        database: &mut D,
        position: &str,
        tell: &mut Tell<'_>,
    ) -> Result<Wanted>
    where
        G: Send,
        R: Send,
    {
        match signal.order() {
            Err(why) => self.refuse(&signal, &why.to_string(), tell),
            Ok(Order::Log(message)) => {
                tracing::info!(id = %signal.id, "{}", logged(&message, position));
            }
            Ok(Order::Execute(execute)) if execute.blocking => {
                return Ok(Wanted::Blocking(signal));
            }
            Ok(Order::Execute(execute)) => match database.reason_against().await? {
                Some(why) => self.refuse(&signal, &why, tell),
                None => {
                    let names = database.tables().await?;
                    self.start(signal, execute, &names, tell);
                }
            },
            Ok(Order::Stop(names)) => self.stop(names, tell),
            Ok(Order::Pause) => self.pause(true, tell),
            Ok(Order::Resume) => self.pause(false, tell),
            Ok(Order::WindowOpen) => {}
            Ok(Order::WindowClose) => self.close(&signal.id),
        }
        Ok(Wanted::Nothing)
    }

    /// A signal that cannot be obeyed.
    pub fn refuse(&self, signal: &Signal, why: &str, tell: &mut Tell<'_>) {
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
        let notifier = &self.settings.notifier;
        notifier.tell(notification, tell.out, tell.now_ms);
    }

    /// A message that is no signal at all.
    pub fn refuse_text(&self, why: &str, tell: &mut Tell<'_>) {
        let nobody = Signal {
            id: random_id(),
            kind: String::new(),
            data: String::new(),
        };
        self.refuse(&nobody, why, tell);
    }

    fn start(
        &mut self,
        signal: Signal,
        execute: Execute,
        captured: &[String],
        tell: &mut Tell<'_>,
    ) {
        let names = expand(&execute.collections, captured.iter().map(String::as_str));
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
        let current = ids.first();
        let current = current.filter(|id| self.has_begun && wanted.contains(id));
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
        let data = vec![("data_collections", stopped.join(","))];
        self.tell("ABORTED", data, tell);
        let is_empty = |running: &Arc<Running>| running.collections.is_empty();
        if self.running.as_ref().is_some_and(is_empty) {
            self.running = None;
        }
        if self.running.is_none() && matches!(self.phase, Phase::Due(_)) {
            self.phase = Phase::Idle;
        }
    }

    /// Goes on to the next table, or ends.
    fn next_table(&mut self, tell: &mut Tell<'_>) {
        self.has_begun = false;
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
        let notifier = &self.settings.notifier;
        notifier.tell(notification, tell.out, tell.now_ms);
    }

    /// The mark of a closed window has come.
    fn close(&mut self, mark: &str) {
        if let Phase::Open { id, goal, .. } = &mut self.phase
            && mark.starts_with(id.as_str())
        {
            *goal = None;
        }
    }
}
