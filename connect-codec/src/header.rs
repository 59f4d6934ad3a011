//! `SimpleHeaderConverter`: header values as text, with types guessed when read.

use std::sync::Arc;

use connect_core::{
    Batch, BoxFuture, Cell, Datum, Form, Result, Schema, Type,
    codec::{Converter, Decode, Decoded, Encode},
    schema::logical,
};

use crate::{
    plain_text::{Style, write_plain},
    temporal::{Moment, read_moment},
};

/// Kafka Connect's `SimpleHeaderConverter`.
///
/// Writes as `Values.convertToString`. Reads booleans, numbers, dates, times and timestamps as such; everything
/// else, arrays and maps included, as a string.
#[derive(Debug, Clone, Copy, Default)]
pub struct SimpleHeaderConverter;

struct HeaderEncoder;

/// Has one schema for each type, so that equal types share it.
struct HeaderDecoder {
    text: Arc<Schema>,
    bytes: Arc<Schema>,
    boolean: Arc<Schema>,
    ints: [Arc<Schema>; 4],
    float: Arc<Schema>,
    double: Arc<Schema>,
    date: Arc<Schema>,
    time: Arc<Schema>,
    timestamp: Arc<Schema>,
}

impl Converter for SimpleHeaderConverter {
    fn encoder<'a>(
        &'a self,
        _topic: &'a str,
        _schema: Option<&'a Arc<Schema>>,
    ) -> BoxFuture<'a, Result<Box<dyn Encode>>> {
        let encoder: Box<dyn Encode> = Box::new(HeaderEncoder);
        Box::pin(std::future::ready(Ok(encoder)))
    }

    fn is_by_topic(&self) -> bool {
        false
    }

    fn decoder(&self) -> Box<dyn Decode> {
        Box::new(HeaderDecoder::new())
    }
}

impl Encode for HeaderEncoder {
    fn encode(&mut self, datum: Datum<'_>, out: &mut Vec<u8>) -> Result<bool> {
        if datum.is_null() || datum.is_absent() {
            return Ok(false);
        }
        let start = out.len();
        let written = write_plain(datum, Style::Values, false, out);
        if written.is_err() {
            out.truncate(start);
        }
        written.map(|()| true)
    }
}

impl Decode for HeaderDecoder {
    fn decode(&mut self, bytes: Option<&[u8]>, batch: &mut Batch) -> Result<Decoded> {
        let null = Decoded {
            schema: None,
            cell: Cell::Null,
        };
        let Some(bytes) = bytes else {
            return Ok(null);
        };
        let (schema, cell) = match simdutf8::basic::from_utf8(bytes) {
            Err(_) => (Arc::clone(&self.bytes), batch.push_bytes(bytes)),
            Ok("") => return Ok(null),
            Ok(text) => match text.trim() {
                "null" => return Ok(null),
                "true" => (Arc::clone(&self.boolean), Cell::Bool(true)),
                "false" => (Arc::clone(&self.boolean), Cell::Bool(false)),
                token => match self.moment(token).or_else(|| self.number(token, batch)) {
                    Some(found) => found,
                    None => (Arc::clone(&self.text), batch.push_bytes(bytes)),
                },
            },
        };
        Ok(Decoded {
            schema: Some(schema),
            cell,
        })
    }
}

impl HeaderDecoder {
    fn new() -> Self {
        let of = |ty| Arc::new(Schema::of(ty));
        let named = |ty, name: &str| Arc::new(Schema::of(ty).named(name, 1));
        Self {
            text: of(Type::String),
            bytes: of(Type::Bytes),
            boolean: of(Type::Bool),
            ints: [Type::Int8, Type::Int16, Type::Int32, Type::Int64].map(of),
            float: of(Type::Float32),
            double: of(Type::Float64),
            date: named(Type::Int32, logical::DATE),
            time: named(Type::Int32, logical::TIME),
            timestamp: named(Type::Int64, logical::TIMESTAMP),
        }
    }

    fn moment(&self, token: &str) -> Option<(Arc<Schema>, Cell)> {
        Some(match read_moment(token)? {
            Moment::Date(days) => (Arc::clone(&self.date), Cell::Int(days)),
            Moment::Time(millis) => (Arc::clone(&self.time), Cell::Int(millis)),
            Moment::Timestamp(millis) => (Arc::clone(&self.timestamp), Cell::Int(millis)),
        })
    }

    /// Whole numbers take the smallest type that holds them, fractions a float, and what neither holds a decimal.
    fn number(&self, token: &str, batch: &mut Batch) -> Option<(Arc<Schema>, Cell)> {
        let first = token.bytes().next()?;
        let last = token.bytes().next_back()?;
        if !(first.is_ascii_digit() || matches!(first, b'+' | b'-')) {
            return None;
        }
        let known = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-');
        if !token.bytes().all(known) || !(last.is_ascii_digit() || last == b'.') {
            return None;
        }
        let double: f64 = token.parse().ok()?;
        if let Ok(int) = token.parse::<i64>() {
            return Some(self.int(int));
        }
        if !token.contains(['.', 'e', 'E']) {
            let schema = Schema::of(Type::Bytes)
                .named(logical::DECIMAL, 1)
                .parameter("scale", "0")
                .form(Form::DecimalText);
            let digits = token.strip_prefix('+').unwrap_or(token);
            return Some((Arc::new(schema), batch.push_bytes(digits.as_bytes())));
        }
        if double.fract() == 0.0 && double.abs() < 9e15 {
            return Some(self.int(double as i64));
        }
        if (double as f32).is_finite() {
            return Some((
                Arc::clone(&self.float),
                Cell::Float(f64::from(double as f32)),
            ));
        }
        let finite = double.is_finite();
        finite.then(|| (Arc::clone(&self.double), Cell::Float(double)))
    }

    fn int(&self, int: i64) -> (Arc<Schema>, Cell) {
        let [tiny, small, middle, large] = &self.ints;
        let schema = if i8::try_from(int).is_ok() {
            tiny
        } else if i16::try_from(int).is_ok() {
            small
        } else if i32::try_from(int).is_ok() {
            middle
        } else {
            large
        };
        (Arc::clone(schema), Cell::Int(int))
    }
}
