//! Prometheus' text format, by the names under which Kafka Connect's own numbers are exported
//! (`kafka_connect_<group>_<attribute>`), so that dashboards for it work.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::{Metrics, TaskMetrics, debezium, described, page::Page};
use crate::{
    answers::{ConnectorKind, ConnectorStatus, State, TaskId},
    shared::Shared,
};

/// Every state that a task can be in, by the name that its count has.
const TASK_STATES: [(&str, Option<State>); 7] = [
    ("total", None),
    ("running", Some(State::Running)),
    ("paused", Some(State::Paused)),
    ("failed", Some(State::Failed)),
    ("unassigned", Some(State::Unassigned)),
    ("restarting", Some(State::Restarting)),
    ("destroyed", Some(State::Destroyed)),
];

/// What a PostgreSQL source is behind, in bytes. It has one task.
const UNCONFIRMED: &str = "slot-unconfirmed-wal-bytes";

impl Shared {
    /// All numbers in Prometheus' text format.
    pub(crate) fn metrics_text(&self) -> String {
        let mut page = Page::default();
        let names: Vec<String> = self.desired.read().connectors.keys().cloned().collect();
        let statuses: Vec<ConnectorStatus> = names
            .iter()
            .filter_map(|name| self.status(name).ok())
            .collect();
        worker(&mut page, &statuses, &self.metrics);
        let standing = self.place.standing();
        self.metrics.membership.put(&mut page, standing.as_ref());
        for status in &statuses {
            connector(&mut page, status, &self.metrics);
            if let Ok(info) = self.info(&status.name) {
                let version = status.connector.version.as_deref();
                described::connector(&mut page, &status.name, &info.config, version);
            }
        }
        for (id, task) in self.metrics.all() {
            let status = statuses.iter().find(|one| one.name == id.connector);
            let kind = status.map_or(ConnectorKind::Unknown, |one| one.kind);
            each_task(&mut page, &id, &task, kind);
            if let Ok(info) = self.info(&id.connector) {
                debezium::put(&mut page, &info.config, &task);
                described::task(&mut page, &id, &info.config, &self.current.get());
            }
        }
        for (name, guard) in self.guarded.all() {
            let labels = [("connector", name.as_str())];
            for (metric, value) in guard.meter.read() {
                page.put(
                    &format!("tidewater_connector_{metric}"),
                    &labels,
                    value as f64,
                );
                if metric == UNCONFIRMED {
                    let labels = [labels[0], ("task", "0")];
                    page.put("tidewater_task_lag_bytes", &labels, value as f64);
                }
            }
        }
        page.text()
    }
}

fn worker(page: &mut Page, statuses: &[ConnectorStatus], metrics: &Metrics) {
    let tasks: usize = statuses.iter().map(|status| status.tasks.len()).sum();
    page.put(
        "kafka_connect_worker_connector_count",
        &[],
        statuses.len() as f64,
    );
    page.put("kafka_connect_worker_task_count", &[], tasks as f64);
    starts(page, "task", &metrics.starts);
    starts(page, "connector", &metrics.connector_starts);
}

fn starts(page: &mut Page, of: &str, counts: &[AtomicU64; 3]) {
    let mut put = |name: &str, value: f64| {
        page.put(
            &format!("kafka_connect_worker_{of}_startup_{name}"),
            &[],
            value,
        );
    };
    let [attempts, good, bad] = counts.each_ref().map(|count| count.load(Relaxed) as f64);
    put("attempts_total", attempts);
    put("success_total", good);
    put("failure_total", bad);
    let ended = good + bad;
    let share = |count: f64| if ended > 0.0 { count / ended } else { 0.0 };
    put("success_percentage", share(good));
    put("failure_percentage", share(bad));
}

fn connector(page: &mut Page, status: &ConnectorStatus, metrics: &Metrics) {
    let name = ("connector", status.name.as_str());
    let state = status.connector.state.name().to_ascii_lowercase();
    page.put(
        "kafka_connect_connector_status",
        &[name, ("status", &state)],
        1.0,
    );
    let kind = match status.kind {
        ConnectorKind::Source => "source",
        ConnectorKind::Sink => "sink",
        ConnectorKind::Unknown => "unknown",
    };
    page.put("kafka_connect_connector_type", &[name, ("type", kind)], 1.0);
    for (label, state) in TASK_STATES {
        let counted = status
            .tasks
            .iter()
            .filter(|task| state.is_none_or(|s| s == task.state));
        let metric = format!("kafka_connect_worker_connector_{label}_task_count");
        page.put(&metric, &[name], counted.count() as f64);
    }
    for task in &status.tasks {
        let (id, state) = (task.id.to_string(), task.state.name().to_ascii_lowercase());
        let labels = [name, ("task", id.as_str()), ("status", state.as_str())];
        page.put("kafka_connect_connector_task_status", &labels, 1.0);
        let labels = &labels[..2];
        // Those of other workers are told by them.
        let Some(own) = metrics.known(&TaskId::new(&status.name, task.id)) else {
            continue;
        };
        let (runs, paused) = own.ratios.read();
        page.put("kafka_connect_connector_task_running_ratio", labels, runs);
        page.put("kafka_connect_connector_task_pause_ratio", labels, paused);
    }
}

