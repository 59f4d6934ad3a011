//! JSON Schemas as Connect's.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use connect_core::{
    Error, Field, Form, Result, Schema, Type, Value, decimal::scale_of, schema::logical,
};
use serde_json::Value as Json;

use crate::{error::SCHEMA_UNREADABLE, schema_registry::Registered};

/// How deep schemas may nest; they may also refer to themselves.
const MAX_DEPTH: usize = 64;
/// A part that is referred to in many places is repeated in Connect's schema.
const MAX_PARTS: usize = 100_000;
/// The largest scale of a decimal that is turned into text; others stay bytes.
const MAX_SCALE: usize = 1000;

/// The schema of a registered text; `optional` makes properties optional that are not required.
pub(super) fn schema(registered: &Registered, optional: bool) -> Result<Schema> {
    let read = |text: &str| {
        serde_json::from_str::<Json>(text)
            .map_err(|error| unreadable("a JSON schema is not JSON").caused_by(error))
    };
    let root = read(&registered.text)?;
    let mut others = Vec::new();
    for other in &registered.references {
        others.push((other.name.as_str(), read(&other.text)?));
    }
    let mut compiler = Compiler {
        root: &root,
        others: &others,
        optional,
        parts: 0,
    };
    compiler.value(&root, false, 0)
}

struct Compiler<'a> {
    root: &'a Json,
    others: &'a [(&'a str, Json)],
    optional: bool,
    parts: usize,
}

impl<'a> Compiler<'a> {
    fn value(&mut self, json: &'a Json, optional: bool, depth: usize) -> Result<Schema> {
        self.parts += 1;
        if depth > MAX_DEPTH || self.parts > MAX_PARTS {
            return Err(unreadable(
                "a JSON schema contains itself, nests too deep or is too large",
            ));
        }
        if let Some(target) = json.get("$ref").and_then(Json::as_str) {
            let target = self.find(target)?;
            return self.value(target, optional, depth + 1);
        }
        for name in ["oneOf", "anyOf"] {
            if let Some(branches) = json.get(name).and_then(Json::as_array) {
                return self.choice(branches, optional, depth);
            }
        }
        let text = |name: &str| json.get(name).and_then(Json::as_str);
        let (ty, nullable) = type_of(json)?;
        let kind = text("connect.type");
        let mut schema = Schema::of(match ty {
            "boolean" => Type::Bool,
            "integer" | "number" => number(ty, kind)?,
            "string" if kind == Some("bytes") => Type::Bytes,
            "string" => Type::String,
            "array" => self.array(json, kind, depth)?,
            "object" if kind == Some("map") => {
                let value = json
                    .get("additionalProperties")
                    .filter(|json| json.is_object());
                let value =
                    value.ok_or_else(|| unreadable("a map of a JSON schema has no values"))?;
                let key = Arc::new(Schema::of(Type::String));
                Type::Map(key, Arc::new(self.value(value, false, depth + 1)?))
            }
            "object" => Type::Struct(self.fields(json, depth)?),
            _ => {
                return Err(
                    unreadable("a JSON schema has a type that has no counterpart")
                        .context("type", ty),
                );
            }
        });
        schema.name = text("title").map(Arc::from);
        schema.doc = text("description").map(Arc::from);
        let version = json.get("connect.version").and_then(Json::as_i64);
        schema.version = version.and_then(|version| i32::try_from(version).ok());
        if let Some(Json::Object(parameters)) = json.get("connect.parameters") {
            for (name, value) in parameters {
                let value = value.as_str().unwrap_or_default();
                schema.parameters.push((name.as_str().into(), value.into()));
            }
        }
        if schema.is(logical::DECIMAL) && scale_of(&schema).is_some_and(|scale| scale <= MAX_SCALE)
        {
            schema.form = Form::DecimalText;
        }
        schema.optional = optional || nullable;
        schema.default = json.get("default").and_then(|json| default(&schema, json));
        Ok(schema)
    }

    /// One type and null is that type, optional; one alone is that type.
    fn choice(&mut self, branches: &'a [Json], optional: bool, depth: usize) -> Result<Schema> {
        let is_null = |json: &Json| json.get("type").and_then(Json::as_str) == Some("null");
        let nullable = branches.iter().any(is_null);
        let others: Vec<&Json> = branches.iter().filter(|json| !is_null(json)).collect();
        match others.as_slice() {
            [only] => self.value(only, optional || nullable, depth + 1),
            _ => Err(unreadable(
                "a JSON schema has a choice between several types",
            )),
        }
    }

