//! Exactly once: records and the source's position in one transaction (KIP-618).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use connect_core::{
    Advance, BoxFuture, Encoded, Error, Position, Properties, Result, error::INTERNAL,
};
use connect_log::{Append, Appended};
use tokio::time::Instant;

use crate::{
    internal_topic::Entry,
    metrics::{Flights, TaskMetrics},
    offsets::OffsetStore,
    worker_config::WorkerConfig,
};

/// When a transaction is committed. It ends at the end of a poll in any case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Boundary {
    /// After this time.
    linger: Linger,
    /// After so many bytes.
    max_bytes: usize,
    /// After this time, when it has a position and no records.
    idle: Duration,
}

#[derive(Debug, Clone, Copy)]
enum Linger {
    /// `transaction.boundary=poll`: as long as commits take, but not longer than this. So a log that commits in a millisecond
    /// commits after nearly each poll, and one that takes a tenth of a second gets few and large transactions.
    Adaptive(Duration),
    /// `transaction.boundary=interval`
    Fixed(Duration),
    /// `transaction.boundary=connector`: as adaptive, but never within a transaction of the source.
    Whole(Duration),
}

impl Boundary {
    /// From a connector's resolved properties.
    pub(crate) fn new(worker: &WorkerConfig, config: &Properties) -> Self {
        let interval = config.get("transaction.boundary.interval.ms");
        let interval = interval
            .and_then(|text| text.trim().parse().ok())
            .map(Duration::from_millis);
        let boundary = config
            .get("transaction.boundary")
            .map_or("poll", |text| text.trim());
        let linger = if boundary.eq_ignore_ascii_case("interval") {
            Linger::Fixed(interval.unwrap_or(worker.offset_flush_interval.0))
        } else if boundary.eq_ignore_ascii_case("connector") {
            Linger::Whole(worker.transaction_linger.0)
        } else {
            Linger::Adaptive(worker.transaction_linger.0)
        };
        Self {
            linger,
            max_bytes: worker.transaction_bytes as usize,
            idle: worker.offset_advance_interval.0,
        }
    }

    fn is_whole(&self) -> bool {
        matches!(self.linger, Linger::Whole(_))
    }

    fn linger(&self, commit_time: Duration) -> Duration {
        match self.linger {
            Linger::Adaptive(longest) | Linger::Whole(longest) => commit_time.min(longest),
            Linger::Fixed(interval) => interval,
        }
    }
}

/// The transactions of a source task: one that is being filled, and the one before it, which may still be being committed. So the
/// task polls and encodes meanwhile; only what it appends waits.
pub(crate) struct Transaction {
    writer: Writer,
    boundary: Boundary,
    connector: String,
    offsets: OffsetStore,
    safe: Advance<Position>,
    metrics: Arc<TaskMetrics>,
    positions: BTreeMap<Arc<str>, Position>,
    began: Option<Instant>,
    /// Whether the last record is of a transaction of the source that goes on.
    is_within: bool,
    records: u64,
    bytes: usize,
    commit_time: Duration,
    flights: Flights,
}

/// Who has the appender.
enum Writer {
    /// Nobody else.
    Free(Box<dyn Append>),
    /// A commit that is under way.
    Committing(Commit),
    /// A commit that was begun and never ended; it cannot happen.
    Lost,
}

/// A commit that is under way, and what follows it.
struct Commit {
    ends: BoxFuture<'static, (Box<dyn Append>, Result<()>)>,
    began: Instant,
    records: u64,
    positions: Vec<Position>,
    entries: Vec<Entry>,
}

impl Transaction {
    pub(crate) fn new(
        appender: Box<dyn Append>,
        boundary: Boundary,
        connector: &str,
        offsets: &OffsetStore,
        safe: Advance<Position>,
        metrics: &Arc<TaskMetrics>,
    ) -> Self {
        Self {
            writer: Writer::Free(appender),
            boundary,
            connector: connector.to_owned(),
            offsets: offsets.clone(),
            safe,
            metrics: Arc::clone(metrics),
            positions: BTreeMap::new(),
            began: None,
            is_within: false,
            records: 0,
            bytes: 0,
            commit_time: Duration::ZERO,
            flights: Flights::new(metrics),
        }
    }

    /// Adds the records of one poll. No commit may be under way.
    pub(crate) async fn append(&mut self, records: &Encoded) -> Result<Appended> {
        let Writer::Free(appender) = &mut self.writer else {
            return Err(busy());
        };
        self.began.get_or_insert_with(Instant::now);
        self.records += records.len() as u64;
        self.bytes += records.bytes.len();
        let appended = appender.append(records).await?;
        self.flights.left(appended.ticket, records.len());
        Ok(appended)
    }

