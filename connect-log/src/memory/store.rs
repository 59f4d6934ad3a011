//! Blocks in a sorted map.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
};

use connect_core::Result;
use parking_lot::RwLock;

use crate::local::{Block, Change, Head, Loaded, PartitionId, Store, Upto};

/// The store of a [`MemoryLog`](super::MemoryLog).
#[derive(Debug, Default)]
pub struct Memory {
    blocks: RwLock<Blocks>,
    topics: RwLock<BTreeMap<i64, Vec<PartitionId>>>,
}

type Blocks = BTreeMap<(PartitionId, i64), (Block, Upto)>;

impl Memory {
    fn drop_blocks(&self, topic: i64, blocks: &mut Blocks) {
        let partitions = self.topics.write().remove(&topic).unwrap_or_default();
        for partition in partitions {
            let of = (partition, i64::MIN)..=(partition, i64::MAX);
            let keys: Vec<_> = blocks.range(of).map(|(key, _)| *key).collect();
            for key in keys {
                blocks.remove(&key);
            }
        }
    }
}

impl Store for Memory {
    const WAITS: bool = false;

    fn load(&self) -> Result<Loaded> {
        let random = RandomState::new();
        let cluster_id = format!("{:016x}{:016x}", random.hash_one(1), random.hash_one(2));
        Ok(Loaded {
            cluster_id,
            next_topic: 1,
            next_partition: 1,
            ..Loaded::default()
        })
    }

    fn write(&self, changes: &[Change]) -> Result<()> {
        // All at once, also for those who read meanwhile.
        let mut blocks = self.blocks.write();
        for change in changes {
            match change {
                Change::Put {
                    partition,
                    block,
                    upto,
                    ..
                } => {
                    let key = (*partition, block.last);
                    blocks.insert(key, (block.clone(), *upto));
                }
                Change::Remove { partition, last } => {
                    blocks.remove(&(*partition, *last));
                }
                Change::Create {
                    topic, partitions, ..
                } => {
                    self.topics.write().insert(*topic, partitions.clone());
                }
                Change::Delete { topic, .. } => self.drop_blocks(*topic, &mut blocks),
                // The log itself remembers these.
                Change::Bounds { .. }
                | Change::Offset { .. }
                | Change::ForgetGroup { .. }
                | Change::Alter { .. } => {}
            }
        }
        Ok(())
    }

    fn read(&self, of: PartitionId, from: i64, max_bytes: usize) -> Result<Vec<Block>> {
        let blocks = self.blocks.read();
        let mut bytes = 0;
        let found = blocks.range((of, from)..=(of, i64::MAX)).map(|(_, b)| &b.0);
        let found = found.take_while(|block| {
            let before = bytes;
            bytes += block.body.len();
            before < max_bytes
        });
        Ok(found.cloned().collect())
    }

    fn reaching(&self, of: PartitionId, time_ms: i64) -> Result<Option<Block>> {
        let blocks = self.blocks.read();
        let mut of = blocks.range((of, i64::MIN)..=(of, i64::MAX));
        let found = of.find(|(_, (block, _))| block.max_timestamp_ms >= time_ms);
        Ok(found.map(|(_, (block, _))| block.clone()))
    }

    fn heads(&self, of: PartitionId, from: i64, max: usize) -> Result<Vec<Head>> {
        let blocks = self.blocks.read();
        let found = blocks.range((of, from)..=(of, i64::MAX)).take(max);
        Ok(found
            .map(|(_, (block, upto))| Head {
                first: block.first,
                last: block.last,
                max_timestamp_ms: block.max_timestamp_ms,
                horizon_ms: block.horizon_ms,
                bytes: block.body.len() as u64,
                upto: *upto,
            })
            .collect())
    }

    fn sweep(&self, _max: usize) -> Result<bool> {
        Ok(false)
    }
}
