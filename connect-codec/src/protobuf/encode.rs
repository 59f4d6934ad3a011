//! Runs compiled steps over one value.

use connect_core::{
    Batch, Cell, Datum, Error, Field, Form, Result, Value, codec::Encode, datum::View, decimal,
};

use super::plan::{Op, Step};
use crate::{
    avro::varint::{whole, write_unsigned},
    error::MISMATCH,
    temporal::civil,
    unscaled::{own_scale, shortest, small_unscaled, write_unhexed},
};

/// Writes structs of one schema.
pub(super) struct ProtobufEncoder {
    /// The number of the schema and the message's indexes.
    pub(super) head: Vec<u8>,
    pub(super) steps: Vec<Step>,
    pub(super) keep_nulls: bool,
}

impl Encode for ProtobufEncoder {
    fn encode(&mut self, datum: Datum<'_>, out: &mut Vec<u8>) -> Result<bool> {
        if matches!(datum.view(), View::Null | View::Absent) {
            return Ok(false);
        }
        let start = out.len();
        out.extend_from_slice(&self.head);
        let schema = datum
            .schema()
            .map(|schema| schema.fields())
            .unwrap_or_default();
        let run = Run {
            keep_nulls: self.keep_nulls,
        };
        match run.message(&self.steps, schema, datum, out) {
            Ok(()) => Ok(true),
            Err(error) => {
                out.truncate(start);
                Err(error)
            }
        }
    }
}

struct Run {
    keep_nulls: bool,
}

