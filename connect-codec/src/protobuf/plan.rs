//! Connect's schema and a message, compiled into flat steps that write one as the other.

use std::sync::Arc;

use connect_core::{Error, Form, Result, Schema, Type, decimal::scale_of, schema::logical};
use protox::prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::ProtobufSettings;
use crate::{
    avro::{names::scrubbed, varint::write_unsigned},
    error::SCHEMA_NARROW,
};

/// How a value is written behind its tag.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Op {
    Bool,
    /// A varint of 32 or 64 bits.
    Varint,
    /// A varint in zigzag.
    Zigzag,
    Fixed32,
    Fixed64,
    Float,
    Double,
    Text,
    Bytes,
    Hex,
    /// The numbers of an enum's names.
    Enum(Vec<(String, i32)>),
    /// Confluent's decimal; `text` where the source has it as such.
    Decimal {
        scale: usize,
        text: bool,
    },
    Date,
    Time,
    Timestamp,
    /// A message around a value, of Google's wrappers.
    Wrapped(Box<Step>),
    Message(Vec<Step>),
    /// Each item with its own tag, or all in one run of bytes.
    List {
        item: Box<Step>,
        packed: bool,
    },
    /// Entries of key and value.
    Map(Box<[Step; 2]>),
}

/// One field.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    /// The field's number and kind of wire, as they are written.
    pub(super) tag: Vec<u8>,
    pub(super) op: Op,
    /// Whether a zero is told from no value, and so is written.
    pub(super) presence: bool,
    /// The source's field.
    pub(super) from: usize,
    pub(super) schema: Arc<Schema>,
}

/// Compiles the fields of a struct that the message has; `strict` refuses one that it lacks.
pub(super) fn fields(
    schema: &Schema,
    message: &MessageDescriptor,
    settings: &ProtobufSettings,
    strict: bool,
) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for (from, field) in schema.fields().iter().enumerate() {
        let name = if settings.scrub {
            scrubbed(&field.name)
        } else {
            (&*field.name).into()
        };
        match message.get_field_by_name(&name) {
            Some(target) => {
                let step = step(&field.schema, &target, from, settings, strict);
                steps.push(step.map_err(|error| error.context("field", &field.name))?);
            }
            None if strict => {
                return Err(
                    Error::new(&SCHEMA_NARROW, "the target's message lacks a field")
                        .context("field", &field.name),
                );
            }
            None => {}
        }
    }
    // Java's library writes fields by their numbers.
    steps.sort_by_key(|step| number_of(&step.tag));
    Ok(steps)
}

fn step(
    schema: &Arc<Schema>,
    target: &FieldDescriptor,
    from: usize,
    settings: &ProtobufSettings,
    strict: bool,
) -> Result<Step> {
    let made = |op: Op, wire: u8, presence: bool| {
        let mut tag = Vec::new();
        write_unsigned(u64::from(target.number()) << 3 | u64::from(wire), &mut tag);
        Step {
            tag,
            op,
            presence,
            from,
            schema: Arc::clone(schema),
        }
    };
    match &schema.ty {
        Type::Array(item) if target.is_list() => list(item, target, settings, strict, made),
        Type::Map(key, value) if target.is_list() || target.is_map() => {
            let Kind::Message(entry) = target.kind() else {
                return Err(narrow());
            };
            let part = |name: &str, schema: &Arc<Schema>, from: usize| {
                let field = entry.get_field_by_name(name).ok_or_else(narrow)?;
                step(schema, &field, from, settings, strict)
            };
            let both = [part("key", key, 0)?, part("value", value, 1)?];
            Ok(made(Op::Map(Box::new(both)), 2, true))
        }
        _ if target.is_list() => Err(narrow()),
        _ => {
            let (op, wire) = value_op(schema, &target.kind(), settings, strict)?;
            Ok(made(op, wire, target.supports_presence()))
        }
    }
}

