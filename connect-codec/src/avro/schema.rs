//! An Avro schema, parsed from the registry's text: nodes in a row, which may refer to each other in circles.

use std::sync::LazyLock;

use connect_core::{Error, Result};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use super::names::split;
use crate::error::SCHEMA_UNREADABLE;

/// How deep schemas may nest.
const MAX_DEPTH: usize = 64;
/// How many types a schema may have.
const MAX_NODES: usize = 100_000;
/// The largest `fixed`.
const MAX_FIXED: u64 = 16 << 20;

/// The place of a node.
pub(super) type At = usize;

/// A schema; its root is `root`.
#[derive(Debug)]
pub(super) struct AvroSchema {
    nodes: Vec<Node>,
    pub(super) root: At,
}

/// A type with what else stands beside it.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// The full name of a record, enum or fixed.
    pub(super) name: Option<String>,
    pub(super) props: Map<String, Value>,
}

/// Avro's types.
#[derive(Debug, Default)]
pub(super) enum Kind {
    #[default]
    Null,
    Bool,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    Text,
    Fixed(usize),
    Enum(Vec<String>),
    Array(At),
    Map(At),
    Union(Vec<At>),
    Record(Vec<Field>),
}

/// A field of a record.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) at: At,
    pub(super) default: Option<Value>,
    pub(super) props: Map<String, Value>,
}

impl AvroSchema {
    /// Parses a text; `others` are those that it refers to, each before its users.
    pub(super) fn parse<'a>(text: &str, others: impl Iterator<Item = &'a str>) -> Result<Self> {
        let mut parser = Parser {
            nodes: Vec::new(),
            names: FxHashMap::default(),
        };
        for other in others {
            parser.schema(&json(other)?, None, 0)?;
        }
        let root = parser.schema(&json(text)?, None, 0)?;
        Ok(Self {
            nodes: parser.nodes,
            root,
        })
    }

    /// A node; every place in a schema has one.
    pub(super) fn node(&self, at: At) -> &Node {
        static NONE: LazyLock<Node> = LazyLock::new(Node::default);
        self.nodes.get(at).unwrap_or(&NONE)
    }
}

impl Node {
    /// A property that is text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.props.get(name)?.as_str()
    }
}

struct Parser {
    nodes: Vec<Node>,
    names: FxHashMap<String, At>,
}

impl Parser {
    fn schema(&mut self, json: &Value, space: Option<&str>, depth: usize) -> Result<At> {
        if depth > MAX_DEPTH || self.nodes.len() >= MAX_NODES {
            return Err(unreadable(
                "an Avro schema nests too deep or has too many types",
            ));
        }
        match json {
            Value::String(name) => self.by_name(name, space),
            Value::Array(branches) => {
                let branches = branches
                    .iter()
                    .map(|branch| self.schema(branch, space, depth + 1));
                let branches = branches.collect::<Result<Vec<_>>>()?;
                Ok(self.push(Kind::Union(branches), Map::new()))
            }
            Value::Object(object) => self.object(object, space, depth),
            _ => Err(unreadable(
                "an Avro schema is neither a name, a list nor an object",
            )),
        }
    }

    fn by_name(&mut self, name: &str, space: Option<&str>) -> Result<At> {
        if let Some(kind) = primitive(name) {
            return Ok(self.push(kind, Map::new()));
        }
        let full = full_name(name, space);
        let known = self.names.get(&full).or_else(|| self.names.get(name));
        known.copied().ok_or_else(|| {
            unreadable("an Avro schema names a type that it does not define").context("type", name)
        })
    }

    fn object(
        &mut self,
        object: &Map<String, Value>,
        space: Option<&str>,
        depth: usize,
    ) -> Result<At> {
        let part = |name: &str| {
            object
                .get(name)
                .ok_or_else(|| unreadable("an Avro type lacks a part").context("part", name))
        };
        let ty = match part("type")? {
            Value::String(ty) => ty.as_str(),
            nested => return self.schema(nested, space, depth + 1),
        };
        let kind = match ty {
            "array" => Kind::Array(self.schema(part("items")?, space, depth + 1)?),
            "map" => Kind::Map(self.schema(part("values")?, space, depth + 1)?),
            "record" | "error" | "enum" | "fixed" => return self.named(ty, object, space, depth),
            name => match primitive(name) {
                Some(kind) => kind,
                None => return self.by_name(name, space),
            },
        };
        Ok(self.push(kind, object.clone()))
    }

