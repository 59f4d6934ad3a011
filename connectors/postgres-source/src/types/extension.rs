//! Types of extensions.

use std::sync::Arc;

use cdc::data::{self, named};
use connect_core::{Field, Form, Schema, Type, Value};

use super::{HstoreMode, Modes, Shape};
use crate::convert::Op;

impl Modes {
    /// Types of extensions, whose oids differ from database to database.
    pub(super) fn extension(&self, name: &str) -> Option<Shape> {
        Some(match name {
            "citext" | "isbn" | "isbn13" | "issn" | "ismn" | "ean13" | "upc" => self.text(None, ""),
            "ltree" => self.text(Some("io.debezium.data.Ltree"), ""),
            "geometry" => geometry("Geometry").or_null(),
            "geography" => geometry("Geography"),
            "vector" => vector("DoubleVector", Type::Float64),
            "halfvec" => vector("FloatVector", Type::Float32),
            "sparsevec" => sparse(),
            "hstore" => self.hstore(),
            _ => return None,
        })
    }

    fn hstore(&self) -> Shape {
        match self.hstore {
            HstoreMode::Json => Shape {
                schema: named(Type::String, "io.debezium.data.Json")
                    .absent(Value::Str(self.placeholder_json())),
                op: Op::HstoreJson,
                zero: "",
            },
            HstoreMode::Map => {
                let (key, value) = (
                    Schema::of(Type::String),
                    Schema::of(Type::String).optional(),
                );
                let absent = self.placeholder_text();
                let entry = (absent.clone(), Value::Str(absent));
                let schema = Schema::of(Type::Map(Arc::new(key), Arc::new(value)));
                Shape {
                    schema: schema.absent(Value::Map(vec![entry])),
                    op: Op::HstoreMap,
                    zero: "",
                }
            }
        }
    }
}

impl Shape {
    /// The same, where Debezium's schema may be null whatever the column says.
    fn or_null(mut self) -> Self {
        self.schema.optional = true;
        self
    }
}

/// A struct of well-known binary, with PostGIS's additions as they come, and the number of the reference system in it.
fn geometry(name: &str) -> Shape {
    Shape {
        schema: data::geometry(name, Form::Hex),
        op: Op::Geometry,
        // An empty collection.
        zero: "010700000000000000",
    }
}

fn vector(name: &str, item: Type) -> Shape {
    Shape {
        schema: data::vector(name, item),
        op: Op::Vector,
        zero: "[]",
    }
}

fn sparse() -> Shape {
    let (index, item) = (Schema::of(Type::Int16), Schema::of(Type::Float64));
    let items = Schema::of(Type::Map(Arc::new(index), Arc::new(item)));
    let mut schema = Schema::structure([
        Field::new("dimensions", Schema::of(Type::Int16)),
        Field::new("vector", items),
    ])
    .named("io.debezium.data.SparseDoubleVector", 1);
    schema.doc = Some("Sparse double vector".into());
    Shape {
        schema,
        op: Op::SparseVector,
        zero: "{}/0",
    }
}
