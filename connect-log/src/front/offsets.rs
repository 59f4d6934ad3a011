//! Where partitions begin and end, and where times are in them.

use kafka_protocol::{
    ResponseError,
    messages::{
        ListOffsetsRequest, ListOffsetsResponse,
        list_offsets_request::ListOffsetsPartition,
        list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse},
    },
};

use super::{fetch::storage_error, serve::Front};
use crate::local::{Partition, Place, Store};

/// Times that mean something else, as Kafka numbers them.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;

/// Answers `ListOffsets`. Only committed records are in the log, so both isolation levels see the same end.
pub(crate) async fn list<S: Store>(
    front: &Front<S>,
    request: &ListOffsetsRequest,
) -> ListOffsetsResponse {
    let mut topics = Vec::with_capacity(request.topics.len());
    for asked in &request.topics {
        let topic = front.log.catalog().get(&asked.name);
        let mut partitions = Vec::with_capacity(asked.partitions.len());
        for at in &asked.partitions {
            let partition = topic.as_ref().and_then(|t| t.partition(at.partition_index));
            let found = match partition {
                Some(partition) => place(front, partition, at).await,
                None => Err(ResponseError::UnknownTopicOrPartition),
            };
            partitions.push(told(at.partition_index, found));
        }
        let topic = ListOffsetsTopicResponse::default().with_name(asked.name.clone());
        topics.push(topic.with_partitions(partitions));
    }
    ListOffsetsResponse::default().with_topics(topics)
}

async fn place<S: Store>(
    front: &Front<S>,
    partition: &Partition,
    at: &ListOffsetsPartition,
) -> Result<Option<Place>, ResponseError> {
    let plain = |offset| {
        Ok(Some(Place {
            offset,
            timestamp_ms: -1,
        }))
    };
    let found = match at.timestamp {
        LATEST => return plain(partition.end()),
        EARLIEST | EARLIEST_LOCAL => return plain(partition.start()),
        LATEST_TIERED => return Ok(None),
        MAX_TIMESTAMP => {
            let _turn = front.store_reads.acquire().await;
            front.log.latest_time(partition).await
        }
        time_ms if time_ms >= 0 => {
            let _turn = front.store_reads.acquire().await;
            front.log.at_time(partition, time_ms).await
        }
        _ => return Err(ResponseError::UnsupportedVersion),
    };
    found.map_err(|error| storage_error(&error, partition))
}

fn told(index: i32, found: Result<Option<Place>, ResponseError>) -> ListOffsetsPartitionResponse {
    let response = ListOffsetsPartitionResponse::default().with_partition_index(index);
    match found {
        Ok(Some(place)) => response
            .with_offset(place.offset)
            .with_timestamp(place.timestamp_ms),
        // No record is that late.
        Ok(None) => response,
        Err(error) => response.with_error_code(error.code()),
    }
}
