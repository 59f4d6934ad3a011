//! Exactly once: records and the source's position in one transaction (KIP-618).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use connect_core::{Advance, Encoded, Position, Properties, Result};
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
    /// `transaction.boundary=poll`: twice as long as a commit takes, but not longer than this. So a log that commits in a millisecond
    /// commits after nearly each poll, and one that takes a tenth of a second still spends most of its time on records.
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
            Linger::Adaptive(longest) | Linger::Whole(longest) => {
                commit_time.saturating_mul(2).min(longest)
            }
            Linger::Fixed(interval) => interval,
        }
    }
}

/// The open transaction of a source task.
pub(crate) struct Transaction {
    appender: Box<dyn Append>,
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
    offset_records: Encoded,
    flights: Flights,
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
            appender,
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
            offset_records: Encoded::default(),
            flights: Flights::new(metrics),
        }
    }

    /// Adds the records of one poll.
    pub(crate) async fn append(&mut self, records: &Encoded) -> Result<Appended> {
        self.began.get_or_insert_with(Instant::now);
        self.records += records.len() as u64;
        self.bytes += records.bytes.len();
        let appended = self.appender.append(records).await?;
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

    /// When it has to be committed; `None` while there is nothing to commit.
    pub(crate) fn due(&self) -> Option<Instant> {
        let began = self.began?;
        if self.is_within && self.boundary.is_whole() {
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

    /// The last commit of a run. Half a transaction of the source is left to the next run, if it must not be seen.
    pub(crate) async fn finish(&mut self) -> Result<()> {
        if self.is_within && self.boundary.is_whole() {
            return self.appender.abort().await;
        }
        self.commit().await
    }

    /// Commits records and positions together, then tells the source.
    pub(crate) async fn commit(&mut self) -> Result<()> {
        if self.began.take().is_none() {
            return Ok(());
        }
        let positions: Vec<Position> = self.positions.values().cloned().collect();
        let entries = self.offsets.entries(&self.connector, &positions);
        if self.records > 0 || !entries.is_empty() {
            let began = Instant::now();
            let committed = self.commit_with(entries).await;
            self.commit_time = began.elapsed();
            self.metrics.commit(self.commit_time, committed.is_ok());
            committed?;
            self.metrics.transactions.take(self.records);
            self.flights.landed(None);
        }
        (self.records, self.bytes) = (0, 0);
        self.positions.clear();
        for position in positions {
            self.safe.to(position);
        }
        Ok(())
    }

    // Invariant 1: one commit makes the records and the position durable; only then is the source told.
    async fn commit_with(&mut self, entries: Vec<Entry>) -> Result<()> {
        self.offset_records.clear();
        for (key, value) in &entries {
            self.offset_records
                .push(self.offsets.topic(), Some(key), value.as_deref(), -1);
        }
        // Appending nothing is allowed: records alone are a transaction, too.
        let appended = self.appender.append(&self.offset_records).await?;
        if let Some((_, error)) = appended.refused.into_iter().next() {
            return Err(error);
        }
        self.appender.commit(None).await?;
        self.offsets.committed(entries);
        Ok(())
    }
}
