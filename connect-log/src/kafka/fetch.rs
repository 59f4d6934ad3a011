//! The thread of a reader: owns the consumer, copies what it fetched, and carries the group's changes out.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use connect_core::{Encoded, Error, Result, error::INTERNAL};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer},
    error::KafkaError,
    message::{BorrowedMessage, Message},
    types::RDKafkaErrorCode as Kafka,
};

use super::{
    admin,
    error::{failed, failed_with},
    native,
    reader::{Call, Lag, Polled},
    rebalance::{self, Change, Membership},
};
use crate::{Event, NOT_MEMBER, TopicPartition};

/// A poll gives at most about this much, so that memory stays small.
const BYTES: usize = 4 << 20;
/// How soon a waiting poll sees that the reader wants something else.
const SLICE: Duration = Duration::from_millis(100);
/// How long a call may wait for the cluster.
const LIMIT: Duration = Duration::from_secs(30);
/// How long the cluster may be away before a poll says so.
const PATIENCE: Duration = Duration::from_secs(30);

/// The consumer with what we know of its partitions.
pub(super) struct Fetch {
    consumer: Option<BaseConsumer<Membership>>,
    most: usize,
    in_group: bool,
    subscribed: bool,
    /// A change that the last poll told and that the next one carries out; seeks alter the offsets.
    told: Option<(Change, BTreeMap<TopicPartition, i64>)>,
    partitions: BTreeMap<TopicPartition, Partition>,
    topics: Names,
    header_names: Names,
    lag: Lag,
}

#[derive(Debug, Clone, Copy, Default)]
struct Partition {
    /// The next offset to read; none before the first record.
    next: Option<i64>,
    paused: bool,
    /// Everything that was committed when the last fetch was answered has been read.
    is_at_end: bool,
}

impl Fetch {
    pub(super) fn new(
        consumer: BaseConsumer<Membership>,
        most: usize,
        in_group: bool,
        lag: Lag,
    ) -> Self {
        Self {
            consumer: Some(consumer),
            most,
            in_group,
            subscribed: false,
            told: None,
            partitions: BTreeMap::new(),
            topics: Names::default(),
            header_names: Names::default(),
            lag,
        }
    }

    /// Answers calls until the reader is closed or dropped, then leaves the group.
    pub(super) fn serve(&mut self, inbox: &mpsc::Receiver<Call>) {
        let mut next = inbox.recv().ok();
        while let Some(call) = next.take() {
            // An answer that nobody waits for any more is dropped; that of a poll is kept by the reader.
            match call {
                Call::Subscribe(topics, answer) => drop(answer.send(self.subscribe(&topics))),
                Call::Assign(from, answer) => drop(answer.send(self.assign(&from))),
                Call::Seek(of, offset, answer) => drop(answer.send(self.seek(&of, offset))),
                Call::Pause(of, paused, answer) => drop(answer.send(self.pause(&of, paused))),
                Call::Commit(offsets, answer) => drop(answer.send(self.commit(&offsets))),
                Call::Poll(mut records, wait, answer) => {
                    let event = self.poll(&mut records, wait, || {
                        next = inbox.try_recv().ok();
                        next.is_some()
                    });
                    self.tell_lag(matches!(event, Ok(Event::Idle)));
                    drop(answer.send(Polled { records, event }));
                }
                // librdkafka takes a tenth of a second for it, and without a group nobody has to know the end.
                Call::Close(answer) if !self.in_group => {
                    drop(answer.send(Ok(())));
                    self.close();
                }
                Call::Close(answer) => {
                    self.close();
                    drop(answer.send(Ok(())));
                }
            }
            next = next.or_else(|| inbox.recv().ok());
        }
        self.close();
    }

    fn consumer(&self) -> Result<&BaseConsumer<Membership>> {
        let closed = || Error::new(&INTERNAL, "the reader is closed");
        self.consumer.as_ref().ok_or_else(closed)
    }

