//! Something that the herder looks at has changed: a number that grows, for everybody who waits.

use tokio::sync::watch;

/// Both ends. Clones are of the same number.
#[derive(Debug, Clone)]
pub(crate) struct Changes(watch::Sender<u64>);

impl Default for Changes {
    fn default() -> Self {
        Self(watch::channel(0).0)
    }
}

impl Changes {
    /// Something has changed.
    pub(crate) fn tell(&self) {
        self.0.send_modify(|number| *number += 1);
    }

    /// For who waits for changes from now on.
    pub(crate) fn listen(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}
