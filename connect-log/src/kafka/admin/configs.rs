//! Settings of topics are told and changed.

use std::collections::BTreeMap;

use kafka_protocol::{
    ResponseError as Kafka,
    messages::{
        DescribeConfigsRequest, IncrementalAlterConfigsRequest,
        describe_configs_request::DescribeConfigsResource,
        describe_configs_response::{DescribeConfigsResourceResult, DescribeConfigsResult},
        incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig},
    },
    protocol::StrBytes,
};

use super::{
    Admin,
    brokers::{Brokers, Question},
    outcome::{Outcome, check},
    patience::Patience,
};
use crate::TopicInfo;

const DESCRIBE: i16 = 4;
const ALTER: i16 = 1;
/// The kind of a resource: a topic.
const TOPIC: i8 = 2;
/// Where a setting comes from: it was set for this topic.
const OF_TOPIC: i8 = 1;
/// Topics whose settings are asked for at once: a broker tells 35 of each, with their origins.
pub(super) const AT_ONCE: usize = 100;

/// Defaults that [`TopicInfo`] tells even when nobody set them.
const TOLD_DEFAULTS: [&str; 2] = ["cleanup.policy", "max.message.bytes"];

/// The settings of one topic.
pub(super) type Settings = BTreeMap<String, String>;

/// Settings by topic, in the order of the names; `None` for a topic that does not exist.
pub(super) async fn settings(
    brokers: &Brokers,
    names: &[String],
) -> Outcome<Vec<Option<Settings>>> {
    let mut found = Vec::with_capacity(names.len());
    for some in names.chunks(AT_ONCE) {
        let mut told = describe(brokers, some).await?;
        for name in some {
            let exists = match told.remove(name) {
                Some(Described::Told(settings)) => Some(settings),
                Some(Described::Unknown) => None,
                // We may not describe it: it is shown without settings.
                Some(Described::Refused) | None => {
                    let exists = partitions(brokers, name).await? > 0;
                    exists.then(Settings::new)
                }
            };
            found.push(exists);
        }
    }
    Ok(found)
}

pub(super) async fn topic(brokers: &Brokers, name: &str) -> Outcome<Option<TopicInfo>> {
    let names = [name.to_owned()];
    let Some(settings) = settings(brokers, &names).await?.pop().flatten() else {
        return Ok(None);
    };
    let partitions = partitions(brokers, name).await?;
    Ok((partitions > 0).then(|| TopicInfo {
        name: name.into(),
        partitions,
        settings,
    }))
}

/// How many partitions a topic has; 0 when there is none.
pub(super) async fn partitions(brokers: &Brokers, name: &str) -> Outcome<i32> {
    let mut patience = Patience::new(Admin::LIMIT);
    loop {
        match brokers.topic(name).await {
            Ok(topic) => return Ok(i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX)),
            Err(failed) if failed.kafka().is_some_and(is_nowhere) => return Ok(0),
            Err(failed) => patience.again(failed).await?,
        }
    }
}

/// Whether there can be no such topic, or none for us.
fn is_nowhere(kafka: Kafka) -> bool {
    matches!(
        kafka,
        Kafka::UnknownTopicOrPartition
            | Kafka::InvalidTopicException
            | Kafka::TopicAuthorizationFailed
    )
}

enum Described {
    Told(Settings),
    Unknown,
    Refused,
}

async fn describe(brokers: &Brokers, names: &[String]) -> Outcome<BTreeMap<String, Described>> {
    let topic = |name: &String| {
        DescribeConfigsResource::default()
            .with_resource_type(TOPIC)
            .with_resource_name(StrBytes::from_string(name.clone()))
            .with_configuration_keys(None)
    };
    let request =
        DescribeConfigsRequest::default().with_resources(names.iter().map(topic).collect());
    let mut patience = Patience::new(Admin::LIMIT);
    loop {
        let question = Question {
            request: &request,
            newest: DESCRIBE,
        };
        match brokers.ask_any(question).await {
            Ok(answer) => {
                let one = |result: DescribeConfigsResult| {
                    (result.resource_name.to_string(), described(result))
                };
                return Ok(answer.results.into_iter().map(one).collect());
            }
            Err(failed) => patience.again(failed).await?,
        }
    }
}

fn described(result: DescribeConfigsResult) -> Described {
    match Kafka::try_from_code(result.error_code) {
        None => Described::Told(told(&result.configs)),
        Some(Kafka::UnknownTopicOrPartition) => Described::Unknown,
        Some(_) => Described::Refused,
    }
}

fn told(settings: &[DescribeConfigsResourceResult]) -> Settings {
    let settings = settings.iter().filter(|setting| {
        setting.config_source == OF_TOPIC || TOLD_DEFAULTS.contains(&&*setting.name)
    });
    settings
        .filter_map(|setting| {
            Some((
                setting.name.to_string(),
                setting.value.as_ref()?.to_string(),
            ))
        })
        .collect()
}

/// Sets settings of a topic; others stay.
pub(super) async fn alter(brokers: &Brokers, name: &str, settings: &Settings) -> Outcome<()> {
    // As a number, "set" is 0.
    let set = |(name, value): (&String, &String)| {
        AlterableConfig::default()
            .with_name(StrBytes::from_string(name.clone()))
            .with_value(Some(StrBytes::from_string(value.clone())))
    };
    let topic = AlterConfigsResource::default()
        .with_resource_type(TOPIC)
        .with_resource_name(StrBytes::from_string(name.to_owned()))
        .with_configs(settings.iter().map(set).collect());
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![topic]);
    let mut patience = Patience::new(Admin::LIMIT);
    loop {
        let question = Question {
            request: &request,
            newest: ALTER,
        };
        let done = brokers.ask_controller(question).await.and_then(|answer| {
            let mut topics = answer.responses.iter();
            topics.try_for_each(|topic| check(topic.error_code, topic.error_message.as_ref()))
        });
        match done {
            Ok(()) => return Ok(()),
            Err(failed) => patience.again(failed).await?,
        }
    }
}
