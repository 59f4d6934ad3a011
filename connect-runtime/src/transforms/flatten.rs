//! `Flatten`: fields of nested structs as fields of the outer one.

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Error, Field, Finding, Properties, Record, Result, Route, Schema, Type, Value,
    config::{Config, Rules},
};

use super::{
    reshape::Reshape,
    row::{basics, entries, put, with_fields},
};

connect_core::config! {
    /// Flatten a nested data structure, generating names for each field by concatenating the field names at each level with a configurable delimiter character.
    pub(super) struct FlattenConfig;
    group "Flatten" {
        /// Delimiter to insert between field names from the input record when generating field names for the output record
        delimiter: String = ".", "delimiter", Medium;
    }
}

impl Rules for FlattenConfig {}

const PURPOSE: &str = "flattening";

/// The transform.
pub(super) struct Flatten {
    delimiter: String,
    cells: Vec<Cell>,
}

/// Which cells of a struct are taken as they are, and which are structs themselves.
pub(super) struct Plan {
    schema: Arc<Schema>,
    nested: Vec<Option<Plan>>,
    /// How many fields it becomes.
    leaves: usize,
}

impl Flatten {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = FlattenConfig::parse(settings)?;
        Ok(Self {
            delimiter: config.delimiter,
            cells: Vec::new(),
        })
    }

    fn name(&self, prefix: &str, name: &str) -> String {
        match prefix {
            "" => name.to_owned(),
            _ => format!("{prefix}{}{name}", self.delimiter),
        }
    }

    /// `parent` is the default that the struct itself has.
    fn plan(
        &self,
        schema: &Arc<Schema>,
        prefix: &str,
        optional: bool,
        parent: Option<&Value>,
        into: &mut Vec<Field>,
    ) -> Result<Plan> {
        let before = into.len();
        let mut nested = Vec::new();
        for field in schema.fields() {
            let name = self.name(prefix, &field.name);
            let optional = optional || field.schema.optional;
            let inherited = parent.and_then(|parent| parent.get(&field.name));
            let default = field.schema.default.as_ref().or(inherited);
            let default = default.filter(|default| !default.is_null());
            nested.push(match &field.schema.ty {
                Type::Struct(_) => {
                    Some(self.plan(&field.schema, &name, optional, default, into)?)
                }
                Type::Map(..) => {
                    return Err(Error::record(format!(
                        "Flatten transformation does not support MAP for record with schemas (for field {name})."
                    )));
                }
                _ => {
                    into.push(leaf(field, name, optional, default));
                    None
                }
            });
        }
        Ok(Plan {
            schema: Arc::clone(schema),
            nested,
            leaves: into.len() - before,
        })
    }

    fn take(&mut self, plan: &Plan, batch: &mut Batch, cell: Cell) {
        let cell = match cell {
            Cell::Free(index) => {
                let value = batch.free(index).clone();
                batch.push_value(&value, Some(&plan.schema))
            }
            cell => cell,
        };
        let Cell::Nest(nest) = cell else {
            // Invariant 3: absent is not null.
            let each = if cell == Cell::Absent {
                Cell::Absent
            } else {
                Cell::Null
            };
            self.cells.extend(std::iter::repeat_n(each, plan.leaves));
            return;
        };
        for (at, (field, nested)) in plan.schema.fields().iter().zip(&plan.nested).enumerate() {
            let mut cell = batch.cells(nest).get(at).copied().unwrap_or(Cell::Null);
            if let (Cell::Null, Some(default)) = (cell, &field.schema.default) {
                cell = batch.push_value(default, Some(&field.schema));
            }
            match nested {
                Some(nested) => self.take(nested, batch, cell),
                None => self.cells.push(cell),
            }
        }
    }

    fn spread(&self, prefix: &str, entries: Vec<(String, Value)>, into: &mut Vec<(String, Value)>) {
        for (name, value) in entries {
            let name = self.name(prefix, &name);
            match value {
                Value::Map(entries) => self.spread(&name, entries, into),
                value => put(into, &name, value),
            }
        }
    }
}

fn leaf(field: &Field, name: String, optional: bool, default: Option<&Value>) -> Field {
    let schema = Schema {
        optional,
        default: default.cloned(),
        form: field.schema.form,
        absent: field.schema.absent.clone(),
        ..basics(&field.schema, field.schema.ty.clone())
    };
    Field {
        name: name.into(),
        schema: Arc::new(schema),
        constant: field.constant.clone(),
    }
}

impl Reshape for Flatten {
    type Plan = Plan;
    const PASSES_NULL: bool = true;

    fn compile(&self, schema: &Arc<Schema>, _route: &Route) -> Result<(Arc<Schema>, Plan)> {
        if !matches!(schema.ty, Type::Struct(_)) {
            return Err(Error::record(format!(
                "Only Struct objects supported for [{PURPOSE}]"
            )));
        }
        let mut fields = Vec::new();
        let default = schema.default.as_ref();
        let plan = self.plan(schema, "", schema.optional, default, &mut fields)?;
        Ok((Arc::new(with_fields(schema, fields)?), plan))
    }

    fn with_schema(
        &mut self,
        plan: &Plan,
        batch: &mut Batch,
        _record: &Record,
        cell: Cell,
    ) -> Result<Cell> {
        self.cells.clear();
        self.take(plan, batch, cell);
        Ok(batch.push_nest(&self.cells))
    }

    fn schemaless(&mut self, value: Value, _batch: &Batch, _record: &Record) -> Result<Value> {
        let mut flat = Vec::new();
        self.spread("", entries(value, PURPOSE)?, &mut flat);
        Ok(Value::Map(flat))
    }
}
