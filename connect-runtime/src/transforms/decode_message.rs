//! Debezium's `DecodeLogicalDecodingMessageContent`: JSON of `pg_logical_emit_message` as an inserted row, for the outbox's router.

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Datum, Error, Field, Finding, Properties, Result, Route, Schema, Value,
    config::{Config, Key, Rules, Width},
    route::RouteId,
};
use rustc_hash::FxHashMap;

use super::{
    event_router::expand,
    events::EachEvent,
    shown::{Shown, debezium},
};

connect_core::config! {
    /// Decodes messages.
    pub(super) struct DecodeMessageConfig;
    group "Decode message" {
        /// Defines whether to include fields with null values to the decoded structure
        nulls: bool = "false", "fields.null.include", Medium;
    }
}

/// How forms show the properties.
const SHOWN: &[Shown] = &[(
    "fields.null.include",
    Width::Medium,
    "Defines whether to include fields with null values to the decoded structure",
)];

/// Its properties.
pub(super) fn keys() -> Vec<Key> {
    debezium(DecodeMessageConfig::keys(), SHOWN)
}

impl Rules for DecodeMessageConfig {}

/// The schema of messages.
const MESSAGE: &str = "io.debezium.connector.postgresql.MessageValue";
/// Routes that are kept; when there are more, all are forgotten and made again.
const MOST_ROUTES: usize = 4096;

/// The transform.
pub(super) struct DecodeMessage {
    nulls: bool,
    routes: FxHashMap<(RouteId, String), Arc<Route>>,
}

impl DecodeMessage {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = DecodeMessageConfig::parse(settings)?;
        Ok(Self {
            nulls: config.nulls,
            routes: FxHashMap::default(),
        })
    }

    fn route(&mut self, old: &Arc<Route>, schema: &Schema, content: &Arc<Schema>) -> Arc<Route> {
        let shape = (old.id(), format!("{content:?}"));
        if let Some(known) = self.routes.get(&shape) {
            return Arc::clone(known);
        }
        let fields = schema.fields().iter();
        let kept = fields
            .filter(|field| &*field.name != "message")
            .map(|field| Field {
                constant: field.constant.clone().filter(|_| &*field.name != "op"),
                ..field.clone()
            });
        let mut fields: Vec<Field> = kept.collect();
        fields.push(Field::new("after", Arc::clone(content)));
        let name = format!("{MESSAGE}.Envelope");
        let value = Arc::new(Schema::structure(fields).titled(name));
        let new = Route::new(Arc::clone(old.topic()), None, Some(value));
        // Invariant 4: nothing unbounded.
        if self.routes.len() >= MOST_ROUTES {
            self.routes.clear();
        }
        self.routes.insert(shape, Arc::clone(&new));
        new
    }
}

impl EachEvent for DecodeMessage {
    fn each(&mut self, batch: &mut Batch, index: usize) -> Result<bool> {
        let Some(&record) = batch.records().get(index) else {
            return Ok(true);
        };
        let Some(old) = batch.route(record.route).cloned() else {
            return Ok(true);
        };
        let Some(schema) = old.value().filter(|schema| schema.is(MESSAGE)) else {
            return Ok(true);
        };
        let event = Datum::of(batch, Some(schema), record.value);
        let content = event
            .get("message")
            .and_then(|message| message.get("content"));
        let content = content.map(Datum::to_value);
        let Some(Value::Bytes(bytes)) = content else {
            return Err(Error::record(
                "The content of a logical decoding message is non-binary",
            ));
        };
        let text = String::from_utf8_lossy(&bytes);
        let (content, row) = expand(&text, None, self.nulls).map_err(|why| {
            Error::record(format!(
                "Unable to parse logical decoding message content JSON string: {why}"
            ))
        })?;
        let Value::Map(mut entries) = event.to_value() else {
            return Err(Error::record(
                "A value is not the message that its schema says",
            ));
        };
        entries.retain(|(name, _)| name != "message");
        for (name, value) in &mut entries {
            if name == "op" {
                *value = Value::from("c");
            }
        }
        entries.push(("after".to_owned(), row));
        let route = self.route(&old, schema, &content);
        let value = batch.push_value(&Value::Map(entries), route.value().map(|value| &**value));
        let route = batch.route_index(&route);
        if let Some(record) = batch.records_mut().get_mut(index) {
            (record.route, record.key, record.value) = (route, Cell::Null, value);
        }
        Ok(true)
    }
}
