//! Every transform against what Kafka Connect 4.3 and Debezium 3.6 make of the same records (`tests/golden.json`).

use std::sync::Arc;

use connect_codec::json::{JsonConverter, JsonSettings};
use connect_core::{
    Batch, Cell, Datum, Field, Header, Properties, Record, Route, Schema, Type,
    codec::{Converter, Decoded},
};
use serde_json::Value as Json;

use super::{Transforms, all_predicates, predicate, predicate_keys, transform};

fn converter(schemas: bool) -> JsonConverter {
    JsonConverter::new(JsonSettings {
        schemas,
        ..JsonSettings::default()
    })
}

fn decode(text: &Json, schemas: bool, batch: &mut Batch) -> Decoded {
    let bytes = text.as_str().map(str::as_bytes);
    converter(schemas).decoder().decode(bytes, batch).unwrap()
}

/// A null is no bytes, as for the recorder, although the converter writes a null with its schema.
fn encode(datum: Datum<'_>, schemas: bool) -> Result<Option<String>, String> {
    if datum.is_null() {
        return Ok(None);
    }
    let mut out = Vec::new();
    let mut encoder = converter(schemas)
        .compile(datum.schema())
        .map_err(|e| e.to_string())?;
    let some = encoder.encode(datum, &mut out).map_err(|e| e.to_string())?;
    Ok(some.then(|| String::from_utf8(out).unwrap()))
}

/// One record in a batch, as the case tells.
fn record(case: &Json, batch: &mut Batch) {
    let schemas = case["schemas"].as_bool().unwrap();
    let key = decode(&case["key"], schemas, batch);
    let value = decode(&case["value"], schemas, batch);
    let route = Route::new(case["topic"].as_str().unwrap(), key.schema, value.schema);
    let mut record = Record::new(batch.route_index(&route), key.cell, value.cell);
    record.partition = 3;
    if case.get("source").is_none() {
        record.offset = 42;
    }
    record.timestamp_ms = 1_700_000_000_123;
    let mut headers = Vec::new();
    if let Some(names) = case["drop"].as_array() {
        let names: Vec<Cell> = names
            .iter()
            .map(|name| batch.push_bytes(name.as_str().unwrap().as_bytes()))
            .collect();
        headers.push(Header {
            name: "drop".into(),
            schema: Some(Arc::new(Schema::of(Type::Array(Arc::new(Schema::of(
                Type::String,
            )))))),
            value: batch.push_nest(&names),
        });
    }
    for header in case["with"].as_array().into_iter().flatten() {
        headers.push(Header {
            name: header[0].as_str().unwrap().into(),
            schema: Some(Arc::new(Schema::of(Type::String))),
            value: batch.push_bytes(header[1].as_str().unwrap().as_bytes()),
        });
    }
    batch.push_with_headers(record, &headers);
}

/// What our transform makes of it, in the form of the expectation.
fn outcome(case: &Json) -> Json {
    let error = |why: String| serde_json::json!({ "error": why });
    let settings: Properties = serde_json::from_value(case["settings"].clone()).unwrap();
    let mut transform = match transform(case["class"].as_str().unwrap(), &settings) {
        Ok(transform) => transform,
        Err(findings) => return error(format!("{findings:?}")),
    };
    let mut batch = Batch::default();
    record(case, &mut batch);
    let verdicts = transform.apply(&mut batch, &|_| true).unwrap();
    if let Some((_, err)) = verdicts.refused.first() {
        return error(err.to_string());
    }
    if !verdicts.dropped.is_empty() {
        return serde_json::json!({ "dropped": true });
    }
    let row = batch.row(0).unwrap();
    let schemas = case["schemas"].as_bool().unwrap();
    let headers = row.headers().filter(|(name, _)| &***name != "drop");
    let headers: serde_json::Map<String, Json> = headers
        .map(|(name, datum)| (name.to_string(), encode(datum, true).unwrap().into()))
        .collect();
    match (encode(row.key(), schemas), encode(row.value(), schemas)) {
        (Ok(key), Ok(value)) => {
            let mut made = serde_json::json!({
                "topic": &**row.topic(), "key": key, "value": value, "headers": headers,
            });
            let after = row.record();
            if after.timestamp_ms != 1_700_000_000_123 {
                made["timestamp"] = after.timestamp_ms.into();
            }
            if after.partition != 3 {
                let partition = Some(after.partition).filter(|partition| *partition >= 0);
                made["partition"] = partition.into();
            }
            made
        }
        (Err(why), _) | (_, Err(why)) => error(why),
    }
}

