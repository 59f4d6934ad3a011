//! Reaching out to the servers before the connector runs.

use connect_core::{Error, Finding, config::List, config::ParseValue};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::Client,
    config::EsConfig,
    error::{AUTH, PERMISSION},
    index::sanitised,
    product::Product,
};

/// Connects, and says everything that will not work.
pub(crate) async fn check(config: &EsConfig) -> Vec<Finding> {
    let mut findings = collisions(config);
    let client = match Client::open(config).await {
        Ok(client) => client,
        Err(err) => {
            findings.push(Finding::error(property(&err, config), sentence(&err)));
            return findings;
        }
    };
    findings.extend(version(&client.product));
    match client
        .json(Method::GET, &["_cluster", "health"], "", None)
        .await
    {
        Ok(health) if health["status"] == "red" => findings.push(Finding::warning(
            "connection.url",
            "The cluster's health is red: some data is not available.",
        )),
        _ => {}
    }
    findings.extend(rights(config, &client).await);
    findings
}

/// Topics that would share an index without being told to.
fn collisions(config: &EsConfig) -> Vec<Finding> {
    let mut seen: Vec<(String, String)> = Vec::new();
    let mut findings = Vec::new();
    for topic in topics(config) {
        let Some(name) = index_of(config, &topic) else {
            continue;
        };
        match seen.iter().find(|(_, other)| *other == name) {
            Some((first, _)) => findings.push(Finding::error(
                "index.name",
                format!("The topics {first} and {topic} would both go to the index {name}."),
            )),
            None => seen.push((topic, name)),
        }
    }
    findings
}

fn topics(config: &EsConfig) -> Vec<String> {
    let given = config.rest.get("topics").map_or("", String::as_str);
    List::parse_value(given).unwrap_or_default().0
}

/// The index of a topic, where the topic alone decides.
fn index_of(config: &EsConfig, topic: &str) -> Option<String> {
    let template = config.index_template().ok()?;
    if !template.is_per_topic() || !template.has("topic") {
        return None;
    }
    let name = config
        .index_name
        .replace("${topic}", topic)
        .replace("{topic}", topic);
    sanitised(&name)
}

/// Asks Elasticsearch itself whether the user may do what the sink does. OpenSearch has no such question.
async fn rights(config: &EsConfig, client: &Client) -> Vec<Finding> {
    let names: Vec<String> = topics(config)
        .iter()
        .filter_map(|topic| index_of(config, topic))
        .collect();
    if client.product.opensearch || names.is_empty() {
        return Vec::new();
    }
    let mut needed = vec!["index", "delete", "read"];
    if config.mapping_create {
        needed.extend(["create_index", "view_index_metadata", "manage"]);
    }
    let question = json!({"index": [{"names": names, "privileges": needed}]});
    let path = ["_security", "user", "_has_privileges"];
    // Without security there is no such path, and everybody may do everything.
    let Ok(answer) = client.json(Method::POST, &path, "", Some(&question)).await else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for (index, privileges) in answer["index"].as_object().into_iter().flatten() {
        let missing: Vec<&str> = privileges
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, has)| **has == Value::Bool(false))
            .map(|(name, _)| name.as_str())
            .collect();
        if !missing.is_empty() {
            findings.push(Finding::error(
                "connection.username",
                format!(
                    "The user lacks {} on the index {index}.",
                    missing.join(", ")
                ),
            ));
        }
    }
    findings
}

fn version(product: &Product) -> Option<Finding> {
    let oldest = if product.opensearch { 1 } else { 7 };
    (product.major()? < oldest).then(|| {
        Finding::error(
            "connection.url",
            format!("Version {} of the server is too old.", product.version),
        )
    })
}

fn property(err: &Error, config: &EsConfig) -> &'static str {
    if err.code() == &AUTH || err.code() == &PERMISSION {
        return match config.api_key {
            Some(_) => "connection.api.key",
            None => "connection.username",
        };
    }
    "connection.url"
}

fn sentence(err: &Error) -> String {
    let cause = std::error::Error::source(err).map(|cause| format!(": {cause}"));
    format!("{err}{}. {}", cause.unwrap_or_default(), err.code().remedy)
}
