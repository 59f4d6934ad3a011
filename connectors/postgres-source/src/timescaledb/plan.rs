//! What is worked out once per topic and schemas: where an event tells its table, and what a chunk's event becomes.

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Datum, Error, Field, Header, HeaderRun, Nest, Record, Result, Route, Schema, Type,
    Value,
};

use super::known::{Owner, Table};

/// What PostgreSQL takes for a name; a longer one is no chunk's.
const LONGEST_NAME: usize = 63;

/// Where the events of a route tell their table.
#[derive(Debug)]
pub(super) struct Plan {
    envelope: Arc<Schema>,
    block: Arc<Schema>,
    source: usize,
    schema: usize,
    table: usize,
    /// The chunk that all of them are of, where the route tells.
    pub(super) chunk: Option<Table>,
}

/// Where an event of a chunk goes.
#[derive(Debug)]
pub(super) struct Routed {
    pub(super) route: Arc<Route>,
    /// The table that its `source` names from now on.
    shown: Table,
    headers: Vec<(&'static str, String)>,
}

/// An event of a batch: its cells, and those of its `source`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    value: Nest,
    source: Nest,
}

impl Plan {
    /// `None` for what is no change event, or none of `schemas`: it passes unchanged.
    pub(super) fn new(route: &Route, schemas: &[String]) -> Result<Option<Self>> {
        let is_envelope = |schema: &&Arc<Schema>| {
            let name = schema.name.as_deref();
            name.is_some_and(|name| name.ends_with(".Envelope"))
        };
        let Some(envelope) = route.value().filter(is_envelope) else {
            return Ok(None);
        };
        let missing = |name: &str| Error::record(format!("{name} is not a valid field name"));
        let (source, block) = envelope.field("source").ok_or_else(|| missing("source"))?;
        let block = Arc::clone(&block.schema);
        if !matches!(block.ty, Type::Struct(_)) {
            return Err(Error::record("Field 'source' is not of type STRUCT"));
        }
        let (schema, of_schema) = block.field("schema").ok_or_else(|| missing("schema"))?;
        let (table, of_table) = block.field("table").ok_or_else(|| missing("table"))?;
        let chunk = match (&of_schema.constant, &of_table.constant) {
            (Some(Value::Str(schema)), Some(Value::Str(table))) => {
                let Some(chunk) = chunk(schema, table, schemas) else {
                    return Ok(None);
                };
                Some(chunk)
            }
            _ => None,
        };
        Ok(Some(Self {
            envelope: Arc::clone(envelope),
            source,
            schema,
            table,
            chunk,
            block,
        }))
    }

    /// The event in a record; `None` for a tombstone and without `source`.
    pub(super) fn event(&self, batch: &mut Batch, value: Cell) -> Option<Event> {
        let value = nest(batch, &self.envelope, value)?;
        let source = *batch.cells(value).get(self.source)?;
        let source = nest(batch, &self.block, source)?;
        Some(Event { value, source })
    }

    /// The chunk that a record of no known table is of.
    pub(super) fn chunk_of(&self, batch: &Batch, value: Cell, schemas: &[String]) -> Option<Table> {
        let source = Datum::of(batch, Some(&self.envelope), value).get("source")?;
        let (schema, table) = (source.get("schema")?.text()?, source.get("table")?.text()?);
        chunk(&schema, &table, schemas)
    }

    /// What becomes of the events of a route that are of a chunk.
    pub(super) fn routed(&self, route: &Route, chunk: &Table, to: (&Owner, &str)) -> Routed {
        let (owner, prefix) = to;
        let shown = owner.shown();
        let topic = format!("{prefix}.{}.{}", shown.schema, shown.name);
        let value = match self.chunk {
            Some(_) => Arc::new(self.renamed(shown)),
            None => Arc::clone(&self.envelope),
        };
        let mut headers = vec![
            ("__debezium_timescaledb_chunk_table", chunk.name.clone()),
            ("__debezium_timescaledb_chunk_schema", chunk.schema.clone()),
        ];
        if owner.aggregate.is_some() {
            let Table { schema, name } = owner.hypertable.clone();
            headers.push(("__debezium_timescaledb_hypertable_table", name));
            headers.push(("__debezium_timescaledb_hypertable_schema", schema));
        }
        Routed {
            route: Route::new(topic, route.key().cloned(), Some(value)),
            shown: shown.clone(),
            headers,
        }
    }

