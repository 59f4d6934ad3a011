//! Begins and ends of transactions, and the block in the records between them.

use cdc::transaction::{Counts, TransactionTopic};
use connect_core::{Batch, Cell};

use super::ChangeWriter;
use crate::stream::unix_us;

/// What is told of transactions.
#[derive(Debug)]
pub(super) struct Told {
    topic: TransactionTopic,
    /// Of the transaction that is being sent.
    counts: Option<Counts>,
    committed_ms: i64,
    /// The id that records of the last LSN show.
    id: Cell,
}

impl ChangeWriter {
    /// The same, that tells of transactions.
    pub(crate) fn with_transactions(mut self, topic: Option<TransactionTopic>) -> Self {
        self.told = topic.map(|topic| {
            Box::new(Told {
                topic,
                counts: None,
                committed_ms: 0,
                id: Cell::Null,
            })
        });
        self
    }

    /// A transaction is sent, from its begin or, with what was counted of it, from a place within.
    pub(crate) fn tell_begin(
        &mut self,
        (xid, lsn): (u32, u64),
        committed_us: i64,
        counted: Option<Counts>,
        out: &mut Batch,
    ) {
        let Some(told) = &mut self.told else { return };
        told.committed_ms = unix_us(committed_us).div_euclid(1000);
        let id = xid.to_string();
        told.counts = counted.filter(|counts| counts.id() == id);
        if told.counts.is_none() {
            told.topic
                .begin(&format!("{id}:{lsn}"), told.committed_ms, out);
            told.counts = Some(Counts::new(id));
        }
    }

    /// It ends.
    pub(crate) fn tell_end(&mut self, lsn: u64, out: &mut Batch) {
        let Some(told) = &mut self.told else { return };
        if let Some(counts) = told.counts.take() {
            let id = format!("{}:{lsn}", counts.id());
            told.topic.end(&id, told.committed_ms, &counts, out);
        }
    }

    /// What has been counted of the transaction that is being sent.
    pub(crate) fn counted(&self) -> Option<&Counts> {
        self.told.as_ref()?.counts.as_ref()
    }

    /// The id that records of an LSN show.
    pub(super) fn identify(&mut self, lsn: u64, out: &mut Batch) {
        if let Some(told) = &mut self.told
            && let Some(counts) = &told.counts
        {
            let at = out.arena().len();
            out.arena().extend_from_slice(counts.id().as_bytes());
            out.arena().push(b':');
            let mut number = itoa::Buffer::new();
            out.arena().extend_from_slice(number.format(lsn).as_bytes());
            told.id = out.made_since(at);
        }
    }

    /// The block of a record, which is counted with it; null outside of transactions.
    #[inline]
    pub(super) fn block(&mut self, table: &std::sync::Arc<str>, out: &mut Batch) -> Cell {
        let Some(told) = &mut self.told else {
            return Cell::Null;
        };
        let Some(counts) = &mut told.counts else {
            return Cell::Null;
        };
        let (total, of_table) = counts.count(table);
        out.push_nest(&[told.id, Cell::Int(total), Cell::Int(of_table)])
    }
}
