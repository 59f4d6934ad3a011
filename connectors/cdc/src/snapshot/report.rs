//! What a snapshot tells of itself: notifications, lines in the log, numbers.

use std::time::Duration;

use connect_core::{
    Batch,
    meter::{Gauge, Meter},
};
use tokio::time::Instant;

use crate::notification::{INITIAL, Notification, Notifier, random_id};

/// How often a running snapshot is in the log.
const EVERY: Duration = Duration::from_secs(10);
/// How often its numbers are set.
const MEASURED_EVERY: Duration = Duration::from_secs(1);

/// The teller of one snapshot.
#[derive(Debug)]
pub struct Report {
    notifier: Notifier,
    shown: Shown,
    /// The names of all tables, separated by commas.
    names: String,
    /// How many rows there are, by the server's estimate.
    estimate: u64,
    /// How many have been read.
    rows: u64,
    /// How many of these by earlier tries.
    rows_before: u64,
    table_rows: u64,
    began: Instant,
    measured: Instant,
    logged: Instant,
    is_told: bool,
}

/// The numbers: those of Debezium's snapshot metrics, and how fast it is.
#[derive(Debug)]
struct Shown {
    running: Gauge,
    completed: Gauge,
    rows: Gauge,
    estimate: Gauge,
    tables: Gauge,
    tables_left: Gauge,
    seconds: Gauge,
    rows_per_second: Gauge,
    seconds_left: Gauge,
}

impl Report {
    /// Tells through these channels.
    pub fn new(notifier: Notifier, meter: &Meter) -> Self {
        let now = Instant::now();
        Self {
            notifier,
            shown: Shown {
                running: meter.gauge("snapshot-running"),
                completed: meter.gauge("snapshot-completed"),
                rows: meter.gauge("snapshot-rows-scanned"),
                estimate: meter.gauge("snapshot-estimated-rows"),
                tables: meter.gauge("snapshot-total-table-count"),
                tables_left: meter.gauge("snapshot-remaining-table-count"),
                seconds: meter.gauge("snapshot-duration-seconds"),
                rows_per_second: meter.gauge("snapshot-rows-per-second"),
                seconds_left: meter.gauge("snapshot-estimated-seconds-left"),
            },
            names: String::new(),
            estimate: 0,
            rows: 0,
            rows_before: 0,
            table_rows: 0,
            began: now,
            measured: now,
            logged: now,
            is_told: false,
        }
    }

    /// So many tables are read, of which these have yet to be, and some rows have been by earlier tries; `estimate` is how
    /// many rows all of them have, as the server thinks.
    pub fn begin(&mut self, all: usize, left: &[String], (estimate, rows): (u64, u64)) {
        self.estimate = estimate;
        (self.rows, self.rows_before) = (rows, rows);
        self.shown.tables.set(shown(all as u64));
        self.shown.tables_left.set(shown(left.len() as u64));
        self.shown.rows.set(shown(rows));
        self.shown.running.set(1);
        self.shown.completed.set(0);
        self.names = left.join(",");
        self.measure();
    }

    /// Tells once that it has begun.
    pub(super) fn started(&mut self, out: &mut Batch, now_ms: i64) {
        if !std::mem::replace(&mut self.is_told, true) {
            self.tell("STARTED", Vec::new(), out, now_ms);
        }
    }

    /// A table will be read.
    pub(super) fn table_begins(&mut self, table: &str, out: &mut Batch, now_ms: i64) {
        self.table_rows = 0;
        let data = vec![
            ("current_collection_in_progress", table.to_owned()),
            ("data_collections", self.names.clone()),
        ];
        self.tell("IN_PROGRESS", data, out, now_ms);
    }

    /// Rows were read.
    pub(super) fn read(&mut self, rows: usize) {
        self.rows += rows as u64;
        self.table_rows += rows as u64;
        self.shown.rows.set(shown(self.rows));
        if self.measured.elapsed() >= MEASURED_EVERY {
            self.measured = Instant::now();
            self.measure();
        }
        if self.logged.elapsed() >= EVERY {
            self.logged = Instant::now();
            let (rate, left) = self.measure();
            tracing::info!(
                rows = self.rows,
                of_about = self.estimate.max(self.rows),
                rows_per_second = rate,
                seconds_left = left,
                tables_left = self.shown.tables_left.get(),
                "snapshot running"
            );
        }
    }

