//! What was logged of each connector, in memory: the newest lines of it and of its tasks on this worker.
//!
//! The program's subscriber files events here ([`Logs::file`]). Invariant 4: a connector has [`LINES`] lines of [`BYTES`] bytes at most, and all of
//! them [`ALL_BYTES`]. What was logged of a deleted connector goes with it.

mod follow;
mod line;
mod request;
mod ring;
mod span;

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::timeout,
};

pub use line::{Filed, LogLevel, LogLine};
pub(crate) use request::here;
pub use request::{LogPage, Told};
use ring::Ring;
pub(crate) use span::{of_connector, of_task};

/// The most lines of a connector.
pub const LINES: usize = 1000;
/// The most bytes of a connector's lines.
pub const BYTES: usize = 256 << 10;
/// The most bytes of all lines.
pub const ALL_BYTES: usize = 64 << 20;
/// Who may follow at the same time on one worker.
const FOLLOWERS: usize = 64;

/// The lines of all connectors. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Logs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    all: Mutex<All>,
    followers: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct All {
    by_connector: HashMap<String, Kept>,
    bytes: usize,
    is_closed: bool,
}

#[derive(Debug)]
struct Kept {
    ring: Ring,
    /// The number of the next line. Who waits for it is told when the lines are gone.
    next: watch::Sender<u64>,
}

/// Which lines are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Which {
    /// How many at most, the newest ones.
    pub lines: usize,
    /// Of this level, and worse ones.
    pub level: Option<LogLevel>,
    /// Of this task alone.
    pub task: Option<u32>,
}

/// Some of a connector's lines on one worker.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Page {
    pub(crate) lines: Vec<LogLine>,
    /// How many were gone before they could be read.
    pub(crate) missed: u64,
    /// The number of the line that follows.
    pub(crate) next: u64,
}

impl Default for Logs {
    fn default() -> Self {
        Self(Arc::new(Inner {
            all: Mutex::default(),
            followers: Arc::new(Semaphore::new(FOLLOWERS)),
        }))
    }
}

impl Logs {
    /// Takes a line of a connector in.
    pub fn file(&self, connector: &str, filed: Filed) {
        let line = LogLine::new(connector, filed);
        let mut all = self.0.all.lock();
        if all.is_closed {
            return;
        }
        let kept = all.of(connector);
        let (before, after) = (kept.ring.bytes(), kept.ring.push(line));
        kept.next.send_replace(kept.ring.next());
        all.bytes = all.bytes + after - before;
        while all.bytes > ALL_BYTES && all.shorten_largest() {}
    }

    /// Forgets connectors that are not there any more, and tells who follows them.
    pub(crate) fn retain(&self, exists: impl Fn(&str) -> bool) {
        let mut all = self.0.all.lock();
        all.by_connector.retain(|name, _| exists(name));
        all.bytes = all
            .by_connector
            .values()
            .map(|kept| kept.ring.bytes())
            .sum();
    }

    /// Nothing is filed any more; who follows is told.
    pub(crate) fn close(&self) {
        let mut all = self.0.all.lock();
        *all = All {
            is_closed: true,
            ..All::default()
        };
    }

    /// The newest lines, or with `from` those from this number on.
    pub(crate) fn page(&self, connector: &str, which: &Which, from: Option<u64>) -> Page {
        let all = self.0.all.lock();
        let kept = all.by_connector.get(connector);
        kept.map_or_else(Page::default, |kept| kept.ring.page(which, from))
    }

    /// Every line that is kept, by connector.
    pub fn all(&self) -> Vec<(String, Vec<LogLine>)> {
        let all = self.0.all.lock();
        let which = Which {
            lines: LINES,
            ..Which::default()
        };
        let one =
            |(name, kept): (&String, &Kept)| (name.clone(), kept.ring.page(&which, None).lines);
        let mut all: Vec<_> = all.by_connector.iter().map(one).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    /// For who waits for the next line. It ends when the connector is deleted; at once, when the worker stops.
    fn listen(&self, connector: &str) -> Option<watch::Receiver<u64>> {
        let mut all = self.0.all.lock();
        (!all.is_closed).then(|| all.of(connector).next.subscribe())
    }

    /// Waits until there is a line of this number, at most for so long.
    pub(crate) async fn wait(&self, connector: &str, from: u64, most: Duration) {
        let Some(mut next) = self.listen(connector) else {
            return;
        };
        // One that starts anew has smaller numbers.
        let is_news = |next: &u64| *next != from;
        let _come_or_late = timeout(most, next.wait_for(is_news)).await;
    }

    /// A place for who follows, if there is one.
    fn follower(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.followers).try_acquire_owned().ok()
    }
}

impl All {
    fn of(&mut self, connector: &str) -> &mut Kept {
        self.by_connector
            .entry(connector.to_owned())
            .or_insert_with(|| Kept {
                ring: Ring::default(),
                next: watch::channel(0).0,
            })
    }

    /// Takes a line away where most is; `false` when there is none.
    fn shorten_largest(&mut self) -> bool {
        let largest = self.by_connector.values_mut();
        let Some(kept) = largest.max_by_key(|kept| kept.ring.bytes()) else {
            return false;
        };
        let freed = kept.ring.shorten();
        self.bytes -= freed;
        freed > 0
    }
}

#[cfg(test)]
mod tests;
