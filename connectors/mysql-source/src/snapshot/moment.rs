//! When a snapshot is taken: transactions that see the same, and the place in the binlog where the stream has brought just that.
//!
//! The transactions begin while nobody writes: a global read lock is held for as long as it takes to open them and to read where
//! the binlog ends. Where that lock is not ours to take, they are opened again and again until the moment was one. MariaDB
//! tells each transaction the place that it has seen; with MySQL the binlog has to end at the same place before and behind them.
//! MySQL without GTIDs shows the end of the binlog a moment before its engine has committed what is there, so that a transaction
//! can be missed that commits just then: whoever cannot have that has to let the lock be taken.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use cdc::{context::Context, snapshot::Crew};
use connect_core::{
    Error, Result,
    meter::{Gauge, Meter},
};
use tokio::time::{Instant, sleep};

use super::{
    meeting::{Meeting, meeting},
    session::Session,
};
use crate::{
    config::Locking,
    error,
    gtid::Gtids,
    position::{Mark, Place},
    wire::{Answer, Connection, Flavor, Side, Vigil},
};

/// How often transactions are opened in the hope that nobody writes meanwhile.
const TRIES: usize = 1000;
/// What lies between two of these.
const PAUSE: Duration = Duration::from_millis(2);

const OPEN: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT";

/// How a moment is taken.
#[derive(Debug)]
pub(crate) struct Taking {
    /// How to reach the server.
    pub side: Side,
    /// What is locked.
    pub locking: Locking,
    /// How long to wait for the lock.
    pub lock_timeout: Duration,
    /// How many connections read, beside the one that holds the moment; none when that one reads.
    pub threads: usize,
    /// What records say of the task, if they do.
    pub context: Option<Context>,
    /// After this much silence the server is asked whether it is there.
    pub silence_limit: Duration,
    /// Where it is told for how long the lock was held.
    pub meter: Meter,
}

/// Open transactions that see the same.
#[derive(Debug)]
pub(crate) struct Moment {
    /// One of them.
    pub connection: Connection,
    /// The others, each in its thread.
    pub crew: Option<Crew<Session>>,
    /// Where the binlog ended.
    pub place: Place,
    /// The same, for those who read.
    pub(super) mark: Arc<OnceLock<Mark>>,
    pub(super) lock: Lock,
    pub(super) side: Side,
    pub(super) context: Option<Context>,
    pub(super) silence_limit: Duration,
}

/// What a MariaDB's transaction has seen of the binlog.
pub(super) type Seen = Mark;

/// Since when writers have been waiting for us.
#[derive(Debug)]
pub(super) struct Lock {
    since: Option<Instant>,
    held: Gauge,
}

impl Lock {
    /// Lets them write.
    async fn release(&mut self, connection: &mut Connection) -> Result<()> {
        if self.since.is_some() {
            connection.execute("UNLOCK TABLES").await?;
        }
        self.released();
        Ok(())
    }

    /// They can write; the connection that held the lock may be gone.
    pub(super) fn released(&mut self) {
        if let Some(since) = self.since.take() {
            let held_ms = since.elapsed().as_millis();
            tracing::info!(held_ms, "the global read lock is released");
            self.held.set(i64::try_from(held_ms).unwrap_or(i64::MAX));
        }
    }
}

impl Moment {
    /// Takes one.
    pub(crate) async fn take(taking: Taking) -> Result<Self> {
        let mut connection = taking.side.fresh().await?;
        prepare(&mut connection).await?;
        let seconds = taking.lock_timeout.as_secs_f64().ceil().max(1.0);
        let sql = format!("SET SESSION lock_wait_timeout = {seconds}");
        connection.execute(&sql).await?;
        let (context, limit) = (taking.context.clone(), taking.silence_limit);
        let held = taking.meter.gauge("snapshot-lock-held-ms");
        held.set(0);
        let (mut meeting, sessions) =
            meeting(taking.threads, taking.side.another(), context, limit);
        let crew = match taking.threads {
            0 => None,
            threads => Some(Crew::gather(threads, &Arc::new(sessions))?),
        };
        meeting.gather().await?;
        let mut lock = Lock { since: None, held };
        let place = agree(&mut connection, &mut meeting, taking.locking, &mut lock).await?;
        let mark = meeting.end(place.mark());
        Ok(Self {
            connection,
            crew,
            place,
            mark,
            lock,
            side: taking.side,
            context: taking.context,
            silence_limit: taking.silence_limit,
        })
    }

    /// Gives it up.
    pub(crate) async fn close(mut self) {
        self.connection.close().await;
        self.lock.released();
    }

