//! The settings of topics, as `DescribeConfigs` tells them.

use std::collections::BTreeSet;

use kafka_protocol::{
    ResponseError,
    messages::{
        DescribeConfigsRequest, DescribeConfigsResponse,
        describe_configs_request::DescribeConfigsResource,
        describe_configs_response::{DescribeConfigsResourceResult, DescribeConfigsResult},
    },
    protocol::StrBytes,
};

use super::{ids::text, metadata::NODE, serve::Front};
use crate::local::{Settings, Store};

/// Kinds of resources, as Kafka numbers them.
const TOPIC: i8 = 2;
const BROKER: i8 = 4;
/// Where a setting comes from: it was set, or it is a default.
const SET: i8 = 1;
const DEFAULT: i8 = 5;

/// Answers `DescribeConfigs`: topics have settings; the broker has none of its own.
pub(crate) fn describe<S: Store>(
    front: &Front<S>,
    request: &DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let mut seen = BTreeSet::new();
    let asked = request.resources.iter();
    // Each once, so that the answer is no larger than what there is.
    let asked = asked.filter(|asked| seen.insert((asked.resource_type, &asked.resource_name)));
    let results = asked.map(|asked| {
        let result = DescribeConfigsResult::default()
            .with_resource_type(asked.resource_type)
            .with_resource_name(asked.resource_name.clone());
        match settings_of(front, asked) {
            Ok(configs) => result.with_configs(configs),
            Err(error) => result
                .with_error_code(error.code())
                .with_error_message(Some(text(&error.to_string()))),
        }
    });
    DescribeConfigsResponse::default().with_results(results.collect())
}

fn settings_of<S: Store>(
    front: &Front<S>,
    asked: &DescribeConfigsResource,
) -> Result<Vec<DescribeConfigsResourceResult>, ResponseError> {
    match asked.resource_type {
        TOPIC => {
            let topic = front.log.catalog().get(&asked.resource_name);
            let topic = topic.ok_or(ResponseError::UnknownTopicOrPartition)?;
            Ok(told(&topic.settings(), asked.configuration_keys.as_deref()))
        }
        BROKER if asked.resource_name.is_empty() || *asked.resource_name == NODE.to_string() => {
            Ok(Vec::new())
        }
        _ => Err(ResponseError::InvalidRequest),
    }
}

fn told(settings: &Settings, keys: Option<&[StrBytes]>) -> Vec<DescribeConfigsResourceResult> {
    let all = settings.effective();
    let wanted = |name: &str| {
        // None and no keys both mean all.
        keys.is_none_or(|keys| keys.is_empty() || keys.iter().any(|key| &**key == name))
    };
    let told = all.into_iter().filter(|(name, _)| wanted(name));
    told.map(|(name, value)| {
        let source = match settings.given.contains_key(&name) {
            true => SET,
            false => DEFAULT,
        };
        DescribeConfigsResourceResult::default()
            .with_name(StrBytes::from(name))
            .with_value(Some(StrBytes::from(value)))
            .with_read_only(true)
            .with_config_source(source)
    })
    .collect()
}
