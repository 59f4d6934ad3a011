//! What waits to be sent, per partition, in order.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use bytes::Bytes;
use connect_core::{Encoded, Result, encoded::EncodedRecord};

use super::{
    batch::{Builder, Content, Identity},
    compress::Compression,
};
use crate::Ticket;

/// A broker remembers so many batches of a producer and partition, to tell repetitions.
const MOST_ON_THEIR_WAY: usize = 5;

/// A batch as it is sent, however often.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) bytes: Bytes,
    pub(super) content: Content,
    /// Its place among the batches of its partition.
    ordinal: u64,
    created: Instant,
}

/// All partitions that a producer has written to.
#[derive(Debug)]
pub(in crate::kafka) struct Queue {
    pub(super) partitions: Vec<Partition>,
    /// Partitions with something that may be sent, each once.
    ready: VecDeque<usize>,
    compression: Compression,
    batch_size: usize,
}

/// One partition.
#[derive(Debug)]
pub(super) struct Partition {
    pub(super) topic: Arc<str>,
    pub(super) index: i32,
    open: Option<Builder>,
    full: VecDeque<Builder>,
    /// Came back, by ordinal.
    again: VecDeque<Sealed>,
    on_their_way: usize,
    /// Nothing is sent until what is on its way has come back and a moment has passed.
    muted: bool,
    listed: bool,
    sequence: i32,
    ordinal: u64,
    /// The ordinal of the oldest batch that has not arrived.
    expected: u64,
}

impl Queue {
    pub(super) fn new(compression: Compression, batch_size: usize) -> Self {
        Self {
            partitions: Vec::new(),
            ready: VecDeque::new(),
            compression,
            batch_size,
        }
    }

    /// Makes a partition known; its number here.
    pub(in crate::kafka) fn add(&mut self, topic: &Arc<str>, index: i32) -> usize {
        self.partitions
            .push(Partition::new(Arc::clone(topic), index));
        self.partitions.len() - 1
    }

    /// Adds a record. `limit` is the largest batch that its topic takes.
    pub(in crate::kafka) fn push(
        &mut self,
        at: usize,
        of: &Encoded,
        record: &EncodedRecord,
        what: &Push<'_>,
    ) {
        let (compression, limit) = (self.compression, self.batch_size.min(what.limit));
        let Some(partition) = self.partitions.get_mut(at) else {
            return;
        };
        if partition
            .open
            .as_ref()
            .is_some_and(|open| !open.has_room(what.bytes, limit))
        {
            partition.full.extend(partition.open.take());
        }
        let open = partition
            .open
            .get_or_insert_with(|| Builder::new(compression));
        open.push(of, record, what.headers, what.now_ms);
        open.note(what.ticket, what.weight);
        self.list(at);
    }

    /// The next partition that may have something to send.
    pub(super) fn next(&mut self) -> Option<usize> {
        let at = self.ready.pop_front()?;
        if let Some(partition) = self.partitions.get_mut(at) {
            partition.listed = false;
        }
        Some(at)
    }

    /// Looks at a partition again.
    pub(super) fn list(&mut self, at: usize) {
        let Some(partition) = self.partitions.get_mut(at) else {
            return;
        };
        if !partition.listed {
            partition.listed = true;
            self.ready.push_back(at);
        }
    }

    /// Throws away what was never sent; its weight.
    pub(in crate::kafka) fn discard(&mut self) -> u64 {
        let mut weight = 0;
        for partition in &mut self.partitions {
            let unsent = partition.full.drain(..).chain(partition.open.take());
            weight += unsent.map(|batch| batch.into_content().weight).sum::<u64>();
        }
        weight
    }

    /// When the oldest record that waits was taken.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.partitions.iter().filter_map(Partition::oldest).min()
    }
}

/// What goes with a record.
#[derive(Debug)]
pub(in crate::kafka) struct Push<'a> {
    /// Its headers, as they are written.
    pub(in crate::kafka) headers: &'a [u8],
    pub(in crate::kafka) ticket: Ticket,
    pub(in crate::kafka) weight: u64,
    /// Of key, value and headers.
    pub(in crate::kafka) bytes: usize,
    pub(in crate::kafka) limit: usize,
    pub(in crate::kafka) now_ms: i64,
}

impl Partition {
    fn new(topic: Arc<str>, index: i32) -> Self {
        Self {
            topic,
            index,
            open: None,
            full: VecDeque::new(),
            again: VecDeque::new(),
            on_their_way: 0,
            muted: false,
            listed: false,
            sequence: 0,
            ordinal: 0,
            expected: 0,
        }
    }

    /// The next batch, if one may be sent. One that is not full waits for those on their way, so that batches grow under load
    /// and a lone record waits for nothing.
    pub(super) fn take(&mut self, by: Identity) -> Result<Option<Sealed>> {
        if self.muted || self.on_their_way >= MOST_ON_THEIR_WAY {
            return Ok(None);
        }
        if let Some(batch) = self.again.pop_front() {
            self.on_their_way += 1;
            return Ok(Some(batch));
        }
        let next = match self.full.pop_front() {
            None if self.on_their_way == 0 => self.open.take(),
            full => full,
        };
        next.map(|builder| self.seal(builder, by)).transpose()
    }

