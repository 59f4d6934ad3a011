//! Owned values with a schema as JSON: defaults, constants, and rows that transforms made.

use connect_core::{Error, Result, Schema, Type, Value, decimal::scale_of};

use super::{
    JsonSettings,
    free::{close_object, write_bool, write_free, write_json_double},
    payload::{own_scale, write_base64, write_decimal_base64, write_decimal_number},
    schema_write::is_numeric_decimal,
    text::write_text,
};
use crate::{
    error::MISMATCH,
    java_number::{write_big_decimal, write_float, write_float_digits, write_whole_digits},
};

/// Appends a value as its schema says.
pub(crate) fn write_value(
    schema: &Schema,
    value: &Value,
    settings: &JsonSettings,
    out: &mut Vec<u8>,
) -> Result<()> {
    match (&schema.ty, value) {
        (_, Value::Null) => write_null(schema, settings, out),
        (_, Value::Absent) => write_absent(schema, settings, out),
        (Type::Bool, Value::Bool(b)) => {
            write_bool(*b, out);
            Ok(())
        }
        (Type::Float32 | Type::Float64, _) => write_float_value(schema, value, out),
        (Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64, _) => write_whole(value, out),
        (Type::String, Value::Str(text)) => {
            write_text(text.as_bytes(), out);
            Ok(())
        }
        (Type::Bytes, _) => write_bytes_value(schema, value, settings, out),
        (Type::Array(item), Value::Array(items)) => {
            out.push(b'[');
            for (at, value) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_value(item, value, settings, out)?;
            }
            out.push(b']');
            Ok(())
        }
        (Type::Map(key, item), Value::Map(entries)) if key.ty == Type::String => {
            let start = out.len();
            for (name, value) in entries {
                out.push(b',');
                write_text(name.as_bytes(), out);
                out.push(b':');
                write_value(item, value, settings, out)?;
            }
            close_object(start, out);
            Ok(())
        }
        (Type::Map(key, item), Value::Map(entries)) => {
            write_pairs(key, item, entries, settings, out)
        }
        (Type::Struct(_), Value::Map(_)) => write_struct(schema, value, settings, out),
        _ => Err(mismatch(schema)),
    }
}

/// Appends what stands for null: the default, where the settings say so, else `null` where it is allowed.
pub(super) fn write_null(
    schema: &Schema,
    settings: &JsonSettings,
    out: &mut Vec<u8>,
) -> Result<()> {
    match &schema.default {
        Some(default) if settings.defaults_for_null && !default.is_null() => {
            write_value(schema, default, settings, out)
        }
        _ if schema.optional => {
            out.extend_from_slice(b"null");
            Ok(())
        }
        _ => Err(null_not_allowed()),
    }
}

/// The error of a null where the schema allows none.
pub(super) fn null_not_allowed() -> Error {
    Error::new(
        &MISMATCH,
        "Conversion error: null value for field that is required and has no default value",
    )
}

/// The error of a value that is not of its schema's type.
pub(super) fn mismatch(schema: &Schema) -> Error {
    let name = super::schema_write::type_name(&schema.ty);
    Error::new(&MISMATCH, "Invalid type of a value for its schema").context("schema type", name)
}

fn write_absent(schema: &Schema, settings: &JsonSettings, out: &mut Vec<u8>) -> Result<()> {
    match &schema.absent {
        Some(Value::Absent) | None => {
            out.extend_from_slice(b"null");
            Ok(())
        }
        Some(stand_in) => write_value(schema, stand_in, settings, out),
    }
}

fn write_whole(value: &Value, out: &mut Vec<u8>) -> Result<()> {
    match value {
        Value::Int(i) => out.extend_from_slice(itoa::Buffer::new().format(*i).as_bytes()),
        Value::Digits(text) => write_whole_digits(text.as_bytes(), out)?,
        _ => return Err(Error::new(&MISMATCH, "a value is not a whole number")),
    }
    Ok(())
}

