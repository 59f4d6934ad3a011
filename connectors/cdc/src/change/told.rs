//! Begins and ends of transactions, and the block in the records between them.

use std::sync::Arc;

use connect_core::{Batch, Cell};

use super::Writer;
use crate::transaction::{Counts, TransactionTopic};

/// What is told of transactions.
#[derive(Debug)]
pub(super) struct Told {
    topic: TransactionTopic,
    /// Of the transaction that is being sent.
    counts: Option<Counts>,
    committed_ms: i64,
    /// The id that the next records show.
    id: Cell,
}

impl Told {
    pub(super) fn new(topic: TransactionTopic) -> Self {
        Self {
            topic,
            counts: None,
            committed_ms: 0,
            id: Cell::Null,
        }
    }
}

/// A transaction's id: as offsets have it, and as the records of its begin and end show it.
#[derive(Debug, Clone, Copy)]
pub struct Ids<'a> {
    /// In offsets.
    pub stored: &'a str,
    /// In records.
    pub shown: &'a str,
}

impl Writer {
    /// A transaction is sent, from its begin or, with what was counted of it, from a place within.
    pub fn tell_begin(
        &mut self,
        ids: Ids<'_>,
        committed_ms: i64,
        counted: Option<Counts>,
        out: &mut Batch,
    ) {
        let Some(told) = &mut self.told else { return };
        told.committed_ms = committed_ms;
        told.counts = counted.filter(|counts| counts.id() == ids.stored);
        if told.counts.is_none() {
            told.topic.begin(ids.shown, committed_ms, out);
            told.counts = Some(Counts::new(ids.stored.to_owned()));
        }
    }

    /// It ends; `shown` makes the id that records show of the stored one.
    pub fn tell_end(&mut self, shown: impl FnOnce(&str) -> String, out: &mut Batch) {
        let Some(told) = &mut self.told else { return };
        if let Some(counts) = told.counts.take() {
            let id = shown(counts.id());
            told.topic.end(&id, told.committed_ms, &counts, out);
        }
    }

    /// What has been counted of the transaction that is being sent.
    pub fn counted(&self) -> Option<&Counts> {
        self.told.as_ref()?.counts.as_ref()
    }

    /// Sets the id that records show from here on in the batch at hand; `push` writes what follows the stored id.
    pub fn identify(&mut self, push: impl FnOnce(&mut Vec<u8>), out: &mut Batch) {
        if let Some(told) = &mut self.told
            && let Some(counts) = &told.counts
        {
            let at = out.arena().len();
            out.arena().extend_from_slice(counts.id().as_bytes());
            push(out.arena());
            told.id = out.made_since(at);
        }
    }

    /// The block of a record, which is counted with it; null outside of transactions.
    #[inline]
    pub fn block(&mut self, table: &Arc<str>, out: &mut Batch) -> Cell {
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
