//! This worker's place in its group, over time. A rebalance is a new generation of the group; what does not move goes on meanwhile, so its time is
//! that in which this worker had no place.

use std::sync::atomic::Ordering::Relaxed;

use connect_log::Standing;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{Sizes, page::Page};

/// What was seen of the group.
#[derive(Debug, Default)]
pub(crate) struct Membership {
    seen: Mutex<Seen>,
    times_us: Sizes,
}

#[derive(Debug, Default)]
struct Seen {
    generation: Option<i32>,
    /// Since when there is no place.
    lost: Option<Instant>,
    /// When the last generation began.
    last: Option<Instant>,
}

impl Membership {
    /// The place is this one now.
    pub(crate) fn see(&self, standing: Option<&Standing>) {
        self.saw(standing.map(|standing| standing.view.generation));
    }

    fn saw(&self, generation: Option<i32>) {
        let now = Instant::now();
        let mut seen = self.seen.lock();
        if generation.is_none() {
            seen.lost.get_or_insert(now);
            return;
        }
        let lost = seen.lost.take();
        if seen.generation != generation {
            self.times_us.take_time(
                lost.map(|lost| now.duration_since(lost))
                    .unwrap_or_default(),
            );
            (seen.generation, seen.last) = (generation, Some(now));
        }
    }

    /// The numbers of the group, for a worker that stands so.
    pub(super) fn put(&self, page: &mut Page, standing: Option<&Standing>) {
        let mut put = |name: &str, value: f64| {
            let name = format!("kafka_connect_worker_rebalance_{name}");
            page.put(&name, &[], value);
        };
        put("rebalancing", f64::from(u8::from(standing.is_none())));
        put("rebalance_max_time_ms", self.times_us.max() as f64 / 1000.0);
        put("rebalance_avg_time_ms", self.times_us.mean() / 1000.0);
        put(
            "completed_rebalances_total",
            self.times_us.count.load(Relaxed) as f64,
        );
        if let Some(last) = self.seen.lock().last {
            put(
                "time_since_last_rebalance_ms",
                last.elapsed().as_millis() as f64,
            );
        }
        let Some(standing) = standing else { return };
        put("epoch", f64::from(standing.view.generation));
        let leads = standing.view.leader == standing.view.me;
        page.put(
            "tidewater_worker_is_leader",
            &[],
            f64::from(u8::from(leads)),
        );
        let workers = standing.view.members.len();
        page.put("tidewater_group_workers", &[], workers as f64);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn generations_are_counted_and_the_time_without_a_place() {
        let membership = Membership::default();
        let wait = |ms| tokio::time::advance(Duration::from_millis(ms));
        membership.saw(Some(1));
        membership.saw(Some(1));
        wait(10).await;
        membership.saw(None);
        wait(20).await;
        membership.saw(None);
        wait(20).await;
        membership.saw(Some(2));
        wait(7).await;
        let mut page = Page::default();
        membership.put(&mut page, None);
        let text = page.text();
        for line in [
            "rebalancing 1",
            "rebalance_max_time_ms 40",
            "rebalance_avg_time_ms 20",
            "completed_rebalances_total 2",
            "time_since_last_rebalance_ms 7",
        ] {
            let line = format!("kafka_connect_worker_rebalance_{line}");
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }
}