    fn close(&mut self) {
        if let Some(consumer) = self.consumer.take() {
            consumer.context().close();
            // Partitions that were told as assigned or revoked are the group's to take back.
            drop(consumer.unassign());
            drop(consumer);
        }
        self.lag.lock().clear();
    }

    fn subscribe(&mut self, topics: &[String]) -> Result<()> {
        if !self.in_group {
            return Err(Error::new(
                &INTERNAL,
                "a reader without a group cannot subscribe",
            ));
        }
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        let done = self.consumer()?.subscribe(&names);
        self.subscribed = true;
        done.map_err(|err| failed("subscribe", err))
    }

    fn assign(&mut self, from: &BTreeMap<TopicPartition, i64>) -> Result<()> {
        let list = native_list(from.iter().map(|(of, offset)| (of, Some(*offset))))?;
        self.consumer()?
            .assign(&list)
            .map_err(|err| failed("assign partitions", err))?;
        let partition = |offset| Partition {
            next: Some(offset),
            ..Partition::default()
        };
        self.partitions = from
            .iter()
            .map(|(of, offset)| (of.clone(), partition(*offset)))
            .collect();
        Ok(())
    }

    fn seek(&mut self, of: &TopicPartition, offset: i64) -> Result<()> {
        if let Some((Change::Assign(partitions), offsets)) = &mut self.told
            && partitions.contains(of)
        {
            offsets.insert(of.clone(), offset);
            return Ok(());
        }
        let Some(partition) = self.partitions.get_mut(of) else {
            return Err(not_ours(of));
        };
        partition.next = Some(offset);
        partition.is_at_end = false;
        let deadline = Instant::now() + LIMIT;
        loop {
            let done =
                self.consumer()?
                    .seek(&of.topic, of.partition, Offset::Offset(offset), LIMIT);
            match done {
                // Its start is still being looked up: nothing to seek yet.
                Err(KafkaError::Seek(_)) if Instant::now() < deadline => {
                    std::thread::park_timeout(Duration::from_millis(10));
                }
                other => return other.map_err(|err| failed("seek", err)),
            }
        }
    }

    fn pause(&mut self, of: &[TopicPartition], paused: bool) -> Result<()> {
        for one in of {
            if let Some(partition) = self.partitions.get_mut(one) {
                partition.paused = paused;
            }
        }
        let ours = of.iter().filter(|one| self.partitions.contains_key(*one));
        let list = native_list(ours.map(|one| (one, None)))?;
        let consumer = self.consumer()?;
        let done = if paused {
            consumer.pause(&list)
        } else {
            consumer.resume(&list)
        };
        done.map_err(|err| failed("pause partitions", err))
    }

    fn commit(&mut self, offsets: &BTreeMap<TopicPartition, i64>) -> Result<()> {
        if offsets.is_empty() {
            return Ok(());
        }
        if let Some(stranger) = offsets.keys().find(|of| !self.partitions.contains_key(*of)) {
            return Err(not_ours(stranger));
        }
        let list = native_list(offsets.iter().map(|(of, offset)| (of, Some(*offset))))?;
        let deadline = Instant::now() + LIMIT;
        loop {
            let done = self.consumer()?.commit(&list, CommitMode::Sync);
            match done.as_ref().err().and_then(KafkaError::rdkafka_error_code) {
                // Others of the group are being assigned: over in moments, without our doing.
                Some(Kafka::RebalanceInProgress) if Instant::now() < deadline => {
                    std::thread::park_timeout(Duration::from_millis(20));
                }
                _ => return done.map_err(|err| failed("commit offsets", err)),
            }
        }
    }

    /// Fills `out`, or says what happened. `other` tells that another call waits.
    fn poll(
        &mut self,
        out: &mut Encoded,
        wait: Duration,
        mut other: impl FnMut() -> bool,
    ) -> Result<Event> {
        self.carry_out()?;
        if let Some(event) = self.tell() {
            return Ok(event);
        }
        let deadline = Instant::now() + wait;
        loop {
            let left = if out.is_empty() {
                deadline
                    .saturating_duration_since(Instant::now())
                    .min(SLICE)
            } else {
                Duration::ZERO
            };
            let waited = self.take(out, left)?;
            let full = out.len() >= self.most || out.bytes.len() >= BYTES;
            if full || (waited && !out.is_empty()) {
                self.consumer()?.context().health.well();
                return Ok(Event::Records);
            }
            if !waited {
                continue;
            }
            if let Some(event) = self.tell() {
                return Ok(event);
            }
            if Instant::now() >= deadline || other() {
                self.look_for_life()?;
                return Ok(Event::Idle);
            }
        }
    }

