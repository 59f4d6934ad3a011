//! Messages as Connect's schemas, with what reads each field. Confluent's `ProtobufData`, the other way round.

use std::sync::Arc;

use connect_core::{Field, Form, Result, Schema, Type, schema::logical};
use protox::prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MapKey, MessageDescriptor,
    Value as Reflected,
};

use super::{ProtobufSettings, text::unreadable, write_schema::TAG};

const NAMESPACE: &str = "io.confluent.connect.protobuf";
/// Schemas may contain themselves, which Connect's cannot.
const MAX_DEPTH: usize = 64;
const MAX_PARTS: usize = 100_000;
/// The largest scale of a decimal that is turned into text; others stay bytes.
const MAX_SCALE: usize = 1000;

/// How a value is read.
#[derive(Debug)]
pub(super) enum Read {
    Bool,
    /// A varint, of 32 bits where it is `narrow`, without sign where it is not `signed`.
    Varint {
        narrow: bool,
        signed: bool,
    },
    Zigzag {
        narrow: bool,
    },
    Fixed32 {
        signed: bool,
    },
    Fixed64,
    Float,
    Double,
    Text,
    Bytes,
    Enum(Vec<(i32, String)>),
    Decimal {
        scale: usize,
        text: bool,
    },
    Date,
    Time,
    Timestamp,
    Wrapped(Box<Read>),
    Message(Message),
    List(Box<Read>),
    /// Entries of key and value.
    Map(Box<Message>),
}

/// The fields of a struct.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) fields: Vec<ReadField>,
    /// How many cells the struct has: a field each, and one for each choice.
    pub(super) cells: usize,
    /// Choices: the cell of each, and how many fields it has.
    pub(super) choices: Vec<(usize, usize)>,
}

/// One field of a message.
#[derive(Debug)]
pub(super) struct ReadField {
    pub(super) number: u32,
    pub(super) read: Read,
    /// Whether no value is null, and not zero.
    pub(super) presence: bool,
    /// The cell, or for a field of a choice the place of that among the choices, and its own within.
    pub(super) at: Place,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Cell(usize),
    Choice(usize, usize),
}

pub(super) struct Compiler<'a> {
    pub(super) settings: &'a ProtobufSettings,
    pub(super) parts: usize,
}

