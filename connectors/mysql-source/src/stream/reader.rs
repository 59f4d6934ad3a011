//! Events into records, one by one.

mod statements;

use std::sync::Arc;

use cdc::{
    context::Context, filters::Filter, modes::SkippedOperations, text::Frame,
    transaction::TransactionTopic,
};
use connect_core::{Batch, Cell, Error, Result};

use self::statements::Pending;
use super::{heard::Heard, rows::RowReader};
use crate::{
    binlog::{
        self, EVENT_LIMIT, Event, GtidEvent, Header, Inflater, NO_BACKSLASH_ESCAPES, Query,
        TableMap,
    },
    change::ChangeWriter,
    config::Inconsistent,
    course::Course,
    ddl::{Statement, Xa},
    error,
    gtid::Gtids,
    incremental::Progress,
    known::Tables,
    position::{Mark, Place},
    schema_changes::SchemaTopic,
    versions::Versions,
    wire::Side,
};

/// What a reader is made with.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The tables, none known yet.
    pub tables: Tables,
    /// Whether deletes get tombstones.
    pub tombstones: bool,
    /// What records say of this task, if they do.
    pub context: Option<Context>,
    /// Operations that are left out.
    pub skipped: SkippedOperations,
    /// Where transactions are told, if they are.
    pub transactions: Option<TransactionTopic>,
    /// Where schema changes are told, if they are.
    pub schema_topic: Option<Arc<SchemaTopic>>,
    /// Whether only those of captured tables are.
    pub only_captured: bool,
    /// Whether records tell the statement that made them.
    pub include_query: bool,
    /// What becomes of rows whose table is not what is known of it.
    pub inconsistent: Inconsistent,
    /// Whose transactions have rows that are sent: servers of MySQL, domains of MariaDB. None for all.
    pub sources: Option<Filter>,
    /// The full name of the table whose rows are signals, if there is one.
    pub signal_table: Option<String>,
}

/// Reads events one by one.
#[derive(Debug)]
pub(crate) struct Reader {
    tables: Tables,
    course: Course,
    writer: ChangeWriter,
    rows: RowReader,
    heard: Heard,
    schema_topic: Option<Arc<SchemaTopic>>,
    only_captured: bool,
    include_query: bool,
    inconsistent: Inconsistent,
    sources: Option<Filter>,
    /// Whether the transaction at hand is of one that is left out.
    is_left_out: bool,
    /// When the transaction at hand was committed where it happened first.
    committed_us: Option<i64>,
    /// Whether events have checksums.
    pub(super) checked: bool,
    inflater: Inflater,
    /// Where reading ends.
    goal: Option<Place>,
    /// When the last event happened, in seconds since 1970-01-01.
    last_s: u32,
    /// Where the next event begins in its file.
    pos: u64,
    /// Where the last event begins that tells its place: MariaDB 11.8 tells none within a transaction.
    start: u64,
}

/// An event, and where it lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) header: Header,
    pub(super) body: &'a [u8],
    /// The frame, for what does not come out of a decoder.
    pub(super) frame: Option<Frame<'a>>,
}

/// The same, with its place in the file.
#[derive(Debug, Clone, Copy)]
struct Placed<'a> {
    header: Header,
    body: &'a [u8],
    frame: Option<Frame<'a>>,
    /// Where it begins, or the last event before it that tells.
    start: u64,
    /// Where the next event begins.
    end: u64,
}

impl Placed<'_> {
    /// Where it begins.
    fn start(&self) -> u64 {
        self.start
    }

    /// Where the next one begins.
    fn end(&self) -> u64 {
        self.end
    }
}

/// Where the next event begins, of which events tell only the lower 32 bits; `pos` is where this one does.
pub(crate) fn widened(pos: u64, header: &Header) -> u64 {
    let is_in_file = header.next_pos > 0 && !header.is_artificial() && !header.is_format();
    if !is_in_file {
        return pos;
    }
    let (high, low) = (pos >> 32, pos & u64::from(u32::MAX));
    let high = high + u64::from(u64::from(header.next_pos) < low);
    high << 32 | u64::from(header.next_pos)
}

