//! Asking again while the cluster is busy with itself.

use std::time::{Duration, Instant};

use rdkafka::types::RDKafkaErrorCode as Kafka;

/// Repeats requests that fail only because the cluster has not caught up with what it has already acknowledged.
///
/// Short and inside one call: whether a task is tried again is the runtime's to decide.
pub(super) struct Patience {
    ends: Instant,
}

impl Patience {
    /// Ends after this time.
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            ends: Instant::now() + limit,
        }
    }

    /// Whether to ask again, after a moment.
    pub(super) async fn again(&mut self, code: Kafka) -> bool {
        const MOMENT: Duration = Duration::from_millis(10);
        if !passes(code) || Instant::now() > self.ends {
            return false;
        }
        tokio::time::sleep(MOMENT).await;
        true
    }
}

fn passes(code: Kafka) -> bool {
    match code {
        // A topic has just been created, or its leader has moved.
        Kafka::NotLeaderForPartition
        | Kafka::LeaderNotAvailable
        | Kafka::UnknownLeaderEpoch
        | Kafka::FencedLeaderEpoch
        | Kafka::NoEnt => true,
        // A group's coordinator has just been chosen.
        Kafka::NotCoordinator
        | Kafka::CoordinatorNotAvailable
        | Kafka::CoordinatorLoadInProgress
        | Kafka::WaitingForCoordinator => true,
        // A transaction has just ended, and its end is not everywhere yet.
        Kafka::UnstableOffsetCommit | Kafka::ConcurrentTransactions => true,
        Kafka::NotController => true,
        // A broker that was too busy to tell that it lives.
        Kafka::InvalidReplicationFactor => true,
        _ => false,
    }
}
