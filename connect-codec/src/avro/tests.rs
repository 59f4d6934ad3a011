//! Against `apache-avro`, which reads what we write and writes what we read.

// The new ways of `apache-avro` need builders that say no more.
#![allow(deprecated)]

use std::sync::Arc;

use apache_avro::{Schema as Oracle, from_avro_datum, types::Value as OracleValue};
use connect_core::{Batch, Datum, Field, Form, Schema, Type, Value, schema::logical};
use proptest::prelude::*;

use super::{Avro, write_schema::avro_schema};
use crate::schema_registry::{
    Format, Target,
    testing::{format, map, read, write},
};

fn text_of(schema: &Schema, given: &[(&str, &str)]) -> String {
    avro_schema(schema, &format::<Avro>(given).settings)
        .unwrap()
        .0
}

fn decimal() -> Schema {
    Schema::of(Type::Bytes)
        .named(logical::DECIMAL, 1)
        .parameter("scale", "2")
        .parameter("connect.decimal.precision", "10")
        .form(Form::DecimalText)
}

/// Every type, optional and not.
fn all_types() -> Arc<Schema> {
    let of = Schema::of;
    let row = Schema::structure([
        Field::new("id", of(Type::Int32)),
        Field::new("name", of(Type::String).optional()),
    ])
    .titled("shop.public.orders.Value");
    let map_of = |key| Type::Map(Arc::new(of(key)), Arc::new(of(Type::Int64).optional()));
    Arc::new(
        Schema::structure([
            Field::new("b", of(Type::Bool)),
            Field::new("i8", of(Type::Int8)),
            Field::new("i16", of(Type::Int16).optional()),
            Field::new(
                "i64",
                of(Type::Int64).titled("io.debezium.time.MicroTimestamp"),
            ),
            Field::new("f32", of(Type::Float32)),
            Field::new("f64", of(Type::Float64).optional()),
            Field::new("text", of(Type::String).default_value("a\"ü".into())),
            Field::new("bytes", of(Type::Bytes).optional()),
            Field::new("price", decimal()),
            Field::new("day", of(Type::Int32).named(logical::DATE, 1).optional()),
            Field::new(
                "list",
                of(Type::Array(Arc::new(of(Type::String).optional()))),
            ),
            Field::new("map", of(map_of(Type::String))),
            Field::new("pairs", of(map_of(Type::Int32)).optional()),
            Field::new("before", row.clone().optional()),
            Field::new("after", row.optional()),
            Field::new(
                "state",
                of(Type::String)
                    .named("io.debezium.data.Enum", 1)
                    .parameter("allowed", "a,b")
                    .optional()
                    .default_value("a".into()),
            ),
        ])
        .named("shop.public.orders.Envelope", 2),
    )
}

fn all_values() -> Value {
    let row = map(&[("id", Value::Int(7)), ("name", "Ada".into())]);
    map(&[
        ("b", Value::Bool(true)),
        ("i8", Value::Int(-128)),
        ("i16", Value::Null),
        ("i64", Value::Int(1_700_000_000_123_456)),
        ("f32", Value::Float(1.5)),
        ("f64", Value::Float(-2.25)),
        ("text", "x".into()),
        ("bytes", Value::Bytes(vec![0, 255])),
        ("price", Value::Bytes(vec![0xff, 0x38])),
        ("day", Value::Int(19_000)),
        ("list", Value::Array(vec!["a".into(), Value::Null])),
        ("map", map(&[("k", Value::Int(5))])),
        ("pairs", map(&[("3", Value::Null)])),
        ("before", Value::Null),
        ("after", row),
        ("state", "b".into()),
    ])
}

