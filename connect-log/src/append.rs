//! Writing: tickets out, one watermark back.

use std::{collections::BTreeMap, sync::Arc};

use connect_core::{BoxFuture, Encoded, Error, Result, Watermark};

use crate::{Lease, TopicPartition};

/// A number that grows with every append of one appender.
pub type Ticket = u64;

/// How often an appender commits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pace {
    /// One transaction after another.
    #[default]
    Steady,
    /// Now and then, and each is waited for. In Kafka it costs an answer less (KIP-890), if the cluster can do that.
    Rare,
}

/// What kind of appender.
#[derive(Debug, Clone, Default)]
pub struct AppenderSpec {
    /// Name for logs and the broker (`client.id`).
    pub client_id: String,
    /// With it, appends become visible only by [`Append::commit`].
    pub transactional_id: Option<String>,
    /// Topics that must not hold a transaction of an older appender of the id when the new one is there. In others such a
    /// transaction is ended before something is appended to them.
    pub cleans: Vec<Arc<str>>,
    /// While it does not hold, nothing is sent; when it is lost, nothing ever will be. By default it holds for ever.
    pub lease: Lease,
    /// How often it commits; without a transactional id it does not matter.
    pub pace: Pace,
    /// Settings of the log's client, by Kafka's producer names; those that a log has no use for are ignored.
    pub settings: BTreeMap<String, String>,
}

/// What became of an append.
#[derive(Debug)]
pub struct Appended {
    /// The ticket of the last record that was taken.
    pub ticket: Ticket,
    /// Records that this log can never take (too large for their topic), by index, ascending. The others were taken.
    pub refused: Vec<(usize, Error)>,
}

/// Offsets to commit for a group together with the records.
#[derive(Debug, Clone)]
pub struct GroupCommit {
    /// The group.
    pub group: String,
    /// The next offset to read, per partition.
    pub offsets: BTreeMap<TopicPartition, i64>,
}

/// One ordered writer.
pub trait Append: Send {
    /// Takes the records in order; waits only while there is no room, never for durability. Copies what it needs, so the
    /// arena can be reused at once.
    ///
    /// Topics must exist. Order is kept also when it waits; an `Err` means that nothing more will be taken.
    fn append<'a>(&'a mut self, records: &'a Encoded) -> BoxFuture<'a, Result<Appended>>;

    /// Every record up to this ticket is durable (without a transactional id), or committed (with one). Fails when one can never be.
    fn durable(&self) -> Watermark<Ticket>;

    /// Makes everything appended since the last commit durable and visible at once, with the group's offsets.
    /// Without a transactional id it waits until all is durable and then commits the offsets.
    fn commit<'a>(&'a mut self, offsets: Option<&'a GroupCommit>) -> BoxFuture<'a, Result<()>>;

    /// Forgets everything appended since the last commit (transactional appenders only; others do nothing).
    fn abort(&mut self) -> BoxFuture<'_, Result<()>>;
}
