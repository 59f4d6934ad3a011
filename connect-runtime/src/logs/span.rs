//! Who logs: a span around everything that is done for a connector. Its target has a filter of its own in the program, so that lines of
//! all levels know whose they are.

use tracing::Span;

use crate::answers::TaskId;

/// The span of a task.
pub(crate) fn of_task(id: &TaskId) -> Span {
    tracing::error_span!(target: "tidewater::connector", "task", connector = %id.connector, task = id.task)
}

/// The span of what a worker does for a connector besides its tasks.
pub(crate) fn of_connector(name: &str) -> Span {
    tracing::error_span!(target: "tidewater::connector", "connector", connector = %name)
}
