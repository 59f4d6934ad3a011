//! Where the task stands, in the keys of Debezium's offsets.
//!
//! An offset names the transaction that is read next, or has been read in part: its file and the position of its `BEGIN`, the
//! ids of all transactions before it, how many of its events are done, counted from `BEGIN` on, and how many rows of the next.
//! Debezium does not tell which transaction it has read in part; `gtid` does.
//!
//! So reading begins again where a transaction begins, which is where a server that does not know the file can be asked, too.

use std::{fmt::Write, sync::Arc};

use cdc::{incremental::Running, snapshot::Progress, transaction::Counts};
use connect_core::{Error, Position, Result};
use serde_json::{Map, Value};

use crate::{error, gtid::Gtids};

/// Where a task stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file of the binlog.
    pub file: Arc<str>,
    /// Where the transaction begins that is read next or was read in part.
    pub pos: u64,
    /// How many of its events are done, its `BEGIN` too.
    pub events: u64,
    /// How many rows of the next event are done.
    pub rows: u64,
    /// Its id, when it was read in part and has one: another server may send others before it.
    pub gtid: Option<Arc<str>>,
    /// The transactions before it; none when the server gives no ids.
    pub gtids: Option<Gtids>,
    /// The server on which the last change happened; 0 for none yet.
    pub server_id: u32,
    /// When the last change happened, in seconds since 1970-01-01.
    pub ts_s: Option<i64>,
    /// What has been told of the transaction that was read in part.
    pub counts: Option<Counts>,
    /// How many versions of tables were stored with it; 0 for none, and in Debezium's offsets.
    pub versions: u64,
    /// How far the incremental snapshot is, while one is running.
    pub incremental: Option<Arc<Running>>,
    /// The last record of the topic of signals that was obeyed.
    pub signal_offset: Option<i64>,
    /// How far the snapshot is, while it is not complete.
    pub snapshot: Option<Progress>,
    /// Whether it is within a snapshot that Debezium has not completed.
    pub in_snapshot: bool,
}

/// Where the events of a file begin, behind its magic number.
pub const FIRST_POS: u64 = 4;

/// A place in the binlog of one server, to compare with others of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mark {
    /// The file; its number grows, and may come to have one digit more.
    pub file: Arc<str>,
    /// The place in it.
    pub pos: u64,
}

