//! Protobuf's binary to cells. The payload is copied into the batch once; text and bytes are places in it.

use connect_core::{Batch, Cell, Error, Result, Span};

use super::to_connect::{Message, Place, Read};
use crate::{
    avro::{decode::decimal_cell, varint::read_unsigned},
    error::PAYLOAD,
    placeholder::Placeholder,
    temporal::days_of,
};

/// How deep messages may nest that the schema does not know.
const MAX_GROUPS: usize = 64;
/// No record has more fields of messages, be they there or not.
const MOST_CELLS: usize = 4 << 20;

/// Reads one payload.
pub(super) struct Reader<'a> {
    batch: &'a mut Batch,
    /// Where the arena's copy of the payload begins.
    base: usize,
    payload: &'a [u8],
    unavailable: Option<&'a Placeholder>,
    /// How many values may come still.
    budget: usize,
}

/// The items of lists so far, and for each cell of a list which it is.
type Lists = (Vec<Vec<Cell>>, Vec<(usize, usize)>);

/// What stands behind a tag.
#[derive(Clone, Copy)]
enum Wire<'a> {
    Number(u64),
    Four([u8; 4]),
    Eight([u8; 8]),
    Bytes(&'a [u8]),
    Group,
}

impl<'a> Reader<'a> {
    /// `payload` is what follows the message's indexes.
    pub(super) fn new(
        payload: &'a [u8],
        unavailable: Option<&'a Placeholder>,
        batch: &'a mut Batch,
    ) -> Result<Self> {
        let base = batch.arena().len();
        // Decimals as text come behind the copy; spans count in 32 bits.
        if u32::try_from(base + payload.len() * 4).is_err() {
            return Err(wrong("a record does not fit into its batch"));
        }
        batch.arena().extend_from_slice(payload);
        Ok(Self {
            batch,
            base,
            payload,
            unavailable,
            budget: MOST_CELLS,
        })
    }

    /// Reads a message to its end.
    pub(super) fn message(&mut self, message: &Message, mut bytes: &'a [u8]) -> Result<Cell> {
        let nest = self.batch.reserve_nest(message.cells);
        let (mut lists, of_list) = self.zeros(message, nest)?;
        while !bytes.is_empty() {
            let (number, wire) = tagged(&mut bytes, 0)?;
            let found = message
                .fields
                .binary_search_by_key(&number, |field| field.number);
            let Some(field) = found.ok().and_then(|at| message.fields.get(at)) else {
                // Of a schema that is newer than the writer's, which a sink may leave out.
                continue;
            };
            match (field.at, &field.read) {
                (Place::Cell(at), Read::List(item)) => {
                    let list = of_list.iter().find(|(cell, _)| *cell == at);
                    if let Some(list) = list.and_then(|(_, list)| lists.get_mut(*list)) {
                        self.items(item, wire, list)?;
                    }
                }
                (Place::Cell(at), Read::Map(entry)) => {
                    let cells = self.entry(entry, wire)?;
                    let list = of_list.iter().find(|(cell, _)| *cell == at);
                    if let Some(list) = list.and_then(|(_, list)| lists.get_mut(*list)) {
                        list.extend(cells);
                    }
                }
                (Place::Cell(at), read) => {
                    let cell = self.value(read, wire, true)?;
                    self.put(nest, at, cell);
                }
                (Place::Choice(choice, within), read) => {
                    let cell = self.value(read, wire, false)?;
                    let Some((at, fields)) = message.choices.get(choice).copied() else {
                        continue;
                    };
                    let union = self.batch.reserve_nest(fields);
                    self.put(union, within, cell);
                    self.put(nest, at, Cell::Nest(union));
                }
            }
        }
        for (at, list) in of_list {
            let cells = lists.get(list).map_or(&[][..], Vec::as_slice);
            let cell = self.batch.push_nest(cells);
            self.put(nest, at, cell);
        }
        Ok(Cell::Nest(nest))
    }

    /// Fills in what fields read as that are not there: zeros, and lists to be filled with the cell of each.
    fn zeros(&mut self, message: &Message, nest: connect_core::Nest) -> Result<Lists> {
        // Invariant 4: a few bytes must not become many values.
        let left = self.budget.checked_sub(message.cells);
        self.budget = left.ok_or_else(|| wrong("a record has too many values"))?;
        let (mut lists, mut of_list) = (Vec::new(), Vec::new());
        for field in message.fields.iter().filter(|field| !field.presence) {
            let Place::Cell(at) = field.at else { continue };
            if let Read::List(_) | Read::Map(_) = &field.read {
                of_list.push((at, lists.len()));
                lists.push(Vec::new());
                continue;
            }
            let zero = self.zero(&field.read);
            self.put(nest, at, zero);
        }
        Ok((lists, of_list))
    }

    fn put(&mut self, nest: connect_core::Nest, at: usize, cell: Cell) {
        if let Some(place) = self.batch.cells_mut(nest).get_mut(at) {
            *place = cell;
        }
    }

