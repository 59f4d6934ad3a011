//! Records between a source and the log: how many there are, and how long they took.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use connect_core::{Watermark, meter::Gauge};
use connect_log::Ticket;
use parking_lot::Mutex;

use super::{TaskMetrics, now_ms};

/// More batches than this are not told apart: a newer one joins the last.
const MOST: usize = 1024;

/// The records of one batch.
#[derive(Debug)]
struct Flight {
    ticket: Ticket,
    /// When their source committed the last of them; 0 when it does not tell.
    commit_ms: i64,
    records: u64,
}

/// The batches that are on their way.
#[derive(Debug)]
pub(crate) struct Flights {
    flying: Mutex<VecDeque<Flight>>,
    commit_ms: Gauge,
    metrics: Arc<TaskMetrics>,
}

impl Flights {
    /// Of a task that has none yet.
    pub(crate) fn new(metrics: &Arc<TaskMetrics>) -> Self {
        metrics.active.store(0, Relaxed);
        Self {
            flying: Mutex::default(),
            commit_ms: metrics.meter.gauge("last-commit-timestamp-ms"),
            metrics: Arc::clone(metrics),
        }
    }

    /// So many records were appended. They are durable with this ticket.
    pub(crate) fn left(&self, ticket: Ticket, records: usize) {
        let records = records as u64;
        self.metrics.activate(records);
        let mut flying = self.flying.lock();
        // Invariant 4: bounded by MOST.
        if flying.len() >= MOST
            && let Some(last) = flying.back_mut()
        {
            last.ticket = ticket;
            last.records += records;
            return;
        }
        flying.push_back(Flight {
            ticket,
            commit_ms: self.commit_ms.get(),
            records,
        });
    }

    /// Everything up to this ticket is durable; without one, everything.
    pub(crate) fn landed(&self, ticket: Option<Ticket>) {
        let now_ms = now_ms();
        let mut flying = self.flying.lock();
        while let Some(first) = flying.front()
            && ticket.is_none_or(|ticket| first.ticket <= ticket)
        {
            let active = &self.metrics.active;
            active.fetch_sub(first.records.cast_signed(), Relaxed);
            if first.commit_ms > 0 {
                self.metrics
                    .latency
                    .take(now_ms - first.commit_ms, first.records);
            }
            flying.pop_front();
        }
    }

    /// Looks at what becomes durable, for as long as it is polled.
    pub(crate) async fn watch(&self, mut durable: Watermark<Ticket>) {
        loop {
            match durable.changed().await {
                Ok(Some(ticket)) => self.landed(Some(ticket)),
                // Others look at it too, and tell.
                Ok(None) | Err(_) => return std::future::pending().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_durable_has_landed_and_what_has_no_commit_is_not_measured() {
        let metrics = Arc::new(TaskMetrics::default());
        let flights = Flights::new(&metrics);
        let counted = || metrics.latency.cumulative().last().copied();
        flights.left(1, 2);
        metrics
            .meter
            .gauge("last-commit-timestamp-ms")
            .set(now_ms());
        flights.left(2, 3);
        flights.left(3, 4);
        assert_eq!(metrics.active.load(Relaxed), 9);
        flights.landed(Some(2));
        assert_eq!((metrics.active.load(Relaxed), counted()), (4, Some(3)));
        flights.landed(None);
        assert_eq!((metrics.active.load(Relaxed), counted()), (0, Some(7)));
        for ticket in 0..2 * MOST as Ticket {
            flights.left(ticket, 1);
        }
        assert_eq!(flights.flying.lock().len(), MOST);
    }
}
