//! From a value as the text protocol shows it to a cell: for snapshots and defaults. The session shows texts in UTF-8 and times in UTC.

use cdc::{
    iso::DAY_US,
    table::Column,
    text::{Frame, Text},
};
use connect_core::{Batch, Cell, Result};

use crate::{
    catalog::{TableInfo, quoted},
    convert::{self, Op},
    error,
    layout::Value,
    tables::Table,
    temporal::{Date, Moment},
    wire::RowValues,
};

/// What is selected of a table so that [`row`] can read it: columns in order, floats with all their digits.
pub(crate) fn columns(info: &TableInfo, is_wanted: impl Fn(u16) -> bool) -> String {
    let columns = (0u16..).zip(&info.columns).map(|(at, column)| {
        let name = quoted(&column.name);
        match column.declared.name.as_str() {
            _ if !is_wanted(at) => "NULL".to_owned(),
            // A FLOAT is shown with six digits; a sum is a double.
            "float" => format!("{name} + 0e0"),
            _ => name,
        }
    });
    columns.collect::<Vec<_>>().join(", ")
}

/// A row of the text protocol into cells, one for each column of the table, and one more for each that is masked.
pub(crate) fn row(
    table: &Table,
    payload: &[u8],
    frame: Option<Frame<'_>>,
    cells: &mut Vec<Cell>,
    out: &mut Batch,
) -> Result<()> {
    cells.clear();
    let mut values = RowValues::new(payload);
    for column in &table.columns {
        let place = (cells.len(), column);
        let cell = one(table, place, (values.value()?, frame), out)?;
        cells.push(cell);
    }
    for (at, column) in &table.masked {
        let mut values = RowValues::new(payload);
        for _ in 0..*at {
            values.value()?;
        }
        let place = (cells.len(), column);
        let cell = one(table, place, (values.value()?, frame), out)?;
        cells.push(cell);
    }
    Ok(())
}

#[inline]
fn one(
    table: &Table,
    (at, column): (usize, &Column<Op>),
    (value, frame): (Option<&[u8]>, Option<Frame<'_>>),
    out: &mut Batch,
) -> Result<Cell> {
    let Some(bytes) = value else {
        return Ok(column.null(out));
    };
    match cell(&column.op, Text::within(bytes, frame), out) {
        // Zeros, for which there is nothing else.
        Ok(Cell::Null) => Ok(column.null(out)),
        Ok(cell) => Ok(cell),
        Err(error) => table.failed(at, error, out),
    }
}

/// The cell of a value that is not null.
#[inline]
pub(crate) fn cell(op: &Op, text: Text<'_>, out: &mut Batch) -> Result<Cell> {
    let bytes = text.bytes();
    match op {
        Op::Int | Op::Digits => int(op, text, out),
        Op::Truth | Op::TruthNumber => truth(op, bytes, out),
        // What the server sends in UTF-8, and in its own form.
        Op::Text(_) | Op::Enum(_) | Op::Set(_) | Op::Json | Op::Uuid | Op::Inet4 | Op::Inet6 => {
            match simdutf8::basic::from_utf8(bytes) {
                Ok(_) => Ok(text.keep(out)),
                Err(_) => Err(error::value("a text is not UTF-8")),
            }
        }
        Op::Decimal(..) => Ok(text.keep(out)),
        Op::Float | Op::DecimalAsDouble(..) => number(bytes).map(Cell::Float),
        Op::Bit | Op::Bits => convert::cell(op, Value::Bits(bytes), None, out),
        Op::Masked(masked) => convert::masked(&masked.1, out, |out| {
            cell(&masked.0, Text::loose(bytes), out)
        }),
        Op::Bytes(..) | Op::Geometry | Op::Point | Op::Vector => {
            convert::framed(op, Value::Bytes(bytes), text, out)
        }
        Op::Skip => Ok(Cell::Null),
        _ => convert::cell(op, time(op, bytes)?, None, out),
    }
}

/// Digits stay where they are, but for zeros before them and what has no sign.
fn int(op: &Op, text: Text<'_>, out: &mut Batch) -> Result<Cell> {
    let bytes = text.bytes();
    let wrong = || error::value("a number has no digits");
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(wrong());
    }
    let is_plain = digits.len() < 19 && (digits.len() == 1 || !digits.starts_with(b"0"));
    if is_plain {
        return Ok(text.keep(out));
    }
    let shown = std::str::from_utf8(bytes).map_err(|_| wrong())?;
    let value = match shown.parse::<i64>() {
        Ok(number) => Value::Int(number),
        Err(_) => Value::Unsigned(shown.parse().map_err(|_| wrong())?),
    };
    convert::cell(op, value, None, out)
}

