//! Where the blocks lie: a file of SQLite, or memory.

use connect_core::Result;

use super::{
    block::Block,
    partition::{Extent, PartitionId},
};
use crate::TopicPartition;

/// Keeps blocks, topics and groups. One writer calls [`Store::write`]; anybody reads.
pub(crate) trait Store: Send + Sync + 'static {
    /// Whether reading may wait for a disk.
    const WAITS: bool;

    /// All that must be known in memory.
    fn load(&self) -> Result<Loaded>;

    /// Makes all of it durable and visible, or nothing of it.
    fn write(&self, changes: &[Change]) -> Result<()>;

    /// The blocks that hold the records from offset `from` on, in order, until about `max_bytes` of bodies; none at the end.
    fn read(&self, of: PartitionId, from: i64, max_bytes: usize) -> Result<Vec<Block>>;

    /// The first block whose records reach a time, or any before it; `None` when all are older.
    fn reaching(&self, of: PartitionId, time_ms: i64) -> Result<Option<Block>>;

    /// At most `max` blocks from offset `from` on, without their bodies.
    fn heads(&self, of: PartitionId, from: i64, max: usize) -> Result<Vec<Head>>;

    /// Removes up to `max` blocks of deleted partitions. Gives back whether more are left.
    fn sweep(&self, max: usize) -> Result<bool>;
}

/// What is known of a block without its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) max_timestamp_ms: i64,
    pub(crate) horizon_ms: Option<i64>,
    /// Bytes of its body.
    pub(crate) bytes: u64,
    pub(crate) upto: Upto,
}

/// What a partition has seen up to the end of a block. It never falls from block to block, so it can be searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Upto {
    /// The largest timestamp.
    pub(crate) peak_ms: i64,
    /// All bytes of bodies ever appended.
    pub(crate) written: u64,
}

/// The store's memory of topics and groups.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) cluster_id: String,
    /// Larger than the id of any topic.
    pub(crate) next_topic: i64,
    /// Larger than the id of any partition, also of those whose blocks are still being removed.
    pub(crate) next_partition: PartitionId,
    pub(crate) topics: Vec<LoadedTopic>,
    pub(crate) offsets: Vec<(String, TopicPartition, i64)>,
}

/// A topic as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct LoadedTopic {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) settings: String,
    pub(crate) partitions: Vec<(PartitionId, Extent)>,
}

/// One thing to write.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// A block.
    Put {
        partition: PartitionId,
        block: Block,
        upto: Upto,
        compress: bool,
    },
    /// A block goes away, by its last offset.
    Remove { partition: PartitionId, last: i64 },
    /// Where a partition begins and ends, also when it has no blocks.
    Bounds {
        partition: PartitionId,
        extent: Extent,
    },
    /// A committed offset, or none.
    Offset {
        group: String,
        at: TopicPartition,
        offset: Option<i64>,
    },
    /// A group goes away.
    ForgetGroup { group: String },
    /// A new topic with these partitions.
    Create {
        topic: i64,
        name: String,
        settings: String,
        partitions: Vec<PartitionId>,
    },
    /// Other settings.
    Alter { topic: i64, settings: String },
    /// A topic, its blocks and the offsets that groups have in it.
    Delete { topic: i64, name: String },
}
