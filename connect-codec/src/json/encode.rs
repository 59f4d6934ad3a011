//! Runs a compiled plan over the cells of one value.

use std::sync::Arc;

use connect_core::{Batch, Cell, Datum, Error, Result, Schema, Span, codec::Encode};

use super::{
    JsonSettings,
    free::{close_object, write_bool, write_free_datum},
    payload::{write_base64, write_decimal_base64, write_decimal_number, write_hex},
    plan::{Instead, Op, Plan, Step},
    schema_write::write_schema,
    text::write_text,
    value_write::{
        entry_marks, mismatch, null_not_allowed, write_json_float, write_json_float_digits,
        write_value,
    },
};
use crate::{
    error::MISMATCH,
    java_number::{write_big_decimal, write_whole_digits},
};

/// Writes values of one schema.
pub(crate) struct JsonEncoder {
    settings: Arc<JsonSettings>,
    plan: Option<(Plan, Arc<Schema>)>,
    /// The envelope up to the payload; empty without one.
    before: Vec<u8>,
    after: &'static [u8],
}

impl JsonEncoder {
    pub(crate) fn new(schema: Option<&Arc<Schema>>, settings: &Arc<JsonSettings>) -> Result<Self> {
        let mut before = Vec::new();
        if settings.schemas {
            before.extend_from_slice(b"{\"schema\":");
            match schema {
                Some(schema) => write_schema(schema, None, settings, &mut before)?,
                None => before.extend_from_slice(b"null"),
            }
            before.extend_from_slice(b",\"payload\":");
        }
        let plan = match schema {
            Some(schema) => Some((Plan::new(schema, settings)?, Arc::clone(schema))),
            None => None,
        };
        Ok(Self {
            settings: Arc::clone(settings),
            plan,
            before,
            after: if settings.schemas { b"}" } else { b"" },
        })
    }

    /// The same with these bytes before every payload.
    pub(crate) fn after(mut self, head: Vec<u8>) -> Self {
        self.before = head;
        self
    }

    fn payload(&self, datum: Datum<'_>, out: &mut Vec<u8>) -> Result<()> {
        let Some((plan, schema)) = &self.plan else {
            return write_free_datum(datum, out);
        };
        if datum.is_null() || datum.is_absent() {
            return instead(plan, plan.step(0)?.null, out);
        }
        match (datum.batch(), datum.cell(), datum.value()) {
            (Some(batch), Some(cell), _) => {
                let run = Run {
                    plan,
                    batch,
                    settings: &self.settings,
                };
                run.value(plan.step(0)?, cell, out)
            }
            (_, _, Some(value)) => write_value(schema, value, &self.settings, out),
            _ => Err(null_not_allowed()),
        }
    }
}

impl Encode for JsonEncoder {
    fn encode(&mut self, datum: Datum<'_>, out: &mut Vec<u8>) -> Result<bool> {
        // As Kafka Connect's: only a null without schema is null in the log.
        if self.plan.is_none() && (datum.is_null() || datum.is_absent()) {
            return Ok(false);
        }
        let start = out.len();
        out.extend_from_slice(&self.before);
        if let Err(err) = self.payload(datum, out) {
            out.truncate(start);
            return Err(err);
        }
        out.extend_from_slice(self.after);
        Ok(true)
    }
}

/// A plan over one batch.
struct Run<'a> {
    plan: &'a Plan,
    batch: &'a Batch,
    settings: &'a JsonSettings,
}