impl Ord for Mark {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let key = |mark: &Self| (mark.file.len(), Arc::clone(&mark.file), mark.pos);
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Mark {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The source partition: `{"server":"<topic.prefix>"}`.
pub fn partition(prefix: &str) -> String {
    format!("{{\"server\":{}}}", Value::from(prefix))
}

impl Place {
    /// Between two transactions.
    pub fn between(file: &str, pos: u64, gtids: Option<Gtids>) -> Self {
        Self {
            file: file.into(),
            pos,
            gtids,
            ..Self::default()
        }
    }

    /// Whether Debezium has written it: it stores the time of the last change, and no versions.
    pub fn is_debeziums(&self) -> bool {
        self.versions == 0 && self.ts_s.is_some()
    }

    /// The file and the place in it.
    pub fn mark(&self) -> Mark {
        Mark {
            file: Arc::clone(&self.file),
            pos: self.pos,
        }
    }

    /// In Kafka Connect's terms.
    pub fn position(&self, partition: &Arc<str>) -> Position {
        let mut json = String::with_capacity(160);
        // Writing to a String does not fail.
        let _ = write!(
            json,
            "{{\"file\":{},\"pos\":{}",
            Value::from(&*self.file),
            self.pos
        );
        let mut number = |key: &str, number: Option<i64>| {
            if let Some(number) = number {
                let _ = write!(json, ",\"{key}\":{number}");
            }
        };
        let above_zero = |count: u64| i64::try_from(count).ok().filter(|count| *count > 0);
        number("event", above_zero(self.events));
        number("row", above_zero(self.rows));
        number("server_id", above_zero(self.server_id.into()));
        number("ts_sec", self.ts_s);
        number("versions", above_zero(self.versions));
        if let Some(gtids) = &self.gtids {
            let _ = write!(json, ",\"gtids\":\"{gtids}\"");
        }
        if let Some(gtid) = &self.gtid {
            let _ = write!(json, ",\"gtid\":{}", Value::from(&**gtid));
        }
        if let Some(counts) = &self.counts {
            counts.write("", &mut json);
        }
        if let Some(running) = &self.incremental {
            running.write(&mut json);
        }
        if let Some(offset) = self.signal_offset {
            let _ = write!(json, ",\"incremental_snapshot_signal_offset\":{offset}");
        }
        if let Some(progress) = &self.snapshot {
            progress.write(&mut json);
        }
        json.push('}');
        Position {
            partition: Arc::clone(partition),
            offset: json.into(),
            // The server is told nothing.
            order: 0,
        }
    }

    /// Reads an offset, also one that Debezium wrote.
    pub fn parse(offset: &str) -> Result<Self> {
        let wrong = |what: &'static str| Error::new(&error::OFFSET, what).context("offset", offset);
        let object: Map<String, Value> = serde_json::from_str(offset)
            .map_err(|e| wrong("the stored offset is no JSON object").caused_by(e))?;
        // Debezium reads numbers that people have written as text, and begins at the beginning of a file where there is none.
        let count = |key: &str| {
            let given = object.get(key)?;
            given.as_u64().or_else(|| given.as_str()?.parse().ok())
        };
        let file = object.get("file").and_then(Value::as_str);
        let gtids = object.get("gtids").and_then(Value::as_str);
        let gtids = gtids.filter(|text| !text.trim().is_empty());
        // Only ours tell of versions.
        let versions = count("versions").unwrap_or_default();
        let is_ours = versions > 0 || object.contains_key("snapshot_signal");
        Ok(Self {
            file: file
                .ok_or_else(|| wrong("the stored offset has no file"))?
                .into(),
            pos: count("pos").unwrap_or_default().max(FIRST_POS),
            events: count("event").unwrap_or_default(),
            rows: count("row").unwrap_or_default(),
            gtid: object.get("gtid").and_then(Value::as_str).map(Arc::from),
            gtids: gtids.map(str::parse).transpose()?,
            server_id: count("server_id")
                .and_then(|id| u32::try_from(id).ok())
                .unwrap_or_default(),
            ts_s: object.get("ts_sec").and_then(Value::as_i64),
            counts: Counts::read("", &object),
            incremental: Running::parse(&object).map(Arc::new),
            signal_offset: object
                .get("incremental_snapshot_signal_offset")
                .and_then(Value::as_i64),
            versions,
            snapshot: Progress::parse(&object).filter(|_| is_ours),
            in_snapshot: !is_ours && object.get("snapshot").is_some_and(is_within),
        })
    }
}

/// What Debezium writes while a snapshot runs: `true`, or its kind. One that was asked for while streaming is not taken again.
fn is_within(snapshot: &Value) -> bool {
    match snapshot {
        Value::Bool(is) => *is,
        Value::String(kind) => !matches!(kind.to_ascii_lowercase().as_str(), "false" | "blocking"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(place: &Place) -> Place {
        let position = place.position(&partition("shop").into());
        assert_eq!(&*position.partition, "{\"server\":\"shop\"}");
        Place::parse(&position.offset).unwrap()
    }

    #[test]
    fn places_come_back() {
        let between = Place::between("binlog.000003", 154, None);
        assert_eq!(there_and_back(&between), between);
        let mut counts = Counts::new("file=binlog.000003,pos=154".into());
        counts.count(&"shop.t".into());
        let within = Place {
            events: 3,
            rows: 200,
            gtid: Some("0-1-8".into()),
            gtids: Some("0-1-7".parse().unwrap()),
            server_id: 223_344,
            ts_s: Some(1_800_000_000),
            counts: Some(counts),
            ..between
        };
        assert_eq!(there_and_back(&within), within);
    }

    #[test]
    fn offsets_of_debezium_are_read() {
        let place = Place::parse(
            r#"{"transaction_id":null,"ts_sec":1790000000,"file":"mysql-bin.000003","pos":805,
                "gtids":"24bc7850-2c16-11e6-a073-0242ac110002:1-77,\n36bc7850-2c16-11e6-a073-0242ac110002:1",
                "row":1,"server_id":112233,"event":2}"#,
        )
        .unwrap();
        assert_eq!(
            (&*place.file, place.pos, place.events, place.rows),
            ("mysql-bin.000003", 805, 2, 1)
        );
        assert_eq!(
            (place.server_id, place.ts_s),
            (112_233, Some(1_790_000_000))
        );
        assert!(place.counts.is_none());
        assert_eq!(
            place.gtids.unwrap().to_string(),
            "24bc7850-2c16-11e6-a073-0242ac110002:1-77,36bc7850-2c16-11e6-a073-0242ac110002:1"
        );
        let plain = Place::parse(r#"{"file":"b.1","pos":4,"gtids":""}"#).unwrap();
        assert_eq!(plain, Place::between("b.1", 4, None));
        assert_eq!(Place::parse(r#"{"file":"b.1"}"#).unwrap(), plain);
        assert_eq!(
            Place::parse(r#"{"file":"b.1","pos":"70"}"#).unwrap().pos,
            70
        );
    }

    #[test]
    fn how_far_a_snapshot_is_comes_back_and_debezium_s_begins_anew() {
        let progress = Progress {
            table: Some(("d".into(), "t".into())),
            key: vec!["7".into(), "#1".into()],
            ..Progress::default()
        };
        let asked = Progress {
            only: Some("{}".into()),
            ..Progress::default()
        };
        for snapshot in [progress, asked, Progress::default()] {
            let within = Place {
                versions: 1,
                snapshot: Some(snapshot),
                ..Place::between("b.1", 4, None)
            };
            assert_eq!(there_and_back(&within), within);
        }
        let of = |kind: &str| {
            let offset =
                format!(r#"{{"file":"b.1","pos":4,"snapshot":{kind},"snapshot_completed":false}}"#);
            let place = Place::parse(&offset).unwrap();
            (place.in_snapshot, place.snapshot)
        };
        assert_eq!(of("true"), (true, None));
        assert_eq!(of("\"INITIAL\""), (true, None));
        assert_eq!(of("\"BLOCKING\""), (false, None));
    }

    #[test]
    fn what_is_no_offset_is_refused() {
        for offset in [
            "",
            "[]",
            "{}",
            r#"{"pos":4}"#,
            r#"{"file":"b.1","pos":4,"gtids":"1-2"}"#,
        ] {
            assert!(Place::parse(offset).is_err(), "{offset}");
        }
    }
}
