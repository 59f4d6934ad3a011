//! How the log is, looked at once for all tasks.

use std::time::Duration;

use connect_core::Error;
use connect_log::Log;
use tokio::{sync::watch, time::sleep};

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(1);

/// What is wrong with the log, if anything.
#[derive(Debug, Default)]
pub(crate) struct LogHealth(watch::Sender<Option<Error>>);

impl LogHealth {
    /// Looks, for ever.
    pub(crate) async fn look(&self, log: &dyn Log) {
        loop {
            let now = log.health().await.err();
            let code = |of: &Option<Error>| of.as_ref().map(Error::code);
            self.0.send_if_modified(|known| {
                let is_other = code(known) != code(&now);
                *known = now;
                is_other
            });
            sleep(LOOK).await;
        }
    }

    /// Tells of changes, and first how it is now.
    pub(crate) fn listen(&self) -> watch::Receiver<Option<Error>> {
        let mut listener = self.0.subscribe();
        listener.mark_changed();
        listener
    }
}
