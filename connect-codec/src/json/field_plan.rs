//! A schema compiled for reading: what each field wants, and how its name looks in JSON.

use std::sync::Arc;

use connect_core::{Field, Schema, Type, decimal::scale_of};
use rustc_hash::FxHashMap;

use super::{schema_read::is_decimal, text::write_text};

/// What a value must be.
#[derive(Debug)]
pub(super) enum Want {
    Bool,
    Whole {
        least: i64,
        most: i64,
    },
    Float {
        single: bool,
    },
    Text,
    Bytes,
    /// Kept as decimal text.
    Decimal {
        scale: usize,
    },
    Array(Box<Node>),
    /// Keys are text.
    TextMap(Box<Node>),
    PairMap(Box<[Node; 2]>),
    Struct(Fields),
}

/// One value to read.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) want: Want,
    pub(super) schema: Arc<Schema>,
}

/// The fields of a struct.
#[derive(Debug)]
pub(super) struct Fields {
    in_order: Box<[(Box<[u8]>, Node)]>,
    by_name: FxHashMap<Box<[u8]>, usize>,
}

impl Node {
    /// Compiles a schema.
    pub(super) fn new(schema: &Arc<Schema>) -> Self {
        let whole = |least: i64, most: i64| Want::Whole { least, most };
        let want = match &schema.ty {
            Type::Bool => Want::Bool,
            Type::Int8 => whole(i8::MIN.into(), i8::MAX.into()),
            Type::Int16 => whole(i16::MIN.into(), i16::MAX.into()),
            Type::Int32 => whole(i32::MIN.into(), i32::MAX.into()),
            Type::Int64 => whole(i64::MIN, i64::MAX),
            Type::Float32 => Want::Float { single: true },
            Type::Float64 => Want::Float { single: false },
            Type::String => Want::Text,
            Type::Bytes if is_decimal(schema) => Want::Decimal {
                scale: scale_of(schema).unwrap_or(0),
            },
            Type::Bytes => Want::Bytes,
            Type::Array(item) => Want::Array(Box::new(Self::new(item))),
            Type::Map(key, value) if key.ty == Type::String => {
                Want::TextMap(Box::new(Self::new(value)))
            }
            Type::Map(key, value) => Want::PairMap(Box::new([Self::new(key), Self::new(value)])),
            Type::Struct(fields) => Want::Struct(Fields::new(fields)),
        };
        Self {
            want,
            schema: Arc::clone(schema),
        }
    }
}

impl Fields {
    fn new(fields: &[Field]) -> Self {
        let as_json = |field: &Field| {
            let mut name = Vec::new();
            write_text(field.name.as_bytes(), &mut name);
            name.push(b':');
            (name.into_boxed_slice(), Node::new(&field.schema))
        };
        let place = |(at, field): (usize, &Field)| (field.name.as_bytes().into(), at);
        Self {
            in_order: fields.iter().map(as_json).collect(),
            by_name: fields.iter().enumerate().map(place).collect(),
        }
    }

    /// How many fields.
    pub(super) fn len(&self) -> usize {
        self.in_order.len()
    }

    /// The name of a field as it stands in JSON, with quotes and colon, and what the field wants.
    pub(super) fn get(&self, at: usize) -> Option<(&[u8], &Node)> {
        self.in_order.get(at).map(|(name, node)| (&**name, node))
    }

    /// The place of a field.
    pub(super) fn place(&self, name: &[u8]) -> Option<usize> {
        self.by_name.get(name).copied()
    }
}
