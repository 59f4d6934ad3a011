//! `MaskField`: fields replaced by an empty value of their type, or by a fixed one.

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Error, Finding, Form, Properties, Record, Result, Route, Schema, Type, Value,
    config::{Config, List, Rules},
    decimal::scale_of,
    schema::logical,
};

use super::{
    reshape::Reshape,
    row::{entries, fill_defaults, put, take_cells},
};

connect_core::config! {
    /// Mask specified fields with a valid null value for the field type (i.e. 0, false, empty string, and so on).
    pub(super) struct MaskFieldConfig;
    group "Mask field" {
        /// Names of fields to mask.
        fields: List = required, "fields", High;
        /// Custom value replacement, that will be applied to all 'fields' values (numeric or non-empty string values only).
        replacement: Option<String> = none, "replacement", Low;
        /// Whether to replace fields that have a default value and that are null to the default value. When set to true, the default value is used, otherwise null is used.
        defaults: bool = "true", "replace.null.with.default", Medium;
    }
}

impl Rules for MaskFieldConfig {
    fn rules(&self) -> Vec<Finding> {
        match self.fields.0.is_empty() {
            true => vec![Finding::invalid("fields", "[]", "Empty list")],
            false => Vec::new(),
        }
    }
}

const PURPOSE: &str = "mask fields";

/// The transform.
pub(super) struct MaskField {
    fields: Vec<String>,
    replacement: Option<String>,
    defaults: bool,
    cells: Vec<Cell>,
}

/// What each masked field becomes.
pub(super) struct Plan {
    schema: Arc<Schema>,
    masks: Vec<(usize, Result<Value>)>,
}

impl MaskField {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = MaskFieldConfig::parse(settings)?;
        Ok(Self {
            fields: config.fields.0,
            replacement: config.replacement,
            defaults: config.defaults,
            cells: Vec::new(),
        })
    }

    fn mask(&self, schema: &Schema) -> Result<Value> {
        match &self.replacement {
            None => empty(schema),
            Some(text) => replaced(schema, text),
        }
    }

    /// The type of a schemaless value is known by its looks alone.
    fn mask_free(&self, value: &Value) -> Result<Value> {
        let schema = Schema::of(match value {
            Value::Null | Value::Absent => return Ok(value.clone()),
            Value::Bool(_) => Type::Bool,
            Value::Int(_) | Value::Digits(_) => Type::Int64,
            Value::Float(_) => Type::Float64,
            Value::Str(_) => Type::String,
            Value::Bytes(_) => Type::Bytes,
            Value::Array(_) if self.replacement.is_none() => return Ok(Value::Array(Vec::new())),
            Value::Map(_) if self.replacement.is_none() => return Ok(Value::Map(Vec::new())),
            _ => return Err(cannot()),
        });
        self.mask(&schema)
    }
}

impl Reshape for MaskField {
    type Plan = Plan;
    const PASSES_NULL: bool = true;

    fn compile(&self, schema: &Arc<Schema>, _route: &Route) -> Result<(Arc<Schema>, Plan)> {
        let fields = schema.fields().iter().enumerate();
        let masked =
            fields.filter(|(_, field)| self.fields.iter().any(|name| **name == *field.name));
        let masks = masked
            .map(|(at, field)| (at, self.mask(&field.schema)))
            .collect();
        let plan = Plan {
            schema: Arc::clone(schema),
            masks,
        };
        Ok((Arc::clone(schema), plan))
    }

    fn with_schema(
        &mut self,
        plan: &Plan,
        batch: &mut Batch,
        _record: &Record,
        cell: Cell,
    ) -> Result<Cell> {
        take_cells(batch, &plan.schema, cell, PURPOSE, &mut self.cells)?;
        let fields = plan.schema.fields();
        if self.defaults {
            fill_defaults(batch, fields, &mut self.cells);
        }
        for (at, mask) in &plan.masks {
            let (Some(field), Some(cell)) = (fields.get(*at), self.cells.get_mut(*at)) else {
                continue;
            };
            if matches!(cell, Cell::Null | Cell::Absent) {
                continue;
            }
            *cell = match mask {
                Ok(value) => batch.push_value(value, Some(&field.schema)),
                Err(err) => return Err(err.clone()),
            };
        }
        Ok(batch.push_nest(&self.cells))
    }

    fn schemaless(&mut self, value: Value, _batch: &Batch, _record: &Record) -> Result<Value> {
        let mut entries = entries(value, PURPOSE)?;
        for name in &self.fields {
            let known = entries.iter().find(|(known, _)| known == name);
            let masked = match known {
                Some((_, value)) => self.mask_free(value)?,
                None => Value::Null,
            };
            put(&mut entries, name, masked);
        }
        Ok(Value::Map(entries))
    }
}

/// Zero, false, nothing.
fn empty(schema: &Schema) -> Result<Value> {
    Ok(match schema.ty {
        Type::Bool => Value::Bool(false),
        Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64 => Value::Int(0),
        Type::Float32 | Type::Float64 => Value::Float(0.0),
        Type::String => Value::Str(String::new()),
        Type::Bytes if scale_of(schema).is_some() => Value::Bytes(vec![0]),
        Type::Array(_) => Value::Array(Vec::new()),
        Type::Map(..) => Value::Map(Vec::new()),
        Type::Bytes | Type::Struct(_) => return Err(cannot()),
    })
}

fn replaced(schema: &Schema, text: &str) -> Result<Value> {
    let whole = |least: i64, most: i64| {
        let number = text.trim().parse().ok();
        let number = number.filter(|number: &i64| (least..=most).contains(number));
        number.map(Value::Int).ok_or_else(not_number)
    };
    let is_date = [logical::DATE, logical::TIME, logical::TIMESTAMP]
        .iter()
        .any(|name| schema.is(name));
    match schema.ty {
        _ if is_date => Err(cannot()),
        Type::Int8 => whole(i8::MIN.into(), i8::MAX.into()),
        Type::Int16 => whole(i16::MIN.into(), i16::MAX.into()),
        Type::Int32 => whole(i32::MIN.into(), i32::MAX.into()),
        Type::Int64 => whole(i64::MIN, i64::MAX),
        Type::Float32 | Type::Float64 => {
            let number = text.trim().parse().map(Value::Float);
            number.map_err(|_| not_number())
        }
        Type::String => Ok(Value::Str(text.to_owned())),
        Type::Bytes => decimal(schema, text),
        _ => Err(cannot()),
    }
}

fn decimal(schema: &Schema, text: &str) -> Result<Value> {
    let scale = scale_of(schema).ok_or_else(cannot)?;
    let mut bytes = Vec::new();
    let text = text.trim();
    connect_core::decimal::unscaled(text.as_bytes(), scale, &mut bytes)
        .map_err(|_| not_number())?;
    Ok(match schema.form {
        Form::DecimalText => Value::Digits(text.to_owned()),
        _ => Value::Bytes(bytes),
    })
}

fn cannot() -> Error {
    Error::record("Cannot mask value of its type")
}

fn not_number() -> Error {
    Error::record("Unable to convert the replacement to a number of the field's type")
}
