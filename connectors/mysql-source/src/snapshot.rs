//! The snapshot phase: every captured table, read in one transaction as of one place in the binlog.
//!
//! The transaction begins while nobody writes: a global read lock is held for as long as it takes to open the transaction and
//! to read where the binlog ends. Where that lock is not ours to take, the transaction is opened again and again until the
//! binlog ends at the same place before and behind it.

mod structure;

pub(crate) use structure::{Structure, Telling};

use std::{sync::Arc, time::Duration};

use cdc::{change::Marker, context::Context, text::Frame};
use connect_core::{Batch, Cell, Error, Result};
use tokio::time::Instant;

use crate::{
    catalog::{TableInfo, quoted},
    change::ChangeWriter,
    config::Locking,
    convert::Op,
    error,
    gtid::Gtids,
    position::Place,
    shown,
    tables::Table,
    versions::Versions,
    wire::{Answer, Connection, Flavor, Look, is_end},
};

/// A batch is full with so many records …
const BATCH_RECORDS: usize = 512;
/// … or so many bytes from the server.
const BATCH_BYTES: usize = 256 << 10;
/// How often a transaction is opened in the hope that nobody writes meanwhile.
const TRIES: usize = 20;

/// A table to read.
#[derive(Debug)]
pub(crate) struct Planned {
    /// As the server has it.
    pub info: TableInfo,
    /// Compiled.
    pub table: Arc<Table>,
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
    /// The tables to read.
    pub plan: Vec<Planned>,
    /// What is told before them.
    pub structure: Option<Structure>,
    /// All tables that are known, as of the snapshot.
    pub versions: Versions,
}

/// A running snapshot.
#[derive(Debug)]
pub(crate) struct Snapshot {
    connection: Connection,
    structure: Option<Structure>,
    versions: Versions,
    plan: Vec<Planned>,
    at: usize,
    /// How many rows of the table at hand have been read; none while it has not been asked for.
    rows: Option<u64>,
    /// The last table of the plan that has rows: its last row is the last of all.
    last_with_rows: usize,
    writer: ChangeWriter,
    place: Place,
    cells: Vec<Cell>,
    is_locked: bool,
}

/// Opens the transaction of a snapshot; gives where the binlog ends as of then.
pub(crate) async fn begin(connection: &mut Connection, locking: Locking) -> Result<Place> {
    let session = "SET NAMES utf8mb4, SESSION time_zone = '+00:00', SESSION net_write_timeout = 86400, \
        SESSION wait_timeout = 86400";
    for sql in session_statements(session) {
        connection.execute(&sql).await?;
    }
    connection
        .execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        .await?;
    if locking == Locking::None {
        return unlocked(connection).await;
    }
    let lock = match locking {
        Locking::MinimalPercona | Locking::MinimalPerconaNoTableLocks => "LOCK TABLES FOR BACKUP",
        _ => "FLUSH TABLES WITH READ LOCK",
    };
    let started = Instant::now();
    match connection.execute(lock).await {
        Ok(()) => {}
        Err(error) if error.code() == &error::PERMISSION => {
            tracing::warn!(%error, "nobody may be locked out: the snapshot waits for a moment without writes");
            return unlocked(connection).await;
        }
        Err(error) => return Err(error),
    }
    connection.execute(OPEN).await?;
    let place = end_of_binlog(connection).await?;
    if locking != Locking::Extended {
        connection.execute("UNLOCK TABLES").await?;
        let held_ms = started.elapsed().as_millis();
        tracing::info!(held_ms, "the global read lock is released");
    }
    Ok(place)
}

const OPEN: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT";

fn session_statements(all: &str) -> [String; 2] {
    let (names, rest) = all.split_once(", ").unwrap_or((all, ""));
    [names.to_owned(), format!("SET {rest}")]
}

