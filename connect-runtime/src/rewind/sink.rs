//! Sinks go back in their topics.

use std::sync::Arc;

use connect_core::{
    Result,
    rewind::{To, unknown},
};
use connect_log::{At, TopicPartition};
use serde::Serialize;
use serde_json::json;

use crate::{
    answers::{ConnectorInfo, TargetState},
    dead_letters::topic_of,
    herder::OffsetChange,
    letters::topic_name_of,
    offset_request::{group_of, target_of},
    shared::Shared,
};

/// What going back does to a sink, or would do.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SinkRewound {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// Each partition that the sink has an offset of.
    pub partitions: Vec<Back>,
    /// How many records come again, at most: offsets may have gaps.
    pub records: i64,
    /// What else there is to know.
    pub notes: Vec<String>,
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Back {
    /// The topic.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// The offset at which the sink stands.
    pub from: i64,
    /// The offset to which it goes back; the same when it does not.
    pub to: i64,
    /// How many records come again, at most.
    pub records: i64,
}

impl SinkRewound {
    /// The offsets to set.
    pub(super) fn change(&self) -> OffsetChange {
        let moved = self.partitions.iter().filter(|back| back.to < back.from);
        let one = |back: &Back| {
            let partition = json!({ "kafka_topic": back.topic, "kafka_partition": back.partition });
            (partition, Some(json!({ "kafka_offset": back.to })))
        };
        moved.map(one).collect()
    }
}

pub(super) async fn plan(
    shared: &Arc<Shared>,
    info: &ConnectorInfo,
    to: &To,
) -> Result<SinkRewound> {
    let name = &info.name;
    let at = match to {
        To::Time(ms) => At::Time(*ms),
        To::Earliest => At::Earliest,
        other => return Err(unknown(other, "\"time\" or \"earliest\": it is a sink")),
    };
    let offsets = shared
        .log
        .group_offsets(&group_of(&info.config, name))
        .await?;
    // What was replayed for it is no history of its own.
    let resolved = shared.providers.resolve(&info.config)?;
    let replays = topic_of(&resolved).map(|topic| topic_name_of(topic, name));
    let mut partitions = Vec::new();
    for (of, from) in offsets {
        if replays.as_deref() == Some(&*of.topic) {
            continue;
        }
        partitions.push(back(shared, &of, from, at).await?);
    }
    let mut notes = Vec::new();
    if partitions.is_empty() {
        notes.push("The sink has committed nothing yet: it begins at the beginning".to_owned());
    }
    if target_of(shared, name) != Some(TargetState::Stopped) {
        notes.push(format!(
            "The sink is not stopped, so it goes on meanwhile: stop it with PUT /connectors/{name}/stop before it is rewound"
        ));
    }
    Ok(SinkRewound {
        dry_run: true,
        records: partitions.iter().map(|back| back.records).sum(),
        partitions,
        notes,
    })
}

async fn back(shared: &Shared, of: &TopicPartition, from: i64, at: At) -> Result<Back> {
    let to = shared.log.offset_at(of, at).await?.min(from);
    Ok(Back {
        topic: of.topic.to_string(),
        partition: of.partition,
        from,
        to,
        records: from - to,
    })
}
