//! Many records laid end to end in flat vectors. Cleared and reused; a steady stream allocates nothing.

use std::sync::Arc;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::{Cell, Datum, Nest, Position, Route, Schema, Span, Value, route::RouteId};

/// One record: where it goes, its key, its value.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// Index of its [`Route`] in the batch, from [`Batch::route_index`].
    pub route: u32,
    /// The key; [`Cell::Null`] for none.
    pub key: Cell,
    /// The value; [`Cell::Null`] for a tombstone.
    pub value: Cell,
    /// Milliseconds since 1970-01-01, or [`Record::NO_TIMESTAMP`].
    pub timestamp_ms: i64,
    /// Its partition in the topic it was read from, or [`Record::NOWHERE`].
    pub partition: i32,
    /// Its offset in the topic it was read from, or [`Record::NOWHERE`] as `i64`.
    pub offset: i64,
    /// First of its headers in the batch.
    pub headers_at: u32,
    /// How many headers.
    pub headers_len: u32,
}

impl Record {
    /// No timestamp: the log takes its own clock.
    pub const NO_TIMESTAMP: i64 = -1;
    /// Not read from a topic.
    pub const NOWHERE: i32 = -1;

    /// A record without headers, not read from a topic.
    pub fn new(route: u32, key: Cell, value: Cell) -> Self {
        Self {
            route,
            key,
            value,
            timestamp_ms: Self::NO_TIMESTAMP,
            partition: Self::NOWHERE,
            offset: i64::from(Self::NOWHERE),
            headers_at: 0,
            headers_len: 0,
        }
    }

    /// The same record with these headers.
    #[must_use]
    pub fn with(self, headers: HeaderRun) -> Self {
        Self {
            headers_at: headers.at,
            headers_len: headers.len,
            ..self
        }
    }
}

/// A header of a record. Rare, so it owns its parts.
#[derive(Debug, Clone)]
pub struct Header {
    /// Its name.
    pub name: Arc<str>,
    /// Its schema, if it has one.
    pub schema: Option<Arc<Schema>>,
    /// Its value: a cell of the same batch.
    pub value: Cell,
}

/// Headers in a batch, for records that share them; none by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeaderRun {
    at: u32,
    len: u32,
}

/// Many records, their cells, and the bytes that these point into.
#[derive(Debug, Default)]
pub struct Batch {
    frames: Vec<Bytes>,
    arena: Vec<u8>,
    cells: Vec<Cell>,
    free: Vec<Value>,
    routes: Vec<Arc<Route>>,
    route_index: FxHashMap<RouteId, u32>,
    records: Vec<Record>,
    headers: Vec<Header>,
    position: Option<Position>,
    other_positions: Vec<Position>,
    /// Outlives [`Batch::clear`]: the next batch goes on where this one ends.
    within_transaction: bool,
}

/// How much memory of its own a cleared batch keeps for the next round.
const KEEP_BYTES: usize = 1 << 20;

impl Batch {
    /// Forgets all records; keeps the memory of an ordinary batch.
    pub fn clear(&mut self) {
        self.frames.clear();
        self.arena.clear();
        self.arena.shrink_to(KEEP_BYTES);
        self.cells.clear();
        self.cells.shrink_to(KEEP_BYTES / size_of::<Cell>());
        self.free.clear();
        self.routes.clear();
        self.route_index.clear();
        self.records.clear();
        self.headers.clear();
        self.position = None;
        self.other_positions.clear();
    }

    /// How many records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether it has no records. It can still carry a position.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Bytes held: frames, arena and cells.
    pub fn bytes(&self) -> usize {
        let frames: usize = self.frames.iter().map(Bytes::len).sum();
        frames + self.arena.len() + self.cells.len() * size_of::<Cell>()
    }

    /// Takes a frame; spans name it by the index given back.
    pub fn push_frame(&mut self, frame: Bytes) -> u32 {
        self.frames.push(frame);
        (self.frames.len() - 1) as u32
    }