impl Reader {
    /// Goes on from a place.
    pub(super) fn new(settings: Settings, place: Place, checked: bool) -> Self {
        let writer = ChangeWriter::new(settings.tombstones)
            .with_context(settings.context)
            .with_transactions(settings.transactions);
        Self {
            tables: settings.tables,
            course: Course::new(place),
            writer,
            rows: RowReader::new(settings.skipped),
            heard: Heard::new(settings.signal_table),
            schema_topic: settings.schema_topic,
            only_captured: settings.only_captured,
            include_query: settings.include_query,
            inconsistent: settings.inconsistent,
            sources: settings.sources,
            is_left_out: false,
            committed_us: None,
            checked,
            inflater: Inflater::new(EVENT_LIMIT),
            goal: None,
            last_s: 0,
            pos: 0,
            start: 0,
        }
    }

    /// Begins a batch; gives its time in milliseconds since 1970-01-01.
    pub(super) fn begin_batch(&mut self, out: &mut Batch) -> i64 {
        self.writer.begin_batch(out)
    }

    /// Where the task stands.
    pub(super) fn place(&mut self) -> Place {
        Place {
            versions: self.tables.versions().count(),
            ..self.course.place(self.writer.counted())
        }
    }

    /// Whether a transaction has begun and not ended.
    pub(super) fn is_open(&self) -> bool {
        self.course.is_open()
    }

    /// Sets where reading ends: between two transactions.
    pub(super) fn aim(&mut self, goal: Place) {
        self.goal = Some(goal);
    }

    /// Whether reading ends somewhere.
    pub(super) fn has_goal(&self) -> bool {
        self.goal.is_some()
    }

    /// Whether everything before the goal has been read.
    pub(super) fn reached(&self) -> bool {
        let Some(goal) = self.goal.as_ref().filter(|_| !self.course.is_open()) else {
            return false;
        };
        // A server that is asked by ids may name the files that it passes by a moment later.
        let (own, at) = (self.course.gtids(), self.mark_of_next());
        let has_all = goal
            .gtids
            .as_ref()
            .zip(own)
            .is_some_and(|(goal, own)| goal.is_reached_by(own));
        has_all || at.is_some_and(|at| at >= goal.mark())
    }

    /// Where the next event lies; `None` before the server has told.
    fn mark_of_next(&self) -> Option<Mark> {
        (self.pos > 0).then(|| Mark {
            file: Arc::clone(self.course.file()),
            pos: self.pos,
        })
    }

    /// What the tables are.
    pub(super) fn into_versions(self) -> Versions {
        self.tables.into_versions()
    }

    /// What the tables are.
    pub(super) fn versions(&mut self) -> &mut Versions {
        self.tables.versions()
    }

    /// What is listened for.
    pub(super) fn heard(&mut self) -> &mut Heard {
        &mut self.heard
    }

    /// How far the stream has come.
    pub(super) fn progress(&self) -> Progress {
        let mut gtids = self.course.gtids().cloned();
        let is_within = self.course.is_open();
        let at = match is_within {
            true => self.course.begun_at(),
            false => Mark {
                file: Arc::clone(self.course.file()),
                pos: self.pos,
            },
        };
        if let Some(gtid) = self.course.gtid().filter(|_| is_within) {
            gtids.get_or_insert_with(|| Gtids::of(gtid)).add(gtid);
        }
        Progress {
            at,
            is_within,
            gtids,
        }
    }

    /// How many records were written so far.
    pub(super) fn tally(&self) -> cdc::change::Tally {
        self.writer.tally()
    }

    /// When the last event happened, in seconds since 1970-01-01.
    pub(super) fn last_s(&self) -> u32 {
        self.last_s
    }

