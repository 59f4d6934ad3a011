//! A connection that replicates: frames come in here, feedback goes out by itself.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{io::DuplexStream, sync::watch, task::JoinHandle};

use super::{
    Frames,
    feedback::{self, Progress, Shared},
    halves::{ReadHalf, WriteHalf},
};

/// How long the server may take to let go of the slot.
const FAREWELL: Duration = Duration::from_secs(5);

/// A running replication. Dropping it closes the socket.
#[derive(Debug)]
pub struct Replication {
    /// The messages.
    pub frames: Frames,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    /// Of a replay, what feeds it.
    feedback: JoinHandle<()>,
    is_replay: bool,
}

impl Replication {
    pub(super) fn new(frames: Frames, writer: WriteHalf, progress: Progress) -> Self {
        let shared = Arc::new(Shared::default());
        let (stop, stopped) = watch::channel(false);
        let feedback = feedback::run(writer, progress, Arc::clone(&shared), stopped);
        Self {
            frames,
            shared,
            stop,
            feedback: tokio::spawn(feedback),
            is_replay: false,
        }
    }

    /// What a server said before, up to `CopyDone`. Nobody hears the feedback.
    pub fn replay(said: DuplexStream, feeding: JoinHandle<()>) -> Self {
        let mut frames = Frames::new(ReadHalf::Replay(said));
        frames.authenticated();
        Self {
            frames,
            shared: Arc::default(),
            stop: watch::channel(false).0,
            feedback: feeding,
            is_replay: true,
        }
    }

    /// Whether this was said before.
    pub fn is_replay(&self) -> bool {
        self.is_replay
    }

    /// Everything up to `lsn` has come; the server shows it, nothing hangs on it.
    pub fn received(&self, lsn: u64) {
        self.shared.received.store(lsn, Ordering::Relaxed);
    }

    /// The server asked for an answer.
    pub fn answer(&self) {
        self.shared.asked.notify_one();
    }

    /// Confirms what is durable a last time, ends the replication and waits until the server has closed, so that the
    /// slot is free for the next one.
    pub async fn close(mut self) {
        if self.is_replay {
            return;
        }
        let _ = self.stop.send(true);
        let farewell = async {
            let _ = (&mut self.feedback).await;
            while self.frames.read().await.is_ok() {
                let len = self.frames.bytes().len();
                self.frames.skip(len);
            }
        };
        if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
            tracing::warn!("the server did not end the replication in time");
        }
    }
}

impl Drop for Replication {
    fn drop(&mut self) {
        self.feedback.abort();
    }
}
