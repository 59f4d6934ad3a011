//! Transaction metadata: the block in each record, and the topic of begins and ends (`provide.transaction.metadata`).

use std::sync::Arc;

use connect_core::{Batch, Cell, Field, Record, Route, Schema, Type};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use crate::{adjust::Adjustment, java_order::JavaOrder};

/// The keys of offsets, as Debezium has them.
const ID: &str = "transaction_id";
const ORDER: &str = "transaction_data_collection_order_";

/// How many events a transaction has had so far, by table.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    id: String,
    total: i64,
    tables: Vec<(Arc<str>, i64)>,
    index: FxHashMap<Arc<str>, usize>,
    /// The table that was counted last.
    last: usize,
}

impl PartialEq for Counts {
    fn eq(&self, other: &Self) -> bool {
        (&self.id, &self.tables) == (&other.id, &other.tables)
    }
}

impl Eq for Counts {}

impl Counts {
    /// Of a transaction that begins; `id` as offsets have it.
    pub fn new(id: String) -> Self {
        Self {
            id,
            ..Self::default()
        }
    }

    /// The transaction's id, as offsets have it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Counts an event of a table. Gives its number in the transaction, and among those of its table, both from 1.
    #[inline]
    pub fn count(&mut self, table: &Arc<str>) -> (i64, i64) {
        let is_last =
            (self.tables.get(self.last)).is_some_and(|(name, _)| Arc::ptr_eq(name, table));
        if !is_last {
            self.last = self.place(table);
        }
        self.total += 1;
        let Some((_, count)) = self.tables.get_mut(self.last) else {
            return (self.total, 0);
        };
        *count += 1;
        (self.total, *count)
    }

    fn place(&mut self, table: &Arc<str>) -> usize {
        let tables = &mut self.tables;
        *self.index.entry(Arc::clone(table)).or_insert_with(|| {
            tables.push((Arc::clone(table), 0));
            tables.len() - 1
        })
    }

    /// Appends its keys to those of a JSON object, a comma before each.
    pub fn write(&self, prefix: &str, json: &mut String) {
        let mut add = |key: &str, value: Value| {
            let key = Value::from(format!("{prefix}{key}"));
            json.push_str(&format!(",{key}:{value}"));
        };
        add(ID, Value::from(self.id.as_str()));
        for (table, count) in &self.tables {
            add(&format!("{ORDER}{table}"), Value::from(*count));
        }
    }

    /// Reads them from an offset; `None` when no transaction was open.
    pub fn read(prefix: &str, offset: &Map<String, Value>) -> Option<Self> {
        let id = offset.get(&format!("{prefix}{ID}"))?.as_str()?;
        let mut counts = Self::new(id.to_owned());
        let order = format!("{prefix}{ORDER}");
        for (key, value) in offset {
            if let (Some(table), Some(count)) = (key.strip_prefix(&order), value.as_i64()) {
                let at = counts.place(&table.into());
                if let Some(entry) = counts.tables.get_mut(at) {
                    entry.1 = count;
                }
                counts.total = counts.total.saturating_add(count);
            }
        }
        Some(counts)
    }
}

/// The topic of transactions.
#[derive(Debug)]
pub struct TransactionTopic {
    route: Arc<Route>,
    order: JavaOrder,
}

impl TransactionTopic {
    /// The topic of this name.
    pub fn new(topic: Arc<str>, names: Adjustment) -> Self {
        let text = || Schema::of(Type::String);
        let int = || Schema::of(Type::Int64);
        let name = |part: &str| {
            names.schema(&format!(
                "io.debezium.connector.common.TransactionMetadata{part}"
            ))
        };
        let key = Schema::structure([Field::new("id", text())]).named(name("Key"), 1);
        let collection = Schema::structure([
            Field::new("data_collection", text()),
            Field::new("event_count", int()),
        ])
        .named("event.collection", 1)
        .optional();
        let collections = Schema::of(Type::Array(Arc::new(collection))).optional();
        let value = Schema::structure([
            Field::new("status", text()),
            Field::new("id", text()),
            Field::new("event_count", int().optional()),
            Field::new("data_collections", collections),
            Field::new("ts_ms", int()),
        ])
        .named(name("Value"), 1);
        Self {
            route: Route::new(topic, Some(Arc::new(key)), Some(Arc::new(value))),
            order: JavaOrder::default(),
        }
    }

