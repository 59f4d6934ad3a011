//! The default of a field that only the registry's schema has, in binary.

use connect_core::{Error, Result};
use serde_json::Value;

use super::{
    owned::write_bytes,
    schema::{At, AvroSchema, Kind},
    varint::{write_length, write_long},
};
use crate::error::SCHEMA_NARROW;

/// Defaults may hold others, in circles.
const MAX_DEPTH: usize = 64;

/// Appends a default as its type has it. Of a union it is of any branch, the first that takes it.
pub(super) fn write(schema: &AvroSchema, at: At, default: &Value, out: &mut Vec<u8>) -> Result<()> {
    write_at(schema, at, default, 0, out)
}

fn write_at(
    schema: &AvroSchema,
    at: At,
    default: &Value,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(wrong());
    }
    let kind = &schema.node(at).kind;
    match (kind, default) {
        (Kind::Null, Value::Null) => {}
        (Kind::Bool, Value::Bool(b)) => out.push(u8::from(*b)),
        (Kind::Int | Kind::Long, Value::Number(number)) => {
            write_long(number.as_i64().ok_or_else(wrong)?, out);
        }
        (Kind::Float, Value::Number(number)) => {
            let number = number.as_f64().ok_or_else(wrong)? as f32;
            out.extend_from_slice(&number.to_le_bytes());
        }
        (Kind::Double, Value::Number(number)) => {
            out.extend_from_slice(&number.as_f64().ok_or_else(wrong)?.to_le_bytes());
        }
        (Kind::Text, Value::String(text)) => write_bytes(text.as_bytes(), out),
        (Kind::Bytes, Value::String(text)) => write_bytes(&latin(text)?, out),
        (Kind::Fixed(size), Value::String(text)) => {
            let bytes = latin(text)?;
            if bytes.len() != *size {
                return Err(wrong());
            }
            out.extend_from_slice(&bytes);
        }
        (Kind::Enum(symbols), Value::String(text)) => {
            let place = symbols.iter().position(|symbol| symbol == text);
            write_long(place.ok_or_else(wrong)? as i64, out);
        }
        _ => return write_nested(schema, at, default, depth, out),
    }
    Ok(())
}

fn write_nested(
    schema: &AvroSchema,
    at: At,
    default: &Value,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<()> {
    match (&schema.node(at).kind, default) {
        (Kind::Array(item), Value::Array(items)) => {
            if !items.is_empty() {
                write_length(items.len(), out);
            }
            for value in items {
                write_at(schema, *item, value, depth + 1, out)?;
            }
            out.push(0);
        }
        (Kind::Map(item), Value::Object(entries)) => {
            if !entries.is_empty() {
                write_length(entries.len(), out);
            }
            for (name, value) in entries {
                write_bytes(name.as_bytes(), out);
                write_at(schema, *item, value, depth + 1, out)?;
            }
            out.push(0);
        }
        (Kind::Record(fields), Value::Object(entries)) => {
            for field in fields {
                let value = entries.get(&field.name).or(field.default.as_ref());
                write_at(schema, field.at, value.ok_or_else(wrong)?, depth + 1, out)?;
            }
        }
        (Kind::Union(branches), value) => {
            let start = out.len();
            for (place, branch) in branches.iter().enumerate() {
                write_long(place as i64, out);
                if write_at(schema, *branch, value, depth + 1, out).is_ok() {
                    return Ok(());
                }
                out.truncate(start);
            }
            return Err(wrong());
        }
        _ => return Err(wrong()),
    }
    Ok(())
}

/// The bytes that a default's characters stand for.
fn latin(text: &str) -> Result<Vec<u8>> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).map_err(|_| wrong()))
        .collect()
}

fn wrong() -> Error {
    Error::new(
        &SCHEMA_NARROW,
        "the default of a field of the target is not of its type",
    )
}
