//! Connections that are opened before the task is, and those that are opened at once when it is.

use std::time::Duration;

use connect_core::Result;
use tokio::time::Instant;

use super::{Connection, PostgresTask, Purpose, Side, target};
use crate::{catalog, position::Place, wire::Answer};

/// What lay idle for longer may have been forgotten in between.
const FRESH: Duration = Duration::from_secs(30);

const HAS_SPARE: &str =
    "SELECT count(*) + 2 <= current_setting('max_wal_senders')::int FROM pg_stat_replication";

/// Whoever begins to stream waits until the server has decoded its log again, from the last moment at which it has logged what transactions
/// run (every 15 s) and which the slot's client has confirmed. It is logged now, if one may, so that the predecessor's last
/// confirmation brings the slot here. Source: `pg_log_standby_snapshot`, PostgreSQL 16.
const LOG_RUNNING: &str = "SELECT CASE WHEN NOT pg_is_in_recovery() \
     AND has_function_privilege('pg_log_standby_snapshot()', 'EXECUTE') THEN pg_log_standby_snapshot() END";
/// The first version that has it.
const LOGS_RUNNING: u32 = 16;

/// Connections of a task that is not open yet.
#[derive(Debug)]
pub(super) struct Prepared {
    side: Side,
    /// A server has so many for all (`max_wal_senders`), and refuses who comes when none is free: none is taken early unless one is left.
    replication: Option<Box<Connection>>,
    made: Instant,
}

impl PostgresTask {
    /// Opens both connections. No slot is touched: that is the predecessor's.
    pub(super) async fn make_ready(&mut self) {
        let mut side = self.side();
        let has_spare = self.look_ahead(&mut side).await;
        let has_spare = has_spare.unwrap_or_else(|error| {
            tracing::debug!(%error, "the server cannot be looked at before the task is opened");
            false
        });
        let replication = match has_spare && self.streams() {
            true => self.open_replication().await.ok().map(Box::new),
            false => None,
        };
        let made = Instant::now();
        self.prepared = Some(Box::new(Prepared {
            side,
            replication,
            made,
        }));
    }

    /// What a session has looked at once is quick the second time: the tables are what `open` asks for first. Whether the server has a
    /// connection for replication to spare.
    async fn look_ahead(&self, side: &mut Side) -> Result<bool> {
        let connection = side.connection().await?;
        if self.streams() && connection.server_version() >= LOGS_RUNNING {
            connection.query(LOG_RUNNING).await?;
        }
        let captured = catalog::Which::Captured(&self.captured, &self.config);
        catalog::tables(connection, captured).await?;
        let rows = connection.query(HAS_SPARE).await?;
        Ok(rows.first().is_some_and(|row| row.is_true(0)))
    }

    /// What was prepared, as far as it is still of use. The connection for replication is opened now, beside the other one, where
    /// the stream most likely goes on; what fails here is tried again, and told, when it is needed.
    pub(super) async fn ready(
        &mut self,
        stored: Option<&Place>,
    ) -> (Side, Option<Box<Connection>>) {
        let (mut side, prepared) = self.still_ready().await;
        let goes_on = stored.is_some_and(|place| place.snapshot.is_none());
        if prepared.is_some() || !goes_on || !self.streams() {
            return (side, prepared);
        }
        let (_, opened) = tokio::join!(side.connection(), self.open_replication());
        (side, opened.ok().map(Box::new))
    }

    async fn still_ready(&mut self) -> (Side, Option<Box<Connection>>) {
        let prepared = self.prepared.take();
        let Some(prepared) = prepared.filter(|prepared| prepared.made.elapsed() < FRESH) else {
            return (self.side(), None);
        };
        let Prepared {
            mut side,
            replication,
            ..
        } = *prepared;
        side.look().await;
        if let Some(mut connection) = replication
            && connection.is_quiet().await
        {
            return (side, Some(connection));
        }
        (side, None)
    }

    pub(super) async fn open_replication(&self) -> Result<Connection> {
        Connection::open(&target(&self.config), Purpose::Replication).await
    }
}
