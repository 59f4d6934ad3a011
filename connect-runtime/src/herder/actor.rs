//! The one owner of what is wanted and what runs.

mod perform;
mod request;

use std::{collections::BTreeMap, sync::Arc};

use connect_core::Result;
use rustc_hash::FxHashMap;
use tokio::{
    sync::mpsc,
    task::{Id, JoinError, JoinSet},
    time::{Duration, Instant},
};

use super::{
    command::Command,
    reconcile::reconcile,
    state::{Phase, Running},
};
use crate::{
    answers::{State, TargetState, TaskId},
    configs::Configs,
    guards::Guards,
    shared::Shared,
    stop::{Stop, Stopper},
    supervisor::Outcome,
};

/// How long the actor waits after an error of the log before it reconciles again.
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// More rounds than this without an end are a defect.
const MAX_ROUNDS: usize = 1000;

/// The actor. It ends when it is told to stop and all its tasks have ended.
pub(crate) struct Actor {
    shared: Arc<Shared>,
    configs: Configs,
    running: Running,
    supervisors: JoinSet<Outcome>,
    by_join: FxHashMap<Id, TaskId>,
    stoppers: BTreeMap<TaskId, Stopper>,
    retry_at: Option<Instant>,
    guards: Guards,
}

impl Actor {
    pub(crate) fn new(shared: Arc<Shared>, configs: Configs) -> Self {
        Self {
            shared,
            configs,
            running: Running::default(),
            supervisors: JoinSet::new(),
            by_join: FxHashMap::default(),
            stoppers: BTreeMap::new(),
            retry_at: None,
            guards: Guards::default(),
        }
    }

    /// Answers requests and keeps what runs equal to what is wanted, until it is stopped.
    pub(crate) async fn run(mut self, mut commands: mpsc::Receiver<Command>, stop: Stop) {
        tokio::select! {
            biased;
            // 1. It is told to stop, and has done what was in hand.
            () = self.work(&mut commands, &stop) => {}
            // 2. What is in hand waits for a log that is away.
            () = stop.hard() => tracing::warn!("a request did not end in time and was dropped"),
        }
        drop(commands);
        self.stop_all(&stop).await;
    }

    async fn work(&mut self, commands: &mut mpsc::Receiver<Command>, stop: &Stop) {
        self.forget_strangers();
        self.settle().await;
        loop {
            let retry_at = self.retry_at;
            tokio::select! {
                biased;
                // 1. The worker is being stopped.
                () = stop.soft() => break,
                // 2. A task has ended.
                Some(ended) = self.supervisors.join_next_with_id() => self.ended(ended),
                // 3. A request.
                Some(command) = commands.recv() => self.handle(command).await,
                // 4. Another try after an error of the log.
                () = sleep_until(retry_at), if retry_at.is_some() => {}
            }
            self.settle().await;
        }
    }

    /// Statuses of connectors that nobody wants: they were deleted while their worker was away.
    fn forget_strangers(&self) {
        let desired = self.shared.desired.read();
        for name in self.shared.statuses.connectors() {
            if !desired.connectors.contains_key(&name) {
                self.shared.statuses.remove_connector(&name);
            }
        }
    }

    async fn settle(&mut self) {
        self.guards.settle(&self.shared);
        self.retry_at = None;
        for _ in 0..MAX_ROUNDS {
            let actions = reconcile(&self.shared.desired.read(), &self.running);
            if actions.is_empty() {
                return;
            }
            for action in actions {
                if let Err(error) = self.perform(action).await {
                    tracing::warn!(%error, "what is wanted cannot be done now");
                    self.retry_at = Some(Instant::now() + RETRY_DELAY);
                    return;
                }
            }
        }
        tracing::error!("reconciling does not come to an end");
        self.retry_at = Some(Instant::now() + RETRY_DELAY);
    }

    fn ended(&mut self, ended: Result<(Id, Outcome), JoinError>) {
        let (join, outcome) = match ended {
            Ok((join, outcome)) => (join, outcome),
            Err(error) => (error.id(), Outcome::Failed),
        };
        let Some(id) = self.by_join.remove(&join) else {
            return;
        };
        self.stoppers.remove(&id);
        match outcome {
            Outcome::Failed => {
                if let Some(task) = self.running.tasks.get_mut(&id) {
                    task.phase = Phase::Failed;
                }
            }
            Outcome::Stopped => {
                self.running.tasks.remove(&id);
                self.rest(&id);
            }
        }
    }

    /// The status of a task that does not run, from what is wanted of it.
    fn rest(&self, id: &TaskId) {
        let desired = self.shared.desired.read();
        let target = desired
            .task(id)
            .and(desired.connectors.get(&id.connector))
            .map(|c| c.target);
        match target {
            None | Some(TargetState::Stopped) => {
                self.shared.statuses.remove_task(id);
                self.shared.metrics.remove(id);
            }
            Some(TargetState::Paused) => {
                let version = self.shared.version_of(&desired, &id.connector);
                self.shared
                    .statuses
                    .set_task(id, State::Paused, version, None);
            }
            Some(TargetState::Started) => {}
        }
    }

    async fn stop_all(&mut self, stop: &Stop) {
        let deadline = stop.deadline();
        for stopper in self.stoppers.values() {
            stopper.stop_by(deadline);
        }
        while let Some(ended) = self.supervisors.join_next_with_id().await {
            let (join, outcome) = match ended {
                Ok(ended) => ended,
                Err(error) => (error.id(), Outcome::Failed),
            };
            if let (Some(id), Outcome::Stopped) = (self.by_join.remove(&join), outcome) {
                self.shared
                    .statuses
                    .set_task(&id, State::Unassigned, None, None);
            }
        }
        let desired = self.shared.desired.read();
        for (name, connector) in &desired.connectors {
            if connector.target == TargetState::Started {
                self.shared
                    .statuses
                    .set_connector(name, State::Unassigned, None, None);
            }
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    if let Some(at) = at {
        tokio::time::sleep_until(at).await;
    }
}