    /// What a field reads as that is not there and cannot tell so.
    fn zero(&mut self, read: &Read) -> Cell {
        match read {
            Read::Bool => Cell::Bool(false),
            Read::Float | Read::Double => Cell::Float(0.0),
            Read::Text | Read::Bytes => self.batch.push_bytes(&[]),
            Read::Enum(symbols) => match symbols.iter().find(|(number, _)| *number == 0) {
                Some((_, name)) => self.batch.push_bytes(name.as_bytes()),
                None => Cell::Null,
            },
            Read::Varint { .. } | Read::Zigzag { .. } | Read::Fixed32 { .. } | Read::Fixed64 => {
                Cell::Int(0)
            }
            _ => Cell::Null,
        }
    }

    /// One item, or all of a run of numbers.
    fn items(&mut self, item: &Read, wire: Wire<'a>, list: &mut Vec<Cell>) -> Result<()> {
        let whole = matches!(
            item,
            Read::Text
                | Read::Bytes
                | Read::Decimal { .. }
                | Read::Date
                | Read::Time
                | Read::Timestamp
                | Read::Wrapped(_)
                | Read::Message(_)
                | Read::List(_)
                | Read::Map(_)
        );
        let Wire::Bytes(mut run) = wire else {
            list.push(self.value(item, wire, false)?);
            return Ok(());
        };
        if whole {
            list.push(self.value(item, wire, false)?);
            return Ok(());
        }
        while !run.is_empty() {
            let wire = match item {
                Read::Float | Read::Fixed32 { .. } => Wire::Four(
                    take(&mut run, 4)?
                        .first_chunk()
                        .copied()
                        .unwrap_or_default(),
                ),
                Read::Double | Read::Fixed64 => Wire::Eight(
                    take(&mut run, 8)?
                        .first_chunk()
                        .copied()
                        .unwrap_or_default(),
                ),
                _ => Wire::Number(read_unsigned(&mut run)?),
            };
            list.push(self.value(item, wire, false)?);
        }
        Ok(())
    }

    fn entry(&mut self, entry: &Message, wire: Wire<'a>) -> Result<[Cell; 2]> {
        let Wire::Bytes(bytes) = wire else {
            return Err(mixed());
        };
        match self.message(entry, bytes)? {
            Cell::Nest(nest) => match self.batch.cells(nest) {
                [key, value] => Ok([*key, *value]),
                _ => Err(mixed()),
            },
            _ => Err(mixed()),
        }
    }

    fn value(&mut self, read: &Read, wire: Wire<'a>, inside: bool) -> Result<Cell> {
        Ok(match (read, wire) {
            (Read::Bool, Wire::Number(number)) => Cell::Bool(number != 0),
            (
                Read::Varint {
                    narrow: true,
                    signed: true,
                },
                Wire::Number(number),
            ) => Cell::Int((number as i32).into()),
            (
                Read::Varint {
                    narrow: true,
                    signed: false,
                },
                Wire::Number(number),
            ) => Cell::Int((number as u32).into()),
            (Read::Varint { .. }, Wire::Number(number)) => Cell::Int(number as i64),
            (Read::Zigzag { narrow }, Wire::Number(number)) => {
                let number = (number >> 1) as i64 ^ -((number & 1) as i64);
                Cell::Int(if *narrow {
                    (number as i32).into()
                } else {
                    number
                })
            }
            (Read::Fixed32 { signed: true }, Wire::Four(bytes)) => {
                Cell::Int(i32::from_le_bytes(bytes).into())
            }
            (Read::Fixed32 { .. }, Wire::Four(bytes)) => {
                Cell::Int(u32::from_le_bytes(bytes).into())
            }
            (Read::Fixed64, Wire::Eight(bytes)) => Cell::Int(i64::from_le_bytes(bytes)),
            (Read::Float, Wire::Four(bytes)) => Cell::Float(f32::from_le_bytes(bytes).into()),
            (Read::Double, Wire::Eight(bytes)) => Cell::Float(f64::from_le_bytes(bytes)),
            (Read::Enum(symbols), Wire::Number(number)) => {
                let found = symbols.iter().find(|(known, _)| *known == number as i32);
                match found {
                    Some((_, name)) => self.batch.push_bytes(name.as_bytes()),
                    None => self
                        .batch
                        .push_bytes((number as i32).to_string().as_bytes()),
                }
            }
            (read, Wire::Bytes(bytes)) => return self.of_bytes(read, bytes, inside),
            _ => return Err(mixed()),
        })
    }

