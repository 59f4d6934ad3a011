//! Avro's schemas as Connect's, with what reads each type. Confluent's `AvroData`, the other way round.

use std::sync::Arc;

use connect_core::{Field, Form, Result, Schema, Type, Value, schema::logical};
use serde_json::{Map, Value as Json};

use super::{
    AvroSettings,
    names::split,
    read_default::read_default,
    schema::{At, AvroSchema, Kind, Node, unreadable},
    write_schema::{
        DEFAULT_FLAG, DEFAULT_PRECISION, ENUM, ENUM_DEFAULT, ENUM_DOC, FIELD_DOC, FIXED_SIZE,
        MAP_ENTRY, NAMESPACE, PRECISION, RECORD_DOC, UNION,
    },
};

/// The largest scale of a decimal that is turned into text; others stay bytes.
const MAX_SCALE: u64 = 1000;
/// Schemas may contain themselves, which Connect's cannot.
const MAX_DEPTH: usize = 64;
/// A type that is used in many places is repeated in Connect's schema.
const MAX_PARTS: usize = 100_000;

/// How a value is read.
#[derive(Debug)]
pub(super) enum Read {
    Null,
    Bool,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    Text,
    /// Unscaled bytes that become text at this scale.
    Decimal(usize),
    Fixed(usize),
    FixedDecimal {
        size: usize,
        scale: usize,
    },
    Enum(Vec<String>),
    Array(Box<Read>),
    /// Keys are text.
    Map(Box<Read>),
    Pairs(Box<[Read; 2]>),
    Record(Box<[Read]>),
    /// A union of which one branch at most is not null.
    Union(Box<[Read]>),
    /// A union that is a struct: for each branch what reads it and the struct's field; none for null.
    Struct {
        branches: Box<[(Read, Option<usize>)]>,
        fields: usize,
    },
}

/// A schema with which records were written.
#[derive(Debug)]
pub(crate) struct Reader {
    /// `None` for values without schema.
    pub(super) schema: Option<Arc<Schema>>,
    pub(super) read: Read,
    /// See the encoder: `bytes` alone have no length.
    pub(super) raw: bool,
}

/// Compiles a schema.
pub(super) fn reader(avro: &AvroSchema, settings: &AvroSettings) -> Result<Reader> {
    let root = avro.node(avro.root);
    if root.name.as_deref() == Some(super::anything::NAME) {
        return Ok(Reader {
            schema: None,
            read: Read::Null,
            raw: false,
        });
    }
    let mut compiler = Compiler {
        avro,
        settings,
        parts: 0,
    };
    let (schema, read) = compiler.value(avro.root, false, None, 0)?;
    Ok(Reader {
        schema: Some(Arc::new(schema)),
        raw: matches!(root.kind, Kind::Bytes),
        read,
    })
}

struct Compiler<'a> {
    avro: &'a AvroSchema,
    settings: &'a AvroSettings,
    parts: usize,
}

impl<'a> Compiler<'a> {
    fn value(
        &mut self,
        at: At,
        optional: bool,
        default: Option<&Json>,
        depth: usize,
    ) -> Result<(Schema, Read)> {
        self.parts += 1;
        if depth > MAX_DEPTH || self.parts > MAX_PARTS {
            return Err(unreadable(
                "a schema contains itself, nests too deep or is too large",
            ));
        }
        let node = self.avro.node(at);
        if let Kind::Union(branches) = &node.kind {
            return self.union(branches, optional, depth);
        }
        let (mut schema, read) = match &node.kind {
            Kind::Bool => (Schema::of(Type::Bool), Read::Bool),
            Kind::Int => (whole(node)?, Read::Int),
            Kind::Long => (long(node), Read::Long),
            Kind::Float => (Schema::of(Type::Float32), Read::Float),
            Kind::Double => (Schema::of(Type::Float64), Read::Double),
            Kind::Text => (Schema::of(Type::String), Read::Text),
            Kind::Bytes => bytes(node, None)?,
            Kind::Fixed(size) => bytes(node, Some(*size))?,
            Kind::Enum(symbols) => (enumeration(node, symbols), Read::Enum(symbols.clone())),
            Kind::Array(item) => self.array(*item, depth)?,
            Kind::Map(item) => {
                let (value, read) = self.value(*item, false, None, depth + 1)?;
                let key = Arc::new(Schema::of(Type::String));
                (
                    Schema::of(Type::Map(key, Arc::new(value))),
                    Read::Map(Box::new(read)),
                )
            }
            Kind::Record(fields) => self.record(node, fields, depth)?,
            Kind::Null | Kind::Union(_) => {
                return Err(unreadable(
                    "Standalone null schemas are not supported by this converter",
                ));
            }
        };
        dress(&mut schema, node, default, self.settings)?;
        schema.optional = schema.optional || optional;
        Ok((schema, read))
    }

