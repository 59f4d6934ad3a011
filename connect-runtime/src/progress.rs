//! How far a task is with work that ends: for a connector's status, where it is asked for.

use connect_core::meter::Meter;
use serde::Serialize;

use crate::answers::{ConnectorKind, ConnectorState, ConnectorStatus, State, TaskState};

/// A connector's status with the progress of its tasks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProgressStatus {
    /// Its name.
    pub name: String,
    /// The connector itself.
    pub connector: ConnectorState,
    /// Its tasks by id.
    pub tasks: Vec<TaskProgress>,
    /// Source or sink.
    #[serde(rename = "type")]
    pub kind: ConnectorKind,
}

/// A task and its progress.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskProgress {
    /// How it is.
    #[serde(flatten)]
    pub state: TaskState,
    /// What it is doing besides the stream; nothing when it does nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
}

/// Work that ends.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Progress {
    /// The snapshot at the start, or a blocking one.
    pub snapshot: SnapshotProgress,
}

/// How far a snapshot is. Rows and tables count from its first try on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SnapshotProgress {
    /// Rows that were read.
    pub rows: i64,
    /// Rows that there are, by the server's estimate.
    pub estimated_rows: i64,
    /// Rows per second since the task was started.
    pub rows_per_second: i64,
    /// Seconds since then.
    pub seconds: i64,
    /// Seconds until the end at this rate.
    pub estimated_seconds_left: i64,
    /// Tables to read.
    pub tables: i64,
    /// Tables that are not complete.
    pub tables_left: i64,
}

impl ProgressStatus {
    /// `meter` gives the numbers of a task, if it has any.
    pub(crate) fn new(status: ConnectorStatus, meter: impl Fn(u32) -> Option<Meter>) -> Self {
        let task = |state: TaskState| TaskProgress {
            // What a task showed before it failed or was paused is not what it does.
            progress: (state.state == State::Running)
                .then(|| Progress::of(&meter(state.id)?))
                .flatten(),
            state,
        };
        Self {
            name: status.name,
            connector: status.connector,
            tasks: status.tasks.into_iter().map(task).collect(),
            kind: status.kind,
        }
    }
}

impl Progress {
    /// From the numbers that a task shows.
    fn of(meter: &Meter) -> Option<Self> {
        let all = meter.read();
        let number = |name: &str| {
            let found = all.iter().find(|(one, _)| *one == name);
            found.map_or(0, |(_, value)| *value)
        };
        (number("snapshot-running") == 1).then(|| Self {
            snapshot: SnapshotProgress {
                rows: number("snapshot-rows-scanned"),
                estimated_rows: number("snapshot-estimated-rows"),
                rows_per_second: number("snapshot-rows-per-second"),
                seconds: number("snapshot-duration-seconds"),
                estimated_seconds_left: number("snapshot-estimated-seconds-left"),
                tables: number("snapshot-total-table-count"),
                tables_left: number("snapshot-remaining-table-count"),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_task_tells_of_its_snapshot_and_the_rest_of_the_body_stays() {
        let state = |state: State| TaskState {
            id: 0,
            state,
            worker_id: "w:1".into(),
            version: None,
            trace: None,
        };
        let status = |task: State| ConnectorStatus {
            name: "c".into(),
            connector: ConnectorState {
                state: State::Running,
                worker_id: "w:1".into(),
                version: None,
                trace: None,
            },
            tasks: vec![state(task)],
            kind: ConnectorKind::Source,
        };
        let meter = Meter::default();
        let body = |task: State| {
            let told = ProgressStatus::new(status(task), |_| Some(meter.clone()));
            serde_json::to_string(&told).unwrap_or_default()
        };
        let plain = serde_json::to_string(&status(State::Running)).unwrap_or_default();
        assert_eq!(body(State::Running), plain);
        meter.gauge("snapshot-running").set(1);
        meter.gauge("snapshot-rows-scanned").set(7);
        meter.gauge("snapshot-estimated-rows").set(9);
        assert!(
            body(State::Running)
                .contains("\"progress\":{\"snapshot\":{\"rows\":7,\"estimated_rows\":9,")
        );
        assert!(!body(State::Failed).contains("progress"));
    }
}
