//! How many requests one client may send: a bucket of tokens each.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// So many clients are remembered. Those with a full bucket need not be.
const MOST_CLIENTS: usize = 10_000;

/// Buckets by client.
pub(crate) struct Rate {
    per_second: f64,
    burst: f64,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Rate {
    /// So many requests a second, and so many at once. A rate of 0 is none.
    pub(crate) fn new(per_second: f64, burst: u32) -> Self {
        Self {
            per_second,
            burst: f64::from(burst.max(1)),
            buckets: Mutex::default(),
        }
    }

    /// Takes a token; the error is how long until there is one.
    pub(crate) fn take(&self, client: &str) -> Result<(), Duration> {
        self.spend(client, Instant::now(), 1.0)
    }

    /// Whether there is a token, without taking it.
    pub(crate) fn look(&self, client: &str) -> Result<(), Duration> {
        self.spend(client, Instant::now(), 0.0)
    }

    fn spend(&self, client: &str, now: Instant, price: f64) -> Result<(), Duration> {
        if self.per_second <= 0.0 {
            return Ok(());
        }
        let mut buckets = self.buckets.lock();
        if buckets.len() >= MOST_CLIENTS && !buckets.contains_key(client) {
            buckets.retain(|_, bucket| self.filled(*bucket, now) < self.burst);
            if buckets.len() >= MOST_CLIENTS {
                buckets.clear();
            }
        }
        let full = Bucket {
            tokens: self.burst,
            at: now,
        };
        let bucket = buckets.entry(client.to_owned()).or_insert(full);
        let tokens = self.filled(*bucket, now);
        *bucket = Bucket { tokens, at: now };
        if tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - tokens) / self.per_second));
        }
        bucket.tokens -= price;
        Ok(())
    }

    fn filled(&self, bucket: Bucket, now: Instant) -> f64 {
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.tokens + since * self.per_second).min(self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills() {
        let rate = Rate::new(2.0, 3);
        let now = Instant::now();
        for _ in 0..3 {
            assert!(rate.spend("a", now, 1.0).is_ok());
        }
        assert_eq!(rate.spend("a", now, 1.0), Err(Duration::from_millis(500)));
        assert!(rate.spend("b", now, 1.0).is_ok());
        assert!(
            rate.spend("a", now + Duration::from_millis(500), 1.0)
                .is_ok()
        );
        assert!(Rate::new(0.0, 1).spend("a", now, 1.0).is_ok());
    }

    #[test]
    fn clients_are_not_remembered_without_end() {
        let rate = Rate::new(1.0, 1);
        let now = Instant::now();
        for client in 0..MOST_CLIENTS + 5 {
            let _ = rate.spend(&client.to_string(), now, 1.0);
        }
        assert!(rate.buckets.lock().len() <= MOST_CLIENTS);
    }
}
