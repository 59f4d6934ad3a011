//! Prometheus' text format, by the names under which Kafka Connect's own numbers are exported
//! (`kafka_connect_<group>_<attribute>`), so that dashboards for it work.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use super::{Metrics, Sizes, TaskMetrics, debezium, described, page::Page};
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
            // They are in the order of their names.
            let at = statuses.binary_search_by(|one| one.name.cmp(&id.connector));
            let status = at.ok().and_then(|at| statuses.get(at));
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
    let own = match kind {
        ConnectorKind::Source => ("source_task", source(task)),
        _ => ("sink_task", sink(task)),
    };
    let groups = [
        ("connector_task", of_any(task)),
        ("task_error", errors(task)),
        own,
    ];
    for (group, numbers) in groups {
        for (name, number) in numbers {
            page.put(&format!("kafka_connect_{group}_{name}"), &labels, number);
        }
    }
    let (latency, lag) = match kind {
        ConnectorKind::Source => ("tidewater_source_latency_seconds", &task.active),
        _ => ("tidewater_sink_latency_seconds", &task.lag),
    };
    page.put_latency(latency, &labels, &task.latency);
    page.put("tidewater_task_lag_records", &labels, level(lag));
    let seconds = lag_seconds(task, kind);
    page.put("tidewater_task_lag_seconds", &labels, seconds);
    if kind == ConnectorKind::Sink {
        page.put("tidewater_task_lag_bytes", &labels, task.lag_bytes());
    }
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

/// Attributes of one of Kafka Connect's groups.
type Numbers = Vec<(&'static str, f64)>;

fn of_any(task: &TaskMetrics) -> Numbers {
    let commits = task.commit_us.count() as f64;
    let share = |part: f64| if commits > 0.0 { part / commits } else { 0.0 };
    let failed = count(&task.commit_failures);
    vec![
        ("batch_size_max", task.batches.max() as f64),
        ("batch_size_avg", task.batches.mean()),
        ("offset_commit_max_time_ms", longest(&task.commit_us)),
        ("offset_commit_avg_time_ms", mean(&task.commit_us)),
        ("offset_commit_failure_percentage", share(failed)),
        ("offset_commit_success_percentage", share(commits - failed)),
    ]
}

fn errors(task: &TaskMetrics) -> Numbers {
    let lost_letters = count(&task.dead_letter_failures);
    vec![
        ("total_record_failures", count(&task.failures)),
        ("total_record_errors", count(&task.errors)),
        ("total_records_skipped", count(&task.skipped)),
        ("total_retries", count(&task.retries)),
        ("total_errors_logged", count(&task.logged)),
        (
            "deadletterqueue_produce_requests",
            count(&task.dead_letters),
        ),
        ("deadletterqueue_produce_failures", lost_letters),
        ("last_error_timestamp", level(&task.last_error_ms)),
    ]
}

fn source(task: &TaskMetrics) -> Numbers {
    let (polled, written) = task.rates();
    vec![
        ("source_record_poll_total", count(&task.records_in)),
        ("source_record_poll_rate", polled),
        ("source_record_write_total", count(&task.records_out)),
        ("source_record_write_rate", written),
        ("poll_batch_max_time_ms", longest(&task.work_us)),
        ("poll_batch_avg_time_ms", mean(&task.work_us)),
        ("source_record_active_count", level(&task.active)),
        ("source_record_active_count_max", task.actives.max() as f64),
        ("source_record_active_count_avg", task.actives.mean()),
        ("transaction_size_max", task.transactions.max() as f64),
        ("transaction_size_avg", task.transactions.mean()),
        ("transaction_size_min", task.transactions.min() as f64),
    ]
}

fn sink(task: &TaskMetrics) -> Numbers {
    let (read, sent) = task.rates();
    let commits = task.commit_us.count() as f64;
    vec![
        ("sink_record_read_total", count(&task.records_in)),
        ("sink_record_read_rate", read),
        ("sink_record_send_total", count(&task.records_out)),
        ("sink_record_send_rate", sent),
        ("sink_record_lag_max", level(&task.lag_max)),
        ("sink_record_active_count", level(&task.active)),
        ("sink_record_active_count_max", task.actives.max() as f64),
        ("sink_record_active_count_avg", task.actives.mean()),
        ("partition_count", level(&task.partitions)),
        ("offset_commit_completion_total", commits),
        ("offset_commit_seq_no", commits),
        ("offset_commit_skip_total", count(&task.skipped_commits)),
        ("put_batch_max_time_ms", longest(&task.work_us)),
        ("put_batch_avg_time_ms", mean(&task.work_us)),
    ]
}

fn count(of: &AtomicU64) -> f64 {
    of.load(Relaxed) as f64
}

fn level(of: &AtomicI64) -> f64 {
    of.load(Relaxed) as f64
}

/// In milliseconds.
fn longest(of_us: &Sizes) -> f64 {
    of_us.max() as f64 / 1000.0
}

/// In milliseconds.
fn mean(of_us: &Sizes) -> f64 {
    of_us.mean() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sink_is_behind_by_records_of_the_size_of_those_it_has_read() {
        let task = TaskMetrics::default();
        task.sink(1, [5].into_iter());
        let shown = |task: &TaskMetrics| {
            let mut page = Page::default();
            each_task(&mut page, &TaskId::new("c", 0), task, ConnectorKind::Sink);
            let text = page.text();
            let lag = |line: &&str| line.starts_with("tidewater_task_lag_bytes");
            text.lines()
                .find(lag)
                .map(str::to_owned)
                .unwrap_or_default()
        };
        assert!(shown(&task).ends_with(" 0"), "nothing is known yet");
        task.read(4);
        task.took(400);
        assert!(shown(&task).ends_with(" 500"), "{}", shown(&task));
    }
}
