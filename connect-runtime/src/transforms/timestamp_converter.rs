//! `TimestampConverter`: a point in time in another form.

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Datum, Field, Finding, Properties, Record, Result, Route, Schema, Value,
    config::{Config, Rules},
};

use super::{
    java_date::JavaDate,
    reshape::Reshape,
    row::{datum_of, entries, fill_defaults, put, take_cells, with_fields},
    timestamp::{Forms, Precision, Shape},
};

connect_core::config! {
    /// Convert timestamps between different formats such as Unix epoch, strings, and Connect Date/Timestamp types.
    pub(super) struct TimestampConverterConfig;
    group "Timestamp converter" {
        /// The field containing the timestamp, or empty if the entire value is a timestamp
        field: String = "", "field", High;
        /// The desired timestamp representation: string, unix, Date, Time, or Timestamp
        target: String = required, "target.type", High;
        /// A SimpleDateFormat-compatible format for the timestamp. Used to generate the output when type=string or used to parse the input if the input is a string.
        format: String = "", "format", Medium;
        /// The desired Unix precision for the timestamp: seconds, milliseconds, microseconds, or nanoseconds. Used to generate the output when type=unix or used to parse the input if the input is a Long.Note: This SMT will cause precision loss during conversions from, and to, values with sub-millisecond components.
        precision: Precision = "milliseconds", "unix.precision", Low;
        /// Whether to replace fields that have a default value and that are null to the default value. When set to true, the default value is used, otherwise null is used.
        defaults: bool = "true", "replace.null.with.default", Medium;
    }
}

impl Rules for TimestampConverterConfig {
    fn rules(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let target = Shape::named(&self.target);
        if target.is_none() {
            let why = "String must be one of: string, unix, Date, Time, Timestamp";
            findings.push(Finding::invalid("target.type", &self.target, why));
        }
        if self.format.trim().is_empty() {
            if target == Some(Shape::Text) {
                let why = "TimestampConverter requires format option to be specified when using string timestamps";
                findings.push(Finding::error("format", why));
            }
        } else if let Err(why) = JavaDate::new(&self.format) {
            let pattern = &self.format;
            let why = format!(
                "TimestampConverter requires a SimpleDateFormat-compatible pattern for string timestamps: {pattern}: {why}"
            );
            findings.push(Finding::error("format", why));
        }
        findings
    }
}

const PURPOSE: &str = "converting timestamp formats";

/// The transform.
pub(super) struct TimestampConverter {
    field: String,
    target: Shape,
    forms: Forms,
    defaults: bool,
    cells: Vec<Cell>,
}

/// What is converted: the value itself, or one of its fields.
pub(super) struct Plan {
    old: Arc<Schema>,
    new: Arc<Schema>,
    what: What,
}

enum What {
    Value(Shape),
    Field {
        at: usize,
        from: Shape,
    },
    /// The field is not there.
    Nothing,
}

impl TimestampConverter {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = TimestampConverterConfig::parse(settings)?;
        let date = JavaDate::new(&config.format).ok();
        Ok(Self {
            target: Shape::named(&config.target).unwrap_or(Shape::Timestamp),
            forms: Forms {
                date: date.filter(|_| !config.format.trim().is_empty()),
                precision: config.precision,
            },
            field: config.field,
            defaults: config.defaults,
            cells: Vec::new(),
        })
    }

    fn converted_default(&self, schema: &Schema, from: Shape) -> Result<Option<Value>> {
        let Some(Value::Map(entries)) = &schema.default else {
            return Ok(None);
        };
        let mut entries = entries.clone();
        let known = entries.iter_mut().find(|(name, _)| *name == self.field);
        if let Some((_, value)) = known {
            let child = schema.field(&self.field).map(|(_, field)| &field.schema);
            *value = self
                .forms
                .convert(Datum::of_value(child, value), Some(from), self.target)?;
        }
        Ok(Some(Value::Map(entries)))
    }
}

impl Reshape for TimestampConverter {
    type Plan = Plan;
    const PASSES_NULL: bool = true;

    fn compile(&self, schema: &Arc<Schema>, _route: &Route) -> Result<(Arc<Schema>, Plan)> {
        let old = Arc::clone(schema);
        if self.field.is_empty() {
            let what = What::Value(Shape::of(schema)?);
            let new = Arc::new(self.target.schema(schema.optional));
            return Ok((Arc::clone(&new), Plan { old, new, what }));
        }
        let Some((at, field)) = schema.field(&self.field) else {
            let what = What::Nothing;
            return Ok((
                Arc::clone(schema),
                Plan {
                    new: Arc::clone(&old),
                    old,
                    what,
                },
            ));
        };
        let from = Shape::of(&field.schema)?;
        let mut fields = schema.fields().to_vec();
        if let Some(place) = fields.get_mut(at) {
            let new = self.target.schema(field.schema.optional);
            *place = Field::new(Arc::clone(&field.name), new);
        }
        let mut new = with_fields(schema, fields)?;
        new.optional = schema.optional;
        new.default = self.converted_default(schema, from)?;
        let new = Arc::new(new);
        let what = What::Field { at, from };
        Ok((Arc::clone(&new), Plan { old, new, what }))
    }

    fn with_schema(
        &mut self,
        plan: &Plan,
        batch: &mut Batch,
        _record: &Record,
        cell: Cell,
    ) -> Result<Cell> {
        if let What::Value(from) = plan.what {
            let datum = Datum::of(batch, Some(&plan.old), cell);
            let value = self.forms.convert(datum, Some(from), self.target)?;
            return Ok(batch.push_value(&value, Some(&plan.new)));
        }
        take_cells(batch, &plan.old, cell, PURPOSE, &mut self.cells)?;
        if self.defaults {
            fill_defaults(batch, plan.old.fields(), &mut self.cells);
        }
        if let What::Field { at, from } = plan.what {
            let fields = (plan.old.fields().get(at), plan.new.fields().get(at));
            if let ((Some(old), Some(new)), Some(cell)) = (fields, self.cells.get_mut(at)) {
                let value =
                    self.forms
                        .convert(datum_of(batch, old, *cell), Some(from), self.target)?;
                *cell = batch.push_value(&value, Some(&new.schema));
            }
        }
        Ok(batch.push_nest(&self.cells))
    }

    fn schemaless(&mut self, value: Value, _batch: &Batch, _record: &Record) -> Result<Value> {
        if self.field.is_empty() {
            return self
                .forms
                .convert(Datum::of_value(None, &value), None, self.target);
        }
        let mut entries = entries(value, PURPOSE)?;
        let known = entries.iter().find(|(name, _)| *name == self.field);
        let value = known.map_or(&Value::Null, |(_, value)| value);
        let value = self
            .forms
            .convert(Datum::of_value(None, value), None, self.target)?;
        put(&mut entries, &self.field, value);
        Ok(Value::Map(entries))
    }
}
