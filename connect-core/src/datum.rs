//! One value of a batch, to read: a cell together with its schema.

use std::{borrow::Cow, sync::Arc};

use crate::{Batch, Cell, Field, Form, Schema, Type, Value};

/// A value to read, with its schema if it has one. Copying it copies three words.
#[derive(Debug, Clone, Copy)]
pub struct Datum<'a> {
    schema: Option<&'a Arc<Schema>>,
    place: Place<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Place<'a> {
    Cell(&'a Batch, Cell),
    Value(&'a Value),
}

/// What a [`Datum`] is.
#[derive(Debug, Clone, Copy)]
pub enum View<'a> {
    /// The source did not send it.
    Absent,
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating point number.
    Float(f64),
    /// A number as ASCII decimal digits (`NaN`, `Infinity` and `-Infinity` too, where the type has them).
    Digits(&'a [u8]),
    /// UTF-8 text. The source has checked it.
    Text(&'a [u8]),
    /// Bytes, in the form that the schema tells.
    Bytes(&'a [u8], Form),
    /// An array: read it with [`Datum::items`].
    Array,
    /// A map: read it with [`Datum::entries`] or [`Datum::pairs`].
    Map,
    /// A struct: read it with [`Datum::fields`].
    Struct,
}

impl<'a> Datum<'a> {
    /// A cell of a batch with its schema.
    pub fn of(batch: &'a Batch, schema: Option<&'a Arc<Schema>>, cell: Cell) -> Self {
        match cell {
            Cell::Free(index) => Self {
                schema,
                place: Place::Value(batch.free(index)),
            },
            cell => Self {
                schema,
                place: Place::Cell(batch, cell),
            },
        }
    }

    /// An owned value with its schema.
    pub fn of_value(schema: Option<&'a Arc<Schema>>, value: &'a Value) -> Self {
        Self {
            schema,
            place: Place::Value(value),
        }
    }

    fn of_field(batch: &'a Batch, field: &'a Field, cell: Cell) -> Self {
        match (&field.constant, cell) {
            (Some(value), Cell::Const) => Self::of_value(Some(&field.schema), value),
            _ => Self::of(batch, Some(&field.schema), cell),
        }
    }

    /// Its schema.
    pub fn schema(self) -> Option<&'a Arc<Schema>> {
        self.schema
    }

    /// The cell, when it is one of the batch's.
    pub fn cell(self) -> Option<Cell> {
        match self.place {
            Place::Cell(_, cell) => Some(cell),
            Place::Value(_) => None,
        }
    }

    /// The batch it lies in, when it is one of its cells.
    pub fn batch(self) -> Option<&'a Batch> {
        match self.place {
            Place::Cell(batch, _) => Some(batch),
            Place::Value(_) => None,
        }
    }

    /// The owned value, when it is one.
    pub fn value(self) -> Option<&'a Value> {
        match self.place {
            Place::Cell(..) => None,
            Place::Value(value) => Some(value),
        }
    }

    /// Whether it is null.
    pub fn is_null(self) -> bool {
        matches!(self.view(), View::Null)
    }

    /// Whether the source did not send it.
    pub fn is_absent(self) -> bool {
        matches!(self.view(), View::Absent)
    }

    /// What it is.
    pub fn view(self) -> View<'a> {
        match self.place {
            Place::Cell(batch, cell) => self.view_cell(batch, cell),
            Place::Value(value) => self.view_value(value),
        }
    }

    fn view_cell(self, batch: &'a Batch, cell: Cell) -> View<'a> {
        match cell {
            Cell::Absent => View::Absent,
            Cell::Null | Cell::Const => View::Null,
            Cell::Bool(b) => View::Bool(b),
            Cell::Int(i) => View::Int(i),
            Cell::Float(f) => View::Float(f),
            Cell::Span(span) => self.view_bytes(batch.span(span)),
            Cell::Free(index) => self.view_value(batch.free(index)),
            Cell::Nest(_) => match self.schema.map(|s| &s.ty) {
                Some(Type::Struct(_)) => View::Struct,
                Some(Type::Map(..)) => View::Map,
                _ => View::Array,
            },
        }
    }

    fn view_bytes(self, bytes: &'a [u8]) -> View<'a> {
        match self.schema {
            None => View::Text(bytes),
            Some(schema) => match schema.ty {
                Type::String => View::Text(bytes),
                Type::Bytes => View::Bytes(bytes, schema.form),
                _ => View::Digits(bytes),
            },
        }
    }

    fn view_value(self, value: &'a Value) -> View<'a> {
        match value {
            Value::Absent => View::Absent,
            Value::Null => View::Null,
            Value::Bool(b) => View::Bool(*b),
            Value::Int(i) => View::Int(*i),
            Value::Float(f) => View::Float(*f),
            Value::Digits(text) => View::Digits(text.as_bytes()),
            Value::Str(text) => View::Text(text.as_bytes()),
            Value::Bytes(bytes) => View::Bytes(bytes, Form::Plain),
            Value::Array(_) => View::Array,
            Value::Map(_) => match self.schema.map(|s| &s.ty) {
                Some(Type::Struct(_)) => View::Struct,
                _ => View::Map,
            },
        }
    }

    /// A field of a struct, or the entry of a map with text keys.
    pub fn get(self, name: &str) -> Option<Datum<'a>> {
        match (self.place, self.schema.map(|s| &**s)) {
            (Place::Cell(batch, Cell::Nest(nest)), Some(schema)) => {
                let (index, field) = schema.field(name)?;
                let cell = *batch.cells(nest).get(index)?;
                Some(Self::of_field(batch, field, cell))
            }
            (Place::Value(value), schema) => {
                let child = schema.and_then(|s| s.field(name)).map(|(_, f)| &f.schema);
                value.get(name).map(|v| Self::of_value(child, v))
            }
            _ => None,
        }
    }

    /// Names and values: the fields of a struct, or the entries of a map whose keys are text.
    pub fn entries(self) -> Vec<(Cow<'a, str>, Datum<'a>)> {
        match (self.place, self.schema.map(|s| &s.ty)) {
            (Place::Cell(batch, Cell::Nest(nest)), Some(Type::Struct(fields))) => fields
                .iter()
                .zip(batch.cells(nest))
                .map(|(field, cell)| {
                    (
                        Cow::Borrowed(&*field.name),
                        Self::of_field(batch, field, *cell),
                    )
                })
                .collect(),
            (Place::Value(Value::Map(entries)), ty) => entries
                .iter()
                .map(|(name, value)| (Cow::Borrowed(name.as_str()), child_value(ty, name, value)))
                .collect(),
            (_, Some(Type::Map(..))) => self
                .pairs()
                .into_iter()
                .map(|(key, value)| (key.text().unwrap_or_default(), value))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The keys and values of a map.
    pub fn pairs(self) -> Vec<(Datum<'a>, Datum<'a>)> {
        match (self.place, self.schema.map(|s| &s.ty)) {
            (Place::Cell(batch, Cell::Nest(nest)), Some(Type::Map(key, value))) => batch
                .cells(nest)
                .chunks_exact(2)
                .map(|pair| {
                    let key = Self::of(batch, Some(key), pair[0]);
                    (key, Self::of(batch, Some(value), pair[1]))
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The items of an array.
    pub fn items(self) -> Vec<Datum<'a>> {
        let item = match self.schema.map(|s| &s.ty) {
            Some(Type::Array(item)) => Some(item),
            _ => None,
        };
        match self.place {
            Place::Cell(batch, Cell::Nest(nest)) => batch
                .cells(nest)
                .iter()
                .map(|cell| Self::of(batch, item, *cell))
                .collect(),
            Place::Value(Value::Array(items)) => items
                .iter()
                .map(|value| Self::of_value(item, value))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// A scalar as text, as it would stand in a key; `None` for null, absent, bytes and nested values.
    pub fn text(self) -> Option<Cow<'a, str>> {
        match self.view() {
            View::Bool(b) => Some(Cow::Borrowed(if b { "true" } else { "false" })),
            View::Int(i) => Some(Cow::Owned(i.to_string())),
            View::Float(f) => Some(Cow::Owned(f.to_string())),
            View::Digits(bytes) | View::Text(bytes) => Some(String::from_utf8_lossy(bytes)),
            View::Bytes(bytes, Form::DecimalText) => Some(String::from_utf8_lossy(bytes)),
            _ => None,
        }
    }

    /// The integer, also when it lies there as digits.
    pub fn int(self) -> Option<i64> {
        match self.view() {
            View::Int(i) => Some(i),
            View::Digits(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
            _ => None,
        }
    }

    /// An owned copy. Numbers become `Int` or `Float` where these hold them, else `Digits`.
    pub fn to_value(self) -> Value {
        if let Place::Value(value) = self.place {
            return value.clone();
        }
        match self.view() {
            View::Absent => Value::Absent,
            View::Null => Value::Null,
            View::Bool(b) => Value::Bool(b),
            View::Int(i) => Value::Int(i),
            View::Float(f) => Value::Float(f),
            View::Digits(bytes) => number(self.schema.map(|s| &s.ty), bytes),
            View::Text(bytes) => Value::Str(String::from_utf8_lossy(bytes).into_owned()),
            View::Bytes(bytes, form) => crate::decimal::plain_bytes(self.schema, bytes, form),
            View::Array => Value::Array(self.items().into_iter().map(Datum::to_value).collect()),
            View::Map | View::Struct => Value::Map(
                self.entries()
                    .into_iter()
                    .map(|(n, v)| (n.into_owned(), v.to_value()))
                    .collect(),
            ),
        }
    }
}

fn child_value<'a>(ty: Option<&'a Type>, name: &str, value: &'a Value) -> Datum<'a> {
    let schema = match ty {
        Some(Type::Struct(fields)) => fields.iter().find(|f| &*f.name == name).map(|f| &f.schema),
        Some(Type::Map(_, value)) => Some(value),
        _ => None,
    };
    Datum::of_value(schema, value)
}

fn number(ty: Option<&Type>, digits: &[u8]) -> Value {
    let text = String::from_utf8_lossy(digits);
    let whole = !matches!(ty, Some(Type::Float32 | Type::Float64));
    if whole && let Ok(int) = text.parse() {
        return Value::Int(int);
    }
    match text.parse() {
        Ok(float) if !whole => Value::Float(float),
        _ => Value::Digits(text.into_owned()),
    }
}

/// Puts an owned value into cells of `batch`; see [`Batch::push_value`].
pub(crate) fn push_value(batch: &mut Batch, value: &Value, schema: Option<&Schema>) -> Cell {
    let Some(schema) = schema else {
        return match value {
            Value::Null => Cell::Null,
            other => batch.push_free(other.clone()),
        };
    };
    match (value, &schema.ty) {
        (Value::Absent, _) => Cell::Absent,
        (Value::Null, _) => Cell::Null,
        (Value::Bool(b), _) => Cell::Bool(*b),
        (Value::Int(i), _) => Cell::Int(*i),
        (Value::Float(f), _) => Cell::Float(*f),
        (Value::Digits(text) | Value::Str(text), _) => batch.push_bytes(text.as_bytes()),
        (Value::Bytes(bytes), _) => crate::decimal::push_plain(batch, schema, bytes),
        (Value::Array(items), Type::Array(item)) => {
            let cells: Vec<Cell> = items
                .iter()
                .map(|value| push_value(batch, value, Some(item)))
                .collect();
            batch.push_nest(&cells)
        }
        (Value::Map(entries), Type::Map(key, val)) => {
            let mut cells = Vec::with_capacity(entries.len() * 2);
            for (name, value) in entries {
                cells.push(push_value(batch, &Value::Str(name.clone()), Some(key)));
                cells.push(push_value(batch, value, Some(val)));
            }
            batch.push_nest(&cells)
        }
        (Value::Map(_), Type::Struct(fields)) => {
            let cells: Vec<Cell> = fields
                .iter()
                .map(|f| {
                    value
                        .get(&f.name)
                        .map_or(Cell::Null, |v| push_value(batch, v, Some(&f.schema)))
                })
                .collect();
            batch.push_nest(&cells)
        }
        (other, _) => batch.push_free(other.clone()),
    }
}
