//! Changes into records: what PostgreSQL tells of where they come from.

mod message;
mod transaction;

use cdc::{
    change::{Change, Writer},
    context::Context,
    modes::SkippedOperations,
    transaction::{Counts, TransactionTopic},
};
use connect_core::{Batch, Cell};

pub(crate) use cdc::change::{Marker, after_of_last};

pub(crate) use self::message::Messages;
use crate::{
    relations::Table,
    source::{self, LSN, ORIGIN, ORIGIN_LSN, SEQUENCE, SNAPSHOT, TS_MS, TS_NS, TS_US, TX_ID, XMIN},
    temporal::POSTGRES_EPOCH_US,
};

/// Writes records. Knows the transaction that the next ones belong to.
#[derive(Debug)]
pub(crate) struct ChangeWriter {
    writer: Writer,
    source: [Cell; source::FIELDS],
    last_commit: Option<u64>,
    /// The LSN of the sequence that stands in the batch already.
    sequence_of: Option<u64>,
    /// The name of the server that the transaction came from.
    origin: Option<Box<str>>,
}

impl ChangeWriter {
    /// A writer for a task; whether deletes get tombstones.
    pub(crate) fn new(tombstones: bool) -> Self {
        let mut source = [Cell::Const; source::FIELDS];
        // xmin, origin and origin_lsn.
        source
            .iter_mut()
            .skip(XMIN)
            .for_each(|cell| *cell = Cell::Null);
        Self {
            writer: Writer::new(tombstones),
            source,
            last_commit: None,
            sequence_of: None,
            origin: None,
        }
    }

    /// How many records were written so far.
    pub(crate) fn tally(&self) -> cdc::change::Tally {
        self.writer.tally()
    }

    /// The same, whose records say where they come from.
    pub(crate) fn with_context(mut self, context: Option<Context>) -> Self {
        self.writer = self.writer.with_context(context);
        self
    }

    /// The same, that tells of transactions.
    pub(crate) fn with_transactions(mut self, topic: Option<TransactionTopic>) -> Self {
        self.writer = self.writer.with_transactions(topic);
        self
    }

    /// What has been counted of the transaction that is being sent.
    pub(crate) fn counted(&self) -> Option<&Counts> {
        self.writer.counted()
    }

    /// Begins a batch: reads the clock, and puts what all rows share into its arena.
    pub(crate) fn begin_batch(&mut self, out: &mut Batch) -> i64 {
        self.sequence_of = None;
        if let Some(origin) = &self.origin {
            self.source[ORIGIN] = out.push_bytes(origin.as_bytes());
        }
        self.writer.begin_batch(out)
    }

    /// The next records belong to a transaction; `committed_us` is since 2000-01-01.
    pub(crate) fn begin_transaction(
        &mut self,
        xid: u32,
        committed_us: i64,
        last_commit: Option<u64>,
    ) {
        self.source_time(committed_us.saturating_add(POSTGRES_EPOCH_US));
        self.source[TX_ID] = Cell::Int(i64::from(xid));
        self.source[SNAPSHOT] = Cell::Const;
        self.last_commit = last_commit;
        self.sequence_of = None;
        if self.origin.take().is_some() {
            (self.source[ORIGIN], self.source[ORIGIN_LSN]) = (Cell::Null, Cell::Null);
        }
    }

    /// The transaction that has begun came from another server.
    pub(crate) fn came_from(&mut self, name: &str, lsn: u64, out: &mut Batch) {
        self.origin = Some(name.into());
        self.source[ORIGIN] = out.push_bytes(name.as_bytes());
        self.source[ORIGIN_LSN] = Cell::Int(lsn.cast_signed());
    }

    /// The next records belong to a snapshot taken at an LSN; `taken_us` is since 1970-01-01.
    pub(crate) fn begin_snapshot(&mut self, xid: Option<i64>, lsn: u64, taken_us: i64) {
        self.source_time(taken_us);
        self.source[TX_ID] = xid.map_or(Cell::Null, Cell::Int);
        self.source[LSN] = Cell::Int(lsn.cast_signed());
        self.last_commit = None;
        self.sequence_of = None;
    }