/// Schemaless maps have no order in Java; texts with schemas are compared byte for byte.
fn comparable(outcome: &Json, case: &Json) -> Json {
    let mut outcome = outcome.clone();
    if outcome.get("error").is_some() {
        return Json::from("error");
    }
    for side in ["key", "value"] {
        if case["schemas"] == false
            && let Some(text) = outcome[side].as_str()
        {
            outcome[side] = serde_json::from_str(text).unwrap();
        }
    }
    // A null is no bytes here, where the JSON converter of headers writes a null with its schema.
    if let Some(headers) = outcome["headers"].as_object_mut() {
        let null = |text: &Json| {
            text.as_str()
                .is_some_and(|text| text.ends_with("\"payload\":null}"))
        };
        for text in headers.values_mut() {
            *text = match text.as_str().filter(|_| !null(text)) {
                Some(shown) if case["schemas"] == false => serde_json::from_str(shown).unwrap(),
                Some(shown) => shown.into(),
                None => Json::Null,
            };
        }
    }
    outcome
}

/// What we do in another way, knowingly.
fn known_difference(case: &Json) -> bool {
    let class = case["class"].as_str().unwrap();
    // Kafka Connect's `MaskField` fails on tombstones; here they pass, as with all its other transforms.
    let tombstone = class.contains("MaskField") && case["value"].is_null();
    // Kafka Connect's `SetSchemaMetadata` fails on anything but structs, since it asks for their fields.
    let not_struct = class.contains("SetSchemaMetadata")
        && case["expected"]["error"] == "Cannot list fields on non-struct type";
    // Two fields become one in a Java map without order.
    let clash = case["schemas"] == false && case["settings"]["renames"] == "id:name";
    tombstone || not_struct || clash
}

#[test]
fn transforms_do_what_those_of_kafka_connect_and_debezium_do() {
    let mut wrong = Vec::new();
    let golden = include_str!("tests/golden.json");
    for line in golden.lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let (ours, theirs) = (outcome(&case), &case["expected"]);
        let same = comparable(&ours, &case) == comparable(theirs, &case);
        if !same && !known_difference(&case) {
            wrong.push(format!("{line}\n  ours: {ours}\n"));
        }
    }
    let all = golden.lines().count();
    assert!(
        wrong.is_empty(),
        "{} of {all} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(all > 1000);
}

/// Properties as the `ConfigDef`s of Kafka Connect 4.3 and Debezium 3.6 list them, in `tests/keys.txt`.
#[test]
fn properties_are_those_of_kafka_connect_and_debezium() {
    let mut class = "";
    let mut listed = 0;
    let known = Transforms::new([]);
    for line in include_str!("tests/keys.txt").lines() {
        if let Some(name) = line.strip_prefix("## ") {
            class = name;
            continue;
        }
        let keys = known.keys(class).or_else(|| predicate_keys(class)).unwrap();
        let name = line.split(" | ").next().unwrap();
        let key = keys
            .iter()
            .find(|key| key.name == name)
            .unwrap_or_else(|| panic!("{class} {name}"));
        let default = match key.default {
            _ if key.required => "-",
            default => default.unwrap_or("null"),
        };
        let ours = [
            key.name,
            key.kind.name(),
            &key.required.to_string(),
            default,
            key.importance.name(),
            key.group.unwrap_or("null"),
            &key.order.to_string(),
            key.width.name(),
            key.display,
            &key.documentation,
        ];
        assert_eq!(ours.join(" | "), line.trim_end(), "{class}");
        listed += 1;
    }
    assert_eq!(listed, 122);
}

#[test]
fn every_class_can_be_found_and_says_what_it_misses() {
    let known = Transforms::new([]);
    assert!(known.classes().is_sorted());
    for class in known.classes().chain(all_predicates()) {
        assert!(
            known.keys(class).is_some() || predicate_keys(class).is_some(),
            "{class}"
        );
    }
    assert!(transform("ExtractNewRecordState", &Properties::new()).is_ok());
    let findings = transform("RegexRouter", &Properties::new()).err().unwrap();
    let keys: Vec<&str> = findings
        .iter()
        .map(|finding| finding.key.as_str())
        .collect();
    assert_eq!(keys, ["regex", "replacement"]);
    let given = Properties::from([
        ("regex".into(), "(?=x)".into()),
        ("replacement".into(), "$1".into()),
    ]);
    let findings = transform("RegexRouter", &given).err().unwrap();
    assert!(findings[0].message.contains("lookahead"), "{findings:?}");
    assert!(
        transform("No", &Properties::new()).is_err()
            && predicate("No", &Properties::new()).is_err()
    );
}

