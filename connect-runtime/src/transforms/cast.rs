//! `Cast`: fields, or a whole key or value, as another type.

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Datum, Error, Field, Finding, Form, Properties, Record, Result, Route, Schema,
    Type, Value,
    config::{Config, List, Rules},
    datum::View,
    decimal::{scale_of, to_text},
};

use super::{
    reshape::Reshape,
    row::{basics, datum_of, entries, fill_defaults, put, take_cells, with_fields},
};

connect_core::config! {
    /// Cast fields or the entire key or value to a specific type.
    pub(super) struct CastConfig;
    group "Cast" {
        /// List of fields and the type to cast them to of the form field1:type,field2:type to cast fields of Maps or Structs. A single type to cast the entire value. Valid types are int8, int16, int32, int64, float32, float64, boolean, and string. Note that binary fields can only be cast to string.
        spec: List = required, "spec", High;
        /// Whether to replace fields that have a default value and that are null to the default value. When set to true, the default value is used, otherwise null is used.
        defaults: bool = "true", "replace.null.with.default", Medium;
    }
}

impl Rules for CastConfig {
    fn rules(&self) -> Vec<Finding> {
        let shown = format!("[{}]", self.spec.0.join(", "));
        match Casts::parse(&self.spec.0) {
            Ok(_) => Vec::new(),
            Err(why) => vec![Finding::invalid("spec", &shown, &why)],
        }
    }
}

const PURPOSE: &str = "cast types";

/// The transform.
pub(super) struct Cast {
    casts: Casts,
    defaults: bool,
    cells: Vec<Cell>,
}

enum Casts {
    Whole(Type),
    Fields(Vec<(String, Type)>),
}

/// The old schema, and which of its fields become what.
pub(super) struct Plan {
    old: Arc<Schema>,
    fields: Vec<(usize, Type)>,
}

impl Casts {
    fn parse(spec: &[String]) -> Result<Self, String> {
        let mut fields = Vec::new();
        for item in spec {
            match item.split(':').collect::<Vec<_>>().as_slice() {
                [ty] if spec.len() == 1 => return Ok(Self::Whole(parse_type(ty)?)),
                [_] => {
                    return Err(
                        "Cast transformations that specify a type to cast the entire value to may only specify a \
                         single cast in their spec"
                            .to_owned(),
                    );
                }
                [name, ty] => fields.push((name.trim().to_owned(), parse_type(ty)?)),
                _ => return Err(format!("Invalid rename mapping: {item}")),
            }
        }
        match fields.is_empty() {
            true => Err("Must specify at least one field to cast.".to_owned()),
            false => Ok(Self::Fields(fields)),
        }
    }
}

impl Cast {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = CastConfig::parse(settings)?;
        let casts = Casts::parse(&config.spec.0);
        Ok(Self {
            casts: casts.map_err(|why| vec![Finding::error("spec", why)])?,
            defaults: config.defaults,
            cells: Vec::new(),
        })
    }
}

impl Reshape for Cast {
    type Plan = Plan;
    const PASSES_NULL: bool = true;

    fn compile(&self, schema: &Arc<Schema>, _route: &Route) -> Result<(Arc<Schema>, Plan)> {
        let mut fields = Vec::new();
        let mut new = match &self.casts {
            Casts::Whole(ty) => basics(schema, ty.clone()),
            Casts::Fields(casts) => {
                let old = schema.fields().iter().enumerate();
                let changed = old.map(|(at, field)| {
                    let cast = casts.iter().rev().find(|(name, _)| **name == *field.name);
                    let Some((_, ty)) = cast else {
                        return Ok(field.clone());
                    };
                    fields.push((at, ty.clone()));
                    cast_field(field, ty)
                });
                with_fields(schema, changed.collect::<Result<_>>()?)?
            }
        };
        new.optional = schema.optional;
        if let (Casts::Whole(ty), Some(default)) = (&self.casts, &schema.default) {
            new.default = Some(cast(Datum::of_value(Some(schema), default), ty)?);
        }
        let old = Arc::clone(schema);
        Ok((Arc::new(new), Plan { old, fields }))
    }