    /// A reader by its own connection; gives what holds the lock, which is that connection.
    pub(super) fn into_session(self) -> (Session, Lock) {
        let target = self.side.target().clone();
        let vigil = Vigil::new(target, &self.connection, self.silence_limit);
        let session = Session::new(self.connection, vigil, self.mark, self.context);
        (session, self.lock)
    }
}

/// A session shows values as they are, whatever the server's configuration says, and waits as long as need be.
pub(super) async fn prepare(connection: &mut Connection) -> Result<()> {
    for sql in [
        "SET NAMES utf8mb4",
        // Days that never were may be values of a key.
        "SET SESSION time_zone = '+00:00', SESSION net_write_timeout = 86400, SESSION wait_timeout = 2147483, \
         SESSION sql_mode = 'ALLOW_INVALID_DATES'",
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    ] {
        connection.execute(sql).await?;
    }
    Ok(())
}

/// Opens the transaction of one connection; gives what it has seen where the server tells.
pub(super) async fn open(connection: &mut Connection) -> Result<Option<Seen>> {
    connection.execute(OPEN).await?;
    if connection.server().flavor != Flavor::MariaDb {
        return Ok(None);
    }
    let rows = connection
        .query("SHOW STATUS LIKE 'binlog\\_snapshot\\_%'")
        .await?;
    let of = |name: &str| {
        let is_it = |row: &&crate::wire::Row| row.text(0).eq_ignore_ascii_case(name);
        rows.iter().find(is_it)
    };
    let (file, pos) = (of("binlog_snapshot_file"), of("binlog_snapshot_position"));
    Ok(file.zip(pos).and_then(|(file, pos)| {
        Some(Mark {
            file: Some(file.text(1)).filter(|file| !file.is_empty())?.into(),
            pos: pos.number(1)?,
        })
    }))
}

/// Opens all transactions; gives where the binlog ends as of then.
async fn agree(
    connection: &mut Connection,
    meeting: &mut Meeting,
    locking: Locking,
    lock: &mut Lock,
) -> Result<Place> {
    let sql = match locking {
        Locking::None => return unlocked(connection, meeting).await,
        Locking::MinimalPercona | Locking::MinimalPerconaNoTableLocks => "LOCK TABLES FOR BACKUP",
        _ => "FLUSH TABLES WITH READ LOCK",
    };
    // Who wants to write waits from now on.
    let asked = Instant::now();
    match connection.execute(sql).await {
        Ok(()) => lock.since = Some(asked),
        // Some clouds say that access is denied.
        Err(error) if [&error::PERMISSION, &error::AUTHENTICATION].contains(&error.code()) => {
            tracing::warn!(%error, "nobody may be locked out: the snapshot waits for a moment without writes");
            return unlocked(connection, meeting).await;
        }
        Err(error) => return Err(error),
    }
    open_all(connection, meeting).await?;
    let place = end_of_binlog(connection).await?;
    if locking != Locking::Extended {
        lock.release(connection).await?;
    }
    Ok(place)
}

async fn open_all(connection: &mut Connection, meeting: &mut Meeting) -> Result<Option<Seen>> {
    let (own, others) = tokio::join!(open(connection), meeting.open());
    let (own, others) = (own?, others?);
    Ok(own.filter(|own| others.iter().all(|other| other.as_ref() == Some(own))))
}

/// Opens the transactions until all have seen the same.
async fn unlocked(connection: &mut Connection, meeting: &mut Meeting) -> Result<Place> {
    for _ in 0..TRIES {
        let before = end_of_binlog(connection).await?;
        let seen = open_all(connection, meeting).await?;
        if let Some(seen) = seen {
            return seen_place(connection, &seen).await;
        }
        if end_of_binlog(connection).await? == before {
            return Ok(before);
        }
        connection.execute("ROLLBACK").await?;
        sleep(PAUSE).await;
    }
    let what = "there is no moment without writes, in which a snapshot could begin";
    Err(Error::new(&error::CONFLICT, what).context("tries", TRIES))
}

/// A place that MariaDB has told to a transaction.
async fn seen_place(connection: &mut Connection, seen: &Seen) -> Result<Place> {
    let file = crate::catalog::literal(&seen.file);
    let sql = format!("SELECT BINLOG_GTID_POS({file}, {})", seen.pos);
    let rows = connection.query(&sql).await?;
    let gtids = rows.first().map_or("", |row| row.text(0));
    Ok(Place::between(&seen.file, seen.pos, read_gtids(gtids)?))
}

fn read_gtids(text: &str) -> Result<Option<Gtids>> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some),
    }
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
    Ok(Place::between(row.text(0), pos, read_gtids(&gtids)?))
}
