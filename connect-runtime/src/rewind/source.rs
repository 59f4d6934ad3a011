//! Sources go back where their servers let them.

use std::sync::Arc;

use connect_core::{
    Position, Result,
    rewind::{Asked, Rewind, To},
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    answers::{ConnectorInfo, TargetState},
    herder::OffsetChange,
    offset_request::{store, target_of},
    position::{meaning, shown},
    shared::Shared,
};

/// What going back does to a source, or would do. Numbers are null where nobody can tell.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceRewound {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// The source partition.
    pub partition: Value,
    /// The offset that is stored then.
    pub offset: Value,
    /// Where it stands, for people.
    pub from: Value,
    /// Where it goes, for people; `time` is that of the first that comes again.
    pub to: Value,
    /// How many bytes of the server's log are read again.
    pub bytes: Option<u64>,
    /// How many transactions come again.
    pub transactions: Option<u64>,
    /// How many changed rows of captured tables come again.
    pub records: Option<u64>,
    /// What else there is to know.
    pub notes: Vec<String>,
}

/// What it means, and the offsets to set: none when the connector stays where it is.
pub(super) async fn plan(
    shared: &Arc<Shared>,
    info: &ConnectorInfo,
    to: To,
) -> Result<(OffsetChange, SourceRewound)> {
    let name = &info.name;
    let config = shared.providers.resolve(&info.config)?;
    let store = store(shared, &info.config).await?;
    // Another worker may have stored something since.
    store.refresh().await?;
    let stored = store.stored(name);
    let class = config.get("connector.class").map_or("", String::as_str);
    let is_stopped = target_of(shared, name) == Some(TargetState::Stopped);
    let asked = Asked {
        stored: stored.clone(),
        to,
        is_stopped,
    };
    let plugin = shared.plugins.connector(class)?;
    let mut rewind = plugin.rewind(config, asked).await?;
    if !is_stopped {
        rewind.notes.push(format!(
            "The connector is not stopped, so it goes on meanwhile: stop it with PUT /connectors/{name}/stop before it is rewound"
        ));
    }
    let before = stored
        .iter()
        .find(|p| p.partition == rewind.position.partition);
    Ok(told(rewind, before))
}

fn told(rewind: Rewind, before: Option<&Position>) -> (OffsetChange, SourceRewound) {
    let json = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    let (partition, offset) = (
        json(&rewind.position.partition),
        json(&rewind.position.offset),
    );
    let from = before.map(|before| json(&before.offset));
    let mut to = meaning(&offset);
    if let (Some(time), Some(to)) = (rewind.time_ms.and_then(shown), to.as_object_mut()) {
        to.insert("time".to_owned(), time.into());
    }
    let change = match before.is_some_and(|before| before.offset == rewind.position.offset) {
        true => Vec::new(),
        false => vec![(partition.clone(), Some(offset.clone()))],
    };
    let rewound = SourceRewound {
        dry_run: true,
        from: from.as_ref().map_or(Value::Null, meaning),
        partition,
        offset,
        to,
        bytes: rewind.bytes,
        transactions: rewind.transactions,
        records: rewind.records,
        notes: rewind.notes,
    };
    (change, rewound)
}
