//! JSON payloads as structs (`table.expand.json.payload`), with Debezium's guesses of their schemas.

use std::sync::Arc;

use connect_core::{Field, Schema, Type, Value};
use serde_json::Value as Json;

/// A payload: its schema and value. The error says why it stays text.
pub(in crate::transforms) fn expand(
    text: &str,
    name: Option<&str>,
    null_is_bytes: bool,
) -> Result<(Arc<Schema>, Value), String> {
    if !text.starts_with(['{', '[']) {
        return Err("it does not begin with { or [".to_owned());
    }
    // The parser bounds the depth.
    let json: Json = serde_json::from_str(text).map_err(|err| err.to_string())?;
    if !json.is_object() {
        return Err("it is not an object".to_owned());
    }
    let guess = Guess { null_is_bytes };
    let schema = guess.schema(name, &json)?;
    let schema = schema.ok_or("it has no schema")?;
    let value = value_of(&json, &schema).ok_or("its parts differ in type")?;
    Ok((Arc::new(schema), value))
}

struct Guess {
    null_is_bytes: bool,
}

impl Guess {
    /// `None` for what is left out.
    fn schema(&self, name: Option<&str>, json: &Json) -> Result<Option<Schema>, String> {
        let ty = match json {
            Json::Null if self.null_is_bytes => Type::Bytes,
            Json::Null => return Ok(None),
            Json::Bool(_) => Type::Bool,
            Json::String(_) => Type::String,
            Json::Number(number) => number_type(number),
            Json::Array(items) if items.is_empty() => return Ok(None),
            Json::Array(items) => Type::Array(Arc::new(self.item(name, items)?)),
            Json::Object(_) => return self.object(name, json).map(Some),
        };
        Ok(Some(Schema::of(ty).optional()))
    }

    fn object(&self, name: Option<&str>, json: &Json) -> Result<Schema, String> {
        let mut fields: Vec<Field> = Vec::new();
        for (field, value) in json.as_object().into_iter().flatten() {
            let path = match name.filter(|name| !name.trim().is_empty()) {
                Some(name) => format!("{name}.{field}"),
                None => field.clone(),
            };
            if let Some(schema) = self.schema(Some(&path), value)? {
                fields.push(Field::new(field.as_str(), schema));
            }
        }
        let schema = Schema::structure(fields).optional();
        Ok(match name {
            Some(name) => schema.titled(name),
            None => schema,
        })
    }

    /// The schema of an array's items, which are all of one type; objects may have different fields.
    fn item(&self, name: Option<&str>, items: &[Json]) -> Result<Schema, String> {
        let mut some = items.iter().filter(|item| !item.is_null());
        let first = some.next().unwrap_or(&Json::Null);
        for item in some {
            if !is_alike(first, item) {
                return Err("an array is not homogenous".to_owned());
            }
        }
        if !first.is_object() {
            let schema = self.schema(None, first)?;
            return schema.ok_or_else(|| "an array has no member with a type".to_owned());
        }
        let mut all: Vec<Schema> = Vec::new();
        for item in items.iter().filter(|item| item.is_object()) {
            let schema = self.object(name, item)?;
            if !all.contains(&schema) {
                all.push(schema);
            }
        }
        let merged = all.into_iter().reduce(|one, other| merge(&one, &other));
        merged.ok_or_else(|| "an array has no member with a type".to_owned())
    }
}

fn is_alike(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => number_type(one) == number_type(other),
        _ => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

/// The fields of both; bytes stand for a null that another object may tell more of.
fn merge(one: &Schema, other: &Schema) -> Schema {
    let mut fields = one.fields().to_vec();
    for field in other.fields() {
        match fields.iter_mut().find(|known| known.name == field.name) {
            None => fields.push(field.clone()),
            Some(known) if known.schema.ty == Type::Bytes => *known = field.clone(),
            Some(_) => {}
        }
    }
    let mut merged = Schema::structure(fields);
    merged.name = one.name.clone();
    merged
}

fn number_type(number: &serde_json::Number) -> Type {
    match number.as_i64() {
        Some(whole) if i32::try_from(whole).is_ok() => Type::Int32,
        Some(_) => Type::Int64,
        None => Type::Float64,
    }
}

/// `None` when it does not fit the schema.
fn value_of(json: &Json, schema: &Schema) -> Option<Value> {
    Some(match (json, &schema.ty) {
        (Json::Null, _) => Value::Null,
        (Json::Bool(b), Type::Bool) => Value::Bool(*b),
        (Json::String(text), Type::String) => Value::Str(text.clone()),
        (Json::Number(number), ty) if number_type(number) == *ty => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Float(number.as_f64()?),
        },
        (Json::Array(items), Type::Array(item)) => {
            let items = items.iter().map(|json| value_of(json, item));
            Value::Array(items.collect::<Option<_>>()?)
        }
        (Json::Object(entries), Type::Struct(fields)) => {
            let entry = |field: &Field| {
                let value = match entries.get(&*field.name) {
                    Some(json) => value_of(json, &field.schema)?,
                    None => Value::Null,
                };
                Some((field.name.to_string(), value))
            };
            Value::Map(fields.iter().map(entry).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_become_structs_and_their_types_are_guessed() {
        let text = r#"{"a":1,"b":3000000000,"c":1.0,"d":null,"e":[],"f":[{"x":1},{"y":"z"}],"g":{"h":true}}"#;
        let (schema, value) = expand(text, Some("payload"), false).unwrap();
        let names: Vec<&str> = schema.fields().iter().map(|field| &*field.name).collect();
        assert_eq!(names, ["a", "b", "c", "f", "g"]);
        let ty = |name: &str| schema.field(name).unwrap().1.schema.ty.clone();
        assert_eq!(
            (ty("a"), ty("b"), ty("c")),
            (Type::Int32, Type::Int64, Type::Float64)
        );
        assert_eq!(
            schema.field("g").unwrap().1.schema.name.as_deref(),
            Some("payload.g")
        );
        assert_eq!(
            value.get("f").unwrap(),
            &Value::Array(vec![
                Value::Map(vec![("x".into(), Value::Int(1)), ("y".into(), Value::Null)]),
                Value::Map(vec![("x".into(), Value::Null), ("y".into(), "z".into())]),
            ])
        );
        let (schema, _) = expand(text, Some("payload"), true).unwrap();
        assert_eq!(schema.field("d").unwrap().1.schema.ty, Type::Bytes);
    }

    #[test]
    fn what_is_no_object_of_one_shape_stays_text() {
        for text in [
            "",
            "x",
            "[1]",
            "{",
            r#"{"a":[1,"x"]}"#,
            r#"{"a":[null]}"#,
            r#"{"a":[{"b":1},{"b":"x"}]}"#,
        ] {
            assert!(expand(text, Some("payload"), false).is_err(), "{text}");
        }
        assert!(expand(&"[".repeat(100_000), Some("payload"), false).is_err());
        assert!(expand(&r#"{"a":"#.repeat(100_000), Some("payload"), false).is_err());
    }

    proptest::proptest! {
        // Invariant 5: bytes from outside never panic.
        #[test]
        fn no_payload_is_too_strange(text in "[\\{\\[][\\[\\]{}:,\"a-c0-9.eE+tru nul-]{0,80}") {
            if let Ok((schema, value)) = expand(&text, None, true) {
                proptest::prop_assert_eq!(schema.fields().len(), match value {
                    Value::Map(entries) => entries.len(),
                    _ => usize::MAX,
                });
            }
        }
    }
}
