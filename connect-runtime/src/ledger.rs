//! Invariant 1: records durable, then the position durable, then the source told.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use connect_core::{Advance, Error, Position, Result, Watermark, error::INTERNAL};
use connect_log::Ticket;
use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

use crate::{metrics::TaskMetrics, offsets::OffsetStore};

/// More positions than this do not wait: a newer one takes the place of an older one of its partition.
const MAX_WAITING: usize = 1024;

/// Which positions may be stored: those whose records are durable. Pure.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    waiting: VecDeque<(Ticket, Position)>,
    ready: BTreeMap<Arc<str>, Position>,
    durable: Ticket,
}

impl Ledger {
    /// After this ticket the source stands at this position. `None` when no record was ever appended.
    pub(crate) fn note(&mut self, ticket: Option<Ticket>, position: Position) {
        let waits = ticket.filter(|ticket| *ticket > self.durable || !self.waiting.is_empty());
        let Some(ticket) = waits else {
            self.ready.insert(Arc::clone(&position.partition), position);
            return;
        };
        // Invariant 4: bounded by MAX_WAITING, or by the number of source partitions.
        if self.waiting.len() >= MAX_WAITING {
            let same = |(_, p): &(Ticket, Position)| p.partition == position.partition;
            if let Some(at) = self.waiting.iter().rposition(same) {
                self.waiting.remove(at);
            }
        }
        self.waiting.push_back((ticket, position));
    }

    /// Every record up to this ticket is durable.
    pub(crate) fn durable(&mut self, ticket: Ticket) {
        self.durable = self.durable.max(ticket);
        // Invariant 1: a position becomes ready only when the records before it are durable.
        while self
            .waiting
            .front()
            .is_some_and(|(waits_for, _)| *waits_for <= self.durable)
        {
            if let Some((_, position)) = self.waiting.pop_front() {
                self.ready.insert(Arc::clone(&position.partition), position);
            }
        }
    }

    /// Whether a position can be stored.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The positions to store: the newest ready one of each partition. They stay until [`Ledger::stored`].
    pub(crate) fn ready(&self) -> Vec<Position> {
        self.ready.values().cloned().collect()
    }

    /// These positions are stored; newer ones of their partitions stay ready.
    pub(crate) fn stored(&mut self, positions: &[Position]) {
        for position in positions {
            if self.ready.get(&position.partition) == Some(position) {
                self.ready.remove(&position.partition);
            }
        }
    }

    /// The ticket that the last position waits for.
    pub(crate) fn last_ticket(&self) -> Option<Ticket> {
        self.waiting.back().map(|(ticket, _)| *ticket)
    }
}

/// A ledger beside its worker: stores positions and tells the source.
pub(crate) struct Bookkeeper {
    ledger: Mutex<Ledger>,
    noted: Notify,
    durable: Watermark<Ticket>,
    connector: String,
    offsets: OffsetStore,
    safe: Advance<Position>,
    interval: Duration,
    metrics: Arc<TaskMetrics>,
}

impl Bookkeeper {
    pub(crate) fn new(
        durable: Watermark<Ticket>,
        connector: &str,
        offsets: &OffsetStore,
        safe: Advance<Position>,
        interval: Duration,
        metrics: &Arc<TaskMetrics>,
    ) -> Self {
        Self {
            ledger: Mutex::default(),
            noted: Notify::new(),
            durable,
            connector: connector.to_owned(),
            offsets: offsets.clone(),
            safe,
            interval,
            metrics: Arc::clone(metrics),
        }
    }

    /// After this ticket the source stands at this position.
    pub(crate) fn note(&self, ticket: Option<Ticket>, position: Position) {
        self.ledger.lock().note(ticket, position);
        self.noted.notify_one();
    }

    /// Stores positions as they become ready, at most once per interval. Ends only with an error.
    pub(crate) async fn run(&self) -> Result<()> {
        let mut durable = self.durable.clone();
        let mut next_save = Instant::now();
        loop {
            self.until_ready(&mut durable).await?;
            tokio::time::sleep_until(next_save).await;
            self.look(&durable);
            self.save().await?;
            next_save = Instant::now() + self.interval;
        }
    }

    async fn until_ready(&self, durable: &mut Watermark<Ticket>) -> Result<()> {
        loop {
            self.look(durable);
            if self.ledger.lock().has_ready() {
                return Ok(());
            }
            tokio::select! {
                biased;
                // 1. More is durable, or never will be.
                changed = durable.changed() => {
                    if changed?.is_none() {
                        return Err(Error::new(&INTERNAL, "the appender is gone"));
                    }
                }
                // 2. A position without new records.
                () = self.noted.notified() => {}
            }
        }
    }

    fn look(&self, durable: &Watermark<Ticket>) {
        if let Some(ticket) = durable.latest() {
            self.ledger.lock().durable(ticket);
        }
    }

    /// Waits until every noted position is stored and the source is told.
    pub(crate) async fn finish(&self) -> Result<()> {
        let last = self.ledger.lock().last_ticket();
        if let Some(last) = last {
            self.durable.clone().reach(last).await?;
            self.ledger.lock().durable(last);
        }
        self.save().await
    }

    /// Dropped halfway it has done nothing: what is not stored stays ready.
    async fn save(&self) -> Result<()> {
        let positions = self.ledger.lock().ready();
        let entries = self.offsets.entries(&self.connector, &positions);
        if !entries.is_empty() {
            let began = Instant::now();
            // Invariant 1: the position is durable before the source is told.
            let saved = self.offsets.save(entries).await;
            self.metrics.commit(began.elapsed(), saved.is_ok());
            saved?;
        }
        self.ledger.lock().stored(&positions);
        for position in positions {
            self.safe.to(position);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