fn write_float_value(schema: &Schema, value: &Value, out: &mut Vec<u8>) -> Result<()> {
    let single = schema.ty == Type::Float32;
    match value {
        Value::Float(f) => write_json_float(*f, single, out),
        Value::Int(i) => write_json_float(*i as f64, single, out),
        Value::Digits(text) => return write_json_float_digits(text.as_bytes(), single, out),
        _ => return Err(mismatch(schema)),
    }
    Ok(())
}

/// Appends a float or double, in quotes where JSON has no number for it.
pub(super) fn write_json_float(number: f64, single: bool, out: &mut Vec<u8>) {
    if single && number.is_finite() && (number as f32).is_finite() {
        write_float(number as f32, out);
    } else {
        write_json_double(number, out);
    }
}

/// Appends the digits of a float or double, in quotes where JSON has no number for it.
pub(super) fn write_json_float_digits(
    digits: &[u8],
    single: bool,
    out: &mut Vec<u8>,
) -> Result<()> {
    let start = out.len();
    write_float_digits(digits, single, out)?;
    if !out.last().is_some_and(u8::is_ascii_digit) {
        out.insert(start, b'"');
        out.push(b'"');
    }
    Ok(())
}

fn write_bytes_value(
    schema: &Schema,
    value: &Value,
    settings: &JsonSettings,
    out: &mut Vec<u8>,
) -> Result<()> {
    let scale = scale_of(schema).and_then(|s| u32::try_from(s).ok());
    let numeric = is_numeric_decimal(schema, settings);
    match value {
        Value::Bytes(bytes) if numeric => write_decimal_number(bytes, scale.unwrap_or(0), out),
        Value::Bytes(bytes) => {
            write_base64(bytes, out);
            Ok(())
        }
        Value::Digits(text) if numeric => {
            let own = || own_scale(text.as_bytes());
            let scale = scale.map_or_else(own, |s| s as usize);
            write_big_decimal(text.as_bytes(), scale, out)
        }
        Value::Digits(text) => write_decimal_base64(text.as_bytes(), scale, out),
        Value::Int(i) if scale.is_some() => {
            write_bytes_value(schema, &Value::Digits(i.to_string()), settings, out)
        }
        Value::Str(text) => {
            write_base64(text.as_bytes(), out);
            Ok(())
        }
        _ => Err(mismatch(schema)),
    }
}

fn write_pairs(
    key: &Schema,
    item: &Schema,
    entries: &[(String, Value)],
    settings: &JsonSettings,
    out: &mut Vec<u8>,
) -> Result<()> {
    out.push(b'[');
    for (at, (name, value)) in entries.iter().enumerate() {
        let [open, between, close] = entry_marks(settings);
        out.extend(b",".iter().filter(|_| at > 0));
        out.extend_from_slice(open);
        match key.ty {
            Type::Bool => write_free(&Value::Bool(name == "true"), out)?,
            _ => write_value(key, &Value::Digits(name.clone()), settings, out)?,
        }
        out.extend_from_slice(between);
        write_value(item, value, settings, out)?;
        out.extend_from_slice(close);
    }
    out.push(b']');
    Ok(())
}

/// What stands before, between and behind the parts of an entry whose key is no text.
pub(super) fn entry_marks(settings: &JsonSettings) -> [&'static [u8]; 3] {
    match settings.entries {
        true => [b"{\"key\":", b",\"value\":", b"}"],
        false => [b"[", b",", b"]"],
    }
}

fn write_struct(
    schema: &Schema,
    value: &Value,
    settings: &JsonSettings,
    out: &mut Vec<u8>,
) -> Result<()> {
    let start = out.len();
    for field in schema.fields() {
        let value = value.get(&field.name).unwrap_or(&Value::Null);
        let omitted = matches!(value, Value::Absent) && field.schema.absent.is_none();
        if omitted && !settings.schemas {
            continue;
        }
        out.push(b',');
        write_text(field.name.as_bytes(), out);
        out.push(b':');
        write_value(&field.schema, value, settings, out)?;
    }
    close_object(start, out);
    Ok(())
}
