//! Which appends are on their way, and up to which everything has arrived.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicU64, Ordering},
};

use connect_core::{Advance, Error, Watermark, watermark::watermark};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::Ticket;

/// Counts deliveries down per ticket and moves the watermark; written by the appender and by its producer's thread.
#[derive(Debug)]
pub(super) struct Ledger {
    open: Mutex<Open>,
    advance: Advance<Ticket>,
    durable: Watermark<Ticket>,
    /// The weight of all records whose fate is known.
    settled: AtomicU64,
    /// The appender waits until this much is settled.
    wake_at: AtomicU64,
    room: Notify,
}

#[derive(Debug)]
struct Open {
    /// The ticket of the first entry of `left`.
    first: Ticket,
    /// Per ticket, how many of its records are still on their way, and one more while it is open.
    left: VecDeque<u64>,
    failed: bool,
}

impl Default for Ledger {
    fn default() -> Self {
        let (advance, durable) = watermark();
        let open = Open {
            first: 1,
            left: VecDeque::new(),
            failed: false,
        };
        Self {
            open: Mutex::new(open),
            advance,
            durable,
            settled: AtomicU64::new(0),
            wake_at: AtomicU64::new(u64::MAX),
            room: Notify::new(),
        }
    }
}

impl Ledger {
    /// A new ticket for at most this many records. It stays open until [`Ledger::close`].
    pub(super) fn open(&self, records: u32) -> Ticket {
        let mut open = self.open.lock();
        open.left.push_back(u64::from(records) + 1);
        open.first + open.left.len() as u64 - 1
    }

    /// No more records of this ticket will be sent; `unsent` of those announced were not.
    pub(super) fn close(&self, ticket: Ticket, unsent: u32) {
        self.settle(ticket, u64::from(unsent) + 1);
    }

    /// Takes the newest ticket back: none of its records was sent.
    pub(super) fn withdraw(&self) {
        self.open.lock().left.pop_back();
    }

    /// Records of a ticket have arrived.
    pub(super) fn arrived(&self, ticket: Ticket, records: u32) {
        self.settle(ticket, u64::from(records));
    }

    fn settle(&self, ticket: Ticket, records: u64) {
        let reached = self.open.lock().settle(ticket, records);
        if let Some(reached) = reached {
            self.advance.to(reached);
        }
    }

    /// Everything up to a ticket is committed: the whole of a transaction at once.
    pub(super) fn committed(&self, ticket: Ticket) {
        let mut open = self.open.lock();
        while open.first <= ticket && open.left.pop_front().is_some() {
            open.first += 1;
        }
        drop(open);
        self.advance.to(ticket);
    }

    /// A record can never arrive. The watermark stays where it is for ever.
    pub(super) fn fail(&self, error: Error) {
        self.open.lock().failed = true;
        self.advance.fail(error);
        self.room.notify_one();
    }

    /// Why nothing more will arrive, if so.
    pub(super) fn failure(&self) -> Option<Error> {
        self.durable.failure()
    }

    /// The watermark.
    pub(super) fn durable(&self) -> Watermark<Ticket> {
        self.durable.clone()
    }

    /// The weight of all records whose fate is known.
    pub(super) fn settled(&self) -> u64 {
        self.settled.load(Ordering::SeqCst)
    }

    /// Waits until so much is settled, or a record has failed.
    pub(super) async fn until_settled(&self, goal: u64) {
        loop {
            self.wake_at.store(goal, Ordering::SeqCst);
            if self.settled() >= goal || self.failure().is_some() {
                self.wake_at.store(u64::MAX, Ordering::SeqCst);
                return;
            }
            self.room.notified().await;
        }
    }

    /// Records of this weight will not be waited for any longer.
    pub(super) fn weigh(&self, weight: u64) {
        let settled = self.settled.fetch_add(weight, Ordering::SeqCst) + weight;
        if settled >= self.wake_at.load(Ordering::SeqCst) {
            self.room.notify_one();
        }
    }
}

impl Open {
    /// Invariant 1: the watermark moves past a ticket only when every record up to it has arrived.
    fn settle(&mut self, ticket: Ticket, records: u64) -> Option<Ticket> {
        let index = usize::try_from(ticket.checked_sub(self.first)?).ok()?;
        let left = self.left.get_mut(index)?;
        *left = left.saturating_sub(records);
        if index > 0 || *left > 0 || self.failed {
            return None;
        }
        while self.left.front() == Some(&0) {
            self.left.pop_front();
            self.first += 1;
        }
        Some(self.first - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(ledger: &Ledger, records: u32) -> Ticket {
        let ticket = ledger.open(records);
        ledger.close(ticket, 0);
        ticket
    }

    #[test]
    fn the_watermark_waits_for_the_oldest() {
        let ledger = Ledger::default();
        let (one, two, three) = (sent(&ledger, 2), sent(&ledger, 1), sent(&ledger, 1));
        ledger.arrived(two, 1);
        ledger.arrived(one, 1);
        assert_eq!(ledger.durable().latest(), None);
        ledger.arrived(one, 1);
        assert_eq!(ledger.durable().latest(), Some(two));
        ledger.arrived(three, 1);
        assert_eq!(ledger.durable().latest(), Some(three));
        ledger.weigh(4);
        assert_eq!(ledger.settled(), 4);
    }

    #[test]
    fn an_open_ticket_is_never_durable() {
        let ledger = Ledger::default();
        let half = ledger.open(3);
        ledger.arrived(half, 1);
        assert_eq!(ledger.durable().latest(), None);
        ledger.close(half, 2);
        assert_eq!(ledger.durable().latest(), Some(half));
    }

    #[test]
    fn a_ticket_taken_back_was_never_there() {
        let ledger = Ledger::default();
        let one = sent(&ledger, 1);
        let two = ledger.open(3);
        ledger.withdraw();
        ledger.arrived(one, 1);
        assert_eq!(ledger.durable().latest(), Some(one));
        assert_eq!(sent(&ledger, 1), two);
    }

    #[test]
    fn after_a_failure_it_never_moves() {
        let ledger = Ledger::default();
        let (one, two) = (sent(&ledger, 1), sent(&ledger, 1));
        ledger.arrived(one, 1);
        ledger.fail(Error::new(&crate::UNAVAILABLE, "away"));
        ledger.arrived(two, 1);
        assert_eq!(ledger.durable().latest(), Some(one));
        assert!(ledger.failure().is_some());
    }

    #[test]
    fn a_commit_reaches_all_tickets_at_once() {
        let ledger = Ledger::default();
        let last = [sent(&ledger, 5), sent(&ledger, 7)][1];
        ledger.committed(last);
        assert_eq!(ledger.durable().latest(), Some(last));
        assert_eq!(sent(&ledger, 1), last + 1);
    }

    #[tokio::test]
    async fn waiting_for_room_ends_when_enough_has_arrived() {
        let ledger = std::sync::Arc::new(Ledger::default());
        let ticket = sent(&ledger, 10);
        let waiter = {
            let ledger = std::sync::Arc::clone(&ledger);
            tokio::spawn(async move { ledger.until_settled(3).await })
        };
        for _ in 0..3 {
            ledger.arrived(ticket, 1);
            ledger.weigh(1);
            tokio::task::yield_now().await;
        }
        waiter.await.unwrap();
    }
}
