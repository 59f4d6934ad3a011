//! Runs a compiled plan over the cells of one value.

use connect_core::{Batch, Cell, Datum, Error, Result, Span, codec::Encode, datum::View};

use super::{
    owned::{write_fixed, write_owned, write_symbol},
    plan::{Instead, NO_BRANCH, NOWHERE, Op, Plan, Step},
    varint::{whole, write_length, write_long},
};
use crate::{error::MISMATCH, unscaled::write_unscaled};

/// Writes values of one schema.
pub(super) struct AvroEncoder {
    head: Vec<u8>,
    plan: Plan,
    /// Whether the target is `bytes` alone: these follow the number without a length, as Confluent's serializer has it.
    raw: bool,
}

impl AvroEncoder {
    pub(super) fn new(id: u32, plan: Plan, raw: bool) -> Self {
        Self {
            head: crate::schema_registry::head(id),
            plan,
            raw,
        }
    }

    fn payload(&self, datum: Datum<'_>, out: &mut Vec<u8>) -> Result<()> {
        let step = self.plan.step(0)?;
        if self.raw {
            return raw(datum, out);
        }
        match (datum.batch(), datum.cell(), datum.value()) {
            (Some(batch), Some(cell), _) => Run {
                plan: &self.plan,
                batch,
            }
            .value(step, cell, out),
            (_, _, Some(value)) => write_owned(&self.plan, step, value, out),
            _ => Err(mismatch()),
        }
    }
}

impl Encode for AvroEncoder {
    fn encode(&mut self, datum: Datum<'_>, out: &mut Vec<u8>) -> Result<bool> {
        if matches!(datum.view(), View::Null | View::Absent) {
            // As Confluent's: a null is null in the log, whatever its schema's default is.
            let schema = datum.schema();
            return match schema.is_none_or(|schema| schema.optional) {
                true => Ok(false),
                false => Err(Error::new(
                    &MISMATCH,
                    "Found null value for non-optional schema",
                )),
            };
        }
        let start = out.len();
        out.extend_from_slice(&self.head);
        match self.payload(datum, out) {
            Ok(()) => Ok(true),
            Err(error) => {
                out.truncate(start);
                Err(error)
            }
        }
    }
}

fn raw(datum: Datum<'_>, out: &mut Vec<u8>) -> Result<()> {
    match datum.to_value() {
        connect_core::Value::Bytes(bytes) => out.extend_from_slice(&bytes),
        _ => return Err(mismatch()),
    }
    Ok(())
}

/// A plan over one batch.
struct Run<'a> {
    plan: &'a Plan,
    batch: &'a Batch,
}