    /// How many rows have been read, by earlier tries too.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows per second, and how many seconds are left by the server's estimate of rows.
    fn measure(&self) -> (u64, u64) {
        let seconds = self.began.elapsed().as_secs();
        let rate = (self.rows - self.rows_before) / seconds.max(1);
        let left = self.estimate.saturating_sub(self.rows) / rate.max(1);
        self.shown.seconds.set(shown(seconds));
        self.shown.rows_per_second.set(shown(rate));
        self.shown.seconds_left.set(shown(left));
        self.shown.estimate.set(shown(self.estimate.max(self.rows)));
        (rate, left)
    }

    /// A table was read, and no other meanwhile.
    pub(super) fn table_done(&mut self, table: &str, out: &mut Batch, now_ms: i64) {
        self.table_read(table, self.table_rows, out, now_ms);
    }

    /// A part of a table will be read: its number, and how many parts there are.
    pub(super) fn part_begins(
        &self,
        table: &str,
        (index, of): (u32, u32),
        rows: u64,
        out: &mut Batch,
        now_ms: i64,
    ) {
        if self.notifier.is_silent() {
            return;
        }
        let data = vec![
            ("current_collection_in_progress", table.to_owned()),
            ("chunk_index", index.to_string()),
            ("total_chunks", of.to_string()),
            ("total_rows_scanned", rows.to_string()),
        ];
        self.tell("TABLE_CHUNK_IN_PROGRESS", data, out, now_ms);
    }

    /// A part of a table was read.
    pub(super) fn part_done(
        &self,
        table: &str,
        (index, of): (u32, u32),
        out: &mut Batch,
        now_ms: i64,
    ) {
        if self.notifier.is_silent() {
            return;
        }
        let data = vec![
            ("scanned_collection", table.to_owned()),
            ("data_collections", self.names.clone()),
            ("chunk_index", index.to_string()),
            ("total_chunks", of.to_string()),
            ("status", "SUCCEEDED".to_owned()),
        ];
        self.tell("TABLE_CHUNK_COMPLETED", data, out, now_ms);
    }

    /// A table was read: so many rows.
    pub(super) fn table_read(&mut self, table: &str, rows: u64, out: &mut Batch, now_ms: i64) {
        tracing::info!(table, rows, "table read");
        self.shown.tables_left.add(-1);
        let data = vec![
            ("scanned_collection", table.to_owned()),
            ("data_collections", self.names.clone()),
            ("total_rows_scanned", rows.to_string()),
            ("status", "SUCCEEDED".to_owned()),
        ];
        self.tell("TABLE_SCAN_COMPLETED", data, out, now_ms);
    }

    /// All tables were read.
    pub(super) fn completed(&mut self, out: &mut Batch, now_ms: i64) {
        let (rate, _) = self.measure();
        tracing::info!(
            rows = self.rows,
            rows_per_second = rate,
            "snapshot complete"
        );
        self.shown.running.set(0);
        self.shown.completed.set(1);
        self.shown.seconds_left.set(0);
        self.tell("COMPLETED", Vec::new(), out, now_ms);
    }

    fn tell(
        &self,
        kind: &'static str,
        data: Vec<(&'static str, String)>,
        out: &mut Batch,
        now_ms: i64,
    ) {
        tell(&self.notifier, kind, data, out, now_ms);
    }
}

/// A task that reads no tables any more does not say that it does.
impl Drop for Report {
    fn drop(&mut self) {
        self.shown.running.set(0);
    }
}

fn shown(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Tells of the snapshot at the start.
pub fn tell(
    notifier: &Notifier,
    kind: &'static str,
    data: Vec<(&'static str, String)>,
    out: &mut Batch,
    now_ms: i64,
) {
    if notifier.is_silent() {
        return;
    }
    let notification = Notification {
        id: random_id(),
        aggregate: INITIAL,
        kind,
        data,
    };
    notifier.tell(notification, out, now_ms);
}
