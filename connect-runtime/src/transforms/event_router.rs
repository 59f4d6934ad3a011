//! Debezium's `EventRouter`: rows of an outbox table as events of their own.

mod config;
mod json;
mod plan;

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Datum, Error, Field, Finding, Header, Nest, Properties, Record, Result, Route,
    Schema,
    config::{Config, Key},
    datum::View,
    java_regex::{JavaRegex, Replacement},
    route::RouteId,
    transform::{Transform, Verdicts},
};
use rustc_hash::FxHashMap;

use super::{
    compiled::Compiled,
    headers,
    reshape::{is_null, refuse},
    shown::grouped,
};
use config::{Additional, EventRouterConfig, Invalid, JsonNull, Missing, Placement, SHOWN};
pub(super) use json::expand;
pub(super) use plan::is_envelope;
use plan::{Column, Plan};

/// Routes that are kept; when there are more, all are forgotten and made again.
const MOST_ROUTES: usize = 4096;

/// Its properties.
pub(super) fn keys() -> Vec<Key> {
    grouped(EventRouterConfig::keys(), SHOWN)
}

/// The transform.
pub(super) struct EventRouter {
    options: Options,
    plans: Compiled<Result<Option<Plan>>>,
    routes: FxHashMap<Shape, Arc<Route>>,
}

/// What a plan is compiled for, and how events are made.
struct Options {
    id: String,
    key: String,
    payload: String,
    route_by: String,
    version: Option<String>,
    timestamp: Option<String>,
    additional: Vec<Additional>,
    missing: Missing,
    invalid: Invalid,
    tombstones: bool,
    expand: bool,
    null_is_bytes: bool,
    has_envelope: bool,
    regex: JavaRegex,
    replacement: Replacement,
}

/// All that makes a route other than the one before: `json` is the guessed schema of the payload, written out.
#[derive(PartialEq, Eq, Hash)]
struct Shape {
    old: RouteId,
    routed: String,
    version: Option<i64>,
    json: Option<String>,
    tombstone: bool,
}