    fn seal(&mut self, builder: Builder, by: Identity) -> Result<Sealed> {
        let (records, created) = (builder.records(), builder.created());
        let (bytes, content) = builder.seal(by, self.sequence)?;
        // Sequence numbers are positive and begin again at 0.
        self.sequence = self.sequence.wrapping_add(records) & i32::MAX;
        self.ordinal += 1;
        self.on_their_way += 1;
        let ordinal = self.ordinal - 1;
        Ok(Sealed {
            bytes,
            content,
            ordinal,
            created,
        })
    }

    /// A batch has arrived.
    pub(super) fn arrived(&mut self, batch: &Sealed) {
        self.on_their_way = self.on_their_way.saturating_sub(1);
        self.expected = self.expected.max(batch.ordinal + 1);
    }

    /// Whether everything before a batch has arrived.
    pub(super) fn is_next(&self, batch: &Sealed) -> bool {
        self.expected == batch.ordinal
    }

    /// A batch has to be sent again: first all that was sent with it comes back (Invariant 2).
    pub(super) fn came_back(&mut self, batch: Sealed) {
        self.on_their_way = self.on_their_way.saturating_sub(1);
        self.muted = true;
        let at = self
            .again
            .partition_point(|other| other.ordinal < batch.ordinal);
        self.again.insert(at, batch);
    }

    /// Ends the silence, unless something is still on its way.
    pub(super) fn unmute(&mut self) -> bool {
        self.muted = self.muted && self.on_their_way > 0;
        !self.muted
    }

    fn oldest(&self) -> Option<Instant> {
        let again = self.again.front().map(|batch| batch.created);
        let unsent = self
            .full
            .front()
            .or(self.open.as_ref())
            .map(Builder::created);
        again.or(unsent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BY: Identity = Identity {
        id: 1,
        epoch: 0,
        transactional: false,
    };

    /// A queue of one partition whose batches take one record of these.
    fn queue(records: usize) -> Queue {
        let mut queue = Queue::new(Compression::None, 100);
        let topic: Arc<str> = "t".into();
        let at = queue.add(&topic, 0);
        let mut encoded = Encoded::default();
        for _ in 0..records {
            encoded.push(&topic, None, Some(&[b'x'; 80]), 1);
        }
        for (number, record) in encoded.records.iter().enumerate() {
            let push = Push {
                headers: &[0],
                ticket: number as Ticket,
                weight: 1,
                bytes: 80,
                limit: 1000,
                now_ms: 1,
            };
            queue.push(at, &encoded, record, &push);
        }
        queue
    }

    fn take(queue: &mut Queue) -> Option<Sealed> {
        queue.partitions[0].take(BY).unwrap()
    }

    fn ticket(batch: &Sealed) -> Ticket {
        batch.content.tickets[0].0
    }

    #[test]
    fn a_partition_is_listed_once() {
        let mut queue = queue(9);
        assert_eq!(queue.next(), Some(0));
        assert_eq!(queue.next(), None);
    }

    #[test]
    fn at_most_five_are_on_their_way_and_the_open_one_waits() {
        let mut queue = queue(7);
        let sent: Vec<Sealed> = std::iter::from_fn(|| take(&mut queue)).collect();
        assert_eq!(sent.iter().map(ticket).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        for batch in &sent {
            assert!(queue.partitions[0].is_next(batch));
            queue.partitions[0].arrived(batch);
        }
        assert_eq!(take(&mut queue).map(|batch| ticket(&batch)), Some(5));
        assert!(
            take(&mut queue).is_none(),
            "the open batch grows while another is on its way"
        );
    }

    #[test]
    fn what_comes_back_is_sent_again_in_order_before_anything_else() {
        let mut queue = queue(8);
        let mut sent: Vec<Sealed> = std::iter::from_fn(|| take(&mut queue)).collect();
        let partition = &mut queue.partitions[0];
        partition.arrived(&sent.remove(0));
        while let Some(batch) = sent.pop() {
            partition.came_back(batch);
            assert!(partition.take(BY).unwrap().is_none());
            assert_eq!(
                partition.unmute(),
                sent.is_empty(),
                "silent until all is back"
            );
        }
        let again: Vec<Ticket> = std::iter::from_fn(|| take(&mut queue))
            .map(|b| ticket(&b))
            .collect();
        assert_eq!(again, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn what_was_never_sent_can_be_thrown_away() {
        let mut queue = queue(8);
        let first = take(&mut queue).unwrap();
        assert_eq!(queue.discard(), 7);
        queue.partitions[0].arrived(&first);
        assert!(take(&mut queue).is_none());
        assert_eq!(queue.oldest(), None);
    }
}
