//! Values without schema, in the record that Confluent's converter has for them.

use connect_core::{Datum, Error, Result, Value, codec::Encode};

use super::{
    owned::write_bytes,
    varint::{read_long, write_length, write_long},
};
use crate::error::{MISMATCH, PAYLOAD};

/// The record's full name.
pub(super) const NAME: &str = "io.confluent.connect.avro.Anything";

/// The record, as Avro's Java library writes it.
pub(super) const SCHEMA: &str = r#"{"type":"record","name":"Anything","namespace":"io.confluent.connect.avro","fields":[{"name":"boolean","type":["null","boolean"],"default":null},{"name":"bytes","type":["null","bytes"],"default":null},{"name":"double","type":["null","double"],"default":null},{"name":"float","type":["null","float"],"default":null},{"name":"int","type":["null","int"],"default":null},{"name":"long","type":["null","long"],"default":null},{"name":"string","type":["null","string"],"default":null},{"name":"array","type":["null",{"type":"array","items":"Anything"}],"default":null},{"name":"map","type":["null",{"type":"array","items":{"type":"record","name":"MapEntry","fields":[{"name":"key","type":"Anything"},{"name":"value","type":"Anything"}]}}],"default":null}]}"#;

/// The places of the record's fields.
const BOOLEAN: usize = 0;
const BYTES: usize = 1;
const DOUBLE: usize = 2;
const FLOAT: usize = 3;
const INT: usize = 4;
const LONG: usize = 5;
const STRING: usize = 6;
const ARRAY: usize = 7;
const MAP: usize = 8;
const FIELDS: usize = 9;
/// How deep values may nest.
const MAX_DEPTH: usize = 64;
const SPARE: usize = 65_536;

/// Writes values without schema.
pub(super) struct AnythingEncoder {
    head: Vec<u8>,
}

impl AnythingEncoder {
    pub(super) fn new(id: u32) -> Self {
        Self {
            head: crate::schema_registry::head(id),
        }
    }
}

impl Encode for AnythingEncoder {
    fn encode(&mut self, datum: Datum<'_>, out: &mut Vec<u8>) -> Result<bool> {
        if datum.is_null() || datum.is_absent() {
            return Ok(false);
        }
        let start = out.len();
        out.extend_from_slice(&self.head);
        write(&datum.to_value(), 0, out).inspect_err(|_| out.truncate(start))?;
        Ok(true)
    }
}

fn write(value: &Value, depth: usize, out: &mut Vec<u8>) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(Error::new(&MISMATCH, "a value nests too deep"));
    }
    let field = match value {
        Value::Null | Value::Absent => FIELDS,
        Value::Bool(_) => BOOLEAN,
        Value::Bytes(_) => BYTES,
        Value::Float(_) => DOUBLE,
        Value::Int(_) => LONG,
        Value::Str(_) | Value::Digits(_) => STRING,
        Value::Array(_) => ARRAY,
        Value::Map(_) => MAP,
    };
    out.resize(out.len() + field, 0);
    if field == FIELDS {
        return Ok(());
    }
    out.push(2);
    match value {
        Value::Bool(b) => out.push(u8::from(*b)),
        Value::Bytes(bytes) => write_bytes(bytes, out),
        Value::Float(f) => out.extend_from_slice(&f.to_le_bytes()),
        Value::Int(i) => write_long(*i, out),
        Value::Str(text) | Value::Digits(text) => write_bytes(text.as_bytes(), out),
        Value::Array(items) => {
            if !items.is_empty() {
                write_length(items.len(), out);
            }
            for item in items {
                write(item, depth + 1, out)?;
            }
            out.push(0);
        }
        Value::Map(entries) => {
            if !entries.is_empty() {
                write_length(entries.len(), out);
            }
            for (name, value) in entries {
                write(&Value::Str(name.clone()), depth + 1, out)?;
                write(value, depth + 1, out)?;
            }
            out.push(0);
        }
        Value::Null | Value::Absent => {}
    }
    out.resize(out.len() + FIELDS - field - 1, 0);
    Ok(())
}

/// Reads a payload to its end.
pub(super) fn read(payload: &[u8]) -> Result<Value> {
    let mut run = Run {
        rest: payload,
        budget: payload.len() + SPARE,
    };
    let value = run.value(0)?;
    match run.rest {
        [] => Ok(value),
        _ => Err(wrong("a record has bytes behind its end")),
    }
}

struct Run<'a> {
    rest: &'a [u8],
    budget: usize,
}

impl Run<'_> {
    /// The first field that is not null counts.
    fn value(&mut self, depth: usize) -> Result<Value> {
        // Invariant 4: a few bytes must not become many values.
        let left = self.budget.checked_sub(1).filter(|_| depth <= MAX_DEPTH);
        self.budget = left.ok_or_else(|| wrong("a value nests too deep or is too large"))?;
        let mut found = None;
        for field in 0..FIELDS {
            match read_long(&mut self.rest)? {
                0 => {}
                1 => {
                    let value = self.field(field, depth)?;
                    found = found.or(Some(value));
                }
                _ => return Err(wrong("a union has no such branch")),
            }
        }
        Ok(found.unwrap_or(Value::Null))
    }

    fn field(&mut self, field: usize, depth: usize) -> Result<Value> {
        Ok(match field {
            BOOLEAN => Value::Bool(self.take(1)? != [0]),
            BYTES => Value::Bytes(self.bytes()?.to_vec()),
            DOUBLE => Value::Float(f64::from_le_bytes(
                self.take(8)?.first_chunk().copied().unwrap_or_default(),
            )),
            FLOAT => Value::Float(
                f32::from_le_bytes(self.take(4)?.first_chunk().copied().unwrap_or_default()).into(),
            ),
            INT | LONG => Value::Int(read_long(&mut self.rest)?),
            STRING => Value::Str(self.text()?),
            ARRAY => {
                let mut items = Vec::new();
                while let Some(count) = self.block()? {
                    for _ in 0..count {
                        items.push(self.value(depth + 1)?);
                    }
                }
                Value::Array(items)
            }
            _ => {
                let mut entries = Vec::new();
                while let Some(count) = self.block()? {
                    for _ in 0..count {
                        let key = match self.value(depth + 1)? {
                            Value::Str(text) => text,
                            Value::Int(number) => number.to_string(),
                            Value::Bool(b) => b.to_string(),
                            _ => return Err(wrong("a map has a key that is no text")),
                        };
                        entries.push((key, self.value(depth + 1)?));
                    }
                }
                Value::Map(entries)
            }
        })
    }

    fn block(&mut self) -> Result<Option<u64>> {
        let count = read_long(&mut self.rest)?;
        if count < 0 {
            read_long(&mut self.rest)?;
        }
        Ok(Some(count.unsigned_abs()).filter(|count| *count > 0))
    }

    fn text(&mut self) -> Result<String> {
        let text = simdutf8::basic::from_utf8(self.bytes()?);
        text.map(str::to_owned)
            .map_err(|_| wrong("a text is not UTF-8"))
    }

    fn bytes(&mut self) -> Result<&[u8]> {
        let length = usize::try_from(read_long(&mut self.rest)?);
        self.take(length.map_err(|_| wrong("a length is negative"))?)
    }

    fn take(&mut self, length: usize) -> Result<&[u8]> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| wrong("a record ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }
}

fn wrong(what: &'static str) -> Error {
    Error::new(&PAYLOAD, what)
}
