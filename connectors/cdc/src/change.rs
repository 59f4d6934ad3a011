//! Changes into records: envelope, key, tombstone.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use connect_core::{Batch, Cell, Header, HeaderRun, Nest, Record, Route};

use crate::{
    context::Context, envelope::field, modes::SkippedOperations, table::Table,
    transaction::TransactionTopic,
};

mod told;

pub use told::Ids;
use told::Told;

/// The letters of operations, as they stand in the arena of a batch.
const LETTERS: &[u8; 6] = b"crudtm";

/// An operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
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
pub enum Marker {
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

/// How many records of each operation were written, by [`Op`].
pub type Tally = [u64; LETTERS.len()];

/// Writes records. What each change tells of its source is given with it.
#[derive(Debug)]
pub struct Writer {
    tombstones: bool,
    context: Option<Context>,
    /// The headers of the context in the batch at hand.
    headers: HeaderRun,
    envelope: [Cell; field::COUNT],
    letters: [Cell; LETTERS.len()],
    markers: [Cell; MARKERS],
    new_key: Arc<str>,
    old_key: Arc<str>,
    /// What is told of transactions, if anything is.
    told: Option<Box<Told>>,
    tally: Tally,
}

/// The new row in the last record of a batch.
pub fn after_of_last(out: &Batch) -> Option<Nest> {
    let Cell::Nest(envelope) = out.records().last()?.value else {
        return None;
    };
    match out.cells(envelope).get(field::AFTER)? {
        Cell::Nest(after) => Some(*after),
        _ => None,
    }
}

/// A changed row: a table, what the source block tells, and the row's cells.
#[derive(Debug)]
pub struct Change<'a, O, X> {
    /// Its table.
    pub table: &'a Table<O, X>,
    /// The cells of its source block.
    pub source: &'a [Cell],
}

impl<O, X> Clone for Change<'_, O, X> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<O, X> Copy for Change<'_, O, X> {}

impl Writer {
    /// A writer for a task; whether deletes get tombstones.
    pub fn new(tombstones: bool) -> Self {
        Self {
            tombstones,
            context: None,
            headers: HeaderRun::default(),
            envelope: [Cell::Null; field::COUNT],
            letters: [Cell::Null; LETTERS.len()],
            markers: [Cell::Null; MARKERS],
            new_key: "__debezium.newkey".into(),
            old_key: "__debezium.oldkey".into(),
            told: None,
            tally: Tally::default(),
        }
    }

    /// The same, whose records say where they come from.
    #[must_use]
    pub fn with_context(mut self, context: Option<Context>) -> Self {
        self.context = context;
        self
    }

    /// The same, that tells of transactions.
    #[must_use]
    pub fn with_transactions(mut self, topic: Option<TransactionTopic>) -> Self {
        self.told = topic.map(|topic| Box::new(Told::new(topic)));
        self
    }

    /// Begins a batch: reads the clock, and puts what all rows share into its arena. Gives the time in milliseconds.
    pub fn begin_batch(&mut self, out: &mut Batch) -> i64 {
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
        if let Some(context) = &self.context {
            let headers = context.headers(out);
            self.headers = out.push_headers(&headers);
        }
        now_ns / 1_000_000
    }

    /// How many records were written so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// The letter of an operation in the batch at hand.
    pub fn letter(&self, op: Op) -> Cell {
        self.letters[op as usize]
    }

    /// The time of the batch at hand, in milliseconds.
    pub fn ts_ms(&self) -> Cell {
        self.envelope[field::TS_MS]
    }

    /// The text of a marker in the batch at hand.
    #[inline]
    pub fn marker(&mut self, marker: Marker, out: &mut Batch) -> Cell {
        let Some(cell) = self.markers.get_mut(marker as usize) else {
            return Cell::Null;
        };
        if *cell == Cell::Null {
            *cell = out.push_bytes(marker.text());
        }
        *cell
    }