fn batch(topics: &[(&str, Cell, &[&str])]) -> Batch {
    let mut batch = Batch::default();
    for (topic, value, headers) in topics {
        let header = |name: &&str| Header {
            name: (*name).into(),
            schema: None,
            value: Cell::Null,
        };
        let route = Route::new(*topic, None, Some(Arc::new(Schema::of(Type::Int32))));
        let headers: Vec<Header> = headers.iter().map(header).collect();
        let record = Record::new(batch.route_index(&route), Cell::Null, *value);
        batch.push_with_headers(record, &headers);
    }
    batch
}

#[test]
fn predicates_choose_and_the_filter_drops() {
    let batch = &mut batch(&[
        ("a.orders", Cell::Int(1), &["x", "y"]),
        ("a.orders", Cell::Null, &[]),
        ("b.orders.more", Cell::Int(2), &["y"]),
    ]);
    let chosen = |class: &str, key: &str, value: &str| -> Vec<usize> {
        let given = Properties::from([(key.to_owned(), value.to_owned())]);
        let predicate = predicate(class, &given).unwrap();
        (0..batch.len())
            .filter(|index| predicate.test(batch, *index))
            .collect()
    };
    assert_eq!(chosen("TopicNameMatches", "pattern", ".*orders"), [0, 1]);
    assert_eq!(chosen("HasHeaderKey", "name", "y"), [0, 2]);
    assert_eq!(chosen("RecordIsTombstone", "", ""), [1]);
    let mut filter = transform("Filter", &Properties::new()).unwrap();
    let verdicts = filter.apply(batch, &|index| index == 2).unwrap();
    assert_eq!(verdicts.dropped, [2]);
}

// Invariant 3: absent is not null.
#[test]
fn absent_values_stay_absent_through_every_transform() {
    let text = || {
        Schema::of(Type::String)
            .optional()
            .default_value("d".into())
    };
    let row = Schema::structure([Field::new("a", text()), Field::new("b", text())]);
    for (class, settings) in [
        (
            "InsertField$Value",
            &[("static.field", "s"), ("static.value", "v")][..],
        ),
        ("ReplaceField$Value", &[("renames", "a:c")]),
        ("Flatten$Value", &[]),
        ("SetSchemaMetadata$Value", &[("schema.name", "n")]),
        (
            "HeaderFrom$Value",
            &[("fields", "a"), ("headers", "h"), ("operation", "move")],
        ),
        ("MaskField$Value", &[("fields", "b")]),
        ("Cast$Value", &[("spec", "b:string")]),
        (
            "TimestampConverter$Value",
            &[("field", "b"), ("target.type", "unix"), ("format", "yyyy")],
        ),
    ] {
        let settings = settings
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()));
        let mut transform = transform(class, &settings.collect()).unwrap();
        let mut batch = Batch::default();
        let route = Route::new("t", None, Some(Arc::new(row.clone())));
        let value = batch.push_nest(&[Cell::Null, Cell::Absent]);
        let record = Record::new(batch.route_index(&route), Cell::Null, value);
        batch.push(record);
        let verdicts = transform.apply(&mut batch, &|_| true).unwrap();
        assert!(verdicts.refused.is_empty());
        let value = batch.row(0).unwrap().value();
        assert!(value.get("b").unwrap().is_absent(), "{class}");
    }
}

#[test]
fn a_refused_record_is_left_as_it_was_and_others_go_on() {
    let row = Arc::new(Schema::structure([Field::new(
        "a",
        Schema::of(Type::String),
    )]));
    let route = Route::new("t", None, Some(row));
    let mut batch = Batch::default();
    for text in ["1", "x", "3"] {
        let text = batch.push_bytes(text.as_bytes());
        let value = batch.push_nest(&[text]);
        let record = Record::new(batch.route_index(&route), Cell::Null, value);
        batch.push(record);
    }
    let before = batch.records()[1];
    let given = Properties::from([("spec".to_owned(), "a:int32".to_owned())]);
    let verdicts = transform("Cast$Value", &given)
        .unwrap()
        .apply(&mut batch, &|_| true)
        .unwrap();
    assert_eq!(
        verdicts
            .refused
            .iter()
            .map(|(index, _)| *index)
            .collect::<Vec<_>>(),
        [1]
    );
    let after = batch.records()[1];
    assert_eq!((after.route, after.value), (before.route, before.value));
    assert_eq!(
        batch.row(2).unwrap().value().get("a").unwrap().int(),
        Some(3)
    );
    assert_eq!(batch.routes().len(), 2, "one new route for all records");
}
