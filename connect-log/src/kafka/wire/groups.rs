//! What groups have committed.
//!
//! librdkafka's `ListConsumerGroupOffsets` is not used: when the coordinator has moved, or was just chosen, it looks for it through the
//! client's own group, and dereferences null when the client has none (`rd_kafka_handle_OffsetFetch`, 2.12).

use std::{collections::BTreeMap, sync::Arc};

use connect_core::Result;
use kafka_protocol::{
    messages::{
        GroupId, OffsetFetchRequest, OffsetFetchResponse, TopicName,
        offset_fetch_request::OffsetFetchRequestTopic,
    },
    protocol::StrBytes,
};
use rdkafka::ClientConfig;

use super::{
    cluster::Cluster,
    dial::Dial,
    peer::{Asked, Kind, Peer},
};
use crate::{TopicPartition, kafka::client::Health};

/// The first that tells whether a transaction with offsets is open (KIP-447).
const STABLE: i16 = 7;

/// The committed offsets of a group, of all partitions or of these; offsets that open transactions hold are waited for.
///
/// Connects for each call, since callers come from runtimes that end.
pub(in crate::kafka) async fn committed(
    config: &ClientConfig,
    health: &Health,
    group: &str,
    of: Option<&[TopicPartition]>,
) -> Result<BTreeMap<TopicPartition, i64>> {
    let bootstrap = config.get("bootstrap.servers").unwrap_or_default();
    let cluster = Cluster::new(bootstrap, Dial::read(config)?, health.clone());
    let key = StrBytes::from_string(group.to_owned());
    let mut coordinator = Peer::new(Kind::Group, key.clone());
    let request = OffsetFetchRequest::default()
        .with_group_id(GroupId(key))
        .with_topics(of.map(topics))
        .with_require_stable(true);
    let asked = Asked {
        doing: "read a group's offsets",
        newest: STABLE,
    };
    let answer = coordinator.ask(&cluster, &request, asked, first_error);
    Ok(read(&answer.await?))
}

fn topics(of: &[TopicPartition]) -> Vec<OffsetFetchRequestTopic> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for of in of {
        topics.entry(&of.topic).or_default().push(of.partition);
    }
    let topic = |(name, partitions): (&str, Vec<i32>)| {
        OffsetFetchRequestTopic::default()
            .with_name(TopicName(StrBytes::from_string(name.to_owned())))
            .with_partition_indexes(partitions)
    };
    topics.into_iter().map(topic).collect()
}

fn first_error(answer: &OffsetFetchResponse) -> i16 {
    let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
    let mut codes = std::iter::once(answer.error_code).chain(partitions.map(|one| one.error_code));
    codes.find(|code| *code != 0).unwrap_or(0)
}

fn read(answer: &OffsetFetchResponse) -> BTreeMap<TopicPartition, i64> {
    let mut offsets = BTreeMap::new();
    for topic in &answer.topics {
        let name: Arc<str> = Arc::from(&**topic.name);
        // -1 says that none is committed.
        for partition in topic
            .partitions
            .iter()
            .filter(|one| one.committed_offset >= 0)
        {
            let of = TopicPartition::new(Arc::clone(&name), partition.partition_index);
            offsets.insert(of, partition.committed_offset);
        }
    }
    offsets
}