    /// Copies bytes into the arena. `None` stands for more than 4 GiB in one batch.
    pub fn push_bytes(&mut self, bytes: &[u8]) -> Cell {
        let at = self.arena.len();
        self.arena.extend_from_slice(bytes);
        self.made_since(at)
    }

    /// The arena, for writing bytes in place; name them afterwards with [`Batch::made_since`].
    pub fn arena(&mut self) -> &mut Vec<u8> {
        &mut self.arena
    }

    /// The cell of all arena bytes from `at` to the end.
    pub fn made_since(&self, at: usize) -> Cell {
        debug_assert!(
            self.arena.len() <= u32::MAX as usize,
            "a batch stays far below 4 GiB"
        );
        Cell::Span(Span {
            frame: Span::ARENA,
            at: at as u32,
            len: (self.arena.len() - at) as u32,
        })
    }

    /// Appends cells as the children of one nested cell.
    pub fn push_nest(&mut self, children: &[Cell]) -> Cell {
        let at = self.cells.len();
        self.cells.extend_from_slice(children);
        Cell::Nest(Nest {
            at: at as u32,
            len: children.len() as u32,
        })
    }

    /// Appends `len` null cells as the children of one nested cell, to be filled with [`Batch::cells_mut`].
    pub fn reserve_nest(&mut self, len: usize) -> Nest {
        let at = self.cells.len();
        self.cells.resize(at + len, Cell::Null);
        Nest {
            at: at as u32,
            len: len as u32,
        }
    }

    /// Takes an owned value: the schemaless case.
    pub fn push_free(&mut self, value: Value) -> Cell {
        self.free.push(value);
        Cell::Free((self.free.len() - 1) as u32)
    }

    /// The index by which records name a route.
    pub fn route_index(&mut self, route: &Arc<Route>) -> u32 {
        if let Some(last) = self.routes.last()
            && last.id() == route.id()
        {
            return (self.routes.len() - 1) as u32;
        }
        *self.route_index.entry(route.id()).or_insert_with(|| {
            self.routes.push(Arc::clone(route));
            (self.routes.len() - 1) as u32
        })
    }

    /// Appends a record.
    pub fn push(&mut self, record: Record) {
        self.records.push(record);
    }

    /// Appends a record with headers.
    pub fn push_with_headers(&mut self, record: Record, headers: &[Header]) {
        let run = self.push_headers(headers);
        self.records.push(record.with(run));
    }

    /// Appends headers, for any number of records: encoders write those that records share once.
    pub fn push_headers(&mut self, headers: &[Header]) -> HeaderRun {
        let at = self.headers.len() as u32;
        self.headers.extend_from_slice(headers);
        HeaderRun {
            at,
            len: headers.len() as u32,
        }
    }

    /// Where the source stands after the last record of this batch.
    pub fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    /// What else the source wants stored with that: positions of other source partitions.
    pub fn other_positions(&self) -> &[Position] {
        &self.other_positions
    }

    /// Adds the position of another source partition. It is stored in the same write as [`Self::position`].
    pub fn push_other_position(&mut self, position: Position) {
        self.other_positions.push(position);
    }

    /// Sets where the source stands after the last record of this batch.
    pub fn set_position(&mut self, position: Position) {
        self.position = Some(position);
    }

    /// Whether the last record is of a transaction of the source that has not ended, so that a reader of what was committed would
    /// see a part of it.
    pub fn is_within_transaction(&self) -> bool {
        self.within_transaction
    }

    /// Sets whether the batch ends within a transaction of the source. It holds for the batches after it, until it is set again.
    pub fn set_within_transaction(&mut self, within: bool) {
        self.within_transaction = within;
    }

    /// The records as they were appended.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The records, for transforms that change them in place.
    pub fn records_mut(&mut self) -> &mut [Record] {
        &mut self.records
    }