    /// Whether the records so far end within a transaction of the source.
    pub(crate) fn ends_within(&mut self, is_within: bool) {
        self.is_within = is_within;
    }

    /// After the records so far the source stands at this position.
    pub(crate) fn note(&mut self, position: Position) {
        self.began.get_or_insert_with(Instant::now);
        self.positions
            .insert(Arc::clone(&position.partition), position);
    }

    /// When it has to be committed; `None` while there is nothing to commit, or another commit is under way.
    pub(crate) fn due(&self) -> Option<Instant> {
        let began = self.began?;
        if self.is_committing() || (self.is_within && self.boundary.is_whole()) {
            return None;
        }
        if self.bytes >= self.boundary.max_bytes {
            return Some(began);
        }
        let linger = match self.records {
            0 => self.boundary.idle,
            _ => self.boundary.linger(self.commit_time),
        };
        Some(began + linger)
    }

    /// Whether a commit is under way.
    pub(crate) fn is_committing(&self) -> bool {
        !matches!(self.writer, Writer::Free(_))
    }

    /// The last commit of a run. Half a transaction of the source is left to the next run, if it must not be seen.
    pub(crate) async fn finish(&mut self) -> Result<()> {
        self.settled().await?;
        if self.is_within && self.boundary.is_whole() {
            let Writer::Free(appender) = &mut self.writer else {
                return Err(busy());
            };
            return appender.abort().await;
        }
        self.begin_commit();
        self.settled().await
    }

    /// Begins to commit records and positions together; [`Transaction::settled`] ends it.
    pub(crate) fn begin_commit(&mut self) {
        if self.is_committing() || self.began.take().is_none() {
            return;
        }
        let positions: Vec<Position> = std::mem::take(&mut self.positions).into_values().collect();
        let entries = self.offsets.entries(&self.connector, &positions);
        let records = std::mem::take(&mut self.records);
        self.bytes = 0;
        if records == 0 && entries.is_empty() {
            return self.tell(positions);
        }
        let Writer::Free(mut appender) = std::mem::replace(&mut self.writer, Writer::Lost) else {
            return;
        };
        let mut offsets = Encoded::default();
        for (key, value) in &entries {
            offsets.push(self.offsets.topic(), Some(key), value.as_deref(), -1);
        }
        self.writer = Writer::Committing(Commit {
            ends: Box::pin(async move {
                let committed = commit(&mut *appender, &offsets).await;
                (appender, committed)
            }),
            began: Instant::now(),
            records,
            positions,
            entries,
        });
    }

    /// Waits until no commit is under way, and tells the source what was committed. Dropping this loses nothing.
    pub(crate) async fn settled(&mut self) -> Result<()> {
        let (appender, committed) = match &mut self.writer {
            Writer::Free(_) => return Ok(()),
            Writer::Committing(commit) => (&mut commit.ends).await,
            Writer::Lost => return Err(busy()),
        };
        let before = std::mem::replace(&mut self.writer, Writer::Free(appender));
        let Writer::Committing(commit) = before else {
            return Err(busy());
        };
        let took = commit.began.elapsed();
        self.metrics.commit(took, committed.is_ok());
        committed?;
        self.commit_time = smoothed(self.commit_time, took);
        self.metrics.transactions.take(commit.records);
        self.flights.landed(None);
        self.offsets.committed(commit.entries);
        self.tell(commit.positions);
        Ok(())
    }

    fn tell(&self, positions: Vec<Position>) {
        for position in positions {
            self.safe.to(position);
        }
    }
}

/// Invariant 1: one commit makes the records and the position durable; only then is the source told.
async fn commit(appender: &mut dyn Append, offsets: &Encoded) -> Result<()> {
    // Appending nothing is allowed: records alone are a transaction, too.
    let appended = appender.append(offsets).await?;
    if let Some((_, error)) = appended.refused.into_iter().next() {
        return Err(error);
    }
    appender.commit(None).await
}

/// What commits take now and then, not what the last one took: one that was held up does not hold up what comes after it.
fn smoothed(before: Duration, took: Duration) -> Duration {
    match before {
        Duration::ZERO => took,
        before => (before * 7 + took) / 8,
    }
}

fn busy() -> Error {
    Error::new(&INTERNAL, "the commit before has not ended")
}