/// As Confluent's converter and Avro's Java library write it, after their sources and what Debezium's documentation shows.
#[test]
fn the_text_is_that_of_confluent() {
    let expected = concat!(
        r#"{"type":"record","name":"Envelope","namespace":"shop.public.orders","fields":["#,
        r#"{"name":"b","type":"boolean"},"#,
        r#"{"name":"i8","type":{"type":"int","connect.type":"int8"}},"#,
        r#"{"name":"i16","type":["null",{"type":"int","connect.type":"int16"}],"default":null},"#,
        r#"{"name":"i64","type":{"type":"long","connect.name":"io.debezium.time.MicroTimestamp"}},"#,
        r#"{"name":"f32","type":"float"},{"name":"f64","type":["null","double"],"default":null},"#,
        r#"{"name":"text","type":{"type":"string","connect.default":"a\"ü"},"default":"a\"ü"},"#,
        r#"{"name":"bytes","type":["null","bytes"],"default":null},"#,
        r#"{"name":"price","type":{"type":"bytes","scale":2,"precision":10,"connect.version":1,"#,
        r#""connect.parameters":{"scale":"2","connect.decimal.precision":"10"},"#,
        r#""connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}},"#,
        r#"{"name":"day","type":["null",{"type":"int","connect.version":1,"#,
        r#""connect.name":"org.apache.kafka.connect.data.Date","logicalType":"date"}],"default":null},"#,
        r#"{"name":"list","type":{"type":"array","items":["null","string"]}},"#,
        r#"{"name":"map","type":{"type":"map","values":["null","long"]}},"#,
        r#"{"name":"pairs","type":["null",{"type":"array","items":{"type":"record","name":"MapEntry","#,
        r#""namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":"int"},"#,
        r#"{"name":"value","type":["null","long"],"default":null}]}}],"default":null},"#,
        r#"{"name":"before","type":["null",{"type":"record","name":"Value","fields":[{"name":"id","type":"int"},"#,
        r#"{"name":"name","type":["null","string"],"default":null}],"connect.name":"shop.public.orders.Value"}],"default":null},"#,
        r#"{"name":"after","type":["null","Value"],"default":null},"#,
        r#"{"name":"state","type":[{"type":"string","connect.version":1,"connect.parameters":{"allowed":"a,b"},"#,
        r#""connect.default":"a","connect.name":"io.debezium.data.Enum"},"null"],"default":"a"}],"#,
        r#""connect.version":2,"connect.name":"shop.public.orders.Envelope"}"#,
    );
    assert_eq!(text_of(&all_types(), &[]), expected);
    let plain = text_of(&all_types(), &[("connect.meta.data", "false")]);
    assert!(
        !plain.contains("connect.")
            || plain.matches("connect.").count() == plain.matches("confluent.connect.").count()
    );
}

#[test]
fn names_that_avro_refuses_are_told_or_scrubbed() {
    let schema = Schema::structure([Field::new("a b", Schema::of(Type::Bool))]).titled("s.dash-ed");
    let error = avro_schema(&schema, &format::<Avro>(&[]).settings)
        .err()
        .unwrap();
    assert!(
        error.report().contains("field.name.adjustment.mode"),
        "{error:?}"
    );
    let text = text_of(&schema, &[("scrub.invalid.names", "true")]);
    assert!(
        text.contains("\"name\":\"dash_ed\"") && text.contains("\"name\":\"a_b\""),
        "{text}"
    );
    assert!(Oracle::parse_str(&text).is_ok());
}

#[test]
fn every_type_is_read_by_the_oracle_and_comes_back() {
    let avro: Avro = format(&[]);
    let (schema, value) = (all_types(), all_values());
    let (text, payload) = write(&avro, &schema, &value);
    let oracle = Oracle::parse_str(&text).unwrap();
    let seen = from_avro_datum(&oracle, &mut payload.as_slice(), None).unwrap();
    let OracleValue::Record(fields) = &seen else {
        panic!("{seen:?}");
    };
    assert_eq!(fields[3].1, OracleValue::Long(1_700_000_000_123_456));
    assert_eq!(
        fields[9].1,
        OracleValue::Union(1, Box::new(OracleValue::Date(19_000)))
    );
    assert_eq!(fields[15].1, OracleValue::Union(0, Box::new("b".into())));
    let (read_schema, read_value) = read(&avro, &text, &payload);
    assert_eq!(read_value, value);
    assert_eq!(
        text_of(&read_schema.unwrap(), &[]),
        text,
        "the schema comes back"
    );
    let reader = avro.reader(&Avro::registered(&text)).unwrap();
    for end in 0..payload.len() {
        let cut = avro.decode(&reader, &payload[..end], &mut Batch::default());
        assert!(cut.is_err(), "cut at {end}");
    }
}

