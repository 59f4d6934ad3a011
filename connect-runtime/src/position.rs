//! Where a connector stands, for people.
//!
//! A source's offset is shown as it is stored, and beside it what its keys mean: those of Debezium's offsets, which sources here and
//! elsewhere share. A sink's offset is shown with the time of the record there and how far it is from the end.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use connect_core::{Encoded, Result};
use connect_log::{At, ReaderSpec, TopicPartition};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::{
    answers::ConnectorKind,
    herder::{Herder, REQUEST_TIMEOUT, within},
    offset_request::{self, group_of},
    shared::Shared,
};

/// How long records are waited for whose time is to be told.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long one poll waits.
const POLL: Duration = Duration::from_millis(10);

/// Where a connector stands.
#[derive(Debug, Serialize)]
pub struct Standing {
    /// The connector.
    pub name: String,
    /// Source or sink.
    #[serde(rename = "type")]
    pub kind: ConnectorKind,
    /// One for each partition that it has an offset of.
    pub partitions: Vec<PartitionStanding>,
}

/// Where it stands in one partition.
#[derive(Debug, Serialize)]
pub struct PartitionStanding {
    /// The partition, as `/offsets` has it.
    pub partition: Value,
    /// The offset, as `/offsets` has it.
    pub offset: Value,
    /// What it means: `lsn`, `transaction`, `time`, `file`, `gtids`, `snapshot`, … of a source; `end`, `time`, `lag_records` (at most so
    /// many, since offsets may have gaps) and `lag_seconds` of a sink.
    pub position: Value,
}

impl Herder {
    /// Where a connector stands, whether it runs or not. 404 when there is none.
    pub async fn position(&self, name: &str) -> Result<Standing> {
        within(REQUEST_TIMEOUT, standing(&self.shared, name)).await
    }
}

async fn standing(shared: &Arc<Shared>, name: &str) -> Result<Standing> {
    let info = shared.info(name)?;
    let partitions = match info.kind {
        ConnectorKind::Sink => of_sink(shared, &group_of(&info.config, name)).await?,
        _ => of_source(shared, name).await?,
    };
    Ok(Standing {
        name: name.to_owned(),
        kind: info.kind,
        partitions,
    })
}

async fn of_source(shared: &Arc<Shared>, name: &str) -> Result<Vec<PartitionStanding>> {
    let stored = offset_request::read(shared, name).await?.into_iter();
    let one = |stored: crate::answers::ConnectorOffset| PartitionStanding {
        position: meaning(&stored.offset),
        partition: stored.partition,
        offset: stored.offset,
    };
    Ok(stored.map(one).collect())
}

async fn of_sink(shared: &Arc<Shared>, group: &str) -> Result<Vec<PartitionStanding>> {
    let offsets = shared.log.group_offsets(group).await?;
    let mut ends = BTreeMap::new();
    for of in offsets.keys() {
        ends.insert(of.clone(), shared.log.offset_at(of, At::Latest).await?);
    }
    let behind = offsets.iter().filter(|(of, at)| ends.get(*of) > Some(*at));
    let behind = behind.map(|(of, at)| (of.clone(), *at)).collect();
    let times = times(shared, behind).await?;
    let now = Timestamp::now().as_millisecond();
    let one = |(of, offset): (&TopicPartition, &i64)| {
        let end = ends.get(of).copied().unwrap_or(*offset);
        let time = times.get(of).copied();
        PartitionStanding {
            partition: json!({ "kafka_partition": of.partition, "kafka_topic": &*of.topic }),
            offset: json!({ "kafka_offset": offset }),
            position: json!({
                "end": end,
                "time": time.and_then(shown),
                "lag_records": (end - offset).max(0),
                "lag_seconds": time.map_or(0, |time| (now - time).max(0) / 1000),
            }),
        }
    };
    Ok(offsets.iter().map(one).collect())
}

