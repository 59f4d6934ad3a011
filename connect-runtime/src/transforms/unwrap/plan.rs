//! What is known of a topic's change events: where the rows stand, and what they become.

use std::sync::{Arc, Mutex, PoisonError};

use connect_core::{Batch, Cell, Error, Field, Nest, Result, Route, Schema, Value};
use rustc_hash::FxHashMap;

use super::{
    super::{
        event_router::is_envelope,
        row::{basics, own_cell, with_fields},
        side::Side,
    },
    Options, Reference, text_of,
};

/// Topics that `route.by.field` has made of one topic; when there are more, all are forgotten and made again.
const MOST_TOPICS: usize = 1024;

/// The plan for one route.
pub(super) struct Plan {
    envelope: Arc<Schema>,
    before: usize,
    after: usize,
    /// Rows that were written.
    pub(super) written: Shape,
    /// Old rows of deletes, when these are rewritten.
    pub(super) deleted: Shape,
    /// Deletes that become nulls with the schema of the row.
    pub(super) emptied: Shape,
    /// Deletes that become tombstones without schema.
    pub(super) tombstone: Shape,
    /// New headers.
    pub(super) headers: Vec<(Field, Picked)>,
}

/// What a row becomes.
pub(super) struct Shape {
    /// Its schema in the event.
    pub(super) row: Option<Arc<Schema>>,
    pub(super) route: Arc<Route>,
    /// Whether `__deleted` comes after its fields.
    pub(super) marked: bool,
    /// What comes after that.
    pub(super) added: Vec<Picked>,
    topics: Mutex<FxHashMap<String, Arc<Route>>>,
}

/// Where a value stands in the event.
#[derive(Debug, Clone)]
pub(super) struct Picked {
    /// The block and its schema; `None` for the event itself.
    block: Option<(usize, Arc<Schema>)>,
    /// Its place there; `None` when only the event itself has it.
    at: Option<usize>,
    /// Its place in the event itself.
    outside: Option<usize>,
}

impl Plan {
    /// `None` for what is not a change event: it passes unchanged.
    pub(super) fn new(route: &Arc<Route>, options: &Options) -> Result<Option<Self>> {
        let Some(envelope) = route.value().filter(|schema| is_envelope(schema)) else {
            return Ok(None);
        };
        let side = |name: &str| {
            let found = envelope
                .field(name)
                .map(|(at, field)| (at, Arc::clone(&field.schema)));
            found.ok_or_else(|| Error::record(format!("Unknown field: {name}")))
        };
        let ((before, old), (after, new)) = (side("before")?, side("after")?);
        let mut added = Vec::new();
        for reference in &options.fields {
            added.extend(pick(envelope, reference)?);
        }
        let mut headers = Vec::new();
        for reference in &options.headers {
            headers.extend(pick(envelope, reference)?);
        }
        let mark = |text| options.rewrites().then_some(text);
        Ok(Some(Self {
            written: Shape::new(route, &new, mark("false"), &added)?,
            deleted: Shape::new(route, &old, mark("true"), &added)?,
            emptied: Shape::without_value(route, Some(new)),
            tombstone: Shape::without_value(route, None),
            envelope: Arc::clone(envelope),
            before,
            after,
            headers,
        }))
    }

    /// The cells of an event.
    pub(super) fn event(&self, batch: &mut Batch, value: Cell) -> Result<Nest> {
        let value = match value {
            Cell::Free(index) => {
                let value = batch.free(index).clone();
                batch.push_value(&value, Some(&self.envelope))
            }
            value => value,
        };
        match value {
            Cell::Nest(nest) if nest.len as usize == self.envelope.fields().len() => Ok(nest),
            _ => Err(not_event()),
        }
    }

    /// The old and the new row of an event.
    pub(super) fn sides(&self, batch: &Batch, event: Nest) -> (Cell, Cell) {
        let cell = |at| batch.cells(event).get(at).copied().unwrap_or(Cell::Null);
        (cell(self.before), cell(self.after))
    }

