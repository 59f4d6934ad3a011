//! Rules over several properties.

use connect_core::{
    Properties,
    plugin::{Direction, Plugin},
};

use super::answer::Answer;
use crate::{offset_request::group_of, shared::Shared, worker_config::OverridePolicy};

/// Says what does not hold between properties.
pub(super) fn apply(
    answer: &mut Answer<'_>,
    shared: &Shared,
    plugin: &Plugin,
    resolved: &Properties,
) {
    match plugin.direction {
        Direction::Sink => sink(answer, shared, resolved),
        Direction::Source => source(answer, shared, resolved),
    }
    overrides(answer, shared, resolved);
}

fn text<'a>(resolved: &'a Properties, name: &str) -> &'a str {
    resolved.get(name).map_or("", |value| value.trim())
}

fn sink(answer: &mut Answer<'_>, shared: &Shared, resolved: &Properties) {
    let (topics, regex) = (text(resolved, "topics"), text(resolved, "topics.regex"));
    let both = ["topics", "topics.regex"];
    match (topics.is_empty(), regex.is_empty()) {
        (false, false) => both.into_iter().for_each(|key| {
            let what = "topics and topics.regex are mutually exclusive options, but both are set.";
            answer.error(key, what.to_owned());
        }),
        (true, true) => both.into_iter().for_each(|key| {
            answer.error(
                key,
                "Must configure one of topics or topics.regex".to_owned(),
            );
        }),
        _ => {}
    }
    let mut listed: Vec<&str> = topics.split(',').map(str::trim).collect();
    let all = listed.len();
    listed.sort_unstable();
    listed.dedup();
    if listed.len() < all {
        let what = "Configuration 'topics' values must not be duplicated.";
        answer.error("topics", what.to_owned());
    }
    dead_letters(answer, resolved, topics, regex);
    let name = text(resolved, "name");
    if group_of(resolved, name) == shared.config.group_id {
        let what = format!(
            "Consumer group for sink connector named {name} conflicts with Connect worker group {}",
            shared.config.group_id
        );
        answer.error("name", what);
    }
}

fn dead_letters(answer: &mut Answer<'_>, resolved: &Properties, topics: &str, regex: &str) {
    let topic = text(resolved, "errors.deadletterqueue.topic.name");
    if topic.is_empty() {
        return;
    }
    let list: Vec<&str> = topics.split(',').map(str::trim).collect();
    if list.contains(&topic) {
        let what = format!(
            "The DLQ topic '{topic}' may not be included in the list of topics ('topics=[{}]') consumed by the connector",
            list.join(", ")
        );
        answer.error("topics", what);
    }
    let matches =
        |regex: &str| regex::Regex::new(&format!("^(?:{regex})$")).is_ok_and(|r| r.is_match(topic));
    if !regex.is_empty() && matches(regex) {
        let what = format!(
            "The DLQ topic '{topic}' may not be matched by the regex for the topics ('topics.regex={regex}') consumed by the connector"
        );
        answer.error("topics.regex", what);
    }
}

fn source(answer: &mut Answer<'_>, shared: &Shared, resolved: &Properties) {
    let required = text(resolved, "exactly.once.support").eq_ignore_ascii_case("required");
    if required && !shared.config.is_exactly_once() {
        let what = "This worker does not have exactly-once source support enabled.";
        answer.error("exactly.once.support", what.to_owned());
    }
    let class = text(resolved, "connector.class");
    let tells = shared
        .plugins
        .find(class)
        .is_some_and(|plugin| plugin.tells_transactions);
    let bound = text(resolved, "transaction.boundary").eq_ignore_ascii_case("connector");
    if bound && !tells {
        let what = "The connector does not support connector-defined transaction boundaries with the given configuration. \
                    Please reconfigure it to use a different transaction boundary definition.";
        answer.error("transaction.boundary", what.to_owned());
    }
    topic_creation(answer, resolved);
}

fn topic_creation(answer: &mut Answer<'_>, resolved: &Properties) {
    let begun = resolved
        .keys()
        .any(|key| key.starts_with("topic.creation."));
    if !begun {
        return;
    }
    for name in ["replication.factor", "partitions"] {
        let key = format!("topic.creation.default.{name}");
        match resolved.get(&key).map(|value| value.trim().parse::<i64>()) {
            None => answer.error(&key, super::answer::missing(&key)),
            Some(Ok(number)) if number == -1 || number > 0 => {}
            Some(Ok(number)) => {
                let what = format!(
                    "Invalid value {number} for configuration {key}: Value must be -1, or at least 1"
                );
                answer.error(&key, what);
            }
            Some(Err(_)) => {
                let value = text(resolved, &key);
                let what = format!(
                    "Invalid value {value} for configuration {key}: Not a number of type INT"
                );
                answer.error(&key, what);
            }
        }
    }
}

fn overrides(answer: &mut Answer<'_>, shared: &Shared, resolved: &Properties) {
    const PRINCIPAL: [&str; 3] = ["sasl.jaas.config", "sasl.mechanism", "security.protocol"];
    let prefixes = [
        "producer.override.",
        "consumer.override.",
        "admin.override.",
    ];
    let policy = shared.config.override_policy;
    for key in resolved.keys() {
        let Some(name) = prefixes.iter().find_map(|prefix| key.strip_prefix(prefix)) else {
            continue;
        };
        let allowed = match policy {
            OverridePolicy::All => true,
            OverridePolicy::None => false,
            OverridePolicy::Principal => PRINCIPAL.contains(&name),
            OverridePolicy::Allowlist => shared
                .config
                .override_allowlist
                .0
                .iter()
                .any(|allowed| allowed == name),
        };
        if !allowed {
            let shown = match policy {
                OverridePolicy::All => "All",
                OverridePolicy::None => "None",
                OverridePolicy::Principal => "Principal",
                OverridePolicy::Allowlist => "Allowlist",
            };
            let what = format!(
                "The '{shown}' policy does not allow '{name}' to be overridden in the connector configuration."
            );
            answer.error(key, what);
        }
    }
}
