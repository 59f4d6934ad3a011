//! A connection for the few queries of a running stream, opened when it is needed.

use std::time::Duration;

use connect_core::Result;
use tokio::time::Instant;

use super::{Connection, Target};

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

    /// The same, with more statements for each new connection.
    #[must_use]
    pub fn preparing<'s>(mut self, statements: impl IntoIterator<Item = &'s str>) -> Self {
        let statements = statements.into_iter().map(str::to_owned);
        self.statements.extend(statements);
        self
    }

    /// The connection. One that lay idle is made anew, since what is in between may have forgotten it.
    pub async fn connection(&mut self) -> Result<&mut Connection> {
        let open = match self.open.take() {
            Some((connection, used)) if used.elapsed() < IDLE => connection,
            stale => {
                drop(stale);
                self.fresh().await?
            }
        };
        Ok(&mut self.open.insert((open, Instant::now())).0)
    }

    /// Another one that reaches the server in the same way.
    pub fn another(&self) -> Self {
        Self::new(self.target.clone(), self.statements.clone())
    }

    /// A connection of its own.
    pub async fn fresh(&self) -> Result<Connection> {
        let mut fresh = Connection::open(&self.target).await?;
        for statement in &self.statements {
            fresh.execute(statement).await?;
        }
        Ok(fresh)
    }

    /// How it reaches the server.
    pub fn target(&self) -> &Target {
        &self.target
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
        let is_idle = |(_, used): &(Connection, Instant)| used.elapsed() >= IDLE;
        if self.open.as_ref().is_some_and(is_idle) {
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
