//! Requests of every kind and version, for tests: an empty one and a full one.

use bytes::Bytes;
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, DescribeClusterRequest, DescribeConfigsRequest,
    DescribeGroupsRequest, FetchRequest, FindCoordinatorRequest, GroupId, HeartbeatRequest,
    InitProducerIdRequest, JoinGroupRequest, LeaveGroupRequest, ListGroupsRequest,
    ListOffsetsRequest, MetadataRequest, OffsetCommitRequest, OffsetFetchRequest, ProduceRequest,
    RequestKind, SyncGroupRequest, TopicName,
    describe_configs_request::DescribeConfigsResource,
    fetch_request::{FetchPartition, FetchTopic, ForgottenTopic},
    join_group_request::JoinGroupRequestProtocol,
    leave_group_request::MemberIdentity,
    list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
    metadata_request::MetadataRequestTopic,
    offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
    offset_fetch_request::{
        OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
    },
    produce_request::{PartitionProduceData, TopicProduceData},
    sync_group_request::SyncGroupRequestAssignment,
};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

const NAME: StrBytes = StrBytes::from_static_str("t");
const OTHER: StrBytes = StrBytes::from_static_str("there is no such thing");

/// Requests of a kind that this version can say.
pub(crate) fn samples(key: ApiKey, version: i16) -> Vec<RequestKind> {
    let mut samples = vec![full(key, version)];
    samples.extend(empty(key));
    samples
}

fn topic() -> TopicName {
    TopicName(NAME)
}

fn group() -> GroupId {
    GroupId(StrBytes::from_static_str("g"))
}

fn empty(key: ApiKey) -> Option<RequestKind> {
    Some(match key {
        ApiKey::Produce => RequestKind::Produce(Default::default()),
        ApiKey::Fetch => RequestKind::Fetch(Default::default()),
        ApiKey::ListOffsets => RequestKind::ListOffsets(Default::default()),
        ApiKey::Metadata => RequestKind::Metadata(Default::default()),
        ApiKey::OffsetCommit => RequestKind::OffsetCommit(Default::default()),
        ApiKey::JoinGroup => RequestKind::JoinGroup(Default::default()),
        ApiKey::SyncGroup => RequestKind::SyncGroup(Default::default()),
        ApiKey::DescribeConfigs => RequestKind::DescribeConfigs(Default::default()),
        ApiKey::DescribeGroups => RequestKind::DescribeGroups(Default::default()),
        _ => return None,
    })
}

fn full(key: ApiKey, version: i16) -> RequestKind {
    match key {
        ApiKey::Produce => RequestKind::Produce(produce(version)),
        ApiKey::Fetch => RequestKind::Fetch(fetch(version)),
        ApiKey::ListOffsets => RequestKind::ListOffsets(list_offsets(version)),
        ApiKey::Metadata => RequestKind::Metadata(metadata(version)),
        ApiKey::OffsetCommit => RequestKind::OffsetCommit(commit(version)),
        ApiKey::OffsetFetch => RequestKind::OffsetFetch(committed(version)),
        ApiKey::ApiVersions => RequestKind::ApiVersions(match version {
            3.. => ApiVersionsRequest::default()
                .with_client_software_name(NAME)
                .with_client_software_version(OTHER),
            _ => ApiVersionsRequest::default(),
        }),
        ApiKey::InitProducerId => RequestKind::InitProducerId(
            InitProducerIdRequest::default().with_transactional_id(Some(NAME.into())),
        ),
        ApiKey::DescribeConfigs => {
            let resource = |kind, name| {
                DescribeConfigsResource::default()
                    .with_resource_type(kind)
                    .with_resource_name(name)
            };
            let some = resource(2, NAME).with_configuration_keys(Some(vec![NAME, OTHER]));
            let all = [resource(2, NAME), resource(2, OTHER), resource(4, OTHER)];
            RequestKind::DescribeConfigs(
                DescribeConfigsRequest::default()
                    .with_resources(
                        [
                            vec![some],
                            all.map(|r| r.with_configuration_keys(None)).to_vec(),
                        ]
                        .concat(),
                    )
                    .with_include_documentation(version >= 3),
            )
        }
        ApiKey::DescribeCluster => RequestKind::DescribeCluster(
            DescribeClusterRequest::default().with_include_cluster_authorized_operations(true),
        ),
        other => of_groups(other, version),
    }
}

