//! Debezium's `ExtractChangedRecordState`: which fields an update has changed, as headers.

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Datum, Finding, Header, Properties, Result, Schema, Type,
    config::{Config, Key, Rules, Width},
};

use super::{
    event_router::is_envelope,
    events::EachEvent,
    headers,
    shown::{Shown, debezium},
};

connect_core::config! {
    /// Names the fields that changed.
    pub(super) struct ChangedFieldsConfig;
    group "Changed fields" {
        /// Specify the header changed name, default is null which means not send changes to header.
        changed: Option<String> = none, "header.changed.name", Low;
        /// Specify the header unchanged name of schema, default is null which means not send changes to header.
        unchanged: Option<String> = none, "header.unchanged.name", Low;
    }
}

impl Rules for ChangedFieldsConfig {}

/// How forms show the properties.
const SHOWN: &[Shown] = &[
    ("header.changed.name", Width::Long, "Header change name."),
    (
        "header.unchanged.name",
        Width::Long,
        "Header unchanged name.",
    ),
];

/// Its properties.
pub(super) fn keys() -> Vec<Key> {
    debezium(ChangedFieldsConfig::keys(), SHOWN)
}

/// The transform.
pub(super) struct ChangedFields {
    changed: Option<Named>,
    unchanged: Option<Named>,
}

/// A header of names.
struct Named {
    name: Arc<str>,
    schema: Arc<Schema>,
}

impl Named {
    fn new(name: Option<String>) -> Option<Self> {
        let name: Arc<str> = name.filter(|name| !name.trim().is_empty())?.into();
        let item = Arc::new(Schema::of(Type::String).optional());
        let schema = Schema::of(Type::Array(item)).optional();
        let schema = Arc::new(schema.titled(Arc::clone(&name)));
        Some(Self { name, schema })
    }

    fn header(&self, batch: &mut Batch, names: &[Arc<str>]) -> Header {
        let cells: Vec<Cell> = names
            .iter()
            .map(|name| batch.push_bytes(name.as_bytes()))
            .collect();
        Header {
            name: Arc::clone(&self.name),
            schema: Some(Arc::clone(&self.schema)),
            value: batch.push_nest(&cells),
        }
    }
}

impl ChangedFields {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = ChangedFieldsConfig::parse(settings)?;
        Ok(Self {
            changed: Named::new(config.changed),
            unchanged: Named::new(config.unchanged),
        })
    }
}

impl EachEvent for ChangedFields {
    fn each(&mut self, batch: &mut Batch, index: usize) -> Result<bool> {
        let (mut changed, mut unchanged) = (Vec::new(), Vec::new());
        {
            let Some(row) = batch.row(index) else {
                return Ok(true);
            };
            let event = row.value();
            let is_event = row
                .route()
                .value()
                .is_some_and(|schema| is_envelope(schema));
            if !is_event || event.is_null() {
                return Ok(true);
            }
            let side = |name| event.get(name).filter(|side| !side.is_null());
            if let (Some(before), Some(after)) = (side("before"), side("after")) {
                let fields = after
                    .schema()
                    .map(|schema| schema.fields())
                    .unwrap_or_default();
                for field in fields {
                    let value = |side: Datum<'_>| side.get(&field.name).map(Datum::to_value);
                    let list = match value(before) == value(after) {
                        true => &mut unchanged,
                        false => &mut changed,
                    };
                    list.push(Arc::clone(&field.name));
                }
            }
        }
        let mut new = Vec::new();
        for (named, names) in [(&self.changed, &changed), (&self.unchanged, &unchanged)] {
            new.extend(named.as_ref().map(|named| named.header(batch, names)));
        }
        headers::append(batch, index, new);
        Ok(true)
    }
}
