//! Avro's binary to cells. The payload is copied into the batch once; text and bytes are places in it.

use std::sync::Arc;

use connect_core::{Batch, Cell, Error, Result, Span, codec::Decoded, decimal};

use super::{
    anything,
    to_connect::{Read, Reader},
    varint::read_long,
};
use crate::{error::PAYLOAD, placeholder::Placeholder};

/// The longest unscaled decimal that is turned into text, in bytes.
const MOST_DECIMAL_BYTES: usize = 512;
/// Values that take no bytes may be so many more than the payload has bytes.
const SPARE: usize = 65_536;

/// Reads a payload to its end.
pub(super) fn decode(
    reader: &Reader,
    payload: &[u8],
    unavailable: Option<&Placeholder>,
    batch: &mut Batch,
) -> Result<Decoded> {
    let Some(schema) = &reader.schema else {
        let value = anything::read(payload)?;
        let cell = batch.push_value(&value, None);
        return Ok(Decoded { schema: None, cell });
    };
    let base = batch.arena().len();
    // Decimals as text come behind the copy; spans count in 32 bits.
    if u32::try_from(base + payload.len() * 4).is_err() {
        return Err(wrong("a record does not fit into its batch"));
    }
    batch.arena().extend_from_slice(payload);
    if reader.raw {
        let cell = match reader.read {
            Read::Decimal(scale) => decimal_cell(batch, payload, scale)?,
            _ => batch.made_since(base),
        };
        return Ok(Decoded {
            schema: Some(Arc::clone(schema)),
            cell,
        });
    }
    let mut run = Run {
        batch,
        base,
        whole: payload.len(),
        rest: payload,
        budget: payload.len() + SPARE,
        unavailable,
    };
    let cell = run.value(&reader.read, false)?;
    if !run.rest.is_empty() {
        return Err(wrong("a record has bytes behind its end"));
    }
    Ok(Decoded {
        schema: Some(Arc::clone(schema)),
        cell,
    })
}

struct Run<'a> {
    batch: &'a mut Batch,
    /// Where the arena's copy of the payload begins, and how long it is.
    base: usize,
    whole: usize,
    rest: &'a [u8],
    /// How many values may come still.
    budget: usize,
    unavailable: Option<&'a Placeholder>,
}

