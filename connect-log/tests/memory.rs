//! The log in memory keeps the contract.

use std::sync::Arc;

use connect_log::{conformance::Subject, memory::MemoryLog};

async fn subject() -> Subject {
    let log = MemoryLog::new();
    let kept = Arc::clone(&log);
    Subject {
        upkeep: Some(Box::new(move || {
            let log = Arc::clone(&kept);
            Box::pin(async move { log.upkeep().await })
        })),
        ..Subject::new(log)
    }
}

connect_log::conformance_tests!(subject);
