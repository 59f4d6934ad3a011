//! Changes of one table, and the records that a source would write for them.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    Batch, Cell, Field, Form, Record, Route, Schema, Type, Value, datum::Datum, json,
    schema::logical,
};

/// What a destination holds: by id, each field that is not null, as text (see [`json::write_plain`]).
pub type State = BTreeMap<String, BTreeMap<String, String>>;

/// One change of the table, whose columns are `id`, `name`, `price`, `at`, `note` and `doc`.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The row is now so. A column that is not named is absent: the source did not send it.
    Put(i64, Vec<(&'static str, Value)>),
    /// The row is gone: an event with the old key, then a tombstone.
    Delete(i64),
    /// The row is gone: a tombstone alone.
    Tombstone(i64),
    /// The table was emptied; only an envelope can say so.
    Truncate,
    /// A record without a key, which every sink must refuse.
    Poison,
}

/// In which form the records come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Debezium's envelope.
    Envelope,
    /// The row alone.
    Flat,
}

/// The routes of the table.
#[derive(Debug)]
pub struct Table {
    shape: Shape,
    row: Arc<Schema>,
    route: Arc<Route>,
    grave: Arc<Route>,
}

impl Table {
    /// A table whose records go to `topic`.
    pub fn new(topic: &str, shape: Shape) -> Self {
        let key = Arc::new(
            Schema::structure([Field::new("id", Schema::of(Type::Int64))]).titled("shop.item.Key"),
        );
        let row = Arc::new(row());
        let value = match shape {
            Shape::Flat => Arc::clone(&row),
            Shape::Envelope => Arc::new(envelope(&row)),
        };
        Self {
            shape,
            row,
            route: Route::new(topic, Some(Arc::clone(&key)), Some(value)),
            grave: Route::new(topic, Some(key), None),
        }
    }

    /// Its topic.
    pub fn topic(&self) -> &Arc<str> {
        self.route.topic()
    }

    /// The records of changes; the first has the offset `from`. A delete is one record, or (as an envelope) two.
    pub fn batch(&self, changes: &[Change], from: i64) -> Batch {
        let mut batch = Batch::default();
        for (at, change) in changes.iter().enumerate() {
            // Two offsets for each change, so that a change has the same ones in every batch.
            self.push(change, from + 2 * at as i64, &mut batch);
        }
        batch
    }

    fn push(&self, change: &Change, offset: i64, batch: &mut Batch) {
        match change {
            Change::Put(id, columns) => {
                let value = self.value("u", None, Some(full(*id, columns)));
                self.push_record(Some(*id), Some(value), offset, batch);
            }
            Change::Poison => {
                let value = self.value("c", None, Some(full(0, &[])));
                self.push_record(None, Some(value), offset, batch);
            }
            Change::Delete(id) => {
                if self.shape == Shape::Envelope {
                    let before = Value::Map(vec![("id".into(), Value::Int(*id))]);
                    let value = self.value("d", Some(before), None);
                    self.push_record(Some(*id), Some(value), offset, batch);
                }
                self.push_record(Some(*id), None, offset + 1, batch);
            }
            Change::Tombstone(id) => self.push_record(Some(*id), None, offset, batch),
            Change::Truncate => {
                let value = self.value("t", None, None);
                self.push_record(None, Some(value), offset, batch);
            }
        }
    }

    fn value(&self, op: &str, before: Option<Value>, after: Option<Value>) -> Value {
        let source = Value::Map(vec![
            ("lsn".into(), Value::Int(1)),
            ("table".into(), "item".into()),
        ]);
        match self.shape {
            Shape::Flat => after.unwrap_or(Value::Null),
            Shape::Envelope => Value::Map(vec![
                ("before".into(), before.unwrap_or(Value::Null)),
                ("after".into(), after.unwrap_or(Value::Null)),
                ("source".into(), source),
                ("op".into(), op.into()),
            ]),
        }
    }

    fn push_record(&self, id: Option<i64>, value: Option<Value>, offset: i64, batch: &mut Batch) {
        let route = match value {
            Some(_) => &self.route,
            None => &self.grave,
        };
        let at = batch.route_index(route);
        let key = match id {
            Some(id) => batch.push_nest(&[Cell::Int(id)]),
            None => Cell::Null,
        };
        let schema = route.value().map(|s| &**s);
        let value = value.map_or(Cell::Null, |value| batch.push_value(&value, schema));
        let mut record = Record::new(at, key, value);
        (record.partition, record.offset) = (0, offset);
        record.timestamp_ms = 1_700_000_000_000 + offset;
        batch.push(record);
    }

    /// What a destination must hold after a change.
    pub fn apply(&self, change: &Change, state: &mut State) {
        match change {
            Change::Put(id, columns) => {
                let fields = state.entry(id.to_string()).or_default();
                fields.insert("id".into(), id.to_string());
                for (name, value) in columns {
                    match self.text(name, value) {
                        Some(text) => fields.insert((*name).into(), text),
                        None => fields.remove(*name),
                    };
                }
            }
            Change::Delete(id) | Change::Tombstone(id) => _ = state.remove(&id.to_string()),
            Change::Truncate => state.clear(),
            Change::Poison => {}
        }
    }

    /// A value as text, as it stands in a [`State`].
    fn text(&self, name: &str, value: &Value) -> Option<String> {
        let (_, field) = self.row.field(name)?;
        let mut batch = Batch::default();
        let cell = batch.push_value(value, Some(&field.schema));
        let mut out = Vec::new();
        let datum = Datum::of(&batch, Some(&field.schema), cell);
        json::write_plain(datum, json::Style::default(), &mut out)
            .then(|| String::from_utf8_lossy(&out).into_owned())
    }
}

/// All columns of the table but its key, null.
pub fn nulls() -> Vec<(&'static str, Value)> {
    ["name", "price", "at", "note", "doc"]
        .map(|name| (name, Value::Null))
        .to_vec()
}

fn full(id: i64, columns: &[(&'static str, Value)]) -> Value {
    let mut entries = vec![("id".to_owned(), Value::Int(id))];
    for (name, _) in nulls() {
        let given = columns.iter().find(|(n, _)| *n == name);
        let value = given.map_or(Value::Absent, |(_, value)| value.clone());
        entries.push((name.to_owned(), value));
    }
    Value::Map(entries)
}

fn row() -> Schema {
    let text = || Schema::of(Type::String).optional();
    Schema::structure([
        Field::new("id", Schema::of(Type::Int64)),
        Field::new("name", text()),
        Field::new(
            "price",
            Schema::of(Type::Bytes)
                .named(logical::DECIMAL, 1)
                .parameter("scale", "2")
                .form(Form::DecimalText)
                .optional(),
        ),
        Field::new(
            "at",
            Schema::of(Type::Int64)
                .named("io.debezium.time.MicroTimestamp", 1)
                .optional(),
        ),
        Field::new("note", text()),
        Field::new("doc", text().named(json::JSON, 1)),
    ])
    .titled("shop.item.Value")
    .optional()
}

fn envelope(row: &Arc<Schema>) -> Schema {
    let source = Schema::structure([
        Field::new("lsn", Schema::of(Type::Int64)),
        Field::new("table", Schema::of(Type::String)),
    ]);
    Schema::structure([
        Field::new("before", Arc::clone(row)),
        Field::new("after", Arc::clone(row)),
        Field::new("source", source),
        Field::new("op", Schema::of(Type::String)),
    ])
    .named("shop.item.Envelope", 1)
}
