//! The frame of all transforms that change one side of a record: its schema once per route, its cells per record.

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Error, Record, Result, Route, Schema, Value,
    transform::{Transform, Verdicts},
};

use super::{compiled::Compiled, side::Side};

/// What one such transform does.
pub(super) trait Reshape: Send {
    /// What it compiles for a schema.
    type Plan: Send + Sync;

    /// Whether a null passes as it is, schema included.
    const PASSES_NULL: bool;

    /// Compiles a schema: the new one and the plan. `route` is for what is the same in all its records.
    fn compile(&self, schema: &Arc<Schema>, route: &Route) -> Result<(Arc<Schema>, Self::Plan)>;

    /// Changes a value with a schema. Its cells stay as they are; new ones are appended to the batch.
    fn with_schema(
        &mut self,
        plan: &Self::Plan,
        batch: &mut Batch,
        record: &Record,
        cell: Cell,
    ) -> Result<Cell>;

    /// Changes a value without schema.
    fn schemaless(&mut self, value: Value, batch: &Batch, record: &Record) -> Result<Value>;
}

/// A [`Reshape`] as a transform of one side.
pub(super) struct Reshaper<R: Reshape> {
    side: Side,
    reshape: R,
    compiled: Compiled<Result<Outcome<R::Plan>>>,
}

/// What was compiled for a route.
struct Outcome<P> {
    /// `None` where the schema stays.
    route: Option<Arc<Route>>,
    /// `None` for a side without schema.
    plan: Option<P>,
}

impl<R: Reshape> Reshaper<R> {
    pub(super) fn new(side: Side, reshape: R) -> Self {
        Self {
            side,
            reshape,
            compiled: Compiled::default(),
        }
    }

    fn one(&mut self, batch: &mut Batch, index: usize) -> Result<()> {
        let Some(&record) = batch.records().get(index) else {
            return Ok(());
        };
        let cell = self.side.cell(&record);
        if R::PASSES_NULL && is_null(batch, cell) {
            return Ok(());
        }
        let (side, reshape) = (self.side, &self.reshape);
        let compiled = self.compiled.of(batch, record.route, |route| {
            let Some(schema) = side.schema(route) else {
                return Ok(Outcome {
                    route: None,
                    plan: None,
                });
            };
            let (new, plan) = reshape.compile(schema, route)?;
            let same = Arc::ptr_eq(&new, schema);
            Ok(Outcome {
                route: (!same).then(|| side.reroute(route, Some(new))),
                plan: Some(plan),
            })
        });
        let Some(compiled) = compiled else {
            return Ok(());
        };
        let outcome = match &*compiled {
            Ok(outcome) => outcome,
            Err(err) => return Err(err.clone()),
        };
        let new = match &outcome.plan {
            Some(plan) => self.reshape.with_schema(plan, batch, &record, cell)?,
            None => {
                let value = owned(batch, cell);
                let value = self.reshape.schemaless(value, batch, &record)?;
                batch.push_value(&value, None)
            }
        };
        let route = outcome.route.as_ref().map(|route| batch.route_index(route));
        if let Some(record) = batch.records_mut().get_mut(index) {
            self.side.set(record, new);
            record.route = route.unwrap_or(record.route);
        }
        Ok(())
    }
}

impl<R: Reshape> Transform for Reshaper<R> {
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

/// Notes a record that cannot be transformed; an error that is not about a record ends the task.
pub(super) fn refuse(verdicts: &mut Verdicts, index: usize, err: Error) -> Result<()> {
    match err.verdict() {
        connect_core::Verdict::Reject => {
            verdicts.refused.push((index, err));
            Ok(())
        }
        _ => Err(err),
    }
}

/// Whether a cell is null, also as an owned value.
pub(super) fn is_null(batch: &Batch, cell: Cell) -> bool {
    match cell {
        Cell::Null | Cell::Absent => true,
        Cell::Free(index) => matches!(batch.free(index), Value::Null | Value::Absent),
        _ => false,
    }
}

/// A schemaless cell as an owned value.
pub(super) fn owned(batch: &Batch, cell: Cell) -> Value {
    connect_core::Datum::of(batch, None, cell).to_value()
}
