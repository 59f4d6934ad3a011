//! What the stream does for signals and incremental snapshots, between two batches.

use connect_core::{Batch, Result};

use super::Stream;
use crate::{
    incremental::{Tell, Wanted},
    signals::Channels,
};

impl Stream {
    /// Obeys the signals that have come, and leads the incremental snapshot on.
    pub(super) async fn attend(&mut self, out: &mut Batch, now_ms: i64) -> Result<()> {
        let mut signals = self.transactions.take_signals();
        if !self.takes_rows {
            // Our own marks are there in any case.
            signals.retain(|signal| signal.kind == "snapshot-window-close");
        }
        while let Some(came) = self.channels.as_deref().and_then(Channels::next) {
            self.signal_offset = came.offset.or(self.signal_offset);
            match came.signal {
                Ok(signal) => signals.push(signal),
                Err(why) => self
                    .incremental
                    .refuse_text(&why, &mut Tell { out, now_ms }),
            }
        }
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
            blocking,
            ..
        } = self;
        let work = Box::pin(async {
            for signal in signals {
                let connection = side.connection().await?;
                let wanted = incremental
                    .obey(signal, connection, &position, &mut tell)
                    .await?;
                match wanted {
                    Wanted::Blocking(signal) if leads && blocking.is_none() => {
                        tracing::info!(id = %signal.id, "the stream is paused for a snapshot");
                        *blocking = Some(signal.data.into());
                    }
                    Wanted::Blocking(signal) => {
                        let why = "another snapshot is running";
                        incremental.refuse(&signal, why, &mut tell);
                    }
                    Wanted::Nothing => {}
                }
                // A table is begun with before the next signal stops it again.
                if incremental.due().is_some() && leads && blocking.is_none() {
                    let (window, recent) = transactions.window();
                    let connection = side.connection().await?;
                    let stream = (recent, stream_at);
                    incremental
                        .lead(window, stream, connection, &mut tell)
                        .await?;
                }
            }
            if incremental.is_idle() || !leads || blocking.is_some() {
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
