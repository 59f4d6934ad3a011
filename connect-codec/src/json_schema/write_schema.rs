//! Connect's schemas as JSON Schemas of draft 7, as Confluent's converter maps them.

use connect_core::{Result, Schema, Type, schema::logical};

use super::JsonSchema;
use crate::json::{DecimalFormat, text::write_text, value_write::write_value};

/// Confluent's own parameters, which are not kept.
const NAMESPACE: &str = "io.confluent.connect.json";

/// The text of a schema.
pub(super) fn json_schema(schema: &Schema, settings: &JsonSchema) -> Result<String> {
    let mut out = Vec::new();
    write(schema, None, settings, &mut out)?;
    // Only text of schemas was written, which is UTF-8.
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Appends a schema; `index` is the place of a property.
fn write(
    schema: &Schema,
    index: Option<usize>,
    settings: &JsonSchema,
    out: &mut Vec<u8>,
) -> Result<()> {
    if schema.optional {
        put("{\"oneOf\":[{\"type\":\"null\"},", out);
        write_bare(schema, None, settings, out)?;
        put("]", out);
        write_index(index, out);
        put("}", out);
        return Ok(());
    }
    write_bare(schema, index, settings, out)
}

fn write_bare(
    schema: &Schema,
    index: Option<usize>,
    settings: &JsonSchema,
    out: &mut Vec<u8>,
) -> Result<()> {
    put("{", out);
    let start = out.len();
    let member = |name: &str, value: &str, out: &mut Vec<u8>| {
        put(if out.len() > start { "," } else { "" }, out);
        write_text(name.as_bytes(), out);
        out.push(b':');
        write_text(value.as_bytes(), out);
    };
    if let Some(name) = &schema.name {
        member("title", name, out);
    }
    if let Some(doc) = &schema.doc {
        member("description", doc, out);
    }
    member("type", type_of(schema, settings), out);
    if let Some(default) = schema.default.as_ref().filter(|value| !value.is_null()) {
        put(",\"default\":", out);
        write_value(schema, default, &settings.values, out)?;
    }
    write_parts(schema, settings, out)?;
    if let Some(kind) = connect_type(&schema.ty) {
        put(",\"connect.type\":", out);
        write_text(kind.as_bytes(), out);
    }
    if let Some(version) = schema.version {
        put(&format!(",\"connect.version\":{version}"), out);
    }
    write_parameters(schema, out);
    write_index(index, out);
    put("}", out);
    Ok(())
}

fn write_parts(schema: &Schema, settings: &JsonSchema, out: &mut Vec<u8>) -> Result<()> {
    match &schema.ty {
        Type::Array(item) => {
            put(",\"items\":", out);
            write(item, None, settings, out)
        }
        Type::Map(key, value) if key.ty == Type::String && !key.optional => {
            put(",\"additionalProperties\":", out);
            write(value, None, settings, out)
        }
        Type::Map(key, value) => {
            put(
                ",\"items\":{\"type\":\"object\",\"properties\":{\"key\":",
                out,
            );
            write(key, Some(0), settings, out)?;
            put(",\"value\":", out);
            write(value, Some(1), settings, out)?;
            put("}}", out);
            Ok(())
        }
        Type::Struct(fields) => {
            put(",\"properties\":{", out);
            for (at, field) in fields.iter().enumerate() {
                put(if at > 0 { "," } else { "" }, out);
                write_text(field.name.as_bytes(), out);
                out.push(b':');
                write(&field.schema, Some(at), settings, out)?;
            }
            put("}", out);
            if !settings.open {
                put(",\"additionalProperties\":false", out);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn type_of(schema: &Schema, settings: &JsonSchema) -> &'static str {
    match &schema.ty {
        Type::Bool => "boolean",
        Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64 => "integer",
        Type::Float32 | Type::Float64 => "number",
        Type::Bytes
            if schema.is(logical::DECIMAL)
                && settings.values.decimals == DecimalFormat::Numeric =>
        {
            "number"
        }
        Type::String | Type::Bytes => "string",
        Type::Map(key, _) if key.ty == Type::String && !key.optional => "object",
        Type::Array(_) | Type::Map(..) => "array",
        Type::Struct(_) => "object",
    }
}

fn connect_type(ty: &Type) -> Option<&'static str> {
    Some(match ty {
        Type::Int8 => "int8",
        Type::Int16 => "int16",
        Type::Int32 => "int32",
        Type::Int64 => "int64",
        Type::Float32 => "float32",
        Type::Float64 => "float64",
        Type::Bytes => "bytes",
        Type::Map(..) => "map",
        _ => return None,
    })
}

fn write_parameters(schema: &Schema, out: &mut Vec<u8>) {
    let all = schema.parameters.iter();
    let mut open = false;
    for (name, value) in all.filter(|(name, _)| !name.starts_with(NAMESPACE)) {
        put(
            if open {
                ","
            } else {
                ",\"connect.parameters\":{"
            },
            out,
        );
        open = true;
        write_text(name.as_bytes(), out);
        out.push(b':');
        write_text(value.as_bytes(), out);
    }
    put(if open { "}" } else { "" }, out);
}

fn write_index(index: Option<usize>, out: &mut Vec<u8>) {
    if let Some(index) = index {
        put(&format!(",\"connect.index\":{index}"), out);
    }
}

fn put(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(text.as_bytes());
}