    fn with_schema(
        &mut self,
        plan: &Plan,
        batch: &mut Batch,
        _record: &Record,
        cell: Cell,
    ) -> Result<Cell> {
        if let Casts::Whole(ty) = &self.casts {
            let value = cast(Datum::of(batch, Some(&plan.old), cell), ty)?;
            return Ok(batch.push_value(&value, Some(&Schema::of(ty.clone()))));
        }
        take_cells(batch, &plan.old, cell, PURPOSE, &mut self.cells)?;
        let fields = plan.old.fields();
        if self.defaults {
            fill_defaults(batch, fields, &mut self.cells);
        }
        for (at, ty) in &plan.fields {
            if let (Some(field), Some(cell)) = (fields.get(*at), self.cells.get_mut(*at)) {
                let value = cast(datum_of(batch, field, *cell), ty)
                    .map_err(|err| err.context("field", &field.name))?;
                *cell = batch.push_value(&value, Some(&Schema::of(ty.clone())));
            }
        }
        Ok(batch.push_nest(&self.cells))
    }

    fn schemaless(&mut self, value: Value, _batch: &Batch, _record: &Record) -> Result<Value> {
        match &self.casts {
            Casts::Whole(ty) => cast_free(&value, ty),
            Casts::Fields(casts) => {
                let mut entries = entries(value, PURPOSE)?;
                for (name, ty) in casts {
                    let known = entries.iter().find(|(known, _)| known == name);
                    let value = known.map_or(&Value::Null, |(_, value)| value);
                    let value = cast_free(value, ty)?;
                    put(&mut entries, name, value);
                }
                Ok(Value::Map(entries))
            }
        }
    }
}

/// A schemaless value as another type. A float has no type there that tells its width, so it takes the double that
/// prints as that float does.
fn cast_free(value: &Value, ty: &Type) -> Result<Value> {
    let value = cast(Datum::of_value(None, value), ty)?;
    Ok(match value {
        Value::Float(float) if *ty == Type::Float32 => {
            Value::Float((float as f32).to_string().parse().unwrap_or(float))
        }
        value => value,
    })
}

fn cast_field(field: &Field, ty: &Type) -> Result<Field> {
    let mut schema = Schema::of(ty.clone());
    schema.optional = field.schema.optional;
    if let Some(default) = &field.schema.default {
        schema.default = Some(cast(Datum::of_value(Some(&field.schema), default), ty)?);
    }
    Ok(Field::new(Arc::clone(&field.name), schema))
}

fn parse_type(text: &str) -> Result<Type, String> {
    let text = text.trim();
    Ok(match text.to_ascii_lowercase().as_str() {
        "int8" => Type::Int8,
        "int16" => Type::Int16,
        "int32" => Type::Int32,
        "int64" => Type::Int64,
        "float32" => Type::Float32,
        "float64" => Type::Float64,
        "boolean" => Type::Bool,
        "string" => Type::String,
        "bytes" | "array" | "map" | "struct" => {
            return Err(format!(
                "Cast transformation does not support casting to {}; supported types are [INT8, INT16, INT32, INT64, \
                 FLOAT32, FLOAT64, BOOLEAN, STRING]",
                text.to_ascii_uppercase()
            ));
        }
        _ => return Err(format!("Invalid type found in casting spec: {text}")),
    })
}

/// A number on its way to another type.
#[derive(Clone, Copy)]
enum Number {
    Whole(i64),
    Float(f64),
}

/// A value as another type, with Java's narrowing of numbers.
fn cast(datum: Datum<'_>, ty: &Type) -> Result<Value> {
    match datum.view() {
        View::Null => return Ok(Value::Null),
        View::Absent => return Ok(Value::Absent),
        View::Array | View::Map | View::Struct => {
            return Err(Error::record(
                "Cast transformation does not support casting from this type; supported types are [INT8, INT16, INT32, \
                 INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]",
            ));
        }
        _ => {}
    }
    if *ty == Type::String {
        let mut text = Vec::new();
        connect_codec::write_as_text(datum, &mut text)?;
        return Ok(Value::Str(String::from_utf8_lossy(&text).into_owned()));
    }
    if let View::Text(text) = datum.view() {
        return parse(&String::from_utf8_lossy(text), ty);
    }
    Ok(narrowed(number(datum)?, ty))
}

