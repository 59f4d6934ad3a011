//! The figures as rows for people and JSON for programs.

use std::time::Duration;

use serde_json::{Value, json};

use crate::scenario::Kind;

/// The figures of one tool in one scenario. What was not measured there is `None`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measured {
    /// The tool, or which limit of the server.
    pub(crate) tool: String,
    /// The scenario.
    pub(crate) scenario: String,
    /// Rows per second between the broker's taking the first and the last record.
    pub(crate) rows_per_s: Option<f64>,
    /// CPU seconds of the worker's process per million rows.
    pub(crate) cpu_s_per_million: Option<f64>,
    /// The highest resident memory of the worker since it was started.
    pub(crate) peak_rss_mb: Option<f64>,
    /// Seconds from the worker's start to its first healthy answer.
    pub(crate) startup_s: Option<f64>,
    /// Milliseconds from commit to readable record: half of the records are faster.
    pub(crate) latency_p50_ms: Option<f64>,
    /// 99 of 100 records are faster.
    pub(crate) latency_p99_ms: Option<f64>,
    /// Rows per second over those of the server's limit in this run.
    pub(crate) server_limit_ratio: Option<f64>,
}

impl Measured {
    /// The server's own limit.
    pub(crate) fn limit(tool: &str, scenario: &str, rows: u64, took: Duration) -> Self {
        Self {
            tool: tool.to_owned(),
            scenario: scenario.to_owned(),
            rows_per_s: Some(rows as f64 / took.as_secs_f64()),
            ..Self::default()
        }
    }

    /// Fills in the ratio to a limit.
    pub(crate) fn compare_with(&mut self, limit: &Self) {
        let both = self.rows_per_s.zip(limit.rows_per_s);
        self.server_limit_ratio = both.map(|(rows, limit)| rows / limit);
    }

    /// Fills in the ratio to the limit that was measured in the same run.
    pub(crate) fn compare_with_limit(&mut self, so_far: &[Self], kind: Kind) {
        let scenario = match kind {
            Kind::Snapshot => "snapshot",
            Kind::ParallelSnapshot => "parallel snapshot",
            _ => "stream",
        };
        let limit = so_far
            .iter()
            .find(|m| m.tool.starts_with("server limit") && m.scenario == scenario);
        if let Some(limit) = limit {
            self.compare_with(limit);
        }
    }

    /// A row of the table.
    pub(crate) fn row(&self) -> String {
        let cell = |value: Option<f64>, digits: usize| {
            value.map_or_else(|| "–".to_owned(), |v| format!("{v:.digits$}"))
        };
        format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            self.tool,
            self.scenario,
            cell(self.rows_per_s, 0),
            cell(self.server_limit_ratio, 2),
            cell(self.cpu_s_per_million, 2),
            cell(self.peak_rss_mb, 0),
            cell(self.startup_s, 2),
            cell(self.latency_p50_ms, 1),
            cell(self.latency_p99_ms, 1),
        )
    }

    fn object(&self) -> Value {
        json!({
            "tool": self.tool,
            "scenario": self.scenario,
            "rows_per_s": self.rows_per_s,
            "cpu_s_per_million": self.cpu_s_per_million,
            "peak_rss_mb": self.peak_rss_mb,
            "startup_s": self.startup_s,
            "latency_p50_ms": self.latency_p50_ms,
            "latency_p99_ms": self.latency_p99_ms,
            "server_limit_ratio": self.server_limit_ratio,
        })
    }
}

/// The head of the table.
pub(crate) fn head() -> &'static str {
    "| tool | scenario | rows/s | of the limit | CPU s per million | peak RSS MB | start s | p50 ms | p99 ms |\n\
     |---|---|---|---|---|---|---|---|---|"
}

/// All figures as a JSON array.
pub(crate) fn json(all: &[Measured]) -> String {
    let objects: Vec<Value> = all.iter().map(Measured::object).collect();
    format!("{:#}\n", Value::Array(objects))
}

/// The peer's CPU over ours, per scenario.
pub(crate) fn ratios(all: &[Measured]) -> String {
    let of = |tool: &str, scenario: &str| {
        all.iter()
            .find(|m| m.tool == tool && m.scenario == scenario)?
            .cpu_s_per_million
    };
    let mut text = String::from("| scenario | Debezium's CPU over Tidewater's |\n|---|---|\n");
    for ours in all.iter().filter(|m| m.tool == "tidewater") {
        let both = of("debezium", &ours.scenario).zip(ours.cpu_s_per_million);
        if let Some((theirs, own)) = both {
            text += &format!("| {} | {:.1} |\n", ours.scenario, theirs / own.max(0.001));
        }
    }
    text
}
