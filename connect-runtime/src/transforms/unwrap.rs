//! Debezium's `ExtractNewRecordState`: the row alone, in place of the change event around it.

mod drop_fields;
mod plan;
mod reference;

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Error, Finding, Header, Nest, Properties, Result, Route, Schema, Type,
    config::{Config, Key, List, Rules, Width},
    datum::View,
    transform::{Transform, Verdicts},
};

use super::{
    compiled::Compiled,
    reshape::{is_null, refuse},
    row::{datum_of, fill_defaults, take_cells},
    shown::{Shown, debezium},
};
use drop_fields::DropFields;
use plan::{Plan, Shape};
use reference::Reference;

connect_core::choice! {
    /// What becomes of deletes and tombstones.
    pub(super) enum Deletes {
        /// Both are left out.
        Drop = "drop",
        /// A delete becomes a tombstone; Debezium's own tombstones are left out.
        Tombstone = "tombstone",
        /// A delete becomes the old row with `__deleted`; tombstones are left out.
        Rewrite = "rewrite",
        /// A delete becomes the old row with `__deleted`; tombstones stay.
        RewriteWithTombstone = "rewrite-with-tombstone",
        /// A delete becomes a tombstone without schema; Debezium's own tombstones are left out.
        DeleteToTombstone = "delete-to-tombstone",
    }
}

connect_core::config! {
    /// Extracts the new row from a change event.
    pub(super) struct UnwrapConfig;
    group "Extract new record state" {
        /// How to handle delete records. Options are: drop - Remove the delete event and tombstone from the stream.tombstone (default) - For each delete event, leave only a tombstone in the stream.rewrite - Remove tombstone from the record, and add a `__deleted` field with the value `true`.rewrite-with-tombstone - Retain tombstone in record and add a `__deleted` field with the value `true`.delete-to-tombstone - Convert delete events to tombstone events and drop tombstone events.
        deletes: Deletes = "tombstone", "delete.tombstone.handling.mode", Medium;
        /// The column which determines how the events will be routed, the value will replace the topic name.
        route_by: String = "", "route.by.field", Low;
        /// Adds this prefix to each field listed.
        fields_prefix: String = "__", "add.fields.prefix", Low;
        /// Adds each field listed, prefixed with __ (or __<struct>_ if the struct is specified). Example: 'version,connector,source.ts_ms' would add __version, __connector and __source_ts_ms fields. Optionally one can also map new field name like version:VERSION,connector:CONNECTOR,source.ts_ms:EVENT_TIMESTAMP.Please note that the new field name is case-sensitive.
        fields: List = "", "add.fields", Low;
        /// Adds this prefix listed to each header.
        headers_prefix: String = "__", "add.headers.prefix", Low;
        /// Adds each field listed to the header,  __ (or __<struct>_ if the struct is specified). Example: 'version,connector,source.ts_ms' would add __version, __connector and __source_ts_ms fields. Optionally one can also map new field name like version:VERSION,connector:CONNECTOR,source.ts_ms:EVENT_TIMESTAMP.Please note that the new field name is case-sensitive.
        headers: List = "", "add.headers", Low;
        /// Specifies the name of a header that contains a list of fields to be removed from the event value.
        drop_header: Option<String> = none, "drop.fields.header.name", Low;
        /// Specifies whether to apply the drop fields behavior to the event key as well as the value. Default behavior is to only remove fields from the event value, not the key.
        drop_from_key: bool = "false", "drop.fields.from.key", Low;
        /// Controls the output event's schema compatibility when using the drop fields feature. `true`: dropped fields are removed if the schema indicates its optional leaving the schemas unchanged, `false`: dropped fields are removed from the key/value schemas, regardless of optionality.
        drop_compatible: bool = "true", "drop.fields.keep.schema.compatible", Low;
        /// When this option is enabled, null field values are replaced by source-defined defaults when rewriting the record.
        defaults: bool = "true", "replace.null.with.default", Low;
    }
}

/// How forms show the properties.
const SHOWN: &[Shown] = &[
    (
        "delete.tombstone.handling.mode",
        Width::Medium,
        "Handle delete and tombstone records",
    ),
    ("route.by.field", Width::Long, "Route by field name"),
    (
        "add.fields.prefix",
        Width::Short,
        "Field prefix to be added to each field.",
    ),
    (
        "add.fields",
        Width::Long,
        "Adds the specified field(s) to the message if they exist.",
    ),
    (
        "add.headers.prefix",
        Width::Short,
        "Header prefix to be added to each header.",
    ),
    (
        "add.headers",
        Width::Long,
        "Adds the specified fields to the header if they exist.",
    ),
    (
        "drop.fields.header.name",
        Width::Short,
        "Specifies a header that contains a list of field names to be removed",
    ),
    (
        "drop.fields.from.key",
        Width::Short,
        "Specifies whether the fields to be dropped should also be omitted from the key",
    ),
    (
        "drop.fields.keep.schema.compatible",
        Width::Short,
        "Specifies if fields are dropped, will the event's schemas be compatible",
    ),
    (
        "replace.null.with.default",
        Width::Short,
        "replace null field value with default",
    ),
];