    /// What stands behind its length.
    fn of_bytes(&mut self, read: &Read, bytes: &'a [u8], inside: bool) -> Result<Cell> {
        Ok(match read {
            Read::Text => {
                if simdutf8::basic::from_utf8(bytes).is_err() {
                    return Err(wrong("a text is not UTF-8"));
                }
                self.span(bytes, inside)
            }
            Read::Bytes => self.span(bytes, inside),
            Read::Decimal { scale, text } => self.decimal(bytes, *scale, *text)?,
            Read::Date => {
                let [year, month, day, _] = numbers(bytes)?;
                Cell::Int(date(year, month, day)?)
            }
            Read::Time => {
                let [hours, minutes, seconds, nanos] = numbers(bytes)?;
                let fits = (0..=24).contains(&hours)
                    && (0..60).contains(&minutes)
                    && (0..=60).contains(&seconds);
                if !fits || !(0..1_000_000_000).contains(&nanos) {
                    return Err(wrong("a time is not within a day"));
                }
                Cell::Int(((hours * 60 + minutes) * 60 + seconds) * 1000 + nanos / 1_000_000)
            }
            Read::Timestamp => {
                let [seconds, nanos, ..] = numbers(bytes)?;
                let millis = seconds
                    .checked_mul(1000)
                    .and_then(|ms| ms.checked_add(nanos.div_euclid(1_000_000)));
                Cell::Int(millis.ok_or_else(|| wrong("a timestamp is too far away"))?)
            }
            Read::Wrapped(inner) => {
                let (mut cell, mut rest) = (self.zero(inner), bytes);
                while !rest.is_empty() {
                    let (number, wire) = tagged(&mut rest, 0)?;
                    if number == 1 {
                        cell = self.value(inner, wire, inside)?;
                    }
                }
                cell
            }
            Read::Message(message) => self.message(message, bytes)?,
            _ => return Err(mixed()),
        })
    }

    /// A place in the arena's copy, or absent for the placeholder.
    fn span(&self, bytes: &[u8], inside: bool) -> Cell {
        if inside && self.unavailable.is_some_and(|known| known.is(bytes)) {
            // Invariant 3: absent is not null.
            return Cell::Absent;
        }
        // All that is read lies in the payload.
        let at = (bytes.as_ptr() as usize).saturating_sub(self.payload.as_ptr() as usize);
        Cell::Span(Span {
            frame: Span::ARENA,
            at: (self.base + at) as u32,
            len: bytes.len() as u32,
        })
    }

    fn decimal(&mut self, mut bytes: &'a [u8], scale: usize, text: bool) -> Result<Cell> {
        let (mut unscaled, mut own) = (&[0_u8][..], 0_u64);
        while !bytes.is_empty() {
            match tagged(&mut bytes, 0)? {
                (1, Wire::Bytes(value)) => unscaled = value,
                (3, Wire::Number(number)) => own = number,
                _ => {}
            }
        }
        if !text {
            return Ok(self.span(unscaled, false));
        }
        let own = usize::try_from(own as i32).ok().filter(|own| *own <= 1000);
        let own = own.ok_or_else(|| wrong("a decimal has a scale that is too large"))?;
        if own == scale {
            return decimal_cell(self.batch, unscaled, scale);
        }
        // Of another scale than the schema's: the text tells it.
        decimal_cell(self.batch, unscaled, own)
    }
}

/// Four numbers of a message, whose fields count from one.
fn numbers(mut bytes: &[u8]) -> Result<[i64; 4]> {
    let mut all = [0; 4];
    while !bytes.is_empty() {
        let (number, wire) = tagged(&mut bytes, 0)?;
        let place = (number as usize)
            .checked_sub(1)
            .and_then(|at| all.get_mut(at));
        if let (Some(place), Wire::Number(value)) = (place, wire) {
            *place = value as i64;
        }
    }
    Ok(all)
}

fn date(year: i64, month: i64, day: i64) -> Result<i64> {
    let fits =
        (-9999..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !fits {
        return Err(wrong("a date is none"));
    }
    Ok(days_of(year, month, day))
}

/// A field's number, and what stands behind it.
fn tagged<'a>(bytes: &mut &'a [u8], depth: usize) -> Result<(u32, Wire<'a>)> {
    let tag = read_unsigned(bytes)?;
    let number = u32::try_from(tag >> 3).ok().filter(|number| *number > 0);
    let number = number.ok_or_else(|| wrong("a field has no number"))?;
    let wire = match tag & 7 {
        0 => Wire::Number(read_unsigned(bytes)?),
        1 => Wire::Eight(take(bytes, 8)?.first_chunk().copied().unwrap_or_default()),
        2 => {
            let length = usize::try_from(read_unsigned(bytes)?);
            Wire::Bytes(take(
                bytes,
                length.map_err(|_| wrong("a length is too large"))?,
            )?)
        }
        3 if depth < MAX_GROUPS => {
            loop {
                let mut ahead = *bytes;
                if read_unsigned(&mut ahead)? & 7 == 4 {
                    *bytes = ahead;
                    break;
                }
                tagged(bytes, depth + 1)?;
            }
            Wire::Group
        }
        5 => Wire::Four(take(bytes, 4)?.first_chunk().copied().unwrap_or_default()),
        _ => return Err(wrong("a field has a kind that there is not")),
    };
    Ok((number, wire))
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8]> {
    let (taken, rest) = bytes
        .split_at_checked(length)
        .ok_or_else(|| wrong("a record ends too early"))?;
    *bytes = rest;
    Ok(taken)
}

fn mixed() -> Error {
    wrong("a field is not of the kind that its schema says")
}

pub(super) fn wrong(what: &'static str) -> Error {
    Error::new(&PAYLOAD, what)
}