    /// The next records of a snapshot come behind a transaction of the stream that ended here.
    pub(crate) fn follows(&mut self, last_commit: Option<u64>) {
        self.last_commit = last_commit;
    }

    /// The time of what follows, in microseconds since 1970-01-01.
    pub(crate) fn source_time(&mut self, us: i64) {
        self.source[TS_MS] = Cell::Int(us.div_euclid(1000));
        self.source[TS_US] = Cell::Int(us);
        self.source[TS_NS] = Cell::Int(us.saturating_mul(1000));
    }

    /// A created row.
    #[inline]
    pub(crate) fn create(&mut self, table: &Table, lsn: u64, row: &[Cell], out: &mut Batch) {
        self.at(lsn, out);
        let source = &self.source;
        self.writer.create(Change { table, source }, row, out);
    }

    /// A changed row whose key is the same.
    #[inline]
    pub(crate) fn update(
        &mut self,
        table: &Table,
        lsn: u64,
        before: Option<&[Cell]>,
        row: &[Cell],
        out: &mut Batch,
    ) {
        self.at(lsn, out);
        let source = &self.source;
        self.writer
            .update(Change { table, source }, before, row, out);
    }

    /// A changed row whose key has changed: the old one is deleted, the new one created, and each tells the other's key.
    pub(crate) fn rekey(
        &mut self,
        table: &Table,
        lsn: u64,
        rows: (&[Cell], &[Cell]),
        skipped: SkippedOperations,
        out: &mut Batch,
    ) {
        self.at(lsn, out);
        let source = &self.source;
        self.writer
            .rekey(Change { table, source }, rows, skipped, out);
    }

    /// A deleted row, and its tombstone.
    pub(crate) fn delete(&mut self, table: &Table, lsn: u64, before: &[Cell], out: &mut Batch) {
        self.at(lsn, out);
        let source = &self.source;
        self.writer.delete(Change { table, source }, before, out);
    }

    /// An emptied table.
    pub(crate) fn truncate(&mut self, table: &Table, lsn: u64, out: &mut Batch) {
        self.at(lsn, out);
        let source = &self.source;
        self.writer.truncate(Change { table, source }, out);
    }

    /// A row of a snapshot.
    #[inline]
    pub(crate) fn read(
        &mut self,
        table: &Table,
        lsn: u64,
        marker: Marker,
        row: &[Cell],
        out: &mut Batch,
    ) {
        self.source[SNAPSHOT] = self.writer.marker(marker, out);
        self.at(lsn, out);
        if marker == Marker::Incremental {
            // Neither is told of these, as the stream goes on meanwhile.
            (self.source[LSN], self.source[TX_ID]) = (Cell::Null, Cell::Null);
        }
        let source = &self.source;
        self.writer.read(Change { table, source }, row, out);
    }

    /// Sets the LSN, and the sequence `["<last commit>","<lsn>"]`. Rows that share an LSN share its text.
    #[inline]
    fn at(&mut self, lsn: u64, out: &mut Batch) {
        if self.sequence_of == Some(lsn) {
            return;
        }
        let start = out.arena().len();
        let mut number = itoa::Buffer::new();
        let arena = out.arena();
        match self.last_commit {
            Some(commit) => {
                arena.extend_from_slice(b"[\"");
                arena.extend_from_slice(number.format(commit).as_bytes());
                arena.extend_from_slice(b"\",\"");
            }
            None => arena.extend_from_slice(b"[null,\""),
        }
        arena.extend_from_slice(number.format(lsn).as_bytes());
        arena.extend_from_slice(b"\"]");
        self.source[SEQUENCE] = out.made_since(start);
        self.source[LSN] = Cell::Int(lsn.cast_signed());
        self.sequence_of = Some(lsn);
        self.identify(lsn, out);
    }
}