impl EventRouter {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = EventRouterConfig::parse(settings)?;
        let wrong = |key: &'static str| move |why: String| vec![Finding::error(key, why)];
        let regex = JavaRegex::new(&config.regex).map_err(wrong("route.topic.regex"))?;
        let replacement = Replacement::new(&config.replacement, &regex)
            .map_err(wrong("route.topic.replacement"))?;
        let items = config.additional.iter().flat_map(|list| &list.0);
        let additional: Vec<Additional> =
            items.filter_map(|item| Additional::parse(item)).collect();
        let some = |name: Option<String>| name.filter(|name| !name.is_empty());
        Ok(Self {
            options: Options {
                id: config.id,
                key: config.key,
                payload: config.payload,
                route_by: config.route_by,
                version: some(config.version),
                timestamp: some(config.timestamp),
                has_envelope: additional
                    .iter()
                    .any(|one| one.placement == Placement::Envelope),
                additional,
                missing: config.missing,
                invalid: config.invalid,
                tombstones: config.tombstones,
                expand: config.expand,
                null_is_bytes: config.json_null == JsonNull::OptionalBytes,
                regex,
                replacement,
            },
            plans: Compiled::default(),
            routes: FxHashMap::default(),
        })
    }

    /// Whether the record stays.
    fn one(&mut self, batch: &mut Batch, index: usize) -> Result<bool> {
        let Some(&record) = batch.records().get(index) else {
            return Ok(true);
        };
        if is_null(batch, record.value) {
            return Ok(false);
        }
        let options = &self.options;
        let plan = self
            .plans
            .of(batch, record.route, |route| Plan::new(route, options));
        let plan = match plan.as_deref() {
            Some(Ok(Some(plan))) => plan,
            Some(Err(err)) => return Err(err.clone()),
            _ => return Ok(true),
        };
        let event = plan.event(batch, record.value)?;
        match plan.operation(batch, event) {
            Some(b'd') => return Ok(false),
            Some(b'u') => return self.updated(),
            _ => {}
        }
        self.event(plan, batch, index, record, event)?;
        Ok(true)
    }

    fn updated(&self) -> Result<bool> {
        const WHAT: &str = "an update of an outbox table, where rows should only be inserted";
        match self.options.invalid {
            Invalid::Warn => tracing::warn!("{WHAT}, is left out"),
            Invalid::Error => tracing::error!("{WHAT}, is left out"),
            Invalid::Fatal => {
                return Err(Error::record("Unexpected update message received, fail."));
            }
        }
        Ok(false)
    }

    fn event(
        &mut self,
        plan: &Plan,
        batch: &mut Batch,
        index: usize,
        record: Record,
        event: Nest,
    ) -> Result<()> {
        let Some(old) = batch.route(record.route).cloned() else {
            return Ok(());
        };
        let row = plan.after(batch, event)?;
        let payload = self.payload(plan, batch, row);
        let version = plan.version.as_ref().filter(|_| self.options.has_envelope);
        let shape = Shape {
            old: old.id(),
            routed: required_text(&plan.route_by, batch, row)?,
            version: version.and_then(|column| int(column, batch, row)),
            json: payload.shape.clone(),
            tombstone: self.options.tombstones && payload.is_blank(batch),
        };
        let new = Record {
            key: plan.key.cell(batch, row),
            value: match shape.tombstone {
                true => Cell::Null,
                false => self.value(plan, batch, row, payload.cell),
            },
            timestamp_ms: timestamp(plan, batch, event, row),
            partition: partition(plan, batch, row).unwrap_or(Record::NOWHERE),
            ..record
        };
        let headers = made_headers(plan, batch, row);
        let route = self.route(plan, &old, shape, &payload.schema)?;
        let route = batch.route_index(&route);
        if let Some(place) = batch.records_mut().get_mut(index) {
            *place = Record { route, ..new };
        }
        headers::append(batch, index, headers);
        Ok(())
    }

    fn payload(&self, plan: &Plan, batch: &mut Batch, row: Nest) -> Payload {
        let schema = &plan.payload.field.schema;
        let cell = plan.payload.cell(batch, row);
        let plain = Payload {
            schema: Arc::clone(schema),
            cell,
            shape: None,
        };
        let text = match Datum::of(batch, Some(schema), cell).view() {
            View::Text(text) if self.options.expand => String::from_utf8_lossy(text),
            _ => return plain,
        };
        match json::expand(
            &text,
            Some(&self.options.payload),
            self.options.null_is_bytes,
        ) {
            Ok((schema, value)) => Payload {
                cell: batch.push_value(&value, Some(&schema)),
                shape: Some(format!("{schema:?}")),
                schema,
            },
            Err(why) => {
                tracing::warn!("a JSON payload stays text, since {why}");
                plain
            }
        }
    }

    /// The payload alone, or with the additional fields around it.
    fn value(&self, plan: &Plan, batch: &mut Batch, row: Nest, payload: Cell) -> Cell {
        if !self.options.has_envelope {
            return payload;
        }
        let mut cells = vec![payload];
        for (_, column) in &plan.envelopes {
            cells.push(column.cell(batch, row));
        }
        batch.push_nest(&cells)
    }

    fn route(
        &mut self,
        plan: &Plan,
        old: &Route,
        shape: Shape,
        payload: &Arc<Schema>,
    ) -> Result<Arc<Route>> {
        if let Some(route) = self.routes.get(&shape) {
            return Ok(Arc::clone(route));
        }
        let options = &self.options;
        let topic = options
            .regex
            .replace_first(&shape.routed, &options.replacement);
        let topic = topic.unwrap_or_else(|| shape.routed.clone());
        if topic.is_empty() {
            return Err(Error::record(format!(
                "An event of {} has no topic: its {} is empty",
                old.topic(),
                options.route_by
            )));
        }
        let value = match (shape.tombstone, options.has_envelope) {
            (true, _) => None,
            (_, false) => Some(Arc::clone(payload)),
            _ => Some(Arc::new(around(plan, payload, &shape))),
        };
        let key = Some(Arc::clone(&plan.key.field.schema));
        let route = Route::new(topic, key, value);
        // Invariant 4: nothing unbounded.
        if self.routes.len() >= MOST_ROUTES {
            self.routes.clear();
        }
        self.routes.insert(shape, Arc::clone(&route));
        Ok(route)
    }
}

