//! Where the task stands, in the keys of Debezium's offsets.

use std::{fmt::Write, sync::Arc};

use cdc::{incremental::Running, transaction::Counts};
use connect_core::{Error, Position, Result};
use serde_json::{Map, Value};

use crate::{
    cursor::{Cursor, Operation},
    error,
    seen::Seen,
};

pub(crate) use cdc::snapshot::{Progress, Range};

/// Where a task stands: in the stream, and in its snapshot while that is not complete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Everything up to here has been read; its `commit_lsn` may be confirmed.
    pub at: Cursor,
    /// Where the last transaction ended whose end was sent, which may lie before `at`: what followed it is not captured.
    pub last_commit: Option<u64>,
    /// Commit time of the last change, in microseconds since 1970-01-01.
    pub ts_us: i64,
    /// What has been told of the transaction in which `at` lies.
    pub counts: Option<Counts>,
    /// What has been read beyond `at`.
    pub ahead: Option<Ahead>,
    /// How far the snapshot is, while it is not complete.
    pub snapshot: Option<Progress>,
    /// How far the incremental snapshot is, while one is running.
    pub incremental: Option<Arc<Running>>,
    /// The last record of the topic of signals that was obeyed.
    pub signal_offset: Option<i64>,
}

/// What was read of the stream before the snapshot that it belongs to: between [`Place::at`] and a further point all
/// transactions that this snapshot has seen, and no others. See `snapshot`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ahead {
    /// What the snapshot has seen.
    pub seen: Arc<Seen>,
    /// The further point.
    pub at: Cursor,
    /// What has been told of the transaction in which it lies.
    pub counts: Option<Counts>,
}

/// The source partition: `{"server":"<topic.prefix>"}`.
pub(crate) fn partition(prefix: &str) -> String {
    format!("{{\"server\":{}}}", Value::from(prefix))
}

impl Place {
    /// Between two transactions, with no snapshot to take.
    pub(crate) fn between(lsn: u64) -> Self {
        Self {
            at: Cursor::between(lsn),
            ..Self::default()
        }
    }

    /// In Kafka Connect's terms.
    pub(crate) fn position(&self, partition: &Arc<str>) -> Position {
        let mut json = String::with_capacity(160);
        let Cursor { lsn, .. } = self.at;
        json.push('{');
        write_cursor(&mut json, "", &self.at);
        // Writing to a String does not fail.
        let _ = write!(json, ",\"lsn\":{lsn},\"ts_usec\":{}", self.ts_us);
        if self.last_commit != last_commit(&self.at) {
            let commit = self.last_commit.map(Value::from).unwrap_or_default();
            let _ = write!(json, ",\"{LAST_COMMIT}\":{commit}");
        }
        if let Some(counts) = &self.counts {
            counts.write("", &mut json);
        }
        if let Some(ahead) = &self.ahead {
            let _ = write!(json, ",\"ahead_seen\":\"{}\",", ahead.seen);
            write_cursor(&mut json, "ahead_", &ahead.at);
            if let Some(counts) = &ahead.counts {
                counts.write("ahead_", &mut json);
            }
        }
        if let Some(progress) = &self.snapshot {
            progress.write(&mut json);
        }
        if let Some(running) = &self.incremental {
            running.write(&mut json);
        }
        if let Some(offset) = self.signal_offset {
            // Writing to a String does not fail.
            let _ = write!(json, ",\"incremental_snapshot_signal_offset\":{offset}");
        }
        json.push('}');
        Position {
            partition: Arc::clone(partition),
            offset: json.into(),
            order: self.at.commit_lsn,
        }
    }

