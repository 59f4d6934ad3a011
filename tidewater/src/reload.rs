//! SIGHUP: the file of the worker's properties is read again.

use connect_core::Properties;
use connect_runtime::Herder;
use tokio::signal::unix::Signal;

use crate::{cli::Worker, worker::given};

/// Reads the file at each signal, for as long as it is polled. A file that does not hold changes nothing.
pub(crate) async fn follow(
    mut hangups: Signal,
    options: &Worker,
    mut holds: Properties,
    herder: &Herder,
) {
    while hangups.recv().await.is_some() {
        let read = given(options);
        let reloaded = read.and_then(|new| Ok(herder.reload(&holds, &new)?));
        match reloaded {
            Ok((now, changes)) => {
                holds = now;
                tracing::info!(changed = ?changes.applied, "the worker's properties were read again; tasks that start from now on have them");
                if !changes.restart.is_empty() {
                    tracing::warn!(properties = ?changes.restart, "what has changed here needs a restart of the worker");
                }
            }
            Err(error) => {
                let error = crate::words(&error);
                tracing::error!(%error, "the worker's properties were read again and do not hold; nothing has changed");
            }
        }
    }
    // No more signals can come; the worker goes on.
    std::future::pending().await
}
