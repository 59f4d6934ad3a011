//! Begins and ends of transactions.

use cdc::{change::Ids, transaction::Counts};
use connect_core::Batch;

use super::ChangeWriter;
use crate::stream::unix_us;

impl ChangeWriter {
    /// A transaction is sent, from its begin or, with what was counted of it, from a place within.
    pub(crate) fn tell_begin(
        &mut self,
        (xid, lsn): (u32, u64),
        committed_us: i64,
        counted: Option<Counts>,
        out: &mut Batch,
    ) {
        let (id, shown) = (xid.to_string(), format!("{xid}:{lsn}"));
        let ids = Ids {
            stored: &id,
            shown: &shown,
        };
        let committed_ms = unix_us(committed_us).div_euclid(1000);
        self.writer.tell_begin(ids, committed_ms, counted, out);
    }

    /// It ends.
    pub(crate) fn tell_end(&mut self, lsn: u64, out: &mut Batch) {
        self.writer.tell_end(|id| format!("{id}:{lsn}"), out);
    }

    /// The id that records of an LSN show.
    pub(super) fn identify(&mut self, lsn: u64, out: &mut Batch) {
        let push = |arena: &mut Vec<u8>| {
            arena.push(b':');
            arena.extend_from_slice(itoa::Buffer::new().format(lsn).as_bytes());
        };
        self.writer.identify(push, out);
    }
}
