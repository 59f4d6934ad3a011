//! What cannot be equal, by name: the only list.

use serde_json::Value;

use crate::record::Record;

/// A place whose value is not compared; its presence, type and order are.
#[derive(Debug, Clone, Copy)]
pub struct Mask {
    /// The path in the payload, parts separated by dots.
    pub path: &'static str,
    /// In which records.
    pub of: Of,
    /// Why it cannot be equal.
    pub why: &'static str,
}

/// Which records a mask is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// All.
    All,
    /// Those of a snapshot.
    Snapshot,
    /// Those without an envelope around the row.
    Flat,
    /// Notifications.
    Notification,
}

const fn mask(path: &'static str, of: Of, why: &'static str) -> Mask {
    Mask { path, of, why }
}

const CLOCK: &str = "the clock of the connector when it saw the event";
const MOMENT: &str = "each side takes its own snapshot at its own moment";

/// The list.
pub const MASKS: &[Mask] = &[
    mask("ts_ms", Of::All, CLOCK),
    mask("ts_us", Of::All, CLOCK),
    mask("ts_ns", Of::All, CLOCK),
    mask("source.version", Of::All, "the version of the software"),
    mask("source.ts_ms", Of::Snapshot, MOMENT),
    mask("source.ts_us", Of::Snapshot, MOMENT),
    mask("source.ts_ns", Of::Snapshot, MOMENT),
    mask("source.sequence", Of::Snapshot, MOMENT),
    mask("source.txId", Of::Snapshot, MOMENT),
    mask("source.lsn", Of::Snapshot, MOMENT),
    mask("source.file", Of::Snapshot, MOMENT),
    mask("source.pos", Of::Snapshot, MOMENT),
    mask("source.gtid", Of::Snapshot, MOMENT),
    mask("__ts_ms", Of::Flat, CLOCK),
    mask("timestamp", Of::Notification, CLOCK),
];

/// Headers whose values are not compared, and why.
pub const HEADERS: &[(&str, &str)] =
    &[("__debezium.context.runId", "a random number of each start")];

/// Topics of which only the first record is compared, since their number is a matter of time: (part of the name, why).
pub const ONCE: &[(&str, &str)] = &[("heartbeat", "one for each interval that passes")];

/// Leaves out what is told of transactions without events: on a MySQL server the connectors see those of all databases, and each
/// begins at its own moment.
pub(crate) fn others_transactions(records: &mut Vec<Record>) {
    let payload = |record: &Record| record.value.get("payload").unwrap_or(&record.value).clone();
    // The id of MySQL's transactions: a GTID, or a place in a file.
    let id = |payload: &Value| {
        let is_told = payload["status"].is_string();
        let id = payload["id"].as_str().filter(|_| is_told)?;
        id.contains(['-', '=']).then(|| id.to_owned())
    };
    let payloads = records.iter().map(payload);
    let ours: Vec<String> = payloads
        .filter(|payload| {
            payload["event_count"]
                .as_i64()
                .is_some_and(|count| count > 0)
        })
        .filter_map(|payload| id(&payload))
        .collect();
    records.retain(|record| id(&payload(record)).is_none_or(|id| ours.contains(&id)));
}

/// Of tables that are read side by side it is chance which is the last: its last row is marked as that of any other.
pub(crate) fn last_of_all(records: &mut [Record]) {
    for record in records {
        let marker = record.value.pointer_mut("/payload/source/snapshot");
        if let Some(marker) = marker.filter(|marker| *marker == "last") {
            *marker = Value::from("last_in_data_collection");
        }
    }
}

/// Whether only the first record of a topic is compared.
pub(crate) fn is_endless(topic: &str) -> bool {
    ONCE.iter().any(|(part, _)| topic.contains(part))
}

/// Blanks what is masked.
pub(crate) fn apply(record: &mut Record) {
    let payload = match record.value.get_mut("payload") {
        Some(_) => record.value.get_mut("payload"),
        None => Some(&mut record.value),
    };
    if let Some(payload) = payload {
        let of = kind(payload);
        if of == Of::Notification && payload["id"].as_str().is_some_and(is_random) {
            blank(payload, "id");
            blank(&mut record.key, "payload.id");
        }
        if of == Of::Notification {
            sort(&mut payload["additional_data"]);
        }
        for mask in MASKS {
            if mask.of == Of::All || mask.of == of {
                blank(payload, mask.path);
            }
        }
    }
    for (name, value) in &mut record.headers {
        if HEADERS.iter().any(|(masked, _)| masked == name) {
            *value = Value::from("masked");
        }
    }
}

fn kind(payload: &Value) -> Of {
    match payload.get("source").map(|source| &source["snapshot"]) {
        Some(Value::String(snapshot)) if snapshot != "false" => Of::Snapshot,
        Some(_) => Of::All,
        None if payload.get("aggregate_type").is_some() => Of::Notification,
        None => Of::Flat,
    }
}

/// The order of Java's maps and sets is another with each start.
fn sort(data: &mut Value) {
    if let Some(data) = data.as_object_mut() {
        data.sort_keys();
    }
    if let Some(Value::String(tables)) = data.get_mut("data_collections") {
        let mut names: Vec<&str> = tables.split(',').collect();
        names.sort_unstable();
        *tables = names.join(",");
    }
}

/// A notification that no signal asked for has a random UUID as its id.
fn is_random(id: &str) -> bool {
    id.len() == 36 && id.matches('-').count() == 4
}

/// Numbers and texts lose their value and keep their type; null stays.
fn blank(payload: &mut Value, path: &str) {
    let mut at = Some(payload);
    for part in path.split('.') {
        at = at.and_then(|value| value.get_mut(part));
    }
    match at {
        Some(value @ Value::Number(_)) => *value = Value::from("a number, masked"),
        Some(value @ Value::String(_)) => *value = Value::from("a text, masked"),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn masked(value: Value) -> Value {
        let mut record = Record {
            partition: 0,
            key: Value::Null,
            value,
            headers: Vec::new(),
        };
        apply(&mut record);
        record.value
    }

    #[test]
    fn a_snapshot_has_its_own_moment_and_a_stream_does_not() {
        let streamed = json!({"payload": {"source": {"version": "1", "snapshot": "false", "lsn": 7}, "ts_ms": 1}});
        let streamed = masked(streamed);
        assert_eq!(streamed["payload"]["source"]["lsn"], 7);
        assert_eq!(streamed["payload"]["ts_ms"], "a number, masked");
        let read = json!({"source": {"snapshot": "last", "lsn": 7, "sequence": null}});
        let read = masked(read);
        assert_eq!(read["source"]["lsn"], "a number, masked");
        assert_eq!(read["source"]["sequence"], Value::Null);
    }
}
