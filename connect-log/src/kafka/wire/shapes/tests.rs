use std::fmt::Debug;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::{
    messages::{
        ApiVersionsRequest, ApiVersionsResponse, BrokerId, CreateTopicsRequest,
        CreateTopicsResponse, DeleteGroupsRequest, DeleteGroupsResponse, DeleteRecordsRequest,
        DeleteRecordsResponse, DeleteTopicsRequest, DeleteTopicsResponse, DescribeConfigsRequest,
        DescribeConfigsResponse, GroupId, IncrementalAlterConfigsRequest,
        IncrementalAlterConfigsResponse, ListOffsetsRequest, ListOffsetsResponse, MetadataRequest,
        MetadataResponse, OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest,
        OffsetDeleteResponse, OffsetFetchRequest, OffsetFetchResponse, ProduceRequest,
        ProduceResponse, TopicName,
        api_versions_response::{ApiVersion, FinalizedFeatureKey, SupportedFeatureKey},
        create_topics_response::CreatableTopicResult,
        delete_groups_response::DeletableGroupResult,
        delete_records_response::{DeleteRecordsPartitionResult, DeleteRecordsTopicResult},
        delete_topics_response::DeletableTopicResult,
        describe_configs_response::{
            DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
        },
        incremental_alter_configs_response::AlterConfigsResourceResponse,
        list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse},
        metadata_response::{
            MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
        },
        offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic},
        offset_delete_response::{OffsetDeleteResponsePartition, OffsetDeleteResponseTopic},
        offset_fetch_response::{OffsetFetchResponsePartition, OffsetFetchResponseTopic},
        produce_response::{
            BatchIndexAndErrorMessage, LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse,
            TopicProduceResponse,
        },
    },
    protocol::{Encodable, StrBytes},
};
use proptest::prelude::*;

use super::*;

const CORRELATION: i32 = 7;

fn name() -> StrBytes {
    StrBytes::from_static_str("a name")
}

fn topic() -> TopicName {
    TopicName(name())
}

/// Twice, so that what follows an item is an item too.
fn two<T: Clone>(one: T) -> Vec<T> {
    vec![one.clone(), one]
}

/// The bytes of an answer, without its length.
fn frame<A: Encodable + HeaderVersion>(answer: &A, version: i16) -> Bytes {
    let mut bytes = BytesMut::new();
    let header = ResponseHeader::default().with_correlation_id(CORRELATION);
    header
        .encode(&mut bytes, A::header_version(version))
        .unwrap();
    answer.encode(&mut bytes, version).unwrap();
    bytes.freeze()
}

fn read<R: Request>(frame: &Bytes, version: i16) -> Result<R::Response> {
    super::read::<R>(frame.clone(), version, CORRELATION)
}

/// The answer is read as it was written, none of its prefixes is, and no change of a byte does harm.
fn holds<R: Request>(versions: std::ops::RangeInclusive<i16>, answer: impl Fn(i16) -> R::Response)
where
    R::Response: Encodable + Debug + PartialEq,
{
    for version in versions {
        let whole = frame(&answer(version), version);
        let found = read::<R>(&whole, version).expect("an answer");
        assert_eq!(found, answer(version), "version {version}");
        for length in 0..whole.len() {
            assert!(read::<R>(&whole.slice(..length), version).is_err());
        }
        for at in 4..whole.len() {
            for byte in [0, 1, 0x7f, 0x80, 0xff] {
                let mut other = BytesMut::from(&whole[..]);
                other[at] = byte;
                let _ = read::<R>(&other.freeze(), version);
            }
        }
    }
}

