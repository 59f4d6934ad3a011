use std::sync::Arc;

use connect_core::{Datum, Schema, Span, Type, Value as Owned};

use super::*;
use crate::{declared::Declared, types::tests::MODES};

fn converted(op: &Op, ty: Type, value: Value<'_>) -> Result<Owned> {
    let mut out = Batch::default();
    let cell = cell(op, value, None, &mut out)?;
    let schema = Arc::new(Schema::of(ty).optional());
    Ok(Datum::of(&out, Some(&schema), cell).to_value())
}

fn text(op: &Op, value: Value<'_>) -> String {
    match converted(op, Type::String, value).unwrap() {
        Owned::Str(text) => text,
        other => panic!("{other:?}"),
    }
}

fn date(year: u16, month: u8, day: u8) -> Date {
    Date { year, month, day }
}

#[test]
fn texts_that_are_utf_8_stay_where_they_lie() {
    let bytes = b"\x05hello";
    let frame = Some(Frame { bytes, index: 2 });
    let mut out = Batch::default();
    let kept = cell(
        &Op::Text(Charset::Utf8),
        Value::Bytes(&bytes[1..]),
        frame,
        &mut out,
    );
    let span = Span {
        frame: 2,
        at: 1,
        len: 5,
    };
    assert_eq!(kept.unwrap(), Cell::Span(span));
    assert!(out.arena().is_empty());
    let latin1 = Charset::named("latin1").unwrap();
    assert_eq!(text(&Op::Text(latin1), Value::Bytes(b"\xe4")), "ä");
}

#[test]
fn integers_beyond_64_bits_with_a_sign_are_negative_or_digits() {
    let largest = Value::Unsigned(u64::MAX);
    let of = |op: &Op, ty| converted(op, ty, largest).unwrap();
    assert_eq!(of(&Op::Int, Type::Int64), Owned::Int(-1));
    assert_eq!(text(&Op::Digits, largest), "18446744073709551615");
    assert_eq!(text(&Op::Digits, Value::Int(7)), "7");
}

#[test]
fn dates_of_zeros_are_null_and_those_of_no_calendar_refused() {
    let days = |date| converted(&Op::Date(true), Type::Int32, Value::Date(date));
    assert_eq!(days(date(1970, 1, 2)).unwrap(), Owned::Int(1));
    for zero in [date(0, 1, 1), date(2026, 0, 1), date(2026, 1, 0)] {
        assert_eq!(days(zero).unwrap(), Owned::Null);
    }
    assert_eq!(days(date(2000, 2, 29)).unwrap(), Owned::Int(11_016));
    assert_eq!(
        days(date(24, 2, 29)).unwrap(),
        days(date(2024, 2, 29)).unwrap()
    );
    for none in [date(2026, 2, 29), date(1900, 2, 29), date(2026, 4, 31)] {
        assert!(days(none).is_err(), "{none:?}");
    }
    assert_eq!(
        text(&Op::IsoDate(false), Value::Date(date(70, 1, 1))),
        "0070-01-01Z"
    );
}

#[test]
fn moments_are_counted_in_their_unit_or_told() {
    let moment = Value::DateTime(Moment {
        date: date(1969, 12, 31),
        time_us: DAY_US - 1,
    });
    let count = |divide, times| {
        let op = Op::DateTime(true, divide, times);
        converted(&op, Type::Int64, moment).unwrap()
    };
    assert_eq!(count(1, 1), Owned::Int(-1));
    assert_eq!(
        count(1000, 1),
        Owned::Int(-1),
        "the millisecond that it is in"
    );
    assert_eq!(count(1, 1000), Owned::Int(-1000));
    assert_eq!(
        text(&Op::IsoDateTime(true), moment),
        "1969-12-31T23:59:59.999999Z"
    );
    let far = Value::DateTime(Moment {
        date: date(9999, 1, 1),
        time_us: 0,
    });
    let nanos = converted(&Op::DateTime(true, 1, 1000), Type::Int64, far);
    assert_eq!(nanos.unwrap(), Owned::Null, "nanoseconds end earlier");
    let stamp = Value::Timestamp(Some(1_500_000));
    assert_eq!(text(&Op::Timestamp(3), stamp), "1970-01-01T00:00:01.500Z");
    let zero = converted(&Op::Timestamp(0), Type::String, Value::Timestamp(None));
    assert_eq!(zero.unwrap(), Owned::Null);
}