impl Run {
    fn message(
        &self,
        steps: &[Step],
        fields: &[Field],
        datum: Datum<'_>,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        match (datum.batch(), datum.cell(), datum.value()) {
            (Some(batch), Some(Cell::Nest(nest)), _) => {
                let cells = batch.cells(nest);
                for step in steps {
                    let cell = *cells.get(step.from).ok_or_else(mismatch)?;
                    self.cell(step, fields, batch, cell, out)?;
                }
                Ok(())
            }
            (_, _, Some(value @ Value::Map(_))) => {
                for step in steps {
                    let name = fields.get(step.from).map(|field| &*field.name);
                    let value = name
                        .and_then(|name| value.get(name))
                        .unwrap_or(&Value::Null);
                    self.field(step, Datum::of_value(Some(&step.schema), value), out)?;
                }
                Ok(())
            }
            _ => Err(mismatch()),
        }
    }

    fn cell(
        &self,
        step: &Step,
        fields: &[Field],
        batch: &Batch,
        cell: Cell,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let constant = fields
            .get(step.from)
            .and_then(|field| field.constant.as_ref());
        let datum = match (cell, constant) {
            (Cell::Const, Some(value)) => Datum::of_value(Some(&step.schema), value),
            _ => Datum::of(batch, Some(&step.schema), cell),
        };
        self.field(step, datum, out)
    }

    /// Appends a field with its tag; nothing for null.
    fn field(&self, step: &Step, datum: Datum<'_>, out: &mut Vec<u8>) -> Result<()> {
        let schema = &step.schema;
        let stand_in = match datum.view() {
            View::Absent => schema.absent.as_ref(),
            View::Null if !self.keep_nulls => schema.default.as_ref(),
            View::Null => None,
            _ => return self.present(step, datum, out),
        };
        match stand_in.filter(|value| !matches!(value, Value::Null | Value::Absent)) {
            Some(value) => self.present(step, Datum::of_value(Some(schema), value), out),
            // Protobuf has no null: the field is left out.
            None => Ok(()),
        }
    }

    fn present(&self, step: &Step, datum: Datum<'_>, out: &mut Vec<u8>) -> Result<()> {
        match &step.op {
            Op::List { item, packed } => return self.list(step, item, *packed, datum, out),
            Op::Map(both) => return self.map(step, both, datum, out),
            _ => {}
        }
        let start = out.len();
        out.extend_from_slice(&step.tag);
        let tagged = out.len();
        self.value(step, datum, out)?;
        let zero = || out.iter().skip(tagged).all(|byte| *byte == 0);
        if !step.presence && zero() {
            out.truncate(start);
        }
        Ok(())
    }

    fn value(&self, step: &Step, datum: Datum<'_>, out: &mut Vec<u8>) -> Result<()> {
        match &step.op {
            Op::Bool => match datum.view() {
                View::Bool(b) => out.push(u8::from(b)),
                _ => return Err(mismatch()),
            },
            Op::Varint => write_unsigned(integer(datum)? as u64, out),
            Op::Zigzag => crate::avro::varint::write_long(integer(datum)?, out),
            Op::Fixed32 => out.extend_from_slice(&(integer(datum)? as u32).to_le_bytes()),
            Op::Fixed64 => out.extend_from_slice(&integer(datum)?.to_le_bytes()),
            Op::Float => out.extend_from_slice(&(float(datum)? as f32).to_le_bytes()),
            Op::Double => out.extend_from_slice(&float(datum)?.to_le_bytes()),
            Op::Text => match datum.view() {
                View::Text(text) => write_bytes(text, out),
                _ => return Err(mismatch()),
            },
            Op::Bytes | Op::Hex => return bytes(datum, out),
            Op::Enum(symbols) => {
                let text = datum.text().ok_or_else(mismatch)?;
                let found = symbols.iter().find(|(name, _)| **name == *text);
                let (_, number) = found
                    .ok_or_else(|| Error::new(&MISMATCH, "a value is none of its enum's names"))?;
                write_unsigned(i64::from(*number) as u64, out);
            }
            Op::Decimal { scale, text } => {
                let body = decimal_body(datum, *scale, *text)?;
                write_bytes(&body, out);
            }
            Op::Date | Op::Time | Op::Timestamp => moment(&step.op, integer(datum)?, out),
            Op::Wrapped(inner) => return nested(out, |out| self.present(inner, datum, out)),
            Op::Message(steps) => {
                let fields = step.schema.fields();
                return nested(out, |out| self.message(steps, fields, datum, out));
            }
            Op::List { .. } | Op::Map(_) => return Err(mismatch()),
        }
        Ok(())
    }

    fn list(
        &self,
        step: &Step,
        item: &Step,
        packed: bool,
        datum: Datum<'_>,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let items = datum.items();
        let inside = |out: &mut Vec<u8>| {
            for one in &items {
                if one.is_null() || one.is_absent() {
                    return Err(Error::new(&MISMATCH, "Protobuf has no null within a list"));
                }
                out.extend_from_slice(&item.tag);
                self.value(item, *one, out)?;
            }
            Ok(())
        };
        if packed && !items.is_empty() {
            out.extend_from_slice(&step.tag);
            return nested(out, inside);
        }
        inside(out)
    }

    fn map(
        &self,
        step: &Step,
        both: &[Step; 2],
        datum: Datum<'_>,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let [key, value] = both;
        if datum.value().is_none() {
            for (name, one) in datum.pairs() {
                out.extend_from_slice(&step.tag);
                nested(out, |out| {
                    self.field(key, name, out)?;
                    self.field(value, one, out)
                })?;
            }
            return Ok(());
        }
        for (name, one) in datum.entries() {
            // An owned map has text for all its keys.
            let name = match key.op {
                Op::Text | Op::Enum(_) => Value::Str(name.into_owned()),
                Op::Bool => Value::Bool(name == "true"),
                _ => Value::Digits(name.into_owned()),
            };
            out.extend_from_slice(&step.tag);
            nested(out, |out| {
                self.field(key, Datum::of_value(Some(&key.schema), &name), out)?;
                self.field(value, one, out)
            })?;
        }
        Ok(())
    }
}

