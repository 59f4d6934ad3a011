//! Connections that are opened before the task is.

use std::time::Duration;

use connect_core::Result;
use tokio::time::Instant;

use super::{MySqlTask, target};
use crate::wire::{Connection, Side};

/// What lay idle for longer may have been forgotten in between.
const FRESH: Duration = Duration::from_secs(30);

/// Connections of a task that is not open yet.
#[derive(Debug)]
pub(super) struct Prepared {
    side: Side,
    dump: Option<Connection>,
    made: Instant,
}

impl MySqlTask {
    /// Opens both connections. The server is told of no replica: a second one of the same number would end the predecessor's.
    pub(super) async fn make_ready(&mut self) {
        let mut side = self.side();
        let dump = async {
            match self.config.policy().streams {
                true => Connection::open(&target(&self.config, self.flavor))
                    .await
                    .ok(),
                false => None,
            }
        };
        let (opened, dump) = tokio::join!(side.connection(), dump);
        if let Err(error) = opened {
            tracing::debug!(%error, "the server cannot be reached before the task is opened");
        }
        let made = Instant::now();
        self.prepared = Some(Box::new(Prepared { side, dump, made }));
    }

    /// What was prepared for questions, or else one that connects when it is asked. What was prepared for the binlog is kept for it.
    pub(super) async fn ready(&mut self) -> Side {
        let prepared = self.prepared.take();
        let Some(prepared) = prepared.filter(|prepared| prepared.made.elapsed() < FRESH) else {
            return self.side();
        };
        let Prepared { mut side, dump, .. } = *prepared;
        side.look().await;
        self.early = dump.map(Box::new);
        side
    }

    /// A connection for the binlog.
    pub(super) async fn open_dump(&mut self) -> Result<Connection> {
        if let Some(mut connection) = self.early.take()
            && connection.is_quiet().await
        {
            return Ok(*connection);
        }
        Connection::open(&target(&self.config, self.flavor)).await
    }
}
