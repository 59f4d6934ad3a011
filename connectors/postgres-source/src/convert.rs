//! From a value's text to a cell: one operation per column, chosen once.

use std::sync::Arc;

use cdc::{
    binary::{hex, push_base64},
    masks::Mask,
    text::Text,
};
use connect_core::{Batch, Cell, Error, Result, decimal};

use crate::{
    array, error, geometry,
    temporal::{self, DAY_US, INFINITY, Moment, NEGATIVE_INFINITY, SHORTEST},
    vector,
};

/// What to do with the text of a column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Op {
    /// Nothing: the column is not shown.
    Skip,
    /// `t` or `f`.
    Bool,
    /// An integer's digits stay where they are.
    Int,
    /// A float's digits, `NaN` and infinities too.
    Float,
    /// Text stays where it is.
    Text,
    /// `bytea`: the digits behind `\x`.
    Hex,
    /// `bytea` as base64 text; whether with the alphabet for addresses.
    Base64(bool),
    /// `numeric(p,s)`: decimal text stays where it is.
    Decimal,
    /// `numeric`: a struct of scale and unscaled bytes.
    VariableDecimal,
    /// `money`: decimal text without currency and group signs, rounded to so many digits if given.
    Money(Option<u16>),
    /// `numeric` as text, where Debezium has its own names for what is not a number.
    NumericText,
    /// Bytes of a text that nobody knows, as hex text.
    HexOfText,
    /// The same as base64 text; whether with the alphabet for addresses.
    Base64OfText(bool),
    /// `bit(1)`
    Bit,
    /// `bit(n)`: bytes, least significant first.
    Bits,
    /// Days since 1970-01-01.
    Date,
    /// A time since midnight, in microseconds divided by the first, times the second.
    Time(i64, i64),
    /// A timestamp, in microseconds divided by the first, times the second.
    Timestamp(i64, i64),
    /// ISO text of a date.
    IsoDate,
    /// ISO text of a time.
    IsoTime,
    /// ISO text of a timestamp.
    IsoTimestamp,
    /// ISO text in UTC with so many digits.
    ZonedTimestamp(usize),
    /// ISO text of a time in UTC.
    ZonedTime,
    /// Microseconds.
    IntervalMicros,
    /// ISO text.
    IntervalText,
    /// A struct of x, y, wkb, srid.
    Point,
    /// PostGIS's hex: a struct of its bytes and the number of their reference system.
    Geometry,
    /// `[1,2.5]`: an array of floats.
    Vector,
    /// `{1:2.5,7:1}/9`: a struct of dimensions and a map.
    SparseVector,
    /// `hstore` as JSON text.
    HstoreJson,
    /// `hstore` as a map.
    HstoreMap,
    /// An array of these.
    Array(Arc<Op>),
    /// A text of this, hidden.
    Masked(Arc<(Op, Mask)>),
}

/// The cell of a value that is not null.
#[inline]
pub(crate) fn cell(op: &Op, text: Text<'_>, out: &mut Batch) -> Result<Cell> {
    match op {
        Op::Skip => Ok(Cell::Null),
        Op::Int if is_int(text.bytes()) => Ok(text.keep(out)),
        Op::Text if simdutf8::basic::from_utf8(text.bytes()).is_ok() => Ok(text.keep(out)),
        Op::Bool => Ok(Cell::Bool(text.bytes() == b"t")),
        Op::Decimal if is_decimal(text.bytes()) => Ok(text.keep(out)),
        other => rarer(other, text, out),
    }
}

fn rarer(op: &Op, text: Text<'_>, out: &mut Batch) -> Result<Cell> {
    let bytes = text.bytes();
    match op {
        Op::Text => Err(Error::new(&error::ENCODING, "a text is not UTF-8")),
        Op::Float if is_float(bytes) => Ok(text.keep(out)),
        Op::Hex => match bytes {
            [b'\\', b'x', digits @ ..] if is_hex(digits) => Ok(text.part(digits).keep(out)),
            _ => Err(error::value("a bytea is not in hex")),
        },
        Op::Base64(for_addresses) => base64(bytes, *for_addresses, out),
        Op::Decimal => Err(special(bytes)),
        Op::VariableDecimal => variable_decimal(bytes, out),
        Op::Money(digits) => money(bytes, *digits, out),
        Op::NumericText if is_decimal(bytes) => Ok(text.keep(out)),
        Op::NumericText => special_name(bytes, out),
        Op::HexOfText => Ok(out.push_bytes(&hex(bytes))),
        Op::Base64OfText(for_addresses) => {
            let at = out.arena().len();
            push_base64(bytes, *for_addresses, out.arena());
            Ok(out.made_since(at))
        }
        // `bit varying(1)` can be empty, which is neither.
        Op::Bit if bytes.is_empty() => Ok(Cell::Null),
        Op::Bit => Ok(Cell::Bool(bytes == b"1")),
        Op::Bits => bits(bytes, out),
        Op::Point => point(bytes, out),
        Op::Array(item) => array::cell(item, text, out),
        Op::Masked(masked) => self::masked(&masked.0, &masked.1, bytes, out),
        Op::Geometry => geometry::cell(text, out),
        Op::Vector => vector::cell(text, out),
        Op::SparseVector => vector::sparse(text, out),
        Op::HstoreJson => array::hstore_json(bytes, out),
        Op::HstoreMap => array::hstore_map(bytes, out),
        Op::Int | Op::Float => Err(error::value("a number has no digits")),
        other => time(other, bytes, out).map_err(|_| error::value("a date or time is malformed")),
    }
}

