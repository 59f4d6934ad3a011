//! One ordered writer: records into batches, what becomes of them into the ledger.

use std::{
    collections::BTreeSet,
    ops::Range,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use connect_core::{BoxFuture, Encoded, Error, Result, Watermark, encoded::EncodedRecord};

use super::{
    admin::Admin,
    client::Health,
    destination::Destinations,
    ledger::Ledger,
    producer::{Producer, Push, Terms, Threads, write_headers},
    properties::Properties,
    room::{self, Room},
    topics::Topics,
    transaction::Transactions,
};
use crate::{Append, Appended, GroupCommit, Ticket, TopicPartition, headers::HeaderBlock};

/// How large records may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// `max.request.size`, when the user set it.
    pub(super) request: Option<usize>,
    /// How much may be on its way at once.
    pub(super) room: u64,
    /// Whether the broker sees records smaller than we do.
    pub(super) compressed: bool,
}

/// A producer, with what it knows of the topics it writes to.
pub(super) struct KafkaAppender {
    producer: Producer,
    destinations: Destinations,
    transactions: Option<Transactions>,
    ledger: Arc<Ledger>,
    admin: Admin,
    limits: Limits,
    room: Room,
    last: Ticket,
    /// Where each record of an append goes; kept for its memory.
    places: Vec<Place>,
    numbers: Vec<usize>,
    headers: HeaderBlock,
    /// The group of the last commits, and the partitions whose offsets they have set.
    group: String,
    group_partitions: BTreeSet<TopicPartition>,
}

/// Where a record goes.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Its index in the append.
    record: usize,
    /// The partition's number in the producer's queue.
    number: usize,
    /// The largest batch that its topic takes.
    limit: usize,
    bytes: usize,
}

impl KafkaAppender {
    /// Starts the producer on one of the threads; with a transactional id it also fences older ones.
    pub(super) async fn start(
        threads: &Threads,
        config: &Properties,
        terms: Terms,
        limits: Limits,
        known: Topics,
        admin: Admin,
        health: Health,
    ) -> Result<Self> {
        let ledger = Arc::new(Ledger::default());
        let (producer, coordinator) =
            Producer::start(threads, config, terms, &ledger, health).await?;
        Ok(Self {
            producer,
            destinations: Destinations::new(known),
            transactions: coordinator.map(Transactions::new),
            room: Room::new(limits.room, &ledger),
            ledger,
            admin,
            limits,
            last: 0,
            places: Vec::new(),
            numbers: Vec::new(),
            headers: HeaderBlock::default(),
            group: String::new(),
            group_partitions: BTreeSet::new(),
        })
    }

    /// Sees to it that no transaction of an older appender is open in these topics.
    pub(super) async fn clean(&mut self, topics: &[Arc<str>]) -> Result<()> {
        let Some(transactions) = self.transactions.as_mut().filter(|_| !topics.is_empty()) else {
            return Ok(());
        };
        let counts = self.producer.partitions(topics).await?;
        let partitions = topics.iter().zip(counts).flat_map(|(topic, count)| {
            (0..count).map(|partition| TopicPartition::new(Arc::clone(topic), partition))
        });
        transactions
            .clean(&partitions.collect(), &self.producer)
            .await
    }

    async fn append_all(&mut self, records: &Encoded) -> Result<Appended> {
        self.check()?;
        self.destinations.meet(records, &self.producer).await?;
        let refused = self.place(records).await?;
        if let Some(transactions) = &mut self.transactions {
            transactions
                .enter(&self.numbers, &self.destinations, &self.producer)
                .await?;
        }
        if !self.places.is_empty() {
            let count = u32::try_from(self.places.len()).map_err(|_| too_many())?;
            let mut open = OpenTicket::new(&self.ledger, count);
            self.last = open.ticket;
            let sending = Sending {
                records,
                places: &self.places,
                headers: &mut self.headers,
            };
            send(&self.producer, &mut self.room, sending, &mut open).await?;
        }
        self.destinations.next_turn();
        Ok(Appended {
            ticket: self.last,
            refused,
        })
    }