    fn array(&mut self, item: At, depth: usize) -> Result<(Schema, Read)> {
        let entry = self.avro.node(item);
        let name = entry.name.as_deref().map(split);
        let is_entry = name == Some((Some(NAMESPACE), MAP_ENTRY))
            || entry.text("connect.internal.type") == Some(MAP_ENTRY);
        match &entry.kind {
            Kind::Record(fields) if is_entry => {
                let [key, value] = fields.as_slice() else {
                    return Err(unreadable(
                        "Found map encoded as array of key-value pairs, but array elements do not match the expected format.",
                    ));
                };
                let (key, read_key) = self.value(key.at, false, None, depth + 1)?;
                let (value, read_value) = self.value(value.at, false, None, depth + 1)?;
                let ty = Type::Map(Arc::new(key), Arc::new(value));
                let mut schema = Schema::of(ty);
                schema.name = entry.text("connect.name").map(Arc::from);
                Ok((schema, Read::Pairs(Box::new([read_key, read_value]))))
            }
            _ => {
                let (value, read) = self.value(item, false, None, depth + 1)?;
                Ok((
                    Schema::of(Type::Array(Arc::new(value))),
                    Read::Array(Box::new(read)),
                ))
            }
        }
    }

    fn record(
        &mut self,
        node: &Node,
        fields: &'a [super::schema::Field],
        depth: usize,
    ) -> Result<(Schema, Read)> {
        let mut parameters = Parameters::default();
        if let Some(doc) = node.text("doc").filter(|_| self.settings.meta) {
            parameters.put(RECORD_DOC, doc);
        }
        let (mut parts, mut reads) = (Vec::new(), Vec::new());
        for field in fields {
            let doc = field.props.get("doc").and_then(Json::as_str);
            if let Some(doc) = doc.filter(|_| self.settings.meta) {
                parameters.put(&format!("{FIELD_DOC}{}", field.name), doc);
            }
            let (mut schema, read) = self
                .value(field.at, false, field.default.as_ref(), depth + 1)
                .map_err(|error| error.context("field", &field.name))?;
            if self.settings.meta {
                let mut own = Parameters(std::mem::take(&mut schema.parameters));
                own.put_all(field.props.get("connect.parameters"))?;
                schema.parameters = own.0;
            }
            parts.push(Field::new(field.name.as_str(), schema));
            reads.push(read);
        }
        let mut schema = Schema::structure(parts);
        schema.parameters = parameters.0;
        Ok((schema, Read::Record(reads.into())))
    }

    fn union(&mut self, branches: &[At], optional: bool, depth: usize) -> Result<(Schema, Read)> {
        let avro = self.avro;
        let is_null = |at: &At| matches!(avro.node(*at).kind, Kind::Null);
        let others = branches.iter().filter(|at| !is_null(at)).count();
        let nullable = others < branches.len();
        if others == 1 && (nullable || self.settings.flatten) {
            let mut schema = Schema::of(Type::Bool);
            let mut reads = Vec::new();
            for at in branches {
                if is_null(at) {
                    reads.push(Read::Null);
                    continue;
                }
                let (found, read) = self.value(*at, optional || nullable, None, depth + 1)?;
                schema = found;
                reads.push(read);
            }
            return Ok((schema, Read::Union(reads.into())));
        }
        let (mut fields, mut reads) = (Vec::<Field>::new(), Vec::new());
        for at in branches {
            if is_null(at) {
                reads.push((Read::Null, None));
                continue;
            }
            let (schema, read) = self.value(*at, true, None, depth + 1)?;
            let name = self.member(avro.node(*at));
            if fields.iter().any(|field| *field.name == *name) {
                return Err(unreadable(
                    "Multiple union schemas map to the Connect union field name",
                ));
            }
            reads.push((read, Some(fields.len())));
            fields.push(Field::new(name, schema));
        }
        let (count, mut schema) = (fields.len(), Schema::structure(fields).titled(UNION));
        schema.optional = optional || nullable;
        let read = Read::Struct {
            branches: reads.into(),
            fields: count,
        };
        Ok((schema, read))
    }

    /// The field of a union's struct for a branch.
    fn member(&self, node: &Node) -> String {
        match &node.name {
            Some(name) if self.settings.enhanced => name.clone(),
            Some(name) => split(name).1.to_owned(),
            None => kind_name(&node.kind).to_owned(),
        }
    }
}

/// Adds what stands beside a type: documentation, version, parameters, default, name.
fn dress(
    schema: &mut Schema,
    node: &Node,
    default: Option<&Json>,
    settings: &AvroSettings,
) -> Result<()> {
    let text = |name: &str| node.text(name).map(Arc::<str>::from);
    let mut parameters = Parameters(std::mem::take(&mut schema.parameters));
    if settings.meta {
        schema.doc = text("connect.doc");
        parameters.put_all(node.props.get("connect.parameters"))?;
    }
    for (name, value) in node
        .props
        .iter()
        .filter(|(name, _)| name.starts_with("avro"))
    {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        parameters.put(name, &value);
    }
    if let Some(version) = node.props.get("connect.version").and_then(Json::as_i64) {
        schema.version = schema.version.or(i32::try_from(version).ok());
    }
    let annotated = node.props.get("connect.default");
    if default.is_some_and(|default| !default.is_null()) && annotated.is_none() && settings.meta {
        parameters.put(DEFAULT_FLAG, "true");
    }
    schema.parameters = parameters.0;
    let found = default
        .or(annotated)
        .and_then(|json| read_default(schema, json));
    schema.default = found.filter(|value| !matches!(value, Value::Null));
    let is_map = matches!(schema.ty, Type::Map(..));
    let own = node
        .name
        .as_deref()
        .filter(|_| !schema.is(logical::DECIMAL));
    let name = node.text("connect.name").or(own);
    let unnamed = format!("{NAMESPACE}.ConnectDefault");
    if let Some(name) = name.filter(|name| !name.starts_with(&unnamed))
        && (schema.name.is_none() || is_map)
    {
        schema.name = Some(name.into());
    }
    Ok(())
}