impl Run<'_> {
    fn value(&self, step: &Step, cell: Cell, out: &mut Vec<u8>) -> Result<()> {
        match (step.op, cell) {
            (_, Cell::Span(span)) => return self.span(step, span, out),
            (Op::Whole, Cell::Int(i)) => {
                out.extend_from_slice(itoa::Buffer::new().format(i).as_bytes());
            }
            (_, Cell::Null | Cell::Const) => return self.instead(step.null, out),
            (_, Cell::Absent) => return self.instead(step.absent, out),
            (Op::Struct { at, len }, Cell::Nest(nest)) => {
                return self.fields(self.plan.steps(at, len), self.batch.cells(nest), out);
            }
            (Op::Bool, Cell::Bool(b)) => write_bool(b, out),
            (Op::Float { single }, Cell::Float(f)) => write_json_float(f, single, out),
            (Op::Float { single }, Cell::Int(i)) => write_json_float(i as f64, single, out),
            (Op::Array { item }, Cell::Nest(nest)) => {
                return self.items(self.plan.step(item)?, self.batch.cells(nest), out);
            }
            (Op::TextMap { item }, Cell::Nest(nest)) => {
                return self.text_map(self.plan.step(item)?, self.batch.cells(nest), out);
            }
            (Op::PairMap { key }, Cell::Nest(nest)) => {
                let (key, item) = (self.plan.step(key)?, self.plan.step(key + 1)?);
                return self.pair_map(key, item, self.batch.cells(nest), out);
            }
            (_, Cell::Free(index)) => {
                let schema = self.plan.schema_of(step)?;
                return write_value(schema, self.batch.free(index), self.settings, out);
            }
            _ => return Err(mismatch(self.plan.schema_of(step)?)),
        }
        Ok(())
    }

    fn span(&self, step: &Step, span: Span, out: &mut Vec<u8>) -> Result<()> {
        let bytes = self.batch.span(span);
        match step.op {
            Op::Text => write_text(bytes, out),
            Op::Whole => return write_whole_digits(bytes, out),
            Op::Float { single } => return write_json_float_digits(bytes, single, out),
            Op::Base64 => write_base64(bytes, out),
            Op::Hex => return write_hex(bytes, out),
            Op::DecimalBase64 { scale } => return write_decimal_base64(bytes, scale, out),
            Op::DecimalNumber { scale } => return write_big_decimal(bytes, scale as usize, out),
            Op::BytesNumber { scale } => return write_decimal_number(bytes, scale, out),
            _ => return Err(mismatch(self.plan.schema_of(step)?)),
        }
        Ok(())
    }

    fn fields(&self, steps: &[Step], cells: &[Cell], out: &mut Vec<u8>) -> Result<()> {
        if cells.len() != steps.len() {
            return Err(Error::new(
                &MISMATCH,
                "a row has not as many values as its schema has fields",
            ));
        }
        let start = out.len();
        let mut at = 0;
        while let (Some(step), Some(cell)) = (steps.get(at), cells.get(at)) {
            at += 1;
            match *cell {
                Cell::Const if step.run > 0 => {
                    let end = at - 1 + step.run as usize;
                    let rest = cells.get(at..end).unwrap_or(&[]);
                    if rest.iter().all(|cell| matches!(cell, Cell::Const)) {
                        self.plan.write(step.run_text, out);
                        at = end;
                    } else {
                        self.plan.write(step.constant, out);
                    }
                }
                Cell::Absent if matches!(step.absent, Instead::Nothing) => {}
                cell => {
                    self.plan.write(step.lead, out);
                    self.value(step, cell, out)?;
                }
            }
        }
        close_object(start, out);
        Ok(())
    }

    fn items(&self, item: &Step, cells: &[Cell], out: &mut Vec<u8>) -> Result<()> {
        out.push(b'[');
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            self.value(item, *cell, out)?;
        }
        out.push(b']');
        Ok(())
    }

    fn text_map(&self, item: &Step, cells: &[Cell], out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        for pair in cells.chunks_exact(2) {
            let &[Cell::Span(name), value] = pair else {
                return Err(Error::new(
                    &MISMATCH,
                    "a map with text keys has a key that is no text",
                ));
            };
            if matches!((value, item.absent), (Cell::Absent, Instead::Nothing)) {
                continue;
            }
            out.push(b',');
            write_text(self.batch.span(name), out);
            out.push(b':');
            self.value(item, value, out)?;
        }
        close_object(start, out);
        Ok(())
    }

    fn pair_map(&self, key: &Step, item: &Step, cells: &[Cell], out: &mut Vec<u8>) -> Result<()> {
        out.push(b'[');
        for (at, pair) in cells.chunks_exact(2).enumerate() {
            out.extend(b",".iter().filter(|_| at > 0));
            let [open, between, close] = entry_marks(self.settings);
            if let &[name, value] = pair {
                out.extend_from_slice(open);
                self.value(key, name, out)?;
                out.extend_from_slice(between);
                self.value(item, value, out)?;
                out.extend_from_slice(close);
            }
        }
        out.push(b']');
        Ok(())
    }

    fn instead(&self, what: Instead, out: &mut Vec<u8>) -> Result<()> {
        instead(self.plan, what, out)
    }
}

fn instead(plan: &Plan, what: Instead, out: &mut Vec<u8>) -> Result<()> {
    match what {
        Instead::Text(piece) => plan.write(piece, out),
        Instead::Nothing => out.extend_from_slice(b"null"),
        Instead::Refused => return Err(null_not_allowed()),
    }
    Ok(())
}