fn time(op: &Op, bytes: &[u8], out: &mut Batch) -> Result<Cell, temporal::Malformed> {
    let at = out.arena().len();
    match op {
        Op::Date => return temporal::days(bytes).map(Cell::Int),
        Op::Time(divide, times) => {
            return temporal::time_us(bytes).map(|us| Cell::Int(us / divide * times));
        }
        Op::Timestamp(divide, times) => {
            let us = match temporal::moment(bytes)? {
                Moment::At(days, us) => days.saturating_mul(DAY_US).saturating_add(us),
                Moment::Infinity => INFINITY,
                Moment::NegativeInfinity => NEGATIVE_INFINITY,
            };
            let shown = us.div_euclid(*divide).checked_mul(*times);
            // Nanoseconds of 64 bits end in the year 2262.
            return Ok(shown.map_or(Cell::Null, Cell::Int));
        }
        Op::IntervalMicros => {
            return temporal::interval(bytes).map(|interval| Cell::Int(interval.as_micros()));
        }
        Op::IsoDate => {
            temporal::push_date(temporal::days(bytes)?, out.arena());
            out.arena().push(b'Z');
        }
        // Java's time of day ends before 24:00.
        Op::IsoTime => push_iso_time(temporal::time_us(bytes)? % DAY_US, out),
        Op::ZonedTime => push_iso_time(temporal::zoned_time_us(bytes)? % DAY_US, out),
        Op::IsoTimestamp => {
            let parts = |us: i64| (us.div_euclid(DAY_US), us.rem_euclid(DAY_US));
            let (days, us) = match temporal::moment(bytes)? {
                Moment::At(days, us) => (days, us),
                Moment::Infinity => parts(INFINITY),
                Moment::NegativeInfinity => parts(NEGATIVE_INFINITY),
            };
            temporal::push_instant(days, us, SHORTEST, out.arena());
        }
        Op::ZonedTimestamp(digits) => match temporal::moment(bytes)? {
            Moment::At(days, us) => temporal::push_instant(days, us, *digits, out.arena()),
            Moment::Infinity | Moment::NegativeInfinity => out.arena().extend_from_slice(bytes),
        },
        Op::IntervalText => temporal::interval(bytes)?.push(out.arena()),
        _ => return Err(temporal::Malformed),
    }
    Ok(out.made_since(at))
}

fn push_iso_time(us: i64, out: &mut Batch) {
    temporal::push_time(us, SHORTEST, out.arena());
    out.arena().push(b'Z');
}

#[inline]
pub(crate) fn is_int(bytes: &[u8]) -> bool {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// `-12.50`, without exponent.
#[inline]
fn is_decimal(bytes: &[u8]) -> bool {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let points = digits.iter().filter(|b| **b == b'.').count();
    digits.len() > points && points <= 1 && digits.iter().all(|b| b.is_ascii_digit() || *b == b'.')
}

pub(crate) fn is_float(bytes: &[u8]) -> bool {
    let signed = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let digit = |b: &u8| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'-' | b'+');
    signed == b"Infinity"
        || bytes == b"NaN"
        || (signed.first().is_some_and(u8::is_ascii_digit) && signed.iter().all(digit))
}

pub(crate) fn is_hex(bytes: &[u8]) -> bool {
    bytes.len().is_multiple_of(2) && bytes.iter().all(u8::is_ascii_hexdigit)
}

fn special(bytes: &[u8]) -> Error {
    if matches!(bytes, b"NaN" | b"Infinity" | b"-Infinity") {
        return Error::new(&error::SPECIAL_NUMBER, "a numeric value is NaN or infinite");
    }
    error::value("a numeric value is not in decimal digits")
}

fn variable_decimal(bytes: &[u8], out: &mut Batch) -> Result<Cell> {
    if !is_decimal(bytes) {
        return Err(special(bytes));
    }
    let fraction = match bytes.iter().position(|b| *b == b'.') {
        Some(point) => bytes.get(point + 1..).unwrap_or(&[]),
        None => &[],
    };
    let zeros = fraction.iter().rev().take_while(|b| **b == b'0').count();
    let scale = fraction.len() - zeros;
    let at = out.arena().len();
    decimal::unscaled(bytes, scale, out.arena())?;
    let unscaled = out.made_since(at);
    let scale = i64::try_from(scale).unwrap_or(i64::MAX);
    Ok(out.push_nest(&[Cell::Int(scale), unscaled]))
}

