//! How many bytes of the server's binlog are not read yet: asked of the server now and then, beside the stream.

use std::{sync::Arc, time::Duration};

use connect_core::{Result, meter::Meter};
use tokio::{sync::watch, task::JoinSet, time::sleep};

use crate::wire::{Answer, Side};

/// How often the server is asked.
const LOOK: Duration = Duration::from_secs(10);

/// Where the stream stands: a file and a position in it.
type Stand = Option<(Arc<str>, u64)>;

/// Asks until it is dropped.
#[derive(Debug)]
pub(crate) struct Lag {
    stand: watch::Sender<Stand>,
    _asking: JoinSet<()>,
}

impl Lag {
    /// Shows the number as `lag-bytes`, once the server has told; until then, and where it does not tell, there is none. Must be called within a
    /// runtime.
    pub(crate) fn new(side: Side, meter: &Meter) -> Self {
        let (stand, stands) = watch::channel(None);
        let mut asking = JoinSet::new();
        asking.spawn(ask(side, meter.clone(), stands));
        Self {
            stand,
            _asking: asking,
        }
    }

    /// The stream has come to this position.
    pub(crate) fn stands(&self, file: &Arc<str>, pos: u64) {
        self.stand.send_replace(Some((Arc::clone(file), pos)));
    }
}

async fn ask(mut side: Side, meter: Meter, mut stands: watch::Receiver<Stand>) {
    // The sender is gone when this is dropped.
    while stands.wait_for(Option::is_some).await.is_ok() {
        match files(&mut side).await {
            Ok(files) => {
                let stand = stands.borrow_and_update().clone();
                let behind = stand.and_then(|(file, pos)| behind(&files, &file, pos));
                if let Some(behind) = behind {
                    meter.gauge("lag-bytes").set(behind);
                }
            }
            Err(error) => tracing::debug!(%error, "the server does not tell its binlogs now"),
        }
        sleep(LOOK).await;
    }
}

/// The server's binlogs in order, with their sizes.
async fn files(side: &mut Side) -> Result<Vec<(String, u64)>> {
    let told = side.connection().await?.query("SHOW BINARY LOGS").await;
    if told.is_err() {
        side.close().await;
    }
    let told = told?;
    let files = told
        .iter()
        .map(|row| (row.text(0).to_owned(), row.text(1).parse().unwrap_or(0)));
    Ok(files.collect())
}

/// What lies behind a position; none when its file is not there.
fn behind(files: &[(String, u64)], file: &str, pos: u64) -> Option<i64> {
    let at = files.iter().position(|(name, _)| name == file)?;
    let sizes: u64 = files.get(at..)?.iter().map(|(_, size)| size).sum();
    i64::try_from(sizes.saturating_sub(pos)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_behind_a_position_is_counted_over_files() {
        let files = [("b.1", 100), ("b.2", 200), ("b.3", 30)];
        let files = files.map(|(name, size)| (name.to_owned(), size));
        assert_eq!(behind(&files, "b.3", 30), Some(0));
        assert_eq!(behind(&files, "b.3", 10), Some(20));
        assert_eq!(behind(&files, "b.1", 60), Some(270));
        // The size was asked for before the stream read on.
        assert_eq!(behind(&files, "b.3", 31), Some(0));
        assert_eq!(behind(&files, "b.0", 4), None);
    }
}
