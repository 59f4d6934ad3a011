//! Numbers of tasks: plain atomics, held in the task's structs, rendered on request.

mod debezium;
mod described;
mod flights;
mod latency;
mod membership;
mod page;
mod ratios;
mod text;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use connect_core::meter::Meter;
use parking_lot::Mutex;

pub(crate) use self::flights::Flights;
use self::{latency::Latency, membership::Membership, ratios::Ratios};
use crate::answers::TaskId;

/// The numbers of one task, over all its tries.
#[derive(Debug, Default)]
pub(crate) struct TaskMetrics {
    /// What the connector itself shows.
    pub(crate) meter: Meter,
    /// Records polled from the source, or read from the log.
    pub(crate) records_in: AtomicU64,
    /// Records written to the log, or sent to the destination.
    pub(crate) records_out: AtomicU64,
    /// Batches: their number, the sum of their sizes, the largest.
    pub(crate) batches: Sizes,
    /// Time per poll of a source or write of a sink, in microseconds.
    pub(crate) work_us: Sizes,
    /// Time per commit of offsets or transactions, in microseconds.
    pub(crate) commit_us: Sizes,
    /// Records per transaction.
    pub(crate) transactions: Sizes,
    /// Commits that failed.
    pub(crate) commit_failures: AtomicU64,
    /// Partitions that a sink task has.
    pub(crate) partitions: AtomicI64,
    /// The largest lag over a sink task's partitions.
    pub(crate) lag_max: AtomicI64,
    /// Records that are behind, over all of a sink task's partitions.
    lag: AtomicI64,
    /// Bytes of keys, values and headers that a sink has read from the log.
    bytes_in: AtomicU64,
    /// When the last record that a sink wrote was made.
    last_record_ms: AtomicI64,
    /// Of a source, records that were given to the log and are not known to be durable; of a sink, records that were read and whose offsets
    /// are not committed.
    pub(crate) active: AtomicI64,
    /// The same, as it was with each batch.
    actives: Sizes,
    /// Commits of a sink that came too late, since its partitions were gone.
    skipped_commits: AtomicU64,
    /// How much of its time it has run.
    pub(crate) ratios: Ratios,
    /// Of a source, from the commit in its server until it is durable in the log; of a sink, from the record's time until it was
    /// written. Counts records.
    pub(crate) latency: Latency,
    /// How often the task was tried again.
    pub(crate) retries: AtomicU64,
    errors: AtomicU64,
    failures: AtomicU64,
    skipped: AtomicU64,
    logged: AtomicU64,
    /// Records sent to the dead letters.
    pub(crate) dead_letters: AtomicU64,
    /// Dead letters that could not be written.
    pub(crate) dead_letter_failures: AtomicU64,
    last_error_ms: AtomicI64,
    rate: Mutex<Option<Rate>>,
    /// Processor time of the task's thread, in microseconds, at the last look and now.
    cpu_us: AtomicU64,
    load: Mutex<Option<(Instant, u64)>>,
}

/// Records per second between two looks that are some seconds apart.
#[derive(Debug, Clone, Copy)]
struct Rate {
    at: Instant,
    records: (u64, u64),
    per_second: (f64, f64),
}

/// Looks that are closer than this give the same rate.
const RATE_WINDOW: Duration = Duration::from_secs(5);

/// Number, sum and maximum of something measured.
#[derive(Debug, Default)]
pub(crate) struct Sizes {
    count: AtomicU64,
    sum: AtomicU64,
    max: AtomicU64,
    /// All bits of the smallest turned, so that nothing is the largest.
    turned_min: AtomicU64,
}

impl Sizes {
    /// Takes one measurement.
    pub(crate) fn take(&self, value: u64) {
        self.count.fetch_add(1, Relaxed);
        self.sum.fetch_add(value, Relaxed);
        self.max.fetch_max(value, Relaxed);
        self.turned_min.fetch_max(!value, Relaxed);
    }