/// The times of the records at these offsets, or of the first behind them; none where nothing comes in time.
async fn times(
    shared: &Shared,
    mut behind: BTreeMap<TopicPartition, i64>,
) -> Result<BTreeMap<TopicPartition, i64>> {
    let mut times = BTreeMap::new();
    if behind.is_empty() {
        return Ok(times);
    }
    let spec = ReaderSpec {
        client_id: format!("{}-positions", shared.config.group_id),
        group: None,
        settings: shared.config.under("consumer."),
    };
    let mut reader = shared.log.reader(spec).await?;
    let until = Instant::now() + PATIENCE;
    let mut records = Encoded::default();
    while !behind.is_empty() && Instant::now() < until {
        reader.assign(&behind).await?;
        records.clear();
        while records.is_empty() && Instant::now() < until {
            reader.poll(&mut records, POLL).await?;
        }
        for record in &records.records {
            let of = TopicPartition::new(Arc::clone(&record.topic), record.partition.unwrap_or(0));
            if behind.remove(&of).is_some() {
                times.insert(of, record.timestamp_ms);
            }
        }
    }
    reader.close().await?;
    Ok(times)
}

/// A time in milliseconds since 1970-01-01 as ISO 8601.
pub(crate) fn shown(ms: i64) -> Option<String> {
    let time = Timestamp::from_millisecond(ms).ok()?;
    Some(time.to_string())
}

/// What the keys of a source's offset mean; what is not known is left out.
pub(crate) fn meaning(offset: &Value) -> Value {
    let mut out = Map::new();
    let get = |name: &str| offset.get(name).filter(|value| !value.is_null());
    let number = |name: &str| get(name).and_then(Value::as_i64);
    for (name, key) in [("lsn", "lsn"), ("commit_lsn", "lsn_commit")] {
        if let Some(lsn) = number(key).and_then(|lsn| u64::try_from(lsn).ok()) {
            let text = format!("{:X}/{:X}", lsn >> 32, lsn & 0xffff_ffff);
            out.insert(name.to_owned(), text.into());
        }
    }
    let same = [
        ("transaction", "txId"),
        ("file", "file"),
        ("pos", "pos"),
        ("gtids", "gtids"),
    ];
    for (name, key) in same {
        if let Some(value) = get(key) {
            out.insert(name.to_owned(), value.clone());
        }
    }
    let time = number("ts_usec").map(|us| us.div_euclid(1000));
    let time = time.or_else(|| number("ts_sec").map(|s| s.saturating_mul(1000)));
    if let Some(time) = time.filter(|ms| *ms > 0).and_then(shown) {
        out.insert("time".to_owned(), time.into());
    }
    let within: Map<String, Value> = offset
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| key.starts_with("snapshot") || key.starts_with("incremental_snapshot"))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if !within.is_empty() {
        out.insert("snapshot".to_owned(), within.into());
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_of_both_databases_are_readable() {
        let postgres = json!({
            "lsn_proc": 97_500_059_720_i64, "lsn": 97_500_059_720_i64, "lsn_commit": 97_500_059_000_i64,
            "txId": 571, "ts_usec": 1_790_000_000_123_456_i64,
        });
        assert_eq!(
            meaning(&postgres),
            json!({
                "lsn": "16/B374D848", "commit_lsn": "16/B374D578", "transaction": 571,
                "time": "2026-09-21T14:13:20.123Z",
            })
        );
        let mysql = json!({
            "file": "binlog.000003", "pos": 805, "gtids": "24bc7850-2c16-11e6-a073-0242ac110002:1-77",
            "ts_sec": 1_790_000_000, "snapshot": true,
        });
        assert_eq!(
            meaning(&mysql),
            json!({
                "file": "binlog.000003", "pos": 805,
                "gtids": "24bc7850-2c16-11e6-a073-0242ac110002:1-77",
                "time": "2026-09-21T14:13:20Z", "snapshot": {"snapshot": true},
            })
        );
        assert_eq!(meaning(&json!({"position": 7})), json!({}));
    }
}
