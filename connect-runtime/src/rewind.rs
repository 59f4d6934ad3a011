//! Lets a sink go back: to a time, or to the first records that are still there. It only ever goes back.

use std::sync::Arc;

use connect_core::{Error, Result};
use connect_log::{At, TopicPartition};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    answers::{ConnectorKind, TargetState},
    dead_letters::topic_of,
    error::BAD_REQUEST,
    herder::{Herder, REQUEST_TIMEOUT, within},
    letters::topic_name_of,
    offset_request::group_of,
    shared::Shared,
};

/// Where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// The first record at or after a time, in milliseconds since 1970-01-01.
    Time(i64),
    /// The first record that is still there.
    Earliest,
}

impl To {
    /// From a time as ISO 8601: `2026-11-30T12:00:00Z`.
    pub fn time(text: &str) -> Result<Self> {
        let time: Result<jiff::Timestamp, _> = text.parse();
        time.map(|time| Self::Time(time.as_millisecond()))
            .map_err(|_| {
                let what = format!("'{text}' is no time: write it as 2026-11-30T12:00:00Z");
                Error::new(&BAD_REQUEST, what)
            })
    }
}

/// What going back does, or would do.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rewound {
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

impl Herder {
    /// Sets the offsets of a stopped sink back. A dry run also answers while it runs. 400 for a source, whose server alone knows
    /// what it still has.
    pub async fn rewind(&self, name: &str, to: To, dry_run: bool) -> Result<Rewound> {
        let plan = within(REQUEST_TIMEOUT, plan(&self.shared, name, to));
        let mut rewound = plan.await?;
        rewound.dry_run = dry_run;
        if dry_run {
            return Ok(rewound);
        }
        let moved = rewound.partitions.iter().filter(|back| back.to < back.from);
        let change: Vec<(Value, Option<Value>)> = moved
            .map(|back| {
                let partition =
                    json!({ "kafka_topic": back.topic, "kafka_partition": back.partition });
                (partition, Some(json!({ "kafka_offset": back.to })))
            })
            .collect();
        if !change.is_empty() {
            self.alter_offsets(name, change).await?;
        }
        Ok(rewound)
    }
}

async fn plan(shared: &Arc<Shared>, name: &str, to: To) -> Result<Rewound> {
    let info = shared.info(name)?;
    if info.kind != ConnectorKind::Sink {
        let what = format!(
            "Connector {name} is no sink: set the offset of a source with PATCH /connectors/{name}/offsets, to one that its \
             server still has, or let an incremental snapshot read the tables again"
        );
        return Err(Error::new(&BAD_REQUEST, what));
    }
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
        partitions.push(back(shared, &of, from, to).await?);
    }
    let target = shared.desired.read().connectors.get(name).map(|c| c.target);
    let mut notes = Vec::new();
    if partitions.is_empty() {
        notes.push("The sink has committed nothing yet: it begins at the beginning".to_owned());
    }
    if target != Some(TargetState::Stopped) {
        notes.push(format!(
            "The sink is not stopped, so it goes on meanwhile: stop it with PUT /connectors/{name}/stop before it is rewound"
        ));
    }
    Ok(Rewound {
        dry_run: true,
        records: partitions.iter().map(|back| back.records).sum(),
        partitions,
        notes,
    })
}

async fn back(shared: &Shared, of: &TopicPartition, from: i64, to: To) -> Result<Back> {
    let at = match to {
        To::Time(ms) => At::Time(ms),
        To::Earliest => At::Earliest,
    };
    let to = shared.log.offset_at(of, at).await?.min(from);
    Ok(Back {
        topic: of.topic.to_string(),
        partition: of.partition,
        from,
        to,
        records: from - to,
    })
}