impl Compiler<'_> {
    /// The schema of a message and what reads it.
    pub(super) fn message(
        &mut self,
        message: &MessageDescriptor,
        depth: usize,
    ) -> Result<(Schema, Message)> {
        self.parts += 1;
        if depth > MAX_DEPTH || self.parts > MAX_PARTS {
            return Err(unreadable(
                "a message contains itself, nests too deep or is too large",
            ));
        }
        let (mut fields, mut read) = (Vec::new(), Message::default());
        self.choices(message, depth, &mut fields, &mut read)?;
        let is_own = |field: &FieldDescriptor| {
            field
                .containing_oneof()
                .is_none_or(|choice| choice.is_synthetic())
        };
        for field in message.fields().filter(is_own) {
            let (schema, value) = self.field(&field, depth)?;
            let optional = match self.settings.optional {
                true => {
                    field.containing_oneof().is_some()
                        || matches!(field.kind(), Kind::Message(_) | Kind::Enum(_))
                }
                false => {
                    !self.settings.wrapper
                        || matches!(field.kind(), Kind::Message(_) | Kind::Enum(_))
                }
            };
            read.fields.push(ReadField {
                number: field.number(),
                read: value,
                presence: field.supports_presence(),
                at: Place::Cell(fields.len()),
            });
            let schema = if optional { schema.optional() } else { schema };
            fields.push(Field::new(field.name(), schema));
        }
        read.cells = fields.len();
        read.fields.sort_by_key(|field| field.number);
        let name = match self.settings.enhanced {
            true => message.full_name(),
            false => message.name(),
        };
        Ok((Schema::structure(fields).titled(name), read))
    }

    /// The choices of a message, each a struct of which one field is not null.
    fn choices(
        &mut self,
        message: &MessageDescriptor,
        depth: usize,
        fields: &mut Vec<Field>,
        read: &mut Message,
    ) -> Result<()> {
        for (index, choice) in message
            .oneofs()
            .enumerate()
            .filter(|(_, choice)| !choice.is_synthetic())
        {
            let mut parts = Vec::new();
            let place = read.choices.len();
            for field in choice.fields() {
                let (schema, value) = self.field(&field, depth)?;
                read.fields.push(ReadField {
                    number: field.number(),
                    read: value,
                    presence: true,
                    at: Place::Choice(place, parts.len()),
                });
                parts.push(Field::new(field.name(), schema.optional()));
            }
            read.choices.push((fields.len(), parts.len()));
            let union =
                Schema::structure(parts).titled(format!("{NAMESPACE}.Union.{}", choice.name()));
            fields.push(Field::new(
                format!("{}_{index}", choice.name()),
                union.optional(),
            ));
        }
        Ok(())
    }

    fn field(&mut self, field: &FieldDescriptor, depth: usize) -> Result<(Schema, Read)> {
        let (schema, read) = match is_map(field) {
            Some(entry) => self.map(&entry, depth)?,
            None => {
                let (schema, read) = self.value(field, depth)?;
                if field.is_list() {
                    let list = Type::Array(Arc::new(schema.optional()));
                    (Schema::of(list), Read::List(Box::new(read)))
                } else {
                    (schema, read)
                }
            }
        };
        Ok((schema.parameter(TAG, field.number().to_string()), read))
    }

    fn map(&mut self, entry: &MessageDescriptor, depth: usize) -> Result<(Schema, Read)> {
        let (schema, message) = self.message(entry, depth + 1)?;
        let [key, value] = schema.fields() else {
            return Err(unreadable("a map's entry is no pair"));
        };
        let ty = Type::Map(Arc::clone(&key.schema), Arc::clone(&value.schema));
        let name = entry.name().strip_suffix("Entry").unwrap_or_default();
        Ok((Schema::of(ty).titled(name), Read::Map(Box::new(message))))
    }

    fn value(&mut self, field: &FieldDescriptor, depth: usize) -> Result<(Schema, Read)> {
        let own =
            |ty: Type, kind: &str| Schema::of(ty).parameter(format!("{NAMESPACE}.Type"), kind);
        let of = Schema::of;
        let signed = |narrow| Read::Varint {
            narrow,
            signed: true,
        };
        let small = || match param(field, "connect.type").as_deref() {
            Some("int8") => Type::Int8,
            Some("int16") => Type::Int16,
            _ => Type::Int32,
        };
        Ok(match field.kind() {
            Kind::Bool => (of(Type::Bool), Read::Bool),
            Kind::Int32 => (of(small()), signed(true)),
            Kind::Int64 => (of(Type::Int64), signed(false)),
            Kind::Sint32 => (own(Type::Int32, "sint32"), Read::Zigzag { narrow: true }),
            Kind::Sint64 => (own(Type::Int64, "sint64"), Read::Zigzag { narrow: false }),
            Kind::Sfixed32 => (own(Type::Int32, "sfixed32"), Read::Fixed32 { signed: true }),
            Kind::Sfixed64 => (own(Type::Int64, "sfixed64"), Read::Fixed64),
            Kind::Uint32 => (
                own(Type::Int64, "uint32"),
                Read::Varint {
                    narrow: true,
                    signed: false,
                },
            ),
            Kind::Uint64 => (
                own(Type::Int64, "uint64"),
                Read::Varint {
                    narrow: false,
                    signed: false,
                },
            ),
            Kind::Fixed32 => (own(Type::Int64, "fixed32"), Read::Fixed32 { signed: false }),
            Kind::Fixed64 => (own(Type::Int64, "fixed64"), Read::Fixed64),
            Kind::Float => (of(Type::Float32), Read::Float),
            Kind::Double => (of(Type::Float64), Read::Double),
            Kind::String => (of(Type::String), Read::Text),
            Kind::Bytes => (of(Type::Bytes), Read::Bytes),
            Kind::Enum(symbols) => self.enumeration(&symbols),
            Kind::Message(message) => self.nested(field, &message, depth)?,
        })
    }

    fn enumeration(&self, symbols: &EnumDescriptor) -> (Schema, Read) {
        let of = Schema::of;
        let kind = format!("{NAMESPACE}.Enum");
        let name = if self.settings.enhanced {
            symbols.full_name()
        } else {
            symbols.name()
        };
        let mut schema = of(Type::String)
            .titled(name)
            .optional()
            .parameter(kind.as_str(), symbols.name());
        let mut names = Vec::new();
        for value in symbols.values() {
            let number = value.number();
            schema = schema.parameter(format!("{kind}.{}", value.name()), number.to_string());
            names.push((number, value.name().to_owned()));
        }
        (schema, Read::Enum(names))
    }

    fn nested(
        &mut self,
        field: &FieldDescriptor,
        message: &MessageDescriptor,
        depth: usize,
    ) -> Result<(Schema, Read)> {
        let named =
            |ty: Type, name: &str, read: Read| (Schema::of(ty).named(name, 1).optional(), read);
        Ok(match message.full_name() {
            "confluent.type.Decimal" => {
                let scale: usize = param(field, "scale")
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(0);
                let mut schema = Schema::of(Type::Bytes)
                    .named(logical::DECIMAL, 1)
                    .parameter("scale", scale.to_string())
                    .optional();
                if let Some(precision) = param(field, "precision") {
                    schema = schema.parameter("connect.decimal.precision", precision);
                }
                let text = scale <= MAX_SCALE;
                let form = if text { Form::DecimalText } else { Form::Plain };
                (schema.form(form), Read::Decimal { scale, text })
            }
            "google.type.Date" => named(Type::Int32, logical::DATE, Read::Date),
            "google.type.TimeOfDay" => named(Type::Int32, logical::TIME, Read::Time),
            "google.protobuf.Timestamp" => named(Type::Int64, logical::TIMESTAMP, Read::Timestamp),
            name if self.settings.wrapper
                && name.starts_with("google.protobuf.")
                && name.ends_with("Value") =>
            {
                let value = message.get_field_by_name("value");
                let value = value.ok_or_else(|| unreadable("a wrapper has no value"))?;
                let (mut schema, read) = self.value(&value, depth + 1)?;
                schema.parameters.clear();
                (schema.optional(), Read::Wrapped(Box::new(read)))
            }
            _ => {
                let (schema, read) = self.message(message, depth + 1)?;
                (schema.optional(), Read::Message(read))
            }
        })
    }
}

/// The entry of a repeated field that stands for a map: one of Protobuf's own, or one that is called so.
fn is_map(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    let Kind::Message(entry) = field.kind() else {
        return None;
    };
    let fields: Vec<FieldDescriptor> = entry.fields().take(3).collect();
    let is = |field: &FieldDescriptor, name: &str| field.name() == name && !field.is_list();
    let pair = match fields.as_slice() {
        [key, value] => is(key, "key") && is(value, "value"),
        _ => false,
    };
    let called = pair && entry.name().ends_with("Entry");
    ((field.is_list() || field.is_map()) && called).then_some(entry)
}

/// A parameter of Confluent's option of a field.
fn param(field: &FieldDescriptor, name: &str) -> Option<String> {
    let pool = field.parent_pool();
    let meta = pool.get_extension_by_name("confluent.field_meta")?;
    let options: DynamicMessage = field.options();
    let meta = options.get_extension(&meta);
    let params = meta.as_message()?.get_field_by_name("params")?.into_owned();
    let Reflected::Map(params) = params else {
        return None;
    };
    let value = params.get(&MapKey::String(name.to_owned()))?;
    value.as_str().map(str::to_owned)
}
