//! Arrays, and what stands for values that were not sent.

use std::sync::Arc;

use cdc::binary::hex;
use connect_core::{Schema, Type, Value};
use md5::{Digest, Md5};

use super::{Modes, Shape};
use crate::convert::Op;

/// Whose schemas are required as those of items too.
const REQUIRED: [&str; 5] = [
    "io.debezium.data.Enum",
    "io.debezium.data.Tsvector",
    "io.debezium.data.DoubleVector",
    "io.debezium.data.FloatVector",
    "io.debezium.data.SparseDoubleVector",
];

impl Modes {
    /// An array of items.
    pub(super) fn array(&self, item: Shape) -> Option<Shape> {
        let octets = || {
            self.placeholder
                .iter()
                .map(|b| Value::Int(i64::from(b.cast_signed())))
                .collect()
        };
        let name = item.schema.name.as_deref();
        let absent = match (&item.schema.ty, &item.op) {
            (Type::Int32 | Type::Int64, Op::Int | Op::Date) => Some(octets()),
            _ if name == Some("io.debezium.data.Uuid") => {
                Some(vec![Value::Str(name_uuid(&self.placeholder))])
            }
            _ => item.schema.absent.clone().map(|value| vec![value]),
        };
        // Debezium forgets these; null items are written all the same.
        let required = name.is_some_and(|name| REQUIRED.contains(&name));
        let mut item_schema = item.schema;
        item_schema.optional = !required;
        let item_schema = Arc::new(item_schema);
        let mut schema = Schema::of(Type::Array(item_schema));
        schema.absent = absent.map(Value::Array);
        Some(Shape {
            schema,
            op: Op::Array(Arc::new(item.op)),
            zero: "{}",
        })
    }

    /// The placeholder as a text.
    pub(super) fn placeholder_text(&self) -> String {
        String::from_utf8_lossy(&self.placeholder).into_owned()
    }

    /// The placeholder as an `hstore` in JSON.
    pub(super) fn placeholder_json(&self) -> String {
        let text = serde_json::Value::from(self.placeholder_text()).to_string();
        format!("{{{text}:{text}}}")
    }
}

/// The UUID of a name, as Java's `UUID.nameUUIDFromBytes`: its MD5 with version and variant.
fn name_uuid(name: &[u8]) -> String {
    let mut bytes: [u8; 16] = Md5::digest(name).into();
    bytes[6] = bytes[6] & 0x0f | 0x30;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = String::from_utf8_lossy(&hex(&bytes)).into_owned();
    let part = |from: usize, to: usize| &hex[from..to];
    [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ]
    .join("-")
}