/// Opens the transaction between two looks at the binlog, until they are the same.
async fn unlocked(connection: &mut Connection) -> Result<Place> {
    let mut before = end_of_binlog(connection).await?;
    for _ in 0..TRIES {
        connection.execute(OPEN).await?;
        let behind = end_of_binlog(connection).await?;
        if behind == before {
            return Ok(behind);
        }
        connection.execute("ROLLBACK").await?;
        before = end_of_binlog(connection).await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let what = "there is no moment without writes, in which a snapshot could begin";
    Err(Error::new(&error::SNAPSHOT, what).context("tries", TRIES))
}

/// Where the binlog ends.
pub(crate) async fn end_of_binlog(connection: &mut Connection) -> Result<Place> {
    let server = connection.server().clone();
    let status = match server.flavor {
        Flavor::MySql if server.version >= (8, 2, 0) => "SHOW BINARY LOG STATUS",
        _ => "SHOW MASTER STATUS",
    };
    let rows = connection.query(status).await?;
    let row = rows
        .first()
        .ok_or_else(|| Error::new(&error::BINLOG, "the server has no binlog"))?;
    let pos = row.number(1).unwrap_or(4);
    let gtids = match server.flavor {
        Flavor::MySql => row.text(4).to_owned(),
        Flavor::MariaDb => {
            let rows = connection.query("SELECT @@GLOBAL.gtid_binlog_pos").await?;
            rows.first()
                .map_or(String::new(), |row| row.text(0).to_owned())
        }
    };
    let gtids: Option<Gtids> = match gtids.trim() {
        "" => None,
        text => Some(text.parse()?),
    };
    Ok(Place::between(row.text(0), pos, gtids))
}

impl Snapshot {
    /// Reads the tables of a plan in the transaction of a connection.
    pub(crate) async fn new(
        mut connection: Connection,
        scope: Scope,
        place: Place,
        context: Option<Context>,
        locking: Locking,
    ) -> Result<Self> {
        let Scope {
            plan,
            structure,
            versions,
        } = scope;
        let last_with_rows = last_with_rows(&mut connection, &plan).await?;
        let mut writer = ChangeWriter::new(false).with_context(context);
        writer.file(&place.file, &mut Batch::default());
        tracing::info!(tables = plan.len(), "snapshot started");
        Ok(Self {
            connection,
            structure,
            versions,
            plan,
            at: 0,
            rows: None,
            last_with_rows,
            writer,
            place,
            cells: Vec::new(),
            is_locked: locking == Locking::Extended,
        })
    }

    /// Appends the next rows.
    pub(crate) async fn poll(&mut self, out: &mut Batch) -> Result<Polled> {
        let now_ms = self.writer.begin_batch(out);
        self.writer.event(0, self.place.pos, now_ms * 1000);
        if let Some(structure) = &mut self.structure
            && structure.tell(&mut self.writer, &self.versions, out)
        {
            return Ok(Polled::More);
        }
        while let Some(planned) = self.plan.get(self.at) {
            if self.rows.is_none() {
                use_database(&mut self.connection, planned).await?;
                let sql = select(planned);
                self.connection.select(&sql).await?;
                self.rows = Some(0);
            }
            if !self.read(out).await? {
                return Ok(Polled::More);
            }
            let planned = self.plan.get(self.at);
            let table = planned.map(|planned| planned.info.full_name());
            tracing::info!(
                table = table.unwrap_or_default(),
                rows = self.rows.unwrap_or(0),
                "table read"
            );
            self.rows = None;
            self.at += 1;
            if !out.is_empty() {
                break;
            }
        }
        match self.at >= self.plan.len() {
            true => Ok(Polled::Complete),
            false => Ok(Polled::More),
        }
    }

    /// Reads rows of the table at hand; whether it is complete.
    async fn read(&mut self, out: &mut Batch) -> Result<bool> {
        loop {
            let (at, step) = self.rows_in_buffer(out)?;
            // A batch has one frame, the first that holds rows.
            match out.is_empty() {
                true => self.connection.packets().skip(at),
                false => {
                    let frame = self.connection.packets().take(at);
                    out.push_frame(frame);
                }
            }
            match step {
                Step::End => return Ok(true),
                Step::Full => return Ok(false),
                Step::Missing if !out.is_empty() => return Ok(false),
                Step::Missing => self.connection.packets().read().await?,
                Step::Large => {
                    if !out.is_empty() {
                        return Ok(false);
                    }
                    return self.large(out).await;
                }
            }
        }
    }

    /// A row of more than one packet, alone in its batch. Whether the table is complete with it.
    async fn large(&mut self, out: &mut Batch) -> Result<bool> {
        let payload = self.connection.packets().large().await?;
        let is_last = loop {
            match self.connection.packets().look_at(0)? {
                Look::Whole(next) => {
                    let bytes = self.connection.packets().bytes();
                    break is_end(bytes.get(next).unwrap_or_default())?;
                }
                Look::Large => break false,
                Look::Missing(_) => self.connection.packets().read().await?,
            }
        };
        let frame = Frame {
            bytes: &payload,
            index: 0,
        };
        let Some(planned) = self.plan.get(self.at) else {
            return Ok(true);
        };
        shown::row(&planned.table, &payload, Some(frame), &mut self.cells, out)?;
        let table = Arc::clone(&planned.table);
        self.send(&table, is_last, out);
        out.push_frame(payload.clone());
        Ok(false)
    }

    /// Reads what lies in the buffer, as long as it is known whether another row follows; gives how far that is.
    fn rows_in_buffer(&mut self, out: &mut Batch) -> Result<(usize, Step)> {
        let Some(planned) = self.plan.get(self.at) else {
            return Ok((0, Step::End));
        };
        let table = Arc::clone(&planned.table);
        let mut at = 0;
        loop {
            if out.len() >= BATCH_RECORDS || at >= BATCH_BYTES {
                return Ok((at, Step::Full));
            }
            let packets = self.connection.packets();
            let row = match packets.look_at(at)? {
                Look::Whole(row) => row,
                Look::Missing(_) => return Ok((at, Step::Missing)),
                Look::Large => return Ok((at, Step::Large)),
            };
            let next = packets.look_at(row.end)?;
            let bytes = packets.bytes();
            let payload = bytes.get(row.clone()).unwrap_or_default();
            if is_end(payload)? {
                return Ok((row.end, Step::End));
            }
            let is_last = match next {
                Look::Whole(next) => is_end(bytes.get(next).unwrap_or_default())?,
                Look::Large => false,
                Look::Missing(_) => return Ok((at, Step::Missing)),
            };
            let frame = Frame { bytes, index: 0 };
            shown::row(&table, payload, Some(frame), &mut self.cells, out)?;
            at = row.end;
            self.send(&table, is_last, out);
        }
    }

    fn send(&mut self, table: &Table, is_last: bool, out: &mut Batch) {
        let rows = self.rows.get_or_insert_default();
        let is_first = *rows == 0;
        *rows += 1;
        let marker = marker(
            is_first && self.at == 0,
            is_last && self.at == self.last_with_rows,
            is_first,
            is_last,
        );
        self.writer.read(table, marker, &self.cells, out);
    }

    /// Ends the transaction; gives the place where streaming begins, and the tables as they are there.
    pub(crate) async fn finish(mut self) -> Result<(Place, Versions)> {
        self.connection.execute("COMMIT").await?;
        if self.is_locked {
            self.connection.execute("UNLOCK TABLES").await?;
        }
        self.connection.close().await;
        tracing::info!(file = %self.place.file, pos = self.place.pos, "snapshot complete");
        Ok((self.place, self.versions))
    }

    /// Sets the position where streaming begins, and the tables as they are there.
    pub(crate) fn report(&mut self, partition: &Arc<str>, prefix: &str, out: &mut Batch) {
        for position in self.versions.take_fresh(prefix) {
            out.push_other_position(position);
        }
        self.place.versions = self.versions.count();
        out.set_position(self.place.position(partition));
    }
}

/// Why reading stopped.
enum Step {
    Full,
    Missing,
    Large,
    End,
}

/// The statement that reads a table: columns in order, floats with all their digits.
fn select(planned: &Planned) -> String {
    let compiled = &planned.table.columns;
    let is_skipped = |at: u16| {
        let column = compiled.get(usize::from(at));
        column.is_none_or(|column| matches!(column.op, Op::Skip))
    };
    let columns = shown::columns(&planned.info, |at| !is_skipped(at));
    let from = match &planned.info.select {
        Some(select) => format!("({}) AS selected", in_order(select)),
        None => planned.info.sql_name(),
    };
    format!("SELECT {columns} FROM {from}")
}

/// MariaDB forgets the order of an inner query, unless that has a limit.
fn in_order(select: &str) -> String {
    let mut words = select.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    match words.any(|word| word.eq_ignore_ascii_case("limit")) {
        true => select.to_owned(),
        false => format!("{select} LIMIT {}", u64::MAX),
    }
}

/// A statement of somebody's own may name tables without their database.
async fn use_database(connection: &mut Connection, planned: &Planned) -> Result<()> {
    match planned.info.select {
        Some(_) => {
            let sql = format!("USE {}", quoted(&planned.info.database));
            connection.execute(&sql).await
        }
        None => Ok(()),
    }
}

/// The last table that has rows, seen in the snapshot's transaction.
async fn last_with_rows(connection: &mut Connection, plan: &[Planned]) -> Result<usize> {
    for (at, planned) in plan.iter().enumerate().rev() {
        use_database(connection, planned).await?;
        let from = match &planned.info.select {
            Some(select) => format!("({select}) AS selected"),
            None => planned.info.sql_name(),
        };
        let rows = connection
            .query(&format!("SELECT 1 FROM {from} LIMIT 1"))
            .await?;
        if !rows.is_empty() {
            return Ok(at);
        }
    }
    Ok(0)
}

fn marker(first: bool, last: bool, first_in_table: bool, last_in_table: bool) -> Marker {
    match (first, last, first_in_table, last_in_table) {
        (_, true, ..) => Marker::Last,
        (true, ..) => Marker::First,
        (.., true) => Marker::LastInTable,
        (_, _, true, _) => Marker::FirstInTable,
        _ => Marker::True,
    }
}
