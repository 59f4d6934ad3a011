//! `InsertField`: topic, partition, offset, timestamp or a fixed text as new fields.

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Error, Field, Finding, Properties, Record, Result, Route, Schema, Type, Value,
    config::{Config, Rules},
    schema::logical,
};

use super::{
    reshape::Reshape,
    row::{entries, fill_defaults, put, take_cells, with_fields},
};

connect_core::config! {
    /// Insert field(s) using attributes from the record metadata or a configured static value.
    pub(super) struct InsertFieldConfig;
    group "Insert field" {
        /// Field name for Kafka topic. Suffix with <code>!</code> to make this a required field, or <code>?</code> to keep it optional (the default).
        topic: Option<String> = none, "topic.field", Medium;
        /// Field name for Kafka partition. Suffix with <code>!</code> to make this a required field, or <code>?</code> to keep it optional (the default).
        partition: Option<String> = none, "partition.field", Medium;
        /// Field name for Kafka offset - only applicable to sink connectors.<br/>Suffix with <code>!</code> to make this a required field, or <code>?</code> to keep it optional (the default).
        offset: Option<String> = none, "offset.field", Medium;
        /// Field name for record timestamp. Suffix with <code>!</code> to make this a required field, or <code>?</code> to keep it optional (the default).
        timestamp: Option<String> = none, "timestamp.field", Medium;
        /// Field name for static data field. Suffix with <code>!</code> to make this a required field, or <code>?</code> to keep it optional (the default).
        static_field: Option<String> = none, "static.field", Medium;
        /// Static field value, if field name configured.
        static_value: Option<String> = none, "static.value", Medium;
        /// Whether to replace fields that have a default value and that are null to the default value. When set to true, the default value is used, otherwise null is used.
        defaults: bool = "true", "replace.null.with.default", Medium;
    }
}

impl Rules for InsertFieldConfig {
    fn rules(&self) -> Vec<Finding> {
        let all = [&self.topic, &self.partition, &self.offset, &self.timestamp];
        match (&self.static_field, &self.static_value) {
            (Some(field), None) => {
                let why = format!("No value specified for static field: {field}");
                vec![Finding::invalid("static.value", "null", &why)]
            }
            (None, _) if all.iter().all(|field| field.is_none()) => {
                vec![Finding::error("", "No field insertion configured")]
            }
            _ => Vec::new(),
        }
    }
}

const PURPOSE: &str = "field insertion";

/// The transform.
pub(super) struct InsertField {
    inserted: Vec<Inserted>,
    defaults: bool,
    cells: Vec<Cell>,
}

/// A field to insert.
struct Inserted {
    name: Arc<str>,
    optional: bool,
    what: What,
}

#[derive(Clone)]
enum What {
    Topic,
    Partition,
    Offset,
    Timestamp,
    Fixed(String),
}

/// The old fields and the new schema.
pub(super) struct Plan {
    old: Arc<Schema>,
}

impl InsertField {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = InsertFieldConfig::parse(settings)?;
        let fixed = What::Fixed(config.static_value.unwrap_or_default());
        let all = [
            (config.topic, What::Topic),
            (config.partition, What::Partition),
            (config.offset, What::Offset),
            (config.timestamp, What::Timestamp),
            (config.static_field, fixed),
        ];
        let inserted = all.into_iter().filter_map(|(name, what)| {
            let name = name?;
            let optional = !name.ends_with('!');
            let name = name.strip_suffix(['!', '?']).unwrap_or(&name).into();
            Some(Inserted {
                name,
                optional,
                what,
            })
        });
        Ok(Self {
            inserted: inserted.collect(),
            defaults: config.defaults,
            cells: Vec::new(),
        })
    }
}

impl Inserted {
    fn field(&self, route: &Route) -> Field {
        let (ty, constant) = match &self.what {
            What::Topic => (Type::String, Some(route.topic().to_string())),
            What::Fixed(text) => (Type::String, Some(text.clone())),
            What::Partition => (Type::Int32, None),
            What::Offset | What::Timestamp => (Type::Int64, None),
        };
        let mut schema = Schema::of(ty);
        if matches!(self.what, What::Timestamp) {
            schema = schema.named(logical::TIMESTAMP, 1);
        }
        schema.optional = self.optional;
        match constant {
            Some(text) => Field::constant(Arc::clone(&self.name), schema, Value::Str(text)),
            None => Field::new(Arc::clone(&self.name), schema),
        }
    }

    /// The value of a record; `None` where it has none.
    fn number(&self, record: &Record) -> Result<Option<i64>> {
        let number = match self.what {
            What::Partition => i64::from(record.partition),
            What::Timestamp => record.timestamp_ms,
            What::Offset if record.offset < 0 => {
                return Err(Error::record(
                    "Only SinkRecord supported for [field insertion]",
                ));
            }
            _ => record.offset,
        };
        Ok((number >= 0).then_some(number))
    }

    fn cell(&self, record: &Record) -> Result<Cell> {
        if matches!(self.what, What::Topic | What::Fixed(_)) {
            return Ok(Cell::Const);
        }
        match self.number(record)? {
            Some(number) => Ok(Cell::Int(number)),
            None if self.optional => Ok(Cell::Null),
            None => Err(Error::record("Invalid value: null used for required field")
                .context("field", &self.name)),
        }
    }
}

impl Reshape for InsertField {
    type Plan = Plan;
    const PASSES_NULL: bool = true;

    fn compile(&self, schema: &Arc<Schema>, route: &Route) -> Result<(Arc<Schema>, Plan)> {
        let mut fields = schema.fields().to_vec();
        fields.extend(self.inserted.iter().map(|inserted| inserted.field(route)));
        let new = Arc::new(with_fields(schema, fields)?);
        let old = Arc::clone(schema);
        Ok((new, Plan { old }))
    }

    fn with_schema(
        &mut self,
        plan: &Plan,
        batch: &mut Batch,
        record: &Record,
        cell: Cell,
    ) -> Result<Cell> {
        take_cells(batch, &plan.old, cell, PURPOSE, &mut self.cells)?;
        if self.defaults {
            fill_defaults(batch, plan.old.fields(), &mut self.cells);
        }
        for inserted in &self.inserted {
            self.cells.push(inserted.cell(record)?);
        }
        Ok(batch.push_nest(&self.cells))
    }

    fn schemaless(&mut self, value: Value, batch: &Batch, record: &Record) -> Result<Value> {
        let mut entries = entries(value, PURPOSE)?;
        for inserted in &self.inserted {
            let value = match &inserted.what {
                What::Topic => {
                    let topic = batch
                        .route(record.route)
                        .map(|route| route.topic().to_string());
                    Value::Str(topic.unwrap_or_default())
                }
                What::Fixed(text) => Value::Str(text.clone()),
                _ => match inserted.number(record)? {
                    Some(number) => Value::Int(number),
                    None => continue,
                },
            };
            put(&mut entries, &inserted.name, value);
        }
        Ok(Value::Map(entries))
    }
}
