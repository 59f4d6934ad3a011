//! Ordered topics behind one trait: Kafka, embedded (SQLite) and memory.
//!
//! All three keep the same contract, held by one conformance suite:
//!
//! 1. Records of one appender are in the log in the order in which they were appended, per partition.
//! 2. A ticket is durable only when every record up to it is (Kafka: acks=all, idempotent; embedded: fsynced).
//! 3. Offsets grow but may have gaps. Never compute counts from offsets.
//! 4. Only committed records are visible; the records and group offsets of one commit appear together or not at all.
//! 5. A new appender with the same transactional id fences the older one, whose next commit fails with `log.fenced`.
//! 6. After [`Event::Revoked`] the partitions may still be committed until the next `poll`, then never again.
//! 7. A transaction may have to fit in memory (embedded) and to end within its timeout (Kafka): keep it small.

mod append;
#[cfg(feature = "testing")]
pub mod conformance;
pub mod embedded;
mod error;
pub mod front;
mod headers;
pub mod kafka;
mod local;
mod member;
pub mod memory;
mod murmur2;
mod read;
mod tail;
mod topic;

pub use append::{Append, Appended, AppenderSpec, GroupCommit, Pace, Ticket};
pub use error::*;
pub use local::LocalLog;
pub use member::{Lease, Member, MemberSpec, Standing, View};
pub use murmur2::{murmur2, partition_for};
pub use read::{At, Event, Read, ReaderSpec, TopicPartition};
pub use tail::{Offsets, read_to_end};
pub use topic::{TopicInfo, TopicSpec};

use std::collections::BTreeMap;

use connect_core::{BoxFuture, Result};

/// Topics, appenders, readers, groups. Cheap to share; every method can be called from anywhere.
pub trait Log: Send + Sync + 'static {
    /// The id of the cluster or of the log's file: stable over restarts.
    fn cluster_id(&self) -> BoxFuture<'_, Result<String>>;

    /// Creates topics. One that exists is left as it is.
    fn create_topics<'a>(&'a self, topics: &'a [TopicSpec]) -> BoxFuture<'a, Result<()>>;

    /// Sets the given settings of a topic; others stay.
    fn alter_topic<'a>(
        &'a self,
        name: &'a str,
        settings: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<()>>;

    /// Deletes a topic. `Ok` when there is none.
    fn delete_topic<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>>;

    /// A topic's partitions and settings; `None` when there is none.
    fn topic<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<TopicInfo>>>;

    /// How many partitions a topic has; `None` when there is none. Cheaper than all that [`Self::topic`] tells.
    fn partitions<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<i32>>> {
        Box::pin(async move { Ok(self.topic(name).await?.map(|topic| topic.partitions)) })
    }

    /// The names of all topics, sorted, without those that the log keeps for itself.
    fn topics(&self) -> BoxFuture<'_, Result<Vec<String>>>;

    /// The offset at a point of a partition. For a time: the first record at or after it, else the end.
    fn offset_at<'a>(&'a self, of: &'a TopicPartition, at: At) -> BoxFuture<'a, Result<i64>>;

    /// The ends ([`At::End`]) of a topic's partitions.
    fn ends<'a>(
        &'a self,
        topic: &'a str,
        partitions: i32,
    ) -> BoxFuture<'a, Result<BTreeMap<i32, i64>>> {
        Box::pin(async move {
            let mut ends = BTreeMap::new();
            for partition in 0..partitions {
                let of = TopicPartition::new(topic, partition);
                ends.insert(partition, self.offset_at(&of, At::End).await?);
            }
            Ok(ends)
        })
    }

    /// Deletes the records of a partition before an offset.
    fn delete_records<'a>(
        &'a self,
        of: &'a TopicPartition,
        before: i64,
    ) -> BoxFuture<'a, Result<()>>;

    /// The committed offsets of a group (the next offset to read, per partition).
    fn group_offsets<'a>(
        &'a self,
        group: &'a str,
    ) -> BoxFuture<'a, Result<BTreeMap<TopicPartition, i64>>>;

    /// Sets committed offsets of a group that has no members; `None` removes one.
    fn alter_group_offsets<'a>(
        &'a self,
        group: &'a str,
        offsets: &'a BTreeMap<TopicPartition, Option<i64>>,
    ) -> BoxFuture<'a, Result<()>>;

    /// Deletes a group that has no members. `Ok` when there is none.
    fn delete_group<'a>(&'a self, group: &'a str) -> BoxFuture<'a, Result<()>>;

    /// A new ordered writer. With a transactional id it fences the older one of that id.
    fn appender(&self, spec: AppenderSpec) -> BoxFuture<'_, Result<Box<dyn Append>>>;

    /// A new reader.
    fn reader(&self, spec: ReaderSpec) -> BoxFuture<'_, Result<Box<dyn Read>>>;

    /// Joins the group of workers, in the background. A log of one process has one member.
    fn join(&self, spec: MemberSpec) -> BoxFuture<'_, Result<Member>> {
        Box::pin(std::future::ready(Ok(Member::alone(&spec))))
    }

    /// Whether the log can be reached, as far as is known without traffic; asks when there is doubt. The error says why not.
    fn health(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Fences whatever appenders hold these transactional ids, without becoming one of them.
    fn fence<'a>(&'a self, transactional_ids: &'a [String]) -> BoxFuture<'a, Result<()>>;
}
