//! What a source connector does.

use std::collections::BTreeSet;

use crate::{
    Batch, Config, Finding, Position, Properties, Result, Watermark,
    guard::Guard,
    meter::Meter,
    outside::Outside,
    plugin::About,
    rewind::{Asked, OffsetChange, Rewind, refused},
    transform::TransformClass,
};

/// The properties of one task, beyond those of its connector (Kafka Connect's `taskConfigs`).
pub type TaskPlan = Properties;

/// A kind of source: made from a configuration, splits itself into tasks.
pub trait SourceConnector: Send + Sync + 'static {
    /// Its configuration.
    type Config: Config;
    /// Its task.
    type Task: SourceTask + 'static;
    /// Name, version, summary.
    const ABOUT: About;

    /// Whether its batches tell where the transactions of the source end: [`Batch::set_within_transaction`].
    const TELLS_TRANSACTIONS: bool = false;

    /// Transforms that ask the server of such a source, so that they come with it. Any connector of the program can use them.
    const TRANSFORMS: &'static [TransformClass] = &[];

    /// Reaches out: server version, rights, slot, tables. Reports all it finds, not the first.
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

    /// Splits the work: one entry per task, at most `max`.
    fn plan(config: &Self::Config, max: usize) -> Result<Vec<TaskPlan>>;

    /// A task. It connects in [`SourceTask::open`], not here.
    fn task(config: Self::Config, plan: TaskPlan) -> Result<Self::Task>;

    /// Looks after what the connector holds on its server (a slot that keeps the server's log) as long as the connector
    /// exists: also while it is paused or stopped, and while its tasks have failed.
    ///
    /// After an error it is called again a little later; when it returns, there is nothing to look after.
    fn guard(config: &Self::Config, guard: Guard) -> impl Future<Output = Result<()>> + Send {
        let _ = (config, guard);
        std::future::ready(Ok(()))
    }

    /// Looks at offsets that somebody wants to store (KIP-875's `alterOffsets`): says everything that does not hold. What is to be
    /// forgotten holds always.
    fn wrong_offsets(config: &Self::Config, changes: &[OffsetChange]) -> Vec<String> {
        let _ = (config, changes);
        Vec::new()
    }

    /// Tells what it means to set the connector back, and changes nothing. Never forward; and only to where it can safely begin: the
    /// error says why not, and where it can.
    fn rewind(config: &Self::Config, asked: Asked) -> impl Future<Output = Result<Rewind>> + Send {
        let _ = (config, asked);
        std::future::ready(Err(refused("its kind has no way back")))
    }
}

/// Where to begin, and what has since become safe to forget.
#[derive(Debug, Clone)]
pub struct Start {
    /// The stored positions of this connector, one per source partition.
    pub stored: Vec<Position>,
    /// Invariant 1: a position appears here only after its records, and then itself, are durable.
    /// Only then may the source's server be told that it can forget.
    pub safe: Watermark<Position>,
    /// The numbers that this task shows.
    pub meter: Meter,
    /// Messages of people, and topics of the log.
    pub outside: Outside,
}

/// A running source. After an error it is dropped, and the runtime makes a new one.
pub trait SourceTask: Send {
    /// Makes what can be made while another run of the same task, perhaps with another configuration, still runs: connections, looks
    /// at the server. Called once at most, before [`SourceTask::open`], and then it may take as long as that run goes on: it is dropped at
    /// any await when the task is to be opened, or together with the task.
    ///
    /// It takes nothing from the other run (no slot, no server id, no lock) and writes no data, here or there: a task never runs twice.
    /// What fails here is told to nobody: `open` tries it again and tells it. `open` finds what was made some time later, when it may be
    /// of no use any more.
    fn prepare(&mut self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// Connects and seeks. Called once, before all that follows.
    fn open(&mut self, start: Start) -> impl Future<Output = Result<()>> + Send;

    /// Waits for rows and appends them to `out` (empty when it is given), with the position after the last.
    ///
    /// Returns within about a second even when there is nothing, possibly with a position and no rows,
    /// so that positions advance on quiet tables. It is dropped only for good, so it need not be cancel-safe.
    /// A batch stays small: a few thousand rows or about a megabyte, except for a single larger row.
    fn poll(&mut self, out: &mut Batch) -> impl Future<Output = Result<()>> + Send;

    /// Says goodbye to the server. Called after the last `poll`, when what was read is durable as far as it will be.
    fn close(&mut self) -> impl Future<Output = Result<()>> + Send;
}