#[test]
fn times_beyond_a_day_have_a_count_and_no_text() {
    let time = Value::Time(-3_600_000_000);
    let count = converted(&Op::Time(1000, 1), Type::Int64, time).unwrap();
    assert_eq!(count, Owned::Int(-3_600_000));
    assert!(converted(&Op::IsoTime, Type::String, time).is_err());
    assert_eq!(text(&Op::IsoTime, Value::Time(1_000_000)), "00:00:01Z");
}

#[test]
fn members_are_named_and_invalid_ones_empty() {
    let names: Arc<[String]> = ["a", "b", "c"].map(str::to_owned).into();
    let of = |number| {
        converted(
            &Op::Enum(Arc::clone(&names)),
            Type::String,
            Value::Member(number),
        )
    };
    assert_eq!(of(3).unwrap(), Owned::Str("c".into()));
    assert_eq!(of(0).unwrap(), Owned::Str(String::new()));
    assert!(of(4).is_err());
    let set = Op::Set(names);
    assert_eq!(text(&set, Value::Members(0b101)), "a,c");
    assert_eq!(text(&set, Value::Members(0)), "");
}

#[test]
fn bytes_have_their_width_and_form() {
    let hex = Op::Bytes(BytesOp::Hex, 4);
    assert_eq!(text(&hex, Value::Bytes(&[1, 0xff])), "01ff0000");
    let base64 = Op::Bytes(BytesOp::Base64(true), 0);
    assert_eq!(text(&base64, Value::Bytes(&[0xfb, 0xff])), "-_8=");
    let plain = converted(
        &Op::Bytes(BytesOp::Plain, 3),
        Type::Bytes,
        Value::Bytes(b"a"),
    );
    assert_eq!(plain.unwrap(), Owned::Bytes(b"a\0\0".to_vec()));
    let bits = converted(&Op::Bits, Type::Bytes, Value::Bits(&[1, 2]));
    assert_eq!(bits.unwrap(), Owned::Bytes(vec![2, 1]));
}

#[test]
fn addresses_end_in_zeros_that_are_not_logged() {
    assert_eq!(text(&Op::Inet6, Value::Bytes(&[])), "::");
    assert_eq!(text(&Op::Inet4, Value::Bytes(&[10])), "10.0.0.0");
    assert!(converted(&Op::Inet4, Type::String, Value::Bytes(&[0; 5])).is_err());
}

proptest::proptest! {
    /// Invariant 5: whatever the operation meets, it does not panic.
    #[test]
    fn bytes_of_every_kind_are_converted_or_refused(bytes: Vec<u8>, number: u64, us: i32) {
        let declared = [
            "json", "enum('a')", "set('a','b')", "bit(1)", "bit(9)", "date", "time", "datetime(6)", "timestamp", "uuid", "inet4",
            "inet6", "vector(2)", "point", "polygon", "bigint unsigned", "decimal(10,2)", "binary(3)", "text",
        ];
        let values = [
            Value::Bytes(&bytes),
            Value::Bits(&bytes),
            Value::Decimal(&bytes),
            Value::Member(number),
            Value::Members(number),
            Value::Unsigned(number),
            Value::Time(us.into()),
            Value::Timestamp(Some(us.into())),
        ];
        for text in declared {
            let shape = MODES.shape(&Declared::parse(text), None).unwrap();
            for value in values {
                let _ = cell(&shape.op, value, None, &mut Batch::default());
            }
        }
    }
}
