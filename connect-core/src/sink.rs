//! What a sink connector does.

use std::collections::BTreeSet;

use crate::{Batch, Config, Error, Finding, Result, meter::Meter, plugin::About, source::TaskPlan};

/// A kind of sink: made from a configuration. The runtime reads the topics and shares partitions among tasks.
pub trait SinkConnector: Send + Sync + 'static {
    /// Its configuration.
    type Config: Config;
    /// Its task.
    type Task: SinkTask + 'static;
    /// Name, version, summary.
    const ABOUT: About;

    /// Reaches out: server version, rights, targets. Reports all it finds, not the first.
    fn check(config: &Self::Config) -> impl Future<Output = Vec<Finding>> + Send;

    /// The same although the properties `wrong` do not hold: the configuration is the one without them. What depends on them
    /// is not looked at, so that nothing is told which is not so.
    fn check_despite(
        config: &Self::Config,
        wrong: &BTreeSet<String>,
    ) -> impl Future<Output = Vec<Finding>> + Send {
        let _ = (config, wrong);
        std::future::ready(Vec::new())
    }

    /// One entry per task, at most `max`. Most sinks return `max` empty plans.
    fn plan(config: &Self::Config, max: usize) -> Result<Vec<TaskPlan>>;

    /// A task. It connects in [`SinkTask::open`], not here.
    fn task(config: Self::Config, plan: TaskPlan) -> Result<Self::Task>;
}

/// Records that a destination refused, by index in the batch, ascending.
pub type Rejects = Vec<(usize, Error)>;

/// A running sink. After an error it is dropped, the runtime makes a new one and reads again from the last committed offsets.
///
/// So every write can come again: a sink must reach the same final state when any suffix of the log is replayed.
pub trait SinkTask: Send {
    /// Connects. Called once, first.
    fn open(&mut self, meter: Meter) -> impl Future<Output = Result<()>> + Send;

    /// Writes records; for each key in their order. `Ok` lists those that the destination refused for good
    /// (bad mapping, wrong type); all others are accepted. A destination that is away or overloaded is an `Err` that asks for a retry.
    fn write(&mut self, batch: &Batch) -> impl Future<Output = Result<Rejects>> + Send;

    /// After `Ok`, everything written before is durable in the destination, and its offsets may be committed.
    /// Late refusals of records written before are errors here.
    fn flush(&mut self) -> impl Future<Output = Result<()>> + Send;

    /// Says goodbye.
    fn close(&mut self) -> impl Future<Output = Result<()>> + Send;
}
