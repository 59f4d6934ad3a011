//! Scalars as text.

use std::io::Write;

use cdc::binary::push_base64;

use crate::decimal;

use super::binary::Value;

/// Types of columns whose values are not shown in base64.
mod column {
    pub(super) const DECIMAL: u8 = 0;
    pub(super) const TIMESTAMP: u8 = 7;
    pub(super) const DATE: u8 = 10;
    pub(super) const TIME: u8 = 11;
    pub(super) const DATETIME: u8 = 12;
    pub(super) const TIMESTAMP2: u8 = 17;
    pub(super) const DATETIME2: u8 = 18;
    pub(super) const TIME2: u8 = 19;
    pub(super) const NEWDECIMAL: u8 = 246;
}

/// Appends what is no object, array or text.
pub(super) fn push_scalar(value: Value<'_>, out: &mut Vec<u8>) -> Option<()> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(number) => write!(out, "{number}").ok()?,
        Value::Uint(number) => write!(out, "{number}").ok()?,
        Value::Double(number) => push_double(number, out)?,
        Value::Opaque(column, bytes) => push_opaque(column, bytes, out)?,
        Value::Object(_) | Value::Array(_) | Value::Text(_) => return None,
    }
    Some(())
}

/// As Java writes it, but never with an exponent: then with all digits that its bits stand for.
fn push_double(number: f64, out: &mut Vec<u8>) -> Option<()> {
    let size = number.abs();
    if !number.is_finite() {
        return None;
    }
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return write!(out, "{number:?}").ok();
    }
    let digits = fraction_bits(size);
    write!(out, "{number:.digits$}").ok()
}

/// How many bits behind the point a number has, which is how many decimal digits it has there.
fn fraction_bits(size: f64) -> usize {
    let bits = size.to_bits();
    let (exponent, mantissa) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
    let (exponent, mantissa) = match exponent {
        0 => (-1074, mantissa),
        exponent => (exponent - 1075, mantissa | 1 << 52),
    };
    let lowest = exponent + mantissa.trailing_zeros() as i32;
    usize::try_from(-lowest).unwrap_or(0)
}

fn push_opaque(column: u8, bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    match column {
        column::DECIMAL | column::NEWDECIMAL => {
            let [precision, scale, packed @ ..] = bytes else {
                return None;
            };
            let fits = scale <= precision && *precision <= decimal::MAX_PRECISION;
            if !fits || packed.len() != decimal::width(*precision, *scale) {
                return None;
            }
            decimal::push(packed, *precision, *scale, out).ok()
        }
        column::DATE => push_quoted(out, |out| push_date(packed(bytes)?, out)),
        column::TIME | column::TIME2 => push_quoted(out, |out| push_time(packed(bytes)?, out)),
        column::DATETIME | column::DATETIME2 | column::TIMESTAMP | column::TIMESTAMP2 => {
            push_quoted(out, |out| {
                let packed = packed(bytes)?;
                push_date(packed, out)?;
                out.push(b' ');
                push_time_of(packed.cast_unsigned() >> 24 & 0x1_ffff, packed, out)
            })
        }
        _ => push_quoted(out, |out| {
            push_base64(bytes, false, out);
            Some(())
        }),
    }
}

fn push_quoted(out: &mut Vec<u8>, push: impl FnOnce(&mut Vec<u8>) -> Option<()>) -> Option<()> {
    out.push(b'"');
    push(out)?;
    out.push(b'"');
    Some(())
}

/// `TIME_to_longlong_packed`: 24 bits of microseconds; 6, 6 and 5 (10 in a time) of a time of day; 5 of a day; months.
fn packed(bytes: &[u8]) -> Option<i64> {
    bytes.try_into().ok().map(i64::from_le_bytes)
}

fn push_date(packed: i64, out: &mut Vec<u8>) -> Option<()> {
    let days = u64::try_from(packed).ok()? >> 41;
    let (months, day) = (days >> 5, days & 31);
    let (year, month) = (months / 13, months % 13);
    write!(out, "{year:04}-{month:02}-{day:02}").ok()
}

fn push_time(packed: i64, out: &mut Vec<u8>) -> Option<()> {
    if packed < 0 {
        out.push(b'-');
    }
    let size = packed.unsigned_abs();
    push_time_of(size >> 24, size.cast_signed(), out)
}

fn push_time_of(time: u64, packed: i64, out: &mut Vec<u8>) -> Option<()> {
    let (hour, minute, second) = (time >> 12 & 1023, time >> 6 & 63, time & 63);
    write!(out, "{hour:02}:{minute:02}:{second:02}").ok()?;
    let micros = packed & 0xff_ffff;
    if micros > 0 {
        write!(out, ".{micros:06}").ok()?;
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
    Some(())
}

/// Appends a text in quotes. What is not UTF-8, which no server writes, is replaced.
pub(super) fn push_string(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => push_escaped(text.as_bytes(), out),
        Err(_) => push_escaped(String::from_utf8_lossy(bytes).as_bytes(), out),
    }
    out.push(b'"');
}

fn push_escaped(mut rest: &[u8], out: &mut Vec<u8>) {
    let is_special = |byte: &u8| matches!(byte, 0..=0x1f | b'"' | b'\\');
    while let Some(at) = rest.iter().position(is_special) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((byte, behind)) = special.split_first() else {
            return;
        };
        push_escape(*byte, out);
        rest = behind;
    }
    out.extend_from_slice(rest);
}

fn push_escape(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        b'\t' => b't',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        _ => {
            // Writing to a vector does not fail.
            let _ = write!(out, "\\u{byte:04X}");
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
