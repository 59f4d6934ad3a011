//! A table that gets a row each millisecond, and the longest time in which none of them arrives.

use std::{process::Child, time::Duration};

use e2e::Outcome;
use stack::Kafka;

use super::Bench;
use crate::{
    arrivals::{Arrival, Arrivals, now_us},
    topic,
};

/// More rows than any run writes.
const ROWS: u64 = 3_000_000;
/// How long nothing may arrive: longer than Kafka Connect waits for a worker that is gone.
const LIMIT: Duration = Duration::from_secs(600);
/// After an event rows have to arrive that were committed so much later.
const AFTER: Duration = Duration::from_secs(3);

/// The rows and their reader.
pub(super) struct Pulse {
    writer: Child,
    arrivals: Arrivals,
    /// The last row that was not there before.
    last: Arrival,
}

impl Pulse {
    /// Begins to write to the table `name`, whose connector reads already.
    pub(super) fn start(bench: &Bench<'_>, kafka: &Kafka, name: &str) -> Outcome<Self> {
        let database = bench.database;
        let topic = format!("{name}.{}", database.table(name));
        topic::create(kafka, &topic)?;
        let arrivals = Arrivals::watch(kafka, &topic, 1 << 20, database.commit_us())?;
        let writer = database.write_steadily(name, ROWS)?;
        let last = arrivals.next(LIMIT)?;
        Ok(Self {
            writer,
            arrivals,
            last,
        })
    }

    /// Does something, waits until rows come that were committed a while after it, and gives the longest time meanwhile in
    /// which nothing new came. Rows that come again are not new.
    pub(super) fn pause_of(&mut self, event: impl FnOnce() -> Outcome) -> Outcome<Duration> {
        let since = now_us();
        event()?;
        let until = now_us() + AFTER.as_micros() as u64;
        let mut longest = 0;
        while self.last.committed_us < until {
            let next = self.arrivals.next(LIMIT)?;
            if next.committed_us <= self.last.committed_us {
                continue;
            }
            if next.seen_us >= since {
                longest = longest.max(next.seen_us - self.last.seen_us);
            }
            self.last = next;
        }
        Ok(Duration::from_micros(longest))
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.writer.kill();
        let _ = self.writer.wait();
    }
}
