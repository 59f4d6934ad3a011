//! How much may be on its way at once: the only memory that a producer's records take.

use std::sync::Arc;

use connect_core::Result;

use super::ledger::Ledger;

/// Two full requests on their way and two more collected.
pub(super) const BYTES: u64 = 4_000_000;

/// What a record weighs, by the length of its key, value and headers.
pub(super) fn weight(bytes: usize) -> u64 {
    const RECORD: usize = 64;
    (bytes + RECORD) as u64
}

/// Room for records of one producer.
pub(super) struct Room {
    bytes: u64,
    /// The weight of all that was handed over so far.
    sent: u64,
    ledger: Arc<Ledger>,
}

impl Room {
    /// Room for so many bytes.
    pub(super) fn new(bytes: u64, ledger: &Arc<Ledger>) -> Self {
        Self {
            bytes,
            sent: 0,
            ledger: Arc::clone(ledger),
        }
    }

    /// Whether a record of this weight can be handed over now. One alone always can.
    pub(super) fn has(&self, weight: u64) -> bool {
        let on_its_way = self.on_its_way();
        on_its_way == 0 || on_its_way + weight <= self.bytes
    }

    /// A record was handed over.
    pub(super) fn sent(&mut self, weight: u64) {
        self.sent += weight;
    }

    /// Waits until half of the room is free. Fails when a record was lost.
    pub(super) async fn wait(&self) -> Result<()> {
        self.until_left(self.on_its_way().min(self.bytes) / 2).await
    }

    /// Waits until everything has arrived. Fails when a record was lost.
    pub(super) async fn until_empty(&self) -> Result<()> {
        self.until_left(0).await
    }

    async fn until_left(&self, left: u64) -> Result<()> {
        self.ledger.until_settled(self.sent - left).await;
        self.ledger.failure().map_or(Ok(()), Err)
    }

    fn on_its_way(&self) -> u64 {
        self.sent.saturating_sub(self.ledger.settled())
    }
}