    /// Appends the record of a begin; `id` as records show it.
    pub fn begin(&self, id: &str, ts_ms: i64, out: &mut Batch) {
        let (status, id) = (out.push_bytes(b"BEGIN"), out.push_bytes(id.as_bytes()));
        let value = [status, id, Cell::Null, Cell::Null, Cell::Int(ts_ms)];
        self.push(id, &value, out);
    }

    /// Appends the record of an end.
    pub fn end(&mut self, id: &str, ts_ms: i64, counts: &Counts, out: &mut Batch) {
        let (status, id) = (out.push_bytes(b"END"), out.push_bytes(id.as_bytes()));
        let names = counts.tables.iter().map(|(name, _)| &**name);
        let collections: Vec<Cell> = (self.order.of(names).into_iter())
            .filter_map(|at| counts.tables.get(at))
            .map(|(name, count)| {
                let name = out.push_bytes(name.as_bytes());
                out.push_nest(&[name, Cell::Int(*count)])
            })
            .collect();
        let collections = out.push_nest(&collections);
        let total = Cell::Int(counts.total);
        let value = [status, id, total, collections, Cell::Int(ts_ms)];
        self.push(id, &value, out);
    }

    fn push(&self, id: Cell, value: &[Cell], out: &mut Batch) {
        let route = out.route_index(&self.route);
        let (key, value) = (out.push_nest(&[id]), out.push_nest(value));
        out.push(Record::new(route, key, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_in_all_and_by_table() {
        let [a, b] = ["public.a", "public.b"].map(Arc::<str>::from);
        let mut counts = Counts::new("7".into());
        assert_eq!(counts.count(&a), (1, 1));
        assert_eq!(counts.count(&b), (2, 1));
        assert_eq!(counts.count(&a), (3, 2));
        assert_eq!(counts.count(&"public.a".into()), (4, 3), "by name");
    }

    #[test]
    fn counts_come_back_from_offsets() {
        let mut counts = Counts::new("7".into());
        counts.count(&"public.\"a".into());
        counts.count(&"public.b".into());
        let mut json = "{\"lsn\":1".to_owned();
        counts.write("", &mut json);
        counts.write("ahead_", &mut json);
        json.push('}');
        let object: Map<String, Value> = serde_json::from_str(&json).unwrap();
        for prefix in ["", "ahead_"] {
            let mut read = Counts::read(prefix, &object).unwrap();
            assert_eq!(read, counts);
            assert_eq!(read.count(&"public.b".into()), (3, 2));
        }
        let of_debezium =
            r#"{"transaction_id":"571","transaction_data_collection_order_public.t":3,"lsn":1}"#;
        let object = serde_json::from_str(of_debezium).unwrap();
        let mut read = Counts::read("", &object).unwrap();
        assert_eq!(read.count(&"public.t".into()), (4, 4));
        assert_eq!(read.id(), "571");
        let none = serde_json::from_str(r#"{"transaction_id":null,"lsn":1}"#).unwrap();
        assert_eq!(Counts::read("", &none), None);
    }

    #[test]
    fn begins_and_ends_are_records() {
        let mut topic = TransactionTopic::new("shop.transaction".into(), Adjustment::None);
        let mut batch = Batch::default();
        let mut counts = Counts::new("7".into());
        counts.count(&"public.a".into());
        topic.begin("7:100", 42, &mut batch);
        topic.end("7:200", 42, &counts, &mut batch);
        let [begin, end] = [0, 1].map(|at| batch.row(at).unwrap());
        assert_eq!(begin.key().get("id").unwrap().text().unwrap(), "7:100");
        assert!(begin.value().get("event_count").unwrap().is_null());
        assert_eq!(end.value().get("status").unwrap().text().unwrap(), "END");
        assert_eq!(end.value().get("event_count").unwrap().int(), Some(1));
    }
}
