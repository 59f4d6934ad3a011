//! Tells the server how far we are, whether or not anybody polls.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use connect_core::{Position, Watermark};
use tokio::{
    io::AsyncWriteExt,
    sync::{Notify, watch},
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

use super::halves::WriteHalf;
use crate::temporal::postgres_micros_now;

/// No two updates closer than this, unless the server asks.
const SPACING: Duration = Duration::from_millis(100);

/// What the feedback is made of.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Invariant 1: only what is here may be confirmed; its `order` is the LSN.
    pub safe: Watermark<Position>,
    /// What was already safe at the start.
    pub confirmed: u64,
    /// How often the server hears from us at least.
    pub every: Duration,
}

/// What reader and feedback share: three numbers and a bell.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) received: AtomicU64,
    pub(super) asked: Notify,
}

/// Writes status updates until it is stopped or the connection breaks (which the reader notices too).
pub(super) async fn run(
    mut writer: WriteHalf,
    progress: Progress,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) {
    let Progress {
        mut safe,
        mut confirmed,
        every,
    } = progress;
    let mut timer = interval(every);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut next_advance = Instant::now();
    let mut watching = true;
    loop {
        let asks_back = tokio::select! {
            biased;
            // 1: the end, after a last word.
            _ = stop.changed() => {
                confirmed = confirmed.max(safe_lsn(&safe));
                let _ = goodbye(&mut writer, &shared, confirmed).await;
                return;
            }
            // 2: the server wants to know.
            () = shared.asked.notified() => false,
            // 3: it has not heard from us for long; its answer shows us that it lives.
            _ = timer.tick() => true,
            // 4: something became durable; many steps are one update.
            moved = async { sleep_until(next_advance).await; safe.changed().await }, if watching => {
                watching = matches!(moved, Ok(Some(_)));
                false
            }
        };
        confirmed = confirmed.max(safe_lsn(&safe));
        next_advance = Instant::now() + SPACING;
        if send(&mut writer, &shared, confirmed, asks_back)
            .await
            .is_err()
        {
            return;
        }
    }
}

fn safe_lsn(safe: &Watermark<Position>) -> u64 {
    safe.latest().map_or(0, |position| position.order)
}

async fn send(
    writer: &mut WriteHalf,
    shared: &Shared,
    confirmed: u64,
    asks_back: bool,
) -> std::io::Result<()> {
    let received = shared.received.load(Ordering::Relaxed);
    writer
        .write_all(&status(received.max(confirmed), confirmed, asks_back))
        .await?;
    writer.flush().await
}

async fn goodbye(writer: &mut WriteHalf, shared: &Shared, confirmed: u64) -> std::io::Result<()> {
    send(writer, shared, confirmed, false).await?;
    // CopyDone, then Terminate.
    writer.write_all(b"c\0\0\0\x04X\0\0\0\x04").await?;
    writer.flush().await?;
    writer.shutdown().await
}

/// A CopyData message with a standby status update.
fn status(received: u64, confirmed: u64, asks_back: bool) -> [u8; 39] {
    let mut out = [0; 39];
    let fields: [&[u8]; 8] = [
        b"d",
        &38u32.to_be_bytes(),
        b"r",
        &received.to_be_bytes(),
        &confirmed.to_be_bytes(),
        &confirmed.to_be_bytes(),
        &postgres_micros_now().to_be_bytes(),
        &[u8::from(asks_back)],
    ];
    let bytes = fields.into_iter().flatten();
    out.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_status_update_has_the_layout_of_the_protocol() {
        let bytes = super::status(0x0102, 0x0304, true);
        assert_eq!(bytes[..6], *b"d\0\0\0\x26r");
        assert_eq!(bytes[6..14], 0x0102u64.to_be_bytes());
        assert_eq!(bytes[14..22], 0x0304u64.to_be_bytes());
        assert_eq!(bytes[22..30], 0x0304u64.to_be_bytes());
        assert_eq!(bytes[38], 1);
    }
}
