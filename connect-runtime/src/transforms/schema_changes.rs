//! Debezium's `SchemaChangeEventFilter`: leaves out records of a schema's history by what they tell.

use connect_core::{
    Batch, Datum, Finding, Properties, Result,
    config::{Config, Key, Rules, Width},
};

use super::{
    events::EachEvent,
    shown::{Shown, debezium},
};

connect_core::config! {
    /// Leaves out changes of schemas.
    pub(super) struct SchemaChangesConfig;
    group "Schema changes" {
        /// Support filtering during DDL synchronization
        excluded: Option<String> = none, "schema.change.event.exclude.list", High;
    }
}

const KEY: &str = "schema.change.event.exclude.list";

/// How forms show the properties.
const SHOWN: &[Shown] = &[(KEY, Width::Short, "Schema change event exclude list")];

/// Its properties.
pub(super) fn keys() -> Vec<Key> {
    debezium(SchemaChangesConfig::keys(), SHOWN)
}

/// What Debezium knows.
const KINDS: [&str; 5] = ["CREATE", "ALTER", "DROP", "TRUNCATE", "DATABASE"];

impl Rules for SchemaChangesConfig {
    fn rules(&self) -> Vec<Finding> {
        let Some(excluded) = self.excluded.as_deref().filter(|list| !list.is_empty()) else {
            let why = format!("The '{KEY}' value is invalid: A value is required");
            return vec![Finding::error(KEY, why)];
        };
        let mut items = excluded.split(',').map(str::trim);
        let wrong = items.find(|item| !KINDS.contains(item));
        let why = format!("Value must be one of {}", KINDS.join(", "));
        let finding = wrong.map(|item| Finding::invalid(KEY, item, &why));
        finding.into_iter().collect()
    }
}

/// The transform.
pub(super) struct SchemaChanges {
    excluded: Vec<String>,
}

impl SchemaChanges {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = SchemaChangesConfig::parse(settings)?;
        let excluded = config.excluded.unwrap_or_default();
        Ok(Self {
            excluded: excluded
                .split(',')
                .map(|item| item.trim().to_owned())
                .collect(),
        })
    }
}

impl EachEvent for SchemaChanges {
    fn each(&mut self, batch: &mut Batch, index: usize) -> Result<bool> {
        let Some(row) = batch.row(index) else {
            return Ok(true);
        };
        let schema = row.route().value();
        let name = schema.and_then(|schema| schema.name.as_deref());
        let is_change = name.is_some_and(|name| name.ends_with(".SchemaChangeValue"));
        if !is_change || row.value().is_null() {
            return Ok(true);
        }
        let changes = row
            .value()
            .get("tableChanges")
            .filter(|list| !list.is_null());
        let Some(changes) = changes else {
            return Ok(false);
        };
        let first = changes.items().into_iter().next();
        let kind = match first {
            None => Some("DATABASE".into()),
            Some(change) => change.get("type").and_then(Datum::text),
        };
        Ok(kind.is_none_or(|kind| !self.excluded.iter().any(|item| **item == *kind)))
    }
}