    fn array(&mut self, json: &'a Json, kind: Option<&str>, depth: usize) -> Result<Type> {
        let items = json.get("items").filter(|json| json.is_object());
        let items =
            items.ok_or_else(|| unreadable("Array schema did not specify the items type"))?;
        if kind == Some("map") {
            let part = |name: &str| items.get("properties").and_then(|all| all.get(name));
            let (Some(key), Some(value)) = (part("key"), part("value")) else {
                return Err(unreadable("a map of a JSON schema has no key and value"));
            };
            let key = self.value(key, false, depth + 1)?;
            return Ok(Type::Map(
                Arc::new(key),
                Arc::new(self.value(value, false, depth + 1)?),
            ));
        }
        Ok(Type::Array(Arc::new(self.value(
            items,
            false,
            depth + 1,
        )?)))
    }

    fn fields(&mut self, json: &'a Json, depth: usize) -> Result<Box<[Field]>> {
        let Some(Json::Object(properties)) = json.get("properties") else {
            return Ok(Box::default());
        };
        let required = json.get("required").and_then(Json::as_array);
        let is_required = |name: &str| {
            required.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(name)))
        };
        let mut fields = Vec::with_capacity(properties.len());
        for (at, (name, property)) in properties.iter().enumerate() {
            let optional = self.optional && !is_required(name);
            let schema = self.value(property, optional, depth + 1);
            let schema = schema.map_err(|error| error.context("property", name))?;
            let index = property.get("connect.index").and_then(Json::as_u64);
            fields.push((
                index.unwrap_or(at as u64),
                Field::new(name.as_str(), schema),
            ));
        }
        fields.sort_by_key(|(index, _)| *index);
        Ok(fields.into_iter().map(|(_, field)| field).collect())
    }

    fn find(&self, target: &str) -> Result<&'a Json> {
        let (file, pointer) = target.split_once('#').unwrap_or((target, ""));
        let others: &'a [(&'a str, Json)] = self.others;
        let root = match file {
            "" => Some(self.root),
            name => others
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, json)| json),
        };
        let found = root.and_then(|root| root.pointer(pointer));
        found.ok_or_else(|| {
            unreadable("a JSON schema refers to a part that is not there").context("$ref", target)
        })
    }
}

/// The type, and whether null is allowed beside it.
fn type_of(json: &Json) -> Result<(&str, bool)> {
    match json.get("type") {
        Some(Json::String(ty)) => Ok((ty, false)),
        Some(Json::Array(types)) => {
            let mut others = types
                .iter()
                .filter_map(Json::as_str)
                .filter(|ty| *ty != "null");
            match (others.next(), others.next()) {
                (Some(ty), None) => Ok((ty, types.len() > 1)),
                _ => Err(unreadable(
                    "a JSON schema has a choice between several types",
                )),
            }
        }
        _ if json.get("properties").is_some() => Ok(("object", false)),
        // Values of one kind only, most often.
        _ if json.get("enum").is_some() || json.get("const").is_some() => Ok(("string", false)),
        _ => Err(unreadable("a JSON schema has no type")),
    }
}

fn number(ty: &str, kind: Option<&str>) -> Result<Type> {
    Ok(match (kind, ty) {
        (Some("int8"), _) => Type::Int8,
        (Some("int16"), _) => Type::Int16,
        (Some("int32"), _) => Type::Int32,
        (Some("int64"), _) | (None, "integer") => Type::Int64,
        (Some("float32"), _) => Type::Float32,
        (Some("float64"), _) | (None, _) => Type::Float64,
        (Some("bytes"), _) => Type::Bytes,
        (Some(kind), _) => {
            return Err(
                unreadable("a JSON schema has a connect.type that there is not")
                    .context("connect.type", kind),
            );
        }
    })
}

/// A default; `None` for one that is not of the schema's type.
fn default(schema: &Schema, json: &Json) -> Option<Value> {
    Some(match (&schema.ty, json) {
        (Type::Bytes, Json::String(text)) => Value::Bytes(STANDARD.decode(text).ok()?),
        (Type::Bytes, Json::Number(number)) => Value::Digits(number.to_string()),
        (Type::Bool, Json::Bool(b)) => Value::Bool(*b),
        (Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64, Json::Number(n)) => {
            Value::Int(n.as_i64()?)
        }
        (Type::Float32 | Type::Float64, Json::Number(number)) => Value::Float(number.as_f64()?),
        (Type::String, Json::String(text)) => Value::Str(text.clone()),
        (Type::Array(item), Json::Array(items)) => Value::Array(
            items
                .iter()
                .map(|json| default(item, json))
                .collect::<Option<_>>()?,
        ),
        (Type::Map(_, item), Json::Object(entries)) => {
            let entry = |(name, json): (&String, &Json)| Some((name.clone(), default(item, json)?));
            Value::Map(entries.iter().map(entry).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

fn unreadable(what: &'static str) -> Error {
    Error::new(&SCHEMA_UNREADABLE, what)
}
