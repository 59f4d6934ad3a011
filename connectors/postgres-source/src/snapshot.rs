//! The snapshot phase: every captured table, read by COPY in one transaction.
//!
//! A snapshot that was interrupted goes on where it stopped, and every key keeps the order of its changes. The first
//! try reads the database as of C0, the place where the slot begins, through the snapshot that the slot exported;
//! that snapshot dies with its session. A later try takes a snapshot S1 of its own, and does three things in turn:
//!
//! 1. It streams what S1 has seen, from the place where the last try stood (C0 at first).
//! 2. It reads, as of S1, what no try has read: the keys behind the last one whose position is durable.
//! 3. It streams what S1 has not seen.
//!
//! So whatever a reader of the topic has seen of a key before, from a read as of C0 or an unfinished read as of an
//! earlier S, the stream leads it on from there to S1 and past it; and a read as of S1 comes when the key is just
//! there. To read first and to skip what S1 has seen would not do: a row that an earlier try had sent and that was
//! deleted before S1 would stay. To begin with a new slot would not do for the same reason.
//!
//! Commits become visible in another order than they are logged in, so 1 and 3 can overlap for a moment: some
//! transactions are passed by in 1, and what was sent behind them in 1 is passed by in 3. Two such transactions share
//! no key, else one had waited for the other. The position tells both places, and what S1 has seen while they differ
//! ([`crate::position::Ahead`]), so that a try that dies on the way repeats nothing of what is durable. Behind the
//! end of the log as of S1 nothing of this is left.
//!
//! The same holds for a slot that existed before its first snapshot, and for a snapshot of a task that has streamed.

mod divide;
mod gate;
pub(crate) mod moment;
mod prepare;
mod reader;
mod reading;
pub(crate) mod report;
mod several;
mod statement;
mod tables;
mod worker;

use std::sync::Arc;

use cdc::context::Context;
use connect_core::{Batch, Result};

use self::reader::{Reader, Step};
pub(crate) use self::{
    divide::Division,
    prepare::{Prepared, begin},
    reading::Reading,
    report::Report,
    several::{Several, Workers},
};
use crate::{
    catalog::TableInfo,
    change::{ChangeWriter, Marker},
    position::{Place, Progress, Range},
    relations::Table,
    wire::{Connection, Vigil},
};

/// A table to read.
#[derive(Debug)]
pub(crate) struct Planned {
    /// As the catalog has it.
    pub info: TableInfo,
    /// Compiled.
    pub table: Arc<Table>,
}

/// A running snapshot.
#[derive(Debug)]
pub(crate) struct Snapshot {
    connection: Connection,
    vigil: Vigil,
    plan: Vec<Planned>,
    at: usize,
    reader: Option<Reader>,
    writer: ChangeWriter,
    lsn: u64,
    /// Whether no row of the whole snapshot has been read yet.
    nothing_read: bool,
    /// The last table of the plan that has rows: its last row is the last of all.
    last_with_rows: usize,
    place: Place,
    /// Tables that are complete, where they are read in an order of their own.
    read: Option<Vec<String>>,
    /// The signal that asked for it.
    only: Option<Arc<str>>,
    partition: Arc<str>,
    report: Report,
}

/// What a poll came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Polled {
    /// There is more.
    More,
    /// All tables are complete; `out` may hold the last rows.
    Complete,
}

impl Snapshot {
    /// Reads what was prepared with one connection.
    pub(crate) async fn new(
        (mut connection, vigil): (Connection, Vigil),
        prepared: Prepared,
        partition: Arc<str>,
    ) -> Result<Self> {
        let Prepared {
            plan,
            mut place,
            moment,
            last_with_rows,
            report,
        } = prepared;
        let progress = place.snapshot.get_or_insert_default();
        let nothing_read = progress.table.is_none();
        let (read, only) = (progress.read.clone(), progress.only.clone());
        tracing::info!(
            tables = plan.len(),
            resumed = !nothing_read,
            "snapshot started"
        );
        let vigil = vigil.over_process(&mut connection).await?;
        Ok(Self {
            connection,
            vigil,
            plan,
            at: 0,
            reader: None,
            writer: moment.writer(),
            lsn: moment.lsn,
            nothing_read,
            last_with_rows,
            place,
            read,
            only,
            partition,
            report,
        })
    }

    /// The same, whose records say where they come from.
    pub(crate) fn with_context(mut self, context: Option<Context>) -> Self {
        self.writer = self.writer.with_context(context);
        self
    }