/// Fields that the registry's schema has in another order, has more, or lacks.
#[test]
fn a_newer_schema_of_the_registry_is_written_by_name() {
    let avro: Avro = format(&[]);
    let of = Schema::of;
    let schema = Arc::new(
        Schema::structure([
            Field::new("a", of(Type::Int32)),
            Field::new("gone", of(Type::Int32)),
            Field::new("b", of(Type::String).optional()),
        ])
        .titled("R"),
    );
    let text = r#"{"type":"record","name":"R","fields":[{"name":"b","type":["string","null"]},
        {"name":"more","type":{"type":"array","items":"int"},"default":[1,2]},{"name":"a","type":"long"}]}"#;
    let target = Avro::registered(text);
    let target = Target {
        id: 1,
        schema: &target,
    };
    let mut encoder = avro.encoder(Some(&schema), target, true).unwrap();
    let value = map(&[
        ("a", Value::Int(3)),
        ("gone", Value::Int(4)),
        ("b", "x".into()),
    ]);
    let mut batch = Batch::default();
    let cell = batch.push_value(&value, Some(&schema));
    let mut out = Vec::new();
    encoder
        .encode(Datum::of(&batch, Some(&schema), cell), &mut out)
        .unwrap();
    let (_, seen) = read(&avro, text, &out[5..]);
    let more = Value::Array(vec![Value::Int(1), Value::Int(2)]);
    assert_eq!(
        seen,
        map(&[("b", "x".into()), ("more", more), ("a", Value::Int(3))])
    );
    let narrow =
        Avro::registered(r#"{"type":"record","name":"R","fields":[{"name":"b","type":"string"}]}"#);
    let target = |schema| Target { id: 1, schema };
    assert!(avro.encoder(Some(&schema), target(&narrow), true).is_err());
    assert!(avro.encoder(Some(&schema), target(&narrow), false).is_ok());
}

#[test]
fn unions_enums_and_fixed_of_others_come_back() {
    let avro: Avro = format(&[("enhanced.avro.schema.support", "true")]);
    let text = r#"{"type":"record","name":"R","namespace":"n","fields":[
        {"name":"u","type":["null","string",{"type":"record","name":"P","fields":[{"name":"x","type":"int"}]}]},
        {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},
        {"name":"f","type":{"type":"fixed","name":"F","size":2}}]}"#;
    let oracle = Oracle::parse_str(text).unwrap();
    let point = OracleValue::Record(vec![("x".into(), OracleValue::Int(9))]);
    let record = OracleValue::Record(vec![
        ("u".into(), OracleValue::Union(2, Box::new(point))),
        ("e".into(), OracleValue::Enum(1, "B".into())),
        ("f".into(), OracleValue::Fixed(2, vec![1, 2])),
    ]);
    let payload = apache_avro::to_avro_datum(&oracle, record).unwrap();
    let (schema, value) = read(&avro, text, &payload);
    let union = map(&[
        ("string", Value::Null),
        ("n.P", map(&[("x", Value::Int(9))])),
    ]);
    let expected = map(&[
        ("u", union),
        ("e", "B".into()),
        ("f", Value::Bytes(vec![1, 2])),
    ]);
    assert_eq!(value, expected);
    let (_, again) = write(&avro, &schema.unwrap(), &value);
    assert_eq!(again, payload);
}

#[test]
fn values_without_schema_have_a_record_of_their_own() {
    let avro: Avro = format(&[]);
    let text = avro.written(None).unwrap().text;
    let target = Avro::registered(&text);
    let target = Target {
        id: 1,
        schema: &target,
    };
    let mut encoder = avro.encoder(None, target, true).unwrap();
    let value = map(&[
        ("a", Value::Array(vec![Value::Int(1), Value::Null])),
        ("b", Value::Bool(true)),
    ]);
    let mut out = Vec::new();
    assert!(
        encoder
            .encode(Datum::of_value(None, &value), &mut out)
            .unwrap()
    );
    let oracle = Oracle::parse_str(&text).unwrap();
    assert!(from_avro_datum(&oracle, &mut &out[5..], None).is_ok());
    assert_eq!(read(&avro, &text, &out[5..]), (None, value));
}

