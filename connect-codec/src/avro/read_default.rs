//! The JSON of a default as a value of Connect's schema.

use connect_core::{Field, Schema, Type, Value};
use serde_json::Value as Json;

/// A default; `None` for one that is not of the schema's type, which Confluent's converter ignores too.
pub(super) fn read_default(schema: &Schema, json: &Json) -> Option<Value> {
    Some(match (&schema.ty, json) {
        (_, Json::Null) => Value::Null,
        (Type::Bool, Json::Bool(b)) => Value::Bool(*b),
        (Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64, Json::Number(number)) => {
            Value::Int(number.as_i64()?)
        }
        (Type::Float32 | Type::Float64, Json::Number(number)) => Value::Float(number.as_f64()?),
        (Type::Float32 | Type::Float64, Json::String(text)) => match text.as_str() {
            "NaN" => Value::Float(f64::NAN),
            "Infinity" => Value::Float(f64::INFINITY),
            "-Infinity" => Value::Float(f64::NEG_INFINITY),
            _ => return None,
        },
        (Type::String, Json::String(text)) => Value::Str(text.clone()),
        (Type::Bytes, Json::String(text)) => {
            let bytes = text.chars().map(|c| u8::try_from(u32::from(c)).ok());
            Value::Bytes(bytes.collect::<Option<_>>()?)
        }
        (Type::Array(item), Json::Array(items)) => {
            let items = items.iter().map(|json| read_default(item, json));
            Value::Array(items.collect::<Option<_>>()?)
        }
        (Type::Map(_, item), Json::Object(entries)) => {
            let entry =
                |(name, json): (&String, &Json)| Some((name.clone(), read_default(item, json)?));
            Value::Map(entries.iter().map(entry).collect::<Option<_>>()?)
        }
        (Type::Struct(fields), Json::Object(entries)) => {
            let entry = |field: &Field| {
                let json = entries.get(&*field.name).unwrap_or(&Json::Null);
                Some((field.name.to_string(), read_default(&field.schema, json)?))
            };
            Value::Map(fields.iter().map(entry).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}
