//! `HeaderFrom`: fields as headers, moved or copied.

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Error, Field, Finding, Header, Properties, Result, Route, Schema, Value,
    config::{Config, List, Rules},
    transform::{Transform, Verdicts},
};

use super::{
    compiled::Compiled,
    headers,
    reshape::{owned, refuse},
    row::{entries, fill_defaults, own_cell, take_cells, with_fields},
    side::Side,
};

connect_core::choice! {
    /// What becomes of the field.
    pub(super) enum Operation {
        /// It goes.
        Move = "move",
        /// It stays.
        Copy = "copy",
    }
}

connect_core::config! {
    /// Moves or copies fields in the key/value of a record into that record's headers.
    pub(super) struct HeaderFromConfig;
    group "Header from" {
        /// Field names in the record whose values are to be copied or moved to headers.
        fields: List = required, "fields", High;
        /// Header names, in the same order as the field names listed in the fields configuration property.
        headers: List = required, "headers", High;
        /// Either <code>move</code> if the fields are to be moved to the headers (removed from the key/value), or <code>copy</code> if the fields are to be copied to the headers (retained in the key/value).
        operation: Operation = required, "operation", High;
        /// Whether to replace fields that have a default value and that are null to the default value. When set to true, the default value is used, otherwise null is used.
        defaults: bool = "true", "replace.null.with.default", Medium;
    }
}

impl Rules for HeaderFromConfig {
    fn rules(&self) -> Vec<Finding> {
        let both = [("fields", &self.fields.0), ("headers", &self.headers.0)];
        let empty = both.iter().filter(|(_, list)| list.is_empty());
        let mut findings: Vec<Finding> = empty
            .map(|(key, _)| Finding::invalid(key, "[]", "Empty list"))
            .collect();
        if findings.is_empty() && self.fields.0.len() != self.headers.0.len() {
            findings.push(Finding::error(
                "fields",
                "'fields' config must have the same number of elements as 'headers' config.",
            ));
        }
        findings
    }
}

/// The transform.
pub(super) struct HeaderFrom {
    side: Side,
    pairs: Vec<(String, Arc<str>)>,
    operation: Operation,
    defaults: bool,
    compiled: Compiled<Result<Option<Plan>>>,
    cells: Vec<Cell>,
}

/// Where the fields of a schema go.
struct Plan {
    schema: Arc<Schema>,
    /// The place of each header's field.
    taken: Vec<(usize, Field)>,
    /// What stays and its route, unless that is all.
    kept: Option<(Vec<usize>, Arc<Route>)>,
}

impl HeaderFrom {
    /// From its properties.
    pub(super) fn new(side: Side, settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = HeaderFromConfig::parse(settings)?;
        let headers = config.headers.0.into_iter().map(Arc::from);
        Ok(Self {
            side,
            pairs: config.fields.0.into_iter().zip(headers).collect(),
            operation: config.operation,
            defaults: config.defaults,
            compiled: Compiled::default(),
            cells: Vec::new(),
        })
    }

    fn purpose(&self) -> &'static str {
        match self.operation {
            Operation::Move => "header move",
            Operation::Copy => "header copy",
        }
    }

    fn one(&mut self, batch: &mut Batch, index: usize) -> Result<()> {
        let Some(&record) = batch.records().get(index) else {
            return Ok(());
        };
        let (side, pairs, operation) = (self.side, &self.pairs, self.operation);
        let compiled = self.compiled.of(batch, record.route, |route| {
            let schema = side.schema(route);
            let plan = schema.map(|schema| Plan::new(side, route, schema, pairs, operation));
            plan.transpose()
        });
        let cell = side.cell(&record);
        match compiled.as_deref() {
            Some(Ok(Some(plan))) => self.with_schema(plan, batch, index, cell),
            Some(Ok(None)) => self.schemaless(batch, index, cell),
            Some(Err(err)) => Err(err.clone()),
            None => Ok(()),
        }
    }

    fn with_schema(
        &mut self,
        plan: &Plan,
        batch: &mut Batch,
        index: usize,
        cell: Cell,
    ) -> Result<()> {
        let purpose = self.purpose();
        take_cells(batch, &plan.schema, cell, purpose, &mut self.cells)?;
        if self.defaults {
            fill_defaults(batch, plan.schema.fields(), &mut self.cells);
        }
        let mut new = Vec::with_capacity(plan.taken.len());
        for ((at, field), (_, name)) in plan.taken.iter().zip(&self.pairs) {
            let cell = self.cells.get(*at).copied().unwrap_or(Cell::Null);
            new.push(Header {
                name: Arc::clone(name),
                schema: Some(Arc::clone(&field.schema)),
                value: own_cell(batch, field, cell),
            });
        }
        headers::append(batch, index, new);
        let Some((places, route)) = &plan.kept else {
            return Ok(());
        };
        let kept = places.iter().filter_map(|at| self.cells.get(*at).copied());
        let kept: Vec<Cell> = kept.collect();
        let (value, route) = (batch.push_nest(&kept), batch.route_index(route));
        if let Some(record) = batch.records_mut().get_mut(index) {
            self.side.set(record, value);
            record.route = route;
        }
        Ok(())
    }

    fn schemaless(&mut self, batch: &mut Batch, index: usize, cell: Cell) -> Result<()> {
        let mut entries = entries(owned(batch, cell), self.purpose())?;
        let mut new = Vec::with_capacity(self.pairs.len());
        for (field, name) in &self.pairs {
            let known = entries.iter().find(|(known, _)| known == field);
            let value = known.map_or(Value::Null, |(_, value)| value.clone());
            new.push(Header {
                name: Arc::clone(name),
                schema: None,
                value: batch.push_value(&value, None),
            });
        }
        headers::append(batch, index, new);
        if self.operation == Operation::Move {
            entries.retain(|(name, _)| !self.pairs.iter().any(|(field, _)| field == name));
            let value = batch.push_value(&Value::Map(entries), None);
            if let Some(record) = batch.records_mut().get_mut(index) {
                self.side.set(record, value);
            }
        }
        Ok(())
    }
}

impl Plan {
    fn new(
        side: Side,
        route: &Route,
        schema: &Arc<Schema>,
        pairs: &[(String, Arc<str>)],
        operation: Operation,
    ) -> Result<Self> {
        let mut taken = Vec::with_capacity(pairs.len());
        for (name, _) in pairs {
            let missing = || Error::record("A field that is to become a header does not exist");
            let found = schema.field(name);
            let (at, field) = found.ok_or_else(|| missing().context("field", name))?;
            taken.push((at, field.clone()));
        }
        let kept = match operation {
            Operation::Copy => None,
            Operation::Move => {
                let all = 0..schema.fields().len();
                let goes = |at: &usize| taken.iter().any(|(place, _)| place == at);
                let places: Vec<usize> = all.filter(|at| !goes(at)).collect();
                let fields = places.iter().filter_map(|at| schema.fields().get(*at));
                let new = with_fields(schema, fields.cloned().collect())?;
                Some((places, side.reroute(route, Some(Arc::new(new)))))
            }
        };
        Ok(Self {
            schema: Arc::clone(schema),
            taken,
            kept,
        })
    }
}

impl Transform for HeaderFrom {
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
