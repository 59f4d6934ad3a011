//! Against `prost-reflect`, which reads what we write and writes what we read.

use std::sync::Arc;

use connect_core::{Batch, Field, Form, Schema, Type, Value, schema::logical};
use proptest::prelude::*;
use protox::{prost::Message as _, prost_reflect::DynamicMessage};

use super::{Protobuf, text::Compiled};
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
    let inner = Schema::structure([
        Field::new("id", of(Type::Int32)),
        Field::new("name", of(Type::String).optional()),
    ])
    .titled("shop.orders.Value")
    .optional();
    let counts = Type::Map(Arc::new(of(Type::String)), Arc::new(of(Type::Int64)));
    Arc::new(
        Schema::structure([
            Field::new("before", inner.clone()),
            Field::new("after", inner),
            Field::new("small", of(Type::Int16)),
            Field::new("long", of(Type::Int64).optional()),
            Field::new("ratio", of(Type::Float32)),
            Field::new("price", decimal.optional()),
            Field::new("day", of(Type::Int32).named(logical::DATE, 1).optional()),
            Field::new(
                "at",
                of(Type::Int64).named(logical::TIMESTAMP, 1).optional(),
            ),
            Field::new("list", of(Type::Array(Arc::new(of(Type::Int32))))),
            Field::new("counts", of(counts).titled("counts_of")),
            Field::new("raw", of(Type::Bytes).optional()),
        ])
        .titled("shop.orders.Envelope"),
    )
}

fn values() -> Value {
    map(&[
        ("before", Value::Null),
        (
            "after",
            map(&[
                ("id", Value::Int(-7)),
                ("name", "x".repeat(200).as_str().into()),
            ]),
        ),
        ("small", Value::Int(-3)),
        ("long", Value::Int(i64::MIN)),
        ("ratio", Value::Float(1.5)),
        ("price", Value::Bytes(vec![0xff, 0x38])),
        ("day", Value::Int(-1)),
        ("at", Value::Int(-1)),
        ("list", Value::Array(vec![Value::Int(0), Value::Int(-1)])),
        ("counts", map(&[("a", Value::Int(1)), ("b", Value::Int(0))])),
        ("raw", Value::Bytes(vec![0, 255])),
    ])
}

#[test]
fn texts_are_those_of_confluent() {
    let text = format::<Protobuf>(&[]).written(Some(&row())).unwrap().text;
    let expected = r#"syntax = "proto3";
package shop.orders;

import "confluent/meta.proto";
import "confluent/type/decimal.proto";
import "google/protobuf/timestamp.proto";
import "google/type/date.proto";

message Envelope {
  Value before = 1;
  Value after = 2;
  int32 small = 3 [(confluent.field_meta) = { params: [{ key: "connect.type", value: "int16" }] }];
  int64 long = 4;
  float ratio = 5;
  confluent.type.Decimal price = 6 [(confluent.field_meta) = { params: [{ key: "scale", value: "2" }] }];
  google.type.Date day = 7;
  google.protobuf.Timestamp at = 8;
  repeated int32 list = 9;
  repeated CountsOfEntry counts = 10;
  bytes raw = 11;

  message Value {
    int32 id = 1;
    string name = 2;
  }
  message CountsOfEntry {
    string key = 1;
    int64 value = 2;
  }
}
"#;
    assert_eq!(text, expected);
}

#[test]
fn values_come_back_and_the_oracle_writes_the_same() {
    let format: Protobuf = format(&[]);
    let (text, payload) = write(&format, &row(), &values());
    assert_eq!(payload[0], 0, "the first message of its file");
    let compiled = Compiled::new(&Protobuf::registered(&text)).unwrap();
    let message = compiled.message(&[0]).unwrap();
    let oracle = DynamicMessage::decode(message, &payload[1..]).unwrap();
    assert_eq!(oracle.encode_to_vec(), &payload[1..]);
    assert_eq!(
        oracle.get_field_by_name("small").unwrap().as_i32(),
        Some(-3)
    );
    let (schema, value) = read(&format, &text, &payload);
    let schema = schema.unwrap();
    assert_eq!(value, values());
    assert_eq!(schema.field("small").unwrap().1.schema.ty, Type::Int16);
    let reader = format.reader(&Protobuf::registered(&text)).unwrap();
    for end in 0..payload.len() {
        // A message may end between two fields: then it is another one, but no panic.
        let _ = format.decode(&reader, &payload[..end], &mut Batch::default());
    }
}

