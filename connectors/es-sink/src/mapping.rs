//! Schemas to mappings.
//!
//! | record | document | mapping |
//! |---|---|---|
//! | boolean, int8 to int64 | as it is | boolean, byte to long |
//! | float, double | as it is; NaN and the infinities as text, not searched | float, double |
//! | string | as it is | text, with `.keyword` |
//! | uuid, enum, set | as it is | keyword |
//! | decimals | text (or number) with every digit | `mapping.decimal` |
//! | dates and timestamps | ISO 8601 (or integer) | date (or long) |
//! | times of day | ISO 8601 (or integer) | keyword (or long) |
//! | JSON | text (or object) | `mapping.json` |
//! | bytes | base64 | binary |
//! | array | array | as its items |
//! | struct, map | object | object |

use connect_core::{Schema, Type, json as plain, temporal::Unit};
use serde_json::{Map, Value, json};

use crate::config::{DecimalMapping, EsConfig, JsonForm, TimeForm};

/// The mapping of each field of a row.
pub(crate) fn properties(row: &Schema, config: &EsConfig) -> Map<String, Value> {
    let fields = row.fields().iter();
    fields
        .filter_map(|field| {
            Some((
                field.name.to_string(),
                field_mapping(&field.schema, config)?,
            ))
        })
        .collect()
}

/// The row that records of a value schema carry: the `after` of an envelope, or the value itself.
pub(crate) fn row_of(value: &Schema) -> &Schema {
    let envelope = value.field("op").is_some() && value.field("source").is_some();
    match value.field("after") {
        Some((_, after)) if envelope => &after.schema,
        _ => value,
    }
}

/// What of `wanted` an index does not have yet.
pub(crate) fn missing(
    wanted: &Map<String, Value>,
    have: &Map<String, Value>,
) -> Map<String, Value> {
    let mut missing = Map::new();
    for (name, mapping) in wanted {
        let Some(there) = have.get(name) else {
            missing.insert(name.clone(), mapping.clone());
            continue;
        };
        let inner = |of: &Value| of.get("properties").and_then(Value::as_object).cloned();
        if let (Some(wanted), Some(have)) = (inner(mapping), inner(there)) {
            let deeper = self::missing(&wanted, &have);
            if !deeper.is_empty() {
                missing.insert(name.clone(), json!({ "properties": deeper }));
            }
        }
    }
    missing
}

/// The mapping of a field; `None` leaves it to the server.
fn field_mapping(schema: &Schema, config: &EsConfig) -> Option<Value> {
    if plain::is_decimal(schema) {
        return Some(decimal(schema, config));
    }
    if let Some(unit) = Unit::of(schema) {
        return Some(match (config.times, unit) {
            (TimeForm::Integer, _) => json!({"type": "long"}),
            (TimeForm::Iso, Unit::Time(_)) => json!({"type": "keyword"}),
            (TimeForm::Iso, _) => date(),
        });
    }
    Some(match &schema.ty {
        Type::Bool => json!({"type": "boolean"}),
        Type::Int8 => json!({"type": "byte"}),
        Type::Int16 => json!({"type": "short"}),
        Type::Int32 => json!({"type": "integer"}),
        Type::Int64 => json!({"type": "long"}),
        Type::Float32 => json!({"type": "float", "ignore_malformed": true}),
        Type::Float64 => json!({"type": "double", "ignore_malformed": true}),
        Type::String => text(schema, config)?,
        Type::Bytes => json!({"type": "binary"}),
        Type::Array(item) => return field_mapping(item, config),
        Type::Map(..) => return None,
        Type::Struct(_) => json!({"properties": properties(schema, config)}),
    })
}