    /// Takes one event; its records go to `out`. The server is asked on the side for tables that are not known.
    pub(super) async fn event(
        &mut self,
        at: At<'_>,
        side: &mut Side,
        out: &mut Batch,
    ) -> Result<()> {
        let at = self.placed(at);
        match binlog::event(&at.header, at.body)? {
            Event::Rows(_) if self.is_left_out => self.course.complete(at.end()),
            Event::Rows(rows) => {
                let Self {
                    rows: reader,
                    tables,
                    course,
                    writer,
                    heard,
                    inflater,
                    committed_us,
                    ..
                } = self;
                let header = &at.header;
                let us = committed_us.unwrap_or(i64::from(header.timestamp_s) * 1_000_000);
                writer.event(header.server_id, at.start(), us);
                course.note(header.server_id, header.timestamp_s);
                let frame = at.frame.filter(|_| !rows.compressed);
                let Event::Rows(rows) = inflater.event(Event::Rows(rows))? else {
                    return Ok(());
                };
                let to = (course, writer, heard);
                reader
                    .read(&rows, tables, frame, to, out)
                    .map_err(|error| located(error, self.course.file(), &at))?;
                self.course.complete(at.end());
            }
            Event::TableMap(map) => {
                if !self.tables.knows(&map, at.body) {
                    self.learn(&map, &at, side).await?;
                }
                self.course.complete(at.end());
            }
            Event::Query(query) => {
                if let Some(pending) = self.query(query, &at, out)? {
                    // Boxed: statements are rare, rows are not.
                    Box::pin(self.statement(pending, &at, side, out)).await?;
                    self.pass(&at);
                }
            }
            other => self.rarer(other, &at, out)?,
        }
        Ok(())
    }