    /// The same envelope, whose `source` names another table in all records.
    fn renamed(&self, shown: &Table) -> Schema {
        let with = |schema: &Schema, change: &dyn Fn(usize, &mut Field)| {
            let mut fields = schema.fields().to_vec();
            let places = fields.iter_mut().enumerate();
            places.for_each(|(at, field)| change(at, field));
            Schema {
                ty: Type::Struct(fields.into()),
                ..schema.clone()
            }
        };
        let block = Arc::new(with(&self.block, &|at, field| match at {
            at if at == self.schema => field.constant = Some(shown.schema.as_str().into()),
            at if at == self.table => field.constant = Some(shown.name.as_str().into()),
            _ => {}
        }));
        with(&self.envelope, &|at, field| {
            if at == self.source {
                field.schema = Arc::clone(&block);
            }
        })
    }

    /// The value of an event with another table in its `source`. The cells that were there stay as they are.
    pub(super) fn rewritten(&self, batch: &mut Batch, event: Event, routed: &Routed) -> Cell {
        let mut source = batch.cells(event.source).to_vec();
        let texts = [
            (self.schema, &routed.shown.schema),
            (self.table, &routed.shown.name),
        ];
        for (at, text) in texts {
            if let Some(cell) = source.get_mut(at) {
                *cell = batch.push_bytes(text.as_bytes());
            }
        }
        let source = batch.push_nest(&source);
        let mut value = batch.cells(event.value).to_vec();
        if let Some(cell) = value.get_mut(self.source) {
            *cell = source;
        }
        batch.push_nest(&value)
    }
}

impl Routed {
    /// The headers that tell where it comes from, in a batch.
    fn headers(&self, batch: &mut Batch, text: &Arc<Schema>) -> Vec<Header> {
        let header = |(name, value): &(&'static str, String)| Header {
            name: Arc::from(*name),
            schema: Some(Arc::clone(text)),
            value: batch.push_bytes(value.as_bytes()),
        };
        self.headers.iter().map(header).collect()
    }

    /// Headers for records that have none themselves.
    pub(super) fn run(&self, batch: &mut Batch, text: &Arc<Schema>) -> HeaderRun {
        let headers = self.headers(batch, text);
        batch.push_headers(&headers)
    }

    /// The headers of a record that has some, with these behind them.
    pub(super) fn run_behind(
        &self,
        batch: &mut Batch,
        record: Record,
        text: &Arc<Schema>,
    ) -> HeaderRun {
        let mut all = batch.headers(record).to_vec();
        all.extend(self.headers(batch, text));
        batch.push_headers(&all)
    }
}

/// A table of one of the schemas in which chunks are.
fn chunk(schema: &str, table: &str, schemas: &[String]) -> Option<Table> {
    let is_name = !table.is_empty() && table.len() <= LONGEST_NAME && !table.contains('\0');
    let (schema, name) = (schema.to_owned(), table.to_owned());
    (is_name && schemas.contains(&schema)).then_some(Table { schema, name })
}

/// The cells of a struct; `None` for null.
fn nest(batch: &mut Batch, schema: &Schema, cell: Cell) -> Option<Nest> {
    let cell = match cell {
        Cell::Free(index) => {
            let value = batch.free(index).clone();
            batch.push_value(&value, Some(schema))
        }
        cell => cell,
    };
    match cell {
        Cell::Nest(nest) => Some(nest),
        _ => None,
    }
}