/// Its properties.
pub(super) fn keys() -> Vec<Key> {
    debezium(UnwrapConfig::keys(), SHOWN)
}

impl Rules for UnwrapConfig {
    fn rules(&self) -> Vec<Finding> {
        let both = [
            ("add.fields", &self.fields.0),
            ("add.headers", &self.headers.0),
        ];
        let mut findings = Vec::new();
        for (key, list) in both {
            if let Some(bad) = list
                .iter()
                .find(|item| Reference::parse("", item).is_none())
            {
                findings.push(Finding::invalid(
                    key,
                    bad,
                    &format!("Unexpected field name: {bad}"),
                ));
            }
        }
        findings
    }
}

const PURPOSE: &str = "source field insertion";

/// The transform. Without options that add something, a record costs two looks and two moves.
pub(super) struct Unwrap {
    options: Options,
    compiled: Compiled<Result<Option<Plan>>>,
    drop: Option<DropFields>,
    cells: Vec<Cell>,
}

/// What a plan is compiled for.
struct Options {
    deletes: Deletes,
    route_by: Option<String>,
    fields: Vec<Reference>,
    headers: Vec<Reference>,
    defaults: bool,
}

impl Options {
    fn rewrites(&self) -> bool {
        matches!(
            self.deletes,
            Deletes::Rewrite | Deletes::RewriteWithTombstone
        )
    }
}

/// What becomes of a record.
#[derive(PartialEq, Eq)]
enum Fate {
    Kept,
    Dropped,
}

impl Unwrap {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = UnwrapConfig::parse(settings)?;
        let all = |prefix: &str, list: &[String]| {
            list.iter()
                .filter_map(|item| Reference::parse(prefix, item))
                .collect()
        };
        let drop = config.drop_header.filter(|name| !name.trim().is_empty());
        Ok(Self {
            options: Options {
                deletes: config.deletes,
                fields: all(&config.fields_prefix, &config.fields.0),
                headers: all(&config.headers_prefix, &config.headers.0),
                route_by: Some(config.route_by).filter(|name| !name.is_empty()),
                defaults: config.defaults,
            },
            drop: drop
                .map(|name| DropFields::new(name, config.drop_from_key, config.drop_compatible)),
            compiled: Compiled::default(),
            cells: Vec::new(),
        })
    }

    fn one(&mut self, batch: &mut Batch, index: usize) -> Result<Fate> {
        let Some(&record) = batch.records().get(index) else {
            return Ok(Fate::Kept);
        };
        if is_null(batch, record.value) {
            return Ok(self.tombstone(batch, index));
        }
        let options = &self.options;
        let compiled = self
            .compiled
            .of(batch, record.route, |route| Plan::new(route, options));
        let plan = match compiled.as_deref() {
            Some(Ok(Some(plan))) => plan,
            Some(Err(err)) => return Err(err.clone()),
            _ => return Ok(Fate::Kept),
        };
        let event = plan.event(batch, record.value)?;
        let (before, after) = plan.sides(batch, event);
        let fate = match (is_null(batch, before), is_null(batch, after)) {
            (true, true) => return Ok(Fate::Dropped),
            (_, true) => self.delete(plan, batch, index, event, before)?,
            _ => {
                let new = self.row(plan, &plan.written, batch, event, after)?;
                self.finish(batch, index, new)
            }
        };
        if fate == Fate::Kept {
            if !plan.headers.is_empty() {
                add_headers(plan, batch, index, event);
            }
            if let Some(drop) = &mut self.drop {
                // Debezium adds fields to a deleted row only after that.
                let deleted = is_null(batch, after);
                drop.one(
                    batch,
                    index,
                    if deleted { plan.deleted.added.len() } else { 0 },
                )?;
            }
        }
        Ok(fate)
    }

    /// A record that had no value before.
    fn tombstone(&mut self, batch: &mut Batch, index: usize) -> Fate {
        if self.options.deletes != Deletes::RewriteWithTombstone {
            return Fate::Dropped;
        }
        let text = Arc::new(Schema::of(Type::String));
        let operations = self
            .options
            .headers
            .iter()
            .filter(|header| header.is_operation());
        let names: Vec<Arc<str>> = operations.map(|header| Arc::clone(&header.name)).collect();
        let header = |name| Header {
            name,
            schema: Some(Arc::clone(&text)),
            value: batch.push_bytes(b"d"),
        };
        let new: Vec<Header> = names.into_iter().map(header).collect();
        append_headers(batch, index, new);
        Fate::Kept
    }

    fn delete(
        &mut self,
        plan: &Plan,
        batch: &mut Batch,
        index: usize,
        event: Nest,
        before: Cell,
    ) -> Result<Fate> {
        let (shape, value) = match self.options.deletes {
            Deletes::Drop => return Ok(Fate::Dropped),
            Deletes::Tombstone => (&plan.emptied, Cell::Null),
            Deletes::DeleteToTombstone => (&plan.tombstone, Cell::Null),
            Deletes::Rewrite | Deletes::RewriteWithTombstone => (&plan.deleted, before),
        };
        let (mut route, mut value) = (Arc::clone(&shape.route), value);
        if value != Cell::Null {
            (route, value) = self.row(plan, shape, batch, event, value)?;
        } else if let Some(name) = &self.options.route_by {
            route = plan.routed(shape, batch, before, name)?;
        }
        Ok(self.finish(batch, index, (route, value)))
    }

    /// The row with what is added to it.
    fn row(
        &mut self,
        plan: &Plan,
        shape: &Shape,
        batch: &mut Batch,
        event: Nest,
        row: Cell,
    ) -> Result<(Arc<Route>, Cell)> {
        let route = match &self.options.route_by {
            Some(name) => plan.routed(shape, batch, row, name)?,
            None => Arc::clone(&shape.route),
        };
        if shape.added.is_empty() && !shape.marked {
            return Ok((route, row));
        }
        let Some(schema) = &shape.row else {
            return Ok((route, row));
        };
        take_cells(batch, schema, row, PURPOSE, &mut self.cells)?;
        if shape.marked {
            if self.options.defaults {
                fill_defaults(batch, schema.fields(), &mut self.cells);
            }
            self.cells.push(Cell::Const);
        }
        for picked in &shape.added {
            let cell = plan.pick(batch, event, picked);
            self.cells.push(cell);
        }
        Ok((route, batch.push_nest(&self.cells)))
    }

    fn finish(&self, batch: &mut Batch, index: usize, (route, value): (Arc<Route>, Cell)) -> Fate {
        let route = batch.route_index(&route);
        if let Some(record) = batch.records_mut().get_mut(index) {
            record.route = route;
            record.value = value;
        }
        Fate::Kept
    }
}

