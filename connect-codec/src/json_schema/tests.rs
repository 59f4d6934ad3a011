use std::sync::Arc;

use connect_core::{Batch, Datum, Field, Form, Properties, Schema, Type, Value, schema::logical};

use super::JsonSchema;
use crate::schema_registry::{Declared, Format, Registered, Settings, Target, split};

fn format(given: &[(&str, &str)]) -> JsonSchema {
    let given: Properties = (given.iter())
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
        .collect();
    let mut declared = Declared::new(&given);
    let of_registry = Settings::parse(&mut declared, false);
    JsonSchema::parse(&mut declared, &of_registry)
}

fn registered(text: &str) -> Registered {
    Registered {
        kind: "JSON".into(),
        text: text.into(),
        references: Vec::new(),
    }
}

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
    let entry = |name: &str, value: Value| (name.to_owned(), value);
    Value::Map(vec![
        entry("id", Value::Int(7)),
        entry("name", Value::Null),
        entry("price", Value::Bytes(vec![0xff, 0x38])),
        entry("pairs", Value::Map(vec![entry("3", "x".into())])),
        entry("raw", Value::Bytes(vec![0, 255])),
        entry("ratio", Value::Float(1.5)),
    ])
}

#[test]
fn schemas_are_those_of_confluent() {
    let text = format(&[]).written(Some(&row())).unwrap().text;
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
        let format = format(&[("decimal.format", decimals)]);
        let (schema, value) = (row(), values());
        let text = format.written(Some(&schema)).unwrap().text;
        let target = registered(&text);
        let target = Target {
            id: 9,
            schema: &target,
        };
        let mut encoder = format.encoder(Some(&schema), target, true).unwrap();
        let mut batch = Batch::default();
        let cell = batch.push_value(&value, Some(&schema));
        let (mut out, mut owned) = (Vec::new(), Vec::new());
        encoder
            .encode(Datum::of(&batch, Some(&schema), cell), &mut out)
            .unwrap();
        encoder
            .encode(Datum::of_value(Some(&schema), &value), &mut owned)
            .unwrap();
        assert_eq!(out, owned);
        let (id, payload) = split(&out).unwrap();
        let payload_text = std::str::from_utf8(payload).unwrap();
        assert!(
            id == 9 && payload_text.contains(r#""pairs":[{"key":3,"value":"x"}]"#),
            "{payload_text}"
        );
        let reader = format.reader(&registered(&text)).unwrap();
        let mut batch = Batch::default();
        let decoded = format.decode(&reader, payload, &mut batch).unwrap();
        let seen = Datum::of(&batch, decoded.schema.as_ref(), decoded.cell).to_value();
        assert_eq!(seen, value);
        let again = format.written(decoded.schema.as_ref()).unwrap().text;
        assert_eq!(again, text, "the schema comes back");
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
    let format = format(&[("use.optional.for.nonrequired", "true")]);
    let text = r##"{"type":"object","required":["a"],"properties":{"a":{"type":"integer"},
        "b":{"$ref":"#/definitions/b"},"c":{"type":["null","string"]}},"definitions":{"b":{"type":"number"}}}"##;
    let schema = super::to_connect::schema(&registered(text), true).unwrap();
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
        assert!(format.reader(&registered(bad)).is_err(), "{bad}");
    }
}
