//! `ExtractField`: one field in place of the struct or map.

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Error, Field, Finding, Properties, Record, Result, Route, Schema, Value,
    config::{Config, Rules},
};

use super::{
    field_path,
    reshape::Reshape,
    row::{own_cell, take_cells},
};

connect_core::choice! {
    /// How a path to a field is written.
    pub(super) enum Syntax {
        /// A name.
        V1 = "v1",
        /// Names with dots between them.
        V2 = "v2",
    }
}

connect_core::config! {
    /// Extract the specified field from a Struct when schema present, or a Map in the case of schemaless data.
    pub(super) struct ExtractFieldConfig;
    group "Extract field" {
        /// Field name to extract.
        field: String = required, "field", Medium;
        /// Whether to replace fields that have a default value and that are null to the default value. When set to true, the default value is used, otherwise null is used.
        defaults: bool = "true", "replace.null.with.default", Medium;
        /// Defines the version of the syntax to access fields. If set to <code>V1</code>, then the field paths are limited to access the elements at the root level of the struct or map. If set to <code>V2</code>, the syntax will support accessing nested elements. To access nested elements, dotted notation is used. If dots are already included in the field name, then backtick pairs can be used to wrap field names containing dots. E.g. to access the subfield <code>baz</code> from a field named "foo.bar" in a struct/map the following format can be used to access its elements: "<code>foo.bar</code>.baz".
        syntax: Syntax = "V1", "field.syntax.version", High;
    }
}

impl Rules for ExtractFieldConfig {}

const PURPOSE: &str = "field extraction";

/// The transform.
pub(super) struct ExtractField {
    path: String,
    steps: Vec<String>,
    defaults: bool,
    cells: Vec<Cell>,
}

/// The structs on the way and the place of the next field in each.
pub(super) struct Plan {
    way: Vec<(Arc<Schema>, usize)>,
}

impl ExtractField {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = ExtractFieldConfig::parse(settings)?;
        let steps = match config.syntax {
            Syntax::V1 => vec![config.field.clone()],
            Syntax::V2 => field_path::split(&config.field)
                .map_err(|why| vec![Finding::invalid("field", &config.field, &why)])?,
        };
        Ok(Self {
            steps,
            path: config.field,
            defaults: config.defaults,
            cells: Vec::new(),
        })
    }

    fn step(&mut self, batch: &mut Batch, schema: &Schema, at: usize, cell: Cell) -> Result<Cell> {
        take_cells(batch, schema, cell, PURPOSE, &mut self.cells)?;
        let cell = self.cells.get(at).copied().unwrap_or(Cell::Null);
        let field = schema.fields().get(at);
        Ok(field.map_or(Cell::Null, |field: &Field| own_cell(batch, field, cell)))
    }
}

impl Reshape for ExtractField {
    type Plan = Plan;
    const PASSES_NULL: bool = false;

    fn compile(&self, schema: &Arc<Schema>, _route: &Route) -> Result<(Arc<Schema>, Plan)> {
        let mut way = Vec::new();
        let mut schema = Arc::clone(schema);
        for step in &self.steps {
            let Some((at, field)) = schema.field(step) else {
                return Err(Error::record(format!("Unknown field: {}", self.path)));
            };
            let next = Arc::clone(&field.schema);
            way.push((schema, at));
            schema = next;
        }
        Ok((schema, Plan { way }))
    }

    fn with_schema(
        &mut self,
        plan: &Plan,
        batch: &mut Batch,
        _record: &Record,
        cell: Cell,
    ) -> Result<Cell> {
        let mut cell = cell;
        for (schema, at) in &plan.way {
            if matches!(cell, Cell::Null | Cell::Absent) {
                return Ok(Cell::Null);
            }
            cell = self.step(batch, schema, *at, cell)?;
        }
        let last = plan
            .way
            .last()
            .and_then(|(schema, at)| schema.fields().get(*at));
        match last.and_then(|field| Some((field, field.schema.default.as_ref()?))) {
            Some((field, default)) if self.defaults && cell == Cell::Null => {
                Ok(batch.push_value(default, Some(&field.schema)))
            }
            _ => Ok(cell),
        }
    }

    fn schemaless(&mut self, value: Value, _batch: &Batch, _record: &Record) -> Result<Value> {
        let mut value = value;
        for step in &self.steps {
            value = match value {
                Value::Null | Value::Absent => return Ok(Value::Null),
                Value::Map(entries) => {
                    let found = entries.into_iter().find(|(name, _)| name == step);
                    found.map_or(Value::Null, |(_, value)| value)
                }
                _ => {
                    return Err(Error::record(format!(
                        "Only Map objects supported in absence of schema for [{PURPOSE}]"
                    )));
                }
            };
        }
        Ok(value)
    }
}
