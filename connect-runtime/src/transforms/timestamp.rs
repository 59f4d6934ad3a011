//! The forms of a point in time between which `TimestampConverter` converts.

use connect_core::{Datum, Error, Result, Schema, Type, Value, datum::View, schema::logical};

use super::java_date::JavaDate;

pub(super) const MILLIS_PER_DAY: i64 = 86_400_000;

connect_core::choice! {
    /// What a number of Unix time counts.
    pub(super) enum Precision {
        /// Seconds.
        Seconds = "seconds",
        /// Milliseconds.
        Milliseconds = "milliseconds",
        /// Microseconds.
        Microseconds = "microseconds",
        /// Nanoseconds.
        Nanoseconds = "nanoseconds",
    }
}

/// A form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Unix,
    Date,
    Time,
    Timestamp,
}

/// How text and numbers are read and written.
#[derive(Debug)]
pub(super) struct Forms {
    pub(super) date: Option<JavaDate>,
    pub(super) precision: Precision,
}

impl Shape {
    /// By the name in `target.type`.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::Text,
            "unix" => Self::Unix,
            "Date" => Self::Date,
            "Time" => Self::Time,
            "Timestamp" => Self::Timestamp,
            _ => return None,
        })
    }

    /// The form that a schema tells.
    pub(super) fn of(schema: &Schema) -> Result<Self> {
        match (schema.name.as_deref(), &schema.ty) {
            (Some(logical::TIMESTAMP), _) => Ok(Self::Timestamp),
            (Some(logical::DATE), _) => Ok(Self::Date),
            (Some(logical::TIME), _) => Ok(Self::Time),
            (_, Type::String) => Ok(Self::Text),
            (_, Type::Int64) => Ok(Self::Unix),
            _ => Err(Error::record(
                "A schema does not correspond to a known timestamp type format",
            )),
        }
    }

    /// The schema of a form.
    pub(super) fn schema(self, optional: bool) -> Schema {
        let mut schema = match self {
            Self::Text => Schema::of(Type::String),
            Self::Unix => Schema::of(Type::Int64),
            Self::Date => Schema::of(Type::Int32).named(logical::DATE, 1),
            Self::Time => Schema::of(Type::Int32).named(logical::TIME, 1),
            Self::Timestamp => Schema::of(Type::Int64).named(logical::TIMESTAMP, 1),
        };
        schema.optional = optional;
        schema
    }
}

impl Forms {
    /// Converts one value; `from` is guessed without a schema.
    pub(super) fn convert(
        &self,
        datum: Datum<'_>,
        from: Option<Shape>,
        to: Shape,
    ) -> Result<Value> {
        match datum.view() {
            View::Null => return Ok(Value::Null),
            View::Absent => return Ok(Value::Absent),
            _ => {}
        }
        let from = match from {
            Some(from) => from,
            None => guess(datum)?,
        };
        let millis = self.millis(datum, from)?;
        Ok(match to {
            Shape::Text => {
                let date = self.date.as_ref().ok_or_else(no_format)?;
                Value::Str(date.format(millis))
            }
            Shape::Unix => Value::Int(self.unix(millis)),
            Shape::Date => Value::Int(millis.div_euclid(MILLIS_PER_DAY)),
            Shape::Time => Value::Int(millis.rem_euclid(MILLIS_PER_DAY)),
            Shape::Timestamp => Value::Int(millis),
        })
    }

    fn millis(&self, datum: Datum<'_>, from: Shape) -> Result<i64> {
        if let (Shape::Text, View::Text(text)) = (from, datum.view()) {
            let date = self.date.as_ref().ok_or_else(no_format)?;
            let millis = date.parse(&String::from_utf8_lossy(text));
            return millis.ok_or_else(|| {
                Error::record("Could not parse timestamp: value does not match pattern")
            });
        }
        let number = datum.int().filter(|_| from != Shape::Text);
        let number = number.ok_or_else(|| Error::record("A timestamp is not of its type"))?;
        Ok(match from {
            Shape::Date => number.saturating_mul(MILLIS_PER_DAY),
            Shape::Unix => match self.precision {
                Precision::Seconds => number.saturating_mul(1000),
                Precision::Milliseconds => number,
                Precision::Microseconds => number / 1000,
                Precision::Nanoseconds => number / 1_000_000,
            },
            _ => number,
        })
    }

    /// As `TimeUnit` does it: fractions are cut off, what does not fit stays at the end of the range.
    fn unix(&self, millis: i64) -> i64 {
        match self.precision {
            Precision::Seconds => millis / 1000,
            Precision::Milliseconds => millis,
            Precision::Microseconds => millis.saturating_mul(1000),
            Precision::Nanoseconds => millis.saturating_mul(1_000_000),
        }
    }
}

fn guess(datum: Datum<'_>) -> Result<Shape> {
    match datum.view() {
        View::Int(_) => Ok(Shape::Unix),
        View::Text(_) => Ok(Shape::Text),
        _ => Err(Error::record(
            "TimestampConverter does not support objects of this type as timestamps",
        )),
    }
}

fn no_format() -> Error {
    Error::record(
        "TimestampConverter requires format option to be specified when using string timestamps",
    )
}
