use cdc::text::Frame;
use connect_core::{Datum, Field, Form, Schema, Span, Type, Value};

use super::*;

fn convert(op: &Op, text: &str, ty: Type) -> Result<Value> {
    let mut out = Batch::default();
    let cell = cell(op, Text::loose(text.as_bytes()), &mut out)?;
    let schema = Arc::new(Schema::of(ty));
    Ok(Datum::of(&out, Some(&schema), cell).to_value())
}

fn text(op: &Op, text: &str) -> String {
    match convert(op, text, Type::String).unwrap() {
        Value::Str(text) => text,
        other => panic!("{other:?}"),
    }
}

fn int(op: &Op, text: &str) -> i64 {
    match convert(op, text, Type::Int64).unwrap() {
        Value::Int(int) => int,
        other => panic!("{other:?}"),
    }
}

fn bytes(op: &Op, text: &str) -> Vec<u8> {
    match convert(op, text, Type::Bytes).unwrap() {
        Value::Bytes(bytes) => bytes,
        other => panic!("{other:?}"),
    }
}

#[test]
fn numbers_keep_their_digits() {
    assert_eq!(int(&Op::Int, "-9223372036854775808"), i64::MIN);
    assert!(convert(&Op::Int, "1x", Type::Int32).is_err());
    assert!(convert(&Op::Int, "", Type::Int32).is_err());
    assert_eq!(
        convert(&Op::Float, "1e+20", Type::Float64).unwrap(),
        Value::Float(1e20)
    );
    assert_eq!(
        convert(&Op::Float, "-Infinity", Type::Float64).unwrap(),
        Value::Float(f64::NEG_INFINITY)
    );
    assert!(convert(&Op::Float, "}", Type::Float64).is_err());
}

#[test]
fn decimals() {
    let scale = Schema::of(Type::Bytes)
        .titled("org.apache.kafka.connect.data.Decimal")
        .parameter("scale", "2")
        .form(Form::DecimalText);
    let mut out = Batch::default();
    let cell = cell(&Op::Decimal, Text::loose(b"-1.50"), &mut out).unwrap();
    let value = Datum::of(&out, Some(&Arc::new(scale)), cell).to_value();
    assert_eq!(value, Value::Bytes(vec![0xff, 0x6a]));
    let nan = convert(&Op::Decimal, "NaN", Type::Bytes).unwrap_err();
    assert_eq!(nan.code().name, "postgres.special_number");
    assert_eq!(text(&Op::NumericText, "-1.50"), "-1.50");
    assert_eq!(text(&Op::NumericText, "NaN"), "NAN");
}

#[test]
fn money_is_rounded_half_up_to_its_digits() {
    for (digits, expected) in [
        (None, "-1234.50"),
        (Some(2), "-1234.50"),
        (Some(0), "-1235"),
        (Some(1), "-1234.5"),
        (Some(4), "-1234.5000"),
    ] {
        assert_eq!(text(&Op::Money(digits), "-$1,234.50"), expected);
    }
    assert_eq!(text(&Op::Money(Some(0)), "$9.50"), "10");
    assert_eq!(text(&Op::Money(Some(1)), "$0.04"), "0.0");
    assert!(convert(&Op::Money(None), "1 kr", Type::String).is_err());
}

#[test]
fn a_decimal_without_scale_brings_its_own() {
    let fields = [
        Field::new("scale", Schema::of(Type::Int32)),
        Field::new("value", Schema::of(Type::Bytes)),
    ];
    let ty = Type::Struct(fields.into());
    for (text, scale, bytes) in [
        ("1.500", 1, vec![15]),
        ("100", 0, vec![100]),
        ("0.00", 0, vec![0]),
    ] {
        let value = convert(&Op::VariableDecimal, text, ty.clone()).unwrap();
        assert_eq!(value.get("scale"), Some(&Value::Int(scale)));
        assert_eq!(value.get("value"), Some(&Value::Bytes(bytes)));
    }
}

#[test]
fn bytes_in_every_form() {
    assert_eq!(text(&Op::Hex, "\\xCAFE"), "CAFE");
    assert!(convert(&Op::Hex, "\\xCAF", Type::Bytes).is_err());
    assert_eq!(text(&Op::Base64(false), "\\xfbff"), "+/8=");
    assert_eq!(text(&Op::Base64(true), "\\xfbff"), "-_8=");
    assert_eq!(text(&Op::Base64(false), "\\x"), "");
    assert_eq!(bytes(&Op::Bits, "100000001"), [1, 1]);
    assert_eq!(bytes(&Op::Bits, "0000000000000011"), [3]);
    assert_eq!(
        convert(&Op::Bit, "1", Type::Bool).unwrap(),
        Value::Bool(true)
    );
    assert!(bytes(&Op::Bits, "0000").is_empty());
    assert_eq!(convert(&Op::Bit, "", Type::Bool).unwrap(), Value::Null);
    assert_eq!(text(&Op::HexOfText, "a,"), "612c");
    assert_eq!(text(&Op::Base64OfText(false), "(1,x)"), "KDEseCk=");
}

#[test]
fn times_in_every_precision() {
    assert_eq!(int(&Op::Time(1000, 1), "00:00:01.5"), 1500);
    assert_eq!(int(&Op::Time(1, 1000), "00:00:01.5"), 1_500_000_000);
    assert_eq!(
        int(&Op::Timestamp(1, 1), "1970-01-01 00:00:01.000001"),
        1_000_001
    );
    assert_eq!(int(&Op::Timestamp(1000, 1), "1969-12-31 23:59:59.9995"), -1);
    assert_eq!(int(&Op::Timestamp(1, 1), "infinity"), INFINITY);
    assert_eq!(int(&Op::Timestamp(1000, 1), "infinity"), INFINITY / 1000);
    let far = convert(&Op::Timestamp(1, 1000), "9999-01-01 00:00:00", Type::Int64);
    assert_eq!(far.unwrap(), Value::Null);
    assert_eq!(text(&Op::IsoTime, "24:00:00"), "00:00:00Z");
    assert_eq!(text(&Op::IsoTime, "01:02:03.120"), "01:02:03.12Z");
    assert_eq!(text(&Op::ZonedTime, "01:00:00+02"), "23:00:00Z");
    assert_eq!(
        text(&Op::IsoTimestamp, "infinity"),
        "+294247-01-10T04:00:25.2Z"
    );
    assert_eq!(int(&Op::Date, "1970-01-02"), 1);
    assert_eq!(
        text(&Op::ZonedTimestamp(6), "2020-01-01 00:00:00+00"),
        "2020-01-01T00:00:00.000000Z"
    );
    assert_eq!(text(&Op::ZonedTimestamp(6), "infinity"), "infinity");
    assert_eq!(text(&Op::IsoDate, "2020-01-01"), "2020-01-01Z");
    assert_eq!(int(&Op::IntervalMicros, "P1D"), 86_400_000_000);
}

#[test]
fn text_must_be_utf8() {
    let mut out = Batch::default();
    let bad = cell(&Op::Text, Text::loose(b"\xff"), &mut out).unwrap_err();
    assert_eq!(bad.code().name, "postgres.encoding");
}

#[test]
fn framed_text_is_not_copied() {
    let mut out = Batch::default();
    let frame = Frame {
        bytes: b"ab\\x00ff",
        index: 3,
    };
    let hex = Text::framed(&frame.bytes[2..], frame);
    let expected = Cell::Span(Span {
        frame: 3,
        at: 4,
        len: 4,
    });
    assert_eq!(cell(&Op::Hex, hex, &mut out).unwrap(), expected);
    assert!(out.arena().is_empty());
}