    /// Fails when the cluster has been away for long. A consumer without traffic is not told that it came back, so it asks.
    fn look_for_life(&self) -> Result<()> {
        let consumer = self.consumer()?;
        let health = &consumer.context().health;
        let Err(trouble) = health.check(PATIENCE) else {
            return Ok(());
        };
        let topic = self.partitions.keys().next().map(|of| &*of.topic);
        consumer
            .fetch_metadata(Some(topic.unwrap_or_default()), Duration::from_secs(2))
            .map_err(|_| trouble)?;
        health.well();
        Ok(())
    }

    /// Takes one message over, if there is one. True when there was none.
    fn take(&mut self, out: &mut Encoded, wait: Duration) -> Result<bool> {
        let Some(consumer) = &self.consumer else {
            return Err(Error::new(&INTERNAL, "the reader is closed"));
        };
        let message = match consumer.poll(wait) {
            None => return Ok(true),
            Some(Ok(message)) => message,
            Some(Err(KafkaError::PartitionEOF(number))) => {
                self.is_at_end(number);
                return Ok(false);
            }
            Some(Err(cause)) => return grave(cause).map_or(Ok(false), Err),
        };
        let topic = self.topics.get(message.topic());
        copy(&message, &topic, &mut self.header_names, out);
        let (partition, next) = (message.partition(), message.offset() + 1);
        drop(message);
        self.moved(topic, partition, next);
        Ok(false)
    }

    fn moved(&mut self, topic: Arc<str>, partition: i32, next: i64) {
        let of = TopicPartition { topic, partition };
        if let Some(partition) = self.partitions.get_mut(&of) {
            partition.next = Some(next);
            partition.is_at_end = false;
        }
    }

    /// The client tells the partition's number without its topic.
    fn is_at_end(&mut self, number: i32) {
        let mut same = self
            .partitions
            .iter_mut()
            .filter(|(of, _)| of.partition == number);
        if let (Some((_, partition)), None) = (same.next(), same.next()) {
            partition.is_at_end = true;
        }
    }

    /// Whether the client tells when partitions are read to their ends.
    fn is_told_ends(&self) -> bool {
        let mut topics = self.partitions.keys().map(|of| &of.topic);
        let first = topics.next();
        !self.in_group && topics.all(|topic| Some(topic) == first)
    }

    /// The next change as an event.
    fn tell(&mut self) -> Option<Event> {
        let change = self.consumer.as_ref()?.context().next()?;
        let event = match &change {
            Change::Assign(partitions) => Event::Assigned(partitions.clone()),
            Change::Revoke(partitions) => Event::Revoked(partitions.clone()),
            Change::Lost(partitions) => Event::Lost(partitions.clone()),
        };
        match &change {
            // Ours from now on, for seeking and committing; read from the next poll on.
            Change::Assign(partitions) => {
                let fresh = partitions
                    .iter()
                    .map(|of| (of.clone(), Partition::default()));
                self.partitions.extend(fresh);
            }
            Change::Revoke(_) => {}
            Change::Lost(partitions) => self.forget(partitions),
        }
        self.told = Some((change, BTreeMap::new()));
        Some(event)
    }

    /// Does what the last poll told.
    fn carry_out(&mut self) -> Result<()> {
        match self.told.take() {
            Some((Change::Assign(partitions), offsets)) => {
                let from = partitions.iter().map(|of| (of, offsets.get(of).copied()));
                let list = native_list(from)?;
                let done = rebalance::take(self.consumer()?, &list);
                done.map_err(|err| failed("take partitions over", err))
            }
            Some((Change::Revoke(partitions), _)) => {
                let list = native_list(partitions.iter().map(|of| (of, None)))?;
                self.forget(&partitions);
                let done = rebalance::give_up(self.consumer()?, &list);
                done.map_err(|err| failed("give partitions up", err))
            }
            Some((Change::Lost(_), _)) | None => Ok(()),
        }
    }

