//! Topics are made, deleted and listed.

use kafka_protocol::{
    ResponseError as Kafka,
    messages::{
        CreateTopicsRequest, CreateTopicsResponse, DeleteTopicsRequest,
        create_topics_request::{CreatableTopic, CreatableTopicConfig},
    },
    protocol::StrBytes,
};

use super::{
    Admin,
    brokers::{Brokers, Question, topic_name},
    outcome::{Outcome, check},
    patience::Patience,
};
use crate::TopicSpec;

/// The first with the broker's own defaults; later ones tell all settings of what was made.
const CREATE: i16 = 4;
const DELETE: i16 = 4;
/// For how long the controller may work at it.
pub(super) const WORKS_MS: i32 = 25_000;

/// Topics that Kafka keeps for itself.
const INTERNAL_TOPICS: [&str; 4] = [
    "__consumer_offsets",
    "__transaction_state",
    "__share_group_state",
    "__cluster_metadata",
];

pub(super) async fn cluster_id(brokers: &Brokers) -> Outcome<String> {
    let mut patience = Patience::new(Admin::LIMIT);
    loop {
        match brokers.metadata(Some(&[])).await {
            // A broker that has just started may not know it yet.
            Ok(answer) => match answer.cluster_id {
                Some(id) => return Ok(id.to_string()),
                None => patience.again(Kafka::LeaderNotAvailable.into()).await?,
            },
            Err(failed) => patience.again(failed).await?,
        }
    }
}

pub(super) async fn names(brokers: &Brokers) -> Outcome<Vec<String>> {
    let mut patience = Patience::new(Admin::LIMIT);
    let answer = loop {
        match brokers.metadata(None).await {
            Ok(answer) => break answer,
            Err(failed) => patience.again(failed).await?,
        }
    };
    let names = answer.topics.into_iter().filter_map(|topic| topic.name);
    let mut names: Vec<String> = names.map(|name| name.to_string()).collect();
    names.retain(|name| !INTERNAL_TOPICS.contains(&name.as_str()));
    names.sort_unstable();
    Ok(names)
}

/// One that exists is left as it is.
pub(super) async fn create(brokers: &Brokers, specs: &[TopicSpec]) -> Outcome<()> {
    let request = CreateTopicsRequest::default()
        .with_topics(specs.iter().map(new_topic).collect())
        .with_timeout_ms(WORKS_MS);
    let mut patience = Patience::new(Admin::LIMIT);
    loop {
        let question = Question {
            request: &request,
            newest: CREATE,
        };
        let answer = brokers.ask_controller(question).await;
        match answer.and_then(|answer| created(&answer)) {
            Ok(()) => return Ok(()),
            Err(failed) => patience.again(failed).await?,
        }
    }
}

/// The first topic that was refused.
fn created(answer: &CreateTopicsResponse) -> Outcome<()> {
    answer.topics.iter().try_for_each(|topic| {
        let done = check(topic.error_code, topic.error_message.as_ref());
        match done {
            Err(failed) if failed.kafka() == Some(Kafka::TopicAlreadyExists) => Ok(()),
            other => other.map_err(|failed| failed.of(&topic.name)),
        }
    })
}

fn new_topic(spec: &TopicSpec) -> CreatableTopic {
    let setting = |(name, value): (&String, &String)| {
        CreatableTopicConfig::default()
            .with_name(StrBytes::from_string(name.clone()))
            .with_value(Some(StrBytes::from_string(value.clone())))
    };
    CreatableTopic::default()
        .with_name(topic_name(&spec.name))
        .with_num_partitions(spec.partitions.unwrap_or(-1))
        .with_replication_factor(spec.replication.unwrap_or(-1))
        .with_configs(spec.settings.iter().map(setting).collect())
}

/// One that does not exist counts as deleted.
pub(super) async fn delete(brokers: &Brokers, name: &str) -> Outcome<()> {
    let request = DeleteTopicsRequest::default()
        .with_topic_names(vec![topic_name(name)])
        .with_timeout_ms(WORKS_MS);
    let mut patience = Patience::new(Admin::LIMIT);
    loop {
        let question = Question {
            request: &request,
            newest: DELETE,
        };
        let answer = brokers.ask_controller(question).await;
        let done = answer.and_then(|answer| {
            let mut topics = answer.responses.iter();
            topics.try_for_each(|topic| check(topic.error_code, topic.error_message.as_ref()))
        });
        match done {
            Ok(()) => return Ok(()),
            Err(failed) if failed.kafka() == Some(Kafka::UnknownTopicOrPartition) => return Ok(()),
            Err(failed) => patience.again(failed).await?,
        }
    }
}
