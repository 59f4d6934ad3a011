//! Changes into records: what the binlog tells of where they come from.

use cdc::{
    change::{Change, Ids, Marker, Writer},
    context::Context,
    modes::SkippedOperations,
    transaction::{Counts, TransactionTopic},
};
use connect_core::{Batch, Cell};

use crate::{
    schema_changes::{self, SchemaChange, SchemaTopic},
    source::{FIELDS, field, table_field},
    tables::Table,
};

/// Writes records. Knows where the next ones come from.
#[derive(Debug)]
pub(crate) struct ChangeWriter {
    writer: Writer,
    source: [Cell; FIELDS],
    /// Texts that all rows of an event share, and that have to be in each batch anew.
    gtid: Option<Box<str>>,
    file: Box<str>,
    query: Option<Box<[u8]>>,
}

impl ChangeWriter {
    /// A writer for a task; whether deletes get tombstones.
    pub(crate) fn new(tombstones: bool) -> Self {
        let mut source = [Cell::Const; FIELDS];
        for at in [field::SERVER_ID, field::POS, field::ROW] {
            source[at] = Cell::Int(0);
        }
        for at in [field::GTID, field::THREAD, field::QUERY] {
            source[at] = Cell::Null;
        }
        // The sequence is PostgreSQL's alone.
        source[SEQUENCE] = Cell::Null;
        Self {
            writer: Writer::new(tombstones),
            source,
            gtid: None,
            file: "".into(),
            query: None,
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

    /// Begins a batch: reads the clock, and puts what all rows share into its arena. Gives the time in milliseconds.
    pub(crate) fn begin_batch(&mut self, out: &mut Batch) -> i64 {
        let now_ms = self.writer.begin_batch(out);
        self.source[field::FILE] = out.push_bytes(self.file.as_bytes());
        let mut text = |text: Option<&[u8]>| text.map_or(Cell::Null, |text| out.push_bytes(text));
        self.source[field::GTID] = text(self.gtid.as_deref().map(str::as_bytes));
        self.source[field::QUERY] = text(self.query.as_deref());
        self.writer.identify(|_| {}, out);
        now_ms
    }

    /// The next records come from a file.
    pub(crate) fn file(&mut self, file: &str, out: &mut Batch) {
        if *self.file != *file {
            self.file = file.into();
            self.source[field::FILE] = out.push_bytes(file.as_bytes());
        }
    }

    /// The next records belong to a transaction, made by a connection.
    pub(crate) fn begin_transaction(&mut self, gtid: Option<String>, out: &mut Batch) {
        let text = gtid.as_deref();
        self.source[field::GTID] = text.map_or(Cell::Null, |text| out.push_bytes(text.as_bytes()));
        self.gtid = gtid.map(Into::into);
        self.source[field::SNAPSHOT] = Cell::Const;
        self.query(None, out);
    }

    /// The connection that made what follows.
    pub(crate) fn thread(&mut self, thread: Option<u32>) {
        self.source[field::THREAD] = thread.map_or(Cell::Null, |thread| Cell::Int(thread.into()));
    }

    /// The statement that made what follows.
    pub(crate) fn query(&mut self, sql: Option<&[u8]>, out: &mut Batch) {
        self.source[field::QUERY] = sql.map_or(Cell::Null, |sql| out.push_bytes(sql));
        self.query = sql.map(Into::into);
    }

    /// The event whose rows follow: its server, where it begins, and when it happened in microseconds since 1970-01-01.
    pub(crate) fn event(&mut self, server_id: u32, pos: u64, us: i64) {
        self.source[field::SERVER_ID] = Cell::Int(server_id.into());
        self.source[field::POS] = Cell::Int(pos.cast_signed());
        self.source[field::TS_MS] = Cell::Int(us.div_euclid(1000));
        self.source[field::TS_US] = Cell::Int(us);
        self.source[field::TS_NS] = Cell::Int(us.saturating_mul(1000));
    }

    /// A created row, which is the nth of its event.
    #[inline]
    pub(crate) fn create(&mut self, table: &Table, nth: u64, row: &[Cell], out: &mut Batch) {
        self.row(nth);
        let source = &self.source;
        self.writer.create(Change { table, source }, row, out);
    }

    /// A changed row whose key is the same.
    #[inline]
    pub(crate) fn update(
        &mut self,
        table: &Table,
        nth: u64,
        (before, row): (&[Cell], &[Cell]),
        out: &mut Batch,
    ) {
        self.row(nth);
        let source = &self.source;
        let change = Change { table, source };
        self.writer.update(change, Some(before), row, out);
    }

    /// A changed row whose key has changed: the old one is deleted, the new one created, and each tells the other's key.
    pub(crate) fn rekey(
        &mut self,
        table: &Table,
        nth: u64,
        rows: (&[Cell], &[Cell]),
        skipped: SkippedOperations,
        out: &mut Batch,
    ) {
        self.row(nth);
        let source = &self.source;
        self.writer
            .rekey(Change { table, source }, rows, skipped, out);
    }

    /// A deleted row, and its tombstone.
    pub(crate) fn delete(&mut self, table: &Table, nth: u64, before: &[Cell], out: &mut Batch) {
        self.row(nth);
        let source = &self.source;
        self.writer.delete(Change { table, source }, before, out);
    }

    /// An emptied table.
    pub(crate) fn truncate(&mut self, table: &Table, out: &mut Batch) {
        self.row(0);
        let source = &self.source;
        self.writer.truncate(Change { table, source }, out);
    }

    /// A row of a snapshot.
    #[inline]
    pub(crate) fn read(&mut self, table: &Table, marker: Marker, row: &[Cell], out: &mut Batch) {
        self.source[field::SNAPSHOT] = self.writer.marker(marker, out);
        let source = &self.source;
        self.writer.read(Change { table, source }, row, out);
    }

    /// A statement that changed a schema, by the server and at the place that [`Self::event`] was told.
    pub(crate) fn schema(
        &mut self,
        topic: &SchemaTopic,
        change: &SchemaChange<'_>,
        marker: Option<Marker>,
        out: &mut Batch,
    ) {
        let mut source = self.source;
        source[table_field::DB] = out.push_bytes(change.database.as_bytes());
        let tables = change.tables.as_deref();
        source[table_field::TABLE] = tables.map_or(Cell::Null, |t| out.push_bytes(t.as_bytes()));
        source[field::SNAPSHOT] = match marker {
            Some(marker) => self.writer.marker(marker, out),
            None => Cell::Const,
        };
        let mut value = [Cell::Null; schema_changes::field::COUNT];
        value[schema_changes::field::SOURCE] = out.push_nest(&source);
        value[schema_changes::field::TS_MS] = self.writer.ts_ms();
        let database = out.push_bytes(change.database.as_bytes());
        value[schema_changes::field::DATABASE] = database;
        value[schema_changes::field::DDL] = out.push_bytes(change.ddl.as_bytes());
        let changes = topic.changes(change.change.as_ref());
        value[schema_changes::field::CHANGES] = out.push_value(&changes, topic.changes_schema());
        let (key, value) = (out.push_nest(&[database]), out.push_nest(&value));
        self.writer.push(&topic.route, key, value, out);
    }

    #[inline]
    fn row(&mut self, nth: u64) {
        self.source[field::ROW] = Cell::Int(nth.cast_signed());
    }

    /// A transaction is sent, from its begin or, with what was counted of it, from a place within.
    pub(crate) fn tell_begin(
        &mut self,
        id: &str,
        ms: i64,
        counted: Option<Counts>,
        out: &mut Batch,
    ) {
        let ids = Ids {
            stored: id,
            shown: id,
        };
        self.writer.tell_begin(ids, ms, counted, out);
        self.writer.identify(|_| {}, out);
    }

    /// It ends.
    pub(crate) fn tell_end(&mut self, out: &mut Batch) {
        self.writer.tell_end(str::to_owned, out);
    }
}

/// The place of the sequence in the block.
const SEQUENCE: usize = 6;