    /// A created row.
    #[inline]
    pub fn create<O, X>(&mut self, of: Change<'_, O, X>, row: &[Cell], out: &mut Batch) {
        let record = self.created(of, row, out);
        out.push(record);
    }

    #[inline]
    fn created<O, X>(&mut self, of: Change<'_, O, X>, row: &[Cell], out: &mut Batch) -> Record {
        let after = of.table.row(row, out);
        let key = of.table.key(row, out);
        self.record(of, Op::Create, key, [Cell::Null, after], out)
    }

    /// A row of a snapshot.
    #[inline]
    pub fn read<O, X>(&mut self, of: Change<'_, O, X>, row: &[Cell], out: &mut Batch) {
        let after = of.table.row(row, out);
        let key = of.table.key(row, out);
        let record = self.record(of, Op::Read, key, [Cell::Null, after], out);
        out.push(record);
    }

    /// A changed row whose key is the same.
    #[inline]
    pub fn update<O, X>(
        &mut self,
        of: Change<'_, O, X>,
        before: Option<&[Cell]>,
        row: &[Cell],
        out: &mut Batch,
    ) {
        let before = before.map_or(Cell::Null, |cells| of.table.row(cells, out));
        let after = of.table.row(row, out);
        let key = of.table.key(row, out);
        let record = self.record(of, Op::Update, key, [before, after], out);
        out.push(record);
    }

    /// A changed row whose key has changed: the old one is deleted, the new one created, and each tells the other's key.
    pub fn rekey<O, X>(
        &mut self,
        of: Change<'_, O, X>,
        (before, row): (&[Cell], &[Cell]),
        skipped: SkippedOperations,
        out: &mut Batch,
    ) {
        let table = of.table;
        let deleted = (!skipped.delete).then(|| self.deleted(of, before, out));
        let created = (!skipped.create).then(|| self.created(of, row, out));
        let mut key = |of: Option<Record>, cells: &[Cell]| {
            of.map_or_else(|| table.key(cells, out), |record| record.key)
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
    pub fn delete<O, X>(&mut self, of: Change<'_, O, X>, before: &[Cell], out: &mut Batch) {
        let record = self.deleted(of, before, out);
        out.push(record);
        if self.tombstones {
            let route = out.route_index(&of.table.tombstone);
            out.push(Record::new(route, record.key, Cell::Null).with(self.headers));
        }
    }

    fn deleted<O, X>(&mut self, of: Change<'_, O, X>, before: &[Cell], out: &mut Batch) -> Record {
        let row = of.table.row(before, out);
        let key = of.table.key(before, out);
        self.record(of, Op::Delete, key, [row, Cell::Null], out)
    }

    /// An emptied table.
    pub fn truncate<O, X>(&mut self, of: Change<'_, O, X>, out: &mut Batch) {
        let nothing = [Cell::Null, Cell::Null];
        let mut record = self.record(of, Op::Truncate, Cell::Null, nothing, out);
        record.route = out.route_index(&of.table.keyless);
        out.push(record);
    }

    /// A record of another shape, with the headers of all.
    pub fn push(&self, route: &Arc<Route>, key: Cell, value: Cell, out: &mut Batch) {
        let route = out.route_index(route);
        out.push(Record::new(route, key, value).with(self.headers));
    }

    #[inline]
    fn record<O, X>(
        &mut self,
        of: Change<'_, O, X>,
        op: Op,
        key: Cell,
        [before, after]: [Cell; 2],
        out: &mut Batch,
    ) -> Record {
        self.tally[op as usize] += 1;
        let mut envelope = self.envelope;
        envelope[field::BEFORE] = before;
        envelope[field::AFTER] = after;
        envelope[field::SOURCE] = out.push_nest(of.source);
        envelope[field::TRANSACTION] = self.block(&of.table.name, out);
        envelope[field::OP] = self.letters[op as usize];
        let value = out.push_nest(&envelope);
        Record::new(out.route_index(&of.table.route), key, value).with(self.headers)
    }
}