/// Appends what `write` appends, after its length.
fn nested(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<()> {
    let at = out.len();
    // Most are short: room for a length of one byte.
    out.push(0);
    write(out)?;
    let length = out.len() - at - 1;
    match out.get_mut(at) {
        Some(place) if length < 0x80 => *place = length as u8,
        _ => {
            let mut bytes = Vec::new();
            write_unsigned(length as u64, &mut bytes);
            out.splice(at..=at, bytes);
        }
    }
    Ok(())
}

/// Appends a date, a time or a timestamp as Google's message: days or milliseconds.
fn moment(op: &Op, number: i64, out: &mut Vec<u8>) {
    let (seconds, nanos) = (number.div_euclid(1000), number.rem_euclid(1000) * 1_000_000);
    match op {
        Op::Date => {
            let (year, month, day) = civil(number);
            numbers(&[year, month, day], out);
        }
        Op::Time => numbers(
            &[seconds / 3600, seconds / 60 % 60, seconds % 60, nanos],
            out,
        ),
        _ => numbers(&[seconds, nanos], out),
    }
}

/// Appends a message of whole numbers, whose fields count from one; zeros are left out.
fn numbers(all: &[i64], out: &mut Vec<u8>) {
    let mut body = Vec::new();
    for (at, number) in all.iter().enumerate().filter(|(_, number)| **number != 0) {
        body.push((at as u8 + 1) << 3);
        write_unsigned(*number as u64, &mut body);
    }
    write_bytes(&body, out);
}

fn decimal_body(datum: Datum<'_>, scale: usize, text: bool) -> Result<Vec<u8>> {
    let unscaled = match (datum.view(), datum.value()) {
        (View::Bytes(bytes, Form::DecimalText), None) if text => match small_unscaled(bytes, scale)
        {
            Some(number) => shortest(&number.to_be_bytes()).to_vec(),
            None => {
                let scale = scale.max(own_scale(bytes).min(scale));
                let mut out = Vec::new();
                decimal::unscaled(bytes, scale, &mut out)?;
                out
            }
        },
        (View::Bytes(bytes, Form::Plain), _) => bytes.to_vec(),
        (View::Digits(digits), _) => {
            let mut out = Vec::new();
            decimal::unscaled(digits, scale, &mut out)?;
            out
        }
        (View::Int(number), _) => {
            let mut out = Vec::new();
            decimal::unscaled(number.to_string().as_bytes(), scale, &mut out)?;
            out
        }
        _ => return Err(mismatch()),
    };
    let mut digits = Vec::new();
    decimal::to_text(&unscaled, 0, &mut digits);
    let precision = digits.iter().filter(|byte| byte.is_ascii_digit()).count();
    let mut body = vec![0x0a];
    write_bytes(&unscaled, &mut body);
    body.push(0x10);
    write_unsigned(precision as u64, &mut body);
    if scale > 0 {
        body.push(0x18);
        write_unsigned(scale as u64, &mut body);
    }
    Ok(body)
}

fn bytes(datum: Datum<'_>, out: &mut Vec<u8>) -> Result<()> {
    match datum.view() {
        View::Bytes(bytes, Form::Plain) => write_bytes(bytes, out),
        View::Bytes(hex, Form::Hex) => {
            write_unsigned(hex.len() as u64 / 2, out);
            return write_unhexed(hex, out);
        }
        View::Text(text) => write_bytes(text, out),
        _ => return Err(mismatch()),
    }
    Ok(())
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_unsigned(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn integer(datum: Datum<'_>) -> Result<i64> {
    match datum.view() {
        View::Int(i) => Ok(i),
        View::Digits(digits) => whole(digits),
        _ => Err(mismatch()),
    }
}

fn float(datum: Datum<'_>) -> Result<f64> {
    match datum.view() {
        View::Float(f) => Ok(f),
        View::Int(i) => Ok(i as f64),
        View::Digits(digits) => {
            let text = std::str::from_utf8(digits).map_err(|_| mismatch())?;
            text.parse().map_err(|_| mismatch())
        }
        _ => Err(mismatch()),
    }
}

fn mismatch() -> Error {
    Error::new(&MISMATCH, "Invalid type of a value for its schema")
}