    /// Takes a duration in microseconds.
    pub(crate) fn take_time(&self, time: Duration) {
        self.take(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// How many measurements.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Relaxed)
    }

    /// The largest.
    pub(crate) fn max(&self) -> u64 {
        self.max.load(Relaxed)
    }

    /// The smallest; 0 before the first.
    pub(crate) fn min(&self) -> u64 {
        match self.count() {
            0 => 0,
            _ => !self.turned_min.load(Relaxed),
        }
    }

    /// The mean; 0 before the first.
    pub(crate) fn mean(&self) -> f64 {
        let count = self.count();
        if count == 0 {
            0.0
        } else {
            self.sum.load(Relaxed) as f64 / count as f64
        }
    }
}

impl TaskMetrics {
    /// A record could not be handled.
    pub(crate) fn record_error(&self) {
        self.errors.fetch_add(1, Relaxed);
        self.last_error_ms.store(now_ms(), Relaxed);
    }

    /// It ended the task.
    pub(crate) fn record_failed(&self) {
        self.failures.fetch_add(1, Relaxed);
    }

    /// It was skipped.
    pub(crate) fn record_skipped(&self) {
        self.skipped.fetch_add(1, Relaxed);
    }

    /// It was logged.
    pub(crate) fn error_logged(&self) {
        self.logged.fetch_add(1, Relaxed);
    }
}

impl TaskMetrics {
    /// A source was polled.
    pub(crate) fn polled(&self, records: usize, took: Duration) {
        if records > 0 {
            self.records_in.fetch_add(records as u64, Relaxed);
            self.batches.take(records as u64);
            self.work_us.take_time(took);
        }
    }

    /// Records went to the log.
    pub(crate) fn wrote(&self, records: usize) {
        self.records_out.fetch_add(records as u64, Relaxed);
    }

    /// Records were read from the log.
    pub(crate) fn read(&self, records: usize) {
        self.records_in.fetch_add(records as u64, Relaxed);
        self.batches.take(records as u64);
        self.activate(records as u64);
    }

    /// So many records more are on their way.
    pub(crate) fn activate(&self, records: u64) {
        let records = records.cast_signed();
        let before = self.active.fetch_add(records, Relaxed);
        let now = before.saturating_add(records).max(0);
        self.actives.take(now.unsigned_abs());
    }

    /// A sink has committed everything that it has read, or lost it.
    pub(crate) fn settled(&self, is_lost: bool) {
        self.active.store(0, Relaxed);
        self.skipped_commits.fetch_add(u64::from(is_lost), Relaxed);
    }

    /// Records went to the destination.
    pub(crate) fn put(&self, records: usize, took: Duration) {
        self.records_out.fetch_add(records as u64, Relaxed);
        self.work_us.take_time(took);
    }

    /// Offsets, or a transaction, were committed, or not.
    pub(crate) fn commit(&self, took: Duration, ok: bool) {
        self.commit_us.take_time(took);
        if !ok {
            self.commit_failures.fetch_add(1, Relaxed);
        }
    }

    /// How a sink task stands to its partitions, and how many records each of these is behind.
    pub(crate) fn sink(&self, partitions: usize, lags: impl Iterator<Item = i64> + Clone) {
        self.partitions.store(partitions as i64, Relaxed);
        self.lag_max.store(lags.clone().max().unwrap_or(0), Relaxed);
        self.lag.store(lags.sum(), Relaxed);
    }

    /// Records of these times were written by a sink.
    pub(crate) fn written(&self, made_ms: impl Iterator<Item = i64>) {
        let now_ms = now_ms();
        let mut last = None;
        for at in made_ms.filter(|at| *at > 0) {
            self.latency.take(now_ms - at, 1);
            last = Some(at);
        }
        if let Some(at) = last {
            self.last_record_ms.store(at, Relaxed);
        }
    }

    /// A sink has read so much from the log.
    pub(crate) fn took(&self, bytes: usize) {
        self.bytes_in.fetch_add(bytes as u64, Relaxed);
    }

    /// About how much a sink has yet to read: the log tells records, which weigh what those that were read did.
    fn lag_bytes(&self) -> f64 {
        let records = self.records_in.load(Relaxed).max(1) as f64;
        self.lag.load(Relaxed) as f64 * (self.bytes_in.load(Relaxed) as f64 / records)
    }

