//! Schemas from their JSON, as Kafka Connect writes them.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use connect_core::{
    Error, Field, Form, Result, Schema, Type, Value, decimal::scale_of, schema::logical,
};

use super::parse::Cursor;
use crate::error::SCHEMA_INVALID;

/// The largest scale of a decimal that is turned into text; others stay bytes.
pub(super) const MAX_SCALE: usize = 1000;

/// How deep schemas may nest.
const MAX_DEPTH: usize = 64;

/// Reads a schema from JSON text; `None` for JSON `null`.
pub(super) fn schema(text: &[u8]) -> Result<Option<Arc<Schema>>> {
    if simdutf8::basic::from_utf8(text).is_err() {
        return Err(invalid("A schema is not UTF-8"));
    }
    let mut cursor = Cursor::new(text);
    let value = cursor.value(0)?;
    cursor.end()?;
    match value {
        Value::Null => Ok(None),
        value => schema_of(&value, 0).map(|schema| Some(Arc::new(schema))),
    }
}

fn schema_of(json: &Value, depth: usize) -> Result<Schema> {
    if depth > MAX_DEPTH {
        return Err(invalid("A schema nests too deep"));
    }
    let name = json.get("type").and_then(Value::as_str);
    let ty = type_of(
        name.ok_or_else(|| invalid("Schema must contain 'type' field"))?,
        json,
        depth,
    )?;
    let text = |name: &str| json.get(name).and_then(Value::as_str).map(Arc::from);
    let mut schema = Schema::of(ty);
    schema.optional = matches!(json.get("optional"), Some(Value::Bool(true)));
    schema.name = text("name");
    schema.doc = text("doc");
    schema.version = match json.get("version") {
        Some(Value::Int(version)) => i32::try_from(*version).ok(),
        _ => None,
    };
    schema.parameters = parameters(json)?;
    if is_decimal(&schema) {
        schema.form = Form::DecimalText;
    }
    if let Some(default) = json.get("default").filter(|value| !value.is_null()) {
        schema.default = Some(typed(&schema, default)?);
    }
    Ok(schema)
}

/// Whether a schema's bytes are read as decimal text.
pub(super) fn is_decimal(schema: &Schema) -> bool {
    schema.ty == Type::Bytes
        && schema.is(logical::DECIMAL)
        && scale_of(schema).is_some_and(|scale| scale <= MAX_SCALE)
}

fn type_of(name: &str, json: &Value, depth: usize) -> Result<Type> {
    let part = |name: &str, missing: &'static str| {
        let json = json.get(name).filter(|value| !value.is_null());
        schema_of(json.ok_or_else(|| invalid(missing))?, depth + 1).map(Arc::new)
    };
    Ok(match name {
        "boolean" => Type::Bool,
        "int8" => Type::Int8,
        "int16" => Type::Int16,
        "int32" => Type::Int32,
        "int64" => Type::Int64,
        "float" => Type::Float32,
        "double" => Type::Float64,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "array" => Type::Array(part(
            "items",
            "Array schema did not specify the element type",
        )?),
        "map" => Type::Map(
            part("keys", "Map schema did not specify the key type")?,
            part("values", "Map schema did not specify the value type")?,
        ),
        "struct" => Type::Struct(fields(json, depth)?),
        _ => return Err(invalid("Unknown schema type")),
    })
}

fn fields(json: &Value, depth: usize) -> Result<Box<[Field]>> {
    let Some(Value::Array(fields)) = json.get("fields") else {
        return Err(invalid(
            "Struct schema's \"fields\" argument is not an array.",
        ));
    };
    let field = |json: &Value| {
        let name = json.get("field").and_then(Value::as_str);
        let name =
            name.ok_or_else(|| invalid("Struct schema's field name not specified properly"))?;
        Ok(Field::new(name, schema_of(json, depth + 1)?))
    };
    let fields: Box<[Field]> = fields.iter().map(field).collect::<Result<_>>()?;
    let mut names: Vec<&str> = fields.iter().map(|f| &*f.name).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(invalid(
            "Cannot create field because of field name duplication",
        ));
    }
    Ok(fields)
}

fn parameters(json: &Value) -> Result<Vec<(Arc<str>, Arc<str>)>> {
    let Some(Value::Map(entries)) = json.get("parameters") else {
        return Ok(Vec::new());
    };
    let entries = entries.iter().map(|(name, value)| {
        let text = value.as_str();
        let text = text.ok_or_else(|| invalid("Schema parameters must have string values."))?;
        Ok((Arc::from(name.as_str()), Arc::from(text)))
    });
    entries.collect()
}

/// A default of a schema out of its JSON: bytes and decimals stand there in base64.
fn typed(schema: &Schema, json: &Value) -> Result<Value> {
    let wrong = || invalid("The default of a schema is not of its type");
    Ok(match (&schema.ty, json) {
        (_, Value::Null) => Value::Null,
        (Type::Bytes, Value::Str(text)) => {
            Value::Bytes(STANDARD.decode(text).map_err(|_| wrong())?)
        }
        (Type::Bytes, Value::Int(_) | Value::Float(_) | Value::Digits(_)) if is_decimal(schema) => {
            Value::Digits(digits(json))
        }
        (Type::Float32 | Type::Float64, Value::Int(i)) => Value::Float(*i as f64),
        (Type::Float32 | Type::Float64, Value::Float(f)) => Value::Float(*f),
        (Type::Float32 | Type::Float64, Value::Digits(text)) => {
            Value::Float(text.parse().map_err(|_| wrong())?)
        }
        (Type::Float32 | Type::Float64, Value::Str(text)) => match text.as_str() {
            "NaN" | "Infinity" | "-Infinity" => Value::Float(text.parse().map_err(|_| wrong())?),
            _ => return Err(wrong()),
        },
        (Type::Array(item), Value::Array(items)) => Value::Array(
            items
                .iter()
                .map(|value| typed(item, value))
                .collect::<Result<_>>()?,
        ),
        (Type::Map(key, item), Value::Map(entries)) if key.ty == Type::String => {
            let entry = |(name, value): &(String, Value)| Ok((name.clone(), typed(item, value)?));
            Value::Map(entries.iter().map(entry).collect::<Result<_>>()?)
        }
        (Type::Struct(fields), Value::Map(_)) => {
            let entry = |field: &Field| {
                let value = json.get(&field.name).unwrap_or(&Value::Null);
                Ok((field.name.to_string(), typed(&field.schema, value)?))
            };
            Value::Map(fields.iter().map(entry).collect::<Result<_>>()?)
        }
        (Type::Bool, Value::Bool(_)) | (Type::String, Value::Str(_)) => json.clone(),
        (Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64, Value::Int(_)) => json.clone(),
        _ => return Err(wrong()),
    })
}

fn digits(json: &Value) -> String {
    match json {
        Value::Int(i) => i.to_string(),
        Value::Float(f) => f.to_string(),
        Value::Digits(text) => text.clone(),
        _ => String::new(),
    }
}

fn invalid(what: &'static str) -> Error {
    Error::new(&SCHEMA_INVALID, what)
}
