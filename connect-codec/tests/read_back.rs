//! What we write, read by libraries of others, with the schemas that a real registry has.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use connect_core::{
    Batch, Datum, Field, Form, Properties, Schema, Type, Value, codec::Converter, schema::logical,
};
use serde_json::{Value as Json, json};
use stack::Stack;

fn row() -> Arc<Schema> {
    let of = Schema::of;
    let price = of(Type::Bytes)
        .named(logical::DECIMAL, 1)
        .parameter("scale", "2")
        .form(Form::DecimalText);
    let inner = Schema::structure([Field::new("x", of(Type::Int64))]).titled("shop.Inner");
    Arc::new(
        Schema::structure([
            Field::new("id", of(Type::Int32)),
            Field::new("name", of(Type::String).optional()),
            Field::new("price", price),
            Field::new("day", of(Type::Int32).named(logical::DATE, 1)),
            Field::new("raw", of(Type::Bytes)),
            Field::new("inner", inner.optional()),
            Field::new("list", of(Type::Array(Arc::new(of(Type::Float64))))),
        ])
        .titled("shop.Row"),
    )
}

fn value() -> Value {
    let entry = |name: &str, value: Value| (name.to_owned(), value);
    Value::Map(vec![
        entry("id", Value::Int(-7)),
        entry("name", "Ada ü".into()),
        entry("price", Value::Bytes(vec![0xfb, 0x1e])),
        entry("day", Value::Int(19_724)),
        entry("raw", Value::Bytes(vec![0, 255])),
        entry("inner", Value::Map(vec![entry("x", Value::Int(9))])),
        entry(
            "list",
            Value::Array(vec![Value::Float(1.5), Value::Float(-2.0)]),
        ),
    ])
}

async fn write(converter: &dyn Converter, topic: &str) -> Vec<u8> {
    let (schema, value) = (row(), value());
    let mut encoder = converter.encoder(topic, Some(&schema)).await.unwrap();
    let mut batch = Batch::default();
    let cell = batch.push_value(&value, Some(&schema));
    let mut out = Vec::new();
    encoder
        .encode(Datum::of(&batch, Some(&schema), cell), &mut out)
        .unwrap();
    out
}

#[tokio::test]
async fn fastavro_protobuf_and_jsonschema_read_what_we_write() {
    let stack = Stack::new().unwrap();
    let registry = stack.schema_registry_of_its_own().unwrap();
    let list = json!([1.5, -2.0]);
    let avro = json!({"id": -7, "name": "Ada ü", "price": "-12.50", "day": "2024-01-02", "raw": "AP8=", "inner": {"x": 9}, "list": list});
    let schema = json!({"id": -7, "name": "Ada ü", "price": "+x4=", "day": 19_724, "raw": "AP8=", "inner": {"x": 9}, "list": list});
    // Google's JSON has texts for large numbers.
    let protobuf = json!({"id": -7, "name": "Ada ü", "price": {"value": "+x4=", "precision": 4, "scale": 2},
        "day": {"year": 2024, "month": 1, "day": 2}, "raw": "AP8=", "inner": {"x": "9"}, "list": list});
    let expected = [
        ("AvroConverter", "AVRO", avro),
        ("JsonSchemaConverter", "JSON", schema),
        ("ProtobufConverter", "PROTOBUF", protobuf),
    ];
    for (class, kind, expected) in expected {
        let settings = Properties::from([("schema.registry.url".into(), registry.url())]);
        let converter = connect_codec::converter(class, false, &settings).unwrap();
        let record = write(&*converter, class).await;
        let mut input = format!("{kind} {}\n", registry.url()).into_bytes();
        input.extend((record.len() as u32).to_be_bytes());
        input.extend(&record);
        let lines = stack::python_reader(include_str!("../../tests/e2e/src/registered.py"), &input)
            .unwrap();
        let seen: Json = serde_json::from_str(lines.trim()).unwrap();
        assert_eq!(seen["value"], expected, "{kind}");
    }
}
