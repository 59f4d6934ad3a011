//! What the stream does for signals and incremental snapshots, between two batches.

use cdc::{
    channels::Channels,
    incremental::{Tell, Wanted},
    signal::Signal,
};
use connect_core::{Batch, Result};

use super::Stream;

impl Stream {
    /// Obeys the signals that have come, and leads the incremental snapshot on.
    pub(super) async fn attend(&mut self, out: &mut Batch, now_ms: i64) -> Result<()> {
        let mut tell = Tell { out, now_ms };
        let signals = self.signals(&mut tell);
        if signals.is_empty() && self.incremental.state.is_idle() {
            return Ok(());
        }
        let position = self.place().position(&self.partition).offset;
        for signal in signals {
            self.obey(signal, &position, &mut tell).await?;
            // A table is begun with before the next signal stops it again.
            if self.incremental.state.due().is_some() {
                self.lead(&mut tell).await?;
            }
        }
        self.lead(&mut tell).await?;
        self.incremental.state.show();
        Ok(())
    }

    /// The signals that have come since the last time.
    fn signals(&mut self, tell: &mut Tell<'_>) -> Vec<Signal> {
        let mut signals = self.transactions.take_signals();
        if !self.takes_rows {
            // Our own marks are there in any case.
            signals.retain(|signal| signal.kind == "snapshot-window-close");
        }
        while let Some(came) = self.channels.as_deref().and_then(Channels::next) {
            self.signal_offset = came.offset.or(self.signal_offset);
            match came.signal {
                Ok(signal) => signals.push(signal),
                Err(why) => self.incremental.state.refuse_text(&why, tell),
            }
        }
        signals
    }

    /// Reads the columns again that the batch lacks.
    pub(super) async fn reselect(&mut self, out: &mut Batch) -> Result<()> {
        let Some(waiting) = self.transactions.waiting() else {
            return Ok(());
        };
        let side = &mut self.side;
        let work = Box::pin(async {
            let connection = side.connection().await?;
            waiting.run(connection, out).await
        });
        self.vigil.over(work).await
    }

    async fn obey(&mut self, signal: Signal, position: &str, tell: &mut Tell<'_>) -> Result<()> {
        let (incremental, side) = (&mut self.incremental, &mut self.side);
        let work = Box::pin(async {
            let connection = side.connection().await?;
            incremental.obey(signal, connection, position, tell).await
        });
        match self.vigil.over(work).await? {
            Wanted::Nothing => {}
            Wanted::Blocking(signal) if self.transactions.has_goal() || self.is_paused() => {
                let why = "another snapshot is running";
                self.incremental.state.refuse(&signal, why, tell);
            }
            Wanted::Blocking(signal) => {
                tracing::info!(id = %signal.id, "the stream is paused for a snapshot");
                self.blocking = Some(signal.data.into());
            }
        }
        Ok(())
    }

    /// One step of the incremental snapshot. Before another snapshot it waits.
    async fn lead(&mut self, tell: &mut Tell<'_>) -> Result<()> {
        let waits = self.transactions.has_goal() || self.is_paused();
        if waits || self.incremental.state.is_idle() {
            return Ok(());
        }
        let stream_at = self.transactions.place().at.commit_lsn;
        let (incremental, side) = (&mut self.incremental, &mut self.side);
        let (window, recent) = self.transactions.window();
        let work = Box::pin(async {
            let connection = side.connection().await?;
            let stream = (recent, stream_at);
            incremental.lead(window, stream, connection, tell).await
        });
        self.vigil.over(work).await
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
