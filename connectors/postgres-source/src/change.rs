//! Changes into records: envelope, key, tombstone.

mod message;
mod transaction;

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use cdc::{context::Context, envelope::field, modes::SkippedOperations};
use connect_core::{Batch, Cell, Header, HeaderRun, Nest, Record};

use self::transaction::Told;
use crate::{
    decode,
    relations::Table,
    source::{self, LSN, ORIGIN, ORIGIN_LSN, SEQUENCE, SNAPSHOT, TS_MS, TS_NS, TS_US, TX_ID, XMIN},
    temporal::POSTGRES_EPOCH_US,
};

/// The letters of operations, as they stand in the arena of a batch.
const LETTERS: &[u8; 6] = b"crudtm";

/// An operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    /// A row was created.
    Create = 0,
    /// A row was read by a snapshot.
    Read = 1,
    /// A row was changed.
    Update = 2,
    /// A row was deleted.
    Delete = 3,
    /// A table was emptied.
    Truncate = 4,
    /// A logical message.
    Message = 5,
}

/// A row's place in a snapshot, as `source.snapshot` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    /// Somewhere.
    True,
    /// The first of all.
    First,
    /// The first of its table.
    FirstInTable,
    /// The last of its table.
    LastInTable,
    /// The last of all.
    Last,
    /// Somewhere in an incremental snapshot.
    Incremental,
}

/// How many markers there are.
const MARKERS: usize = 6;

impl Marker {
    fn text(self) -> &'static [u8] {
        match self {
            Self::True => b"true",
            Self::First => b"first",
            Self::FirstInTable => b"first_in_data_collection",
            Self::LastInTable => b"last_in_data_collection",
            Self::Last => b"last",
            Self::Incremental => b"incremental",
        }
    }
}

/// Writes records. Knows the transaction that the next ones belong to.
#[derive(Debug)]
pub(crate) struct ChangeWriter {
    tombstones: bool,
    context: Option<Context>,
    /// The headers of the context in the batch at hand.
    headers: HeaderRun,
    source: [Cell; source::FIELDS],
    envelope: [Cell; field::COUNT],
    letters: [Cell; LETTERS.len()],
    last_commit: Option<u64>,
    /// The LSN of the sequence that stands in the batch already.
    sequence_of: Option<u64>,
    markers: [Cell; MARKERS],
    /// The name of the server that the transaction came from.
    origin: Option<Box<str>>,
    new_key: Arc<str>,
    old_key: Arc<str>,
    /// What is told of transactions, if anything is.
    told: Option<Box<Told>>,
}

pub(crate) use self::message::Messages;