fn whole(node: &Node) -> Result<Schema> {
    Ok(
        match (node.text("logicalType"), node.text("connect.type")) {
            (Some("date"), _) => Schema::of(Type::Int32).named(logical::DATE, 1),
            (Some("time-millis"), _) => Schema::of(Type::Int32).named(logical::TIME, 1),
            (Some(_), _) | (None, None) => Schema::of(Type::Int32),
            (None, Some("int8")) => Schema::of(Type::Int8),
            (None, Some("int16")) => Schema::of(Type::Int16),
            (None, Some(_)) => {
                return Err(unreadable(
                    "Connect type annotation for Avro int field is null",
                ));
            }
        },
    )
}

fn long(node: &Node) -> Schema {
    match node.text("logicalType") {
        Some("timestamp-millis") => Schema::of(Type::Int64).named(logical::TIMESTAMP, 1),
        _ => Schema::of(Type::Int64),
    }
}

fn bytes(node: &Node, fixed: Option<usize>) -> Result<(Schema, Read)> {
    let mut schema = Schema::of(Type::Bytes);
    let mut scale = None;
    if node.text("logicalType") == Some("decimal") {
        let number = |name: &str| node.props.get(name).and_then(Json::as_u64);
        let digits = number("scale").unwrap_or(0);
        schema = schema
            .named(logical::DECIMAL, 1)
            .parameter("scale", digits.to_string());
        match number("precision") {
            Some(precision) if precision != u64::from(DEFAULT_PRECISION) => {
                schema = schema.parameter(PRECISION, precision.to_string());
            }
            _ => {}
        }
        if digits <= MAX_SCALE {
            schema = schema.form(Form::DecimalText);
            scale = Some(digits as usize);
        }
    }
    if let Some(size) = fixed {
        schema = schema.parameter(FIXED_SIZE, size.to_string());
    }
    let read = match (fixed, scale) {
        (None, None) => Read::Bytes,
        (None, Some(scale)) => Read::Decimal(scale),
        (Some(size), None) => Read::Fixed(size),
        (Some(size), Some(scale)) => Read::FixedDecimal { size, scale },
    };
    Ok((schema, read))
}

fn enumeration(node: &Node, symbols: &[String]) -> Schema {
    let mut schema = Schema::of(Type::String);
    let full = node.name.as_deref().unwrap_or_default();
    let own = split(full).1;
    if let Some(doc) = node.text("doc") {
        schema = schema.parameter(format!("{ENUM_DOC}{own}"), doc);
    }
    if let Some(default) = node.text("default") {
        schema = schema.parameter(format!("{ENUM_DEFAULT}{own}"), default);
    }
    schema = schema.parameter(ENUM, full);
    for symbol in symbols {
        schema = schema.parameter(format!("{ENUM}.{symbol}"), symbol.as_str());
    }
    schema
}

fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::Bool => "boolean",
        Kind::Int => "int",
        Kind::Long => "long",
        Kind::Float => "float",
        Kind::Double => "double",
        Kind::Bytes => "bytes",
        Kind::Text => "string",
        Kind::Fixed(_) => "fixed",
        Kind::Enum(_) => "enum",
        Kind::Array(_) => "array",
        Kind::Map(_) => "map",
        Kind::Union(_) => "union",
        Kind::Record(_) => "record",
    }
}

/// Parameters in their order; a name that comes again changes its value.
#[derive(Default)]
struct Parameters(Vec<(Arc<str>, Arc<str>)>);

impl Parameters {
    fn put(&mut self, name: &str, value: &str) {
        match self.0.iter_mut().find(|(known, _)| **known == *name) {
            Some((_, known)) => *known = value.into(),
            None => self.0.push((name.into(), value.into())),
        }
    }

    fn put_all(&mut self, given: Option<&Json>) -> Result<()> {
        let empty = Map::new();
        let given = match given {
            None => &empty,
            Some(Json::Object(given)) => given,
            Some(_) => return Err(unreadable("connect.parameters is no object")),
        };
        for (name, value) in given {
            let text = value.as_str();
            let text =
                text.ok_or_else(|| unreadable("a parameter in connect.parameters is no text"))?;
            self.put(name, text);
        }
        Ok(())
    }
}