    /// The event with its place in the file.
    fn placed<'a>(&mut self, at: At<'a>) -> Placed<'a> {
        if at.header.timestamp_s > 0 {
            self.last_s = at.header.timestamp_s;
        }
        self.pos = widened(self.pos, &at.header);
        if at.header.next_pos > 0 {
            self.start = self.pos.saturating_sub(at.header.size.into());
        }
        Placed {
            header: at.header,
            body: at.body,
            frame: at.frame,
            start: self.start,
            end: self.pos,
        }
    }

    async fn learn(&mut self, map: &TableMap<'_>, at: &Placed<'_>, side: &mut Side) -> Result<()> {
        let connection = side.connection().await?;
        let learnt = self.tables.learn(map, at.body, connection).await;
        match (learnt, self.inconsistent) {
            (Err(error), mode) if error.code() == &error::SCHEMA && mode != Inconsistent::Fail => {
                if mode == Inconsistent::Warn {
                    tracing::warn!(%error, "the rows of a table are left out");
                }
                self.tables.ignore(map, at.body);
                Ok(())
            }
            (learnt, _) => learnt.map_err(|error| located(error, self.course.file(), at)),
        }
    }

    fn rarer(&mut self, event: Event<'_>, at: &Placed<'_>, out: &mut Batch) -> Result<()> {
        match event {
            Event::Rotate { file, pos } => {
                self.pos = pos;
                self.course.rotate(file, pos);
                self.writer.file(file, out);
            }
            Event::Format(format) => self.checked = format.checked,
            Event::Gtid(gtid) => self.gtid(gtid, at, out),
            Event::Xid | Event::XaPrepare => self.end(at, out),
            Event::Statement(sql) => {
                if self.include_query {
                    self.writer.query(Some(sql), out);
                }
                self.course.complete(at.end());
            }
            Event::Incident => {
                let what = "the server has lost events of its binlog";
                return Err(located(
                    Error::new(&error::PURGED, what),
                    self.course.file(),
                    at,
                ));
            }
            Event::OfStatement => self.course.complete(at.end()),
            _ => {}
        }
        Ok(())
    }

    fn gtid(&mut self, gtid: GtidEvent, at: &Placed<'_>, out: &mut Batch) {
        self.committed_us = gtid.id.and(gtid.committed_us);
        let sources = self.sources.as_ref().zip(gtid.id);
        self.is_left_out = sources.is_some_and(|(filter, id)| !filter.passes(&id.origin()));
        self.course.announce(gtid.id);
        self.course.complete(at.end());
        // MariaDB writes no BEGIN: the id is one.
        if matches!(gtid.id, Some(binlog::Gtid::MariaDb(_))) && !gtid.standalone {
            self.begin(at, out);
        }
    }

    fn begin(&mut self, at: &Placed<'_>, out: &mut Batch) {
        self.course.begin(at.start());
        let gtid = self.course.gtid().map(ToString::to_string);
        let id = match &gtid {
            Some(gtid) => gtid.clone(),
            None => format!("file={},pos={}", self.course.file(), at.start()),
        };
        self.writer.begin_transaction(gtid, out);
        let told = self.course.told_before();
        let ms = match self.committed_us {
            Some(us) => us.div_euclid(1000),
            None => i64::from(at.header.timestamp_s) * 1000,
        };
        self.writer.tell_begin(&id, ms, told, out);
    }

    fn end(&mut self, at: &Placed<'_>, out: &mut Batch) {
        self.writer.tell_end(out);
        self.course.end(at.end());
        self.writer.begin_transaction(None, out);
        self.writer.thread(None);
    }

    /// Takes a statement; gives one back that is not only of a transaction.
    fn query(
        &mut self,
        query: Query<'_>,
        at: &Placed<'_>,
        out: &mut Batch,
    ) -> Result<Option<Pending>> {
        let Event::Query(query) = self.inflater.event(Event::Query(query))? else {
            return Ok(None);
        };
        let sql = String::from_utf8_lossy(query.sql);
        match Statement::of(&sql) {
            Statement::Begin => {
                self.writer.thread(Some(query.thread));
                self.begin(at, out);
            }
            Statement::Xa(Xa::Start) => self.begin(at, out),
            Statement::Commit | Statement::Rollback => self.end(at, out),
            Statement::Rows(table) => {
                let database = String::from_utf8_lossy(query.database).into_owned();
                self.logged_as_statement(table, &database, at)?;
                self.pass(at);
            }
            Statement::Savepoint | Statement::Xa(_) => self.pass(at),
            statement => {
                let escapes = query.sql_mode & NO_BACKSLASH_ESCAPES == 0;
                let database = String::from_utf8_lossy(query.database).into_owned();
                let sql = sql.into_owned();
                return Ok(Some(Pending {
                    statement,
                    sql,
                    database,
                    escapes,
                }));
            }
        }
        Ok(None)
    }

    /// A statement that is of no concern: within a transaction it counts, alone it is one.
    fn pass(&mut self, at: &Placed<'_>) {
        match self.course.is_open() {
            true => self.course.complete(at.end()),
            false => self.course.end(at.end()),
        }
    }
}

/// The error with the place of its event.
fn located(error: Error, file: &str, at: &Placed<'_>) -> Error {
    error.context("file", file).context("pos", at.start())
}

/// Cells of a row.
pub(super) type Cells = Vec<Cell>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_go_on_behind_4_gib() {
        let at = |next_pos, flags| Header {
            next_pos,
            flags,
            ..Header::default()
        };
        assert_eq!(widened(100, &at(150, 0)), 150);
        assert_eq!(widened(u64::from(u32::MAX) - 5, &at(20, 0)), (1 << 32) + 20);
        assert_eq!(widened((1 << 32) + 20, &at(90, 0)), (1 << 32) + 90);
        let of_no_file = widened((1 << 32) + 20, &at(4, 0x20));
        assert_eq!(of_no_file, (1 << 32) + 20);
    }
}
