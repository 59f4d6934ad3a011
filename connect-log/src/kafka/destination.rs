//! The topics that an appender writes to: their partitions and what they take.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use connect_core::{Encoded, Error, Result, encoded::EncodedRecord, error::RECORD_TOO_LARGE};
use rustc_hash::FxHashMap;

use super::{producer::Producer, topics::Topics};
use crate::{UNKNOWN_TOPIC, murmur2::partition_for};

/// Kafka's `metadata.max.age.ms`: so late are added partitions seen.
const AGE: Duration = Duration::from_secs(300);

/// All topics met so far.
pub(super) struct Destinations {
    known: Topics,
    all: Vec<Destination>,
    by_name: FxHashMap<Arc<str>, usize>,
    /// Partitions by their numbers in the producer's queue.
    partitions: Vec<(Arc<str>, i32)>,
    looked: Instant,
}

pub(super) struct Destination {
    pub(super) name: Arc<str>,
    pub(super) max_bytes: usize,
    /// The numbers of its partitions in the producer's queue.
    partitions: Vec<usize>,
    /// For records without a key: one partition for each append, in turn.
    turn: usize,
}

impl Destinations {
    pub(super) fn new(known: Topics) -> Self {
        Self {
            known,
            all: Vec::new(),
            by_name: FxHashMap::default(),
            partitions: Vec::new(),
            looked: Instant::now(),
        }
    }

    /// Makes topics that were not seen before known: one request for all of them.
    pub(super) async fn meet(&mut self, records: &Encoded, producer: &Producer) -> Result<()> {
        self.look_again(producer).await?;
        let mut new: Vec<Arc<str>> = Vec::new();
        let mut last: Option<&Arc<str>> = None;
        for record in &records.records {
            if last.is_some_and(|last| Arc::ptr_eq(last, &record.topic)) {
                continue;
            }
            last = Some(&record.topic);
            if !self.by_name.contains_key(&record.topic) && !new.contains(&record.topic) {
                new.push(Arc::clone(&record.topic));
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        let limits = self.known.max_bytes(&new).await?;
        let counts = producer.partitions(&new).await?;
        for ((name, max_bytes), count) in new.into_iter().zip(limits).zip(counts) {
            let mut destination = Destination {
                name: Arc::clone(&name),
                max_bytes,
                partitions: Vec::new(),
                turn: 0,
            };
            self.grow(&mut destination, count, producer);
            self.by_name.insert(name, self.all.len());
            self.all.push(destination);
        }
        Ok(())
    }

    /// The place of a record's topic; `last` is that of the record before.
    pub(super) fn find(&self, topic: &Arc<str>, last: usize) -> Result<usize> {
        if self
            .all
            .get(last)
            .is_some_and(|other| Arc::ptr_eq(&other.name, topic))
        {
            return Ok(last);
        }
        let found = self.by_name.get(topic).copied();
        found.ok_or_else(|| {
            Error::new(&UNKNOWN_TOPIC, "the topic is not known").context("topic", topic)
        })
    }

    pub(super) fn get(&self, at: usize) -> Option<&Destination> {
        self.all.get(at)
    }

    /// A partition by its number in the producer's queue.
    pub(super) fn partition(&self, number: usize) -> Option<&(Arc<str>, i32)> {
        self.partitions.get(number)
    }

    /// Lets records without a key go to another partition.
    pub(super) fn next_turn(&mut self) {
        for destination in &mut self.all {
            destination.turn = destination.turn.wrapping_add(1);
        }
    }

    /// The refusal of a record, unless the topic's limit has been raised in the meantime.
    pub(super) async fn too_large(
        &mut self,
        at: usize,
        bytes: usize,
        limit: impl Fn(usize) -> usize,
    ) -> Result<Option<Error>> {
        let Some(topic) = self.all.get_mut(at) else {
            return Ok(None);
        };
        topic.max_bytes = self.known.max_bytes_now(&topic.name).await?;
        let limit = limit(topic.max_bytes);
        Ok((bytes > limit).then(|| {
            Error::new(&RECORD_TOO_LARGE, "a record is larger than its topic takes")
                .context("topic", &topic.name)
                .context("bytes", bytes)
                .context("limit", limit)
        }))
    }

    async fn look_again(&mut self, producer: &Producer) -> Result<()> {
        if self.looked.elapsed() < AGE || self.all.is_empty() {
            return Ok(());
        }
        self.looked = Instant::now();
        let names: Vec<Arc<str>> = self
            .all
            .iter()
            .map(|topic| Arc::clone(&topic.name))
            .collect();
        let counts = producer.partitions(&names).await?;
        let mut all = std::mem::take(&mut self.all);
        for (destination, count) in all.iter_mut().zip(counts) {
            self.grow(destination, count, producer);
        }
        self.all = all;
        Ok(())
    }

    fn grow(&mut self, destination: &mut Destination, count: i32, producer: &Producer) {
        let mut queue = producer.shared.queue.lock();
        while destination.partitions.len() < usize::try_from(count).unwrap_or(0) {
            let index = destination.partitions.len() as i32;
            destination
                .partitions
                .push(queue.add(&destination.name, index));
            self.partitions.push((Arc::clone(&destination.name), index));
        }
    }
}

impl Destination {
    /// The number of a record's partition in the producer's queue: its own, or by its key's hash.
    pub(super) fn partition_of(&self, of: &Encoded, record: &EncodedRecord) -> Result<usize> {
        let count = self.partitions.len();
        let index = match (record.partition, of.key(record)) {
            (Some(partition), _) => usize::try_from(partition).unwrap_or(usize::MAX),
            (None, Some(key)) => partition_for(key, count as i32) as usize,
            (None, None) => self.turn % count.max(1),
        };
        self.partitions.get(index).copied().ok_or_else(|| {
            Error::new(&UNKNOWN_TOPIC, "the topic has no such partition")
                .context("topic", &self.name)
                .context("partition", index)
        })
    }
}