    /// Keeps the records for which `keep` says so; their order stays.
    pub fn retain(&mut self, mut keep: impl FnMut(Row<'_>) -> bool) {
        let mut records = std::mem::take(&mut self.records);
        records.retain(|record| {
            keep(Row {
                batch: self,
                record: *record,
            })
        });
        self.records = records;
    }

    /// Keeps the first `len` records.
    pub fn truncate(&mut self, len: usize) {
        self.records.truncate(len);
    }

    /// One record as a view.
    pub fn row(&self, index: usize) -> Option<Row<'_>> {
        self.records.get(index).map(|record| Row {
            batch: self,
            record: *record,
        })
    }

    /// All records as views, in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.records.iter().map(|record| Row {
            batch: self,
            record: *record,
        })
    }

    /// A route by the index that records carry.
    pub fn route(&self, index: u32) -> Option<&Arc<Route>> {
        self.routes.get(index as usize)
    }

    /// All routes of this batch.
    pub fn routes(&self) -> &[Arc<Route>] {
        &self.routes
    }

    /// Child cells; none when the nest is not of this batch.
    pub fn cells(&self, nest: Nest) -> &[Cell] {
        let at = nest.at as usize;
        self.cells.get(at..at + nest.len as usize).unwrap_or(&[])
    }

    /// Child cells, for filling.
    pub fn cells_mut(&mut self, nest: Nest) -> &mut [Cell] {
        let at = nest.at as usize;
        self.cells
            .get_mut(at..at + nest.len as usize)
            .unwrap_or(&mut [])
    }

    /// The bytes of a span; none when it is not of this batch.
    pub fn span(&self, span: Span) -> &[u8] {
        let bytes = match span.frame {
            Span::ARENA => self.arena.as_slice(),
            frame => self.frames.get(frame as usize).map_or(&[][..], |f| &f[..]),
        };
        let at = span.at as usize;
        bytes.get(at..at + span.len as usize).unwrap_or(&[])
    }

    /// An owned value by the index that [`Cell::Free`] carries.
    pub fn free(&self, index: u32) -> &Value {
        self.free.get(index as usize).unwrap_or(&Value::Null)
    }

    /// The headers of a run.
    pub fn headers_of(&self, run: HeaderRun) -> &[Header] {
        let at = run.at as usize;
        self.headers.get(at..at + run.len as usize).unwrap_or(&[])
    }

    /// The headers of a record.
    pub fn headers(&self, record: Record) -> &[Header] {
        let at = record.headers_at as usize;
        self.headers
            .get(at..at + record.headers_len as usize)
            .unwrap_or(&[])
    }

    /// Gives a record other headers.
    pub fn set_headers(&mut self, index: usize, headers: &[Header]) {
        let run = self.push_headers(headers);
        if let Some(record) = self.records.get_mut(index) {
            *record = record.with(run);
        }
    }

    /// Puts an owned value into cells, for a schema or (with `None`) as a schemaless value.
    pub fn push_value(&mut self, value: &Value, schema: Option<&Schema>) -> Cell {
        crate::datum::push_value(self, value, schema)
    }
}

/// One record of a batch, to read.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    batch: &'a Batch,
    record: Record,
}

impl<'a> Row<'a> {
    /// The record itself.
    pub fn record(self) -> Record {
        self.record
    }

    /// Its route. Every record of a batch has one.
    pub fn route(self) -> &'a Arc<Route> {
        &self.batch.routes[self.record.route as usize]
    }

    /// Its topic.
    pub fn topic(self) -> &'a Arc<str> {
        self.route().topic()
    }

    /// Its key.
    pub fn key(self) -> Datum<'a> {
        Datum::of(self.batch, self.route().key(), self.record.key)
    }

    /// Its value.
    pub fn value(self) -> Datum<'a> {
        Datum::of(self.batch, self.route().value(), self.record.value)
    }

    /// Its headers, each with its value.
    pub fn headers(self) -> impl ExactSizeIterator<Item = (&'a Arc<str>, Datum<'a>)> {
        let headers = self.batch.headers(self.record).iter();
        headers.map(move |h| (&h.name, Datum::of(self.batch, h.schema.as_ref(), h.value)))
    }
}