fn masked(op: &Op, mask: &Mask, bytes: &[u8], out: &mut Batch) -> Result<Cell> {
    let at = out.arena().len();
    cell(op, Text::loose(bytes), out)?;
    let text = out.arena().get(at..).unwrap_or(&[]);
    let masked = mask.apply(&String::from_utf8_lossy(text));
    out.arena().truncate(at);
    Ok(out.push_bytes(masked.as_bytes()))
}

/// The names of `io.debezium.data.SpecialValueDecimal`.
fn special_name(bytes: &[u8], out: &mut Batch) -> Result<Cell> {
    let name: &[u8] = match bytes {
        b"NaN" => b"NAN",
        b"Infinity" => b"POSITIVE_INFINITY",
        b"-Infinity" => b"NEGATIVE_INFINITY",
        _ => return Err(special(bytes)),
    };
    Ok(out.push_bytes(name))
}

/// `-$1,234.50`, since connections have `lc_monetary=C`.
fn money(bytes: &[u8], digits: Option<u16>, out: &mut Batch) -> Result<Cell> {
    let text: Vec<u8> = bytes
        .iter()
        .copied()
        .filter(|b| !matches!(b, b'$' | b','))
        .collect();
    if !is_decimal(&text) {
        return Err(error::value("a money value is not in dollars and cents"));
    }
    match digits {
        Some(digits) => Ok(out.push_bytes(rounded(&text, usize::from(digits)).as_bytes())),
        None => Ok(out.push_bytes(&text)),
    }
}

/// A decimal text with so many digits behind the point, a half away from zero.
fn rounded(text: &[u8], digits: usize) -> String {
    let text = String::from_utf8_lossy(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let kept: String = fraction.chars().take(digits).collect();
    let up = fraction.as_bytes().get(digits).is_some_and(|b| *b >= b'5');
    let (sign, whole) = match whole.strip_prefix('-') {
        Some(whole) => ("-", whole),
        None => ("", whole),
    };
    // `money` has 64 bits, of which two digits are cents.
    let number: u128 = format!("{whole}{kept}").parse().unwrap_or_default();
    let number = format!(
        "{:0>width$}",
        number + u128::from(up),
        width = kept.len() + 1
    );
    let (whole, kept) = number.split_at(number.len() - kept.len());
    match digits {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{kept:0<digits$}"),
    }
}

fn bits(bytes: &[u8], out: &mut Batch) -> Result<Cell> {
    if !bytes.iter().all(|b| matches!(b, b'0' | b'1')) {
        return Err(error::value("a bit string has other digits"));
    }
    let at = out.arena().len();
    for eight in bytes.rchunks(8) {
        let byte = eight.iter().fold(0u8, |byte, bit| byte << 1 | (bit - b'0'));
        out.arena().push(byte);
    }
    // As many bytes as the highest bit needs.
    while out.arena().len() > at && out.arena().last() == Some(&0) {
        out.arena().pop();
    }
    Ok(out.made_since(at))
}

/// `(1.5,-2)`
fn point(bytes: &[u8], out: &mut Batch) -> Result<Cell> {
    let broken = || error::value("a point is malformed");
    let text = std::str::from_utf8(bytes).map_err(|_| broken())?;
    let inner = text
        .strip_prefix('(')
        .and_then(|t| t.strip_suffix(')'))
        .ok_or_else(broken)?;
    let (x, y) = inner.split_once(',').ok_or_else(broken)?;
    let (x, y): (f64, f64) = (
        x.parse().map_err(|_| broken())?,
        y.parse().map_err(|_| broken())?,
    );
    let at = out.arena().len();
    // Well-known binary: little-endian, a point.
    out.arena().extend_from_slice(&[1, 1, 0, 0, 0]);
    out.arena().extend_from_slice(&x.to_le_bytes());
    out.arena().extend_from_slice(&y.to_le_bytes());
    let wkb = out.made_since(at);
    Ok(out.push_nest(&[Cell::Float(x), Cell::Float(y), wkb, Cell::Null]))
}

fn base64(bytes: &[u8], for_addresses: bool, out: &mut Batch) -> Result<Cell> {
    let digits = match bytes {
        [b'\\', b'x', digits @ ..] if is_hex(digits) => digits,
        _ => return Err(error::value("a bytea is not in hex")),
    };
    let at = out.arena().len();
    push_base64(&decimal::unhex(digits), for_addresses, out.arena());
    Ok(out.made_since(at))
}

#[cfg(test)]
mod tests;
