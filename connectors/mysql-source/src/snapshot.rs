//! The snapshot phase: every captured table, read as of one place in the binlog.
//!
//! A snapshot that was interrupted goes on where it stopped, and every key keeps the order of its changes. Each try has a moment
//! of its own ([`moment`]), at a place between two transactions, and does three things in turn:
//!
//! 1. It streams from the place of the last try up to its own.
//! 2. It reads, as of its own, what no try has read: the keys behind the last one whose position is durable.
//! 3. It streams on.
//!
//! So whatever a reader of the topic has seen of a key before, the stream leads it on to the new moment and past it; and a row that
//! is read comes when its key is just there. To read first and to stream from the old place then would not do: an older state
//! would follow a newer one. A table that got its name meanwhile, or another key, is read from its start.
//!
//! The same holds for a snapshot that a signal asks for while the stream waits.

mod divide;
mod key;
mod meeting;
pub(crate) mod moment;
mod prepare;
mod rows;
mod session;
mod statement;
mod structure;

pub(crate) use self::{
    moment::{Moment, Taking, end_of_binlog},
    structure::{Structure, Telling},
};

use std::sync::Arc;

use cdc::{
    options::TableOrder,
    snapshot::{Division, One, Plan, Polled as Read, Reading, Report, Several},
};
use connect_core::{Batch, Result};

use self::{
    key::Key,
    moment::Lock,
    prepare::Prepared,
    session::{Session, begin_batch},
};
use crate::{
    catalog::TableInfo, change::ChangeWriter, position::Place, tables::Table, versions::Versions,
    wire::Connection,
};

/// A table to read.
#[derive(Debug)]
pub(crate) struct Planned {
    /// As the server has it.
    pub info: TableInfo,
    /// Compiled.
    pub table: Arc<Table>,
    /// In whose order its rows are read.
    key: Key,
}

impl cdc::snapshot::Planned for Planned {
    fn schema(&self) -> &str {
        &self.info.database
    }

    fn name(&self) -> &str {
        &self.info.name
    }
}

/// What a poll came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Polled {
    /// There is more.
    More,
    /// All tables are complete; `out` may hold the last rows.
    Complete,
}

/// What a snapshot is to do.
#[derive(Debug)]
pub(crate) struct Scope {
    /// The tables to read, in their order.
    pub tables: Vec<(TableInfo, Arc<Table>)>,
    /// Which are first instead, by their sizes.
    pub order: TableOrder,
    /// What is told before them.
    pub structure: Option<Structure>,
    /// All tables that are known, as of the snapshot.
    pub versions: Versions,
    /// How the work is divided.
    pub division: Division,
    /// Who tells of it.
    pub report: Report,
}

/// A running snapshot.
#[derive(Debug)]
pub(crate) struct Snapshot {
    reading: Reading<Session>,
    structure: Option<Structure>,
    writer: ChangeWriter,
    versions: Versions,
    place: Place,
    /// Whether the place has been told from which a later try can go on.
    is_placed: bool,
    /// The connection that holds the moment, where others read.
    holder: Option<Connection>,
    lock: Lock,
    partition: Arc<str>,
    prefix: String,
}

impl Snapshot {
    /// Reads tables as of a moment, which is at a place; goes on from its progress if there is one. `prefix` is the
    /// `topic.prefix`.
    pub(crate) async fn new(
        mut moment: Moment,
        scope: Scope,
        mut place: Place,
        (partition, prefix): (Arc<str>, String),
    ) -> Result<Self> {
        let progress = place.snapshot.take().unwrap_or_default();
        let sorted = (scope.tables, scope.order);
        let prepared = Prepared::new(&mut moment.connection, sorted, progress).await?;
        let mut report = scope.report;
        prepared.announce(&mut report);
        let Prepared { plan, extents, .. } = prepared;
        let is_placed = plan.tables.is_empty();
        place.snapshot = Some(plan.progress.clone());
        let writer = ChangeWriter::new(false).with_context(moment.context.clone());
        let (reading, holder, lock) = match moment.crew.take() {
            Some(crew) => {
                let connection = &mut moment.connection;
                let division = &scope.division;
                let parts = divide::divide(division, connection, &plan, &extents).await?;
                let several = Several::new(crew, plan, parts, division.marks_first(), report);
                let reading = Reading::Several(Box::new(several));
                (reading, Some(moment.connection), moment.lock)
            }
            None => {
                let (session, lock) = moment.into_session();
                (one(session, plan, report), None, lock)
            }
        };
        Ok(Self {
            reading,
            structure: scope.structure,
            writer,
            versions: scope.versions,
            place,
            is_placed,
            holder,
            lock,
            partition,
            prefix,
        })
    }

    /// Appends the next rows.
    pub(crate) async fn poll(&mut self, out: &mut Batch) -> Result<Polled> {
        if let Some(structure) = &mut self.structure {
            begin_batch(&mut self.writer, Some(&self.place.mark()), out);
            if structure.tell(&mut self.writer, &self.versions, out) {
                return Ok(Polled::More);
            }
            // From the next position on it is told.
            self.structure = None;
            out.clear();
        }
        if !std::mem::replace(&mut self.is_placed, true) {
            // Before the first row: were it read and deleted, and nothing stored, no later try would tell of that.
            self.stand(out);
            return Ok(Polled::More);
        }
        let (polled, progress) = match self.reading.poll(out).await? {
            Read::Nothing => return Ok(Polled::More),
            Read::More(progress) => (Polled::More, Some(progress)),
            Read::Complete => (Polled::Complete, None),
        };
        self.place.snapshot = progress;
        self.stand(out);
        Ok(polled)
    }

    /// Sets the position, and the tables as they are there.
    fn stand(&mut self, out: &mut Batch) {
        for position in self.versions.take_fresh(&self.prefix) {
            out.push_other_position(position);
        }
        self.place.versions = self.versions.count();
        out.set_position(self.place.position(&self.partition));
    }

    /// Ends the transactions; gives the place where streaming begins, and the tables as they are there.
    pub(crate) async fn finish(mut self) -> (Place, Versions) {
        self.reading.close().await;
        if let Some(holder) = self.holder {
            holder.close().await;
        }
        self.lock.released();
        tracing::info!(file = %self.place.file, pos = self.place.pos, "snapshot complete");
        (self.place, self.versions)
    }
}

fn one(session: Session, plan: Plan<Planned>, report: Report) -> Reading<Session> {
    Reading::One(Box::new(One::new(session, plan, report)))
}
