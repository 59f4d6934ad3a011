//! What is asked of one broker, made of the plan, and what its answers change in it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use connect_core::Error;
use kafka_protocol::{
    ResponseError as Kafka,
    messages::{
        FetchRequest, FetchResponse, ListOffsetsRequest, ListOffsetsResponse, TopicName,
        fetch_request::{FetchPartition, FetchTopic},
        fetch_response::PartitionData,
        list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
    },
    protocol::StrBytes,
};
use tokio::time::Instant;

use super::{
    batch,
    plan::{Part, Plan, Start},
    section::Section,
    settings::ReaderSettings,
};
use crate::{
    TopicPartition,
    kafka::wire::{Verdict, verdict},
};

/// The first version that names topics by their ids, and the last that does not.
const WITH_IDS: i16 = 13;
pub(super) const WITHOUT_IDS: i16 = WITH_IDS - 1;
/// A replica that we were sent to is asked for so long (Kafka's `metadata.max.age.ms`).
const REPLICA: Duration = Duration::from_secs(300);
/// What the reader is told is told again only after this.
const REST: Duration = Duration::from_secs(1);
/// Also when there are many brokers, each may answer so much.
const LEAST_SHARE: usize = 64 << 10;

/// What is on its way: partitions with the time of each, and the offset from which they are read.
pub(super) type Asked = BTreeMap<TopicPartition, (u64, i64)>;

/// What to do with a broker.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Job {
    /// Starts have to be found.
    List,
    Fetch,
    /// Nothing, or not before this time.
    Wait(Option<Instant>),
}

/// A broker with what there is to read from it.
pub(super) struct Broker<'a> {
    pub(super) id: i32,
    pub(super) settings: &'a ReaderSettings,
}