    /// How many seconds a sink is behind: the age of the record that it wrote last, while others wait.
    fn lag_seconds(&self) -> f64 {
        let at = self.last_record_ms.load(Relaxed);
        match self.lag_max.load(Relaxed) {
            1.. if at > 0 => (now_ms() - at).max(0) as f64 / 1000.0,
            _ => 0.0,
        }
    }

    /// A dead letter was written, or not.
    pub(crate) fn dead_letter(&self, ok: bool) {
        self.dead_letters.fetch_add(1, Relaxed);
        if !ok {
            self.dead_letter_failures.fetch_add(1, Relaxed);
        }
    }
}

impl TaskMetrics {
    /// The task's thread has used this much processor time in this run.
    pub(crate) fn used(&self, cpu: Duration) {
        let cpu_us = u64::try_from(cpu.as_micros()).unwrap_or(u64::MAX);
        self.cpu_us.store(cpu_us, Relaxed);
    }

    /// The share of a core that was used since the last call, in thousandths.
    fn load(&self) -> u32 {
        let (now, cpu_us) = (Instant::now(), self.cpu_us.load(Relaxed));
        let Some((at, before)) = self.load.lock().replace((now, cpu_us)) else {
            return 0;
        };
        let passed_ms = now.duration_since(at).as_millis().max(1);
        let share = u128::from(cpu_us.saturating_sub(before)) / passed_ms;
        u32::try_from(share).unwrap_or(u32::MAX).min(1000)
    }
}

impl TaskMetrics {
    /// Records per second, in and out, since a look some seconds ago.
    fn rates(&self) -> (f64, f64) {
        let records = (
            self.records_in.load(Relaxed),
            self.records_out.load(Relaxed),
        );
        let now = Instant::now();
        let mut rate = self.rate.lock();
        let Some(last) = *rate else {
            *rate = Some(Rate {
                at: now,
                records,
                per_second: (0.0, 0.0),
            });
            return (0.0, 0.0);
        };
        let passed = now.duration_since(last.at);
        if passed < RATE_WINDOW {
            return last.per_second;
        }
        let per = |new: u64, old: u64| new.saturating_sub(old) as f64 / passed.as_secs_f64();
        let per_second = (
            per(records.0, last.records.0),
            per(records.1, last.records.1),
        );
        *rate = Some(Rate {
            at: now,
            records,
            per_second,
        });
        per_second
    }
}

/// The numbers of all tasks, and of the worker.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    tasks: Mutex<BTreeMap<TaskId, Arc<TaskMetrics>>>,
    /// Starts of tasks: those that were tried, that went well, that failed.
    pub(crate) starts: [AtomicU64; 3],
    /// The same of connectors.
    pub(crate) connector_starts: [AtomicU64; 3],
    /// The worker's place in its group.
    pub(crate) membership: Membership,
}

/// Milliseconds since 1970-01-01.
fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

impl Metrics {
    /// The numbers of a task; the same over all its tries.
    pub(crate) fn task(&self, id: &TaskId) -> Arc<TaskMetrics> {
        Arc::clone(self.tasks.lock().entry(id.clone()).or_default())
    }

    /// Those of a task, if there are any.
    pub(crate) fn known(&self, id: &TaskId) -> Option<Arc<TaskMetrics>> {
        self.tasks.lock().get(id).cloned()
    }

    /// Forgets a task that is not wanted any more.
    pub(crate) fn remove(&self, id: &TaskId) {
        self.tasks.lock().remove(id);
    }

    /// The share of a core that each task uses, in thousandths, by steps of a tenth; quiet ones are left out.
    pub(crate) fn loads(&self) -> BTreeMap<String, u32> {
        let tasks = self.all().into_iter();
        let loads = tasks.map(|(id, task)| (id.to_string(), task.load() / 100 * 100));
        loads.filter(|(_, load)| *load > 0).collect()
    }

    fn all(&self) -> Vec<(TaskId, Arc<TaskMetrics>)> {
        self.tasks
            .lock()
            .iter()
            .map(|(id, task)| (id.clone(), Arc::clone(task)))
            .collect()
    }
}
