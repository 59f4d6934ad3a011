//! The embedded log keeps the contract.

use std::sync::Arc;

use connect_log::{
    conformance::Subject,
    embedded::{EmbeddedLog, EmbeddedOptions},
};
use tempfile::TempDir;

/// A log that is removed with its folder when the check is over.
struct Kept {
    log: Arc<EmbeddedLog>,
    _folder: TempDir,
}

async fn subject() -> Subject {
    let folder = tempfile::tempdir().expect("a folder");
    let log = EmbeddedLog::open(folder.path(), &EmbeddedOptions::default()).expect("a log");
    let kept = Arc::new(Kept {
        log: Arc::clone(&log),
        _folder: folder,
    });
    Subject {
        log,
        upkeep: Some(Box::new(move || {
            let kept = Arc::clone(&kept);
            Box::pin(async move { kept.log.upkeep().await })
        })),
    }
}

connect_log::conformance_tests!(subject);