    /// A value of the event. One whose block is null is null.
    pub(super) fn pick(&self, batch: &mut Batch, event: Nest, picked: &Picked) -> Cell {
        let cell = |nest, at: usize| batch.cells(nest).get(at).copied();
        let outside = picked.outside.and_then(|at| cell(event, at));
        let Some((at, schema)) = &picked.block else {
            return outside.unwrap_or(Cell::Null);
        };
        let Some(Cell::Nest(block)) = cell(event, *at) else {
            return Cell::Null;
        };
        let inside = picked
            .at
            .and_then(|at| Some((schema.fields().get(at)?, cell(block, at)?)));
        match inside {
            // A constant of the old field is one of the new field too.
            Some((_, Cell::Const)) => Cell::Const,
            Some((field, cell)) => own_cell(batch, field, cell),
            None => outside.unwrap_or(Cell::Null),
        }
    }

    /// The route of a row by the text in one of its fields (`route.by.field`); blank text leaves the topic.
    pub(super) fn routed(
        &self,
        shape: &Shape,
        batch: &Batch,
        row: Cell,
        name: &str,
    ) -> Result<Arc<Route>> {
        let schema = shape.row.as_ref().or(self.deleted.row.as_ref());
        let schema = schema.ok_or_else(not_event)?;
        let topic = text_of(batch, schema, row, name)?;
        let Some(topic) = topic.filter(|topic| !topic.trim().is_empty()) else {
            return Ok(Arc::clone(&shape.route));
        };
        let mut topics = shape.topics.lock().unwrap_or_else(PoisonError::into_inner);
        // Invariant 4: nothing unbounded.
        if topics.len() >= MOST_TOPICS {
            topics.clear();
        }
        if let Some(route) = topics.get(&topic) {
            return Ok(Arc::clone(route));
        }
        let (key, value) = (shape.route.key().cloned(), shape.route.value().cloned());
        let route = Route::new(topic.as_str(), key, value);
        topics.insert(topic, Arc::clone(&route));
        Ok(route)
    }
}

impl Shape {
    fn new(
        route: &Route,
        row: &Arc<Schema>,
        mark: Option<&str>,
        added: &[(Field, Picked)],
    ) -> Result<Self> {
        let mut fields = row.fields().to_vec();
        if let Some(text) = mark {
            let schema = Schema::of(connect_core::Type::String).optional();
            fields.push(Field::constant("__deleted", schema, Value::from(text)));
        }
        fields.extend(added.iter().map(|(field, _)| field.clone()));
        let schema = Arc::new(with_fields(row, fields)?);
        Ok(Self {
            row: Some(Arc::clone(row)),
            route: Side::Value.reroute(route, Some(schema)),
            marked: mark.is_some(),
            added: added.iter().map(|(_, picked)| picked.clone()).collect(),
            topics: Mutex::default(),
        })
    }
}

impl Shape {
    fn without_value(route: &Route, schema: Option<Arc<Schema>>) -> Self {
        Self {
            row: None,
            route: Side::Value.reroute(route, schema),
            marked: false,
            added: Vec::new(),
            topics: Mutex::default(),
        }
    }
}

/// The new field and where its value stands; `None` for a field that events of this schema do not have.
fn pick(envelope: &Schema, reference: &Reference) -> Result<Option<(Field, Picked)>> {
    let block = match &reference.block {
        None => None,
        Some(name) => {
            let found = envelope.field(name);
            let (at, field) =
                found.ok_or_else(|| Error::record(format!("Unknown field: {name}")))?;
            Some((at, Arc::clone(&field.schema)))
        }
    };
    let outside = envelope.field(&reference.field);
    let inside = block
        .as_ref()
        .and_then(|(_, schema)| schema.field(&reference.field));
    let Some((_, field)) = inside.or(outside) else {
        return Ok(None);
    };
    let new = Field {
        name: Arc::clone(&reference.name),
        schema: Arc::new(Schema {
            optional: true,
            form: field.schema.form,
            absent: field.schema.absent.clone(),
            ..basics(&field.schema, field.schema.ty.clone())
        }),
        constant: field.constant.clone(),
    };
    let picked = Picked {
        at: inside.map(|(at, _)| at),
        outside: outside.map(|(at, _)| at),
        block,
    };
    Ok(Some((new, picked)))
}

fn not_event() -> Error {
    Error::record("A value is not the change event that its schema says")
}
