//! A histogram of times.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

/// Upper bounds of the buckets in milliseconds; what takes longer is in none but the last, which has no bound.
pub(super) const BOUNDS_MS: [i64; 14] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10_000, 60_000, 600_000,
];

/// How many records took how long. Times below zero, of clocks that differ, count as none.
#[derive(Debug, Default)]
pub(crate) struct Latency {
    buckets: [AtomicU64; BOUNDS_MS.len() + 1],
    sum_ms: AtomicI64,
}

impl Latency {
    /// So many records took this long.
    pub(crate) fn take(&self, took_ms: i64, records: u64) {
        let took_ms = took_ms.max(0);
        let at = BOUNDS_MS.partition_point(|bound| *bound < took_ms);
        self.buckets[at].fetch_add(records, Relaxed);
        let sum = took_ms.saturating_mul(records.cast_signed());
        self.sum_ms.fetch_add(sum, Relaxed);
    }

    /// How many took at most as long as each bound, and then how many there are at all.
    pub(super) fn cumulative(&self) -> Vec<u64> {
        let buckets = self.buckets.iter().map(|bucket| bucket.load(Relaxed));
        let sum = buckets.scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        sum.collect()
    }

    /// The sum of all times in seconds.
    pub(super) fn sum_seconds(&self) -> f64 {
        self.sum_ms.load(Relaxed) as f64 / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let latency = Latency::default();
        for (took, records) in [(-5, 1), (1, 1), (2, 3), (700_000, 1)] {
            latency.take(took, records);
        }
        let counts = latency.cumulative();
        assert_eq!(counts[..3], [2, 5, 5]);
        assert_eq!(counts[13..], [5, 6]);
        assert!((latency.sum_seconds() - 700.007).abs() < 1e-9);
    }
}
