//! What is read of the log without a reader: blocks as they are, and where times are.

use std::sync::Arc;

use connect_core::{Error, Result};

use super::{
    block::Block,
    log::LocalLog,
    partition::{Catalog, Partition, PartitionId},
    request::{GroupOffsets, Work},
    store::{Head, Store},
};

/// Blocks whose heads are read at once.
const HEADS: usize = 256;

/// Where a record is, in offsets and in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) offset: i64,
    pub(crate) timestamp_ms: i64,
}

#[expect(private_bounds, reason = "stores are a matter of this crate")]
impl<S: Store> LocalLog<S> {
    /// All topics.
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.engine.shared.catalog
    }

    /// Commits offsets of a group. Who may is not asked here.
    pub(crate) async fn set_group_offsets(&self, offsets: GroupOffsets) -> Result<()> {
        self.engine.shared.ask(Work::Offsets(offsets)).await
    }

    /// The bytes of the bodies that are stored from offset `from` on: blocks of about `max_bytes`, one at least; 0 when only a gap is
    /// left before the end.
    pub(crate) async fn stored(
        &self,
        of: &Partition,
        from: i64,
        max_bytes: usize,
    ) -> Result<usize> {
        let (id, end) = (of.id, of.end());
        let heads = self.on_store(move |s| s.heads(id, from, HEADS)).await?;
        let mut bytes = 0_usize;
        for head in heads.iter().filter(|head| head.first < end) {
            let more = usize::try_from(head.bytes).unwrap_or(usize::MAX);
            if bytes > 0 && more > max_bytes.saturating_sub(bytes) {
                break;
            }
            bytes = bytes.saturating_add(more);
        }
        Ok(bytes)
    }

    /// The published blocks from offset `from` on, until so many bytes of bodies.
    pub(crate) async fn blocks(
        &self,
        of: &Partition,
        from: i64,
        bytes: usize,
    ) -> Result<Vec<Block>> {
        let (id, end) = (of.id, of.end());
        let mut blocks = self.on_store(move |s| s.read(id, from, bytes)).await?;
        // What the store has but the writer did not publish yet is not for readers.
        blocks.retain(|block| block.first < end);
        Ok(blocks)
    }

    /// The first record at or after a time.
    pub(crate) async fn at_time(&self, of: &Partition, time_ms: i64) -> Result<Option<Place>> {
        let (id, start, end) = (of.id, of.start(), of.end());
        let mut block = self.on_store(move |s| s.reaching(id, time_ms)).await?;
        while let Some(found) = block.filter(|block| block.first < end) {
            if let Some(place) = first_at(&found, start, time_ms)? {
                return Ok(Some(place));
            }
            let next = found.last + 1;
            let blocks = self.on_store(move |s| s.read(id, next, 1)).await?;
            block = blocks.into_iter().next();
        }
        Ok(None)
    }

    /// The first of the records with the largest timestamp.
    pub(crate) async fn latest_time(&self, of: &Partition) -> Result<Option<Place>> {
        let peak_ms = of.extent().upto.peak_ms;
        // Mostly the record that made the peak is still there.
        if let Some(place) = self.at_time(of, peak_ms).await? {
            return Ok(Some(place));
        }
        let (id, start, end) = (of.id, of.start(), of.end());
        let mut best: Option<Place> = None;
        let mut best_head: Option<Head> = None;
        let mut from = start;
        loop {
            let heads = self.on_store(move |s| s.heads(id, from, HEADS)).await?;
            for head in heads.iter().filter(|head| head.first < end) {
                if head.first < start {
                    best = self.latest_in(id, head.last, start).await?;
                } else if best_head.is_none_or(|b| head.max_timestamp_ms > b.max_timestamp_ms) {
                    best_head = Some(*head);
                }
            }
            match heads.last() {
                Some(last) if heads.len() == HEADS && last.last < end => from = last.last + 1,
                _ => break,
            }
        }
        let Some(head) = best_head else {
            return Ok(best);
        };
        let found = self.latest_in(id, head.last, start).await?;
        let later = found.filter(|f| best.is_none_or(|b| f.timestamp_ms > b.timestamp_ms));
        Ok(later.or(best))
    }

    async fn latest_in(&self, id: PartitionId, last: i64, start: i64) -> Result<Option<Place>> {
        let blocks = self.on_store(move |s| s.read(id, last, 1)).await?;
        let mut best: Option<Place> = None;
        for entry in blocks.iter().take(1).flat_map(Block::entries) {
            let entry = entry?;
            let later = best.is_none_or(|best| entry.timestamp_ms > best.timestamp_ms);
            if entry.offset >= start && later {
                best = Some(Place {
                    offset: entry.offset,
                    timestamp_ms: entry.timestamp_ms,
                });
            }
        }
        Ok(best)
    }

    /// Runs something on the store where it may wait for the disk.
    async fn on_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&S) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = Arc::clone(&self.engine.shared.store);
        if !S::WAITS {
            return work(&store);
        }
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        done.map_err(|e| {
            Error::new(&connect_core::error::INTERNAL, "reading the log panicked").caused_by(e)
        })?
    }
}

/// The first record from offset `start` on that is not before a time.
fn first_at(block: &Block, start: i64, time_ms: i64) -> Result<Option<Place>> {
    for entry in block.entries() {
        let entry = entry?;
        if entry.offset >= start && entry.timestamp_ms >= time_ms {
            return Ok(Some(Place {
                offset: entry.offset,
                timestamp_ms: entry.timestamp_ms,
            }));
        }
    }
    Ok(None)
}
