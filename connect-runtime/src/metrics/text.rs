//! Prometheus' text format, by the names under which Kafka Connect's own numbers are exported
//! (`kafka_connect_<group>_<attribute>`), so that dashboards for it work.

use std::{collections::BTreeMap, fmt::Write, sync::atomic::Ordering::Relaxed};

use super::TaskMetrics;
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

impl Shared {
    /// All numbers in Prometheus' text format.
    pub(crate) fn metrics_text(&self) -> String {
        let mut page = Page::default();
        let names: Vec<String> = self.desired.read().connectors.keys().cloned().collect();
        let statuses: Vec<ConnectorStatus> = names
            .iter()
            .filter_map(|name| self.status(name).ok())
            .collect();
        worker(&mut page, &statuses);
        for status in &statuses {
            connector(&mut page, status);
        }
        for (id, task) in self.metrics.all() {
            let kind = statuses
                .iter()
                .find(|s| s.name == id.connector)
                .map(|s| s.kind);
            each_task(
                &mut page,
                &id,
                &task,
                kind.unwrap_or(ConnectorKind::Unknown),
            );
        }
        for (name, guard) in self.guarded.all() {
            let labels = [("connector", name.as_str())];
            for (metric, value) in guard.meter.read() {
                page.put(
                    &format!("tidewater_connector_{metric}"),
                    &labels,
                    value as f64,
                );
            }
        }
        page.text()
    }
}

/// Numbers by name; each name has its lines together, as the format asks for.
#[derive(Default)]
struct Page(BTreeMap<String, Vec<(String, f64)>>);

impl Page {
    fn put(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let mut text = String::new();
        for (at, (label, value)) in labels.iter().enumerate() {
            let value = value
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            let comma = if at == 0 { "" } else { "," };
            // Writing to a String never fails.
            let _ = write!(text, "{comma}{label}=\"{value}\"");
        }
        self.0
            .entry(name.replace(['-', '.'], "_"))
            .or_default()
            .push((text, value));
    }

    fn text(&self) -> String {
        let mut out = String::new();
        for (name, lines) in &self.0 {
            let kind = if name.ends_with("_total") {
                "counter"
            } else {
                "gauge"
            };
            let _ = writeln!(out, "# TYPE {name} {kind}");
            for (labels, value) in lines {
                let _ = match labels.as_str() {
                    "" => writeln!(out, "{name} {value}"),
                    labels => writeln!(out, "{name}{{{labels}}} {value}"),
                };
            }
        }
        out
    }
}

fn worker(page: &mut Page, statuses: &[ConnectorStatus]) {
    let tasks: usize = statuses.iter().map(|status| status.tasks.len()).sum();
    page.put(
        "kafka_connect_worker_connector_count",
        &[],
        statuses.len() as f64,
    );
    page.put("kafka_connect_worker_task_count", &[], tasks as f64);
}

fn connector(page: &mut Page, status: &ConnectorStatus) {
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
    for (name, value) in task.meter.read() {
        page.put(&format!("tidewater_task_{name}"), &labels, value as f64);
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
        "source_task_transaction_size_max",
        task.transactions.max() as f64,
    );
    put("source_task_transaction_size_avg", task.transactions.mean());
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

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn a_name_has_its_lines_together_and_labels_are_escaped() {
        let mut page = Page::default();
        page.put("a_total", &[("connector", "x\"y\\z")], 1.0);
        page.put("b-c", &[], 0.5);
        page.put("a_total", &[("connector", "p"), ("task", "0")], 2.0);
        let expected = "# TYPE a_total counter\n\
            a_total{connector=\"x\\\"y\\\\z\"} 1\n\
            a_total{connector=\"p\",task=\"0\"} 2\n\
            # TYPE b_c gauge\n\
            b_c 0.5\n";
        assert_eq!(page.text(), expected);
    }
}
