//! Defaults as the JSON that stands in Avro schemas: bytes are text of Latin-1, decimals their unscaled bytes.

use connect_core::{Result, Schema, Type, Value, decimal};

use super::{
    AvroSettings,
    names::scrubbed,
    write_schema::{has_text_keys, is_union, unfit},
};
use crate::{
    java_number::{write_double, write_float},
    json::text::write_text,
};

/// Appends a text as JSON.
pub(super) fn write_json_text(text: &str, out: &mut Vec<u8>) {
    write_text(text.as_bytes(), out);
}

/// Appends the default of a schema.
pub(super) fn write_default(
    schema: &Schema,
    value: &Value,
    settings: &AvroSettings,
    out: &mut Vec<u8>,
) -> Result<()> {
    match (&schema.ty, value) {
        (_, Value::Null | Value::Absent) => out.extend_from_slice(b"null"),
        (Type::Bool, Value::Bool(b)) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        (Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64, Value::Int(i)) => {
            out.extend_from_slice(itoa::Buffer::new().format(*i).as_bytes());
        }
        (Type::Float32 | Type::Float64, _) => write_number(schema, value, out)?,
        (Type::String, Value::Str(text)) => write_json_text(text, out),
        (Type::Bytes, value) => {
            let text: String = bytes_of(schema, value)?
                .iter()
                .map(|b| char::from(*b))
                .collect();
            write_json_text(&text, out);
        }
        (Type::Array(item), Value::Array(items)) => {
            out.push(b'[');
            for (at, value) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_default(item, value, settings, out)?;
            }
            out.push(b']');
        }
        (Type::Map(key, item), Value::Map(entries)) if has_text_keys(key, settings) => {
            out.push(b'{');
            for (at, (name, value)) in entries.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_json_text(name, out);
                out.push(b':');
                write_default(item, value, settings, out)?;
            }
            out.push(b'}');
        }
        (Type::Struct(_), Value::Map(_)) => write_struct(schema, value, settings, out)?,
        _ => return Err(unfit("the default of a schema is not of its type")),
    }
    Ok(())
}

fn write_struct(
    schema: &Schema,
    value: &Value,
    settings: &AvroSettings,
    out: &mut Vec<u8>,
) -> Result<()> {
    if is_union(schema) {
        let mut fields = schema.fields().iter();
        let set = fields.find_map(|field| Some((field, value.get(&field.name)?)));
        return match set {
            Some((field, value)) => write_default(&field.schema, value, settings, out),
            None => Err(unfit("the default of a union has no branch")),
        };
    }
    out.push(b'{');
    for (at, field) in schema.fields().iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let name = match settings.scrub {
            true => scrubbed(&field.name),
            false => (&*field.name).into(),
        };
        write_json_text(&name, out);
        out.push(b':');
        let value = value.get(&field.name).unwrap_or(&Value::Null);
        write_default(&field.schema, value, settings, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_number(schema: &Schema, value: &Value, out: &mut Vec<u8>) -> Result<()> {
    let number = match value {
        Value::Float(f) => *f,
        Value::Int(i) => *i as f64,
        Value::Digits(text) => text
            .parse()
            .map_err(|_| unfit("the default of a schema is no number"))?,
        _ => return Err(unfit("the default of a schema is no number")),
    };
    let quoted = !number.is_finite();
    out.extend(quoted.then_some(b'"'));
    match schema.ty {
        Type::Float32 => write_float(number as f32, out),
        _ => write_double(number, out),
    }
    out.extend(quoted.then_some(b'"'));
    Ok(())
}

/// The plain bytes of an owned value: a decimal may be a number or its digits.
pub(super) fn bytes_of(schema: &Schema, value: &Value) -> Result<Vec<u8>> {
    let scaled = |text: &str| {
        let scale = decimal::scale_of(schema).unwrap_or(0);
        let mut bytes = Vec::new();
        decimal::unscaled(text.as_bytes(), scale, &mut bytes)?;
        Ok(bytes)
    };
    match value {
        Value::Bytes(bytes) => Ok(bytes.clone()),
        Value::Digits(text) => scaled(text),
        Value::Int(number) => scaled(&number.to_string()),
        Value::Str(text) => Ok(text.clone().into_bytes()),
        _ => Err(unfit("a default is no bytes")),
    }
}
