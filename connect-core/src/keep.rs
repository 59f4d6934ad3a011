//! Bytes that a connector keeps in the log for later, in order: what its server shall not have to keep.

use std::{fmt, sync::Arc, time::Duration};

use tokio::sync::{Mutex, OwnedMutexGuard, watch};

use crate::{BoxFuture, Error, Position, Result, outside::Letter};

/// What one connector keeps, and whose turn it is to read its server. Cheap to clone.
#[derive(Clone, Default)]
pub struct Keep {
    turns: Turns,
    store: Option<Arc<dyn Store>>,
}

impl Keep {
    /// Kept in a store; `turns` are those of all that share it.
    pub fn new(turns: Turns, store: Arc<dyn Store>) -> Self {
        Self {
            turns,
            store: Some(store),
        }
    }

    /// Whose turn it is.
    pub fn turns(&self) -> &Turns {
        &self.turns
    }

    /// The store; fails where there is no log.
    pub fn store(&self) -> Result<&Arc<dyn Store>> {
        let missing = || Error::config("there is no log here in which anything could be kept");
        self.store.as_ref().ok_or_else(missing)
    }
}

impl fmt::Debug for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keep").finish_non_exhaustive()
    }
}

/// Records in order, of which the oldest are forgotten. There is one writer: a new one, and a reader, end the older ones.
pub trait Store: Send + Sync {
    /// What people know it by: the name of its topic.
    fn name(&self) -> &str;

    /// The positions of the connector that are stored.
    fn positions(&self) -> Vec<Position>;

    /// Whether it has no records.
    fn is_empty(&self) -> BoxFuture<'_, Result<bool>>;

    /// A writer that goes on behind the last record.
    fn writer(&self) -> BoxFuture<'_, Result<Box<dyn Writer>>>;

    /// A reader of all that is there now; `None` when that is nothing.
    fn reader(&self) -> BoxFuture<'_, Result<Option<Box<dyn Reader>>>>;

    /// Forgets the records before an offset; `None` forgets all.
    fn forget(&self, before: Option<i64>) -> BoxFuture<'_, Result<()>>;
}

/// Appends records.
pub trait Writer: Send {
    /// Takes a record; waits only while there is no room. Fails when it is larger than the log takes.
    fn append<'a>(&'a mut self, key: &'a [u8], value: &'a [u8]) -> BoxFuture<'a, Result<()>>;

    /// Makes all that was appended durable and visible at once.
    fn commit(&mut self) -> BoxFuture<'_, Result<()>>;
}

/// Reads records, oldest first.
pub trait Reader: Send {
    /// The next records, perhaps none in the time given; a few megabytes at most, or one larger record.
    fn next(&mut self, wait: Duration) -> BoxFuture<'_, Result<Page>>;
}

/// Some records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// They, in order.
    pub letters: Vec<Letter>,
    /// With the last page, the offset behind all that was there.
    pub end: Option<i64>,
}

/// Turns at something that only one may have at a time, where whoever has it can see that it is asked for.
#[derive(Debug, Clone, Default)]
pub struct Turns {
    held: Arc<Mutex<()>>,
    asking: Arc<watch::Sender<usize>>,
}

/// A turn. Dropping it ends it.
#[derive(Debug)]
pub struct Turn {
    _held: OwnedMutexGuard<()>,
}

impl Turns {
    /// Asks for a turn and waits for it.
    pub async fn take(&self) -> Turn {
        let _asking = Asking::new(&self.asking);
        let held = Arc::clone(&self.held).lock_owned().await;
        Turn { _held: held }
    }

    /// A turn, if nobody has one.
    pub fn try_take(&self) -> Option<Turn> {
        let held = Arc::clone(&self.held).try_lock_owned().ok()?;
        Some(Turn { _held: held })
    }

    /// Waits until somebody asks for a turn.
    pub async fn asked(&self) {
        // The sender lives as long as we.
        let _ = self.asking.subscribe().wait_for(|asking| *asking > 0).await;
    }
}

/// Somebody who waits, perhaps not to the end.
struct Asking<'a>(&'a watch::Sender<usize>);

impl<'a> Asking<'a> {
    fn new(asking: &'a watch::Sender<usize>) -> Self {
        asking.send_modify(|asking| *asking += 1);
        Self(asking)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|asking| *asking -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_has_a_turn_sees_that_it_is_asked_for() {
        let turns = Turns::default();
        let first = turns.try_take().unwrap();
        assert!(turns.try_take().is_none());
        let give_way = async {
            turns.asked().await;
            drop(first);
        };
        let (second, ()) = tokio::join!(turns.take(), give_way);
        assert!(turns.try_take().is_none());
        let gave_up = tokio::time::timeout(Duration::from_millis(1), turns.take()).await;
        assert!(gave_up.is_err());
        let asked = tokio::time::timeout(Duration::from_millis(1), turns.asked()).await;
        assert!(asked.is_err(), "nobody asks any more");
        drop(second);
        assert!(turns.try_take().is_some());
    }
}
