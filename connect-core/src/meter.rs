//! Numbers that a task shows: registered once, then plain atomics.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};

/// The numbers of one task. Cheap to clone; the runtime exports what is registered.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<Vec<(&'static str, Gauge)>>>);

/// One number. Setting it is one atomic store.
#[derive(Debug, Clone, Default)]
pub struct Gauge(Arc<AtomicI64>);

impl Meter {
    /// Registers a number by its metric name in Kafka Connect's style (`snapshot-rows-scanned`); the same name gives the same number.
    pub fn gauge(&self, name: &'static str) -> Gauge {
        let mut all = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((_, gauge)) = all.iter().find(|(n, _)| *n == name) {
            return gauge.clone();
        }
        let gauge = Gauge::default();
        all.push((name, gauge.clone()));
        gauge
    }

    /// All numbers as they stand.
    pub fn read(&self) -> Vec<(&'static str, i64)> {
        let all = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        all.iter()
            .map(|(name, gauge)| (*name, gauge.get()))
            .collect()
    }
}

impl Gauge {
    /// Sets it.
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Adds to it.
    pub fn add(&self, value: i64) {
        self.0.fetch_add(value, Ordering::Relaxed);
    }

    /// Its value.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}