#[test]
fn answers_about_topics_are_read() {
    holds::<MetadataRequest>(4..=12, |version| {
        let broker = MetadataResponseBroker::default()
            .with_host(name())
            .with_rack(Some(name()));
        let mut partition = MetadataResponsePartition::default()
            .with_replica_nodes(two(BrokerId(1)))
            .with_isr_nodes(two(BrokerId(1)));
        if version >= 5 {
            partition.offline_replicas = two(BrokerId(1));
        }
        let topic = MetadataResponseTopic::default()
            .with_name(Some(topic()))
            .with_partitions(two(partition));
        MetadataResponse::default()
            .with_brokers(two(broker))
            .with_cluster_id(Some(name()))
            .with_topics(two(topic))
    });
    holds::<CreateTopicsRequest>(2..=4, |_| {
        let result = CreatableTopicResult::default()
            .with_name(topic())
            .with_error_message(Some(name()));
        CreateTopicsResponse::default().with_topics(two(result))
    });
    holds::<DeleteTopicsRequest>(1..=4, |_| {
        let result = DeletableTopicResult::default().with_name(Some(topic()));
        DeleteTopicsResponse::default().with_responses(two(result))
    });
}

#[test]
fn answers_about_settings_are_read() {
    holds::<DescribeConfigsRequest>(1..=4, |version| {
        let synonym = DescribeConfigsSynonym::default()
            .with_name(name())
            .with_value(Some(name()));
        let mut setting = DescribeConfigsResourceResult::default()
            .with_name(name())
            .with_value(Some(name()))
            .with_config_source(1)
            .with_synonyms(two(synonym));
        if version >= 3 {
            setting.config_type = 2;
            setting.documentation = Some(name());
        }
        let result = DescribeConfigsResult::default()
            .with_error_message(Some(name()))
            .with_resource_name(name())
            .with_configs(two(setting));
        DescribeConfigsResponse::default().with_results(two(result))
    });
    holds::<IncrementalAlterConfigsRequest>(0..=1, |_| {
        let result = AlterConfigsResourceResponse::default()
            .with_error_message(Some(name()))
            .with_resource_name(name());
        IncrementalAlterConfigsResponse::default().with_responses(two(result))
    });
}

#[test]
fn answers_about_partitions_are_read() {
    holds::<ListOffsetsRequest>(1..=7, |_| {
        let partition = ListOffsetsPartitionResponse::default().with_offset(5);
        let topic = ListOffsetsTopicResponse::default()
            .with_name(topic())
            .with_partitions(two(partition));
        ListOffsetsResponse::default().with_topics(two(topic))
    });
    holds::<DeleteRecordsRequest>(0..=2, |_| {
        let topic = DeleteRecordsTopicResult::default()
            .with_name(topic())
            .with_partitions(two(DeleteRecordsPartitionResult::default()));
        DeleteRecordsResponse::default().with_topics(two(topic))
    });
}

#[test]
fn answers_about_groups_are_read() {
    holds::<OffsetFetchRequest>(2..=7, |_| {
        let partition = OffsetFetchResponsePartition::default()
            .with_committed_offset(3)
            .with_metadata(Some(name()));
        let topic = OffsetFetchResponseTopic::default()
            .with_name(topic())
            .with_partitions(two(partition));
        OffsetFetchResponse::default().with_topics(two(topic))
    });
    holds::<OffsetCommitRequest>(2..=8, |_| {
        let topic = OffsetCommitResponseTopic::default()
            .with_name(topic())
            .with_partitions(two(OffsetCommitResponsePartition::default()));
        OffsetCommitResponse::default().with_topics(two(topic))
    });
    holds::<OffsetDeleteRequest>(0..=0, |_| {
        let topic = OffsetDeleteResponseTopic::default()
            .with_name(topic())
            .with_partitions(two(OffsetDeleteResponsePartition::default()));
        OffsetDeleteResponse::default().with_topics(two(topic))
    });
    holds::<DeleteGroupsRequest>(0..=2, |_| {
        let result = DeletableGroupResult::default().with_group_id(GroupId(name()));
        DeleteGroupsResponse::default().with_results(two(result))
    });
}