fn truth(op: &Op, bytes: &[u8], out: &mut Batch) -> Result<Cell> {
    let number = std::str::from_utf8(bytes)
        .ok()
        .and_then(|digits| digits.parse().ok());
    let number = number.ok_or_else(|| error::value("a number has no digits"))?;
    convert::cell(op, Value::Int(number), None, out)
}

fn number(bytes: &[u8]) -> Result<f64> {
    let text = std::str::from_utf8(bytes).ok();
    let number = text.and_then(|text| text.trim().parse().ok());
    number.ok_or_else(|| error::value("a number has no digits"))
}

fn time(op: &Op, bytes: &[u8]) -> Result<Value<'static>> {
    let wrong = || error::value("a date or time is malformed");
    let text = std::str::from_utf8(bytes).map_err(|_| wrong())?;
    let parsed = match op {
        Op::Date(_) | Op::IsoDate(_) => date(text).map(Value::Date),
        Op::Time(..) | Op::IsoTime => time_of_day(text).map(Value::Time),
        Op::DateTime(..) | Op::IsoDateTime(_) => moment(text).map(Value::DateTime),
        Op::Timestamp(_) => moment(text).map(|moment| {
            let Date { year, month, day } = moment.date;
            let is_zero = (year, month, day) == (0, 0, 0);
            let days = cdc::calendar::days_from_civil(year.into(), month.into(), day.into());
            Value::Timestamp((!is_zero).then(|| days * DAY_US + moment.time_us))
        }),
        _ => None,
    };
    parsed.ok_or_else(wrong)
}

/// `2026-11-24`, also one that there is not.
fn date(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let mut part = || parts.next();
    let (year, month, day) = (part()?, part()?, part()?);
    Some(Date {
        year: year.parse().ok()?,
        month: month.parse().ok()?,
        day: day.parse().ok()?,
    })
}

/// `-838:59:59.000000` in microseconds.
fn time_of_day(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut seconds = 0i64;
    for part in whole.split(':') {
        seconds = seconds
            .checked_mul(60)?
            .checked_add(part.parse::<u32>().ok()?.into())?;
    }
    let digits: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    Some(sign * seconds.checked_mul(1_000_000)?.checked_add(digits)?)
}

/// `2026-11-24 01:02:03.000004`
fn moment(text: &str) -> Option<Moment> {
    let (day, time) = text.split_once(' ').unwrap_or((text, "0:0:0"));
    Some(Moment {
        date: date(day)?,
        time_us: time_of_day(time)?,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use connect_core::{Datum, Schema, Type};

    use super::*;

    fn shown(op: &Op, text: &str) -> Option<i64> {
        let mut out = Batch::default();
        let cell = cell(op, Text::loose(text.as_bytes()), &mut out).ok()?;
        let schema = Arc::new(Schema::of(Type::Int64));
        Datum::of(&out, Some(&schema), cell).int()
    }

    #[test]
    fn numbers_stay_and_lose_zeros_before_them() {
        assert_eq!(shown(&Op::Int, "-12"), Some(-12));
        assert_eq!(shown(&Op::Int, "0007"), Some(7));
        assert_eq!(shown(&Op::Int, "18446744073709551615"), Some(-1));
        for wrong in ["", "-", "1x", "99999999999999999999"] {
            assert_eq!(shown(&Op::Int, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_are_read_and_impossible_dates_told() {
        assert_eq!(shown(&Op::Time(1, 1), "-00:00:01.5"), Some(-1_500_000));
        assert_eq!(shown(&Op::Time(1, 1), "838:59:59"), Some(3_020_399_000_000));
        assert_eq!(shown(&Op::Date(false), "1970-01-02"), Some(1));
        assert_eq!(
            shown(&Op::DateTime(true, 1, 1), "1970-01-01 00:00:01.000002"),
            Some(1_000_002)
        );
        assert_eq!(shown(&Op::Date(false), "2026-02-30"), None);
        for wrong in ["", "2026", "2026-11-", "x-1-1"] {
            assert_eq!(shown(&Op::Date(false), wrong), None, "{wrong}");
        }
    }
}
