//! Blocks that are replaced by others with what is left of their records.

use std::sync::Arc;

use connect_core::Result;

use super::{
    block::{Block, Draft, Entry, TARGET_BYTES},
    engine::Shared,
    partition::Partition,
    request::Work,
    store::{Store, Upto},
};

/// What is left of blocks that are rewritten.
#[derive(Default)]
pub(crate) struct Slice {
    remove: Vec<i64>,
    put: Vec<(Block, Upto)>,
    open: Option<Open>,
    bytes: usize,
}

/// A block being put together.
struct Open {
    draft: Draft,
    first: i64,
    last: i64,
    horizon_ms: Option<i64>,
    upto: Upto,
}

impl Slice {
    /// A block whose records are about to come goes away.
    pub(crate) fn take(&mut self, block: &Block) {
        self.remove.push(block.last);
        self.bytes += block.body.len();
    }

    /// Bytes of the blocks that go away.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends a record to the open block, or to a new one when that is full.
    pub(crate) fn push(
        &mut self,
        block: &Block,
        entry: &Entry,
        horizon_ms: Option<i64>,
        upto: Upto,
    ) {
        let size = entry.end - entry.start;
        let full = |open: &Open| open.draft.body.len() + size > TARGET_BYTES;
        if self.open.as_ref().is_some_and(full) {
            self.close();
        }
        let open = self.open.get_or_insert_with(|| Open {
            draft: Draft::default(),
            first: entry.offset,
            last: entry.offset - 1,
            horizon_ms: None,
            upto,
        });
        let gap = u64::try_from(entry.offset - open.last - 1).unwrap_or(0);
        open.draft.push_entry(&block.body, entry, gap);
        open.last = entry.offset;
        open.horizon_ms = open.horizon_ms.max(horizon_ms);
        open.upto = upto;
    }

    /// The next record begins a new block.
    pub(crate) fn close(&mut self) {
        if let Some(open) = self.open.take() {
            let mut block = open.draft.into_block(open.first);
            block.last = open.last;
            block.horizon_ms = open.horizon_ms;
            self.put.push((block, open.upto));
        }
    }

    /// Has it written, and begins anew.
    pub(crate) fn send<S: Store>(
        &mut self,
        shared: &Shared<S>,
        partition: &Arc<Partition>,
    ) -> Result<()> {
        self.close();
        let Self { remove, put, .. } = std::mem::take(self);
        if remove.is_empty() {
            return Ok(());
        }
        shared.ask_blocking(Work::Rewrite {
            partition: Arc::clone(partition),
            remove,
            put,
            start: 0,
        })
    }
}
