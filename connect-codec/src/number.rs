//! The converters of one number: `IntegerConverter` and its like. Big-endian bytes, as Kafka's serializers write them.

use std::sync::Arc;

use connect_core::{
    Batch, BoxFuture, Cell, Datum, Error, Result, Schema, Type,
    codec::{Converter, Decode, Decoded, Encode},
    datum::View,
};

use crate::error::{MISMATCH, NOT_OURS};

/// Which of the converters it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberConverter {
    /// `BooleanConverter`: one byte.
    Boolean,
    /// `ShortConverter`: two bytes.
    Short,
    /// `IntegerConverter`: four bytes.
    Integer,
    /// `LongConverter`: eight bytes.
    Long,
    /// `FloatConverter`: four bytes.
    Float,
    /// `DoubleConverter`: eight bytes.
    Double,
}

struct NumberEncoder(NumberConverter);

struct NumberDecoder {
    kind: NumberConverter,
    schema: Arc<Schema>,
}

impl NumberConverter {
    fn ty(self) -> Type {
        match self {
            Self::Boolean => Type::Bool,
            Self::Short => Type::Int16,
            Self::Integer => Type::Int32,
            Self::Long => Type::Int64,
            Self::Float => Type::Float32,
            Self::Double => Type::Float64,
        }
    }

    fn write(self, datum: Datum<'_>, out: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Boolean => match datum.view() {
                View::Bool(b) => out.push(u8::from(b)),
                _ => return None,
            },
            Self::Short => out.extend(i16::try_from(datum.int()?).ok()?.to_be_bytes()),
            Self::Integer => out.extend(i32::try_from(datum.int()?).ok()?.to_be_bytes()),
            Self::Long => out.extend(datum.int()?.to_be_bytes()),
            Self::Float => out.extend((float(datum)? as f32).to_be_bytes()),
            Self::Double => out.extend(float(datum)?.to_be_bytes()),
        }
        Some(())
    }

    fn read(self, bytes: &[u8]) -> Option<Cell> {
        Some(match self {
            Self::Boolean => match bytes {
                [byte @ (0 | 1)] => Cell::Bool(*byte == 1),
                _ => return None,
            },
            Self::Short => Cell::Int(i16::from_be_bytes(bytes.try_into().ok()?).into()),
            Self::Integer => Cell::Int(i32::from_be_bytes(bytes.try_into().ok()?).into()),
            Self::Long => Cell::Int(i64::from_be_bytes(bytes.try_into().ok()?)),
            Self::Float => Cell::Float(f32::from_be_bytes(bytes.try_into().ok()?).into()),
            Self::Double => Cell::Float(f64::from_be_bytes(bytes.try_into().ok()?)),
        })
    }
}

impl Converter for NumberConverter {
    fn encoder<'a>(
        &'a self,
        _topic: &'a str,
        schema: Option<&'a Arc<Schema>>,
    ) -> BoxFuture<'a, Result<Box<dyn Encode>>> {
        Box::pin(async move {
            match schema {
                Some(schema) if schema.ty != self.ty() => Err(Error::new(
                    &MISMATCH,
                    "Invalid schema type: the converter writes one kind of number only",
                )
                .context("converter", format!("{self:?}Converter"))),
                _ => Ok(Box::new(NumberEncoder(*self)) as Box<dyn Encode>),
            }
        })
    }

    fn decoder(&self) -> Box<dyn Decode> {
        Box::new(NumberDecoder {
            kind: *self,
            schema: Arc::new(Schema::of(self.ty()).optional()),
        })
    }
}

impl Encode for NumberEncoder {
    fn encode(&mut self, datum: Datum<'_>, out: &mut Vec<u8>) -> Result<bool> {
        if datum.is_null() || datum.is_absent() {
            return Ok(false);
        }
        match self.0.write(datum, out) {
            Some(()) => Ok(true),
            None => Err(Error::new(&MISMATCH, "A value does not fit its converter")
                .context("converter", format!("{:?}Converter", self.0))),
        }
    }
}

impl Decode for NumberDecoder {
    fn decode(&mut self, bytes: Option<&[u8]>, _batch: &mut Batch) -> Result<Decoded> {
        let cell = match bytes {
            None => Cell::Null,
            Some(bytes) => self.kind.read(bytes).ok_or_else(|| {
                Error::new(&NOT_OURS, "The bytes are not what the converter writes")
                    .context("converter", format!("{:?}Converter", self.kind))
                    .context("bytes", bytes.len())
            })?,
        };
        Ok(Decoded {
            schema: Some(Arc::clone(&self.schema)),
            cell,
        })
    }
}

fn float(datum: Datum<'_>) -> Option<f64> {
    match datum.view() {
        View::Float(f) => Some(f),
        View::Int(i) => Some(i as f64),
        View::Digits(digits) => std::str::from_utf8(digits).ok()?.parse().ok(),
        _ => None,
    }
}