fn text(schema: &Schema, config: &EsConfig) -> Option<Value> {
    let kind = schema.name.as_deref().unwrap_or_default();
    Some(match kind {
        plain::JSON => match config.json {
            JsonForm::Text => searched_text(),
            JsonForm::Object => return None,
            JsonForm::Stored => json!({"type": "object", "enabled": false}),
        },
        "io.debezium.data.Uuid" | "io.debezium.data.Enum" | "io.debezium.data.EnumSet" => {
            json!({"type": "keyword"})
        }
        "io.debezium.time.ZonedTimestamp"
        | "io.debezium.time.IsoTimestamp"
        | "io.debezium.time.IsoDate" => date(),
        "io.debezium.time.ZonedTime" | "io.debezium.time.IsoTime" => json!({"type": "keyword"}),
        _ => searched_text(),
    })
}

fn searched_text() -> Value {
    json!({"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}})
}

/// A date that no calendar of the server has (`infinity`) is kept, and not searched.
fn date() -> Value {
    json!({"type": "date", "ignore_malformed": true})
}

fn decimal(schema: &Schema, config: &EsConfig) -> Value {
    match (config.decimals, connect_core::decimal::scale_of(schema)) {
        (DecimalMapping::ScaledFloat, Some(scale)) if scale <= 15 => {
            let factor = 10_u64.pow(scale as u32);
            json!({"type": "scaled_float", "scaling_factor": factor, "ignore_malformed": true})
        }
        (DecimalMapping::Double | DecimalMapping::ScaledFloat, _) => {
            json!({"type": "double", "ignore_malformed": true})
        }
        (DecimalMapping::Keyword, _) => json!({"type": "keyword"}),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use connect_core::{Config, Field, Properties, schema::logical};

    use super::*;

    fn config(pairs: &[(&str, &str)]) -> EsConfig {
        let mut given = Properties::from([("connection.url".into(), "http://h".into())]);
        given.extend(pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())));
        EsConfig::parse(&given).unwrap()
    }

    fn kind(schema: Schema, pairs: &[(&str, &str)]) -> String {
        let mapping = field_mapping(&schema, &config(pairs)).unwrap();
        mapping["type"].as_str().unwrap_or("object").to_owned()
    }

    #[test]
    fn semantic_names_decide() {
        let price = || {
            Schema::of(Type::Bytes)
                .named(logical::DECIMAL, 1)
                .parameter("scale", "2")
        };
        assert_eq!(kind(price(), &[]), "keyword");
        assert_eq!(
            kind(price(), &[("mapping.decimal", "scaled_float")]),
            "scaled_float"
        );
        let at = || Schema::of(Type::Int64).named("io.debezium.time.MicroTimestamp", 1);
        assert_eq!(kind(at(), &[]), "date");
        assert_eq!(kind(at(), &[("mapping.time", "integer")]), "long");
        assert_eq!(
            kind(
                Schema::of(Type::Int64).named("io.debezium.time.MicroTime", 1),
                &[]
            ),
            "keyword"
        );
        assert_eq!(
            kind(
                Schema::of(Type::String).named("io.debezium.data.Uuid", 1),
                &[]
            ),
            "keyword"
        );
        assert_eq!(
            kind(
                Schema::of(Type::Array(Arc::new(Schema::of(Type::Int16)))),
                &[]
            ),
            "short"
        );
    }

    #[test]
    fn envelopes_are_looked_through() {
        let row = Arc::new(Schema::structure([Field::new(
            "id",
            Schema::of(Type::Int32),
        )]));
        let envelope = Schema::structure([
            Field::new("after", Arc::clone(&row)),
            Field::new("source", Schema::structure([])),
            Field::new("op", Schema::of(Type::String)),
        ]);
        assert_eq!(row_of(&envelope), &*row);
        assert_eq!(row_of(&row), &*row);
    }

    #[test]
    fn only_new_fields_are_added() {
        let wanted = json!({"a": {"type": "long"}, "o": {"properties": {"x": {"type": "byte"}, "y": {"type": "byte"}}}});
        let have = json!({"a": {"type": "text"}, "o": {"properties": {"x": {"type": "byte"}}}});
        let missing = missing(wanted.as_object().unwrap(), have.as_object().unwrap());
        assert_eq!(
            Value::from(missing),
            json!({"o": {"properties": {"y": {"type": "byte"}}}})
        );
    }
}
