//! The suite that every log passes.

use connect_log::conformance::Subject;

use super::broker::log;

async fn kafka() -> Subject {
    Subject::new(log())
}

connect_log::conformance_tests!(kafka);

/// Transactions of two answers (KIP-890).
mod rare {
    use connect_log::Pace;

    use super::{Subject, kafka};

    async fn rare() -> Subject {
        Subject {
            pace: Pace::Rare,
            ..kafka().await
        }
    }

    connect_log::conformance_tests!(transactions of rare);
}