#[test]
fn answers_about_versions_are_read() {
    holds::<ApiVersionsRequest>(0..=3, |version| {
        let mut answer = ApiVersionsResponse::default().with_api_keys(two(ApiVersion::default()));
        if version >= 3 {
            let feature = SupportedFeatureKey::default().with_name(name());
            answer.supported_features = two(feature);
            answer.finalized_features_epoch = 5;
            let feature = FinalizedFeatureKey::default()
                .with_name(name())
                .with_max_version_level(2);
            answer.finalized_features = two(feature);
            answer.zk_migration_ready = true;
        }
        answer
    });
}

#[test]
fn answers_to_records_are_read() {
    holds::<ProduceRequest>(3..=12, |version| {
        let mut partition = PartitionProduceResponse::default().with_error_code(6);
        if version >= 8 {
            let record =
                BatchIndexAndErrorMessage::default().with_batch_index_error_message(Some(name()));
            partition.record_errors = two(record);
            partition.error_message = Some(name());
        }
        let mut answer = ProduceResponse::default();
        if version >= 10 {
            let leader = LeaderIdAndEpoch::default().with_leader_id(BrokerId(7));
            partition.current_leader = leader;
            let broker = NodeEndpoint::default()
                .with_host(name())
                .with_rack(Some(name()));
            answer.node_endpoints = two(broker);
        }
        let topic = TopicProduceResponse::default()
            .with_name(topic())
            .with_partition_responses(two(partition));
        answer.with_responses(two(topic))
    });
}

/// A tagged field whose count is larger than it is, and one that is longer than it has to be: the decoder would go on in what follows.
#[test]
fn tagged_fields_are_what_they_are_said_to_be() {
    let features = |field: &[u8]| {
        let mut bytes = BytesMut::new();
        bytes.put_i32(CORRELATION);
        // No error, no versions, no throttling, one field: the third of them.
        bytes.put_slice(&[0, 0, 1, 0, 0, 0, 0, 1, 2, field.len() as u8]);
        bytes.put_slice(field);
        read::<ApiVersionsRequest>(&bytes.freeze(), 3)
    };
    let one = [2, 2, b'f', 0, 2, 0, 1, 0];
    let found = features(&one).expect("a feature").finalized_features;
    assert_eq!((found.len(), found[0].max_version_level), (1, 2));
    assert!(features(&[&one[..], &[0]].concat()).is_err());
    assert!(features(&one[..7]).is_err());
    assert!(features(&[0xff, 0xff, 0xff, 0xff, 0x0f]).is_err());
}

/// An answer that claims two thousand million topics takes no memory for them.
#[test]
fn a_count_that_nothing_follows_is_refused() {
    let mut bytes = BytesMut::new();
    bytes.put_i32(CORRELATION);
    bytes.put_i32(0);
    bytes.put_i32(i32::MAX);
    let frame = bytes.freeze();
    assert!(read::<ListOffsetsRequest>(&frame, 5).is_err());
    assert!(read::<OffsetFetchRequest>(&frame, 5).is_err());
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let mut frame = BytesMut::new();
        frame.put_i32(CORRELATION);
        frame.extend_from_slice(&bytes);
        let frame = frame.freeze();
        let _ = read::<ApiVersionsRequest>(&frame, 3);
        let _ = read::<ProduceRequest>(&frame, 12);
        let _ = read::<MetadataRequest>(&frame, 9);
        let _ = read::<CreateTopicsRequest>(&frame, 4);
        let _ = read::<DeleteTopicsRequest>(&frame, 4);
        let _ = read::<DeleteRecordsRequest>(&frame, 2);
        let _ = read::<ListOffsetsRequest>(&frame, 5);
        let _ = read::<DescribeConfigsRequest>(&frame, 4);
        let _ = read::<IncrementalAlterConfigsRequest>(&frame, 1);
        let _ = read::<OffsetFetchRequest>(&frame, 7);
        let _ = read::<OffsetCommitRequest>(&frame, 8);
        let _ = read::<OffsetDeleteRequest>(&frame, 0);
        let _ = read::<DeleteGroupsRequest>(&frame, 2);
    }
}
