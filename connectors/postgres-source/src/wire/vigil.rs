//! Watch over waits that have no end of their own: is the server still there, and does it still work for us?

use std::{future::Future, pin::pin, time::Duration};

use connect_core::{Error, Result};
use tokio::time::{Instant, timeout};

use super::{Answer, Connection, Purpose, Target};
use crate::error;

/// Watches one wait. A table that is locked or sorted may keep us waiting for hours, and so would a network that drops
/// everything: a question on another connection tells them apart.
#[derive(Debug)]
pub struct Vigil {
    target: Target,
    /// The server's process that works for us; 0 for none in particular.
    process: i32,
    limit: Duration,
    silent_since: Option<Instant>,
    /// Whether the server could not get rid of its bytes when it was asked last, although we waited for them.
    is_stuck: bool,
}

impl Vigil {
    /// Asks after so long a silence.
    pub fn new(target: Target, limit: Duration) -> Self {
        Self {
            target,
            process: 0,
            limit,
            silent_since: None,
            is_stuck: false,
        }
    }

    /// The same over what the process behind a connection does.
    pub async fn over_process(mut self, connection: &mut Connection) -> Result<Self> {
        let rows = connection
            .query("SELECT pg_catalog.pg_backend_pid()")
            .await?;
        self.process = rows.first().and_then(|row| row.number(0)).unwrap_or(0);
        Ok(self)
    }

    /// Waits for work as long as the server is there.
    pub async fn over<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let mut work = pin!(work);
        loop {
            match timeout(self.limit, &mut work).await {
                Ok(done) => return done,
                Err(_) => self.ask_in_time().await?,
            }
        }
    }

    /// To be called after every look for bytes, with whether there were any: asks when it has been silent for long.
    pub async fn heard(&mut self, anything: bool) -> Result<()> {
        if anything {
            (self.silent_since, self.is_stuck) = (None, false);
            return Ok(());
        }
        let since = *self.silent_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= self.limit {
            self.ask_in_time().await?;
            self.silent_since = None;
        }
        Ok(())
    }

    async fn ask_in_time(&mut self) -> Result<()> {
        let limit = self.target.connect_timeout.max(Duration::from_secs(1));
        let silent = || Error::new(&error::CONNECTION, "the server has fallen silent");
        // Boxed: it is rare, and a handshake is large.
        timeout(limit, Box::pin(self.ask()))
            .await
            .map_err(|_| silent())?
    }

    async fn ask(&mut self) -> Result<()> {
        let mut connection = Connection::open(&self.target, Purpose::Query).await?;
        let sql = format!(
            "SELECT coalesce(wait_event, '') = 'ClientWrite' FROM pg_catalog.pg_stat_activity WHERE pid = {}",
            self.process
        );
        let rows = connection.query(&sql).await?;
        connection.close().await;
        let was_stuck = self.is_stuck;
        self.is_stuck = match rows.first() {
            None if self.process != 0 => return Err(error::closed()),
            None => false,
            Some(row) => row.is_true(0),
        };
        // Once may be chance: what it writes may be under way to us.
        if was_stuck && self.is_stuck {
            let what = "what the server sends does not arrive";
            return Err(Error::new(&error::CONNECTION, what));
        }
        Ok(())
    }
}
