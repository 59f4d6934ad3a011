//! What the actor does for each action of [`reconcile`](crate::herder::reconcile::reconcile).

use connect_core::{Properties, Result, plugin::Direction};
use tokio::time::Instant;

use super::Actor;
use crate::{
    answers::{State, TargetState, TaskId},
    configs::ConfigRecord,
    herder::{
        plan,
        reconcile::Action,
        state::{DesiredConnector, Phase, RunningConnector, RunningTask},
    },
    stop, supervisor,
    task_spec::TaskSpec,
};

impl Actor {
    /// An error means that it is to be tried again.
    pub(super) async fn perform(&mut self, action: Action) -> Result<()> {
        match action {
            Action::Plan(name) => self.plan(&name).await,
            Action::Settle(name, target) => self.rest_connector(&name, target).await,
            Action::Forget(name) => {
                self.running.connectors.remove(&name);
                self.shared.statuses.remove_connector(&name);
                Ok(())
            }
            Action::Start(id) => {
                self.start(id);
                Ok(())
            }
            Action::Stop(id) => {
                self.stop(&id);
                Ok(())
            }
            Action::Clear(id) => {
                self.running.tasks.remove(&id);
                self.rest(&id);
                Ok(())
            }
        }
    }

    async fn plan(&mut self, name: &str) -> Result<()> {
        let Some(connector) = self.shared.desired.read().connectors.get(name).cloned() else {
            return Ok(());
        };
        match plan::tasks(&self.shared, &connector) {
            Ok((tasks, direction)) => {
                if direction == Direction::Source && self.shared.config.is_exactly_once() {
                    self.fence(name, &connector, tasks.len()).await?;
                }
                self.commit_tasks(name, &connector, tasks).await?;
                let version = self.shared.version_of(&self.shared.desired.read(), name);
                self.shared
                    .statuses
                    .set_connector(name, State::Running, version, None);
            }
            Err(error) => {
                tracing::error!(connector = name, error = %error.report(), "the connector cannot be started");
                let version = self.shared.version_of(&self.shared.desired.read(), name);
                self.shared.statuses.set_connector(
                    name,
                    State::Failed,
                    version,
                    Some(error.report()),
                );
            }
        }
        self.settled(name, &connector);
        Ok(())
    }

    async fn commit_tasks(
        &mut self,
        name: &str,
        connector: &DesiredConnector,
        tasks: Vec<Properties>,
    ) -> Result<()> {
        let same = connector.tasks.len() == tasks.len()
            && connector
                .tasks
                .iter()
                .zip(&tasks)
                .all(|(old, new)| old.config == *new);
        if same {
            return Ok(());
        }
        let count = tasks.len() as u32;
        let mut records: Vec<ConfigRecord> = tasks
            .into_iter()
            .zip(0..)
            .map(|(config, task)| ConfigRecord::Task(TaskId::new(name, task), config))
            .collect();
        records.push(ConfigRecord::Commit(name.to_owned(), count));
        self.configs.write(&records).await?;
        for task in count..connector.tasks.len() as u32 {
            let id = TaskId::new(name, task);
            if !self.running.tasks.contains_key(&id) {
                self.shared.statuses.remove_task(&id);
                self.shared.metrics.remove(&id);
            }
        }
        Ok(())
    }

    /// Fences what an earlier generation on another worker may have left open, and records how many tasks this one has.
    async fn fence(
        &mut self,
        name: &str,
        connector: &DesiredConnector,
        count: usize,
    ) -> Result<()> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let before = connector.fenced_tasks.unwrap_or(0);
        if self.running.tasks_of(name).next().is_none() && before > 0 {
            let group = &self.shared.config.group_id;
            let ids: Vec<String> = (0..before)
                .map(|task| format!("{group}-{name}-{task}"))
                .collect();
            self.shared.log.fence(&ids).await?;
        }
        if connector.fenced_tasks != Some(count) {
            self.configs
                .write(&[ConfigRecord::Fencing(name.to_owned(), count)])
                .await?;
        }
        Ok(())
    }

    async fn rest_connector(&mut self, name: &str, target: TargetState) -> Result<()> {
        let Some(connector) = self.shared.desired.read().connectors.get(name).cloned() else {
            return Ok(());
        };
        let ids = (0..connector.tasks.len() as u32).map(|task| TaskId::new(name, task));
        let idle: Vec<TaskId> = ids
            .filter(|id| !self.running.tasks.contains_key(id))
            .collect();
        let state = match target {
            TargetState::Stopped => {
                if !connector.tasks.is_empty() {
                    self.configs
                        .write(&[ConfigRecord::Commit(name.to_owned(), 0)])
                        .await?;
                }
                State::Stopped
            }
            _ => State::Paused,
        };
        for id in idle {
            self.rest(&id);
        }
        let version = self.shared.version_of(&self.shared.desired.read(), name);
        self.shared
            .statuses
            .set_connector(name, state, version, None);
        self.settled(name, &connector);
        Ok(())
    }

    fn settled(&mut self, name: &str, connector: &DesiredConnector) {
        let settled = RunningConnector {
            revision: connector.revision,
            target: connector.target,
        };
        self.running.connectors.insert(name.to_owned(), settled);
    }

    fn start(&mut self, id: TaskId) {
        let Some(spec) = TaskSpec::of(&self.shared, &id) else {
            return;
        };
        let (stopper, stop) = stop::stop();
        let revision = spec.revision;
        let supervisor = supervisor::supervise(std::sync::Arc::clone(&self.shared), spec, stop);
        let handle = self.supervisors.spawn(supervisor);
        self.by_join.insert(handle.id(), id.clone());
        self.stoppers.insert(id.clone(), stopper);
        self.running.tasks.insert(
            id,
            RunningTask {
                revision,
                phase: Phase::Alive,
            },
        );
    }

    fn stop(&mut self, id: &TaskId) {
        if let Some(stopper) = self.stoppers.get(id) {
            stopper.stop_by(Instant::now() + self.shared.config.shutdown_timeout.0);
        }
        if let Some(task) = self.running.tasks.get_mut(id) {
            task.phase = Phase::Stopping;
        }
    }
}
