//! Between the parts of an interrupted snapshot: the stream is read up to the moment of the next part.

use std::time::Duration;

use connect_core::{Batch, Result};
use tokio::time::sleep;

use super::{Phase, PostgresTask, Side, target};
use crate::{
    position::{Place, show_lsn},
    snapshot::moment,
    stream::Stream,
    wire::{Connection, Purpose},
};

/// How long to wait for a transaction that is committed to become visible.
const PAUSE: Duration = Duration::from_millis(50);

/// A stream that is read before the snapshot goes on.
#[derive(Debug)]
pub(super) struct CatchUp {
    stream: Stream,
    /// The snapshot's transaction, once the stream is near.
    taken: Option<Connection>,
}

impl CatchUp {
    /// Ends the stream; gives back its side connection.
    pub(super) async fn close(self) -> Side {
        if let Some(connection) = self.taken {
            connection.close().await;
        }
        self.stream.close().await
    }
}

impl PostgresTask {
    /// Begins to catch up. What is in the log already is read before the snapshot is taken, so that its transaction
    /// does not have to wait for long.
    pub(super) async fn catch_up_phase(&mut self, place: Place, side: &mut Side) -> Result<Phase> {
        let goal = moment::before(side.connection().await?).await?;
        let (from, to) = (show_lsn(place.at.commit_lsn), show_lsn(goal.lsn));
        tracing::info!(%from, %to, "catching up before the snapshot");
        let mut stream = self.stream_from(place).await?;
        stream.aim(goal);
        Ok(Phase::CatchUp(Box::new(CatchUp {
            stream,
            taken: None,
        })))
    }

    /// One poll; the next step when the stream has reached its goal.
    pub(super) async fn catch_up(&mut self, out: &mut Batch) -> Result<()> {
        if let Phase::CatchUp(now) = &mut self.phase {
            now.stream.poll(out).await?;
            if now.stream.reached() {
                let mut side = self.side();
                Box::pin(self.reached(&mut side)).await?;
                side.close().await;
            }
        }
        Ok(())
    }

    async fn reached(&mut self, side: &mut Side) -> Result<()> {
        let Phase::CatchUp(now) = &mut self.phase else {
            return Ok(());
        };
        if now.stream.is_behind() {
            // A transaction that an earlier try passed by is not visible yet: waiting for a replica, or just now.
            sleep(PAUSE).await;
            now.stream
                .aim(moment::before(side.connection().await?).await?);
        } else if now.taken.is_none() {
            let mut connection = snapshot_connection(&self.config).await?;
            now.stream
                .aim(moment::now(&mut connection, self.config.snapshot_isolation).await?);
            now.taken = Some(connection);
            moment::flush(side.connection().await?).await?;
        } else if let Phase::CatchUp(now) = std::mem::replace(&mut self.phase, Phase::Idle)
            && let Some(connection) = now.taken
        {
            let place = now.stream.place();
            now.stream.close().await.close().await;
            self.phase = self.read_phase(connection, place, false, side).await?;
        }
        Ok(())
    }
}

/// A connection for a snapshot, which may have to wait within its transaction.
pub(crate) async fn snapshot_connection(config: &crate::PostgresConfig) -> Result<Connection> {
    let mut connection = Connection::open(&target(config), Purpose::Query).await?;
    connection
        .execute("SET idle_in_transaction_session_timeout = 0")
        .await?;
    for statement in super::initial_statements(config) {
        connection.execute(&statement).await?;
    }
    Ok(connection)
}
