//! Debezium's `ExtractSchemaToNewRecord`: events with a field more, which tells the columns of their table. It has no properties.

use std::sync::Arc;

use connect_core::{Batch, Cell, Error, Field, Record, Result, Route, Schema, Type, Value};

use super::{
    compiled::Compiled,
    event_router::is_envelope,
    events::EachEvent,
    reshape::is_null,
    row::{fill_defaults, take_cells, with_fields},
    side::Side,
};

const PURPOSE: &str = "telling columns";

/// The transform.
#[derive(Default)]
pub(super) struct ExtractSchema {
    compiled: Compiled<Result<Plan>>,
}

struct Plan {
    old: Arc<Schema>,
    new: Arc<Route>,
}

impl Plan {
    /// The field is the same in all events of a route, so that it is a constant. As in Debezium the first event names the table.
    fn new(route: &Route, schema: &Arc<Schema>, table: &str) -> Result<Self> {
        let (_, after) = schema
            .field("after")
            .ok_or_else(|| Error::record("An event has no field after"))?;
        let columns: Result<Vec<Value>> = after.schema.fields().iter().map(column).collect();
        let told = map([
            ("id", Value::Str(table.to_owned())),
            ("table", map([("columns", Value::Array(columns?))])),
        ]);
        let mut fields = schema.fields().to_vec();
        fields.push(Field::constant("sourceSchema", source_schema(), told));
        let mut new = with_fields(schema, fields)?;
        new.optional = schema.optional;
        Ok(Self {
            old: Arc::clone(schema),
            new: Side::Value.reroute(route, Some(Arc::new(new))),
        })
    }
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let entries = entries.map(|(name, value)| (name.to_owned(), value));
    Value::Map(entries.into())
}

/// What Debezium's `SchemaFactory` makes for it.
fn source_schema() -> Schema {
    let text = || Schema::of(Type::String);
    let number = || Schema::of(Type::Int32).optional();
    let named = |name: &str, fields: Vec<Field>| Schema::structure(fields).named(name, 1);
    let column = named(
        "io.debezium.connector.source.schema.Column",
        vec![
            Field::new("name", text()),
            Field::new("typeName", text()),
            Field::new("length", number()),
            Field::new("scale", number()),
            Field::new("comment", text().optional()),
        ],
    );
    let columns = Schema::of(Type::Array(Arc::new(column)));
    let table = named(
        "io.debezium.connector.source.schema.Table",
        vec![Field::new("columns", columns)],
    );
    let fields = vec![Field::new("id", text()), Field::new("table", table)];
    named("io.debezium.connector.source.Schema", fields)
}

fn column(field: &Field) -> Result<Value> {
    let told = |what: &str| {
        let name = format!("__debezium.source.column.{what}");
        field.schema.parameter_value(&name)
    };
    let text = |what| told(what).map_or(Value::Null, |text| Value::Str(text.to_owned()));
    let (Some(_), Some(_)) = (told("name"), told("type")) else {
        let err = Error::record(
            "A field does not tell its column: set column.propagate.source.type or datatype.propagate.source.type to .* in the source",
        );
        return Err(err.context("field", &field.name));
    };
    Ok(map([
        ("name", text("name")),
        ("typeName", text("type")),
        ("length", number(told("length"))?),
        ("scale", number(told("scale"))?),
        ("comment", text("comment")),
    ]))
}

fn number(text: Option<&str>) -> Result<Value> {
    let Some(text) = text else {
        return Ok(Value::Null);
    };
    let number = text.parse::<i32>();
    let number =
        number.map_err(|_| Error::record("The length or scale of a column is no number"))?;
    Ok(Value::Int(number.into()))
}

/// The table's name in the `source` of an event that has a row.
fn table(batch: &Batch, index: usize) -> Option<Result<String>> {
    let event = batch.row(index)?.value();
    let has = |row| event.get(row).is_some_and(|row| !row.is_null());
    let table = event
        .get("source")
        .and_then(|source| source.get("table")?.text());
    let table = table.map(|table| table.into_owned());
    (has("before") || has("after"))
        .then(|| table.ok_or_else(|| Error::record("The source of an event names no table")))
}

impl EachEvent for ExtractSchema {
    fn next_batch(&mut self) {
        self.compiled.next_batch();
    }

    fn each(&mut self, batch: &mut Batch, index: usize) -> Result<bool> {
        let Some(&record) = batch.records().get(index) else {
            return Ok(true);
        };
        let schema = batch.route(record.route).and_then(|route| route.value());
        let schema = schema.filter(|schema| is_envelope(schema)).cloned();
        let Some(schema) = schema.filter(|_| !is_null(batch, record.value)) else {
            return Ok(true);
        };
        let Some(table) = table(batch, index).transpose()? else {
            return Ok(true);
        };
        let compiled = self.compiled.of(batch, record.route, |route| {
            Plan::new(route, &schema, &table)
        });
        match compiled.as_deref() {
            Some(Ok(plan)) => change(batch, index, record, plan)?,
            Some(Err(err)) => return Err(err.clone()),
            None => {}
        }
        Ok(true)
    }
}

fn change(batch: &mut Batch, index: usize, record: Record, plan: &Plan) -> Result<()> {
    let mut cells = Vec::new();
    take_cells(batch, &plan.old, record.value, PURPOSE, &mut cells)?;
    fill_defaults(batch, plan.old.fields(), &mut cells);
    cells.push(Cell::Const);
    let value = batch.push_nest(&cells);
    let route = batch.route_index(&plan.new);
    if let Some(record) = batch.records_mut().get_mut(index) {
        (record.value, record.route) = (value, route);
    }
    Ok(())
}
