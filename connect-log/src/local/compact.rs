//! Compaction: of the records of a key only the last is left.
//!
//! As Kafka's log cleaner: the keys of the part that was not compacted yet are put into a bounded map with their last offsets;
//! then everything up to there is rewritten without the records that have a later one. A tombstone stays until
//! `delete.retention.ms` after the first compaction that saw it, so that readers that are not too far behind see it.

use std::sync::Arc;

use connect_core::Result;
use rustc_hash::FxHashMap;

use super::{
    append::now_ms,
    block::{Block, Entry, TARGET_BYTES},
    engine::Shared,
    partition::{Partition, PartitionId},
    rewrite::Slice,
    settings::Settings,
    store::{Head, Store},
};

/// Bytes of keys in the map of one pass.
const MAP_BYTES: usize = 4 << 20;
/// What a key costs in the map besides its bytes.
const KEY_OVERHEAD: usize = 64;
/// Bytes that one request rewrites.
const SLICE_BYTES: usize = 1 << 20;
/// Blocks whose heads are read at once.
const SLICE_HEADS: usize = 1024;

/// How far each partition is compacted. Kept in memory only: after a restart the first pass looks at everything again.
#[derive(Debug, Default)]
pub(crate) struct Compactions(FxHashMap<PartitionId, Clean>);

#[derive(Debug, Clone, Copy, Default)]
struct Clean {
    /// Everything before it has each key once.
    upto: i64,
    /// Bytes of it.
    bytes: u64,
    /// `written` at its end.
    written: u64,
    /// When the next tombstone may go.
    horizon_ms: Option<i64>,
}

/// The last offsets of keys.
#[derive(Debug, Default)]
struct Keys {
    last: FxHashMap<Box<[u8]>, i64>,
    bytes: usize,
    /// Keys up to here are in it.
    upto: i64,
}

/// What one pass does.
struct Pass {
    keys: Keys,
    now_ms: i64,
    horizon_ms: i64,
    clean: Clean,
}

impl Compactions {
    /// Compacts a partition if it is worth it; `asked`: also for a single record.
    pub(crate) fn compact<S: Store>(
        &mut self,
        shared: &Shared<S>,
        partition: &Arc<Partition>,
        settings: &Settings,
        asked: bool,
    ) -> Result<()> {
        let clean = self.0.entry(partition.id).or_default();
        while is_due(clean, partition, settings, asked) {
            let now_ms = now_ms();
            let mut pass = Pass {
                keys: Keys::gather(shared, partition, clean.upto)?,
                now_ms,
                horizon_ms: now_ms.saturating_add(settings.delete_retention_ms),
                clean: Clean::default(),
            };
            pass.rewrite(shared, partition)?;
            pass.clean.upto = pass.keys.upto;
            *clean = pass.clean;
        }
        if partition.is_gone() {
            self.0.remove(&partition.id);
        }
        Ok(())
    }
}

fn is_due(clean: &Clean, partition: &Partition, settings: &Settings, asked: bool) -> bool {
    if partition.is_gone() {
        return false;
    }
    if clean.horizon_ms.is_some_and(|horizon| horizon <= now_ms()) {
        return true;
    }
    let dirty = partition.extent().upto.written - clean.written;
    let ratio = dirty as f64 / (dirty + clean.bytes).max(1) as f64;
    clean.upto < partition.end() && (asked || ratio >= settings.dirty_ratio)
}

impl Keys {
    /// The keys from an offset on, until the map is full or the partition ends.
    fn gather<S: Store>(shared: &Shared<S>, of: &Partition, from: i64) -> Result<Self> {
        let mut keys = Self {
            upto: from,
            ..Self::default()
        };
        let end = of.end();
        while keys.upto < end && keys.bytes < MAP_BYTES {
            shared.keeper.must_go_on()?;
            let blocks = shared.store.read(of.id, keys.upto, SLICE_BYTES)?;
            if blocks.is_empty() {
                keys.upto = end;
            }
            for block in blocks {
                if block.first >= end {
                    keys.upto = end;
                }
                if keys.upto >= end || keys.bytes >= MAP_BYTES {
                    break;
                }
                keys.add(&block)?;
            }
        }
        Ok(keys)
    }

    fn add(&mut self, block: &Block) -> Result<()> {
        for entry in block.entries() {
            let entry = entry?;
            let Some(key) = key_of(block, &entry) else {
                continue;
            };
            match self.last.get_mut(key) {
                Some(last) => *last = entry.offset,
                None => {
                    self.bytes += key.len() + KEY_OVERHEAD;
                    self.last.insert(key.into(), entry.offset);
                }
            }
        }
        self.upto = block.last + 1;
        Ok(())
    }
}

impl Pass {
    fn rewrite<S: Store>(&mut self, shared: &Shared<S>, partition: &Arc<Partition>) -> Result<()> {
        let mut from = 0;
        let mut slice = Slice::default();
        loop {
            let heads = shared.store.heads(partition.id, from, SLICE_HEADS)?;
            let heads: Vec<_> = heads
                .into_iter()
                .take_while(|head| head.last < self.keys.upto)
                .collect();
            let Some(last) = heads.last() else { break };
            from = last.last + 1;
            for head in heads {
                shared.keeper.must_go_on()?;
                let blocks = shared.store.read(partition.id, head.last, 1)?;
                let Some(block) = blocks.into_iter().next().filter(|b| b.last == head.last) else {
                    continue;
                };
                self.rewrite_block(&block, &head, &mut slice)?;
                if slice.bytes() >= SLICE_BYTES {
                    slice.send(shared, partition)?;
                }
            }
        }
        slice.send(shared, partition)?;
        // Readers must not get from memory what the store has no more.
        partition.forget_recent();
        Ok(())
    }

    /// Moves what is left of a block into the slice; a block that stays as it is stays where it is.
    fn rewrite_block(&mut self, block: &Block, head: &Head, slice: &mut Slice) -> Result<()> {
        let mut kept = Vec::new();
        let mut tombstones = false;
        for entry in block.entries() {
            let entry = entry?;
            if self.keeps(block, &entry) {
                tombstones |= entry.value.is_none();
                self.clean.bytes += (entry.end - entry.start) as u64;
                kept.push(entry);
            }
        }
        let horizon_ms = tombstones.then(|| block.horizon_ms.unwrap_or(self.horizon_ms));
        self.clean.written = head.upto.written;
        self.clean.horizon_ms = earlier(self.clean.horizon_ms, horizon_ms);
        let same = kept.len() == block.count as usize && horizon_ms == block.horizon_ms;
        if same && block.body.len() >= TARGET_BYTES / 2 {
            slice.close();
            return Ok(());
        }
        slice.take(block);
        for entry in &kept {
            slice.push(block, entry, horizon_ms, head.upto);
        }
        Ok(())
    }

    fn keeps(&self, block: &Block, entry: &Entry) -> bool {
        let Some(key) = key_of(block, entry) else {
            // A topic that was not compacted always can have records without a key: they replace nothing.
            return true;
        };
        let superseded = self.keys.last.get(key).is_some_and(|l| *l > entry.offset);
        let expired = block.horizon_ms.is_some_and(|h| h <= self.now_ms);
        !superseded && (entry.value.is_some() || !expired)
    }
}

fn earlier(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn key_of<'a>(block: &'a Block, entry: &Entry) -> Option<&'a [u8]> {
    block.body.get(entry.key.clone()?)
}