impl Broker<'_> {
    /// What is next.
    pub(super) fn job(&self, plan: &Plan) -> Job {
        let now = Instant::now();
        let (mut fetch, mut wake) = (false, None::<Instant>);
        let has_room = self.buffered(plan, now) < self.share(plan, now);
        for part in self.parts(plan, now).map(|(_, part)| part) {
            match part.start {
                Start::Committed => {}
                _ if !part.is_ready(now) => wake = wake.min(part.rests).or(part.rests),
                Start::Find(_) => return Job::List,
                Start::At(_) => fetch |= has_room && self.is_wanted(part),
            }
        }
        if fetch { Job::Fetch } else { Job::Wait(wake) }
    }

    fn parts<'p>(
        &self,
        plan: &'p Plan,
        now: Instant,
    ) -> impl Iterator<Item = (&'p TopicPartition, &'p Part)> {
        let id = self.id;
        plan.parts.iter().filter(move |(of, part)| {
            let leader = plan.places.leader(of);
            leader.is_some_and(|leader| match part.start {
                Start::Find(_) => leader.broker == id,
                _ => part.broker(leader.broker, now) == id,
            })
        })
    }

    /// Whether more of it is wanted: what lies is less than one answer of it.
    fn is_wanted(&self, part: &Part) -> bool {
        !part.paused && part.buffered < self.settings.room
    }

    /// What lies of this broker, without what is not polled at the moment.
    fn buffered(&self, plan: &Plan, now: Instant) -> usize {
        let parts = self.parts(plan, now).filter(|(_, part)| !part.paused);
        parts.map(|(_, part)| part.buffered).sum()
    }

    /// What may lie of it, and what one answer of it may be: brokers share the room.
    fn share(&self, plan: &Plan, now: Instant) -> usize {
        let mut brokers: Vec<i32> = plan
            .parts
            .iter()
            .filter_map(|(of, part)| Some(part.broker(plan.places.leader(of)?.broker, now)))
            .collect();
        brokers.sort_unstable();
        brokers.dedup();
        (self.settings.room / brokers.len().max(1)).max(LEAST_SHARE)
    }

    /// The next fetch, in a version that the broker has. Partitions that were served last come last.
    pub(super) fn fetch(&self, plan: &Plan, version: i16) -> (FetchRequest, Asked) {
        let now = Instant::now();
        let mut wanted: Vec<_> = self
            .parts(plan, now)
            .filter(|(_, part)| self.is_wanted(part) && part.is_ready(now))
            .filter_map(|(of, part)| match part.start {
                Start::At(offset) => Some((of, part, offset)),
                _ => None,
            })
            .collect();
        wanted.sort_by_key(|(_, part, _)| part.turn);
        let mut topics: Vec<FetchTopic> = Vec::new();
        let mut asked = Asked::new();
        let mut last: Option<&Arc<str>> = None;
        for (of, part, offset) in wanted {
            if last != Some(&of.topic) {
                topics.push(topic(plan, &of.topic, version));
                last = Some(&of.topic);
            }
            let epoch = plan.places.leader(of).map_or(-1, |leader| leader.epoch);
            let partition = FetchPartition::default()
                .with_partition(of.partition)
                .with_current_leader_epoch(epoch)
                .with_fetch_offset(offset)
                .with_partition_max_bytes(self.settings.partition_bytes);
            if let Some(topic) = topics.last_mut() {
                topic.partitions.push(partition);
            }
            asked.insert(of.clone(), (part.epoch, offset));
        }
        let most = i32::try_from(self.share(plan, now)).unwrap_or(i32::MAX);
        let request = FetchRequest::default()
            .with_max_wait_ms(self.settings.wait_ms)
            .with_min_bytes(self.settings.least_bytes)
            .with_max_bytes(most.min(self.settings.most_bytes))
            .with_isolation_level(i8::from(self.settings.committed))
            .with_session_epoch(-1)
            .with_topics(topics)
            .with_rack_id(self.settings.rack.clone());
        (request, asked)
    }

    /// Takes an answer into the plan; true when there is something for the reader.
    pub(super) fn fetched(&self, plan: &mut Plan, mut asked: Asked, answer: FetchResponse) -> bool {
        if answer.error_code != 0 {
            self.rest(plan, &asked);
            return false;
        }
        let mut is_news = false;
        for topic in answer.responses {
            let name = match plan.places.name(&topic.topic_id) {
                Some(name) => Arc::clone(name),
                None => Arc::from(&*topic.topic.0),
            };
            for data in topic.partitions {
                let of = TopicPartition::new(Arc::clone(&name), data.partition_index);
                if let Some((epoch, offset)) = asked.remove(&of) {
                    is_news |= self.take(plan, of, epoch, offset, data);
                }
            }
        }
        // What was asked for and not answered.
        self.rest(plan, &asked);
        is_news
    }

    /// Nothing of these partitions came: they are looked for again after a while.
    pub(super) fn rest(&self, plan: &mut Plan, asked: &Asked) {
        for (of, (epoch, _)) in asked {
            self.look_again(plan, of, *epoch);
        }
    }

    fn look_again(&self, plan: &mut Plan, of: &TopicPartition, epoch: u64) {
        if let Some(part) = plan.part(of, epoch) {
            part.rests = Some(Instant::now() + self.settings.backoff);
            part.replica = None;
            plan.places.is_stale = true;
        }
    }

    fn take(
        &self,
        plan: &mut Plan,
        of: TopicPartition,
        epoch: u64,
        offset: i64,
        data: PartitionData,
    ) -> bool {
        let turn = plan.served();
        let Some(part) = plan
            .part(&of, epoch)
            .filter(|part| part.start == Start::At(offset))
        else {
            return false;
        };
        if data.error_code != 0 {
            return self.refused(plan, &of, epoch, data.error_code);
        }
        part.from.get_or_insert(offset);
        let mut moves = false;
        let preferred = data.preferred_read_replica.0;
        if preferred >= 0 && preferred != self.id {
            part.replica = Some((preferred, Instant::now() + REPLICA));
            moves = true;
        }
        let end = match self.settings.committed && data.last_stable_offset >= 0 {
            true => data.last_stable_offset,
            false => data.high_watermark,
        };
        part.end = Some(end);
        let records = data.records.unwrap_or_default();
        let next = match batch::end(&records) {
            Ok(Some(next)) if next > offset => next,
            Ok(_) if records.is_empty() => {
                let is_news = part.is_at_end();
                plan.has_moved |= moves;
                return is_news;
            }
            // Nothing of it leads on: not asked for again at once.
            Ok(_) => {
                self.look_again(plan, &of, epoch);
                return false;
            }
            Err(error) => return self.told(plan, &of, epoch, at(error, &of, offset)),
        };
        part.start = Start::At(next);
        part.turn = turn;
        part.buffered += records.len();
        let aborted = data.aborted_transactions.unwrap_or_default().into_iter();
        let aborted = aborted.map(|one| (one.producer_id.0, one.first_offset));
        plan.has_moved |= moves;
        let section = section(of, epoch, offset, records, self.settings);
        plan.sections.push(match self.settings.committed {
            true => section.without(aborted.collect()),
            false => section,
        });
        true
    }

    /// A partition's error; true when the reader has to be told.
    fn refused(&self, plan: &mut Plan, of: &TopicPartition, epoch: u64, code: i16) -> bool {
        const GONE: &str = "the offset to read from does not exist";
        match Kafka::try_from_code(code) {
            Some(Kafka::OffsetOutOfRange) => {
                let part = plan.part(of, epoch);
                let was_sent = part.and_then(|part| part.replica.take()).is_some();
                // A replica may not be as far as the leader.
                if !was_sent {
                    plan.reset(of, epoch, self.settings.reset, GONE);
                }
                !was_sent
            }
            Some(
                Kafka::UnknownTopicId | Kafka::InconsistentTopicId | Kafka::OffsetNotAvailable,
            ) => {
                self.look_again(plan, of, epoch);
                false
            }
            _ => match verdict("read records", code) {
                Verdict::Done => false,
                Verdict::Again(_) => {
                    self.look_again(plan, of, epoch);
                    false
                }
                Verdict::OutOfOrder(error) | Verdict::Never(error) => {
                    let error = error.context("topic", &of.topic);
                    self.told(plan, of, epoch, error.context("partition", of.partition))
                }
            },
        }
    }

    fn told(&self, plan: &mut Plan, of: &TopicPartition, epoch: u64, error: Error) -> bool {
        if let Some(part) = plan.part(of, epoch) {
            part.rests = Some(Instant::now() + REST);
        }
        plan.fail(error);
        true
    }

    /// Asks for starts.
    pub(super) fn list(&self, plan: &Plan) -> (ListOffsetsRequest, Asked) {
        let now = Instant::now();
        let mut topics: BTreeMap<&str, Vec<ListOffsetsPartition>> = BTreeMap::new();
        let mut asked = Asked::new();
        for (of, part) in self.parts(plan, now).filter(|(_, part)| part.is_ready(now)) {
            if let Start::Find(point) = part.start {
                let epoch = plan.places.leader(of).map_or(-1, |leader| leader.epoch);
                let partition = ListOffsetsPartition::default()
                    .with_partition_index(of.partition)
                    .with_current_leader_epoch(epoch)
                    .with_timestamp(point);
                topics.entry(&of.topic).or_default().push(partition);
                asked.insert(of.clone(), (part.epoch, point));
            }
        }
        let topic = |(name, partitions): (&str, Vec<ListOffsetsPartition>)| {
            ListOffsetsTopic::default()
                .with_name(named(name))
                .with_partitions(partitions)
        };
        let request = ListOffsetsRequest::default()
            .with_replica_id((-1).into())
            .with_isolation_level(i8::from(self.settings.committed))
            .with_topics(topics.into_iter().map(topic).collect());
        (request, asked)
    }

    /// Takes starts into the plan; true when the reader has to be told something.
    pub(super) fn listed(
        &self,
        plan: &mut Plan,
        mut asked: Asked,
        answer: ListOffsetsResponse,
    ) -> bool {
        let mut is_news = false;
        for topic in answer.topics {
            let name: Arc<str> = Arc::from(&*topic.name.0);
            for found in topic.partitions {
                let of = TopicPartition::new(Arc::clone(&name), found.partition_index);
                let Some((epoch, point)) = asked.remove(&of) else {
                    continue;
                };
                match found.error_code {
                    0 => {
                        if let Some(part) = plan.part(&of, epoch)
                            && part.start == Start::Find(point)
                        {
                            part.start = Start::At(found.offset.max(0));
                        }
                    }
                    code => is_news |= self.refused(plan, &of, epoch, code),
                }
            }
        }
        self.rest(plan, &asked);
        is_news
    }
}

fn section(
    of: TopicPartition,
    epoch: u64,
    offset: i64,
    records: Bytes,
    settings: &ReaderSettings,
) -> Section {
    Section::new(of, epoch, offset, records, settings.checks)
}

fn topic(plan: &Plan, name: &str, version: i16) -> FetchTopic {
    if version < WITH_IDS {
        FetchTopic::default().with_topic(named(name))
    } else {
        FetchTopic::default().with_topic_id(plan.places.id(name))
    }
}

fn named(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

/// Where it could not be read.
pub(super) fn at(error: Error, of: &TopicPartition, offset: i64) -> Error {
    let error = error.context("topic", &of.topic);
    error
        .context("partition", of.partition)
        .context("offset", offset)
}
