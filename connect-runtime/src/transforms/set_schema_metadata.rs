//! `SetSchemaMetadata`: another name or version for the schema.

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Error, Finding, Properties, Record, Result, Route, Schema, Type, Value,
    config::{Config, Rules},
};

use super::{
    reshape::{Reshape, is_null},
    row::{fill_defaults, take_cells},
};

connect_core::config! {
    /// Set the schema name, version or both on the record's key or value schema.
    pub(super) struct SetSchemaMetadataConfig;
    group "Set schema metadata" {
        /// Schema name to set.
        name: Option<String> = none, "schema.name", High;
        /// Schema version to set.
        version: Option<i32> = none, "schema.version", High;
        /// Whether to replace fields that have a default value and that are null to the default value. When set to true, the default value is used, otherwise null is used.
        defaults: bool = "true", "replace.null.with.default", Medium;
    }
}

impl Rules for SetSchemaMetadataConfig {
    fn rules(&self) -> Vec<Finding> {
        match (&self.name, self.version) {
            (None, None) => vec![Finding::error(
                "schema.name",
                "Neither schema name nor version configured",
            )],
            _ => Vec::new(),
        }
    }
}

const PURPOSE: &str = "updating schema metadata";

/// The transform.
pub(super) struct SetSchemaMetadata {
    name: Option<Arc<str>>,
    version: Option<i32>,
    defaults: bool,
    cells: Vec<Cell>,
}

impl SetSchemaMetadata {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = SetSchemaMetadataConfig::parse(settings)?;
        Ok(Self {
            name: config.name.map(Into::into),
            version: config.version,
            defaults: config.defaults,
            cells: Vec::new(),
        })
    }
}

/// The schema, if null fields of it have defaults to take.
pub(super) struct Plan(Option<Arc<Schema>>);

impl Reshape for SetSchemaMetadata {
    type Plan = Plan;
    const PASSES_NULL: bool = false;

    fn compile(&self, schema: &Arc<Schema>, _route: &Route) -> Result<(Arc<Schema>, Plan)> {
        let mut new = Schema::clone(schema);
        new.name = self.name.clone().or(new.name);
        new.version = self.version.or(new.version);
        let with_default = |schema: &Schema| {
            let mut fields = schema.fields().iter();
            fields.any(|field| field.schema.default.is_some())
        };
        let filled = self.defaults && matches!(schema.ty, Type::Struct(_)) && with_default(schema);
        Ok((Arc::new(new), Plan(filled.then(|| Arc::clone(schema)))))
    }

    fn with_schema(
        &mut self,
        plan: &Plan,
        batch: &mut Batch,
        _record: &Record,
        cell: Cell,
    ) -> Result<Cell> {
        match &plan.0 {
            Some(schema) if !is_null(batch, cell) => {
                take_cells(batch, schema, cell, PURPOSE, &mut self.cells)?;
                fill_defaults(batch, schema.fields(), &mut self.cells);
                Ok(batch.push_nest(&self.cells))
            }
            _ => Ok(cell),
        }
    }

    fn schemaless(&mut self, value: Value, _batch: &Batch, _record: &Record) -> Result<Value> {
        match value {
            Value::Null => Ok(value),
            _ => Err(Error::record(format!("Schema required for [{PURPOSE}]"))),
        }
    }
}