    /// Appends the next rows.
    pub(crate) async fn poll(&mut self, out: &mut Batch) -> Result<Polled> {
        let now_ms = self.writer.begin_batch(out);
        self.report.started(out, now_ms);
        let mut budget = reader::Budget::default();
        let polled = loop {
            let Some(planned) = self.plan.get(self.at) else {
                break Polled::Complete;
            };
            let reader = match &mut self.reader {
                Some(reader) => reader,
                none => {
                    self.report.table_begins(&planned.info, out, now_ms);
                    let rest = Range::behind(resumed_key(&self.place, &planned.info));
                    let starting = Reader::start(&mut self.connection, planned, &rest);
                    none.insert(self.vigil.over(starting).await?)
                }
            };
            let is_last = self.at == self.last_with_rows;
            // An empty first table leaves no first row of all.
            let is_first = self.nothing_read && self.at == 0;
            let frames = self.connection.frames();
            let rows = |first: bool, last: bool| marker(is_first, is_last, first, last);
            let mut emit = reader::Emit {
                planned,
                writer: &mut self.writer,
                lsn: self.lsn,
                marker: &rows,
            };
            let before = out.len();
            let step = reader.step(frames, &mut emit, &mut budget, out).await?;
            self.vigil.heard(step != Step::Waiting).await?;
            let read = out.len() - before;
            self.report.read(read);
            self.nothing_read &= read == 0;
            match step {
                Step::Full => break Polled::More,
                Step::Waiting if out.is_empty() => return Ok(Polled::More),
                Step::Waiting => break Polled::More,
                Step::End => self.table_complete(out, now_ms),
            }
        };
        self.stand(polled, out, now_ms)
    }

    fn table_complete(&mut self, out: &mut Batch, now_ms: i64) {
        if let Some(planned) = self.plan.get(self.at) {
            self.report.table_done(&planned.info, out, now_ms);
            if let Some(read) = &mut self.read {
                read.push(planned.info.full_name());
            }
            self.place.snapshot = Some(Progress {
                table: Some((planned.info.schema.clone(), planned.info.name.clone())),
                key: Vec::new(),
                complete: true,
                read: self.read.clone(),
                only: self.only.clone(),
                started: Vec::new(),
                rows: self.report.rows(),
            });
        }
        self.at += 1;
        self.reader = None;
    }

    fn stand(&mut self, polled: Polled, out: &mut Batch, now_ms: i64) -> Result<Polled> {
        if polled == Polled::Complete {
            self.place.snapshot = None;
            self.report.completed(out, now_ms);
        } else if let (Some(planned), Some(reader)) = (self.plan.get(self.at), &self.reader) {
            // A table without key has no place to come back to but its start.
            if let Some(key) = reader.last_key() {
                self.place.snapshot = Some(Progress {
                    table: Some((planned.info.schema.clone(), planned.info.name.clone())),
                    key,
                    complete: false,
                    read: self.read.clone(),
                    only: self.only.clone(),
                    started: Vec::new(),
                    rows: self.report.rows(),
                });
            }
        }
        out.set_position(self.place.position(&self.partition));
        Ok(polled)
    }

    /// Ends the transaction; gives the place where streaming begins.
    pub(crate) async fn finish(mut self) -> Result<Place> {
        self.connection.execute("COMMIT").await?;
        self.connection.close().await;
        Ok(self.place)
    }
}

/// The key after which to go on in a table; empty for its start.
fn resumed_key(place: &Place, info: &TableInfo) -> Vec<String> {
    let progress = place
        .snapshot
        .as_ref()
        .filter(|progress| !progress.complete);
    let here = progress.filter(|progress| {
        progress
            .table
            .as_ref()
            .is_some_and(|(s, t)| *s == info.schema && *t == info.name)
    });
    here.map(|progress| progress.key.clone())
        .unwrap_or_default()
}

fn marker(first_table: bool, last_table: bool, first: bool, last: bool) -> Marker {
    match (first, last) {
        (_, true) if last_table => Marker::Last,
        (true, _) if first_table => Marker::First,
        (_, true) => Marker::LastInTable,
        (true, _) => Marker::FirstInTable,
        _ => Marker::True,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{prepare::is_missing, *};

    pub(super) fn info(schema: &str, name: &str) -> TableInfo {
        TableInfo {
            oid: 1,
            schema: schema.into(),
            name: name.into(),
            columns: Vec::new(),
            key: Vec::new(),
            has_primary_key: true,
            replica_identity: b'd',
            select: None,
            streamed: false,
        }
    }

    #[test]
    fn a_resumed_snapshot_reads_what_is_missing() {
        let progress = |complete| Progress {
            table: Some(("b".into(), "m".into())),
            key: vec!["7".into()],
            complete,
            ..Progress::default()
        };
        let missing = |complete| {
            [("a", "z"), ("b", "l"), ("b", "m"), ("b", "n"), ("c", "a")]
                .map(|(schema, name)| is_missing(&info(schema, name), &progress(complete)))
        };
        assert_eq!(missing(false), [false, false, true, true, true]);
        assert_eq!(missing(true), [false, false, false, true, true]);
        assert!(is_missing(&info("a", "a"), &Progress::default()));
        let place = Place {
            snapshot: Some(progress(false)),
            ..Place::default()
        };
        assert_eq!(resumed_key(&place, &info("b", "m")), ["7"]);
        assert!(resumed_key(&place, &info("b", "n")).is_empty());
    }

    #[test]
    fn markers_tell_first_and_last() {
        assert_eq!(marker(true, false, true, false), Marker::First);
        assert_eq!(marker(true, true, true, true), Marker::Last);
        assert_eq!(marker(false, false, true, true), Marker::LastInTable);
        assert_eq!(marker(false, false, false, true), Marker::LastInTable);
        assert_eq!(marker(false, true, false, true), Marker::Last);
        assert_eq!(marker(false, true, false, false), Marker::True);
    }
}
