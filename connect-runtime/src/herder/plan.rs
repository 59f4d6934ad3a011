//! From a connector's configuration to those of its tasks.

use std::panic::{AssertUnwindSafe, catch_unwind};

use connect_core::{
    Error, Properties, Result, TaskPlan,
    plugin::{Direction, Plugin},
};

use super::state::DesiredConnector;
use crate::{
    error::{PANIC, TOO_MANY_TASKS},
    shared::Shared,
    validate::framework::MOST_TASKS,
};

/// The configurations of a connector's tasks, placeholders unresolved, and what kind of connector it is.
pub(crate) fn tasks(
    shared: &Shared,
    connector: &DesiredConnector,
) -> Result<(Vec<Properties>, Direction)> {
    let class = connector
        .config
        .get("connector.class")
        .map_or("", String::as_str);
    let plugin = shared.plugins.connector(class)?;
    let resolved = shared.providers.resolve(&connector.config)?;
    let plans = plans(plugin, &resolved)?;
    // Stored with the placeholders, never with what they stand for.
    let tasks = plans.into_iter().map(|plan| {
        let mut config = connector.config.clone();
        config.insert("task.class".to_owned(), plugin.task_class(class).to_owned());
        let added = plan
            .into_iter()
            .filter(|(name, value)| resolved.get(name) != Some(value));
        config.extend(added);
        config
    });
    Ok((tasks.collect(), plugin.direction))
}

fn plans(plugin: &Plugin, resolved: &Properties) -> Result<Vec<TaskPlan>> {
    let max = resolved
        .get("tasks.max")
        .and_then(|text| text.trim().parse().ok());
    // Invariant 4: a configuration that another program stored may ask for any number.
    let max: usize = max.unwrap_or(1).clamp(1, MOST_TASKS as usize);
    // A connector that panics must not take the herder with it.
    let planned = catch_unwind(AssertUnwindSafe(|| plugin.plan(resolved, max)));
    let plans = planned.unwrap_or_else(|_| {
        Err(Error::new(
            &PANIC,
            "The connector panicked while it made tasks",
        ))
    })?;
    let enforced = resolved
        .get("tasks.max.enforce")
        .is_none_or(|text| text.trim() != "false");
    if plans.len() > max && enforced {
        let what = format!(
            "The connector has generated {} tasks, which is greater than {max}, the maximum number of tasks it is \
             configured to create. This behaviour should be considered a bug and is disallowed.",
            plans.len()
        );
        return Err(Error::new(&TOO_MANY_TASKS, what));
    }
    Ok(plans)
}