    /// Reads an offset, also one that Debezium wrote.
    pub(crate) fn parse(offset: &str) -> Result<Self> {
        let object: Map<String, Value> = serde_json::from_str(offset).map_err(|e| {
            Error::new(&error::OFFSET, "the stored offset is no JSON object").caused_by(e)
        })?;
        let at = cursor(&object, "").ok_or_else(|| {
            Error::new(&error::OFFSET, "the stored offset has no LSN").context("offset", offset)
        })?;
        let told = object.get(LAST_COMMIT).map(Value::as_u64);
        let has_commit = object.contains_key("lsn_commit");
        Ok(Self {
            last_commit: told.unwrap_or_else(|| last_commit(&at).filter(|_| has_commit)),
            at,
            ts_us: object.get("ts_usec").and_then(Value::as_i64).unwrap_or(0),
            counts: Counts::read("", &object),
            ahead: ahead(&object)?,
            snapshot: Progress::parse(&object),
            incremental: Running::parse(&object).map(Arc::new),
            signal_offset: object
                .get("incremental_snapshot_signal_offset")
                .and_then(Value::as_i64),
        })
    }
}

/// Where the last transaction ended, when an offset does not tell; with Debezium, it is always `lsn_commit`.
const LAST_COMMIT: &str = "lsn_last_commit";

/// The end of the last transaction is where reading begins again, when a transaction or message is known there.
fn last_commit(at: &Cursor) -> Option<u64> {
    (at.tx_id.is_some() || at.events > 0).then_some(at.commit_lsn)
}

/// Debezium goes on behind the last message that has the LSN `lsn_proc`. Between two transactions none is meant, but the
/// end of a commit is where the next record begins, perhaps that of a change of which more went before: so the LSN is
/// one at which no record begins, since records lie at multiples of eight.
fn write_cursor(json: &mut String, prefix: &str, at: &Cursor) {
    let Cursor {
        commit_lsn, events, ..
    } = at;
    let lsn = at.lsn - u64::from(at.is_between() && at.lsn > 0);
    // Writing to a String does not fail.
    let _ = write!(
        json,
        "\"{prefix}lsn_proc\":{lsn},\"{prefix}lsn_commit\":{commit_lsn},\
         \"{prefix}lsn_events_processed\":{events}"
    );
    if let Some(tx_id) = at.tx_id {
        let _ = write!(json, ",\"{prefix}txId\":{tx_id}");
    }
    if let Some(last) = at.last {
        let name = last.name();
        let _ = write!(json, ",\"{prefix}messageType\":\"{name}\"");
    }
}

fn cursor(object: &Map<String, Value>, prefix: &str) -> Option<Cursor> {
    let number = |key: &str| {
        object
            .get(&format!("{prefix}{key}"))
            .and_then(Value::as_u64)
    };
    let lsn = number("lsn_proc").or_else(|| number("lsn"));
    let committed = number("lsn_commit");
    let commit_lsn = committed.or(lsn)?;
    let lsn = lsn.unwrap_or(commit_lsn);
    let last = object.get(&format!("{prefix}messageType"));
    let last = last.and_then(Value::as_str).and_then(Operation::named);
    // Debezium tells a change that was sent, but not whether others that share its LSN were too.
    // A message between transactions is its own commit.
    let is_lone = last == Some(Operation::Message) && number("lsn") == committed;
    let sent = || u64::from(is_lone || last.is_some() && committed != Some(lsn));
    let events = number("lsn_events_processed").unwrap_or_else(sent);
    let between = events == 0 && lsn + 1 == commit_lsn;
    Some(Cursor {
        commit_lsn,
        lsn: if between { commit_lsn } else { lsn },
        events,
        tx_id: number("txId").and_then(|id| u32::try_from(id).ok()),
        last: last.filter(|_| events > 0),
    })
}