/// The new row in the last record of a batch.
pub(crate) fn after_of_last(out: &Batch) -> Option<Nest> {
    let Cell::Nest(envelope) = out.records().last()?.value else {
        return None;
    };
    match out.cells(envelope).get(field::AFTER)? {
        Cell::Nest(after) => Some(*after),
        _ => None,
    }
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
            tombstones,
            context: None,
            headers: HeaderRun::default(),
            source,
            envelope: [Cell::Null; field::COUNT],
            letters: [Cell::Null; LETTERS.len()],
            last_commit: None,
            sequence_of: None,
            markers: [Cell::Null; MARKERS],
            origin: None,
            new_key: "__debezium.newkey".into(),
            old_key: "__debezium.oldkey".into(),
            told: None,
        }
    }

    /// The same, whose records say where they come from.
    pub(crate) fn with_context(mut self, context: Option<Context>) -> Self {
        self.context = context;
        self
    }

    /// Begins a batch: reads the clock, and puts what all rows share into its arena.
    pub(crate) fn begin_batch(&mut self, out: &mut Batch) -> i64 {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let now_ns = i64::try_from(now.as_nanos()).unwrap_or(i64::MAX);
        self.envelope[field::TS_MS] = Cell::Int(now_ns / 1_000_000);
        self.envelope[field::TS_US] = Cell::Int(now_ns / 1000);
        self.envelope[field::TS_NS] = Cell::Int(now_ns);
        for (cell, letter) in self.letters.iter_mut().zip(LETTERS) {
            *cell = out.push_bytes(&[*letter]);
        }
        self.markers = [Cell::Null; MARKERS];
        self.sequence_of = None;
        if let Some(origin) = &self.origin {
            self.source[ORIGIN] = out.push_bytes(origin.as_bytes());
        }
        if let Some(context) = &self.context {
            let headers = context.headers(out);
            self.headers = out.push_headers(&headers);
        }
        now_ns / 1_000_000
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
    pub(crate) fn create(&mut self, table: &Table, lsn: u64, row: &[Cell], out: &mut Batch) {
        let record = self.created(table, lsn, row, out);
        out.push(record);
    }

    fn created(&mut self, table: &Table, lsn: u64, row: &[Cell], out: &mut Batch) -> Record {
        let after = decode::row(table, row, out);
        let key = decode::key(table, row, out);
        self.at(lsn, out);
        self.record(table, Op::Create, key, [Cell::Null, after], out)
    }

    /// A changed row whose key is the same.
    pub(crate) fn update(
        &mut self,
        table: &Table,
        lsn: u64,
        before: Option<&[Cell]>,
        row: &[Cell],
        out: &mut Batch,
    ) {
        let before = before.map_or(Cell::Null, |cells| decode::row(table, cells, out));
        let after = decode::row(table, row, out);
        let key = decode::key(table, row, out);
        self.at(lsn, out);
        let record = self.record(table, Op::Update, key, [before, after], out);
        out.push(record);
    }

    /// A changed row whose key has changed: the old one is deleted, the new one created, and each tells the other's key.
    pub(crate) fn rekey(
        &mut self,
        table: &Table,
        lsn: u64,
        (before, row): (&[Cell], &[Cell]),
        skipped: SkippedOperations,
        out: &mut Batch,
    ) {
        let deleted = (!skipped.delete).then(|| self.deleted(table, lsn, before, out));
        let created = (!skipped.create).then(|| self.created(table, lsn, row, out));
        let mut key = |of: Option<Record>, cells: &[Cell]| {
            of.map_or_else(|| decode::key(table, cells, out), |record| record.key)
        };
        let (old_key, new_key) = (key(deleted, before), key(created, row));
        let header = |name: &Arc<str>, value| Header {
            name: Arc::clone(name),
            schema: table.route.key().cloned(),
            value,
        };
        if let Some(deleted) = deleted {
            let headers = self.headed_by(header(&self.new_key, new_key), out);
            out.push(deleted.with(headers));
            if self.tombstones {
                let route = out.route_index(&table.tombstone);
                out.push(Record::new(route, old_key, Cell::Null).with(headers));
            }
        }
        if let Some(created) = created {
            let headers = self.headed_by(header(&self.old_key, old_key), out);
            out.push(created.with(headers));
        }
    }

    /// A header of a record's own, before those of all.
    fn headed_by(&self, first: Header, out: &mut Batch) -> HeaderRun {
        let mut headers = vec![first];
        headers.extend_from_slice(out.headers_of(self.headers));
        out.push_headers(&headers)
    }

    /// A deleted row, and its tombstone.
    pub(crate) fn delete(&mut self, table: &Table, lsn: u64, before: &[Cell], out: &mut Batch) {
        let record = self.deleted(table, lsn, before, out);
        out.push(record);
        self.tombstone(table, record.key, out);
    }

    fn deleted(&mut self, table: &Table, lsn: u64, before: &[Cell], out: &mut Batch) -> Record {
        let row = decode::row(table, before, out);
        let key = decode::key(table, before, out);
        self.at(lsn, out);
        self.record(table, Op::Delete, key, [row, Cell::Null], out)
    }

    fn tombstone(&self, table: &Table, key: Cell, out: &mut Batch) {
        if self.tombstones {
            let route = out.route_index(&table.tombstone);
            out.push(Record::new(route, key, Cell::Null).with(self.headers));
        }
    }

    /// An emptied table.
    pub(crate) fn truncate(&mut self, table: &Table, lsn: u64, out: &mut Batch) {
        self.at(lsn, out);
        let mut record = self.record(
            table,
            Op::Truncate,
            Cell::Null,
            [Cell::Null, Cell::Null],
            out,
        );
        record.route = out.route_index(&table.keyless);
        out.push(record);
    }

    /// A row of a snapshot.
    pub(crate) fn read(
        &mut self,
        table: &Table,
        lsn: u64,
        marker: Marker,
        row: &[Cell],
        out: &mut Batch,
    ) {
        let after = decode::row(table, row, out);
        let key = decode::key(table, row, out);
        if let Some(cell) = self.markers.get_mut(marker as usize) {
            if *cell == Cell::Null {
                *cell = out.push_bytes(marker.text());
            }
            self.source[SNAPSHOT] = *cell;
        }
        self.at(lsn, out);
        if marker == Marker::Incremental {
            // Neither is told of these, as the stream goes on meanwhile.
            (self.source[LSN], self.source[TX_ID]) = (Cell::Null, Cell::Null);
        }
        let record = self.record(table, Op::Read, key, [Cell::Null, after], out);
        out.push(record);
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

    #[inline]
    fn record(
        &mut self,
        table: &Table,
        op: Op,
        key: Cell,
        [before, after]: [Cell; 2],
        out: &mut Batch,
    ) -> Record {
        let mut envelope = self.envelope;
        envelope[field::BEFORE] = before;
        envelope[field::AFTER] = after;
        envelope[field::SOURCE] = out.push_nest(&self.source);
        envelope[field::TRANSACTION] = self.block(&table.name, out);
        envelope[field::OP] = self.letters[op as usize];
        let value = out.push_nest(&envelope);
        Record::new(out.route_index(&table.route), key, value).with(self.headers)
    }
}