    fn named(
        &mut self,
        ty: &str,
        object: &Map<String, Value>,
        space: Option<&str>,
        depth: usize,
    ) -> Result<At> {
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        let name = text("name").ok_or_else(|| unreadable("an Avro type has no name"))?;
        let own = text("namespace").filter(|space| !space.is_empty());
        let outer = if text("namespace").is_some() {
            own
        } else {
            space
        };
        let full = full_name(name, outer);
        // Known before its fields are read, since these may refer to it.
        let at = self.push(Kind::Null, Map::new());
        if self.names.insert(full.clone(), at).is_some() {
            return Err(unreadable("an Avro schema defines a type twice").context("type", full));
        }
        let inner = split(&full).0.map(str::to_owned);
        let kind = match ty {
            "enum" => Kind::Enum(symbols(object)?),
            "fixed" => Kind::Fixed(size(object)?),
            _ => Kind::Record(self.fields(object, inner.as_deref(), depth)?),
        };
        let mut props = object.clone();
        props.remove("fields");
        if let Some(node) = self.nodes.get_mut(at) {
            *node = Node {
                kind,
                name: Some(full),
                props,
            };
        }
        Ok(at)
    }

    fn fields(
        &mut self,
        object: &Map<String, Value>,
        space: Option<&str>,
        depth: usize,
    ) -> Result<Vec<Field>> {
        let list = object.get("fields").and_then(Value::as_array);
        let list = list.ok_or_else(|| unreadable("an Avro record has no fields"))?;
        let mut fields = Vec::with_capacity(list.len());
        for field in list {
            let text = field.get("name").and_then(Value::as_str);
            let (Some(name), Some(ty), Some(props)) = (text, field.get("type"), field.as_object())
            else {
                return Err(unreadable("an Avro field lacks its name or type"));
            };
            let mut props = props.clone();
            props.remove("type");
            fields.push(Field {
                name: name.to_owned(),
                at: self.schema(ty, space, depth + 1)?,
                default: field.get("default").cloned(),
                props,
            });
        }
        Ok(fields)
    }

    fn push(&mut self, kind: Kind, props: Map<String, Value>) -> At {
        self.nodes.push(Node {
            kind,
            name: None,
            props,
        });
        self.nodes.len() - 1
    }
}

fn json(text: &str) -> Result<Value> {
    // The registry gives a primitive as `"string"`, and some clients as `string`.
    if primitive(text.trim()).is_some() {
        return Ok(Value::String(text.trim().to_owned()));
    }
    serde_json::from_str(text)
        .map_err(|error| unreadable("an Avro schema is not JSON").caused_by(error))
}

fn symbols(object: &Map<String, Value>) -> Result<Vec<String>> {
    let list = object.get("symbols").and_then(Value::as_array);
    let list = list.ok_or_else(|| unreadable("an Avro enum has no symbols"))?;
    let symbol = |symbol: &Value| symbol.as_str().map(str::to_owned);
    let symbols: Option<Vec<String>> = list.iter().map(symbol).collect();
    symbols.ok_or_else(|| unreadable("an Avro enum has a symbol that is no text"))
}

fn size(object: &Map<String, Value>) -> Result<usize> {
    let size = object.get("size").and_then(Value::as_u64);
    match size.filter(|size| *size <= MAX_FIXED).map(usize::try_from) {
        Some(Ok(size)) => Ok(size),
        _ => Err(unreadable(
            "an Avro fixed has no size, or one that is too large",
        )),
    }
}

fn primitive(name: &str) -> Option<Kind> {
    Some(match name {
        "null" => Kind::Null,
        "boolean" => Kind::Bool,
        "int" => Kind::Int,
        "long" => Kind::Long,
        "float" => Kind::Float,
        "double" => Kind::Double,
        "bytes" => Kind::Bytes,
        "string" => Kind::Text,
        _ => return None,
    })
}

fn full_name(name: &str, space: Option<&str>) -> String {
    match space {
        Some(space) if !name.contains('.') => format!("{space}.{name}"),
        _ => name.to_owned(),
    }
}

pub(super) fn unreadable(what: &'static str) -> Error {
    Error::new(&SCHEMA_UNREADABLE, what)
}
