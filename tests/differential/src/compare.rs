//! Record by record, field by field.

use std::{collections::BTreeSet, fmt::Write as _};

use serde_json::Value;

use crate::{mask, record::Record, tap::Topics};

/// Something that is not equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where: topic (without the run's name), what part of the record, field by field. The same for all records of a topic.
    pub place: String,
    /// The first record's number in the topic.
    pub record: usize,
    /// What Debezium wrote, as JSON.
    pub debezium: String,
    /// What we wrote.
    pub tidewater: String,
    /// How many records have it.
    pub times: usize,
}

/// Longer values are cut in reports.
const SHOWN: usize = 300;
/// Of a record that only one side has.
const MISSING: &str = "-";

/// What differs between the topics of the two sides. `run` is left out of names.
/// With `any_order`, what is told while tables are read may come in any.
pub fn compare(
    debezium: &Topics,
    tidewater: &Topics,
    run: &str,
    any_order: bool,
) -> Vec<Difference> {
    let mut found = Found {
        run,
        all: Vec::new(),
    };
    let topics: BTreeSet<&String> = debezium.keys().chain(tidewater.keys()).collect();
    for topic in topics {
        let of = |topics: &Topics| {
            let mut records = masked(topic, topics.get(topic));
            if any_order {
                mask::last_of_all(&mut records);
                sort_snapshot(&mut records);
            }
            records
        };
        found.topic(topic, &of(debezium), &of(tidewater));
    }
    found.all
}

fn masked(topic: &str, records: Option<&Vec<Record>>) -> Vec<Record> {
    let mut records = records.cloned().unwrap_or_default();
    mask::others_transactions(&mut records);
    if mask::is_endless(topic) {
        records.truncate(1);
    }
    records.iter_mut().for_each(mask::apply);
    records
}

/// Sorts what was told before the stream began.
fn sort_snapshot(records: &mut [Record]) {
    let is_streamed = |record: &Record| {
        let snapshot = &record.value["payload"]["source"]["snapshot"];
        snapshot.as_str().is_none_or(|snapshot| snapshot == "false")
            && record.value["payload"]["aggregate_type"].is_null()
    };
    let end = records.iter().position(is_streamed);
    let (read, _) = records.split_at_mut(end.unwrap_or(records.len()));
    read.sort_by_cached_key(|record| {
        let payload = &record.value["payload"];
        let parts =
            ["after", "ddl", "type", "additional_data"].map(|part| payload[part].to_string());
        (record.key.to_string(), parts)
    });
}

struct Found<'a> {
    run: &'a str,
    all: Vec<Difference>,
}

impl Found<'_> {
    fn topic(&mut self, topic: &str, debezium: &[Record], tidewater: &[Record]) {
        let topic = topic.replace(self.run, "*");
        for at in 0..debezium.len().max(tidewater.len()) {
            match (debezium.get(at), tidewater.get(at)) {
                (Some(one), Some(other)) => self.record(&topic, at, one, other),
                (one, other) => {
                    let text = |record: Option<&Record>| record.map_or(MISSING.into(), summary);
                    self.add(format!("{topic} record"), at, text(one), text(other));
                }
            }
        }
    }

    fn record(&mut self, topic: &str, at: usize, one: &Record, other: &Record) {
        let partitions = (Value::from(one.partition), Value::from(other.partition));
        self.value(
            format!("{topic} partition"),
            at,
            &partitions.0,
            &partitions.1,
        );
        self.value(format!("{topic} key"), at, &one.key, &other.key);
        self.value(format!("{topic} value"), at, &one.value, &other.value);
        let names = |record: &Record| -> Vec<Value> {
            let names = record.headers.iter().map(|(name, _)| name.as_str().into());
            names.collect()
        };
        let (one_names, other_names) = (names(one), names(other));
        if one_names == other_names {
            for ((name, one), (_, other)) in one.headers.iter().zip(&other.headers) {
                self.value(format!("{topic} header {name}"), at, one, other);
            }
        } else {
            let place = format!("{topic} headers");
            self.value(place, at, &one_names.into(), &other_names.into());
        }
    }

    fn value(&mut self, place: String, at: usize, one: &Value, other: &Value) {
        match (one, other) {
            (Value::Object(one), Value::Object(other)) => {
                let (names, other_names): (Vec<_>, Vec<_>) =
                    (one.keys().collect(), other.keys().collect());
                if names != other_names {
                    let text = |names: &[&String]| format!("{names:?}");
                    let place = format!("{place} fields");
                    self.add(place, at, text(&names), text(&other_names));
                }
                for (name, one) in one {
                    if let Some(other) = other.get(name) {
                        self.value(format!("{place}.{name}"), at, one, other);
                    }
                }
            }
            (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
                for (index, (one, other)) in one.iter().zip(other).enumerate() {
                    // A schema's field by its name, which says more than its number.
                    let name = one["field"].as_str().map(str::to_owned);
                    let name = name.unwrap_or_else(|| index.to_string());
                    self.value(format!("{place}.{name}"), at, one, other);
                }
            }
            (Value::String(one), Value::String(other)) if one != other && is_json(one, other) => {
                self.add(place, at, one.clone(), other.clone());
            }
            _ if one != other => self.add(place, at, one.to_string(), other.to_string()),
            _ => {}
        }
    }

    /// A row has the same schema before and after: what is wrong with both is told once, of `after`.
    fn add(&mut self, place: String, record: usize, debezium: String, tidewater: String) {
        let place = match place.split_once(" value.schema.fields.before.") {
            Some((topic, field)) => format!("{topic} value.schema.fields.after.{field}"),
            None => place,
        };
        if let Some(known) = self.all.iter_mut().find(|known| known.place == place) {
            known.times += 1;
            return;
        }
        self.all.push(Difference {
            place,
            record,
            debezium,
            tidewater,
            times: 1,
        });
    }
}

