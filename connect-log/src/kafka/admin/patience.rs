//! Asking again while the cluster is busy with itself, or away.

use std::time::Duration;

use kafka_protocol::ResponseError as Kafka;
use tokio::time::{Instant, sleep};

use super::outcome::{Failed, Outcome};
use crate::UNAVAILABLE;

const SHORT_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
/// So long a busy broker may be missing among those that can have replicas.
const MISSING: Duration = Duration::from_secs(5);

/// Repeats questions that fail only because the cluster has not caught up with what it has already acknowledged, or because a
/// broker is away.
///
/// Inside one call: whether a task is tried again is the runtime's to decide.
pub(super) struct Patience {
    started: Instant,
    limit: Duration,
    pause: Duration,
}

impl Patience {
    /// Ends after this time.
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            started: Instant::now(),
            limit,
            pause: SHORT_PAUSE,
        }
    }

    /// Waits a moment before the next try, or gives back why there is none.
    pub(super) async fn again(&mut self, failed: Failed) -> Outcome<()> {
        let limit = self.limit.min(lasts(&failed));
        if self.started.elapsed() + self.pause > limit {
            return Err(failed);
        }
        sleep(self.pause).await;
        if matches!(failed, Failed::Broken(_)) {
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
        Ok(())
    }
}

/// For how long it may pass by itself.
fn lasts(failed: &Failed) -> Duration {
    match failed {
        Failed::Broken(error) if error.code() == &UNAVAILABLE => Duration::MAX,
        Failed::Broken(_) => Duration::ZERO,
        Failed::Refused(refusal) => match refusal.kafka {
            Kafka::InvalidReplicationFactor => MISSING,
            kafka if passes(kafka) => Duration::MAX,
            _ => Duration::ZERO,
        },
    }
}

fn passes(kafka: Kafka) -> bool {
    match kafka {
        // A topic has just been created, or its leader has moved.
        Kafka::NotLeaderOrFollower
        | Kafka::LeaderNotAvailable
        | Kafka::UnknownLeaderEpoch
        | Kafka::FencedLeaderEpoch
        | Kafka::OffsetNotAvailable => true,
        // A group's coordinator has just been chosen.
        Kafka::NotCoordinator
        | Kafka::CoordinatorNotAvailable
        | Kafka::CoordinatorLoadInProgress => true,
        // A transaction has just ended, and its end is not everywhere yet.
        Kafka::UnstableOffsetCommit | Kafka::ConcurrentTransactions => true,
        // The controller has moved, or cannot be reached by the broker that passes the question on.
        Kafka::NotController | Kafka::NetworkException | Kafka::ThrottlingQuotaExceeded => true,
        _ => false,
    }
}
