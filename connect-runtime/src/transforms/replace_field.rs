//! `ReplaceField`: leaves fields out or renames them.

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Field, Finding, Properties, Record, Result, Route, Schema, Value,
    config::{Config, List, Rules},
};

use super::{
    reshape::Reshape,
    row::{entries, fill_defaults, put, take_cells, with_fields},
};

connect_core::config! {
    /// Filter or rename fields.
    pub(super) struct ReplaceFieldConfig;
    group "Replace field" {
        /// Fields to exclude. This takes precedence over the fields to include.
        exclude: List = "", "exclude", Medium;
        /// Fields to include. If specified, only these fields will be used.
        include: List = "", "include", Medium;
        /// Field rename mappings.
        renames: List = "", "renames", Medium;
        /// Whether to replace fields that have a default value and that are null to the default value. When set to true, the default value is used, otherwise null is used.
        defaults: bool = "true", "replace.null.with.default", Medium;
    }
}

impl Rules for ReplaceFieldConfig {
    fn rules(&self) -> Vec<Finding> {
        let all = &self.renames.0;
        let bad = all.iter().find(|mapping| pair(mapping).is_none());
        let finding = bad.map(|mapping| {
            let why = format!("Invalid rename mapping: {mapping}");
            Finding::invalid("renames", &format!("[{}]", all.join(", ")), &why)
        });
        finding.into_iter().collect()
    }
}

const PURPOSE: &str = "field replacement";

/// The transform.
pub(super) struct ReplaceField {
    exclude: Vec<String>,
    include: Vec<String>,
    renames: Vec<(String, String)>,
    defaults: bool,
    cells: Vec<Cell>,
}

/// Which fields stay.
pub(super) struct Plan {
    old: Arc<Schema>,
    kept: Vec<usize>,
}

impl ReplaceField {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = ReplaceFieldConfig::parse(settings)?;
        let pairs = config.renames.0.iter().filter_map(|mapping| pair(mapping));
        let renames = pairs.map(|(from, to)| (from.to_owned(), to.to_owned()));
        Ok(Self {
            renames: renames.collect(),
            exclude: config.exclude.0,
            include: config.include.0,
            defaults: config.defaults,
            cells: Vec::new(),
        })
    }

    fn keeps(&self, name: &str) -> bool {
        let listed = |list: &[String]| list.iter().any(|item| item == name);
        !listed(&self.exclude) && (self.include.is_empty() || listed(&self.include))
    }

    fn renamed<'a>(&'a self, name: &'a str) -> &'a str {
        let mapping = self.renames.iter().rev().find(|(from, _)| from == name);
        mapping.map_or(name, |(_, to)| to)
    }
}

impl Reshape for ReplaceField {
    type Plan = Plan;
    const PASSES_NULL: bool = true;

    fn compile(&self, schema: &Arc<Schema>, _route: &Route) -> Result<(Arc<Schema>, Plan)> {
        let old = schema.fields().iter().enumerate();
        let kept: Vec<usize> = old
            .filter(|(_, field)| self.keeps(&field.name))
            .map(|(at, _)| at)
            .collect();
        let fields = kept.iter().filter_map(|at| schema.fields().get(*at));
        let fields = fields.map(|field| Field {
            name: self.renamed(&field.name).into(),
            ..field.clone()
        });
        let new = Arc::new(with_fields(schema, fields.collect())?);
        let old = Arc::clone(schema);
        Ok((new, Plan { old, kept }))
    }

    fn with_schema(
        &mut self,
        plan: &Plan,
        batch: &mut Batch,
        _record: &Record,
        cell: Cell,
    ) -> Result<Cell> {
        take_cells(batch, &plan.old, cell, PURPOSE, &mut self.cells)?;
        if self.defaults {
            fill_defaults(batch, plan.old.fields(), &mut self.cells);
        }
        // The kept places ascend, so each cell moves to the left or stays.
        for (to, from) in plan.kept.iter().enumerate() {
            self.cells.swap(to, *from);
        }
        self.cells.truncate(plan.kept.len());
        Ok(batch.push_nest(&self.cells))
    }

    fn schemaless(&mut self, value: Value, _batch: &Batch, _record: &Record) -> Result<Value> {
        let mut new = Vec::new();
        for (name, value) in entries(value, PURPOSE)? {
            if self.keeps(&name) {
                put(&mut new, self.renamed(&name), value);
            }
        }
        Ok(Value::Map(new))
    }
}

fn pair(mapping: &str) -> Option<(&str, &str)> {
    let (from, to) = mapping.split_once(':')?;
    (!to.is_empty() && !to.contains(':')).then_some((from, to))
}
