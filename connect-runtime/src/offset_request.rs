//! Reading and changing a connector's offsets on request (KIP-875).

use std::{collections::BTreeMap, sync::Arc};

use connect_core::{Error, Properties, Result};
use connect_log::TopicPartition;
use serde_json::{Value, json};

use crate::{
    answers::{ConnectorInfo, ConnectorKind, ConnectorOffset, TargetState},
    error::BAD_REQUEST,
    offsets::OffsetStore,
    shared::{Shared, not_found},
};

/// A connector's offsets: of the source, or of the sink's consumer group.
pub(crate) async fn read(shared: &Arc<Shared>, name: &str) -> Result<Vec<ConnectorOffset>> {
    read_of(shared, &shared.info(name)?).await
}

/// The same of a connector that may not exist.
pub(crate) async fn read_of(
    shared: &Arc<Shared>,
    info: &ConnectorInfo,
) -> Result<Vec<ConnectorOffset>> {
    let name = &info.name;
    if info.kind != ConnectorKind::Sink {
        let store = store(shared, &info.config).await?;
        // Another worker may have stored something since.
        store.refresh().await?;
        let stored = store.as_json(name);
        let answer = stored
            .into_iter()
            .map(|(partition, offset)| ConnectorOffset { partition, offset });
        return Ok(answer.collect());
    }
    let offsets = shared
        .log
        .group_offsets(&group_of(&info.config, name))
        .await?;
    let answer = offsets.into_iter().map(|(of, offset)| ConnectorOffset {
        partition: json!({ "kafka_partition": of.partition, "kafka_topic": &*of.topic }),
        offset: json!({ "kafka_offset": offset }),
    });
    Ok(answer.collect())
}

/// Changes offsets of a stopped connector without tasks; `None` forgets them all.
pub(crate) async fn change(
    shared: &Arc<Shared>,
    name: &str,
    change: Option<&[(Value, Option<Value>)]>,
) -> Result<()> {
    let info = shared.info(name)?;
    must_be_stopped(shared, name)?;
    match (info.kind, change) {
        (ConnectorKind::Sink, Some(change)) => {
            let group = group_of(&info.config, name);
            shared
                .log
                .alter_group_offsets(&group, &group_change(change)?)
                .await
        }
        (ConnectorKind::Sink, None) => shared.log.delete_group(&group_of(&info.config, name)).await,
        (_, Some(change)) => {
            look_at(shared, &info, change)?;
            let store = store(shared, &info.config).await?;
            store.refresh().await?;
            store.alter(name, change).await
        }
        (_, None) => {
            let store = store(shared, &info.config).await?;
            store.refresh().await?;
            store.reset(name).await?;
            shared.drop_kept(name).await
        }
    }
}

/// What is wanted of a connector; `None` when there is none.
pub(crate) fn target_of(shared: &Shared, name: &str) -> Option<TargetState> {
    let desired = shared.desired.read();
    desired.connectors.get(name).map(|c| c.target)
}

/// 400 when it is not stopped, in Kafka Connect's words.
pub(crate) fn must_be_stopped(shared: &Shared, name: &str) -> Result<()> {
    if target_of(shared, name).ok_or_else(|| not_found(name))? == TargetState::Stopped {
        return Ok(());
    }
    let what = format!(
        "Connectors must be in the STOPPED state before their offsets can be modified. This can be done \
         for the specified connector by issuing a 'PUT' request to the '/connectors/{name}/stop' endpoint"
    );
    Err(Error::new(&BAD_REQUEST, what))
}

pub(crate) async fn store(shared: &Arc<Shared>, config: &Properties) -> Result<OffsetStore> {
    OffsetStore::open(shared, &shared.providers.resolve(config)?).await
}

/// The consumer group of a sink connector.
pub(crate) fn group_of(config: &Properties, name: &str) -> String {
    config
        .get("consumer.override.group.id")
        .cloned()
        .unwrap_or_else(|| format!("connect-{name}"))
}

/// 400 when offsets are none of a source, or not what its connector takes; tells all of it.
pub(crate) fn look_at(
    shared: &Shared,
    info: &ConnectorInfo,
    change: &[(Value, Option<Value>)],
) -> Result<()> {
    for (partition, offset) in change {
        if !partition.is_object() || offset.as_ref().is_some_and(|o| !o.is_object()) {
            let what = "The partition and the offset of a source connector must be JSON objects";
            return Err(Error::new(&BAD_REQUEST, what));
        }
    }
    let class = info
        .config
        .get("connector.class")
        .map_or("", String::as_str);
    let Some(plugin) = shared.plugins.find(class) else {
        return Ok(());
    };
    let wrong = plugin.wrong_offsets(&shared.providers.resolve(&info.config)?, change);
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Error::new(&BAD_REQUEST, wrong.join("; "))),
    }
}

fn group_change(
    change: &[(Value, Option<Value>)],
) -> Result<BTreeMap<TopicPartition, Option<i64>>> {
    change
        .iter()
        .map(|(partition, offset)| Ok((partition_of(partition)?, offset_of(offset.as_ref())?)))
        .collect()
}

fn partition_of(json: &Value) -> Result<TopicPartition> {
    let topic = json.get("kafka_topic").filter(|v| !v.is_null());
    let partition = json.get("kafka_partition").filter(|v| !v.is_null());
    let (Some(topic), Some(partition)) = (topic, partition) else {
        let what = "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'";
        return Err(Error::new(&BAD_REQUEST, what));
    };
    let number = integer(partition).and_then(|n| i32::try_from(n).ok()).filter(|n| *n >= 0).ok_or_else(|| {
        let what = format!(
            "Failed to parse the following Kafka partition value in the provided offsets: '{}'. \
             Partition values for sink connectors need to be integers.",
            plain(partition)
        );
        Error::new(&BAD_REQUEST, what)
    })?;
    Ok(TopicPartition::new(plain(topic), number))
}

fn offset_of(json: Option<&Value>) -> Result<Option<i64>> {
    let Some(json) = json.filter(|v| !v.is_null()) else {
        return Ok(None);
    };
    let Some(offset) = json.get("kafka_offset").filter(|v| !v.is_null()) else {
        let what = "The offset for a sink connector should either be null or contain the key 'kafka_offset'";
        return Err(Error::new(&BAD_REQUEST, what));
    };
    let number = integer(offset).filter(|n| *n >= 0).ok_or_else(|| {
        let what = format!(
            "Failed to parse the following Kafka offset value in the provided offsets: '{}'. \
             Offset values for sink connectors need to be integers.",
            plain(offset)
        );
        Error::new(&BAD_REQUEST, what)
    })?;
    Ok(Some(number))
}

fn integer(json: &Value) -> Option<i64> {
    json.as_i64().or_else(|| json.as_str()?.trim().parse().ok())
}

fn plain(json: &Value) -> String {
    json.as_str()
        .map_or_else(|| json.to_string(), str::to_owned)
}
