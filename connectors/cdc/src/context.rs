//! The headers that say which connector a record comes from (`extended.headers.enabled`).

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use connect_core::{Batch, Header, Schema, Type};

/// What all records of a task say of it. Debezium's order.
const NAMES: [&str; 4] = [
    "__debezium.context.connectorLogicalName",
    "__debezium.context.taskId",
    "__debezium.context.connectorName",
    "__debezium.context.runId",
];

/// The context of a running task.
#[derive(Debug, Clone)]
pub struct Context {
    names: [Arc<str>; NAMES.len()],
    values: [Arc<str>; NAMES.len()],
    schema: Arc<Schema>,
}

impl Context {
    /// Of a task: its `topic.prefix`, its number, the kind of connector (`postgresql`). Each has a run id of its own.
    pub fn new(logical_name: &str, task: u32, connector: &str) -> Self {
        Self {
            names: NAMES.map(Arc::from),
            values: [
                logical_name.into(),
                task.to_string().into(),
                connector.into(),
                run_id().into(),
            ],
            schema: Arc::new(Schema::of(Type::String)),
        }
    }

    /// Its headers; their values go into the batch.
    pub fn headers(&self, out: &mut Batch) -> [Header; NAMES.len()] {
        std::array::from_fn(|at| Header {
            name: Arc::clone(&self.names[at]),
            schema: Some(Arc::clone(&self.schema)),
            value: out.push_bytes(self.values[at].as_bytes()),
        })
    }
}

/// A UUID of version 7: the time, and random bits (<https://www.rfc-editor.org/rfc/rfc9562#section-5.7>).
fn run_id() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    // 48 bits are enough for 8,000 years.
    let millis = now.as_millis() as u64 & 0xffff_ffff_ffff;
    // Its keys come from the system's source of randomness.
    let random = || RandomState::new().build_hasher().finish();
    let (high, low) = (random(), random());
    format!(
        "{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}",
        millis >> 16,
        millis & 0xffff,
        high & 0xfff,
        0x8000 | (high >> 12) & 0x3fff,
        low & 0xffff_ffff_ffff,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_core::{Cell, Record, Route};

    #[test]
    fn records_say_where_they_come_from() {
        let mut batch = Batch::default();
        let headers = Context::new("shop", 0, "postgresql").headers(&mut batch);
        let route = batch.route_index(&Route::new("t", None, None));
        batch.push_with_headers(Record::new(route, Cell::Null, Cell::Null), &headers);
        let row = batch.row(0).unwrap();
        let texts: Vec<(&str, String)> = row
            .headers()
            .map(|(name, value)| (&**name, value.text().unwrap().into_owned()))
            .collect();
        assert_eq!(texts[0], (NAMES[0], "shop".to_owned()));
        assert_eq!(texts[1], (NAMES[1], "0".to_owned()));
        assert_eq!(texts[2], (NAMES[2], "postgresql".to_owned()));
        assert_eq!(texts[3].0, NAMES[3]);
    }

    #[test]
    fn every_run_has_an_id_of_its_own() {
        let (one, other) = (run_id(), run_id());
        assert_ne!(one, other);
        let form = regex::Regex::new(
            "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
        );
        assert!(form.unwrap().is_match(&one), "{one}");
    }
}
