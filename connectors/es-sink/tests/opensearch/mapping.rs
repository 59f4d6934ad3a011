//! What indices look like that the sink makes.

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Field, Form, Record, Route, Schema, SinkTask, Type, Value, meter::Meter,
    schema::logical,
};

use super::SERVER;

fn row(extra: bool) -> Arc<Schema> {
    let named = |ty, name| Schema::of(ty).named(name, 1);
    let decimal = named(Type::Bytes, logical::DECIMAL)
        .parameter("scale", "2")
        .form(Form::DecimalText);
    let mut fields = vec![
        Field::new("id", Schema::of(Type::Int32)),
        Field::new("price", decimal),
        Field::new("at", named(Type::Int64, "io.debezium.time.MicroTimestamp")),
        Field::new(
            "zoned",
            named(Type::String, "io.debezium.time.ZonedTimestamp"),
        ),
        Field::new("ratio", Schema::of(Type::Float64)),
        Field::new("uuid", named(Type::String, "io.debezium.data.Uuid")),
        Field::new("photo", Schema::of(Type::Bytes)),
        Field::new(
            "tags",
            Schema::of(Type::Array(Arc::new(Schema::of(Type::String)))),
        ),
        Field::new("title", Schema::of(Type::String)),
    ];
    if extra {
        fields.push(Field::new("added", Schema::of(Type::Bool)));
    }
    Arc::new(Schema::structure(fields))
}

fn batch(topic: &str, offset: i64, schema: &Arc<Schema>, value: Vec<(&str, Value)>) -> Batch {
    let route = Route::new(
        topic,
        Some(Arc::new(Schema::of(Type::Int32))),
        Some(Arc::clone(schema)),
    );
    let mut batch = Batch::default();
    let at = batch.route_index(&route);
    let entries = value
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    let cell = batch.push_value(&Value::Map(entries.collect()), Some(schema));
    let mut record = Record::new(at, Cell::Int(offset), cell);
    (record.partition, record.offset) = (0, offset);
    batch.push(record);
    batch
}

fn values(at: i64, zoned: &str, ratio: f64) -> Vec<(&'static str, Value)> {
    vec![
        ("id", Value::Int(1)),
        ("price", Value::Digits("12345678901234567.89".into())),
        ("at", Value::Int(at)),
        ("zoned", zoned.into()),
        ("ratio", Value::Float(ratio)),
        ("uuid", "6f0b0a86-7a3c-4ec9-9e6c-111111111111".into()),
        ("photo", Value::Bytes(vec![1, 2, 255])),
        ("tags", Value::Array(vec!["a".into(), "b".into()])),
        ("title", "2026-01-01".into()),
        ("added", Value::Bool(true)),
    ]
}

fn types(index: &str) -> Vec<(String, String)> {
    let mapping = SERVER.ask("GET", &format!("/{index}/_mapping"), "");
    let properties = mapping[index]["mappings"]["properties"]
        .as_object()
        .expect("properties");
    let mut all: Vec<(String, String)> = properties
        .iter()
        .map(|(name, of)| {
            (
                name.clone(),
                of["type"].as_str().unwrap_or("object").to_owned(),
            )
        })
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn fields_have_the_types_of_the_schema_and_new_ones_are_added() {
    let mut task = SERVER.task(&[("mapping.decimal", "scaled_float")]);
    task.open(Meter::default()).await.unwrap();
    let first = batch(
        "typed",
        1,
        &row(false),
        values(1_700_000_000_123_456, "2026-01-01T00:00:00Z", 0.5),
    );
    assert!(task.write(&first).await.unwrap().is_empty());
    let expected = [
        ("at", "date"),
        ("id", "integer"),
        ("photo", "binary"),
        ("price", "scaled_float"),
        ("ratio", "double"),
        ("tags", "text"),
        ("title", "text"),
        ("uuid", "keyword"),
        ("zoned", "date"),
    ];
    let found = types("typed");
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|(n, t)| (n.as_str(), t.as_str()))
        .collect();
    assert_eq!(found, expected);
    let document = &SERVER.documents("typed")["1"];
    assert_eq!(document["at"], "2023-11-14T22:13:20.123456");
    assert_eq!(document["photo"], "AQL/");

    let second = batch(
        "typed",
        2,
        &row(true),
        values(0, "2026-01-01T00:00:00Z", 0.5),
    );
    assert!(task.write(&second).await.unwrap().is_empty());
    assert!(types("typed").contains(&("added".into(), "boolean".into())));
}

#[tokio::test]
async fn values_beyond_the_servers_types_keep_their_documents() {
    let mut task = SERVER.task(&[]);
    task.open(Meter::default()).await.unwrap();
    let strange = [
        (9_223_372_036_825_200_000, "infinity", f64::NAN),
        (-9_223_372_036_832_400_000, "-infinity", f64::NEG_INFINITY),
    ];
    for (offset, (at, zoned, ratio)) in (1..).zip(strange) {
        let batch = batch("beyond", offset, &row(false), values(at, zoned, ratio));
        let rejects = task.write(&batch).await.unwrap();
        assert!(rejects.is_empty(), "{rejects:?}");
    }
    let documents = SERVER.documents("beyond");
    assert_eq!(documents["1"]["ratio"], "NaN");
    assert_eq!(documents["1"]["price"], "12345678901234567.89");
    assert_eq!(documents["2"]["zoned"], "-infinity");
}

#[tokio::test]
async fn schemas_are_ignored_when_told() {
    let mut task = SERVER.task(&[("schema.ignore", "true")]);
    task.open(Meter::default()).await.unwrap();
    let first = batch(
        "dynamic",
        1,
        &row(false),
        values(0, "2026-01-01T00:00:00Z", 0.5),
    );
    assert!(task.write(&first).await.unwrap().is_empty());
    // Without date detection a text that looks like a date stays text.
    assert!(types("dynamic").contains(&("title".into(), "text".into())));
}
