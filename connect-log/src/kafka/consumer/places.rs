//! Which broker has what: what brokers tell of topics, with their ids and the epochs of leaders.

use std::{collections::BTreeMap, sync::Arc};

use connect_core::{Error, Result};
use kafka_protocol::{
    messages::{
        MetadataRequest, MetadataResponse, TopicName, metadata_request::MetadataRequestTopic,
    },
    protocol::StrBytes,
};
use rustc_hash::FxHashMap;
use uuid::Uuid;

use crate::{
    TopicPartition, UNKNOWN_TOPIC,
    kafka::wire::{Cluster, Verdict, verdict},
};

/// With ids of topics from 10 on.
const METADATA: i16 = 12;

/// What is known of brokers and topics.
#[derive(Default)]
pub(super) struct Places {
    brokers: BTreeMap<i32, String>,
    topics: FxHashMap<Arc<str>, Topic>,
    names: FxHashMap<Uuid, Arc<str>>,
    /// Something of it was wrong.
    pub(super) is_stale: bool,
}

#[derive(Default)]
struct Topic {
    id: Uuid,
    leaders: Vec<Leader>,
}

/// Who leads a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leader {
    /// -1 without one.
    pub(super) broker: i32,
    /// -1 when it is not known.
    pub(super) epoch: i32,
}

/// Asks any broker for topics.
pub(super) async fn ask(cluster: &Cluster, topics: &[Arc<str>]) -> Result<MetadataResponse> {
    let named = topics.iter().map(|topic| {
        let name = TopicName(StrBytes::from_string(topic.to_string()));
        MetadataRequestTopic::default().with_name(Some(name))
    });
    let request = MetadataRequest::default()
        .with_topics(Some(named.collect()))
        .with_allow_auto_topic_creation(false);
    let answer = cluster.ask_any(&request, METADATA).await?;
    cluster.health.well();
    Ok(answer)
}

impl Places {
    pub(super) fn leader(&self, of: &TopicPartition) -> Option<Leader> {
        let leaders = &self.topics.get(&of.topic)?.leaders;
        let leader = leaders.get(usize::try_from(of.partition).ok()?)?;
        (leader.broker >= 0).then_some(*leader)
    }

    pub(super) fn address(&self, broker: i32) -> Option<&str> {
        self.brokers.get(&broker).map(String::as_str)
    }

    /// The id of a topic; nil when brokers have none.
    pub(super) fn id(&self, topic: &str) -> Uuid {
        self.topics
            .get(topic)
            .map_or_else(Uuid::nil, |topic| topic.id)
    }

    pub(super) fn name(&self, id: &Uuid) -> Option<&Arc<str>> {
        self.names.get(id)
    }

    /// Takes an answer over, of all topics that matter; what is not in it is forgotten. Gives the first trouble.
    pub(super) fn note(&mut self, topics: &[Arc<str>], answer: &MetadataResponse) -> Result<()> {
        let address = |host: &str, port| format!("{host}:{port}");
        let brokers = answer.brokers.iter();
        self.brokers = brokers
            .map(|broker| (broker.node_id.0, address(&broker.host, broker.port)))
            .collect();
        (self.topics, self.names) = Default::default();
        let mut trouble = Ok(());
        for name in topics {
            let named =
                |topic: &&kafka_protocol::messages::metadata_response::MetadataResponseTopic| {
                    topic.name.as_ref().is_some_and(|found| *found.0 == **name)
                };
            let read = match answer.topics.iter().find(named) {
                Some(found) => match verdict("find a topic", found.error_code) {
                    Verdict::Done => Ok(Topic {
                        id: found.topic_id,
                        leaders: leaders(found),
                    }),
                    Verdict::Again(error) | Verdict::OutOfOrder(error) | Verdict::Never(error) => {
                        Err(error)
                    }
                },
                None => Err(Error::new(&UNKNOWN_TOPIC, "the topic does not exist")),
            };
            match read {
                Ok(topic) => {
                    if !topic.id.is_nil() {
                        self.names.insert(topic.id, Arc::clone(name));
                    }
                    self.topics.insert(Arc::clone(name), topic);
                }
                Err(error) => trouble = trouble.and(Err(error.context("topic", name))),
            }
        }
        trouble
    }
}

fn leaders(
    topic: &kafka_protocol::messages::metadata_response::MetadataResponseTopic,
) -> Vec<Leader> {
    let nobody = Leader {
        broker: -1,
        epoch: -1,
    };
    let mut leaders = vec![nobody; topic.partitions.len()];
    for partition in &topic.partitions {
        let index = usize::try_from(partition.partition_index).unwrap_or(usize::MAX);
        if let Some(leader) = leaders.get_mut(index) {
            *leader = Leader {
                broker: partition.leader_id.0,
                epoch: partition.leader_epoch,
            };
        }
    }
    leaders
}