#[test]
fn nulls_are_told_from_zeros_where_that_is_asked_for() {
    let schema = Arc::new(
        Schema::structure([
            Field::new("a", Schema::of(Type::Int32).optional()),
            Field::new("b", Schema::of(Type::Int32).optional()),
        ])
        .titled("M"),
    );
    let value = map(&[("a", Value::Null), ("b", Value::Int(0))]);
    for option in ["optional.for.nullables", "wrapper.for.nullables"] {
        let format: Protobuf = format(&[(option, "true")]);
        let (text, payload) = write(&format, &schema, &value);
        assert_eq!(read(&format, &text, &payload).1, value, "{option}: {text}");
    }
    let plain: Protobuf = format(&[]);
    let (text, payload) = write(&plain, &schema, &value);
    let zeros = map(&[("a", Value::Int(0)), ("b", Value::Int(0))]);
    assert_eq!(read(&plain, &text, &payload).1, zeros);
}

#[test]
fn choices_enums_and_other_messages_of_a_file_are_read() {
    let format: Protobuf = format(&[]);
    let text = r#"syntax = "proto3"; message A { int32 x = 1; }
        message B { enum E { ZERO = 0; ONE = 1; } E e = 1; oneof c { string s = 2; A a = 3; } sint64 z = 4; map<int32, string> m = 5; }"#;
    let compiled = Compiled::new(&Protobuf::registered(text)).unwrap();
    let bytes = [
        2, 2, 8, 1, 0x1a, 2, 8, 5, 0x20, 3, 0x2a, 5, 8, 2, 0x12, 1, b'v', 0x78, 1,
    ];
    assert!(DynamicMessage::decode(compiled.message(&[1]).unwrap(), &bytes[2..]).is_ok());
    let (_, value) = read(&format, text, &bytes);
    let choice = map(&[("s", Value::Null), ("a", map(&[("x", Value::Int(5))]))]);
    let entries = map(&[("2", "v".into())]);
    let expected = map(&[
        ("c_0", choice),
        ("e", "ONE".into()),
        ("z", Value::Int(-2)),
        ("m", entries),
    ]);
    assert_eq!(value, expected);
    let circle = Protobuf::registered("syntax = \"proto3\"; message C { C c = 1; }");
    let reader = format.reader(&circle).unwrap();
    assert!(format.decode(&reader, &[0], &mut Batch::default()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_is_written_comes_back((small, long, ratio, name, raw, list) in
        (any::<i16>(), any::<i64>(), -1e9_f32..1e9, ".*", any::<Vec<u8>>(), any::<Vec<i32>>())) {
        let format: Protobuf = format(&[]);
        let Value::Map(mut all) = values() else { unreachable!() };
        all[1].1 = map(&[("id", Value::Int(small.into())), ("name", name.as_str().into())]);
        all[2].1 = Value::Int(small.into());
        all[3].1 = Value::Int(long);
        all[4].1 = Value::Float(ratio.into());
        all[8].1 = Value::Array(list.into_iter().map(|i| Value::Int(i.into())).collect());
        all[10].1 = Value::Bytes(raw);
        let value = Value::Map(all);
        let (text, payload) = write(&format, &row(), &value);
        let compiled = Compiled::new(&Protobuf::registered(&text)).unwrap();
        let oracle = DynamicMessage::decode(compiled.message(&[0]).unwrap(), &payload[1..]).unwrap();
        prop_assert_eq!(oracle.encode_to_vec(), &payload[1..]);
        prop_assert_eq!(read(&format, &text, &payload).1, value);
    }
}