    /// Finds out where each record goes; those that are too large are given back.
    async fn place(&mut self, records: &Encoded) -> Result<Vec<(usize, Error)>> {
        let mut refused = Vec::new();
        let mut at = 0;
        self.places.clear();
        self.numbers.clear();
        self.headers.clear();
        for (index, record) in records.records.iter().enumerate() {
            at = self.destinations.find(&record.topic, at)?;
            let Some(topic) = self.destinations.get(at) else {
                continue;
            };
            let bytes = bytes_of(record, self.headers.of(records, record, write_headers));
            let mut limit = self.limits.of(topic.max_bytes);
            let number = topic.partition_of(records, record)?;
            if bytes + OVERHEAD > limit {
                let limits = self.limits;
                if let Some(error) = self
                    .destinations
                    .too_large(at, bytes + OVERHEAD, |max| limits.of(max))
                    .await?
                {
                    refused.push((index, error));
                    continue;
                }
                limit = self
                    .destinations
                    .get(at)
                    .map_or(limit, |topic| self.limits.of(topic.max_bytes));
            }
            self.places.push(Place {
                record: index,
                number,
                limit,
                bytes,
            });
            if self.transactions.is_some() {
                self.numbers.push(number);
            }
        }
        Ok(refused)
    }

    fn check(&self) -> Result<()> {
        self.ledger.failure().map_or(Ok(()), Err)
    }

    async fn commit_all(&mut self, offsets: Option<&GroupCommit>) -> Result<()> {
        if let Some(transactions) = &mut self.transactions {
            self.room.until_empty().await?;
            transactions.commit(offsets, &self.producer).await?;
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

    /// What was not sent is thrown away; what is on its way arrives, since the broker counts it, and is then aborted.
    async fn abort_all(&mut self) -> Result<()> {
        let Some(transactions) = &mut self.transactions else {
            return Ok(());
        };
        if transactions.is_idle() {
            return Ok(());
        }
        let thrown = self.producer.shared.queue.lock().discard();
        self.ledger.weigh(thrown);
        self.room.until_empty().await?;
        transactions.abort(&self.producer).await
    }

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

/// What is sent.
struct Sending<'a> {
    records: &'a Encoded,
    places: &'a [Place],
    headers: &'a mut HeaderBlock,
}

/// Puts records into the queue; waits for room and then goes on with the same record, so that order is kept (Invariant 2).
async fn send(
    producer: &Producer,
    room: &mut Room,
    what: Sending<'_>,
    open: &mut OpenTicket,
) -> Result<()> {
    let of = what.records;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let now_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
    let mut places = what.places.iter().peekable();
    while places.peek().is_some() {
        {
            let mut queue = producer.shared.queue.lock();
            while let Some(place) = places.peek() {
                let Some(record) = of.records.get(place.record) else {
                    break;
                };
                let weight = room::weight(place.bytes);
                if !room.has(weight) {
                    break;
                }
                let push = Push {
                    headers: what.headers.of(of, record, write_headers),
                    ticket: open.ticket,
                    weight,
                    bytes: place.bytes,
                    limit: place.limit,
                    now_ms,
                };
                queue.push(place.number, of, record, &push);
                room.sent(weight);
                open.unsent -= 1;
                places.next();
            }
        }
        producer.shared.wake();
        if places.peek().is_some() {
            room.wait().await?;
        }
    }
    Ok(())
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
        Box::pin(self.abort_all())
    }
}

impl Limits {
    /// The limit for a topic. A limit that the user set counts uncompressed bytes, as in Kafka's own client.
    fn of(self, topic_max: usize) -> usize {
        match self.request {
            Some(request) if self.compressed => request,
            Some(request) => request.min(topic_max),
            None => topic_max,
        }
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

/// A batch's header and the most that the lengths and deltas of one record take, as Kafka's Java client counts them.
const OVERHEAD: usize = 61 + 21;

/// A record's key, value and headers.
fn bytes_of(record: &EncodedRecord, headers: &[u8]) -> usize {
    let len = |part: &Option<Range<usize>>| part.as_ref().map_or(0, Range::len);
    len(&record.key) + len(&record.value) + headers.len()
}

fn too_many() -> Error {
    Error::new(
        &connect_core::error::INTERNAL,
        "a batch of more than 4 billion records",
    )
}
