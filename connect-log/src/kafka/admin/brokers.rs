//! Whom administration asks: any broker, the controller, the leader of a partition, the coordinator of a group.

use std::{collections::BTreeMap, sync::Arc};

use kafka_protocol::{
    ResponseError as Kafka,
    messages::{
        FindCoordinatorRequest, GroupId, MetadataResponse, TopicName,
        metadata_response::MetadataResponseTopic,
    },
    protocol::{Request, StrBytes},
};
use parking_lot::Mutex;
use tokio::sync::Mutex as Turns;

use super::outcome::{Outcome, check};
use crate::kafka::{
    client::Health,
    wire::{Cluster, Connection, Dial, address},
};

const FIND_COORDINATOR: i16 = 3;

/// Connections to brokers: one to any, and one to each that alone can answer something.
pub(super) struct Brokers {
    cluster: Cluster,
    kept: Mutex<BTreeMap<String, Kept>>,
}

/// A connection, for one question at a time.
type Kept = Arc<Turns<Option<Connection>>>;

/// A question, with the newest version of it that is understood here.
pub(super) struct Question<'a, R> {
    pub(super) request: &'a R,
    pub(super) newest: i16,
}

impl Brokers {
    pub(super) fn new(bootstrap: &str, dial: Dial, health: &Health) -> Self {
        Self {
            cluster: Cluster::new(bootstrap, dial, health.clone()),
            kept: Mutex::default(),
        }
    }

    /// Whether any broker answers.
    pub(super) async fn reach(&self) -> Outcome<()> {
        self.metadata(Some(&[])).await.map(drop)
    }

    /// What any broker knows of these topics, or of all.
    pub(super) async fn metadata(&self, topics: Option<&[&str]>) -> Outcome<MetadataResponse> {
        let answer = self.cluster.metadata(topics).await?;
        self.keep(&addresses(&answer));
        Ok(answer)
    }

    /// What any broker knows of a topic.
    pub(super) async fn topic(&self, name: &str) -> Outcome<MetadataResponseTopic> {
        self.topic_and_brokers(name).await.map(|(topic, _)| topic)
    }

    async fn topic_and_brokers(
        &self,
        name: &str,
    ) -> Outcome<(MetadataResponseTopic, BTreeMap<i32, String>)> {
        let answer = self.metadata(Some(&[name])).await?;
        let brokers = addresses(&answer);
        let is_it =
            |topic: &MetadataResponseTopic| topic.name.as_ref().is_some_and(|n| **n == *name);
        let topic = answer.topics.into_iter().find(is_it);
        let topic = topic.ok_or(Kafka::UnknownTopicOrPartition)?;
        check(topic.error_code, None)?;
        Ok((topic, brokers))
    }

    /// Partitions by the address of their leader.
    pub(super) async fn leaders(
        &self,
        topic: &str,
        of: &[i32],
    ) -> Outcome<BTreeMap<String, Vec<i32>>> {
        let (topic, brokers) = self.topic_and_brokers(topic).await?;
        let leaders: BTreeMap<i32, i32> = topic
            .partitions
            .iter()
            .map(|partition| (partition.partition_index, partition.leader_id.0))
            .collect();
        let mut found: BTreeMap<String, Vec<i32>> = BTreeMap::new();
        for partition in of {
            let leader = leaders.get(partition);
            let leader = leader.ok_or(Kafka::UnknownTopicOrPartition)?;
            let address = brokers.get(leader).ok_or(Kafka::LeaderNotAvailable)?;
            found.entry(address.clone()).or_default().push(*partition);
        }
        Ok(found)
    }

    pub(super) async fn ask_any<R: Request>(&self, of: Question<'_, R>) -> Outcome<R::Response> {
        Ok(self.cluster.ask_any(of.request, of.newest).await?)
    }

    pub(super) async fn ask_controller<R: Request>(
        &self,
        of: Question<'_, R>,
    ) -> Outcome<R::Response> {
        let answer = self.metadata(Some(&[])).await?;
        let address = addresses(&answer).remove(&answer.controller_id.0);
        self.ask(&address.ok_or(Kafka::NotController)?, of).await
    }

    pub(super) async fn ask_coordinator<R: Request>(
        &self,
        group: &str,
        of: Question<'_, R>,
    ) -> Outcome<R::Response> {
        let request = FindCoordinatorRequest::default()
            .with_key(StrBytes::from_string(group.to_owned()))
            .with_key_type(0);
        let found = self.cluster.ask_any(&request, FIND_COORDINATOR).await?;
        check(found.error_code, found.error_message.as_ref())?;
        self.ask(&address(&found.host, found.port), of).await
    }

    /// Asks the broker at this address. A connection that has ended in the meantime is made anew.
    pub(super) async fn ask<R: Request>(
        &self,
        address: &str,
        of: Question<'_, R>,
    ) -> Outcome<R::Response> {
        let kept = Arc::clone(self.kept.lock().entry(address.to_owned()).or_default());
        let mut kept = kept.lock().await;
        // Taken out, so that a question that is given up takes its connection along.
        if let Some(mut connection) = kept.take()
            && let Ok(answer) = connection.ask(of.request, of.newest).await
        {
            *kept = Some(connection);
            return Ok(answer);
        }
        let mut connection = self.cluster.open(address).await?;
        let answer = connection.ask(of.request, of.newest).await?;
        *kept = Some(connection);
        Ok(answer)
    }

    /// Forgets the connections to brokers that are not there any more.
    fn keep(&self, brokers: &BTreeMap<i32, String>) {
        self.kept
            .lock()
            .retain(|address, _| brokers.values().any(|known| known == address));
    }
}

fn addresses(answer: &MetadataResponse) -> BTreeMap<i32, String> {
    let broker = |broker: &kafka_protocol::messages::metadata_response::MetadataResponseBroker| {
        (broker.node_id.0, address(&broker.host, broker.port))
    };
    answer.brokers.iter().map(broker).collect()
}

pub(super) fn topic_name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

pub(super) fn group_id(name: &str) -> GroupId {
    GroupId(StrBytes::from_string(name.to_owned()))
}
