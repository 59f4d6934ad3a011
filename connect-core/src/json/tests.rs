use std::sync::Arc;

use super::*;
use crate::{Batch, Cell, Field, Value, schema::logical};

fn json(schema: Schema, value: Value, style: Style) -> String {
    let schema = Arc::new(schema);
    let mut batch = Batch::default();
    let cell = batch.push_value(&value, Some(&schema));
    let mut out = Vec::new();
    write(Datum::of(&batch, Some(&schema), cell), style, &mut out);
    String::from_utf8(out).unwrap()
}

fn plain(schema: Schema, value: Value) -> String {
    json(schema, value, Style::default())
}

#[test]
fn scalars_are_written_as_a_person_would() {
    assert_eq!(plain(Schema::of(Type::Int32), Value::Int(-5)), "-5");
    assert_eq!(
        plain(Schema::of(Type::Int64), Value::Int(i64::MIN)),
        i64::MIN.to_string()
    );
    assert_eq!(plain(Schema::of(Type::Float64), Value::Float(0.1)), "0.1");
    assert_eq!(
        plain(Schema::of(Type::Float32), Value::Float(f64::from(0.1f32))),
        "0.1"
    );
    assert_eq!(
        plain(Schema::of(Type::Float64), Value::Float(f64::NAN)),
        "\"NaN\""
    );
    assert_eq!(plain(Schema::of(Type::Bool), Value::Bool(true)), "true");
    assert_eq!(plain(Schema::of(Type::String), Value::Null), "null");
}

#[test]
fn strings_are_escaped_as_serde_json_does() {
    let all: String = (0..0x60u8)
        .map(char::from)
        .chain("\u{7f}é漢🦀".chars())
        .collect();
    let written = plain(Schema::of(Type::String), Value::Str(all.clone()));
    assert_eq!(serde_json::from_str::<String>(&written).unwrap(), all);
}

#[test]
fn decimals_keep_every_digit() {
    let schema = || {
        Schema::of(Type::Bytes)
            .named(logical::DECIMAL, 1)
            .parameter("scale", "2")
    };
    let unscaled = Value::Bytes(vec![0x04, 0xd2]);
    assert_eq!(plain(schema(), unscaled.clone()), "\"12.34\"");
    let numbers = Style {
        decimal_numbers: true,
        ..Style::default()
    };
    assert_eq!(json(schema(), unscaled, numbers), "12.34");
    let text = schema().form(Form::DecimalText);
    assert_eq!(json(text, Value::Str("NaN".into()), numbers), "\"NaN\"");
}

#[test]
fn bytes_are_base64_in_every_form() {
    let bytes = Value::Bytes(vec![0, 255, 1]);
    assert_eq!(plain(Schema::of(Type::Bytes), bytes.clone()), "\"AP8B\"");
    assert_eq!(
        plain(Schema::of(Type::Bytes).form(Form::Hex), bytes),
        "\"AP8B\""
    );
}

#[test]
fn dates_are_text_or_integers() {
    let schema = || Schema::of(Type::Int32).named("io.debezium.time.Date", 1);
    assert_eq!(plain(schema(), Value::Int(0)), "\"1970-01-01\"");
    assert_eq!(plain(schema(), Value::Digits("1".into())), "\"1970-01-02\"");
    let raw = Style {
        iso_times: false,
        ..Style::default()
    };
    assert_eq!(json(schema(), Value::Int(3), raw), "3");
}

#[test]
fn json_text_nests_only_when_it_is_json() {
    let schema = || Schema::of(Type::String).named(JSON, 1);
    assert_eq!(
        plain(schema(), Value::Str("{\n \"a\": [1]}".into())),
        "{ \"a\": [1]}"
    );
    assert_eq!(plain(schema(), Value::Str("{\"a".into())), "\"{\\\"a\"");
}

#[test]
fn absent_fields_are_left_out_and_null_ones_kept() {
    let schema = Schema::structure([
        Field::new("a", Schema::of(Type::Int32)),
        Field::new("b", Schema::of(Type::String).optional()),
        Field::new("c", Schema::of(Type::String).optional()),
    ]);
    let value = Value::Map(vec![
        ("a".into(), Value::Int(1)),
        ("b".into(), Value::Absent),
        ("c".into(), Value::Null),
    ]);
    assert_eq!(plain(schema, value), "{\"a\":1,\"c\":null}");
}

#[test]
fn maps_with_other_keys_are_pairs() {
    let map = |key| Type::Map(Arc::new(Schema::of(key)), Arc::new(Schema::of(Type::Int32)));
    let value = Value::Map(vec![("7".into(), Value::Int(1))]);
    assert_eq!(
        plain(Schema::of(map(Type::String)), value.clone()),
        "{\"7\":1}"
    );
    assert_eq!(plain(Schema::of(map(Type::Int64)), value), "[[7,1]]");
}

#[test]
fn a_value_alone_has_no_quotes() {
    let schema = Arc::new(Schema::of(Type::Int32).named("io.debezium.time.Date", 1));
    let batch = Batch::default();
    let mut out = Vec::new();
    let date = Datum::of(&batch, Some(&schema), Cell::Int(1));
    assert!(write_plain(date, Style::default(), &mut out));
    assert_eq!(out, b"1970-01-02");
    let null = Datum::of(&batch, Some(&schema), Cell::Null);
    assert!(!write_plain(null, Style::default(), &mut out));
    let value = Value::Str("say \"hi\"".into());
    out.clear();
    write_plain(Datum::of_value(None, &value), Style::default(), &mut out);
    assert_eq!(out, b"say \"hi\"");
}

#[test]
fn only_json_numbers_count_as_numbers() {
    for good in [
        "0",
        "-0.5",
        "10",
        "1e5",
        "1.5E-7",
        "12345678901234567890.10",
    ] {
        assert!(is_number(good.as_bytes()), "{good}");
    }
    for bad in ["", "-", "01", ".5", "1.", "1e", "+1", "NaN", "1 ", "1e+"] {
        assert!(!is_number(bad.as_bytes()), "{bad}");
    }
}
