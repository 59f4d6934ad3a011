//! How much may be on its way at once.
//!
//! An idempotent producer of librdkafka has one request per partition on its way, and while records that are due wait
//! behind it, its thread spins in `poll`. So we hand over what makes the next request, but not more: CPU and memory fall by a
//! third, and a request per round trip is all that there is to win anyway.

use std::{sync::Arc, time::Duration};

use connect_core::Result;
use rdkafka::producer::{BaseProducer, Producer};

use super::{delivery::Deliveries, ledger::Ledger};

/// A full request on its way and most of another one collected.
pub(super) const BYTES: u64 = 1_800_000;

/// What a record weighs, by the lengths of its key and value. Headers are not counted.
pub(super) fn weight(key: usize, value: usize) -> u64 {
    const RECORD: usize = 64;
    (key + value + RECORD) as u64
}

/// Room for records of one producer.
pub(super) struct Room {
    bytes: u64,
    /// Handed over so far, by weight and by count.
    sent: u64,
    records: u64,
    /// Handed over since the client was last asked; only without reports.
    unseen: u64,
    reports: bool,
    ledger: Arc<Ledger>,
    producer: Arc<BaseProducer<Deliveries>>,
}

impl Room {
    /// Room for so many bytes. Without `reports` of what has arrived, the client's count of records is asked now and then.
    pub(super) fn new(
        bytes: u64,
        reports: bool,
        ledger: &Arc<Ledger>,
        producer: &Arc<BaseProducer<Deliveries>>,
    ) -> Self {
        Self {
            bytes,
            sent: 0,
            records: 0,
            unseen: 0,
            reports,
            ledger: Arc::clone(ledger),
            producer: Arc::clone(producer),
        }
    }

    /// Whether a record of this weight can be handed over now. One alone always can.
    pub(super) fn has(&mut self, weight: u64) -> bool {
        let on_its_way = self.on_its_way();
        on_its_way == 0 || on_its_way + weight <= self.bytes
    }

    /// A record was handed over.
    pub(super) fn sent(&mut self, weight: u64) {
        self.sent += weight;
        self.records += 1;
        self.unseen += weight;
    }

    /// Waits until half of the room is free. Fails when a record was lost.
    pub(super) async fn wait(&mut self) -> Result<()> {
        const MOMENT: Duration = Duration::from_millis(2);
        if !self.reports {
            // Nobody tells, so time must.
            self.unseen = self.bytes;
            tokio::time::sleep(MOMENT).await;
        } else if self.on_its_way() == 0 {
            // All has arrived meanwhile; librdkafka frees its own room in a moment.
            tokio::task::yield_now().await;
        } else {
            let goal = self.sent - (self.on_its_way() / 2).min(self.bytes / 2);
            self.ledger.until_settled(goal).await;
        }
        self.ledger.failure().map_or(Ok(()), Err)
    }

    fn on_its_way(&mut self) -> u64 {
        if self.reports {
            return self.sent.saturating_sub(self.ledger.settled());
        }
        if self.unseen < self.bytes / 4 {
            return self.unseen;
        }
        let records = u64::try_from(self.producer.in_flight_count()).unwrap_or(0);
        let on_its_way = records * (self.sent / self.records.max(1));
        if on_its_way < self.bytes {
            self.unseen = 0;
        }
        on_its_way
    }
}
