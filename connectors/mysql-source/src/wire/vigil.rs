//! Watch over waits that have no end of their own: is the server still there, and does it still work for us?

use std::{future::Future, pin::pin, time::Duration};

use connect_core::{Error, Result};
use tokio::time::{Instant, timeout};

use super::{Answer, Connection, Target};
use crate::error;

/// What a server's thread does while what it sends is not taken, in MySQL's words and in MariaDB's.
const SENDING: [&str; 2] = ["Sending to client", "Writing to net"];

/// Watches one wait. A table that is locked or sorted may keep us waiting for hours, and so would a network that drops
/// everything: a question on another connection tells them apart.
#[derive(Debug)]
pub struct Vigil {
    target: Target,
    /// The server's thread that works for us.
    thread: u32,
    limit: Duration,
    silent_since: Option<Instant>,
    /// Whether the server was about to send when it was asked last, although we waited for it.
    is_stuck: bool,
}

impl Vigil {
    /// Over what a connection to a server waits for; asks after so long a silence.
    pub fn new(target: Target, connection: &Connection, limit: Duration) -> Self {
        Self {
            target,
            thread: connection.server().thread,
            limit,
            silent_since: None,
            is_stuck: false,
        }
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
        let mut connection = Connection::open(&self.target).await?;
        let sql = format!(
            "SELECT STATE FROM information_schema.PROCESSLIST WHERE ID = {}",
            self.thread
        );
        let rows = connection.query(&sql).await?;
        connection.close().await;
        let Some(row) = rows.first() else {
            return Err(error::closed());
        };
        let was_stuck = self.is_stuck;
        self.is_stuck = SENDING.contains(&row.text(0));
        // Once may be chance: what it writes may be under way to us.
        if was_stuck && self.is_stuck {
            let what = "what the server sends does not arrive";
            return Err(Error::new(&error::CONNECTION, what));
        }
        Ok(())
    }
}