fn of_groups(key: ApiKey, version: i16) -> RequestKind {
    match key {
        ApiKey::FindCoordinator => RequestKind::FindCoordinator(match version {
            ..4 => FindCoordinatorRequest::default().with_key(NAME),
            _ => FindCoordinatorRequest::default().with_coordinator_keys(vec![NAME, OTHER]),
        }),
        ApiKey::JoinGroup => RequestKind::JoinGroup(join(version)),
        ApiKey::SyncGroup => RequestKind::SyncGroup(sync(version)),
        ApiKey::Heartbeat => RequestKind::Heartbeat(
            HeartbeatRequest::default()
                .with_group_id(group())
                .with_member_id(OTHER)
                .with_group_instance_id((version >= 3).then_some(OTHER)),
        ),
        ApiKey::LeaveGroup => RequestKind::LeaveGroup(leave(version)),
        ApiKey::DescribeGroups => RequestKind::DescribeGroups(
            DescribeGroupsRequest::default()
                .with_groups(vec![group(), GroupId(OTHER)])
                .with_include_authorized_operations(version >= 3),
        ),
        ApiKey::ListGroups => {
            let request = ListGroupsRequest::default();
            let request = match version {
                4.. => request.with_states_filter(vec![StrBytes::from_static_str("Empty")]),
                _ => request,
            };
            RequestKind::ListGroups(match version {
                5.. => request.with_types_filter(vec![StrBytes::from_static_str("classic")]),
                _ => request,
            })
        }
        other => panic!("{other:?} has no sample"),
    }
}

fn produce(version: i16) -> ProduceRequest {
    let data = PartitionProduceData::default().with_records(Some(Bytes::from_static(b"records")));
    let data = TopicProduceData::default().with_partition_data(vec![data]);
    let data = match version {
        13.. => data.with_topic_id(Uuid::from_u128(1 << 80)),
        _ => data.with_name(topic()),
    };
    let request = ProduceRequest::default().with_acks(1);
    request.with_topic_data(vec![data])
}

fn fetch(version: i16) -> FetchRequest {
    let at = |index, offset| {
        let partition = FetchPartition::default()
            .with_partition(index)
            .with_fetch_offset(offset)
            .with_partition_max_bytes(1 << 20);
        match version {
            9.. => partition.with_current_leader_epoch(3),
            _ => partition,
        }
    };
    let named = |partitions| match version {
        13.. => FetchTopic::default()
            .with_topic_id(Uuid::from_u128(1 << 80))
            .with_partitions(partitions),
        _ => FetchTopic::default()
            .with_topic(topic())
            .with_partitions(partitions),
    };
    let request = FetchRequest::default()
        .with_max_bytes(1 << 20)
        .with_topics(vec![named(vec![at(0, 0), at(1, 0), at(0, 99)])]);
    let forgotten = ForgottenTopic::default().with_partitions(vec![1, 2]);
    let request = match version {
        13.. => {
            request.with_forgotten_topics_data(vec![forgotten.with_topic_id(Uuid::from_u128(9))])
        }
        7.. => request.with_forgotten_topics_data(vec![forgotten.with_topic(topic())]),
        _ => request,
    };
    match version {
        11.. => request.with_rack_id(NAME),
        _ => request,
    }
}

fn list_offsets(version: i16) -> ListOffsetsRequest {
    let times = [-1, -2, -3, -4, -5, -6, 0, i64::MAX];
    let partitions = times.map(|time| {
        let partition = ListOffsetsPartition::default().with_timestamp(time);
        match version {
            4.. => partition.with_current_leader_epoch(0),
            _ => partition,
        }
    });
    let topic = ListOffsetsTopic::default()
        .with_name(topic())
        .with_partitions(partitions.to_vec());
    ListOffsetsRequest::default().with_topics(vec![topic])
}