/// An event's payload. `shape` is its guessed schema, written out.
struct Payload {
    schema: Arc<Schema>,
    cell: Cell,
    shape: Option<String>,
}

impl Payload {
    fn is_blank(&self, batch: &Batch) -> bool {
        match Datum::of(batch, Some(&self.schema), self.cell).view() {
            View::Null | View::Absent => true,
            View::Text(text) => text.trim_ascii().is_empty(),
            _ => false,
        }
    }
}

/// The struct of payload and additional fields, named after the table's and the event's.
fn around(plan: &Plan, payload: &Arc<Schema>, shape: &Shape) -> Schema {
    let mut fields = vec![Field::new("payload", Arc::clone(payload))];
    for (alias, column) in &plan.envelopes {
        fields.push(Field::new(
            Arc::clone(alias),
            Arc::clone(&column.field.schema),
        ));
    }
    let routed = &shape.routed;
    let name = match plan.row.name.as_deref() {
        None => routed.clone(),
        Some(name) => match name.rsplit_once('.') {
            Some((before, last)) => format!("{before}.{routed}.{last}"),
            None => format!("{routed}.{name}"),
        },
    };
    let mut schema = Schema::structure(fields).titled(name);
    schema.version = shape.version.and_then(|version| version.try_into().ok());
    schema
}

fn required_text(column: &Column, batch: &mut Batch, row: Nest) -> Result<String> {
    let cell = column.plain(batch, row);
    let text = Datum::of(batch, Some(&column.field.schema), cell).text();
    let text = text.map(|text| text.into_owned());
    text.ok_or_else(|| {
        Error::record("The field to route events by is null").context("field", &column.field.name)
    })
}

fn int(column: &Column, batch: &mut Batch, row: Nest) -> Option<i64> {
    let cell = column.plain(batch, row);
    Datum::of(batch, Some(&column.field.schema), cell).int()
}

fn timestamp(plan: &Plan, batch: &mut Batch, event: Nest, row: Nest) -> i64 {
    let own = plan.timestamp.as_ref();
    let own = own.and_then(|(column, units)| Some(int(column, batch, row)? / units));
    own.or_else(|| plan.processed(batch, event))
        .unwrap_or(Record::NO_TIMESTAMP)
}

fn partition(plan: &Plan, batch: &mut Batch, row: Nest) -> Option<i32> {
    int(plan.partition.as_ref()?, batch, row)?.try_into().ok()
}

fn made_headers(plan: &Plan, batch: &mut Batch, row: Nest) -> Vec<Header> {
    let id: Arc<str> = "id".into();
    let all = std::iter::once((&id, &plan.id));
    let all = all.chain(plan.headers.iter().map(|(name, column)| (name, column)));
    let header = |(name, column): (&Arc<str>, &Column)| Header {
        name: Arc::clone(name),
        schema: Some(Arc::clone(&column.field.schema)),
        value: column.cell(batch, row),
    };
    all.map(header).collect()
}

impl Transform for EventRouter {
    fn apply(&mut self, batch: &mut Batch, applies: &dyn Fn(usize) -> bool) -> Result<Verdicts> {
        self.plans.next_batch();
        let mut verdicts = Verdicts::default();
        for index in (0..batch.len()).filter(|index| applies(*index)) {
            match self.one(batch, index) {
                Ok(true) => {}
                Ok(false) => verdicts.dropped.push(index),
                Err(err) => refuse(&mut verdicts, index, err)?,
            }
        }
        Ok(verdicts)
    }
}
