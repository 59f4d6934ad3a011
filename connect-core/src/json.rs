//! Values as plain JSON: what a person would write, without Kafka Connect's envelopes. For sinks.

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{Datum, Form, Schema, Type, datum::View, decimal, temporal};

/// How values are written that have no form of their own in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Decimals as JSON numbers with all their digits; else as strings.
    pub decimal_numbers: bool,
    /// Dates and times as ISO 8601 text; else as the integers that records carry.
    pub iso_times: bool,
    /// Text of type `io.debezium.data.Json` as the JSON it holds; else as a string.
    pub nested_json: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            decimal_numbers: false,
            iso_times: true,
            nested_json: true,
        }
    }
}

/// The semantic name of JSON documents in text.
pub const JSON: &str = "io.debezium.data.Json";
const VARIABLE_SCALE: &str = "io.debezium.data.VariableScaleDecimal";

/// Appends a value as JSON. Bytes become base64; NaN and the infinities become strings; an absent value becomes null,
/// but an absent field of a struct is left out.
pub fn write(datum: Datum<'_>, style: Style, out: &mut Vec<u8>) {
    match datum.view() {
        View::Absent | View::Null => out.extend_from_slice(b"null"),
        View::Bool(b) => out.extend_from_slice(if b { b"true" } else { b"false" }),
        View::Int(int) => write_int(datum, int, style, out),
        View::Float(float) => write_float(datum, float, out),
        View::Digits(digits) => write_digits(datum, digits, style, out),
        View::Text(text) => write_text_value(datum, text, style, out),
        View::Bytes(bytes, form) => write_bytes(datum, bytes, form, style, out),
        View::Array => write_array(datum, style, out),
        View::Map if keys_are_text(datum) => write_members(datum, style, out),
        View::Map => write_pairs(datum, style, out),
        View::Struct => match variable_decimal(datum) {
            Some(digits) => write_decimal(&digits, style, out),
            None => write_members(datum, style, out),
        },
    }
}

/// Appends a value as it would stand alone: text without quotes, all else as JSON.
/// Returns false, with nothing appended, for null and absent.
pub fn write_plain(datum: Datum<'_>, style: Style, out: &mut Vec<u8>) -> bool {
    match datum.view() {
        View::Absent | View::Null => return false,
        View::Text(text) => out.extend_from_slice(text),
        View::Bool(_) | View::Array | View::Map => write(datum, style, out),
        View::Struct if variable_decimal(datum).is_none() => write(datum, style, out),
        _ => {
            let at = out.len();
            write(datum, style, out);
            // None of these has anything to escape, so the quotes are all there is to take off.
            if out.get(at) == Some(&b'"') {
                out.remove(at);
                out.pop();
            }
        }
    }
    true
}

/// Appends text as a JSON string.
pub fn write_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut from = 0;
    for (at, byte) in text.iter().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..=0x1f => b"",
            _ => continue,
        };
        out.extend_from_slice(&text[from..at]);
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.extend_from_slice(escape);
        }
        from = at + 1;
    }
    out.extend_from_slice(&text[from..]);
    out.push(b'"');
}