#[test]
fn what_was_not_sent_is_the_placeholder_and_comes_back_as_absent() {
    let avro: Avro = format(&[]);
    let absent = Schema::of(Type::String).absent("__debezium_unavailable_value".into());
    let schema = Arc::new(Schema::structure([Field::new("t", absent)]).titled("R"));
    let (text, payload) = write(&avro, &schema, &map(&[("t", Value::Absent)]));
    assert_eq!(read(&avro, &text, &payload).1, map(&[("t", Value::Absent)]));
}

#[test]
fn a_few_bytes_do_not_become_many_values() {
    let avro: Avro = format(&[]);
    let text = r#"{"type":"array","items":{"type":"record","name":"E","fields":[]}}"#;
    let reader = avro.reader(&Avro::registered(text)).unwrap();
    let mut payload = Vec::new();
    super::varint::write_long(i64::MAX, &mut payload);
    assert!(
        avro.decode(&reader, &payload, &mut Batch::default())
            .is_err()
    );
    let circle = r#"{"type":"record","name":"C","fields":[{"name":"c","type":["null","C"]}]}"#;
    assert!(avro.reader(&Avro::registered(circle)).is_err());
}

/// A value and a schema that takes it.
fn valued() -> impl Strategy<Value = (Schema, Value)> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(|b| (Schema::of(Type::Bool), Value::Bool(b))),
        any::<i8>().prop_map(|i| (Schema::of(Type::Int8), Value::Int(i.into()))),
        any::<i32>().prop_map(|i| (Schema::of(Type::Int32), Value::Int(i.into()))),
        any::<i64>().prop_map(|i| (Schema::of(Type::Int64), Value::Int(i))),
        any::<f32>().prop_map(|f| (
            Schema::of(Type::Float32),
            Value::Float(if f.is_nan() { 0.0 } else { f.into() })
        )),
        any::<f64>().prop_map(|f| (
            Schema::of(Type::Float64),
            Value::Float(if f.is_nan() { 0.0 } else { f })
        )),
        ".*".prop_map(|text| (Schema::of(Type::String), Value::Str(text))),
        any::<Vec<u8>>().prop_map(|bytes| (Schema::of(Type::Bytes), Value::Bytes(bytes))),
        any::<i64>().prop_map(|i| {
            let mut bytes = Vec::new();
            connect_core::decimal::unscaled(i.to_string().as_bytes(), 0, &mut bytes).unwrap();
            (decimal(), Value::Bytes(bytes))
        }),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let optional = inner.clone().prop_flat_map(|(schema, value)| {
            any::<bool>().prop_map(move |null| {
                let value = if null { Value::Null } else { value.clone() };
                (schema.clone().optional(), value)
            })
        });
        let list = (inner.clone(), 0..4_usize).prop_map(|((schema, value), n)| {
            (
                Schema::of(Type::Array(Arc::new(schema))),
                Value::Array(vec![value; n]),
            )
        });
        prop::collection::vec(prop_oneof![inner, optional, list], 0..5).prop_map(|parts| {
            let name = |at: usize| format!("f{at}");
            let fields = parts
                .iter()
                .enumerate()
                .map(|(at, (schema, _))| Field::new(name(at), schema.clone()));
            let schema = Schema::structure(fields.collect::<Vec<_>>());
            let values = parts
                .iter()
                .enumerate()
                .map(|(at, (_, value))| (name(at), value.clone()));
            (schema, Value::Map(values.collect()))
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn whatever_is_written_comes_back_and_the_oracle_reads_it((schema, value) in valued()) {
        let (avro, schema) = (format::<Avro>(&[]), Arc::new(schema));
        let (text, payload) = write(&avro, &schema, &value);
        if schema.ty != Type::Bytes {
            let oracle = Oracle::parse_str(&text).unwrap();
            prop_assert!(from_avro_datum(&oracle, &mut payload.as_slice(), None).is_ok());
        }
        let (_, seen) = read(&avro, &text, &payload);
        prop_assert_eq!(seen, value);
    }
}
