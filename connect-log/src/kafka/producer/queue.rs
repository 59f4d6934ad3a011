//! What waits to be sent, per partition, in order.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use bytes::Bytes;
use connect_core::{Encoded, Error, Result, encoded::EncodedRecord, error::INTERNAL};

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
    /// Whose batches are; `None` until it is known.
    identity: Option<Identity>,
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
    /// Whose its last batch was, and the number of the next record of theirs.
    by: Option<Identity>,
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
            identity: None,
        }
    }

    pub(super) fn identity(&self) -> Option<Identity> {
        self.identity
    }

    /// From now on batches are of this one. Fails when there are some of the one before.
    // Invariant 2: a batch is sent again as it was sealed, or never; no record changes from one transaction to another.
    pub(super) fn identify(&mut self, by: Identity) -> Result<()> {
        if self.identity == Some(by) {
            return Ok(());
        }
        if self.identity.is_some() && !self.partitions.iter().all(Partition::is_empty) {
            let what = "a transaction has ended before its records have arrived";
            return Err(Error::new(&INTERNAL, what));
        }
        self.identity = Some(by);
        Ok(())
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
            by: None,
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
        // Each epoch counts from 0.
        if self.by != Some(by) {
            self.by = Some(by);
            self.sequence = 0;
        }
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

    /// Whether nothing waits, and nothing is on its way.
    fn is_empty(&self) -> bool {
        self.oldest().is_none() && self.on_their_way == 0
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
mod tests;