fn each_task(page: &mut Page, id: &TaskId, task: &TaskMetrics, kind: ConnectorKind) {
    let number = id.task.to_string();
    let labels = [
        ("connector", id.connector.as_str()),
        ("task", number.as_str()),
    ];
    let mut put =
        |name: &str, value: f64| page.put(&format!("kafka_connect_{name}"), &labels, value);
    let (commits, failed) = (
        task.commit_us.count() as f64,
        task.commit_failures.load(Relaxed) as f64,
    );
    put("connector_task_batch_size_max", task.batches.max() as f64);
    put("connector_task_batch_size_avg", task.batches.mean());
    put(
        "connector_task_offset_commit_max_time_ms",
        millis(task.commit_us.max() as f64),
    );
    put(
        "connector_task_offset_commit_avg_time_ms",
        millis(task.commit_us.mean()),
    );
    let percentage = if commits > 0.0 { failed / commits } else { 0.0 };
    put(
        "connector_task_offset_commit_failure_percentage",
        percentage,
    );
    put(
        "connector_task_offset_commit_success_percentage",
        if commits > 0.0 { 1.0 - percentage } else { 0.0 },
    );
    errors(&mut put, task);
    match kind {
        ConnectorKind::Source => source(&mut put, task),
        _ => sink(&mut put, task),
    }
    let (latency, lag) = match kind {
        ConnectorKind::Source => ("tidewater_source_latency_seconds", &task.active),
        _ => ("tidewater_sink_latency_seconds", &task.lag),
    };
    page.put_latency(latency, &labels, &task.latency);
    let lag = lag.load(Relaxed) as f64;
    page.put("tidewater_task_lag_records", &labels, lag);
    page.put(
        "tidewater_task_lag_seconds",
        &labels,
        lag_seconds(task, kind),
    );
    for (name, value) in task.meter.read() {
        page.put(&format!("tidewater_task_{name}"), &labels, value as f64);
    }
}

/// How far a task is behind what it reads.
fn lag_seconds(task: &TaskMetrics, kind: ConnectorKind) -> f64 {
    let all = task.meter.read();
    let behind = all
        .iter()
        .find(|(name, _)| *name == "milliseconds-behind-source");
    match (kind, behind) {
        (ConnectorKind::Source, Some((_, behind))) => *behind as f64 / 1000.0,
        (ConnectorKind::Source, None) => 0.0,
        _ => task.lag_seconds(),
    }
}

fn errors(put: &mut impl FnMut(&str, f64), task: &TaskMetrics) {
    put(
        "task_error_total_record_failures",
        task.failures.load(Relaxed) as f64,
    );
    put(
        "task_error_total_record_errors",
        task.errors.load(Relaxed) as f64,
    );
    put(
        "task_error_total_records_skipped",
        task.skipped.load(Relaxed) as f64,
    );
    put(
        "task_error_total_retries",
        task.retries.load(Relaxed) as f64,
    );
    put(
        "task_error_total_errors_logged",
        task.logged.load(Relaxed) as f64,
    );
    put(
        "task_error_deadletterqueue_produce_requests",
        task.dead_letters.load(Relaxed) as f64,
    );
    put(
        "task_error_deadletterqueue_produce_failures",
        task.dead_letter_failures.load(Relaxed) as f64,
    );
    put(
        "task_error_last_error_timestamp",
        task.last_error_ms.load(Relaxed) as f64,
    );
}

fn source(put: &mut impl FnMut(&str, f64), task: &TaskMetrics) {
    let (polled, written) = task.rates();
    put(
        "source_task_source_record_poll_total",
        task.records_in.load(Relaxed) as f64,
    );
    put("source_task_source_record_poll_rate", polled);
    put(
        "source_task_source_record_write_total",
        task.records_out.load(Relaxed) as f64,
    );
    put("source_task_source_record_write_rate", written);
    put(
        "source_task_poll_batch_max_time_ms",
        millis(task.work_us.max() as f64),
    );
    put(
        "source_task_poll_batch_avg_time_ms",
        millis(task.work_us.mean()),
    );
    put(
        "source_task_source_record_active_count",
        task.active.load(Relaxed) as f64,
    );
    put(
        "source_task_transaction_size_max",
        task.transactions.max() as f64,
    );
    put("source_task_transaction_size_avg", task.transactions.mean());
    put(
        "source_task_transaction_size_min",
        task.transactions.min() as f64,
    );
    put(
        "source_task_source_record_active_count_max",
        task.actives.max() as f64,
    );
    put(
        "source_task_source_record_active_count_avg",
        task.actives.mean(),
    );
}

fn sink(put: &mut impl FnMut(&str, f64), task: &TaskMetrics) {
    let (read, sent) = task.rates();
    put(
        "sink_task_sink_record_read_total",
        task.records_in.load(Relaxed) as f64,
    );
    put("sink_task_sink_record_read_rate", read);
    put(
        "sink_task_sink_record_send_total",
        task.records_out.load(Relaxed) as f64,
    );
    put("sink_task_sink_record_send_rate", sent);
    put(
        "sink_task_sink_record_lag_max",
        task.lag_max.load(Relaxed) as f64,
    );
    put(
        "sink_task_partition_count",
        task.partitions.load(Relaxed) as f64,
    );
    put(
        "sink_task_offset_commit_completion_total",
        task.commit_us.count() as f64,
    );
    put(
        "sink_task_offset_commit_seq_no",
        task.commit_us.count() as f64,
    );
    put(
        "sink_task_offset_commit_skip_total",
        task.skipped_commits.load(Relaxed) as f64,
    );
    put(
        "sink_task_sink_record_active_count",
        task.active.load(Relaxed) as f64,
    );
    put(
        "sink_task_sink_record_active_count_max",
        task.actives.max() as f64,
    );
    put(
        "sink_task_sink_record_active_count_avg",
        task.actives.mean(),
    );
    put(
        "sink_task_put_batch_max_time_ms",
        millis(task.work_us.max() as f64),
    );
    put(
        "sink_task_put_batch_avg_time_ms",
        millis(task.work_us.mean()),
    );
}

fn millis(micros: f64) -> f64 {
    micros / 1000.0
}
