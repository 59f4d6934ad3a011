//! Small blocks are put together: a trickle of commits of a few records each makes a row of each of them, which the file
//! neither packs nor compresses well.

use std::sync::Arc;

use connect_core::Result;
use rustc_hash::FxHashMap;

use super::{
    block::TARGET_BYTES,
    engine::Shared,
    partition::{Partition, PartitionId},
    rewrite::Slice,
    store::{Head, Store},
};

/// A block below this is worth being put together with others.
const SMALL_BYTES: u64 = TARGET_BYTES as u64 / 4;
/// So many of them, at least.
const MIN_RUN: usize = 4;
/// Blocks whose heads are read at once; so many that even the smallest fill a block.
const SLICE_HEADS: usize = 1024;

/// How far each partition was looked at. Kept in memory only.
#[derive(Debug, Default)]
pub(crate) struct Sealed(FxHashMap<PartitionId, i64>);

/// Small blocks in a row.
#[derive(Debug, Default)]
struct Run {
    heads: Vec<Head>,
    bytes: u64,
}

impl Sealed {
    /// Puts small blocks together where they fill one. What is left at the end waits for more.
    pub(crate) fn seal<S: Store>(
        &mut self,
        shared: &Shared<S>,
        partition: &Arc<Partition>,
    ) -> Result<()> {
        let upto = self.0.entry(partition.id).or_default();
        loop {
            shared.keeper.must_go_on()?;
            let heads = shared.store.heads(partition.id, *upto, SLICE_HEADS)?;
            let full = heads.len() == SLICE_HEADS;
            let mut run = Run::default();
            for head in heads {
                if head.bytes < SMALL_BYTES {
                    run.bytes += head.bytes;
                    run.heads.push(head);
                    if run.bytes < TARGET_BYTES as u64 {
                        continue;
                    }
                }
                *upto = head.last + 1;
                std::mem::take(&mut run).join(shared, partition)?;
            }
            if !full {
                break;
            }
            if let Some(last) = run.heads.last() {
                *upto = last.last + 1;
                run.join(shared, partition)?;
            }
        }
        if partition.is_gone() {
            self.0.remove(&partition.id);
        }
        Ok(())
    }
}

impl Run {
    /// Makes one block of them, with one request of its own: the writer is never held up for long.
    fn join<S: Store>(self, shared: &Shared<S>, partition: &Arc<Partition>) -> Result<()> {
        let (Some(first), Some(last)) = (self.heads.first(), self.heads.last()) else {
            return Ok(());
        };
        if self.heads.len() < MIN_RUN {
            return Ok(());
        }
        let max_bytes = usize::try_from(self.bytes).unwrap_or(TARGET_BYTES);
        let blocks = shared.store.read(partition.id, first.last, max_bytes)?;
        let blocks = blocks.iter().take_while(|block| block.last <= last.last);
        let mut slice = Slice::default();
        for (block, head) in blocks.zip(&self.heads) {
            if block.last != head.last {
                // Removed meanwhile; the next round looks again.
                return Ok(());
            }
            slice.take(block);
            for entry in block.entries() {
                slice.push(block, &entry?, block.horizon_ms, head.upto);
            }
        }
        slice.send(shared, partition)
    }
}
