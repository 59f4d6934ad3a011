//! One ordered writer: records into librdkafka's queue, deliveries into the ledger.

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use connect_core::{
    BoxFuture, Encoded, Error, Result, Watermark, encoded::EncodedRecord, error::RECORD_TOO_LARGE,
};
use rdkafka::{ClientConfig, producer::BaseProducer, types::RDKafkaErrorCode as Kafka};
use rustc_hash::FxHashMap;

use super::{
    admin::Admin,
    client::Health,
    delivery::{Deliveries, Delivery},
    error::failed_with,
    ledger::Ledger,
    native::Topic,
    room::{self, Room},
    topics::Topics,
    transaction::Transactions,
};
use crate::{Append, Appended, GroupCommit, Ticket, TopicPartition};

/// How large records may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// `max.request.size`, when the user set it.
    pub(super) request: Option<usize>,
    /// No record is larger than the client's whole queue.
    pub(super) queue: usize,
    /// How much may be on its way at once.
    pub(super) room: u64,
    /// Whether the broker sees records smaller than we do.
    pub(super) compressed: bool,
}

/// A producer, with what it knows of the topics it writes to.
pub(super) struct KafkaAppender {
    /// Before `producer`: each holds a handle of it.
    topics: Vec<Destination>,
    by_name: FxHashMap<Arc<str>, usize>,
    producer: Arc<BaseProducer<Deliveries>>,
    transactions: Option<Transactions>,
    ledger: Arc<Ledger>,
    known: Topics,
    admin: Admin,
    limits: Limits,
    room: Room,
    last: Ticket,
    /// The group of the last commits, and the partitions whose offsets they have set.
    group: String,
    group_partitions: BTreeSet<TopicPartition>,
    /// Last: its thread closes the producer when nobody else has it.
    _delivery: Delivery,
}

struct Destination {
    name: Arc<str>,
    handle: Topic,
    max_bytes: usize,
}

impl KafkaAppender {
    /// Starts the producer and its thread; with a transactional id it also fences older ones.
    pub(super) async fn start(
        config: &ClientConfig,
        limits: Limits,
        known: Topics,
        admin: Admin,
        health: Health,
    ) -> Result<Self> {
        let ledger = Arc::new(Ledger::default());
        let (producer, delivery) = Delivery::start(config, &ledger, health.clone())?;
        let reports = config.get("transactional.id").is_none();
        let room = Room::new(limits.room, reports, &ledger, &producer);
        let mut appender = Self {
            topics: Vec::new(),
            by_name: FxHashMap::default(),
            producer: Arc::clone(&producer),
            transactions: None,
            ledger,
            known,
            admin,
            limits,
            room,
            last: 0,
            group: String::new(),
            group_partitions: BTreeSet::new(),
            _delivery: delivery,
        };
        if !reports {
            appender.transactions = Some(Transactions::start(producer, health).await?);
        }
        Ok(appender)
    }

    async fn append_all(&mut self, records: &Encoded) -> Result<Appended> {
        self.check()?;
        self.meet(records).await?;
        if let Some(transactions) = &mut self.transactions {
            transactions.begin().await?;
        }
        let count = u32::try_from(records.len()).map_err(|_| too_many())?;
        let mut refused = Vec::new();
        let mut open = OpenTicket::new(&self.ledger, count);
        let mut at = 0;
        for (index, record) in records.records.iter().enumerate() {
            if !self
                .topics
                .get(at)
                .is_some_and(|topic| Arc::ptr_eq(&topic.name, &record.topic))
            {
                at = self
                    .by_name
                    .get(&record.topic)
                    .copied()
                    .unwrap_or(usize::MAX);
            }
            let Some(topic) = self.topics.get(at) else {
                return Err(failed_with("find a topic", Kafka::UnknownTopic));
            };
            let bytes = wire_bytes(records, record);
            if bytes > self.limits.of(topic.max_bytes)
                && let Some(error) = self.too_large(at, bytes).await?
            {
                refused.push((index, error));
                continue;
            }
            self.send(at, records, record, open.ticket).await?;
            open.unsent -= 1;
            self.last = open.ticket;
        }
        drop(open);
        Ok(Appended {
            ticket: self.last,
            refused,
        })
    }

    /// Puts one record into the queue; waits for room and then goes on with the same record, so that order is kept.
    async fn send(
        &mut self,
        at: usize,
        of: &Encoded,
        record: &EncodedRecord,
        ticket: Ticket,
    ) -> Result<()> {
        let len = |part: &Option<Range<usize>>| part.as_ref().map_or(0, Range::len);
        let weight = room::weight(len(&record.key), len(&record.value));
        loop {
            let Some(topic) = self.topics.get(at) else {
                return Err(failed_with("find a topic", Kafka::UnknownTopic));
            };
            if self.room.has(weight) {
                match topic.handle.send(of, record, ticket) {
                    Ok(()) => break,
                    Err(Kafka::QueueFull) => {}
                    Err(code) => {
                        let err = failed_with("take a record", code);
                        return Err(err.context("topic", &record.topic));
                    }
                }
            }
            self.room.wait().await?;
        }
        self.room.sent(weight);
        Ok(())
    }