fn metadata(version: i16) -> MetadataRequest {
    let named = |name| MetadataRequestTopic::default().with_name(Some(TopicName(name)));
    let mut topics = vec![named(NAME), named(OTHER), named(NAME)];
    if version >= 12 {
        let by_id = MetadataRequestTopic::default().with_topic_id(Uuid::from_u128(5));
        topics.push(by_id.with_name(None));
    }
    MetadataRequest::default()
        .with_topics(Some(topics))
        .with_include_topic_authorized_operations(version >= 8)
        .with_include_cluster_authorized_operations((8..=10).contains(&version))
}

fn commit(version: i16) -> OffsetCommitRequest {
    let at = |index| {
        let partition = OffsetCommitRequestPartition::default()
            .with_partition_index(index)
            .with_committed_offset(1)
            .with_committed_metadata(Some(NAME));
        match version {
            6.. => partition.with_committed_leader_epoch(1),
            _ => partition,
        }
    };
    let of = OffsetCommitRequestTopic::default()
        .with_name(topic())
        .with_partitions(vec![at(0), at(9)]);
    OffsetCommitRequest::default()
        .with_group_id(group())
        .with_group_instance_id((version >= 7).then_some(NAME))
        .with_topics(vec![of])
}

fn committed(version: i16) -> OffsetFetchRequest {
    let request = OffsetFetchRequest::default().with_require_stable(version >= 7);
    if version < 8 {
        let of = OffsetFetchRequestTopic::default()
            .with_name(topic())
            .with_partition_indexes(vec![0, 1]);
        return request.with_group_id(group()).with_topics(Some(vec![of]));
    }
    let of = OffsetFetchRequestTopics::default()
        .with_name(topic())
        .with_partition_indexes(vec![0, 1]);
    let some = OffsetFetchRequestGroup::default()
        .with_group_id(group())
        .with_topics(Some(vec![of]));
    let all = OffsetFetchRequestGroup::default()
        .with_group_id(group())
        .with_topics(None);
    request.with_groups(vec![some, all])
}

fn join(version: i16) -> JoinGroupRequest {
    let protocol = JoinGroupRequestProtocol::default()
        .with_name(StrBytes::from_static_str("range"))
        .with_metadata(Bytes::from_static(b"what I want"));
    // A group of its own: nobody else is waited for.
    let request = JoinGroupRequest::default()
        .with_group_id(GroupId(StrBytes::from(format!("join-{version}"))))
        .with_session_timeout_ms(10_000)
        .with_protocol_type(StrBytes::from_static_str("consumer"))
        .with_group_instance_id((version >= 5).then_some(NAME))
        .with_protocols(vec![protocol]);
    match version {
        8.. => request
            .with_reason(Some(OTHER))
            .with_rebalance_timeout_ms(10_000),
        1.. => request.with_rebalance_timeout_ms(10_000),
        _ => request,
    }
}

fn sync(version: i16) -> SyncGroupRequest {
    let one = SyncGroupRequestAssignment::default()
        .with_member_id(NAME)
        .with_assignment(Bytes::from_static(b"all of it"));
    SyncGroupRequest::default()
        .with_group_id(group())
        .with_member_id(OTHER)
        .with_group_instance_id((version >= 3).then_some(NAME))
        .with_protocol_type((version >= 5).then_some(NAME))
        .with_protocol_name((version >= 5).then_some(NAME))
        .with_assignments(vec![one])
}

fn leave(version: i16) -> LeaveGroupRequest {
    let request = LeaveGroupRequest::default().with_group_id(group());
    if version < 3 {
        return request.with_member_id(OTHER);
    }
    let member = MemberIdentity::default()
        .with_member_id(OTHER)
        .with_group_instance_id(Some(NAME));
    request.with_members(vec![match version {
        5.. => member.with_reason(Some(NAME)),
        _ => member,
    }])
}
