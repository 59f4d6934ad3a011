//! The committed offsets of groups, which are the log's.

use std::{collections::BTreeMap, sync::Arc};

use kafka_protocol::{
    ResponseError,
    messages::{
        GroupId, OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest,
        OffsetFetchResponse, TopicName,
        offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic},
        offset_fetch_response::{
            OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
            OffsetFetchResponseTopic, OffsetFetchResponseTopics,
        },
    },
    protocol::StrBytes,
};

use super::allowed;
use crate::{
    TopicPartition,
    front::{ids::text, serve::Front},
    local::{GroupOffsets, Store},
};

/// Groups that the log keeps, before no more come from outside.
const MAX_GROUPS: usize = 1_000;
/// The first version that asks for several groups at once.
const MANY: i16 = 8;

/// Answers `OffsetCommit`: what is answered without an error is durable. Metadata that a client adds to an offset is not kept.
pub(crate) async fn commit<S: Store>(
    front: &Front<S>,
    request: &OffsetCommitRequest,
) -> OffsetCommitResponse {
    let (offsets, unknown) = asked(front, request);
    let committed = match may_commit(front, request) {
        Ok(()) if offsets.is_empty() => Ok(()),
        Ok(()) => {
            let offsets = GroupOffsets {
                group: request.group_id.to_string(),
                offsets,
            };
            front.log.set_group_offsets(offsets).await.map_err(|error| {
                tracing::warn!(error = %error, "the Kafka front could not commit offsets");
                // The client tries it again.
                ResponseError::CoordinatorNotAvailable
            })
        }
        Err(error) => Err(error),
    };
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|asked| {
            let missing = unknown.get(&(&topic.name, asked.partition_index)).copied();
            let error = committed.err().or(missing);
            OffsetCommitResponsePartition::default()
                .with_partition_index(asked.partition_index)
                .with_error_code(error.map_or(0, |error| error.code()))
        });
        OffsetCommitResponseTopic::default()
            .with_name(topic.name.clone())
            .with_partitions(partitions.collect())
    });
    OffsetCommitResponse::default().with_topics(topics.collect())
}

fn may_commit<S: Store>(
    front: &Front<S>,
    request: &OffsetCommitRequest,
) -> Result<(), ResponseError> {
    allowed(front, &request.group_id)?;
    let (known, count) = front.log.engine.shared.groups.count(&request.group_id);
    // Invariant 4: nothing is unbounded.
    if !known && count >= MAX_GROUPS {
        return Err(ResponseError::PolicyViolation);
    }
    let generation = request.generation_id_or_member_epoch;
    front.groups.with(&request.group_id, |group, now| {
        group.may_commit(&request.member_id, generation, now)
    })
}

type Unknown<'a> = BTreeMap<(&'a TopicName, i32), ResponseError>;

/// The offsets to commit, and the partitions of which none can be.
fn asked<'a, S: Store>(
    front: &Front<S>,
    request: &'a OffsetCommitRequest,
) -> (Vec<(TopicPartition, Option<i64>)>, Unknown<'a>) {
    let (mut offsets, mut unknown) = (Vec::new(), BTreeMap::new());
    for asked in &request.topics {
        let topic = front.log.catalog().get(&asked.name);
        for at in &asked.partitions {
            let partition = topic.as_ref().and_then(|t| t.partition(at.partition_index));
            let error = match partition {
                Some(partition) if at.committed_offset >= 0 => {
                    let of = TopicPartition::new(Arc::clone(&partition.topic), partition.index);
                    offsets.push((of, Some(at.committed_offset)));
                    continue;
                }
                Some(_) => ResponseError::OffsetOutOfRange,
                None => ResponseError::UnknownTopicOrPartition,
            };
            unknown.insert((&asked.name, at.partition_index), error);
        }
    }
    (offsets, unknown)
}

/// Answers `OffsetFetch`. Of every group, so that the lag of the worker's sinks can be seen.
pub(crate) fn committed<S: Store>(
    front: &Front<S>,
    request: &OffsetFetchRequest,
    version: i16,
) -> OffsetFetchResponse {
    if version < MANY {
        let asked = request.topics.as_ref().map(|topics| {
            let topics = topics.iter();
            topics
                .map(|t| (&t.name, &t.partition_indexes))
                .collect::<Vec<_>>()
        });
        let found = of_group(front, &request.group_id, asked);
        let topics = found.into_iter().map(|(name, partitions)| {
            let partitions = partitions.into_iter().map(|(index, offset)| {
                OffsetFetchResponsePartition::default()
                    .with_partition_index(index)
                    .with_committed_offset(offset)
                    .with_metadata(Some(StrBytes::new()))
            });
            OffsetFetchResponseTopic::default()
                .with_name(name)
                .with_partitions(partitions.collect())
        });
        return OffsetFetchResponse::default().with_topics(topics.collect());
    }
    let groups = request.groups.iter().map(|group| {
        let asked = group.topics.as_ref().map(|topics| {
            let topics = topics.iter();
            topics
                .map(|t| (&t.name, &t.partition_indexes))
                .collect::<Vec<_>>()
        });
        let found = of_group(front, &group.group_id, asked);
        let topics = found.into_iter().map(|(name, partitions)| {
            let partitions = partitions.into_iter().map(|(index, offset)| {
                OffsetFetchResponsePartitions::default()
                    .with_partition_index(index)
                    .with_committed_offset(offset)
                    .with_metadata(Some(StrBytes::new()))
            });
            OffsetFetchResponseTopics::default()
                .with_name(name)
                .with_partitions(partitions.collect())
        });
        OffsetFetchResponseGroup::default()
            .with_group_id(group.group_id.clone())
            .with_topics(topics.collect())
    });
    OffsetFetchResponse::default().with_groups(groups.collect())
}

/// The committed offsets of some partitions (-1 for none), or of all that have one.
fn of_group<S: Store>(
    front: &Front<S>,
    group: &GroupId,
    asked: Option<Vec<(&TopicName, &Vec<i32>)>>,
) -> Vec<(TopicName, Vec<(i32, i64)>)> {
    let groups = &front.log.engine.shared.groups;
    let Some(asked) = asked else {
        let mut all: BTreeMap<Arc<str>, Vec<(i32, i64)>> = BTreeMap::new();
        for (at, offset) in groups.offsets(group) {
            all.entry(at.topic)
                .or_default()
                .push((at.partition, offset));
        }
        let all = all.into_iter();
        return all
            .map(|(name, found)| (TopicName(text(&name)), found))
            .collect();
    };
    let asked = asked.into_iter().map(|(name, indexes)| {
        let topic: Arc<str> = Arc::from(name.as_str());
        let offsets = indexes.iter().map(|index| {
            let at = TopicPartition::new(Arc::clone(&topic), *index);
            (*index, groups.offset(group, &at).unwrap_or(-1))
        });
        (name.clone(), offsets.collect())
    });
    asked.collect()
}
