//! Debezium's `VectorToJsonConverter`: vectors as JSON texts.

use std::sync::Arc;

use connect_core::{Batch, Cell, Datum, Error, Field, Record, Result, Route, Schema, Type, Value};

use super::{
    reshape::Reshape,
    row::{datum_of, fill_defaults, take_cells, with_fields},
};

const PURPOSE: &str = "vectors as JSON";

/// The transform. It has no properties.
pub(super) struct VectorToJson;

/// What becomes of the fields of a struct.
pub(super) struct Plan {
    schema: Arc<Schema>,
    changed: Vec<(usize, Change)>,
}

enum Change {
    Vector,
    Sparse,
    Inner(Plan),
}

impl Plan {
    fn new(schema: &Arc<Schema>) -> Result<(Arc<Schema>, Self)> {
        let mut fields = schema.fields().to_vec();
        let mut changed = Vec::new();
        for (at, field) in fields.iter_mut().enumerate() {
            let change = match field.schema.name.as_deref() {
                Some("io.debezium.data.DoubleVector" | "io.debezium.data.FloatVector") => {
                    Change::Vector
                }
                Some("io.debezium.data.SparseDoubleVector") => Change::Sparse,
                _ if matches!(field.schema.ty, Type::Struct(_)) => {
                    let (inner, plan) = Self::new(&field.schema)?;
                    field.schema = inner;
                    Change::Inner(plan)
                }
                _ => continue,
            };
            if !matches!(change, Change::Inner(_)) {
                *field = Field::new(Arc::clone(&field.name), json(field.schema.optional));
            }
            changed.push((at, change));
        }
        let mut new = with_fields(schema, fields)?;
        new.optional = schema.optional;
        let schema = Arc::clone(schema);
        Ok((Arc::new(new), Self { schema, changed }))
    }

    fn apply(&self, batch: &mut Batch, cell: Cell) -> Result<Cell> {
        if matches!(cell, Cell::Null | Cell::Absent) {
            return Ok(cell);
        }
        let mut cells = Vec::new();
        take_cells(batch, &self.schema, cell, PURPOSE, &mut cells)?;
        let fields = self.schema.fields();
        fill_defaults(batch, fields, &mut cells);
        for (at, change) in &self.changed {
            let (Some(field), Some(cell)) = (fields.get(*at), cells.get_mut(*at)) else {
                continue;
            };
            *cell = match (change, *cell) {
                (_, Cell::Null | Cell::Absent) => *cell,
                (Change::Inner(plan), inner) => plan.apply(batch, inner)?,
                (Change::Vector, vector) => {
                    let text = vector_text(datum_of(batch, field, vector))?;
                    batch.push_bytes(&text)
                }
                (Change::Sparse, vector) => {
                    let text = sparse_text(datum_of(batch, field, vector))?;
                    batch.push_bytes(&text)
                }
            };
        }
        Ok(batch.push_nest(&cells))
    }
}

fn json(optional: bool) -> Schema {
    let mut schema = Schema::of(Type::String).named("io.debezium.data.Json", 1);
    schema.optional = optional;
    schema
}

fn vector_text(vector: Datum<'_>) -> Result<Vec<u8>> {
    let mut text = b"{ \"values\": [".to_vec();
    for (at, item) in vector.items().into_iter().enumerate() {
        if at > 0 {
            text.extend_from_slice(b", ");
        }
        connect_codec::write_as_text(item, &mut text)?;
    }
    text.extend_from_slice(b"] }");
    Ok(text)
}

fn sparse_text(vector: Datum<'_>) -> Result<Vec<u8>> {
    let wrong = || Error::record("A value is not the sparse vector that its schema says");
    let dimensions = vector.get("dimensions").and_then(Datum::int);
    let mut pairs = vector.get("vector").ok_or_else(wrong)?.pairs();
    pairs.sort_by_key(|(place, _)| place.int());
    let dimensions = dimensions.ok_or_else(wrong)?;
    let mut text = format!("{{ \"dimensions\": {dimensions}, \"vector\": {{ ").into_bytes();
    for (at, (place, item)) in pairs.into_iter().enumerate() {
        let place = place.int().ok_or_else(wrong)?;
        let comma = if at > 0 { ", " } else { "" };
        text.extend_from_slice(format!("{comma}\"{place}\": ").as_bytes());
        connect_codec::write_as_text(item, &mut text)?;
    }
    text.extend_from_slice(b" } }");
    Ok(text)
}

impl Reshape for VectorToJson {
    type Plan = Plan;
    const PASSES_NULL: bool = true;

    fn compile(&self, schema: &Arc<Schema>, _route: &Route) -> Result<(Arc<Schema>, Plan)> {
        match schema.ty {
            Type::Struct(_) => Plan::new(schema),
            _ => Err(Error::record("Value should be a struct")),
        }
    }

    fn with_schema(
        &mut self,
        plan: &Plan,
        batch: &mut Batch,
        _record: &Record,
        cell: Cell,
    ) -> Result<Cell> {
        plan.apply(batch, cell)
    }

    fn schemaless(&mut self, _value: Value, _batch: &Batch, _record: &Record) -> Result<Value> {
        Err(Error::record("Value should be a struct"))
    }
}