/// Text as a number or boolean, as strict as Java's parsers.
fn parse(text: &str, ty: &Type) -> Result<Value> {
    let out_of_range = || Error::record("Value was out of range for requested data type");
    let whole = |least: i64, most: i64| {
        let number: i64 = text.parse().map_err(|_| out_of_range())?;
        let fits = (least..=most).contains(&number);
        fits.then_some(Value::Int(number)).ok_or_else(out_of_range)
    };
    match ty {
        Type::Int8 => whole(i8::MIN.into(), i8::MAX.into()),
        Type::Int16 => whole(i16::MIN.into(), i16::MAX.into()),
        Type::Int32 => whole(i32::MIN.into(), i32::MAX.into()),
        Type::Int64 => whole(i64::MIN, i64::MAX),
        Type::Bool => Ok(Value::Bool(text.eq_ignore_ascii_case("true"))),
        _ => {
            let known = text.trim().trim_end_matches(['d', 'D', 'f', 'F']);
            let number: f64 = known.parse().map_err(|_| out_of_range())?;
            Ok(narrowed(Number::Float(number), ty))
        }
    }
}

fn number(datum: Datum<'_>) -> Result<Number> {
    let unexpected = || Error::record("Unexpected type in Cast transformation");
    match datum.view() {
        View::Bool(b) => Ok(Number::Whole(b.into())),
        View::Int(i) => Ok(Number::Whole(i)),
        View::Float(f) => Ok(Number::Float(f)),
        View::Digits(digits) => of_digits(digits, datum).ok_or_else(unexpected),
        View::Bytes(text, Form::DecimalText) => of_decimal(text).ok_or_else(unexpected),
        View::Bytes(bytes, Form::Plain) => {
            let scale = datum.schema().and_then(|schema| scale_of(schema));
            let mut text = Vec::new();
            to_text(bytes, scale.ok_or_else(unexpected)?, &mut text);
            of_decimal(&text).ok_or_else(unexpected)
        }
        _ => Err(unexpected()),
    }
}

fn of_digits(digits: &[u8], datum: Datum<'_>) -> Option<Number> {
    let text = std::str::from_utf8(digits).ok()?;
    let float = matches!(
        datum.schema().map(|s| &s.ty),
        Some(Type::Float32 | Type::Float64)
    );
    match text.parse() {
        Ok(whole) if !float => Some(Number::Whole(whole)),
        _ => text.parse().ok().map(Number::Float),
    }
}

/// Whole decimals keep all digits that an `i64` holds.
fn of_decimal(text: &[u8]) -> Option<Number> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    match whole.parse() {
        Ok(whole) if fraction.bytes().all(|b| b == b'0') => Some(Number::Whole(whole)),
        _ => text.parse().ok().map(Number::Float),
    }
}

/// Java's narrowing: whole numbers wrap, fractions are cut off and first fit into 32 or 64 bits.
fn narrowed(number: Number, ty: &Type) -> Value {
    let short = match number {
        Number::Whole(whole) => whole as i32,
        Number::Float(float) => float as i32,
    };
    let long = match number {
        Number::Whole(whole) => whole,
        Number::Float(float) => float as i64,
    };
    let double = match number {
        Number::Whole(whole) => whole as f64,
        Number::Float(float) => float,
    };
    match ty {
        Type::Int8 => Value::Int((short as i8).into()),
        Type::Int16 => Value::Int((short as i16).into()),
        Type::Int32 => Value::Int(short.into()),
        Type::Int64 => Value::Int(long),
        Type::Float32 => Value::Float(f64::from(match number {
            Number::Whole(whole) => whole as f32,
            Number::Float(float) => float as f32,
        })),
        Type::Bool => Value::Bool(long != 0),
        _ => Value::Float(double),
    }
}
