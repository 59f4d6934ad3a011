//! A connection for the few queries of a running stream, opened when it is needed.

use std::time::Duration;

use connect_core::Result;
use tokio::time::Instant;

use super::{Connection, Purpose, Target, Vigil};

/// After this long without a query the connection is given back.
const IDLE: Duration = Duration::from_secs(30);

/// A connection that comes and goes.
#[derive(Debug)]
pub struct Side {
    target: Target,
    statements: Vec<String>,
    open: Option<(Connection, Instant)>,
}

impl Side {
    /// Connects when first asked; `statements` are run on each new connection.
    pub fn new(target: Target, statements: Vec<String>) -> Self {
        Self {
            target,
            statements,
            open: None,
        }
    }

    /// A watch over its queries.
    pub fn vigil(&self, limit: Duration) -> Vigil {
        Vigil::new(self.target.clone(), limit)
    }

    /// The connection. One that lay idle is made anew, since what is in between may have forgotten it.
    pub async fn connection(&mut self) -> Result<&mut Connection> {
        let open = match self.open.take() {
            Some((connection, used)) if used.elapsed() < IDLE => connection,
            stale => {
                drop(stale);
                let mut fresh = Connection::open(&self.target, Purpose::Query).await?;
                for statement in &self.statements {
                    fresh.execute(statement).await?;
                }
                fresh
            }
        };
        Ok(&mut self.open.insert((open, Instant::now())).0)
    }

    /// Forgets a connection that the server has ended.
    pub async fn look(&mut self) {
        if let Some((connection, _)) = &mut self.open
            && !connection.is_quiet().await
        {
            self.open = None;
        }
    }

    /// Gives the connection back when it has lain idle.
    pub async fn tidy(&mut self) {
        if self
            .open
            .as_ref()
            .is_some_and(|(_, used)| used.elapsed() >= IDLE)
        {
            self.close().await;
        }
    }

    /// Gives the connection back.
    pub async fn close(&mut self) {
        if let Some((connection, _)) = self.open.take() {
            connection.close().await;
        }
    }
}
