//! What a task is made from.

use std::{sync::Arc, time::Duration};

use connect_core::{Properties, Result, plugin::Plugin};

use crate::{answers::TaskId, shared::Shared, supervisor::RetryPolicy};

/// What a task is made from, over and over, until it is told to stop.
#[derive(Clone)]
pub(crate) struct TaskSpec {
    /// Which task.
    pub(crate) id: TaskId,
    /// Its connector's class; the plugin is looked up at each try, so that a missing one is the task's error.
    pub(crate) class: String,
    /// Its configuration, placeholders unresolved: they are resolved at each try.
    pub(crate) config: Properties,
}

impl TaskSpec {
    /// The specification of a task that is wanted.
    pub(crate) fn of(shared: &Arc<Shared>, id: &TaskId) -> Option<Self> {
        let desired = shared.desired.read();
        let task = desired.task(id)?;
        Some(Self {
            id: id.clone(),
            class: task
                .config
                .get("connector.class")
                .cloned()
                .unwrap_or_default(),
            config: task.config.clone(),
        })
    }

    /// How it is tried again: `task.restart.delay.ms`, `task.restart.delay.max.ms`, `task.restart.max.attempts` (-1 for no end).
    pub(crate) fn retry_policy(&self) -> RetryPolicy {
        let number = |name: &str| {
            self.config
                .get(name)
                .and_then(|text| text.trim().parse().ok())
        };
        let millis = |name: &str| {
            number(name)
                .and_then(|n: i64| u64::try_from(n).ok())
                .map(Duration::from_millis)
        };
        let default = RetryPolicy::default();
        RetryPolicy {
            first: millis("task.restart.delay.ms").unwrap_or(default.first),
            longest: millis("task.restart.delay.max.ms").unwrap_or(default.longest),
            max_attempts: number("task.restart.max.attempts").and_then(|n| u32::try_from(n).ok()),
        }
    }

    /// Its plugin, and its configuration with every placeholder resolved.
    pub(crate) fn resolve<'a>(&self, shared: &'a Shared) -> Result<(&'a Plugin, Properties)> {
        Ok((
            shared.plugins.connector(&self.class)?,
            shared.providers.resolve(&self.config)?,
        ))
    }
}
