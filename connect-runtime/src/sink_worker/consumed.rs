//! How far a sink task has come, per partition.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use connect_core::Encoded;
use connect_log::TopicPartition;

/// The next offsets to read, and which of them are not committed.
#[derive(Debug, Default)]
pub(super) struct Consumed {
    assigned: BTreeSet<TopicPartition>,
    offsets: BTreeMap<TopicPartition, i64>,
}

impl Consumed {
    /// These partitions are ours now.
    pub(super) fn assigned(&mut self, partitions: &[TopicPartition]) {
        self.assigned.extend(partitions.iter().cloned());
    }

    /// These are not ours any more.
    pub(super) fn gone(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            self.assigned.remove(partition);
            self.offsets.remove(partition);
        }
    }

    /// These records are written. Looks partitions up once per run of records of the same one.
    pub(super) fn read(&mut self, records: &Encoded) {
        let runs = records
            .records
            .chunk_by(|a, b| a.partition == b.partition && Arc::ptr_eq(&a.topic, &b.topic));
        for run in runs {
            if let Some(last) = run.last() {
                let of = TopicPartition::new(Arc::clone(&last.topic), last.partition.unwrap_or(0));
                self.offsets.insert(of, last.offset + 1);
            }
        }
    }

    /// Whether there is something to commit.
    pub(super) fn is_dirty(&self) -> bool {
        !self.offsets.is_empty()
    }

    /// What to commit.
    pub(super) fn offsets(&self) -> &BTreeMap<TopicPartition, i64> {
        &self.offsets
    }

    /// It is committed, or will never be.
    pub(super) fn clean(&mut self) {
        self.offsets.clear();
    }

    /// How many partitions are ours.
    pub(super) fn partitions(&self) -> usize {
        self.assigned.len()
    }
}