fn ahead(object: &Map<String, Value>) -> Result<Option<Ahead>> {
    let Some(text) = object.get("ahead_seen") else {
        return Ok(None);
    };
    let seen = text.as_str().and_then(|text| text.parse().ok());
    let broken = || {
        let what = "the stored offset has an `ahead_seen` that cannot be read";
        Error::new(&error::OFFSET, what).context("ahead_seen", text)
    };
    let (seen, at) = seen.zip(cursor(object, "ahead_")).ok_or_else(broken)?;
    Ok(Some(Ahead {
        seen: Arc::new(seen),
        at,
        counts: Counts::read("ahead_", object),
    }))
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
            at: Cursor {
                commit_lsn: 100,
                lsn: 150,
                events: 2,
                tx_id: Some(7),
                last: Some(Operation::Update),
            },
            last_commit: Some(100),
            ts_us: 42,
            ..Place::default()
        }
    }

    #[test]
    fn offsets_come_back() {
        let snapshot = Some(Progress {
            table: Some(("public".into(), "a\"b".into())),
            key: vec!["1".into(), "x".into()],
            complete: false,
            ..Progress::default()
        });
        let asked = Some(Progress {
            read: Some(vec!["public.b".into()]),
            only: Some("{\"data-collections\": []}".into()),
            ..Progress::default()
        });
        let started = Some(Progress::default());
        for snapshot in [None, started, asked, snapshot] {
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
            (place.at.commit_lsn, place.at.lsn, place.at.tx_id),
            (24_023_000, 24_023_128, Some(571))
        );
        assert_eq!(
            (place.at.events, place.at.last),
            (1, Some(Operation::Insert))
        );
        let first = streaming.replace("\"lsn_commit\":24023000,", "");
        assert!(
            !Place::parse(&first).unwrap().at.is_between(),
            "the first transaction after the snapshot"
        );
        for between in [
            r#"{"lsn_proc":24,"messageType":"BEGIN","lsn_commit":24,"lsn":32,"txId":571}"#,
            r#"{"lsn_proc":24,"messageType":"COMMIT","lsn_commit":24,"lsn":24,"txId":571}"#,
            r#"{"lsn_proc":24,"messageType":"MESSAGE","lsn_commit":24,"lsn":32,"txId":571}"#,
            r#"{"lsn_proc":24,"messageType":"TRUNCATE","lsn_commit":24,"lsn":48,"txId":571}"#,
        ] {
            assert!(Place::parse(between).unwrap().at.is_between(), "{between}");
        }
        let message = r#"{"lsn_proc":24,"messageType":"MESSAGE","lsn_commit":24,"lsn":24}"#;
        let at = Place::parse(message).unwrap().at;
        assert_eq!(at, Cursor::behind_message(24));
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
    fn the_last_commit_is_kept_where_it_is_not_where_reading_begins() {
        for last_commit in [None, Some(90), Some(100)] {
            let place = Place {
                last_commit,
                ..place()
            };
            let position = place.position(&partition("shop").into());
            assert_eq!(Place::parse(&position.offset).unwrap(), place);
            let is_told = position.offset.contains(LAST_COMMIT);
            assert_eq!(is_told, last_commit != Some(100));
        }
        let first = r#"{"lsn_proc":24,"messageType":"INSERT","lsn":24,"txId":571}"#;
        assert_eq!(Place::parse(first).unwrap().last_commit, None);
    }

    #[test]
    fn debezium_finds_no_message_between_two_transactions() {
        let place = Place::between(96);
        let position = place.position(&partition("shop").into());
        assert!(
            position
                .offset
                .contains("\"lsn_proc\":95,\"lsn_commit\":96,")
        );
        assert_eq!(Place::parse(&position.offset).unwrap(), place);
    }

    #[test]
    fn what_was_read_ahead_comes_back() {
        let ahead = Ahead {
            seen: Arc::new("10:20:11,12".parse().unwrap()),
            at: Cursor {
                commit_lsn: 200,
                lsn: 250,
                events: 1,
                tx_id: Some(9),
                last: Some(Operation::Delete),
            },
            counts: Some(Counts::new("9".into())),
        };
        let place = Place {
            ahead: Some(ahead),
            ..place()
        };
        let position = place.position(&partition("shop").into());
        assert_eq!(position.order, 100, "only this may be confirmed");
        assert_eq!(Place::parse(&position.offset).unwrap(), place);
        let broken = position.offset.replace("10:20:11,12", "10:20");
        assert!(Place::parse(&broken).is_err());
    }

    #[test]
    fn lsns_in_both_spellings() {
        assert_eq!(parse_lsn("16/B374D848"), Some(0x16_B374_D848));
        assert_eq!(show_lsn(0x16_B374_D848), "16/B374D848");
        assert_eq!(parse_lsn("x"), None);
    }
}
