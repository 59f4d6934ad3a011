use std::sync::Arc;

use connect_core::{Batch, Field, Form, Schema, Type, Value, schema::logical};

use super::JsonSchema;
use crate::schema_registry::{
    Format,
    testing::{format, map, read, write},
};

fn row() -> Arc<Schema> {
    let of = Schema::of;
    let decimal = of(Type::Bytes)
        .named(logical::DECIMAL, 1)
        .parameter("scale", "2")
        .form(Form::DecimalText);
    let pairs = Type::Map(
        Arc::new(of(Type::Int32)),
        Arc::new(of(Type::String).optional()),
    );
    Arc::new(
        Schema::structure([
            Field::new("id", of(Type::Int32)),
            Field::new("name", of(Type::String).optional()),
            Field::new("price", decimal),
            Field::new("pairs", of(pairs)),
            Field::new("raw", of(Type::Bytes).optional()),
            Field::new("ratio", of(Type::Float32).default_value(Value::Float(0.5))),
        ])
        .named("shop.orders.Value", 1),
    )
}

fn values() -> Value {
    map(&[
        ("id", Value::Int(7)),
        ("name", Value::Null),
        ("price", Value::Bytes(vec![0xff, 0x38])),
        ("pairs", map(&[("3", "x".into())])),
        ("raw", Value::Bytes(vec![0, 255])),
        ("ratio", Value::Float(1.5)),
    ])
}

#[test]
fn schemas_are_those_of_confluent() {
    let text = format::<JsonSchema>(&[])
        .written(Some(&row()))
        .unwrap()
        .text;
    let expected = concat!(
        r#"{"title":"shop.orders.Value","type":"object","properties":{"#,
        r#""id":{"type":"integer","connect.type":"int32","connect.index":0},"#,
        r#""name":{"oneOf":[{"type":"null"},{"type":"string"}],"connect.index":1},"#,
        r#""price":{"title":"org.apache.kafka.connect.data.Decimal","type":"string","connect.type":"bytes","#,
        r#""connect.version":1,"connect.parameters":{"scale":"2"},"connect.index":2},"#,
        r#""pairs":{"type":"array","items":{"type":"object","properties":{"key":{"type":"integer","connect.type":"int32","connect.index":0},"#,
        r#""value":{"oneOf":[{"type":"null"},{"type":"string"}],"connect.index":1}}},"connect.type":"map","connect.index":3},"#,
        r#""raw":{"oneOf":[{"type":"null"},{"type":"string","connect.type":"bytes"}],"connect.index":4},"#,
        r#""ratio":{"type":"number","default":0.5,"connect.type":"float32","connect.index":5}},"connect.version":1}"#,
    );
    assert_eq!(text, expected);
}

#[test]
fn values_come_back_and_cut_ones_do_not() {
    for decimals in ["BASE64", "numeric"] {
        let format: JsonSchema = format(&[("decimal.format", decimals)]);
        let (schema, value) = (row(), values());
        let (text, payload) = write(&format, &schema, &value);
        let payload_text = std::str::from_utf8(&payload).unwrap();
        assert!(
            payload_text.contains(r#""pairs":[{"key":3,"value":"x"}]"#),
            "{payload_text}"
        );
        let (read_schema, seen) = read(&format, &text, &payload);
        assert_eq!(seen, value);
        let again = format.written(read_schema.as_ref()).unwrap().text;
        assert_eq!(again, text, "the schema comes back");
        let reader = format.reader(&JsonSchema::registered(&text)).unwrap();
        for end in 0..payload.len() {
            assert!(
                format
                    .decode(&reader, &payload[..end], &mut Batch::default())
                    .is_err()
            );
        }
    }
}

#[test]
fn schemas_of_others_are_read_and_those_without_counterpart_refused() {
    let format: JsonSchema = format(&[("use.optional.for.nonrequired", "true")]);
    let text = r##"{"type":"object","required":["a"],"properties":{"a":{"type":"integer"},
        "b":{"$ref":"#/definitions/b"},"c":{"type":["null","string"]}},"definitions":{"b":{"type":"number"}}}"##;
    let schema = super::to_connect::schema(&JsonSchema::registered(text), true).unwrap();
    let found: Vec<_> = schema
        .fields()
        .iter()
        .map(|f| (&*f.name, f.schema.ty.clone(), f.schema.optional))
        .collect();
    let expected = [
        ("a", Type::Int64, false),
        ("b", Type::Float64, true),
        ("c", Type::String, true),
    ];
    assert_eq!(found, expected);
    for bad in [
        r#"{"oneOf":[{"type":"string"},{"type":"integer"}]}"#,
        r##"{"type":"object","properties":{"a":{"$ref":"#"}}}"##,
        r#"{"type":"null"}"#,
        "nonsense",
    ] {
        assert!(
            format.reader(&JsonSchema::registered(bad)).is_err(),
            "{bad}"
        );
    }
}
