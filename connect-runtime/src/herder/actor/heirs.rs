//! Runs that are prepared while their predecessors still run.

use std::{collections::BTreeMap, sync::Arc};

use tokio::{
    task::JoinSet,
    time::{Duration, timeout},
};

use crate::{
    answers::TaskId, herder::state::Edition, shared::Shared, supervisor::Heir, task_spec::TaskSpec,
};

/// How long a task goes on for its heir's sake. Connecting, with TLS and authentication, takes some ten round trips: as long as this even if the
/// server is far away. Who restarts a task or changes its configuration waits no longer for that to begin; what is not prepared by
/// then is made after the stop.
const PATIENCE: Duration = Duration::from_millis(300);
/// So many are prepared at a time, since each has connections and buffers besides those of its predecessor.
const LIMIT: usize = 16;

/// The heirs, and when they are prepared.
#[derive(Default)]
pub(super) struct Heirs {
    heirs: BTreeMap<TaskId, (Edition, Heir)>,
    preparing: JoinSet<(TaskId, Edition)>,
}

impl Heirs {
    /// Starts to prepare one; `false` when there is to be none.
    pub(super) fn make(&mut self, shared: &Arc<Shared>, id: &TaskId, edition: Edition) -> bool {
        // Those whose predecessors take long to stop count too.
        if self.heirs.len().max(self.preparing.len()) >= LIMIT {
            return false;
        }
        let made = TaskSpec::of(shared, id).and_then(|spec| Heir::new(shared, spec));
        let Some((heir, is_ready)) = made else {
            return false;
        };
        let of = (id.clone(), edition);
        self.preparing.spawn(async move {
            let _late_or_ended = timeout(PATIENCE, is_ready).await;
            of
        });
        self.heirs.insert(id.clone(), (edition, heir));
        true
    }

    /// Waits until one is prepared, or is waited for no longer. `None` when there are none.
    pub(super) async fn next(&mut self) -> Option<(TaskId, Edition)> {
        loop {
            match self.preparing.join_next().await? {
                Ok(prepared) => return Some(prepared),
                // It neither panics nor is aborted.
                Err(error) => tracing::error!(%error, "an heir was not waited for"),
            }
        }
    }

    /// The heir of this edition.
    pub(super) fn take(&mut self, id: &TaskId, edition: Edition) -> Option<Heir> {
        let (of, heir) = self.heirs.remove(id)?;
        (of == edition).then_some(heir)
    }

    /// Drops those that are not wanted any more.
    pub(super) fn retain(&mut self, is_wanted: impl Fn(&TaskId, Edition) -> bool) {
        self.heirs
            .retain(|id, (edition, _)| is_wanted(id, *edition));
    }
}
