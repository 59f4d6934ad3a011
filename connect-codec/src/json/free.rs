//! Schemaless values as JSON.

use connect_core::{Cell, Datum, Result, Value};

use super::{payload::write_base64, text::write_text};
use crate::java_number::{write_double, write_whole_digits};

/// Appends a value without schema. Absent entries of a map are left out; elsewhere absent is null.
pub(super) fn write_free(value: &Value, out: &mut Vec<u8>) -> Result<()> {
    match value {
        Value::Absent | Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(b) => write_bool(*b, out),
        Value::Int(i) => out.extend_from_slice(itoa::Buffer::new().format(*i).as_bytes()),
        Value::Float(f) => write_json_double(*f, out),
        Value::Digits(text) => write_number(text.as_bytes(), out)?,
        Value::Str(text) => write_text(text.as_bytes(), out),
        Value::Bytes(bytes) => write_base64(bytes, out),
        Value::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_free(item, out)?;
            }
            out.push(b']');
        }
        Value::Map(entries) => {
            let start = out.len();
            for (name, value) in entries {
                if matches!(value, Value::Absent) {
                    continue;
                }
                out.push(b',');
                write_text(name.as_bytes(), out);
                out.push(b':');
                write_free(value, out)?;
            }
            close_object(start, out);
        }
    }
    Ok(())
}

/// Appends a datum without schema: an owned tree, or a cell that says itself what it is.
pub(super) fn write_free_datum(datum: Datum<'_>, out: &mut Vec<u8>) -> Result<()> {
    match (datum.batch(), datum.cell()) {
        (Some(batch), Some(Cell::Span(span))) => write_text(batch.span(span), out),
        _ => match datum.value() {
            Some(value) => write_free(value, out)?,
            None => write_free(&datum.to_value(), out)?,
        },
    }
    Ok(())
}

/// Turns the members written since `start`, each with a comma before it, into an object.
pub(super) fn close_object(start: usize, out: &mut Vec<u8>) {
    match out.get_mut(start) {
        Some(comma) => *comma = b'{',
        None => out.push(b'{'),
    }
    out.push(b'}');
}

/// Appends `true` or `false`.
pub(super) fn write_bool(value: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// Appends a double as a JSON number, or as a string where JSON has no number for it.
pub(super) fn write_json_double(number: f64, out: &mut Vec<u8>) {
    if number.is_finite() {
        write_double(number, out);
    } else {
        out.push(b'"');
        write_double(number, out);
        out.push(b'"');
    }
}

/// Appends the digits of any number as they are, after a look that they are a JSON number.
fn write_number(digits: &[u8], out: &mut Vec<u8>) -> Result<()> {
    if super::parse::is_number(digits) {
        out.extend_from_slice(digits);
        return Ok(());
    }
    write_whole_digits(digits, out)
}
