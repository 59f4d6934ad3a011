//! From connectors to tasks: planning, fencing, and the commit of a new generation of tasks.

use connect_core::{Properties, Result, plugin::Direction};

use super::Leader;
use crate::{
    answers::{TargetState, TaskId},
    change::Scope,
    configs::ConfigRecord,
    herder::{lead::Planned, plan, state::DesiredConnector},
};

/// Plans that are made before something is written.
const AT_ONCE: usize = 200;

impl Leader {
    /// Makes the tasks of connectors that are new or changed, and forgets those of stopped ones; tells whether there were any.
    pub(super) async fn make_plans(&mut self, scope: &Scope) -> Result<bool> {
        let due: Vec<(String, DesiredConnector)> = {
            let desired = self.shared.desired.read();
            let due = scope.of(&desired.connectors);
            let due = due.filter(|(name, connector)| self.is_due(name, connector));
            due.take(AT_ONCE)
                .map(|(name, connector)| (name.clone(), connector.clone()))
                .collect()
        };
        if due.len() == AT_ONCE {
            self.look.add(scope);
        }
        let mut records = Vec::new();
        let mut made = Vec::new();
        for (name, connector) in &due {
            let planned = match connector.target {
                TargetState::Stopped => {
                    records.push(ConfigRecord::Commit(name.clone(), 0));
                    None
                }
                _ => Some(self.plan(name, connector, &mut records).await?),
            };
            made.push((name.clone(), planned));
        }
        self.write(&records, &[]).await?;
        for (name, planned) in made {
            match planned {
                Some(planned) => drop(self.plans.insert(name, planned)),
                None => drop(self.plans.remove(&name)),
            }
        }
        Ok(!due.is_empty())
    }

    fn is_due(&self, name: &str, connector: &DesiredConnector) -> bool {
        match connector.target {
            TargetState::Started => match self.plans.get(name) {
                Some(plan) if plan.revision == connector.revision => {
                    plan.is_waiting && self.is_quiet(name)
                }
                _ => true,
            },
            TargetState::Stopped => !connector.tasks.is_empty() || self.plans.contains_key(name),
            TargetState::Paused => false,
        }
    }

    /// Whether nothing of the connector runs anywhere.
    fn is_quiet(&self, name: &str) -> bool {
        let known = self.shared.cluster.known();
        let assignment = known.assignments.get(name);
        assignment.is_none_or(|assignment| assignment.is_quiet())
    }

    /// An error is of the log; that of a plan is part of what was planned.
    async fn plan(
        &mut self,
        name: &str,
        connector: &DesiredConnector,
        records: &mut Vec<ConfigRecord>,
    ) -> Result<Planned> {
        let mut planned = Planned {
            revision: connector.revision,
            ..Planned::default()
        };
        let known = self.waiting.remove(name);
        let made = plan::tasks(&self.shared, connector);
        let (tasks, direction) = match made {
            Ok((tasks, direction)) => (known.unwrap_or(tasks), direction),
            Err(error) => {
                tracing::error!(connector = name, error = %error.report(), "the connector cannot be started");
                planned.failed = Some(error.report());
                return Ok(planned);
            }
        };
        let is_source = direction == Direction::Source;
        let before = connector.tasks.len();
        if is_source && before > 0 && before != tasks.len() && !self.is_quiet(name) {
            // Tasks of two generations share the work in two ways: none of the old ones may run beside a new one.
            planned.is_waiting = true;
            self.waiting.insert(name.to_owned(), tasks);
            return Ok(planned);
        }
        let is_new = before != tasks.len()
            || connector
                .tasks
                .iter()
                .zip(&tasks)
                .any(|(old, new)| old.config != *new);
        if is_source && self.shared.config.is_exactly_once() {
            self.fence(name, connector, tasks.len(), is_new, records)
                .await?;
        }
        if is_new {
            commit(name, tasks, records);
        }
        Ok(planned)
    }

    /// Ends what an earlier generation may have left open, and records how many tasks this one has (KIP-618).
    async fn fence(
        &mut self,
        name: &str,
        connector: &DesiredConnector,
        count: usize,
        is_new: bool,
        records: &mut Vec<ConfigRecord>,
    ) -> Result<()> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let before = connector.fenced_tasks.unwrap_or(0);
        // A task ends its own predecessor when it starts; nobody does so for one that has no successor, nor for one that reads
        // something else from now on.
        if is_new && before > 0 {
            let group = &self.shared.config.group_id;
            let ids: Vec<String> = (0..before)
                .map(|task| format!("{group}-{name}-{task}"))
                .collect();
            self.shared.log.fence(&ids).await?;
        }
        if connector.fenced_tasks != Some(count) {
            records.push(ConfigRecord::Fencing(name.to_owned(), count));
        }
        Ok(())
    }
}

fn commit(name: &str, tasks: Vec<Properties>, records: &mut Vec<ConfigRecord>) {
    let count = tasks.len() as u32;
    for (config, task) in tasks.into_iter().zip(0..) {
        records.push(ConfigRecord::Task(TaskId::new(name, task), config));
    }
    records.push(ConfigRecord::Commit(name.to_owned(), count));
}