impl Run<'_> {
    /// Reads one value; `inside` a record, the placeholder reads as absent.
    fn value(&mut self, read: &Read, inside: bool) -> Result<Cell> {
        // Invariant 4: a few bytes must not become many values.
        self.budget = self
            .budget
            .checked_sub(1)
            .ok_or_else(|| wrong("a record has more values than bytes"))?;
        Ok(match read {
            Read::Text => return self.text(inside),
            Read::Bytes => return self.bytes(inside),
            Read::Fixed(size) => {
                let (at, _) = self.place(*size)?;
                self.span(at, *size)
            }
            Read::Decimal(scale) => {
                let length = self.length()?;
                let bytes = self.take(length)?;
                if inside && self.unavailable.is_some_and(|known| known.is(bytes)) {
                    return Ok(Cell::Absent);
                }
                return self.decimal(bytes, *scale);
            }
            Read::FixedDecimal { size, scale } => {
                let bytes = self.take(*size)?;
                return self.decimal(bytes, *scale);
            }
            Read::Record(fields) => return self.record(fields),
            Read::Array(item) => return self.items(&[item]),
            Read::Pairs(both) => return self.items(&[&both[0], &both[1]]),
            Read::Map(item) => return self.items(&[&Read::Text, item]),
            Read::Union(branches) => {
                let place = self.branch(branches.len())?;
                let branch = branches.get(place).ok_or_else(no_branch)?;
                return self.value(branch, inside);
            }
            Read::Struct { branches, fields } => {
                let place = self.branch(branches.len())?;
                let (branch, field) = branches.get(place).ok_or_else(no_branch)?;
                let Some(field) = field else {
                    return Ok(Cell::Null);
                };
                let cell = self.value(branch, false)?;
                let nest = self.batch.reserve_nest(*fields);
                if let Some(slot) = self.batch.cells_mut(nest).get_mut(*field) {
                    *slot = cell;
                }
                Cell::Nest(nest)
            }
            read => return self.scalar(read),
        })
    }

    fn scalar(&mut self, read: &Read) -> Result<Cell> {
        Ok(match read {
            Read::Null => Cell::Null,
            Read::Bool => match self.take(1)? {
                [0] => Cell::Bool(false),
                [1] => Cell::Bool(true),
                _ => return Err(wrong("a boolean is neither 0 nor 1")),
            },
            Read::Int => {
                let number = read_long(&mut self.rest)?;
                i32::try_from(number).map_err(|_| wrong("a number does not fit into 32 bits"))?;
                Cell::Int(number)
            }
            Read::Long => Cell::Int(read_long(&mut self.rest)?),
            Read::Float => {
                let bytes = self.take(4)?.first_chunk().copied().unwrap_or_default();
                Cell::Float(f32::from_le_bytes(bytes).into())
            }
            Read::Double => {
                let bytes = self.take(8)?.first_chunk().copied().unwrap_or_default();
                Cell::Float(f64::from_le_bytes(bytes))
            }
            Read::Enum(symbols) => {
                let place = usize::try_from(read_long(&mut self.rest)?).ok();
                let symbol = place.and_then(|place| symbols.get(place));
                let symbol = symbol.ok_or_else(|| wrong("an enum has no such symbol"))?;
                self.batch.push_bytes(symbol.as_bytes())
            }
            _ => Cell::Null,
        })
    }

    fn record(&mut self, fields: &[Read]) -> Result<Cell> {
        let nest = self.batch.reserve_nest(fields.len());
        for (at, field) in fields.iter().enumerate() {
            let cell = self.value(field, true)?;
            if let Some(slot) = self.batch.cells_mut(nest).get_mut(at) {
                *slot = cell;
            }
        }
        Ok(Cell::Nest(nest))
    }

    /// Blocks of items, or of keys and values by turns, up to an empty one.
    fn items(&mut self, each: &[&Read]) -> Result<Cell> {
        let mut cells = Vec::new();
        loop {
            let mut count = read_long(&mut self.rest)?;
            if count == 0 {
                return Ok(self.batch.push_nest(&cells));
            }
            if count < 0 {
                // Its size in bytes follows, for those who skip it.
                read_long(&mut self.rest)?;
                count = count
                    .checked_neg()
                    .ok_or_else(|| wrong("a block has no end"))?;
            }
            for _ in 0..count {
                for read in each {
                    cells.push(self.value(read, false)?);
                }
            }
        }
    }

    fn text(&mut self, inside: bool) -> Result<Cell> {
        let length = self.length()?;
        let (at, bytes) = self.place(length)?;
        if simdutf8::basic::from_utf8(bytes).is_err() {
            return Err(wrong("a text is not UTF-8"));
        }
        if inside && self.unavailable.is_some_and(|known| known.is(bytes)) {
            // Invariant 3: absent is not null.
            return Ok(Cell::Absent);
        }
        Ok(self.span(at, length))
    }

    fn bytes(&mut self, inside: bool) -> Result<Cell> {
        let length = self.length()?;
        let (at, bytes) = self.place(length)?;
        if inside && self.unavailable.is_some_and(|known| known.is(bytes)) {
            return Ok(Cell::Absent);
        }
        Ok(self.span(at, length))
    }

    fn decimal(&mut self, bytes: &[u8], scale: usize) -> Result<Cell> {
        decimal_cell(self.batch, bytes, scale)
    }

    fn branch(&mut self, branches: usize) -> Result<usize> {
        let place = usize::try_from(read_long(&mut self.rest)?).ok();
        place
            .filter(|place| *place < branches)
            .ok_or_else(no_branch)
    }

    fn length(&mut self) -> Result<usize> {
        usize::try_from(read_long(&mut self.rest)?).map_err(|_| wrong("a length is negative"))
    }

    fn span(&self, at: usize, length: usize) -> Cell {
        Cell::Span(Span {
            frame: Span::ARENA,
            at: (self.base + at) as u32,
            len: length as u32,
        })
    }
}

impl<'a> Run<'a> {
    /// Takes bytes off the front, and says where they are in the payload.
    fn place(&mut self, length: usize) -> Result<(usize, &'a [u8])> {
        let at = self.whole - self.rest.len();
        Ok((at, self.take(length)?))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let rest: &'a [u8] = self.rest;
        let (taken, rest) = rest
            .split_at_checked(length)
            .ok_or_else(|| wrong("a record ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }
}

/// Unscaled bytes as decimal text.
pub(crate) fn decimal_cell(batch: &mut Batch, bytes: &[u8], scale: usize) -> Result<Cell> {
    if bytes.is_empty() || bytes.len() > MOST_DECIMAL_BYTES {
        return Err(wrong("a decimal is empty or too long"));
    }
    let at = batch.arena().len();
    decimal::to_text(bytes, scale, batch.arena());
    Ok(batch.made_since(at))
}

fn no_branch() -> Error {
    wrong("a union has no such branch")
}

fn wrong(what: &'static str) -> Error {
    Error::new(&PAYLOAD, what)
}
