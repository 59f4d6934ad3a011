//! Values as plain text, in the two ways of Kafka Connect: `Values.convertToString` and Java's `toString`.

use connect_core::{
    Datum, Error, Form, Result, Schema, Type, Value,
    datum::View,
    decimal::{scale_of, to_text},
    schema::logical,
};

use crate::{
    error::MISMATCH,
    java_number::{write_big_decimal, write_double, write_float, write_float_digits},
    temporal::{MILLIS_PER_DAY, write_moment},
};

/// Which of the two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `org.apache.kafka.connect.data.Values.convertToString`: nested values look like JSON.
    Values,
    /// `toString` of Connect's and Java's classes: `Struct{id=1}`, `[1, 2]`, `{a=1}`. Bytes and dates, which Java
    /// prints as an address or in the server's time zone, are written as with [`Style::Values`].
    Java,
}

/// Appends a value as Kafka Connect's `Values.convertToString` prints it.
pub fn write_as_text(datum: Datum<'_>, out: &mut Vec<u8>) -> Result<()> {
    write_plain(datum, Style::Values, false, out)
}

/// Appends a value. `embedded` is true inside arrays, maps and structs.
pub(crate) fn write_plain(
    datum: Datum<'_>,
    style: Style,
    embedded: bool,
    out: &mut Vec<u8>,
) -> Result<()> {
    match datum.view() {
        View::Null | View::Absent => out.extend_from_slice(b"null"),
        View::Bool(b) => out.extend_from_slice(if b { b"true" } else { b"false" }),
        View::Int(i) => write_int(datum, i, out),
        View::Float(f) => write_number(datum, f, out),
        View::Digits(digits) => write_digits(datum, digits, out)?,
        View::Text(text) if embedded && style == Style::Values => write_quoted(text, out),
        View::Text(text) => out.extend_from_slice(text),
        View::Bytes(bytes, form) => write_bytes(datum, bytes, form, embedded, style, out)?,
        View::Array => {
            out.push(b'[');
            for (at, item) in datum.items().into_iter().enumerate() {
                separate(at, style, out);
                write_plain(item, style, true, out)?;
            }
            out.push(b']');
        }
        View::Map => write_map(datum, style, out)?,
        View::Struct => write_struct(datum, style, out)?,
    }
    Ok(())
}

fn separate(at: usize, style: Style, out: &mut Vec<u8>) {
    if at > 0 {
        out.push(b',');
        if style == Style::Java {
            out.push(b' ');
        }
    }
}

fn write_map(datum: Datum<'_>, style: Style, out: &mut Vec<u8>) -> Result<()> {
    out.push(b'{');
    let pairs = datum.pairs();
    let entries = if pairs.is_empty() {
        datum.entries()
    } else {
        Vec::new()
    };
    for (at, (key, value)) in pairs.into_iter().enumerate() {
        separate(at, style, out);
        write_plain(key, style, true, out)?;
        out.push(if style == Style::Values { b':' } else { b'=' });
        write_plain(value, style, true, out)?;
    }
    for (at, (key, value)) in entries.into_iter().enumerate() {
        separate(at, style, out);
        let key = Value::Str(key.into_owned());
        write_plain(Datum::of_value(None, &key), style, true, out)?;
        out.push(if style == Style::Values { b':' } else { b'=' });
        write_plain(value, style, true, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_struct(datum: Datum<'_>, style: Style, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(if style == Style::Java {
        b"Struct{"
    } else {
        b"{"
    });
    let mut first = true;
    for (name, value) in datum.entries() {
        let nothing = value.is_null() || value.is_absent();
        let schema = value.schema();
        let default = schema.and_then(|s| s.default.as_ref()).filter(|_| nothing);
        let value = default.map_or(value, |default| Datum::of_value(schema, default));
        if style == Style::Java && nothing && default.is_none() {
            continue;
        }
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        if style == Style::Java {
            out.extend_from_slice(name.as_bytes());
            out.push(b'=');
        } else {
            write_quoted(name.as_bytes(), out);
            out.push(b':');
        }
        write_plain(value, style, true, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_int(datum: Datum<'_>, number: i64, out: &mut Vec<u8>) {
    let name = datum.schema().and_then(|s| s.name.as_deref());
    match name {
        Some(logical::DATE) => write_moment(number.saturating_mul(MILLIS_PER_DAY), out),
        Some(logical::TIME | logical::TIMESTAMP) => write_moment(number, out),
        _ => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
    }
}

fn is_single(datum: Datum<'_>) -> bool {
    datum.schema().is_some_and(|s| s.ty == Type::Float32)
}

fn write_number(datum: Datum<'_>, number: f64, out: &mut Vec<u8>) {
    if is_single(datum) {
        write_float(number as f32, out);
    } else {
        write_double(number, out);
    }
}

fn write_digits(datum: Datum<'_>, digits: &[u8], out: &mut Vec<u8>) -> Result<()> {
    match datum.schema().map(|s| &s.ty) {
        Some(Type::Float32 | Type::Float64) => write_float_digits(digits, is_single(datum), out),
        _ => match datum.int() {
            Some(number) => {
                write_int(datum, number, out);
                Ok(())
            }
            None => {
                out.extend_from_slice(digits);
                Ok(())
            }
        },
    }
}

fn write_bytes(
    datum: Datum<'_>,
    bytes: &[u8],
    form: Form,
    embedded: bool,
    style: Style,
    out: &mut Vec<u8>,
) -> Result<()> {
    let schema: Option<&Schema> = datum.schema().map(|s| &**s);
    let scale = schema.and_then(scale_of);
    match (form, scale) {
        (Form::DecimalText, scale) => {
            let own = || memchr::memchr(b'.', bytes).map_or(0, |at| bytes.len() - at - 1);
            return write_big_decimal(bytes, scale.unwrap_or_else(own), out);
        }
        (Form::Plain, Some(scale)) => {
            let mut text = Vec::new();
            to_text(bytes, scale, &mut text);
            return write_big_decimal(&text, scale, out);
        }
        _ => {}
    }
    let Value::Bytes(bytes) = datum.to_value() else {
        return Err(Error::new(&MISMATCH, "bytes cannot be written as text"));
    };
    use base64::{Engine, engine::general_purpose::STANDARD};
    let base64 = STANDARD.encode(&bytes);
    if embedded && style == Style::Values {
        write_quoted(base64.as_bytes(), out);
    } else {
        out.extend_from_slice(base64.as_bytes());
    }
    Ok(())
}

fn write_quoted(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}
