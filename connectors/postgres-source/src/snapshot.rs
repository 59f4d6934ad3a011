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
pub(crate) mod moment;
mod prepare;
mod reader;
mod session;
mod statement;

use std::sync::Arc;

use cdc::snapshot::{Crew, One, Polled as Read, Reading, Several};
use connect_core::{Batch, Result};

use self::session::{Session, Sessions};
pub(crate) use self::{
    divide::division,
    prepare::{Prepared, begin},
    session::Workers,
};
use crate::{
    catalog::TableInfo,
    position::Place,
    relations::Table,
    wire::{Answer, Connection, Vigil},
};

/// A table to read.
#[derive(Debug)]
pub(crate) struct Planned {
    /// As the catalog has it.
    pub info: TableInfo,
    /// Compiled.
    pub table: Arc<Table>,
}

impl cdc::snapshot::Planned for Planned {
    fn schema(&self) -> &str {
        &self.info.schema
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

/// A running snapshot.
#[derive(Debug)]
pub(crate) struct Snapshot {
    reading: Reading<Session>,
    /// Its transaction has the snapshot that several connections read, and the locks.
    holder: Option<Connection>,
    place: Place,
    partition: Arc<str>,
}

impl Snapshot {
    /// Reads what was prepared with its own connection.
    pub(crate) async fn one(
        (mut connection, vigil): (Connection, Vigil),
        prepared: Prepared,
        partition: Arc<str>,
        workers: Workers,
    ) -> Result<Self> {
        let (plan, place, moment, report) = prepared.apart();
        let vigil = vigil.over_process(&mut connection).await?;
        let session = Session::new(connection, vigil, moment, workers.context);
        Ok(Self {
            reading: Reading::One(Box::new(One::new(session, plan, report))),
            holder: None,
            place,
            partition,
        })
    }

    /// Reads what was prepared with as many connections as configured.
    pub(crate) async fn several(
        mut connection: Connection,
        prepared: Prepared,
        partition: Arc<str>,
        workers: Workers,
    ) -> Result<Self> {
        let division = division(&workers.config);
        let (plan, place, moment, report) = prepared.apart();
        let parts = divide::divide(&division, &mut connection, &plan).await?;
        let exported = export(&mut connection).await?;
        let threads = usize::from(division.threads).min(parts.len());
        let sessions = Sessions {
            workers,
            moment,
            exported,
        };
        let crew = Crew::gather(threads, &Arc::new(sessions))?;
        let several = Several::new(crew, plan, parts, division.marks_first(), report);
        Ok(Self {
            reading: Reading::Several(Box::new(several)),
            holder: Some(connection),
            place,
            partition,
        })
    }

    /// Appends the next rows.
    pub(crate) async fn poll(&mut self, out: &mut Batch) -> Result<Polled> {
        let (polled, progress) = match self.reading.poll(out).await? {
            Read::Nothing => return Ok(Polled::More),
            Read::More(progress) => (Polled::More, Some(progress)),
            Read::Complete => (Polled::Complete, None),
        };
        self.place.snapshot = progress;
        out.set_position(self.place.position(&self.partition));
        Ok(polled)
    }

    /// Ends the transaction; gives the place where streaming begins.
    pub(crate) async fn finish(self) -> Place {
        self.reading.close().await;
        if let Some(holder) = self.holder {
            holder.close().await;
        }
        self.place
    }
}

/// The name under which other transactions see what this one sees.
async fn export(connection: &mut Connection) -> Result<String> {
    let rows = connection
        .query("SELECT pg_catalog.pg_export_snapshot()")
        .await?;
    let row = rows.first();
    let row = row.ok_or_else(|| crate::error::protocol("the server exports no snapshot"))?;
    Ok(row.text(0).to_owned())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

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
}