/// A list: numbers in one run of bytes, others each with its tag.
fn list(
    item: &Arc<Schema>,
    target: &FieldDescriptor,
    settings: &ProtobufSettings,
    strict: bool,
    made: impl Fn(Op, u8, bool) -> Step,
) -> Result<Step> {
    let (op, wire) = value_op(item, &target.kind(), settings, strict)?;
    let packed = target.is_packed() && wire != 2;
    let mut inner = made(op, if packed { 2 } else { wire }, true);
    inner.schema = Arc::clone(item);
    if packed {
        let list = Op::List {
            item: Box::new(Step {
                tag: Vec::new(),
                ..inner
            }),
            packed,
        };
        return Ok(made(list, 2, true));
    }
    Ok(made(
        Op::List {
            item: Box::new(inner),
            packed,
        },
        wire,
        true,
    ))
}

/// How one value is written, and its kind of wire.
fn value_op(
    schema: &Arc<Schema>,
    kind: &Kind,
    settings: &ProtobufSettings,
    strict: bool,
) -> Result<(Op, u8)> {
    use Type::{Bool, Bytes, Float32, Float64, Int8, Int16, Int32, Int64, String, Struct};
    Ok(match (&schema.ty, kind) {
        (_, Kind::Message(message)) => (message_op(schema, message, settings, strict)?, 2),
        (Bool, Kind::Bool) => (Op::Bool, 0),
        (Int8 | Int16 | Int32 | Int64, Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64) => {
            (Op::Varint, 0)
        }
        (Int8 | Int16 | Int32 | Int64, Kind::Sint32 | Kind::Sint64) => (Op::Zigzag, 0),
        (Int8 | Int16 | Int32 | Int64, Kind::Fixed32 | Kind::Sfixed32) => (Op::Fixed32, 5),
        (Int8 | Int16 | Int32 | Int64, Kind::Fixed64 | Kind::Sfixed64) => (Op::Fixed64, 1),
        (Float32, Kind::Float) => (Op::Float, 5),
        (Float32 | Float64, Kind::Double) => (Op::Double, 1),
        (String, Kind::String) => (Op::Text, 2),
        (String, Kind::Enum(symbols)) => {
            let values = symbols
                .values()
                .map(|value| (value.name().to_owned(), value.number()));
            (Op::Enum(values.collect()), 0)
        }
        (Bytes, Kind::Bytes) if schema.form == Form::Hex => (Op::Hex, 2),
        (Bytes, Kind::Bytes) if schema.form == Form::Plain => (Op::Bytes, 2),
        (Struct(_), _) => return Err(narrow()),
        _ => return Err(narrow()),
    })
}

fn message_op(
    schema: &Arc<Schema>,
    message: &MessageDescriptor,
    settings: &ProtobufSettings,
    strict: bool,
) -> Result<Op> {
    Ok(
        match (message.full_name(), schema.name.as_deref(), &schema.ty) {
            ("confluent.type.Decimal", Some(logical::DECIMAL), Type::Bytes) => Op::Decimal {
                scale: scale_of(schema).unwrap_or(0),
                text: schema.form == Form::DecimalText,
            },
            ("google.type.Date", Some(logical::DATE), _) => Op::Date,
            ("google.type.TimeOfDay", Some(logical::TIME), _) => Op::Time,
            ("google.protobuf.Timestamp", Some(logical::TIMESTAMP), _) => Op::Timestamp,
            (_, _, Type::Struct(_)) => Op::Message(fields(schema, message, settings, strict)?),
            (name, _, _) if name.starts_with("google.protobuf.") => {
                let value = message.get_field_by_name("value").ok_or_else(narrow)?;
                Op::Wrapped(Box::new(step(schema, &value, 0, settings, strict)?))
            }
            _ => return Err(narrow()),
        },
    )
}

fn number_of(mut tag: &[u8]) -> u64 {
    crate::avro::varint::read_unsigned(&mut tag).unwrap_or(0)
}

fn narrow() -> Error {
    Error::new(
        &SCHEMA_NARROW,
        "a field of the target's message is of another type",
    )
}
