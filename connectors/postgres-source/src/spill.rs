//! What the slot brings while its connector rests, kept in the log so that the server can forget it.
//!
//! The guard records the messages of replication as they come, and tells the server so far as they are durable. When the
//! connector runs again, its task reads them as if the server sent them, and goes on with the slot where they end.
//!
//! ```text
//! session 16/B3740000   a connection began here: relations are announced anew behind it
//! bytes …               its messages, cut anywhere
//! mark 16/B5740000      between two transactions: what is before can be forgotten when it has been read
//! known …               the relations that the session has announced before the mark
//! bytes …
//! ```
//!
//! What is durable and was not confirmed comes again in the next session, and is told by its LSN. Of a transaction that a session
//! leaves unfinished what was read counts, as after any lost connection. So a session is read as what it was: a connection.
//!
//! The messages say which columns a row has and of which types. Keys, defaults, nullability and custom types are looked up in the
//! catalog when a relation is read, as they are for a slot that is read late: what is kept is decoded as it would be from the slot.

mod feed;
mod read;
mod record;
mod write;

use connect_core::{Error, Result, guard::Guard, watermark::watermark};
use tokio::{
    select,
    time::{Instant, sleep_until},
};

pub(crate) use self::{
    feed::{After, Marks, Session, broken},
    read::Spool,
};
use self::{record::Kind, write::Recorder};
use crate::{
    config::PostgresConfig,
    error,
    position::{Place, show_lsn},
    slot::Slot,
    task::{Sent, feedback_interval, initial_statements, start_replication, target},
    wire::{Connection, Progress, Purpose, Replication, Side},
};

/// A server that was asked and says nothing for this many intervals is gone.
const SILENT_INTERVALS: u32 = 3;

/// Records what the slot brings until somebody asks for the turn, which the caller has.
pub(crate) async fn record(config: &PostgresConfig, guard: &Guard, place: &Place) -> Result<()> {
    let mut side = Side::new(target(config), initial_statements(config));
    let slot = Slot::find(side.connection().await?, &config.slot).await?;
    side.close().await;
    let slot = slot.ok_or_else(|| Slot::missing(config, place))?;
    let since = place.at.commit_lsn.max(slot.confirmed_lsn);
    let mut connection = Connection::open(&target(config), Purpose::Replication).await?;
    let every = feedback_interval(config, &mut connection).await?;
    let (durable, safe) = watermark();
    let progress = Progress {
        safe,
        confirmed: slot.confirmed_lsn,
        every,
    };
    // What runs is not kept: a recorded connection has whole transactions, however the connector reads the slot.
    let from = (since, Sent::Committed);
    let sql = start_replication(config, from, connection.server_version());
    let store = guard.keep.store()?;
    let recorder = Recorder::begin(store.writer().await?, since, &guard.meter, durable).await?;
    let mut replication = connection.replicate(&sql, progress).await?;
    tracing::warn!(
        slot = %config.slot,
        lsn = %show_lsn(since),
        topic = store.name(),
        "nobody reads the slot, which keeps more of the server's log than it may: its changes are kept in a topic until the \
         connector runs again. Until then the slot cannot be handed to Debezium"
    );
    let recorded = run(&mut replication, recorder, guard, every * SILENT_INTERVALS).await;
    // Also after an error of the log: the next reader shall find the slot free.
    replication.close().await;
    recorded
}

async fn run(
    replication: &mut Replication,
    mut recorder: Recorder,
    guard: &Guard,
    silence_limit: std::time::Duration,
) -> Result<()> {
    let mut heard = Instant::now();
    loop {
        if recorder.take(replication)? {
            recorder.flush().await?;
            continue;
        }
        let due = recorder.due();
        if due.is_some_and(|due| due <= Instant::now()) {
            recorder.commit().await?;
            continue;
        }
        select! {
            biased;
            // 1. The connector runs again, or its offsets are forgotten.
            () = guard.keep.turns().asked() => return recorder.commit().await,
            // 2. The server says something.
            read = replication.frames.read() => {
                read?;
                heard = Instant::now();
            }
            // 3. What has come shall not wait longer.
            () = sleep_until(due.unwrap_or(heard)), if due.is_some() => {}
            // 4. The feedback asks it to answer, so that silence means a dead connection.
            () = sleep_until(heard + silence_limit) => {
                return Err(Error::new(&error::CONNECTION, "the server has fallen silent"));
            }
        }
    }
}

#[cfg(test)]
mod tests;
