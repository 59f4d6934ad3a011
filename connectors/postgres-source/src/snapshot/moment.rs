//! When a snapshot was taken, in the terms of the stream.

use std::{sync::Arc, time::Duration};

use connect_core::{Error, Result};
use tokio::time::sleep;

use crate::{
    error,
    options::Isolation,
    position::parse_lsn,
    stream::{Goal, Unseen},
    wire::{Answer, Connection, Row},
};

/// How often a standby that replays without a pause is asked for a moment between two commits.
const TRIES: u32 = 1000;
/// What lies between two of them.
const PAUSE: Duration = Duration::from_millis(2);

/// What the stream can be read up to before any snapshot that is taken from now on: what is visible already. It ends
/// at the first transaction that is not, though its commit is logged.
pub(crate) async fn before(connection: &mut Connection) -> Result<Goal> {
    let unseen = Unseen::Stop;
    if is_standby(connection).await? {
        let (lsn, seen) = (end(connection).await?, None);
        return Ok(Goal { lsn, seen, unseen });
    }
    let goal = seen(connection, unseen).await?;
    flush(connection).await?;
    Ok(goal)
}

/// Opens the transaction of a snapshot as of now; gives what the stream has to reach to be as far.
///
/// On a primary, commits become visible in another order than they are logged in. But each is logged before it is
/// visible, so that the snapshot has seen nothing from the end of the log on; before that, transaction ids tell. On a
/// standby, which tells no ids, commits become visible as they are replayed: the place in the log tells alone, if it
/// did not move while the snapshot was taken.
pub(crate) async fn now(connection: &mut Connection, isolation: Isolation) -> Result<Goal> {
    if is_standby(connection).await? {
        return now_on_standby(connection, isolation).await;
    }
    super::begin(connection, isolation, None).await?;
    seen(connection, Unseen::PassBy).await
}

async fn seen(connection: &mut Connection, unseen: Unseen) -> Result<Goal> {
    // The statement's snapshot is taken before its functions run.
    let sql = "SELECT pg_catalog.txid_current_snapshot(), pg_catalog.pg_current_wal_insert_lsn()";
    let row = one(connection, sql).await?;
    let seen = row.text(0).parse();
    let seen = seen.map_err(|()| error::protocol("the server tells no snapshot"))?;
    Ok(Goal {
        lsn: lsn(&row, 1)?,
        seen: Some(Arc::new(seen)),
        unseen,
    })
}

async fn now_on_standby(connection: &mut Connection, isolation: Isolation) -> Result<Goal> {
    for _ in 0..TRIES {
        let before = end(connection).await?;
        super::begin(connection, isolation, None).await?;
        // The first statement takes the snapshot.
        let after = end(connection).await?;
        if before == after {
            return Ok(Goal {
                lsn: after,
                seen: None,
                unseen: Unseen::PassBy,
            });
        }
        connection.execute("ROLLBACK").await?;
        sleep(PAUSE).await;
    }
    let what = "the standby replays without a pause, so that no snapshot meets the stream";
    Err(Error::new(&error::CONFLICT, what))
}

/// Has the server flush its log up to now, since only then it is streamed: what was written without a commit could
/// stay in its memory. Not within the transaction of a snapshot, which writes nothing.
pub(crate) async fn flush(connection: &mut Connection) -> Result<()> {
    if is_standby(connection).await? {
        return Ok(());
    }
    let sql =
        "SELECT pg_catalog.pg_current_wal_insert_lsn() > pg_catalog.pg_current_wal_flush_lsn()";
    if one(connection, sql).await?.is_true(0) {
        // A transaction that does nothing but end: its commit is flushed in a moment.
        connection
            .execute("SELECT pg_catalog.txid_current()")
            .await?;
    }
    Ok(())
}

pub(super) async fn is_standby(connection: &mut Connection) -> Result<bool> {
    let row = one(connection, "SELECT pg_catalog.pg_is_in_recovery()").await?;
    Ok(row.is_true(0))
}

async fn end(connection: &mut Connection) -> Result<u64> {
    let sql = "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() \
        ELSE pg_catalog.pg_current_wal_insert_lsn() END";
    lsn(&one(connection, sql).await?, 0)
}

async fn one(connection: &mut Connection, sql: &str) -> Result<Row> {
    let rows = connection.query(sql).await?;
    let row = rows.into_iter().next();
    row.ok_or_else(|| error::protocol("the server answers nothing"))
}

fn lsn(row: &Row, at: usize) -> Result<u64> {
    parse_lsn(row.text(at)).ok_or_else(|| error::protocol("the server tells no LSN"))
}
