//! Schemas as JSON, in the field order of Kafka Connect's converter.

use connect_core::{Result, Schema, Type};

use super::{DecimalFormat, JsonSettings, text::write_text, value_write::write_value};

/// Appends a schema: type, its parts, optional, name, version, doc, parameters, default, and the field's name.
pub(super) fn write_schema(
    schema: &Schema,
    field: Option<&str>,
    settings: &JsonSettings,
    out: &mut Vec<u8>,
) -> Result<()> {
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(type_name(&schema.ty).as_bytes());
    out.push(b'"');
    write_parts(schema, settings, out)?;
    out.extend_from_slice(b",\"optional\":");
    out.extend_from_slice(if schema.optional { b"true" } else { b"false" });
    if let Some(name) = &schema.name {
        write_member("name", name, out);
    }
    if let Some(version) = schema.version {
        out.extend_from_slice(b",\"version\":");
        out.extend_from_slice(itoa::Buffer::new().format(version).as_bytes());
    }
    if let Some(doc) = &schema.doc {
        write_member("doc", doc, out);
    }
    write_parameters(schema, out);
    if let Some(default) = &schema.default {
        out.extend_from_slice(b",\"default\":");
        write_value(schema, default, settings, out)?;
    }
    if let Some(field) = field {
        write_member("field", field, out);
    }
    out.push(b'}');
    Ok(())
}

/// Kafka Connect's JSON name of a type.
pub(super) fn type_name(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "boolean",
        Type::Int8 => "int8",
        Type::Int16 => "int16",
        Type::Int32 => "int32",
        Type::Int64 => "int64",
        Type::Float32 => "float",
        Type::Float64 => "double",
        Type::String => "string",
        Type::Bytes => "bytes",
        Type::Array(_) => "array",
        Type::Map(..) => "map",
        Type::Struct(_) => "struct",
    }
}

/// Whether a schema's values are written as numbers, since `decimal.format` says so.
pub(super) fn is_numeric_decimal(schema: &Schema, settings: &JsonSettings) -> bool {
    settings.decimals == DecimalFormat::Numeric && schema.is(connect_core::schema::logical::DECIMAL)
}

fn write_parts(schema: &Schema, settings: &JsonSettings, out: &mut Vec<u8>) -> Result<()> {
    match &schema.ty {
        Type::Array(item) => {
            out.extend_from_slice(b",\"items\":");
            write_schema(item, None, settings, out)
        }
        Type::Map(key, value) => {
            out.extend_from_slice(b",\"keys\":");
            write_schema(key, None, settings, out)?;
            out.extend_from_slice(b",\"values\":");
            write_schema(value, None, settings, out)
        }
        Type::Struct(fields) => {
            out.extend_from_slice(b",\"fields\":[");
            for (at, field) in fields.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_schema(&field.schema, Some(&field.name), settings, out)?;
            }
            out.push(b']');
            Ok(())
        }
        _ => Ok(()),
    }
}

fn write_parameters(schema: &Schema, out: &mut Vec<u8>) {
    if schema.parameters.is_empty() {
        return;
    }
    out.extend_from_slice(b",\"parameters\":{");
    for (at, (name, value)) in schema.parameters.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_text(name.as_bytes(), out);
        out.push(b':');
        write_text(value.as_bytes(), out);
    }
    out.push(b'}');
}

fn write_member(name: &str, value: &str, out: &mut Vec<u8>) {
    out.push(b',');
    write_text(name.as_bytes(), out);
    out.push(b':');
    write_text(value.as_bytes(), out);
}