    fn forget(&mut self, partitions: &[TopicPartition]) {
        let gone: BTreeSet<&TopicPartition> = partitions.iter().collect();
        self.partitions.retain(|of, _| !gone.contains(of));
    }

    /// Tells how far each partition is behind, although offsets of markers and open transactions may lie ahead. Where the client
    /// does not tell the end, nothing having come in the time given is taken for it.
    fn tell_lag(&self, idle: bool) {
        let Some(consumer) = &self.consumer else {
            return;
        };
        let mut lag = self.lag.lock();
        lag.retain(|of, _| self.partitions.contains_key(of));
        let told = self.is_told_ends();
        let well = consumer.context().health.trouble().is_none();
        for (of, partition) in &self.partitions {
            let known = native::known_end(consumer.client(), &of.topic, of.partition);
            let behind = match (known, partition.next) {
                _ if partition.is_at_end => 0,
                (Some(_), _) if !told && idle && well && !partition.paused => 0,
                // What lies ahead may be markers alone.
                (Some(end), Some(next)) if told => (end - next).max(1),
                (Some(end), Some(next)) => (end - next).max(0),
                _ => continue,
            };
            match lag.get_mut(of) {
                Some(place) => *place = behind,
                None => drop(lag.insert(of.clone(), behind)),
            }
        }
    }
}

/// What ends a reader; everything else librdkafka overcomes by itself.
fn grave(cause: KafkaError) -> Option<Error> {
    let fatal = matches!(cause, KafkaError::MessageConsumptionFatal(_));
    let code = cause.rdkafka_error_code()?;
    let refused = matches!(
        code,
        Kafka::TopicAuthorizationFailed
            | Kafka::GroupAuthorizationFailed
            | Kafka::SaslAuthenticationFailed
            | Kafka::AutoOffsetReset
            | Kafka::OffsetOutOfRange
            | Kafka::FencedInstanceId
            | Kafka::InconsistentGroupProtocol
    );
    (fatal || refused).then(|| failed("read records", cause))
}

fn copy(message: &BorrowedMessage<'_>, topic: &Arc<str>, names: &mut Names, out: &mut Encoded) {
    let timestamp = message.timestamp().to_millis().unwrap_or(-1);
    let record = out.push(topic, message.key(), message.payload(), timestamp);
    record.partition = Some(message.partition());
    record.offset = message.offset();
    native::headers_of(message, |name, value| {
        out.push_header(names.get(name), value)
    });
}

fn native_list<'a>(
    of: impl IntoIterator<Item = (&'a TopicPartition, Option<i64>)>,
) -> Result<TopicPartitionList> {
    admin::list(of).map_err(|code| failed_with("list partitions", code))
}

fn not_ours(of: &TopicPartition) -> Error {
    Error::new(&NOT_MEMBER, "the partition is not assigned to this reader")
        .context("topic", &of.topic)
        .context("partition", of.partition)
}

/// Names that repeat, so that each is allocated once. The last one is found without a search.
#[derive(Default)]
struct Names {
    known: Vec<Arc<str>>,
    last: usize,
}

impl Names {
    /// More different names than this are not kept.
    const MOST: usize = 1024;

    fn get(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.known.get(self.last).filter(|known| &***known == name) {
            return Arc::clone(known);
        }
        match self.known.binary_search_by(|known| (**known).cmp(name)) {
            Ok(at) => {
                self.last = at;
                Arc::clone(&self.known[at])
            }
            Err(at) => {
                let fresh: Arc<str> = name.into();
                if self.known.len() < Self::MOST {
                    self.known.insert(at, Arc::clone(&fresh));
                    self.last = at;
                }
                fresh
            }
        }
    }
}