fn is_json(one: &str, other: &str) -> bool {
    [one, other].iter().all(|text| text.starts_with(['{', '[']))
}

fn summary(record: &Record) -> String {
    let payload = |value: &Value| value.get("payload").unwrap_or(value).clone();
    format!(
        "key {} value {}",
        payload(&record.key),
        payload(&record.value)
    )
}

/// The differences for people.
pub(crate) fn report(differences: &[Difference]) -> String {
    let mut text = String::new();
    for one in differences {
        let times = match one.times {
            1 => String::new(),
            times => format!(", {times} times"),
        };
        let _ = writeln!(text, "{} (record {}{times})", one.place, one.record);
        for (side, value) in [("debezium", &one.debezium), ("tidewater", &one.tidewater)] {
            let shown: String = value.chars().take(SHOWN).collect();
            let cut = if shown.len() < value.len() {
                " …"
            } else {
                ""
            };
            let _ = writeln!(text, "    {side:<9} {shown}{cut}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn topics(value: Value, headers: &[&str]) -> Topics {
        let headers = headers.iter().map(|name| ((*name).to_owned(), Value::Null));
        let record = Record {
            partition: 0,
            key: Value::Null,
            value,
            headers: headers.collect(),
        };
        Topics::from([("run.t".to_owned(), vec![record])])
    }

    fn places(one: Value, other: Value) -> Vec<String> {
        let found = compare(&topics(one, &[]), &topics(other, &[]), "run", false);
        found.into_iter().map(|one| one.place).collect()
    }

    #[test]
    fn values_schemas_and_the_order_of_fields_count() {
        let row = json!({"payload": {"a": 1, "b": "x"}});
        assert!(places(row.clone(), row.clone()).is_empty());
        assert_eq!(
            places(row.clone(), json!({"payload": {"a": 1, "b": "y"}})),
            ["*.t value.payload.b"]
        );
        assert_eq!(
            places(row.clone(), json!({"payload": {"b": "x", "a": 1}})),
            ["*.t value.payload fields"]
        );
        assert_eq!(places(json!({"a": 1}), json!({"a": 1.0})), ["*.t value.a"]);
        let field = |ty: &str| json!({"schema": {"fields": [{"type": ty, "field": "id"}]}});
        assert_eq!(
            places(field("int32"), field("int64")),
            ["*.t value.schema.fields.id.type"]
        );
    }

    #[test]
    fn missing_records_and_headers_count() {
        let row = json!({"a": 1});
        let found = compare(&topics(row.clone(), &[]), &Topics::new(), "run", false);
        assert_eq!((found.len(), found[0].tidewater.as_str()), (1, MISSING));
        let found = compare(
            &topics(row.clone(), &["h"]),
            &topics(row, &[]),
            "run",
            false,
        );
        assert_eq!(found[0].place, "*.t headers");
    }

    #[test]
    fn rows_of_a_snapshot_may_come_in_any_order_and_streamed_ones_may_not() {
        let row = |snapshot: &str, id: i64| {
            let payload = json!({"source": {"snapshot": snapshot}, "after": {"id": id}});
            Record {
                partition: 0,
                key: Value::Null,
                value: json!({ "payload": payload }),
                headers: Vec::new(),
            }
        };
        let topics = |records: Vec<Record>| Topics::from([("run.t".to_owned(), records)]);
        let one = topics(vec![row("true", 1), row("last", 2), row("false", 3)]);
        let other = topics(vec![row("last", 2), row("true", 1), row("false", 3)]);
        assert!(compare(&one, &other, "run", true).is_empty());
        assert!(!compare(&one, &other, "run", false).is_empty());
        let marked = topics(vec![row("last", 1), row("true", 2), row("false", 3)]);
        assert!(!compare(&one, &marked, "run", true).is_empty());
        let streamed = topics(vec![row("false", 1), row("false", 3)]);
        let turned = topics(vec![row("false", 3), row("false", 1)]);
        assert!(!compare(&streamed, &turned, "run", true).is_empty());
    }
}