impl Run<'_> {
    fn value(&self, step: &Step, cell: Cell, out: &mut Vec<u8>) -> Result<()> {
        match cell {
            Cell::Null | Cell::Const => return self.instead(step.null, out),
            Cell::Absent => return self.instead(step.absent, out),
            Cell::Free(index) => return write_owned(self.plan, step, self.batch.free(index), out),
            _ => {}
        }
        if step.branch != NO_BRANCH {
            out.push(step.branch);
        }
        match (step.op, cell) {
            (_, Cell::Span(span)) => return self.span(step, span, out),
            (Op::Long, Cell::Int(i)) => write_long(i, out),
            (Op::Int, Cell::Int(i)) => return write_int(i, out),
            (Op::Bool, Cell::Bool(b)) => out.push(u8::from(b)),
            (Op::Record { at, len, straight }, Cell::Nest(nest)) => {
                let (steps, cells) = (self.plan.steps(at, len), self.batch.cells(nest));
                return match straight {
                    true => self.fields(steps, cells, out),
                    false => self.fields_by_name(steps, cells, out),
                };
            }
            (Op::Double, Cell::Float(f)) => out.extend_from_slice(&f.to_le_bytes()),
            (Op::Double, Cell::Int(i)) => out.extend_from_slice(&(i as f64).to_le_bytes()),
            (Op::Float, Cell::Float(f)) => out.extend_from_slice(&(f as f32).to_le_bytes()),
            (Op::Float, Cell::Int(i)) => out.extend_from_slice(&(i as f32).to_le_bytes()),
            (Op::Array { item }, Cell::Nest(nest)) => {
                let item = self.plan.step(item)?;
                return self.items(&[item], self.batch.cells(nest), out);
            }
            (Op::Map { item }, Cell::Nest(nest)) => {
                return self.map(item, self.batch.cells(nest), out);
            }
            (Op::Pairs { key }, Cell::Nest(nest)) => {
                let both = [self.plan.step(key)?, self.plan.step(key + 1)?];
                return self.items(&both, self.batch.cells(nest), out);
            }
            (Op::Union { at, len }, Cell::Nest(nest)) => {
                return self.union(step, self.plan.steps(at, len), self.batch.cells(nest), out);
            }
            _ => return Err(mismatch()),
        }
        Ok(())
    }

    fn span(&self, step: &Step, span: Span, out: &mut Vec<u8>) -> Result<()> {
        let bytes = self.batch.span(span);
        match step.op {
            Op::Text | Op::Bytes => {
                write_length(bytes.len(), out);
                out.extend_from_slice(bytes);
            }
            Op::Int => return write_int(whole(bytes)?, out),
            Op::Long => write_long(whole(bytes)?, out),
            Op::Decimal { scale } => return write_unscaled(bytes, scale, out),
            Op::Float => out.extend_from_slice(&number::<f32>(bytes)?.to_le_bytes()),
            Op::Double => out.extend_from_slice(&number::<f64>(bytes)?.to_le_bytes()),
            Op::Hex => {
                write_length(bytes.len() / 2, out);
                return crate::unscaled::write_unhexed(bytes, out);
            }
            Op::Enum { symbols } => return write_symbol(self.plan.symbols(symbols), bytes, out),
            Op::Fixed { size } => match self.plan.schema_of(step)?.form {
                connect_core::Form::Hex if bytes.len() == 2 * size as usize => {
                    return crate::unscaled::write_unhexed(bytes, out);
                }
                _ => return write_fixed(bytes, size, out),
            },
            Op::FixedDecimal { size, scale } => {
                let mut unscaled = Vec::new();
                match self.plan.schema_of(step)?.form {
                    connect_core::Form::DecimalText => {
                        connect_core::decimal::unscaled(bytes, scale as usize, &mut unscaled)?;
                    }
                    _ => unscaled.extend_from_slice(bytes),
                }
                return write_padded(&unscaled, size, out);
            }
            _ => return Err(mismatch()),
        }
        Ok(())
    }

    fn fields(&self, steps: &[Step], cells: &[Cell], out: &mut Vec<u8>) -> Result<()> {
        if cells.len() != steps.len() {
            return Err(uneven());
        }
        let mut at = 0;
        while let (Some(step), Some(cell)) = (steps.get(at), cells.get(at)) {
            at += 1;
            match *cell {
                Cell::Const if step.run > 0 => {
                    let end = at - 1 + step.run as usize;
                    let rest = cells.get(at..end).unwrap_or(&[]);
                    if rest.iter().all(|cell| matches!(cell, Cell::Const)) {
                        self.plan.write(step.run_bytes, out);
                        at = end;
                    } else {
                        self.plan.write(step.constant, out);
                    }
                }
                cell => self.value(step, cell, out)?,
            }
        }
        Ok(())
    }

    /// The target's fields in its order, which is not the source's.
    fn fields_by_name(&self, steps: &[Step], cells: &[Cell], out: &mut Vec<u8>) -> Result<()> {
        for step in steps {
            if step.from == NOWHERE {
                self.plan.write(step.constant, out);
                continue;
            }
            let cell = *cells.get(step.from as usize).ok_or_else(uneven)?;
            match cell {
                Cell::Const => self.plan.write(step.constant, out),
                cell => self.value(step, cell, out)?,
            }
        }
        Ok(())
    }

    /// Items of an array, or pairs of a map whose keys are no text.
    fn items(&self, each: &[&Step], cells: &[Cell], out: &mut Vec<u8>) -> Result<()> {
        let count = cells.len() / each.len().max(1);
        if count > 0 {
            write_length(count, out);
        }
        for (cell, step) in cells.iter().zip(each.iter().cycle()) {
            self.value(step, *cell, out)?;
        }
        out.push(0);
        Ok(())
    }

    fn map(&self, item: u32, cells: &[Cell], out: &mut Vec<u8>) -> Result<()> {
        let item = self.plan.step(item)?;
        if cells.len() > 1 {
            write_length(cells.len() / 2, out);
        }
        for pair in cells.chunks_exact(2) {
            let &[Cell::Span(name), value] = pair else {
                return Err(mismatch());
            };
            let name = self.batch.span(name);
            write_length(name.len(), out);
            out.extend_from_slice(name);
            self.value(item, value, out)?;
        }
        out.push(0);
        Ok(())
    }

    fn union(&self, whole: &Step, steps: &[Step], cells: &[Cell], out: &mut Vec<u8>) -> Result<()> {
        let mut set = steps.iter().zip(cells);
        let set = set.find(|(_, cell)| !matches!(cell, Cell::Null | Cell::Absent | Cell::Const));
        match set {
            Some((step, cell)) => self.value(step, *cell, out),
            None => self.instead(whole.null, out),
        }
    }

    fn instead(&self, what: Instead, out: &mut Vec<u8>) -> Result<()> {
        match what {
            Instead::Bytes(piece) => self.plan.write(piece, out),
            Instead::Refused => return Err(null_not_allowed()),
        }
        Ok(())
    }
}

#[inline]
pub(super) fn write_int(number: i64, out: &mut Vec<u8>) -> Result<()> {
    if i32::try_from(number).is_err() {
        return Err(Error::new(&MISMATCH, "a number does not fit into 32 bits"));
    }
    write_long(number, out);
    Ok(())
}

/// Appends an unscaled decimal at a fixed size, its sign extended.
pub(super) fn write_padded(unscaled: &[u8], size: u32, out: &mut Vec<u8>) -> Result<()> {
    let padding = (size as usize).checked_sub(unscaled.len());
    let padding = padding
        .ok_or_else(|| Error::new(&MISMATCH, "a decimal does not fit into its fixed size"))?;
    let negative = unscaled.first().is_some_and(|byte| byte & 0x80 != 0);
    out.resize(out.len() + padding, if negative { 0xff } else { 0 });
    out.extend_from_slice(unscaled);
    Ok(())
}

/// The float that ASCII digits stand for.
pub(super) fn number<T: std::str::FromStr>(digits: &[u8]) -> Result<T> {
    let text = std::str::from_utf8(digits).map_err(|_| mismatch())?;
    text.parse().map_err(|_| mismatch())
}

pub(super) fn mismatch() -> Error {
    Error::new(&MISMATCH, "Invalid type of a value for its schema")
}

pub(super) fn null_not_allowed() -> Error {
    Error::new(&MISMATCH, "Found null value for non-optional schema")
}

fn uneven() -> Error {
    Error::new(
        &MISMATCH,
        "a row has not as many values as its schema has fields",
    )
}
