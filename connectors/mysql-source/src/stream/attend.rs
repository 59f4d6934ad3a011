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
            self.incremental.tidy().await;
            return Ok(());
        }
        let position = self.place().position(&self.run.partition).offset;
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
        let mut signals = self.reader.heard().take_signals();
        if !self.run.takes_rows {
            // Our own marks are there in any case.
            signals.retain(|signal| signal.kind == "snapshot-window-close");
        }
        while let Some(came) = self.run.channels.as_deref().and_then(Channels::next) {
            self.signal_offset = came.offset.or(self.signal_offset);
            match came.signal {
                Ok(signal) => signals.push(signal),
                Err(why) => self.incremental.state.refuse_text(&why, tell),
            }
        }
        signals
    }

    async fn obey(&mut self, signal: Signal, position: &str, tell: &mut Tell<'_>) -> Result<()> {
        let progress = self.reader.progress();
        let obeying = self.incremental.obey(signal, &progress, position, tell);
        // Boxed: signals are rare, rows are not.
        match Box::pin(obeying).await? {
            Wanted::Nothing => {}
            Wanted::Blocking(signal) if self.is_taken() => {
                let why = "another snapshot is running";
                self.incremental.state.refuse(&signal, why, tell);
            }
            Wanted::Blocking(signal) => {
                tracing::info!(id = %signal.id, "the stream is paused for a snapshot");
                self.pause_for(signal.data.into());
            }
        }
        Ok(())
    }

    /// One step of the incremental snapshot. Before another snapshot it waits.
    async fn lead(&mut self, tell: &mut Tell<'_>) -> Result<()> {
        // A compressed transaction that is read in part has one place for all its rows.
        let waits = self.is_taken() || self.payload.input.is_some();
        if waits || self.incremental.state.is_idle() {
            return Ok(());
        }
        let progress = self.reader.progress();
        let window = &mut self.reader.heard().window;
        Box::pin(self.incremental.lead(window, &progress, tell)).await
    }

    /// Appends rows of a chunk whose window is closed; false when there are none.
    pub(super) fn send_chunk(&mut self, out: &mut Batch) -> Result<bool> {
        // Most of the time there are none, and a place is not for nothing.
        if self.incremental.state.sending().is_none() {
            return Ok(false);
        }
        let place = self.place();
        let sent = self.incremental.send(&place, out)?;
        if sent {
            out.set_position(self.place().position(&self.run.partition));
        }
        Ok(sent)
    }
}
