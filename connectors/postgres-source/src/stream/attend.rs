//! What the stream does for signals and incremental snapshots, between two batches.

use connect_core::{Batch, Result};

use super::Stream;
use crate::incremental::{Tell, Wanted};

impl Stream {
    /// Obeys the signals that have come, and leads the incremental snapshot on.
    pub(super) async fn attend(&mut self, out: &mut Batch, now_ms: i64) -> Result<()> {
        let signals = self.transactions.take_signals();
        if signals.is_empty() && self.incremental.is_idle() {
            return Ok(());
        }
        // Before a snapshot everything else waits.
        let leads = !self.transactions.has_goal();
        let position = self.place().position(&self.partition).offset;
        let stream_at = self.transactions.place().at.commit_lsn;
        let mut tell = Tell { out, now_ms };
        let Self {
            incremental,
            transactions,
            side,
            vigil,
            ..
        } = self;
        let work = Box::pin(async {
            for signal in signals {
                let connection = side.connection().await?;
                let wanted = incremental
                    .obey(signal, connection, &position, &mut tell)
                    .await?;
                if let Wanted::Blocking(id, _) = wanted {
                    tracing::warn!(id, "blocking snapshots are not there yet");
                }
            }
            if incremental.is_idle() || !leads {
                return Ok(());
            }
            let (window, recent) = transactions.window();
            let connection = side.connection().await?;
            incremental
                .lead(window, (recent, stream_at), connection, &mut tell)
                .await
        });
        vigil.over(work).await
    }

    /// Appends rows of a chunk whose window is closed; false when there are none.
    pub(super) fn send_chunk(&mut self, out: &mut Batch) -> Result<bool> {
        let at = (
            self.transactions.place().at,
            self.transactions.last_commit(),
        );
        let sent = self.incremental.send(at, out)?;
        if sent {
            out.set_position(self.place().position(&self.partition));
        }
        Ok(sent)
    }
}
