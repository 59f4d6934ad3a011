//! Debezium's `ReadToInsertEvent`: rows of a snapshot as if they had just been inserted.

use std::sync::Arc;

use connect_core::{Batch, Cell, Datum, Result};

use super::{event_router::is_envelope, events::EachEvent};

/// The transform. It has no properties.
pub(super) struct ReadToInsert;

impl EachEvent for ReadToInsert {
    fn each(&mut self, batch: &mut Batch, index: usize) -> Result<bool> {
        let Some(&record) = batch.records().get(index) else {
            return Ok(true);
        };
        let route = batch.route(record.route);
        let schema = route.and_then(|route| route.value()).map(Arc::clone);
        let Some(schema) = schema.filter(|schema| is_envelope(schema)) else {
            return Ok(true);
        };
        let value = match record.value {
            Cell::Free(free) => {
                let value = batch.free(free).clone();
                batch.push_value(&value, Some(&schema))
            }
            value => value,
        };
        let op = Datum::of(batch, Some(&schema), value).get("op");
        let is_read = op.and_then(Datum::text).is_some_and(|op| op == "r");
        let (Cell::Nest(nest), Some((at, _)), true) = (value, schema.field("op"), is_read) else {
            return Ok(true);
        };
        let mut cells = batch.cells(nest).to_vec();
        let created = batch.push_bytes(b"c");
        if let Some(op) = cells.get_mut(at) {
            *op = created;
        }
        let value = batch.push_nest(&cells);
        if let Some(record) = batch.records_mut().get_mut(index) {
            record.value = value;
        }
        Ok(true)
    }
}
