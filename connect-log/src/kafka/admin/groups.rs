//! What groups have committed is told and changed, and groups are deleted.

use std::{collections::BTreeMap, sync::Arc};

use kafka_protocol::{
    ResponseError as Kafka,
    messages::{
        DeleteGroupsRequest, OffsetCommitRequest, OffsetDeleteRequest, OffsetDeleteResponse,
        OffsetFetchRequest, OffsetFetchResponse,
        offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
        offset_delete_request::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic},
        offset_fetch_request::OffsetFetchRequestTopic,
    },
    protocol::{Request, StrBytes},
};

use super::{
    Admin,
    brokers::{Brokers, Question, group_id, topic_name},
    outcome::{Outcome, check},
    patience::Patience,
};
use crate::TopicPartition;

/// The first that tells whether a transaction with offsets is open (KIP-447).
const FETCH: i16 = 7;
const COMMIT: i16 = 8;
const REMOVE: i16 = 0;
const DELETE: i16 = 2;

/// Asks the coordinator until there is a lasting answer.
async fn ask<R: Request, T>(
    brokers: &Brokers,
    group: &str,
    of: (&R, i16),
    mut patience: Patience,
    read: impl Fn(&R::Response) -> Outcome<T>,
) -> Outcome<T> {
    loop {
        let question = Question {
            request: of.0,
            newest: of.1,
        };
        let answer = brokers.ask_coordinator(group, question).await;
        match answer.and_then(|answer| read(&answer)) {
            Ok(done) => return Ok(done),
            Err(failed) => patience.again(failed).await?,
        }
    }
}

/// The committed offsets of a group, of all partitions or of these; offsets that open transactions hold are waited for.
pub(super) async fn offsets(
    brokers: &Brokers,
    group: &str,
    of: Option<&[TopicPartition]>,
) -> Outcome<BTreeMap<TopicPartition, i64>> {
    let topics = of.map(|of| {
        let topics = by_topic(of.iter().map(|of| (of, of.partition)));
        let topic = |(name, partitions)| {
            OffsetFetchRequestTopic::default()
                .with_name(topic_name(name))
                .with_partition_indexes(partitions)
        };
        topics.into_iter().map(topic).collect()
    });
    let request = OffsetFetchRequest::default()
        .with_group_id(group_id(group))
        .with_topics(topics)
        .with_require_stable(true);
    let patience = Patience::new(Admin::STABLE_LIMIT);
    ask(brokers, group, (&request, FETCH), patience, fetched).await
}

fn fetched(answer: &OffsetFetchResponse) -> Outcome<BTreeMap<TopicPartition, i64>> {
    check(answer.error_code, None)?;
    let mut offsets = BTreeMap::new();
    for topic in &answer.topics {
        let name: Arc<str> = Arc::from(&**topic.name);
        for partition in &topic.partitions {
            check(partition.error_code, None)?;
            // -1 says that none is committed.
            if partition.committed_offset >= 0 {
                let of = TopicPartition::new(Arc::clone(&name), partition.partition_index);
                offsets.insert(of, partition.committed_offset);
            }
        }
    }
    Ok(offsets)
}

/// Sets the offsets of a group without members, and removes those without a number.
pub(super) async fn alter(
    brokers: &Brokers,
    group: &str,
    offsets: &BTreeMap<TopicPartition, Option<i64>>,
) -> Outcome<()> {
    let set = offsets.iter().filter_map(|(of, offset)| {
        let partition = OffsetCommitRequestPartition::default()
            .with_partition_index(of.partition)
            .with_committed_offset((*offset)?)
            .with_committed_metadata(Some(StrBytes::new()));
        Some((of, partition))
    });
    let set = by_topic(set);
    if !set.is_empty() {
        commit(brokers, group, set).await?;
    }
    let removed = offsets.iter().filter(|(_, offset)| offset.is_none());
    let removed = by_topic(removed.map(|(of, _)| {
        let partition = OffsetDeleteRequestPartition::default();
        (of, partition.with_partition_index(of.partition))
    }));
    if !removed.is_empty() {
        remove(brokers, group, removed).await?;
    }
    Ok(())
}

async fn commit(
    brokers: &Brokers,
    group: &str,
    topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>>,
) -> Outcome<()> {
    let topic = |(name, partitions)| {
        OffsetCommitRequestTopic::default()
            .with_name(topic_name(name))
            .with_partitions(partitions)
    };
    // Without a generation and a member: of somebody who is not in the group.
    let request = OffsetCommitRequest::default()
        .with_group_id(group_id(group))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(topics.into_iter().map(topic).collect());
    let patience = Patience::new(Admin::LIMIT);
    ask(brokers, group, (&request, COMMIT), patience, |answer| {
        let mut partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
        partitions.try_for_each(|one| check(one.error_code, None))
    })
    .await
}

/// From a group that does not read these topics. One that does not exist has nothing to remove.
async fn remove(
    brokers: &Brokers,
    group: &str,
    topics: BTreeMap<&str, Vec<OffsetDeleteRequestPartition>>,
) -> Outcome<()> {
    let topic = |(name, partitions)| {
        OffsetDeleteRequestTopic::default()
            .with_name(topic_name(name))
            .with_partitions(partitions)
    };
    let request = OffsetDeleteRequest::default()
        .with_group_id(group_id(group))
        .with_topics(topics.into_iter().map(topic).collect());
    let patience = Patience::new(Admin::LIMIT);
    or_nowhere(ask(brokers, group, (&request, REMOVE), patience, removed).await)
}

fn removed(answer: &OffsetDeleteResponse) -> Outcome<()> {
    check(answer.error_code, None)?;
    let mut partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
    partitions.try_for_each(|one| check(one.error_code, None))
}

/// One that does not exist counts as deleted.
pub(super) async fn delete(brokers: &Brokers, group: &str) -> Outcome<()> {
    let request = DeleteGroupsRequest::default().with_groups_names(vec![group_id(group)]);
    let patience = Patience::new(Admin::LIMIT);
    let done = ask(brokers, group, (&request, DELETE), patience, |answer| {
        let mut groups = answer.results.iter();
        groups.try_for_each(|one| check(one.error_code, None))
    });
    or_nowhere(done.await)
}

fn or_nowhere(done: Outcome<()>) -> Outcome<()> {
    match done {
        Err(failed) if failed.kafka() == Some(Kafka::GroupIdNotFound) => Ok(()),
        other => other,
    }
}

/// Partitions by topic.
fn by_topic<'a, T>(
    all: impl IntoIterator<Item = (&'a TopicPartition, T)>,
) -> BTreeMap<&'a str, Vec<T>> {
    let mut topics: BTreeMap<&str, Vec<T>> = BTreeMap::new();
    for (of, one) in all {
        topics.entry(&of.topic).or_default().push(one);
    }
    topics
}