/// Appends an integer's digits.
pub fn write_integer(int: i64, out: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = int.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if int < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

fn write_int(datum: Datum<'_>, int: i64, style: Style, out: &mut Vec<u8>) {
    let unit = if style.iso_times {
        datum.schema().and_then(|s| temporal::Unit::of(s))
    } else {
        None
    };
    match unit {
        Some(unit) => {
            out.push(b'"');
            unit.write(int, out);
            out.push(b'"');
        }
        None => write_integer(int, out),
    }
}

fn write_float(datum: Datum<'_>, float: f64, out: &mut Vec<u8>) {
    let narrow = matches!(datum.schema().map(|s| &s.ty), Some(Type::Float32));
    let _ = match (float.is_finite(), narrow) {
        (true, true) => write!(out, "{:?}", float as f32),
        (true, false) => write!(out, "{float:?}"),
        (false, _) if float.is_nan() => write!(out, "\"NaN\""),
        (false, _) if float > 0.0 => write!(out, "\"Infinity\""),
        (false, _) => write!(out, "\"-Infinity\""),
    };
}

fn write_digits(datum: Datum<'_>, digits: &[u8], style: Style, out: &mut Vec<u8>) {
    if let (true, Some(int)) = (style.iso_times && datum.schema().is_some(), datum.int()) {
        return write_int(datum, int, style, out);
    }
    if is_number(digits) {
        out.extend_from_slice(digits);
    } else {
        write_string(digits, out);
    }
}

fn write_text_value(datum: Datum<'_>, text: &[u8], style: Style, out: &mut Vec<u8>) {
    let nested = style.nested_json && datum.schema().is_some_and(|s| s.is(JSON));
    if nested && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok() {
        // Line breaks between tokens would end a line of a bulk request; inside strings they are always escaped.
        out.extend(text.iter().filter(|b| !matches!(**b, b'\n' | b'\r')));
    } else {
        write_string(text, out);
    }
}

fn write_bytes(datum: Datum<'_>, bytes: &[u8], form: Form, style: Style, out: &mut Vec<u8>) {
    match (form, datum.schema().and_then(|s| decimal::scale_of(s))) {
        (Form::DecimalText, _) => write_decimal(bytes, style, out),
        (Form::Plain, Some(scale)) => {
            let mut digits = Vec::new();
            decimal::to_text(bytes, scale, &mut digits);
            write_decimal(&digits, style, out);
        }
        (Form::Plain, None) => write_base64(bytes, out),
        (Form::Hex, _) => write_base64(&decimal::unhex(bytes), out),
    }
}

fn write_decimal(digits: &[u8], style: Style, out: &mut Vec<u8>) {
    if style.decimal_numbers && is_number(digits) {
        out.extend_from_slice(digits);
    } else {
        write_string(digits, out);
    }
}

fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let at = out.len();
    out.resize(at + bytes.len().div_ceil(3) * 4, 0);
    // The room is exact, so this cannot fail.
    let written = STANDARD.encode_slice(bytes, &mut out[at..]).unwrap_or(0);
    out.truncate(at + written);
    out.push(b'"');
}

fn write_array(datum: Datum<'_>, style: Style, out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, item) in datum.items().into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(item, style, out);
    }
    out.push(b']');
}

fn write_members(datum: Datum<'_>, style: Style, out: &mut Vec<u8>) {
    out.push(b'{');
    let mut first = true;
    for (name, value) in datum.entries() {
        if value.is_absent() {
            continue;
        }
        if !first {
            out.push(b',');
        }
        first = false;
        write_string(name.as_bytes(), out);
        out.push(b':');
        write(value, style, out);
    }
    out.push(b'}');
}

fn write_pairs(datum: Datum<'_>, style: Style, out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, (key, value)) in datum.pairs().into_iter().enumerate() {
        out.extend_from_slice(if at > 0 { b",[" } else { b"[" });
        write(key, style, out);
        out.push(b',');
        write(value, style, out);
        out.push(b']');
    }
    out.push(b']');
}

fn keys_are_text(datum: Datum<'_>) -> bool {
    match datum.schema().map(|s| &s.ty) {
        Some(Type::Map(key, _)) => matches!(key.ty, Type::String),
        _ => true,
    }
}

fn variable_decimal(datum: Datum<'_>) -> Option<Vec<u8>> {
    if !datum.schema().is_some_and(|s| s.is(VARIABLE_SCALE)) {
        return None;
    }
    let scale = usize::try_from(datum.get("scale")?.int()?).ok()?;
    let value = datum.get("value")?;
    let View::Bytes(bytes, form) = value.view() else {
        return None;
    };
    match form {
        Form::DecimalText => Some(bytes.to_vec()),
        // A scale beyond this is no number of any database, but it would be as many zeros.
        Form::Plain if scale <= 20_000 => {
            let mut digits = Vec::new();
            decimal::to_text(bytes, scale, &mut digits);
            Some(digits)
        }
        _ => None,
    }
}

/// Whether a schema's values are decimals, however they lie.
pub fn is_decimal(schema: &Schema) -> bool {
    decimal::scale_of(schema).is_some() || schema.is(VARIABLE_SCALE)
}

/// Whether bytes are a number in JSON's grammar.
fn is_number(text: &[u8]) -> bool {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits_in(unsigned);
    let after = &unsigned[whole..];
    if whole == 0 || (whole > 1 && unsigned[0] == b'0') {
        return false;
    }
    let after = match after.strip_prefix(b".") {
        Some(fraction) => match digits_in(fraction) {
            0 => return false,
            len => &fraction[len..],
        },
        None => after,
    };
    match after {
        [] => true,
        [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] => {
            !exponent.is_empty() && digits_in(exponent) == exponent.len()
        }
        _ => false,
    }
}

fn digits_in(text: &[u8]) -> usize {
    text.iter().take_while(|b| b.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests;
