//! `ValueToKey`: a new key from fields of the value.

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Error, Finding, Properties, Result, Route, Schema, Value,
    config::{Config, List, Rules},
    transform::{Transform, Verdicts},
};

use super::{
    compiled::Compiled,
    reshape::{is_null, owned, refuse},
    row::{entries, fill_defaults, put, take_cells},
    side::Side,
};

connect_core::config! {
    /// Replace the record key with a new key formed from a subset of fields in the record value.
    pub(super) struct ValueToKeyConfig;
    group "Value to key" {
        /// Field names on the record value to extract as the record key.
        fields: List = required, "fields", High;
        /// Whether to replace fields that have a default value and that are null to the default value. When set to true, the default value is used, otherwise null is used.
        defaults: bool = "true", "replace.null.with.default", Medium;
    }
}

impl Rules for ValueToKeyConfig {
    fn rules(&self) -> Vec<Finding> {
        match self.fields.0.is_empty() {
            true => vec![Finding::invalid("fields", "[]", "Empty list")],
            false => Vec::new(),
        }
    }
}

const PURPOSE: &str = "copying fields from value to key";

/// The transform.
pub(super) struct ValueToKey {
    fields: Vec<String>,
    defaults: bool,
    compiled: Compiled<Result<Option<Plan>>>,
    cells: Vec<Cell>,
}

/// Where the key's fields stand in the value; there is none for values without schema.
struct Plan {
    value: Arc<Schema>,
    picked: Vec<usize>,
    route: Arc<Route>,
    key: Arc<Schema>,
}

impl ValueToKey {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = ValueToKeyConfig::parse(settings)?;
        Ok(Self {
            fields: config.fields.0,
            defaults: config.defaults,
            compiled: Compiled::default(),
            cells: Vec::new(),
        })
    }

    fn one(&mut self, batch: &mut Batch, index: usize) -> Result<()> {
        let Some(&record) = batch.records().get(index) else {
            return Ok(());
        };
        if is_null(batch, record.value) {
            return Err(Error::record(format!(
                "Only Struct objects supported for [{PURPOSE}], found: null"
            )));
        }
        let names = &self.fields;
        let compiled = self
            .compiled
            .of(batch, record.route, |route| compile(names, route));
        let Some(compiled) = compiled else {
            return Ok(());
        };
        let plan = match &*compiled {
            Ok(plan) => plan,
            Err(err) => return Err(err.clone()),
        };
        let (key, route) = match plan {
            Some(plan) => {
                take_cells(batch, &plan.value, record.value, PURPOSE, &mut self.cells)?;
                let picked = plan.picked.iter().map(|at| self.cells.get(*at).copied());
                self.cells = picked.map(|cell| cell.unwrap_or(Cell::Null)).collect();
                if self.defaults {
                    fill_defaults(batch, plan.key.fields(), &mut self.cells);
                }
                let route = batch.route_index(&plan.route);
                (batch.push_nest(&self.cells), route)
            }
            None => {
                let entries = entries(owned(batch, record.value), PURPOSE)?;
                let mut key = Vec::new();
                for name in &self.fields {
                    let known = entries.iter().find(|(known, _)| known == name);
                    let value = known.map_or(Value::Null, |(_, value)| value.clone());
                    put(&mut key, name, value);
                }
                (batch.push_free(Value::Map(key)), record.route)
            }
        };
        if let Some(record) = batch.records_mut().get_mut(index) {
            record.key = key;
            record.route = route;
        }
        Ok(())
    }
}

impl Transform for ValueToKey {
    fn apply(&mut self, batch: &mut Batch, applies: &dyn Fn(usize) -> bool) -> Result<Verdicts> {
        self.compiled.next_batch();
        let mut verdicts = Verdicts::default();
        for index in (0..batch.len()).filter(|index| applies(*index)) {
            if let Err(err) = self.one(batch, index) {
                refuse(&mut verdicts, index, err)?;
            }
        }
        Ok(verdicts)
    }
}

fn compile(names: &[String], route: &Arc<Route>) -> Result<Option<Plan>> {
    let Some(value) = route.value() else {
        return Ok(None);
    };
    let mut fields = Vec::new();
    let mut picked = Vec::new();
    for name in names {
        let found = value.field(name);
        let (at, field) =
            found.ok_or_else(|| Error::record(format!("Field does not exist: {name}")))?;
        picked.push(at);
        fields.push(field.clone());
    }
    let key = Arc::new(Schema::structure(fields));
    Ok(Some(Plan {
        value: Arc::clone(value),
        picked,
        route: Side::Key.reroute(route, Some(Arc::clone(&key))),
        key,
    }))
}
