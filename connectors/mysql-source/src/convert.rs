//! From a value as it lies in a row to a cell: one operation per column, chosen once.

use std::{
    borrow::Cow,
    fmt::Display,
    io::Write,
    net::{Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use cdc::{
    binary::{push_base64, push_hex},
    calendar::days_from_civil,
    hide::Hide,
    iso::{self, DAY_US, SHORTEST},
    masks::Mask,
    text::{Frame, Text},
};
use connect_core::{Batch, Cell, Result};

use crate::{
    charset::Charset,
    decimal, error,
    geometry::Geometry,
    json,
    layout::Value,
    temporal::{Date, Moment},
    vector,
};

/// What to do with the values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// Nothing: the column is not shown.
    Skip,
    /// An integer. Those of the upper half of 64 bits without a sign are negative.
    Int,
    /// Whether an integer is above zero.
    Truth,
    /// The same as 1 or 0.
    TruthNumber,
    /// The digits of an integer without a sign.
    Digits,
    /// A float.
    Float,
    /// A decimal as text: digits in all, and behind the point.
    Decimal(u8, u8),
    /// The same as a double.
    DecimalAsDouble(u8, u8),
    /// `BIT(1)`
    Bit,
    /// `BIT(n)`: bytes, least significant first.
    Bits,
    /// Days since 1970-01-01; whether years of two digits are those around 2000.
    Date(bool),
    /// The same as ISO text.
    IsoDate(bool),
    /// Microseconds, divided by the first, times the second.
    Time(i64, i64),
    /// ISO text of a time of day.
    IsoTime,
    /// Microseconds since 1970-01-01, divided by the first, times the second; the years as with dates.
    DateTime(bool, i64, i64),
    /// The same as ISO text.
    IsoDateTime(bool),
    /// ISO text in UTC with so many digits.
    Timestamp(usize),
    /// The name of a member.
    Enum(Arc<[String]>),
    /// The names of members, commas between them.
    Set(Arc<[String]>),
    /// A text in a character set.
    Text(Charset),
    /// Bytes in a form, with zeros up to a width.
    Bytes(BytesOp, usize),
    /// Binary JSON as text.
    Json,
    /// A struct of coordinates, well-known binary and reference system.
    Point,
    /// The same without coordinates.
    Geometry,
    /// An array of floats.
    Vector,
    /// Sixteen bytes as a UUID's text (MariaDB).
    Uuid,
    /// Four bytes as an address's text (MariaDB).
    Inet4,
    /// Sixteen bytes, the same.
    Inet6,
    /// A text of this, hidden.
    Masked(Arc<(Op, Mask)>),
}

impl Hide for Op {
    fn is_bytes(&self) -> bool {
        matches!(self, Self::Bytes(BytesOp::Plain, _))
    }

    fn characters_per_byte(&self) -> usize {
        1
    }

    fn masked(self, mask: Mask) -> Self {
        Self::Masked(Arc::new((self, mask)))
    }
}

/// How bytes are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BytesOp {
    /// As they are.
    Plain,
    /// As hex text.
    Hex,
    /// As base64 text; whether with the alphabet for addresses.
    Base64(bool),
}

/// The cell of a value that is not null, whose bytes lie in the frame if there is one. Null for dates of zeros, for which there is
/// nothing else.
#[inline]
pub fn cell(op: &Op, value: Value<'_>, frame: Option<Frame<'_>>, out: &mut Batch) -> Result<Cell> {
    match (op, value) {
        (Op::Skip, _) => Ok(Cell::Null),
        (Op::Int, Value::Int(number)) => Ok(Cell::Int(number)),
        (Op::Text(charset), Value::Bytes(bytes)) if charset.is_utf8(bytes) => {
            Ok(Text::within(bytes, frame).keep(out))
        }
        (Op::Decimal(precision, scale), Value::Decimal(packed)) => made(out, |arena| {
            decimal::push(packed, *precision, *scale, arena)
        }),
        (Op::Text(charset), Value::Bytes(bytes)) => made(out, |arena| {
            charset.push(bytes, arena);
            Ok(())
        }),
        (Op::Bytes(form, width), Value::Bytes(bytes)) => {
            binary(*form, *width, Text::within(bytes, frame), out)
        }
        (Op::Masked(of), value) => masked(&of.1, out, |out| cell(&of.0, value, None, out)),
        (op, Value::Bytes(bytes)) => structured(op, Text::within(bytes, frame), out),
        (op, value) => rarer(op, value, out),
    }
}

/// The cell of bytes that lie where a text lies.
pub(crate) fn framed(op: &Op, value: Value<'_>, text: Text<'_>, out: &mut Batch) -> Result<Cell> {
    match (op, value) {
        (Op::Bytes(form, width), Value::Bytes(bytes)) => {
            binary(*form, *width, text.part(bytes), out)
        }
        (op, Value::Bytes(bytes)) => structured(op, text.part(bytes), out),
        (op, value) => cell(op, value, None, out),
    }
}

