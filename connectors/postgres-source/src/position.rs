//! Where the task stands, in the keys of Debezium's offsets.

use std::fmt::Write;

use connect_core::{Error, Position, Result};
use serde_json::{Map, Value};

use crate::error;

/// A place in the stream, perhaps within a transaction, perhaps before a snapshot is complete.
///
/// A transaction is sent after its commit, in the order of commits. So the place is: everything that was committed
/// before `commit_lsn`, and of the transaction `tx_id` all changes with an LSN before `lsn`, and `events` changes
/// with exactly `lsn` (several changes can share one record of the WAL).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Everything committed before this LSN has been read. What may be confirmed.
    pub commit_lsn: u64,
    /// LSN of the last change that was read.
    pub lsn: u64,
    /// How many changes with this LSN have been read.
    pub events: u64,
    /// The transaction that they belong to.
    pub tx_id: Option<u32>,
    /// Its commit time, in microseconds since 1970-01-01.
    pub ts_us: i64,
    /// How far the snapshot is, while it is not complete.
    pub snapshot: Option<Progress>,
}

/// How far a snapshot is. Tables are read in the order of their names (schema, then table), rows in the order of their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The table, as schema and name; none before the first. Tables before it are complete.
    pub table: Option<(String, String)>,
    /// The last key that was read of it, as texts; empty when it has to be read from its start.
    pub key: Vec<String>,
    /// Whether this table is complete too.
    pub complete: bool,
}

/// The source partition: `{"server":"<topic.prefix>"}`.
pub(crate) fn partition(prefix: &str) -> String {
    format!("{{\"server\":{}}}", Value::from(prefix))
}

impl Place {
    /// In Kafka Connect's terms.
    pub(crate) fn position(&self, partition: &std::sync::Arc<str>) -> Position {
        let mut json = String::with_capacity(160);
        let Self {
            commit_lsn,
            lsn,
            events,
            ts_us,
            ..
        } = self;
        // Writing to a String does not fail.
        let _ = write!(
            json,
            "{{\"lsn_proc\":{lsn},\"lsn_commit\":{commit_lsn},\"lsn\":{lsn},\"lsn_events_processed\":{events}"
        );
        if let Some(tx_id) = self.tx_id {
            let _ = write!(json, ",\"txId\":{tx_id}");
        }
        let _ = write!(json, ",\"ts_usec\":{ts_us}");
        if let Some(progress) = &self.snapshot {
            json.push_str(",\"snapshot\":\"INITIAL\",\"snapshot_completed\":false,\"last_snapshot_record\":false");
            if let Some((schema, table)) = &progress.table {
                let table = Value::from(vec![schema.as_str(), table]);
                let key = Value::from(progress.key.clone());
                let _ = write!(
                    json,
                    ",\"snapshot_table\":{table},\"snapshot_key\":{key},\"snapshot_table_complete\":{}",
                    progress.complete
                );
            }
        }
        json.push('}');
        Position {
            partition: std::sync::Arc::clone(partition),
            offset: json.into(),
            order: self.commit_lsn,
        }
    }

    /// Reads an offset, also one that Debezium wrote.
    pub(crate) fn parse(offset: &str) -> Result<Self> {
        let object: Map<String, Value> = serde_json::from_str(offset).map_err(|e| {
            Error::new(&error::OFFSET, "the stored offset is no JSON object").caused_by(e)
        })?;
        let number = |key: &str| object.get(key).and_then(Value::as_u64);
        let lsn = number("lsn_proc").or_else(|| number("lsn"));
        let commit_lsn = number("lsn_commit").or(lsn).ok_or_else(|| {
            Error::new(&error::OFFSET, "the stored offset has no LSN").context("offset", offset)
        })?;
        Ok(Self {
            commit_lsn,
            lsn: lsn.unwrap_or(commit_lsn),
            events: number("lsn_events_processed").unwrap_or(0),
            tx_id: number("txId").and_then(|id| u32::try_from(id).ok()),
            ts_us: object.get("ts_usec").and_then(Value::as_i64).unwrap_or(0),
            snapshot: progress(&object),
        })
    }
}

