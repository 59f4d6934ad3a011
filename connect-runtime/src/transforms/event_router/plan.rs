//! What is known of an outbox table: where its columns stand.

use std::sync::Arc;

use connect_core::{Batch, Cell, Error, Field, Nest, Result, Route, Schema, Type};

use super::{
    super::row::own_cell,
    Options,
    config::{Additional, Missing, Placement},
};

/// A column: its place in the row and its field.
#[derive(Debug, Clone)]
pub(super) struct Column {
    at: usize,
    pub(super) field: Field,
}

/// The plan for one route.
pub(super) struct Plan {
    envelope: Arc<Schema>,
    pub(super) row: Arc<Schema>,
    after: usize,
    op: usize,
    processed: Option<usize>,
    pub(super) id: Column,
    pub(super) key: Column,
    pub(super) payload: Column,
    pub(super) route_by: Column,
    pub(super) version: Option<Column>,
    /// With what its number is divided to make milliseconds.
    pub(super) timestamp: Option<(Column, i64)>,
    pub(super) headers: Vec<(Arc<str>, Column)>,
    pub(super) envelopes: Vec<(Arc<str>, Column)>,
    pub(super) partition: Option<Column>,
}

impl Plan {
    /// `None` for what is not a change event: it passes unchanged.
    pub(super) fn new(route: &Arc<Route>, options: &Options) -> Result<Option<Self>> {
        let Some(envelope) = route.value().filter(|schema| is_envelope(schema)) else {
            return Ok(None);
        };
        let place = |name: &str| envelope.field(name).map(|(at, _)| at);
        let missing = |name: &str| Error::record(format!("{name} is not a valid field name"));
        let (after, field) = envelope.field("after").ok_or_else(|| missing("after"))?;
        let row = Arc::clone(&field.schema);
        let column = |name: &str| Column::of(&row, name).ok_or_else(|| missing(name));
        let lacks = |what, name: &str| {
            Error::record(format!("Unable to find {what} field {name} in event"))
        };
        let payload = Column::of(&row, &options.payload);
        let id = Column::of(&row, &options.id);
        let timestamp = options.timestamp.as_deref().map(|name| {
            let column = Column::of(&row, name).ok_or_else(|| lacks("timestamp", name))?;
            let divisor = divisor(&column.field.schema)?;
            Ok((column, divisor))
        });
        let route_by = column(&options.route_by)?;
        if route_by.field.schema.ty != Type::String {
            let name = &options.route_by;
            return Err(Error::record(format!(
                "Field '{name}' is not of type STRING"
            )));
        }
        let mut plan = Self {
            payload: payload.ok_or_else(|| lacks("payload", &options.payload))?,
            id: id.ok_or_else(|| lacks("event-id", &options.id))?,
            key: column(&options.key)?,
            version: options.version.as_deref().map(column).transpose()?,
            timestamp: timestamp.transpose()?,
            op: place("op").ok_or_else(|| missing("op"))?,
            processed: place("ts_ms"),
            headers: Vec::new(),
            envelopes: Vec::new(),
            partition: None,
            envelope: Arc::clone(envelope),
            route_by,
            after,
            row,
        };
        for additional in &options.additional {
            plan.place(additional, options.missing)?;
        }
        Ok(Some(plan))
    }

    fn place(&mut self, additional: &Additional, missing: Missing) -> Result<()> {
        let name = &additional.field;
        let Some(column) = Column::of(&self.row, name) else {
            let lacks = || Error::record(format!("Unable to find field {name} in event"));
            return match missing {
                Missing::Ignore => Ok(()),
                Missing::Error => Err(lacks()),
            };
        };
        let alias = additional.alias.as_str().into();
        match additional.placement {
            Placement::Header => self.headers.push((alias, column)),
            Placement::Envelope => self.envelopes.push((alias, column)),
            Placement::Partition if column.field.schema.ty != Type::Int32 => {
                return Err(Error::record(format!(
                    "Field '{name}' is not of type INT32"
                )));
            }
            Placement::Partition => self.partition = Some(column),
        }
        Ok(())
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
            _ => Err(Error::record(
                "A value is not the change event that its schema says",
            )),
        }
    }

    /// The operation's letter.
    pub(super) fn operation(&self, batch: &mut Batch, event: Nest) -> Option<u8> {
        let field = self.envelope.fields().get(self.op)?;
        let cell = batch.cells(event).get(self.op).copied()?;
        super::super::row::datum_of(batch, field, cell)
            .text()?
            .bytes()
            .next()
    }

    /// When Debezium's counterpart would have read it.
    pub(super) fn processed(&self, batch: &Batch, event: Nest) -> Option<i64> {
        let at = self.processed?;
        let cell = batch.cells(event).get(at).copied()?;
        connect_core::Datum::of(
            batch,
            self.envelope.fields().get(at).map(|f| &f.schema),
            cell,
        )
        .int()
    }

    /// The new row.
    pub(super) fn after(&self, batch: &Batch, event: Nest) -> Result<Nest> {
        match batch.cells(event).get(self.after) {
            Some(Cell::Nest(nest)) => Ok(*nest),
            _ => Err(Error::record(
                "Only Struct objects supported for [Read Outbox Event], found: null",
            )),
        }
    }
}

impl Column {
    fn of(row: &Schema, name: &str) -> Option<Self> {
        let (at, field) = row.field(name)?;
        let field = field.clone();
        Some(Self { at, field })
    }

    /// Its cell, or its default in place of null.
    pub(super) fn cell(&self, batch: &mut Batch, row: Nest) -> Cell {
        match (self.plain(batch, row), &self.field.schema.default) {
            (Cell::Null, Some(default)) => batch.push_value(default, Some(&self.field.schema)),
            (cell, _) => cell,
        }
    }

    /// Its cell. What Debezium reads as text or number has no default.
    pub(super) fn plain(&self, batch: &mut Batch, row: Nest) -> Cell {
        let cell = batch.cells(row).get(self.at).copied().unwrap_or(Cell::Null);
        own_cell(batch, &self.field, cell)
    }
}

/// How many of a timestamp's units a millisecond has.
fn divisor(schema: &Schema) -> Result<i64> {
    match schema.name.as_deref() {
        Some("io.debezium.time.Timestamp") => Ok(1),
        Some("io.debezium.time.MicroTimestamp") => Ok(1_000),
        Some("io.debezium.time.NanoTimestamp") => Ok(1_000_000),
        Some(name) => Err(Error::record(format!(
            "Unsupported field type {name} for event timestamp"
        ))),
        None => Err(Error::record(
            "Unsupported field type (without logical schema name) for event timestamp",
        )),
    }
}

/// Whether a schema is that of change events, by its name as Debezium does.
pub(in crate::transforms) fn is_envelope(schema: &Schema) -> bool {
    let name = schema.name.as_deref();
    name.is_some_and(|name| name.ends_with(".Envelope"))
}
