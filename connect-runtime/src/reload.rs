//! The worker's properties, read again while it runs: what may change, and what a start alone can change.

use std::sync::Arc;

use connect_core::{Properties, Result};
use parking_lot::RwLock;

use crate::{converters::Converters, worker_config::WorkerConfig};

/// Properties that are looked at whenever a task starts or stops. One that ends with a dot is a prefix.
const WHILE_RUNNING: [&str; 15] = [
    "task.shutdown.graceful.timeout.ms",
    "offset.flush.interval.ms",
    "offset.flush.timeout.ms",
    "offset.advance.interval.ms",
    "transaction.linger.ms",
    "transaction.max.bytes",
    "topic.creation.enable",
    "key.converter",
    "key.converter.",
    "value.converter",
    "value.converter.",
    "header.converter",
    "header.converter.",
    "producer.",
    "consumer.",
];

/// The names of what differs between two files. Values are not told, since some are secrets.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// What holds from now on, for tasks that start or stop.
    pub applied: Vec<String>,
    /// What holds after a restart of the worker.
    pub restart: Vec<String>,
}

/// The properties as they are now.
#[derive(Debug)]
pub(crate) struct Current(RwLock<Arc<WorkerConfig>>);

impl Current {
    pub(crate) fn new(config: WorkerConfig) -> Self {
        Self(RwLock::new(Arc::new(config)))
    }

    /// They do not change for who has got them.
    pub(crate) fn get(&self) -> Arc<WorkerConfig> {
        Arc::clone(&self.0.read())
    }

    /// Takes what may change from `new` over those that hold, `old`, and gives all that hold then. The error names everything that does not
    /// hold in `new`; then nothing has changed.
    pub(crate) fn reload(
        &self,
        old: &Properties,
        new: &Properties,
    ) -> Result<(Properties, Reloaded)> {
        // What needs a restart has to be right, too: else the restart would tell.
        WorkerConfig::read(new)?;
        let (merged, changes) = merge(old, new);
        let config = WorkerConfig::read(&merged)?;
        Converters::new(&config, &Properties::new())?;
        *self.0.write() = Arc::new(config);
        Ok((merged, changes))
    }
}

fn may_change(name: &str) -> bool {
    WHILE_RUNNING
        .iter()
        .any(|one| name == *one || (one.ends_with('.') && name.starts_with(one)))
}

fn merge(old: &Properties, new: &Properties) -> (Properties, Reloaded) {
    let (mut merged, mut changes) = (old.clone(), Reloaded::default());
    let gone = old.keys().filter(|name| !new.contains_key(*name));
    for name in gone.chain(new.keys()) {
        if old.get(name) == new.get(name) {
            continue;
        }
        if !may_change(name) {
            changes.restart.push(name.clone());
            continue;
        }
        match new.get(name) {
            Some(value) => merged.insert(name.clone(), value.clone()),
            None => merged.remove(name),
        };
        changes.applied.push(name.clone());
    }
    (merged, changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties<const N: usize>(of: [(&str, &str); N]) -> Properties {
        Properties::from(of.map(|(name, value)| (name.to_owned(), value.to_owned())))
    }

    fn current(of: &Properties) -> Current {
        Current::new(WorkerConfig::read(of).unwrap())
    }

    #[test]
    fn what_may_change_changes_and_the_rest_is_named() {
        let old = properties([
            ("group.id", "a"),
            ("producer.linger.ms", "7"),
            ("offset.flush.interval.ms", "1000"),
        ]);
        let new = properties([
            ("group.id", "b"),
            ("producer.batch.size", "1"),
            ("offset.flush.interval.ms", "1000"),
            ("task.shutdown.graceful.timeout.ms", "9000"),
        ]);
        let current = current(&old);
        let before = current.get();
        let (merged, changes) = current.reload(&old, &new).unwrap();
        let applied = [
            "producer.linger.ms",
            "producer.batch.size",
            "task.shutdown.graceful.timeout.ms",
        ];
        assert_eq!(changes.applied, applied);
        assert_eq!(changes.restart, ["group.id"]);
        let now = current.get();
        assert_eq!(now.group_id, "a");
        assert_eq!(now.shutdown_timeout.0.as_secs(), 9);
        assert_eq!(now.under("producer."), properties([("batch.size", "1")]));
        assert_eq!(before.shutdown_timeout.0.as_secs(), 5);
        // The same file again: only the restart is still wanted.
        let (_, again) = current.reload(&merged, &new).unwrap();
        assert_eq!((again.applied.len(), again.restart.len()), (0, 1));
    }

    #[test]
    fn a_file_that_does_not_hold_changes_nothing_and_everything_is_named() {
        let old = properties([]);
        let current = current(&old);
        let wrong = properties([
            ("offset.flush.interval.ms", "soon"),
            ("exactly.once.source.support", "maybe"),
            ("task.shutdown.graceful.timeout.ms", "9000"),
        ]);
        let error = current.reload(&old, &wrong).unwrap_err().to_string();
        assert!(error.contains("soon") && error.contains("maybe"), "{error}");
        assert_eq!(current.get().shutdown_timeout.0.as_secs(), 5);
        let unknown = properties([("value.converter", "com.example.None")]);
        assert!(current.reload(&old, &unknown).is_err());
    }
}