impl Transform for Unwrap {
    fn apply(&mut self, batch: &mut Batch, applies: &dyn Fn(usize) -> bool) -> Result<Verdicts> {
        self.compiled.next_batch();
        let mut verdicts = Verdicts::default();
        for index in (0..batch.len()).filter(|index| applies(*index)) {
            let before = batch.records().get(index).copied();
            match self.one(batch, index) {
                Ok(Fate::Kept) => {}
                Ok(Fate::Dropped) => verdicts.dropped.push(index),
                Err(err) => {
                    if let (Some(before), Some(record)) =
                        (before, batch.records_mut().get_mut(index))
                    {
                        *record = before;
                    }
                    refuse(&mut verdicts, index, err)?;
                }
            }
        }
        Ok(verdicts)
    }
}

fn add_headers(plan: &Plan, batch: &mut Batch, index: usize, event: Nest) {
    let mut new = Vec::with_capacity(plan.headers.len());
    for (field, picked) in &plan.headers {
        let cell = plan.pick(batch, event, picked);
        new.push(Header {
            name: Arc::clone(&field.name),
            schema: Some(Arc::clone(&field.schema)),
            value: super::row::own_cell(batch, field, cell),
        });
    }
    append_headers(batch, index, new);
}

fn append_headers(batch: &mut Batch, index: usize, new: Vec<Header>) {
    let Some(record) = batch.records().get(index) else {
        return;
    };
    if !new.is_empty() {
        let mut all = batch.headers(*record).to_vec();
        all.extend(new);
        batch.set_headers(index, &all);
    }
}

/// The text of a field of a row.
fn text_of(batch: &Batch, schema: &Schema, row: Cell, name: &str) -> Result<Option<String>> {
    let missing = || Error::record(format!("{name} is not a valid field name"));
    let (at, field) = schema.field(name).ok_or_else(missing)?;
    let cell = match row {
        Cell::Nest(nest) => batch.cells(nest).get(at).copied().unwrap_or(Cell::Null),
        _ => return Err(Error::record("There is no row to take the topic from")),
    };
    match datum_of(batch, field, cell).view() {
        View::Text(text) => Ok(Some(String::from_utf8_lossy(text).into_owned())),
        View::Null | View::Absent => Ok(None),
        _ => Err(Error::record(format!(
            "Field '{name}' is not of type STRING"
        ))),
    }
}
