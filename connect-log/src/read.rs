//! Reading: committed records only, in order per partition.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use connect_core::{BoxFuture, Encoded, Result};

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// A partition of a topic.
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self {
            topic: topic.into(),
            partition,
        }
    }
}

/// A point in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The first record that is still there.
    Earliest,
    /// After the last committed record: nothing behind it can be read yet.
    Latest,
    /// After the last record, be it one of a transaction that is still open.
    End,
    /// The first record at or after a time, in milliseconds since 1970-01-01.
    Time(i64),
}

/// What kind of reader.
#[derive(Debug, Clone, Default)]
pub struct ReaderSpec {
    /// Name for logs and the broker (`client.id`).
    pub client_id: String,
    /// The consumer group, for [`Read::subscribe`] and [`Read::commit`].
    pub group: Option<String>,
    /// Settings of the log's client, by Kafka's consumer names (`auto.offset.reset`, `max.poll.records`, …); those that a log has
    /// no use for are ignored.
    pub settings: BTreeMap<String, String>,
}

/// What a poll found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Records were appended to the arena.
    Records,
    /// These partitions are ours now; reading them begins at the committed offset, else where `auto.offset.reset` says.
    Assigned(Vec<TopicPartition>),
    /// These partitions are being taken away: commit them before the next poll.
    Revoked(Vec<TopicPartition>),
    /// These partitions are gone already: commit nothing for them.
    Lost(Vec<TopicPartition>),
    /// Nothing came in the time given.
    Idle,
}

/// One reader.
pub trait Read: Send {
    /// Joins the group and shares the partitions of these topics with its other members. Topics that appear later
    /// under a subscribed name are found within seconds.
    fn subscribe<'a>(&'a mut self, topics: &'a [String]) -> BoxFuture<'a, Result<()>>;

    /// Reads these partitions from these offsets, without a group's sharing.
    fn assign<'a>(
        &'a mut self,
        from: &'a BTreeMap<TopicPartition, i64>,
    ) -> BoxFuture<'a, Result<()>>;

    /// Goes on from another offset.
    fn seek<'a>(&'a mut self, of: &'a TopicPartition, offset: i64) -> BoxFuture<'a, Result<()>>;

    /// Stops or resumes fetching of partitions, without giving them up.
    fn pause<'a>(&'a mut self, of: &'a [TopicPartition], paused: bool)
    -> BoxFuture<'a, Result<()>>;

    /// Appends records to `out` (at most about `max.poll.records`, 500 by default, and a few megabytes), or tells what happened.
    /// Nothing is lost when it is dropped. It must be called at least every few seconds, also while paused, or the group takes the reader for dead.
    fn poll<'a>(&'a mut self, out: &'a mut Encoded, wait: Duration)
    -> BoxFuture<'a, Result<Event>>;

    /// Commits the next offsets to read. Fails with `log.not_member` for a partition that is no longer ours.
    fn commit<'a>(
        &'a mut self,
        offsets: &'a BTreeMap<TopicPartition, i64>,
    ) -> BoxFuture<'a, Result<()>>;

    /// How many records behind the end the reader is, per assigned partition, as far as it knows.
    fn lag(&self) -> BTreeMap<TopicPartition, i64>;

    /// The next offset that may be given out, per assigned partition, as far as it is known: all before it was given out, or is nothing for
    /// readers, as the marks of transactions are. It moves with a poll alone, also with one that gives nothing.
    fn places(&self) -> BTreeMap<TopicPartition, i64>;

    /// Leaves the group.
    fn close(&mut self) -> BoxFuture<'_, Result<()>>;
}
