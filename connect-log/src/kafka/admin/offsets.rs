//! Offsets of partitions are looked up, and records before them deleted.

use std::collections::BTreeMap;

use kafka_protocol::{
    ResponseError as Kafka,
    messages::{
        BrokerId, DeleteRecordsRequest, ListOffsetsRequest, ListOffsetsResponse,
        delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic},
        list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
    },
};

use super::{
    Admin,
    brokers::{Brokers, Question, topic_name},
    outcome::{Outcome, check},
    patience::Patience,
    topics::WORKS_MS,
};
use crate::{At, TopicPartition};

const LIST: i16 = 5;
const DELETE: i16 = 2;

/// A point of a partition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    /// -2 the earliest, -1 the end, else the first record at or after this time, in milliseconds since 1970-01-01.
    time: i64,
    /// Whether the end is before the first open transaction.
    committed: bool,
}

impl Point {
    /// Behind the last record.
    pub(super) const END: Self = Self {
        time: -1,
        committed: false,
    };
}

/// No offset for a time.
const NONE: i64 = -1;

/// The offset of a point; for a time without a record after it the end.
pub(super) async fn at(brokers: &Brokers, of: &TopicPartition, at: At) -> Outcome<i64> {
    let time = match at {
        At::Earliest => -2,
        At::Latest | At::End => -1,
        At::Time(ms) => ms.max(0),
    };
    let committed = at != At::End;
    let find = async |time| {
        let point = Point { time, committed };
        let found = find(brokers, &of.topic, &[of.partition], point).await?;
        Ok(found.get(&of.partition).copied().unwrap_or(NONE))
    };
    match (find(time).await?, at) {
        (NONE, At::Time(_)) => find(-1).await,
        (offset, _) => Ok(offset),
    }
}

/// The offsets of a point of these partitions.
pub(super) async fn find(
    brokers: &Brokers,
    topic: &str,
    of: &[i32],
    point: Point,
) -> Outcome<BTreeMap<i32, i64>> {
    let mut patience = Patience::new(Admin::LIMIT);
    loop {
        match find_once(brokers, topic, of, point).await {
            Ok(found) => return Ok(found),
            Err(failed) => patience.again(failed).await?,
        }
    }
}

async fn find_once(
    brokers: &Brokers,
    topic: &str,
    of: &[i32],
    point: Point,
) -> Outcome<BTreeMap<i32, i64>> {
    let mut found = BTreeMap::new();
    for (leader, partitions) in brokers.leaders(topic, of).await? {
        let request = request(topic, &partitions, point);
        let question = Question {
            request: &request,
            newest: LIST,
        };
        read(&brokers.ask(&leader, question).await?, topic, &mut found)?;
    }
    match of.iter().all(|partition| found.contains_key(partition)) {
        true => Ok(found),
        // The broker left some out of its answer.
        false => Err(Kafka::LeaderNotAvailable.into()),
    }
}

fn request(topic: &str, partitions: &[i32], point: Point) -> ListOffsetsRequest {
    let partition = |index: &i32| {
        ListOffsetsPartition::default()
            .with_partition_index(*index)
            .with_current_leader_epoch(-1)
            .with_timestamp(point.time)
    };
    let topic = ListOffsetsTopic::default()
        .with_name(topic_name(topic))
        .with_partitions(partitions.iter().map(partition).collect());
    ListOffsetsRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_isolation_level(i8::from(point.committed))
        .with_topics(vec![topic])
}

fn read(answer: &ListOffsetsResponse, topic: &str, found: &mut BTreeMap<i32, i64>) -> Outcome<()> {
    let topics = answer.topics.iter().filter(|one| *one.name.0 == *topic);
    for partition in topics.flat_map(|one| &one.partitions) {
        check(partition.error_code, None)?;
        found.insert(partition.partition_index, partition.offset);
    }
    Ok(())
}

/// Deletes the records before an offset.
pub(super) async fn delete_records(
    brokers: &Brokers,
    of: &TopicPartition,
    before: i64,
) -> Outcome<()> {
    let partition = DeleteRecordsPartition::default()
        .with_partition_index(of.partition)
        .with_offset(before);
    let topic = DeleteRecordsTopic::default()
        .with_name(topic_name(&of.topic))
        .with_partitions(vec![partition]);
    let request = DeleteRecordsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(WORKS_MS);
    let mut patience = Patience::new(Admin::LIMIT);
    loop {
        match delete_once(brokers, of, &request).await {
            Ok(()) => return Ok(()),
            Err(failed) => patience.again(failed).await?,
        }
    }
}

async fn delete_once(
    brokers: &Brokers,
    of: &TopicPartition,
    request: &DeleteRecordsRequest,
) -> Outcome<()> {
    for leader in brokers.leaders(&of.topic, &[of.partition]).await?.keys() {
        let question = Question {
            request,
            newest: DELETE,
        };
        let answer = brokers.ask(leader, question).await?;
        let mut partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
        partitions.try_for_each(|one| check(one.error_code, None))?;
    }
    Ok(())
}
