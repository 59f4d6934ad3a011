//! What a producer hears: the front is for reading.

use kafka_protocol::{
    ResponseError,
    messages::{
        InitProducerIdResponse, ProduceRequest, ProduceResponse,
        produce_response::{PartitionProduceResponse, TopicProduceResponse},
    },
    protocol::StrBytes,
};

const READ_ONLY: StrBytes =
    StrBytes::from_static_str("this is the read-only front of Tidewater's embedded log");

/// Refuses each partition; `None` when the producer wants no answer.
pub(crate) fn produce(request: &ProduceRequest, version: i16) -> Option<ProduceResponse> {
    if request.acks == 0 {
        return None;
    }
    let topics = request.topic_data.iter().map(|topic| {
        let partitions = topic.partition_data.iter().map(|data| {
            PartitionProduceResponse::default()
                .with_index(data.index)
                .with_error_code(ResponseError::TopicAuthorizationFailed.code())
                .with_base_offset(-1)
                .with_error_message((version >= 8).then_some(READ_ONLY))
        });
        TopicProduceResponse::default()
            .with_name(topic.name.clone())
            .with_topic_id(topic.topic_id)
            .with_partition_responses(partitions.collect())
    });
    Some(ProduceResponse::default().with_responses(topics.collect()))
}

/// An idempotent or transactional producer asks for its id first.
pub(crate) fn producer_id() -> InitProducerIdResponse {
    InitProducerIdResponse::default()
        .with_error_code(ResponseError::ClusterAuthorizationFailed.code())
        .with_producer_id((-1).into())
        .with_producer_epoch(-1)
}
