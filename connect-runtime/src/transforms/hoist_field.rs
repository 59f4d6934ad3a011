//! `HoistField`: a struct or map around the key or value.

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Error, Field, Finding, Properties, Record, Result, Route, Schema, Value,
    config::{Config, Rules},
};

use super::reshape::{Reshape, is_null};

connect_core::config! {
    /// Wrap data using the specified field name in a Struct when schema present, or a Map in the case of schemaless data.
    pub(super) struct HoistFieldConfig;
    group "Hoist field" {
        /// Field name for the single field that will be created in the resulting Struct or Map.
        field: String = required, "field", Medium;
    }
}

impl Rules for HoistFieldConfig {}

/// The transform.
pub(super) struct HoistField {
    field: Arc<str>,
}

impl HoistField {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = HoistFieldConfig::parse(settings)?;
        Ok(Self {
            field: config.field.into(),
        })
    }
}

/// Whether the field may be null.
pub(super) struct Plan {
    nullable: bool,
}

impl Reshape for HoistField {
    type Plan = Plan;
    const PASSES_NULL: bool = false;

    fn compile(&self, schema: &Arc<Schema>, _route: &Route) -> Result<(Arc<Schema>, Plan)> {
        let field = Field::new(Arc::clone(&self.field), Arc::clone(schema));
        let nullable = schema.optional || schema.default.is_some();
        Ok((Arc::new(Schema::structure([field])), Plan { nullable }))
    }

    fn with_schema(
        &mut self,
        plan: &Plan,
        batch: &mut Batch,
        _record: &Record,
        cell: Cell,
    ) -> Result<Cell> {
        if !plan.nullable && is_null(batch, cell) {
            return Err(Error::record("Invalid value: null used for required field")
                .context("field", &self.field));
        }
        Ok(batch.push_nest(&[cell]))
    }

    fn schemaless(&mut self, value: Value, _batch: &Batch, _record: &Record) -> Result<Value> {
        Ok(Value::Map(vec![(self.field.to_string(), value)]))
    }
}
