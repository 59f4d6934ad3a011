//! What there is and where: one broker, which leads every partition.

use std::{collections::BTreeSet, sync::Arc};

use kafka_protocol::{
    ResponseError,
    messages::{
        BrokerId, DescribeClusterRequest, DescribeClusterResponse, FindCoordinatorRequest,
        FindCoordinatorResponse, MetadataRequest, MetadataResponse, TopicName,
        describe_cluster_response::DescribeClusterBroker,
        find_coordinator_response::Coordinator,
        metadata_response::{
            MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
        },
    },
    protocol::StrBytes,
};
use uuid::Uuid;

use super::{
    connection::Peer,
    ids::{ById, name_of, text, topic_id},
    serve::Front,
};
use crate::local::{Store, Topic};

/// The number of the one broker.
pub(crate) const NODE: BrokerId = BrokerId(1);
/// What clients may do to a topic, as Kafka numbers operations: read, describe, describe its configuration.
const TOPIC_OPERATIONS: i32 = 1 << 3 | 1 << 8 | 1 << 10;
/// What clients may do to the cluster: describe it and its configuration.
const CLUSTER_OPERATIONS: i32 = 1 << 8 | 1 << 10;
/// Kinds of coordinators, as Kafka numbers them.
const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;

/// Answers `Metadata`. Topics are never created by asking for them.
pub(crate) fn metadata<S: Store>(
    front: &Front<S>,
    peer: &Peer,
    request: &MetadataRequest,
    version: i16,
) -> MetadataResponse {
    let broker = MetadataResponseBroker::default()
        .with_node_id(NODE)
        .with_host(peer.host.clone())
        .with_port(peer.port);
    let mut topics = match &request.topics {
        // An empty array means all topics to version 0, and none to the others.
        Some(asked) if version > 0 || !asked.is_empty() => named(front, request, version),
        _ => {
            let all = front.log.catalog().all();
            all.iter().map(|topic| described(front, topic)).collect()
        }
    };
    if request.include_topic_authorized_operations {
        for topic in topics.iter_mut().filter(|topic| topic.error_code == 0) {
            topic.topic_authorized_operations = TOPIC_OPERATIONS;
        }
    }
    let mut response = MetadataResponse::default()
        .with_brokers(vec![broker])
        .with_cluster_id(Some(text(&front.cluster)))
        .with_controller_id(NODE)
        .with_topics(topics);
    if request.include_cluster_authorized_operations {
        response.cluster_authorized_operations = CLUSTER_OPERATIONS;
    }
    response
}

/// The topics that were asked for, each once however often it was.
fn named<S: Store>(
    front: &Front<S>,
    request: &MetadataRequest,
    version: i16,
) -> Vec<MetadataResponseTopic> {
    let catalog = front.log.catalog();
    let mut by_id = ById::new(catalog, &front.cluster);
    let mut seen = BTreeSet::new();
    let mut topics = Vec::new();
    for asked in request.topics.iter().flatten() {
        if !seen.insert((&asked.name, asked.topic_id)) {
            continue;
        }
        let found = match &asked.name {
            Some(name) => catalog.get(name).ok_or_else(|| unknown(name)),
            None => by_id.find(asked.topic_id).ok_or_else(|| {
                // Older versions have no null name.
                let name = (version < 12).then(TopicName::default);
                missing(name, asked.topic_id, ResponseError::UnknownTopicId.code())
            }),
        };
        topics.push(found.map_or_else(|missing| missing, |topic| described(front, &topic)));
    }
    topics
}

fn unknown(name: &TopicName) -> MetadataResponseTopic {
    let error = match crate::local::valid_name(&Arc::from(name.as_str())) {
        Ok(_) => ResponseError::UnknownTopicOrPartition,
        Err(_) => ResponseError::InvalidTopicException,
    };
    missing(Some(name.clone()), Uuid::nil(), error.code())
}

fn missing(name: Option<TopicName>, id: Uuid, error: i16) -> MetadataResponseTopic {
    MetadataResponseTopic::default()
        .with_error_code(error)
        .with_name(name)
        .with_topic_id(id)
}

fn described<S: Store>(front: &Front<S>, topic: &Topic) -> MetadataResponseTopic {
    let partitions = topic.partitions.iter().map(|partition| {
        MetadataResponsePartition::default()
            .with_partition_index(partition.index)
            .with_leader_id(NODE)
            .with_replica_nodes(vec![NODE])
            .with_isr_nodes(vec![NODE])
    });
    MetadataResponseTopic::default()
        .with_name(Some(name_of(topic)))
        .with_topic_id(topic_id(&front.cluster, topic))
        .with_partitions(partitions.collect())
}

/// Answers `DescribeCluster`.
pub(crate) fn cluster<S: Store>(
    front: &Front<S>,
    peer: &Peer,
    request: &DescribeClusterRequest,
) -> DescribeClusterResponse {
    let broker = DescribeClusterBroker::default()
        .with_broker_id(NODE)
        .with_host(peer.host.clone())
        .with_port(peer.port);
    let mut response = DescribeClusterResponse::default()
        .with_cluster_id(text(&front.cluster))
        .with_controller_id(NODE)
        .with_brokers(vec![broker]);
    if request.include_cluster_authorized_operations {
        response.cluster_authorized_operations = CLUSTER_OPERATIONS;
    }
    response
}

/// Answers `FindCoordinator`: of groups it is this broker; transactions are not for clients of the front.
pub(crate) fn coordinator(
    peer: &Peer,
    request: &FindCoordinatorRequest,
    version: i16,
) -> FindCoordinatorResponse {
    let error = match request.key_type {
        GROUP => None,
        TRANSACTION => Some(ResponseError::TransactionalIdAuthorizationFailed),
        _ => Some(ResponseError::InvalidRequest),
    };
    let code = error.map_or(0, |error| error.code());
    let (node, host, port) = match error {
        None => (NODE, peer.host.clone(), peer.port),
        Some(_) => (BrokerId(-1), StrBytes::new(), -1),
    };
    if version >= 4 {
        let keys = request.coordinator_keys.iter().map(|key| {
            Coordinator::default()
                .with_key(key.clone())
                .with_node_id(node)
                .with_host(host.clone())
                .with_port(port)
                .with_error_code(code)
        });
        return FindCoordinatorResponse::default().with_coordinators(keys.collect());
    }
    FindCoordinatorResponse::default()
        .with_error_code(code)
        .with_node_id(node)
        .with_host(host)
        .with_port(port)
}