/// A snapshot that is not complete; one of Debezium has to be taken from its start.
fn progress(object: &Map<String, Value>) -> Option<Progress> {
    let running = match object.get("snapshot")? {
        Value::Bool(running) => *running,
        Value::String(kind) => !kind.is_empty() && kind != "false",
        _ => false,
    };
    let is_true = |key: &str| object.get(key) == Some(&Value::Bool(true));
    if !running || is_true("last_snapshot_record") || is_true("snapshot_completed") {
        return None;
    }
    let texts = |key: &str| -> Vec<String> {
        let items = object.get(key).and_then(Value::as_array);
        let text = |item: &Value| item.as_str().map(str::to_owned);
        items.into_iter().flatten().filter_map(text).collect()
    };
    let table = <[String; 2]>::try_from(texts("snapshot_table")).ok();
    Some(Progress {
        table: table.map(|[schema, table]| (schema, table)),
        key: texts("snapshot_key"),
        complete: is_true("snapshot_table_complete"),
    })
}

/// Which changes of a transaction that is sent again have been read already.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resume {
    tx_id: u32,
    lsn: u64,
    events: u64,
}

impl Resume {
    /// What must be skipped to go on from a place; `None` when it is between transactions.
    pub(crate) fn from(place: &Place) -> Option<Self> {
        let tx_id = place.tx_id?;
        let between = place.lsn == place.commit_lsn && place.events == 0;
        let within = !between && place.lsn > 0 && place.snapshot.is_none();
        within.then_some(Self {
            tx_id,
            lsn: place.lsn,
            events: place.events,
        })
    }

    /// Whether it is this transaction.
    pub(crate) fn is_of(&self, xid: u32) -> bool {
        self.tx_id == xid
    }

    /// Whether a change was read before; `nth` counts the changes with this LSN, from 1.
    pub(crate) fn covers(&self, lsn: u64, nth: u64) -> bool {
        lsn < self.lsn || (lsn == self.lsn && nth <= self.events)
    }
}

/// `16/B374D848` as a number.
pub(crate) fn parse_lsn(text: &str) -> Option<u64> {
    let (high, low) = text.split_once('/')?;
    let part = |text: &str| u32::from_str_radix(text, 16).ok();
    Some(u64::from(part(high)?) << 32 | u64::from(part(low)?))
}

/// A number as `16/B374D848`.
pub(crate) fn show_lsn(lsn: u64) -> String {
    format!("{:X}/{:X}", lsn >> 32, lsn & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            commit_lsn: 100,
            lsn: 150,
            events: 2,
            tx_id: Some(7),
            ts_us: 42,
            snapshot: None,
        }
    }

    #[test]
    fn offsets_come_back() {
        let snapshot = Some(Progress {
            table: Some(("public".into(), "a\"b".into())),
            key: vec!["1".into(), "x".into()],
            complete: false,
        });
        let started = Some(Progress::default());
        for snapshot in [None, started, snapshot] {
            let place = Place {
                snapshot,
                ..place()
            };
            let position = place.position(&partition("shop").into());
            assert_eq!(Place::parse(&position.offset).unwrap(), place);
            assert_eq!(
                (&*position.partition, position.order),
                ("{\"server\":\"shop\"}", 100)
            );
        }
    }

    #[test]
    fn offsets_of_debezium_are_understood() {
        let streaming = r#"{"transaction_id":null,"lsn_proc":24023128,"messageType":"INSERT",
            "lsn_commit":24023000,"lsn":24023128,"txId":571,"ts_usec":1559033904863000}"#;
        let place = Place::parse(streaming).unwrap();
        assert_eq!(
            (place.commit_lsn, place.lsn, place.tx_id),
            (24_023_000, 24_023_128, Some(571))
        );
        assert_eq!(place.events, 0, "rather twice than never");
        let snapshot = r#"{"last_snapshot_record":false,"lsn":5,"snapshot":"INITIAL","snapshot_completed":false}"#;
        assert_eq!(
            Place::parse(snapshot).unwrap().snapshot,
            Some(Progress::default())
        );
        let done = r#"{"last_snapshot_record":true,"lsn":5,"snapshot":true}"#;
        assert_eq!(Place::parse(done).unwrap().snapshot, None);
        assert!(Place::parse("{}").is_err() && Place::parse("[").is_err());
    }

    #[test]
    fn what_was_read_is_skipped_and_nothing_else() {
        let resume = Resume::from(&place()).unwrap();
        assert!(resume.is_of(7) && !resume.is_of(8));
        let covered = [(149, 9), (150, 1), (150, 2), (150, 3), (151, 1)]
            .map(|(lsn, nth)| resume.covers(lsn, nth));
        assert_eq!(covered, [true, true, true, false, false]);
    }

    #[test]
    fn lsns_in_both_spellings() {
        assert_eq!(parse_lsn("16/B374D848"), Some(0x16_B374_D848));
        assert_eq!(show_lsn(0x16_B374_D848), "16/B374D848");
        assert_eq!(parse_lsn("x"), None);
    }
}