    /// Makes topics that were not seen before known: one request for all of them.
    async fn meet(&mut self, records: &Encoded) -> Result<()> {
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
        for (name, max_bytes) in new.into_iter().zip(limits) {
            let handle = Topic::new(&self.producer, &name);
            let handle = handle.map_err(|code| failed_with("open a topic", code))?;
            self.by_name.insert(Arc::clone(&name), self.topics.len());
            self.topics.push(Destination {
                name,
                handle,
                max_bytes,
            });
        }
        Ok(())
    }

    /// The refusal of a record, unless the topic's limit has been raised in the meantime.
    async fn too_large(&mut self, at: usize, bytes: usize) -> Result<Option<Error>> {
        let Some(topic) = self.topics.get_mut(at) else {
            return Ok(None);
        };
        topic.max_bytes = self.known.max_bytes_now(&topic.name).await?;
        let limit = self.limits.of(topic.max_bytes);
        Ok((bytes > limit).then(|| {
            Error::new(&RECORD_TOO_LARGE, "a record is larger than its topic takes")
                .context("topic", &topic.name)
                .context("bytes", bytes)
                .context("limit", limit)
        }))
    }

    fn check(&self) -> Result<()> {
        self.ledger.failure().map_or(Ok(()), Err)
    }

    async fn commit_all(&mut self, offsets: Option<&GroupCommit>) -> Result<()> {
        if let Some(transactions) = &mut self.transactions {
            transactions.commit(offsets, &self.ledger).await?;
            self.ledger.committed(self.last);
            return self.settle_group(offsets).await;
        }
        if self.last > 0 {
            self.ledger.durable().reach(self.last).await?;
        }
        let Some(commit) = offsets else {
            return Ok(());
        };
        let offsets = commit.offsets.iter();
        let offsets = offsets.map(|(of, offset)| (of.clone(), Some(*offset)));
        self.admin
            .alter_group_offsets(&commit.group, &offsets.collect())
            .await
    }
}

impl KafkaAppender {
    /// After the first commit of a group's partition, waits until everybody sees it; from then on Kafka tells when one is
    /// under way.
    async fn settle_group(&mut self, offsets: Option<&GroupCommit>) -> Result<()> {
        let Some(commit) = offsets else {
            return Ok(());
        };
        if self.group != commit.group {
            self.group.clone_from(&commit.group);
            self.group_partitions.clear();
        }
        let new = commit
            .offsets
            .keys()
            .filter(|of| !self.group_partitions.contains(*of));
        let new: Vec<TopicPartition> = new.cloned().collect();
        if !new.is_empty() {
            self.admin.until_stable(&commit.group, &new).await?;
            self.group_partitions.extend(new);
        }
        Ok(())
    }
}

impl Append for KafkaAppender {
    fn append<'a>(&'a mut self, records: &'a Encoded) -> BoxFuture<'a, Result<Appended>> {
        Box::pin(self.append_all(records))
    }

    fn durable(&self) -> Watermark<Ticket> {
        self.ledger.durable()
    }

    fn commit<'a>(&'a mut self, offsets: Option<&'a GroupCommit>) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.commit_all(offsets))
    }

    fn abort(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            match &mut self.transactions {
                Some(transactions) => transactions.abort().await,
                None => Ok(()),
            }
        })
    }
}

impl Limits {
    /// The limit for a topic. A limit that the user set counts uncompressed bytes, as in Kafka's own client.
    fn of(self, topic_max: usize) -> usize {
        let limit = match self.request {
            Some(request) if self.compressed => request,
            Some(request) => request.min(topic_max),
            None => topic_max,
        };
        limit.min(self.queue)
    }
}

/// A ticket while its records are being sent. It is closed at the end, also when the append fails or is dropped; a ticket of
/// no records is taken back.
struct OpenTicket {
    ledger: Arc<Ledger>,
    ticket: Ticket,
    records: u32,
    unsent: u32,
}

impl OpenTicket {
    fn new(ledger: &Arc<Ledger>, records: u32) -> Self {
        Self {
            ticket: ledger.open(records),
            ledger: Arc::clone(ledger),
            records,
            unsent: records,
        }
    }
}

impl Drop for OpenTicket {
    fn drop(&mut self) {
        if self.unsent == self.records {
            self.ledger.withdraw();
        } else {
            self.ledger.close(self.ticket, self.unsent);
        }
    }
}

/// What a record takes in a batch of its own, as Kafka's Java client counts it.
fn wire_bytes(of: &Encoded, record: &EncodedRecord) -> usize {
    /// A batch's header and the most that the lengths and deltas of one record take.
    const OVERHEAD: usize = 61 + 21;
    let len = |part: &Option<Range<usize>>| part.as_ref().map_or(0, Range::len);
    let headers = of.headers(record).iter();
    let headers: usize = headers.map(|h| h.name.len() + len(&h.value) + 10).sum();
    OVERHEAD + len(&record.key) + len(&record.value) + headers
}

fn too_many() -> Error {
    Error::new(
        &connect_core::error::INTERNAL,
        "a batch of more than 4 billion records",
    )
}