/// What `make` appends to the arena, hidden. Bytes of a truncated column are cut as they are.
pub(crate) fn masked(
    mask: &Mask,
    out: &mut Batch,
    make: impl FnOnce(&mut Batch) -> Result<Cell>,
) -> Result<Cell> {
    let at = out.arena().len();
    make(out)?;
    let made = out.arena().get(at..).unwrap_or_default();
    let hidden = match (mask, std::str::from_utf8(made)) {
        (Mask::Truncate(most), Err(_)) => made.get(..*most).unwrap_or(made).to_vec(),
        (mask, text) => mask.apply(text.unwrap_or_default()).into_bytes(),
    };
    out.arena().truncate(at);
    Ok(out.push_bytes(&hidden))
}

/// A cell of what is appended to the arena.
fn made(out: &mut Batch, push: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<Cell> {
    let at = out.arena().len();
    let pushed = push(out.arena());
    if pushed.is_err() {
        out.arena().truncate(at);
    }
    pushed.map(|()| out.made_since(at))
}

fn rarer(op: &Op, value: Value<'_>, out: &mut Batch) -> Result<Cell> {
    match (op, value) {
        (Op::Int, Value::Unsigned(number)) => Ok(Cell::Int(number.cast_signed())),
        (Op::Truth, Value::Int(number)) => Ok(Cell::Bool(number > 0)),
        (Op::Truth, Value::Unsigned(number)) => Ok(Cell::Bool(number > 0)),
        (Op::TruthNumber, Value::Int(number)) => Ok(Cell::Int(i64::from(number > 0))),
        (Op::TruthNumber, Value::Unsigned(number)) => Ok(Cell::Int(i64::from(number > 0))),
        (Op::Digits, Value::Int(number)) => {
            Ok(out.push_bytes(itoa::Buffer::new().format(number).as_bytes()))
        }
        (Op::Digits, Value::Unsigned(number)) => {
            Ok(out.push_bytes(itoa::Buffer::new().format(number).as_bytes()))
        }
        (Op::Float, Value::Float(number)) => Ok(Cell::Float(number.into())),
        (Op::Float, Value::Double(number)) => Ok(Cell::Float(number)),
        (Op::DecimalAsDouble(precision, scale), Value::Decimal(packed)) => {
            double(packed, *precision, *scale, out)
        }
        (Op::Bit, Value::Bits(bits)) => Ok(Cell::Bool(bits.iter().any(|byte| *byte != 0))),
        (Op::Bits, Value::Bits(bits)) => made(out, |arena| {
            arena.extend(bits.iter().rev());
            Ok(())
        }),
        (Op::Enum(members), Value::Member(number)) => member(members, number, out),
        (Op::Set(members), Value::Members(bits)) => made(out, |arena| {
            push_members(members, bits, arena);
            Ok(())
        }),
        (op, value) => time(op, value, out),
    }
}

fn time(op: &Op, value: Value<'_>, out: &mut Batch) -> Result<Cell> {
    match (op, value) {
        (Op::Date(adjusts), Value::Date(date)) => {
            Ok(days(date, *adjusts)?.map_or(Cell::Null, Cell::Int))
        }
        (Op::IsoDate(adjusts), Value::Date(date)) => {
            iso(out, days(date, *adjusts)?, |days, arena| {
                iso::push_date(days, arena);
                arena.push(b'Z');
            })
        }
        (Op::Time(divide, times), Value::Time(us)) => Ok(Cell::Int(us / divide * times)),
        (Op::IsoTime, Value::Time(us)) if (0..DAY_US).contains(&us) => {
            iso(out, Some(us), |us, arena| {
                iso::push_time(us, SHORTEST, arena);
                arena.push(b'Z');
            })
        }
        (Op::IsoTime, Value::Time(_)) => Err(error::value("a time is not one of a day")),
        (Op::DateTime(adjusts, divide, times), Value::DateTime(moment)) => {
            let us = micros(moment, *adjusts)?;
            let shown = us.and_then(|us| us.div_euclid(*divide).checked_mul(*times));
            // Nanoseconds of 64 bits end in the year 2262.
            Ok(shown.map_or(Cell::Null, Cell::Int))
        }
        (Op::IsoDateTime(adjusts), Value::DateTime(moment)) => {
            iso(out, micros(moment, *adjusts)?, |us, arena| {
                push_instant(us, SHORTEST, arena);
            })
        }
        (Op::Timestamp(digits), Value::Timestamp(us)) => iso(out, us, |us, arena| {
            push_instant(us, *digits, arena);
        }),
        _ => Err(error::value("a value is not of the type of its column")),
    }
}

fn iso(out: &mut Batch, value: Option<i64>, push: impl FnOnce(i64, &mut Vec<u8>)) -> Result<Cell> {
    let Some(value) = value else {
        return Ok(Cell::Null);
    };
    made(out, |arena| {
        push(value, arena);
        Ok(())
    })
}

fn push_instant(us: i64, digits: usize, arena: &mut Vec<u8>) {
    iso::push_instant(us.div_euclid(DAY_US), us.rem_euclid(DAY_US), digits, arena);
}

fn micros(moment: Moment, adjusts: bool) -> Result<Option<i64>> {
    let days = days(moment.date, adjusts)?;
    Ok(days.map(|days| days * DAY_US + moment.time_us))
}

/// Days since 1970-01-01; `None` for a date with a year, month or day of zero.
fn days(date: Date, adjusts: bool) -> Result<Option<i64>> {
    let Date { year, month, day } = date;
    if year == 0 || month == 0 || day == 0 {
        return Ok(None);
    }
    if day > days_of(year, month) {
        return Err(error::value("a date is none of the calendar"));
    }
    let year = match year {
        1..70 if adjusts => 2000 + year,
        70..100 if adjusts => 1900 + year,
        year => year,
    };
    let days = days_from_civil(year.into(), month.into(), day.into());
    Ok(Some(days))
}

fn days_of(year: u16, month: u8) -> u8 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The arena lends room for the text.
fn double(packed: &[u8], precision: u8, scale: u8, out: &mut Batch) -> Result<Cell> {
    let at = out.arena().len();
    let pushed = decimal::push(packed, precision, scale, out.arena());
    let text = out.arena().get(at..).unwrap_or_default();
    let number = std::str::from_utf8(text).ok().and_then(|t| t.parse().ok());
    out.arena().truncate(at);
    pushed?;
    let number = number.ok_or_else(|| error::value("a decimal has no digits"))?;
    Ok(Cell::Float(number))
}

/// 0 stands for what was not valid, which is shown as an empty text.
fn member(members: &[String], number: u64, out: &mut Batch) -> Result<Cell> {
    let Some(at) = number.checked_sub(1) else {
        return Ok(out.push_bytes(b""));
    };
    let member = usize::try_from(at).ok().and_then(|at| members.get(at));
    let member = member.ok_or_else(|| error::value("an ENUM has a member that it has not"))?;
    Ok(out.push_bytes(member.as_bytes()))
}

fn push_members(members: &[String], bits: u64, arena: &mut Vec<u8>) {
    let at = arena.len();
    for (nth, member) in members.iter().enumerate().take(64) {
        if bits & (1 << nth) != 0 {
            if arena.len() > at {
                arena.push(b',');
            }
            arena.extend_from_slice(member.as_bytes());
        }
    }
}

fn binary(form: BytesOp, width: usize, text: Text<'_>, out: &mut Batch) -> Result<Cell> {
    let bytes = text.bytes();
    if form == BytesOp::Plain && bytes.len() >= width {
        return Ok(text.keep(out));
    }
    let mut whole = Cow::Borrowed(bytes);
    if bytes.len() < width {
        whole.to_mut().resize(width, 0);
    }
    made(out, |arena| {
        match form {
            BytesOp::Plain => arena.extend_from_slice(&whole),
            BytesOp::Hex => push_hex(&whole, arena),
            BytesOp::Base64(for_addresses) => push_base64(&whole, for_addresses, arena),
        }
        Ok(())
    })
}

fn structured(op: &Op, text: Text<'_>, out: &mut Batch) -> Result<Cell> {
    let bytes = text.bytes();
    match op {
        Op::Json => json::cell(bytes, out),
        Op::Vector => vector::cell(bytes, out),
        Op::Geometry | Op::Point => {
            let geometry = Geometry::of(bytes)?;
            let wkb = text.part(geometry.wkb).keep(out);
            match op {
                Op::Point => geometry.point_cell(wkb, out),
                _ => Ok(geometry.cell(wkb, out)),
            }
        }
        Op::Uuid => uuid(bytes, out),
        Op::Inet4 => {
            let bytes: [u8; 4] = padded(bytes)?;
            shown(Ipv4Addr::from(bytes), out)
        }
        Op::Inet6 => {
            let bytes: [u8; 16] = padded(bytes)?;
            shown(Ipv6Addr::from(bytes), out)
        }
        _ => Err(error::value("a value is not of the type of its column")),
    }
}

/// Bytes that the server has cut zeros off the end of.
fn padded<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    let mut whole = [0; N];
    let longer = || error::value("a value has more bytes than its type");
    let place = whole.get_mut(..bytes.len()).ok_or_else(longer)?;
    place.copy_from_slice(bytes);
    Ok(whole)
}

fn uuid(bytes: &[u8], out: &mut Batch) -> Result<Cell> {
    let [a, b, c, d, e, f, g, h, rest @ ..]: [u8; 16] = padded(bytes)?;
    let [i, j, node @ ..] = rest;
    let parts: [&[u8]; 4] = [&[e, f], &[g, h], &[i, j], &node];
    made(out, |arena| {
        push_hex(&[a, b, c, d], arena);
        for part in parts {
            arena.push(b'-');
            push_hex(part, arena);
        }
        Ok(())
    })
}

fn shown(address: impl Display, out: &mut Batch) -> Result<Cell> {
    made(out, |arena| {
        // Writing to a Vec does not fail.
        let _ = write!(arena, "{address}");
        Ok(())
    })
}

#[cfg(test)]
mod tests;
