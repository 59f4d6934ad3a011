//! Reads a payload into cells, along a compiled schema.

use base64::{Engine, engine::general_purpose::STANDARD};
use connect_core::{Batch, Cell, Error, Result, Schema, Span, decimal};

use super::{
    field_plan::{Fields, Node, Want},
    parse::{Cursor, Quoted},
    repeated::drop_repeated,
    unavailable::Unavailable,
    value_write::mismatch,
};
use crate::error::MISMATCH;

/// The longest unscaled decimal that is turned into text, in bytes.
const MOST_DECIMAL_BYTES: usize = 512;

/// Room that is used again for each record.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    cells: Vec<Cell>,
    text: Vec<u8>,
}

/// Reads one payload.
pub(super) struct Reader<'a> {
    cursor: Cursor<'a>,
    batch: &'a mut Batch,
    /// Where the arena's copy of the payload begins.
    base: usize,
    scratch: &'a mut Scratch,
    unavailable: Option<&'a Unavailable>,
    defaults_for_null: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        payload: &'a [u8],
        batch: &'a mut Batch,
        scratch: &'a mut Scratch,
        unavailable: Option<&'a Unavailable>,
        defaults_for_null: bool,
    ) -> Self {
        let base = batch.arena().len();
        batch.arena().extend_from_slice(payload);
        scratch.cells.clear();
        Self {
            cursor: Cursor::new(payload),
            batch,
            base,
            scratch,
            unavailable,
            defaults_for_null,
        }
    }

    /// Reads the payload to its end.
    pub(super) fn whole(&mut self, node: &Node) -> Result<Cell> {
        let cell = self.value(node, false)?;
        self.cursor.end()?;
        Ok(cell)
    }

    /// Reads one value; `inside` a struct or map, the placeholder reads as absent.
    fn value(&mut self, node: &Node, inside: bool) -> Result<Cell> {
        let next = self.cursor.peek()?;
        if next == b'n' {
            self.cursor.word(b"null")?;
            return self.null(&node.schema);
        }
        let unavailable = self.unavailable.filter(|_| inside);
        match (&node.want, next) {
            (Want::Whole { least, most }, b'-' | b'0'..=b'9') => self.number(node, *least, *most),
            (Want::Text, b'"') => self.text(unavailable),
            (Want::Struct(fields), b'{') => self.fields(fields),
            (Want::Bool, b't') => self.cursor.word(b"true").map(|()| Cell::Bool(true)),
            (Want::Bool, b'f') => self.cursor.word(b"false").map(|()| Cell::Bool(false)),
            (Want::Float { single }, b'-' | b'0'..=b'9') => {
                let digits = self.cursor.number()?.raw;
                self.float(digits, *single)
            }
            (Want::Float { single }, b'"') => match self.cursor.string()?.raw {
                b"NaN" => self.float("NaN", *single),
                b"Infinity" => self.float("inf", *single),
                b"-Infinity" => self.float("-inf", *single),
                _ => Err(mismatch(&node.schema)),
            },
            (Want::Bytes, b'"') => self.bytes(unavailable, None),
            (Want::Decimal { scale }, b'"') => self.bytes(unavailable, Some(*scale)),
            (Want::Decimal { scale }, b'-' | b'0'..=b'9') => self.decimal_number(*scale),
            (Want::Array(item), b'[') => self.array(item, unavailable),
            (Want::TextMap(item), b'{') => self.text_map(item, unavailable),
            (Want::PairMap(both), b'[') => self.pair_map(&both[0], &both[1]),
            (_, b'-' | b'0'..=b'9' | b'"' | b't' | b'f' | b'{' | b'[') => {
                Err(mismatch(&node.schema))
            }
            _ => Err(self.cursor.wrong("a value is expected")),
        }
    }

    fn null(&mut self, schema: &Schema) -> Result<Cell> {
        match &schema.default {
            Some(default) if self.defaults_for_null => {
                Ok(self.batch.push_value(default, Some(schema)))
            }
            _ if schema.optional => Ok(Cell::Null),
            _ => Err(Error::new(
                &MISMATCH,
                "Invalid null value for required field",
            )),
        }
    }

    fn number(&mut self, node: &Node, least: i64, most: i64) -> Result<Cell> {
        let number = self.cursor.number()?;
        let whole = if number.whole {
            number.raw.parse().ok()
        } else {
            number.raw.parse().ok().and_then(without_fraction)
        };
        match whole {
            Some(whole) if (least..=most).contains(&whole) => Ok(Cell::Int(whole)),
            _ => Err(mismatch(&node.schema)),
        }
    }

    fn float(&mut self, digits: &str, single: bool) -> Result<Cell> {
        let number = if single {
            digits.parse().map(f32::into)
        } else {
            digits.parse()
        };
        let number = number.map_err(|_| self.cursor.wrong("a number is expected"))?;
        Ok(Cell::Float(number))
    }

    fn text(&mut self, unavailable: Option<&Unavailable>) -> Result<Cell> {
        let quoted = self.cursor.string()?;
        let cell = self.quoted(quoted)?;
        let absent = match (unavailable, cell) {
            (Some(unavailable), Cell::Span(span)) => unavailable.is_text(self.batch.span(span)),
            _ => false,
        };
        Ok(if absent { Cell::Absent } else { cell })
    }

    /// The cell of a string: within the copy of the payload, or unescaped behind it.
    fn quoted(&mut self, quoted: Quoted<'_>) -> Result<Cell> {
        if !quoted.escaped {
            return Ok(Cell::Span(Span {
                frame: Span::ARENA,
                at: narrow(self.base + quoted.at)?,
                len: narrow(quoted.raw.len())?,
            }));
        }
        let at = self.batch.arena().len();
        quoted.append(self.batch.arena())?;
        Ok(self.batch.made_since(at))
    }

    fn bytes(&mut self, unavailable: Option<&Unavailable>, scale: Option<usize>) -> Result<Cell> {
        let quoted = self.cursor.string()?;
        self.scratch.text.clear();
        let base64 = if quoted.escaped {
            quoted.append(&mut self.scratch.text)?;
            &self.scratch.text
        } else {
            quoted.raw
        };
        if unavailable.is_some_and(|u| u.is_base64(base64) || u.is_text(base64)) {
            return Ok(Cell::Absent);
        }
        let not_base64 = |_| Error::new(&MISMATCH, "Bytes are not written in base64");
        let at = self.batch.arena().len();
        match scale {
            None => STANDARD
                .decode_vec(base64, self.batch.arena())
                .map_err(not_base64)?,
            Some(scale) => {
                let unscaled = STANDARD.decode(base64).map_err(not_base64)?;
                if unscaled.len() > MOST_DECIMAL_BYTES {
                    return Err(Error::new(&MISMATCH, "A decimal has too many digits"));
                }
                decimal::to_text(&unscaled, scale, self.batch.arena());
            }
        }
        Ok(self.batch.made_since(at))
    }

    fn decimal_number(&mut self, scale: usize) -> Result<Cell> {
        let number = self.cursor.number()?;
        let at = self.batch.arena().len();
        super::decimal_read::write_plain(number.raw, scale, self.batch.arena())?;
        Ok(self.batch.made_since(at))
    }

    fn fields(&mut self, fields: &Fields) -> Result<Cell> {
        self.cursor.expect(b'{')?;
        let nest = self.batch.reserve_nest(fields.len());
        self.batch.cells_mut(nest).fill(MISSING);
        let mut next = 0;
        let mut open = !self.cursor.take(b'}')?;
        while open {
            if let Some(at) = self.field(fields, next)? {
                let node = fields.get(at).map(|(_, node)| node);
                let cell = self.value(node.ok_or_else(lost)?, true)?;
                if let Some(place) = self.batch.cells_mut(nest).get_mut(at) {
                    *place = cell;
                }
                next = at + 1;
            } else {
                self.cursor.skip()?;
            }
            open = self.cursor.more(b'}')?;
        }
        for at in 0..fields.len() {
            if self.batch.cells(nest).get(at) == Some(&MISSING) {
                let node = fields.get(at).map(|(_, node)| node);
                let cell = self.null(&node.ok_or_else(lost)?.schema)?;
                if let Some(place) = self.batch.cells_mut(nest).get_mut(at) {
                    *place = cell;
                }
            }
        }
        Ok(Cell::Nest(nest))
    }

    /// Reads a member's name: the place of its field, most often the `next` one; `None` for no field.
    fn field(&mut self, fields: &Fields, next: usize) -> Result<Option<usize>> {
        self.cursor.peek()?;
        if fields
            .get(next)
            .is_some_and(|(name, _)| self.cursor.take_exactly(name))
        {
            return Ok(Some(next));
        }
        let name = self.cursor.name()?;
        if !name.escaped {
            return Ok(fields.place(name.raw));
        }
        self.scratch.text.clear();
        name.append(&mut self.scratch.text)?;
        Ok(fields.place(&self.scratch.text))
    }

    fn array(&mut self, item: &Node, unavailable: Option<&Unavailable>) -> Result<Cell> {
        self.cursor.expect(b'[')?;
        let start = self.scratch.cells.len();
        let mut open = !self.cursor.take(b']')?;
        while open {
            let cell = self.value(item, false)?;
            self.scratch.cells.push(cell);
            open = self.cursor.more(b']')?;
        }
        let items = self.scratch.cells.get(start..).unwrap_or(&[]);
        let cell = match unavailable {
            Some(unavailable) if unavailable.is_items(items, self.batch) => Cell::Absent,
            _ => self.batch.push_nest(items),
        };
        self.scratch.cells.truncate(start);
        Ok(cell)
    }

    fn text_map(&mut self, item: &Node, unavailable: Option<&Unavailable>) -> Result<Cell> {
        self.cursor.expect(b'{')?;
        let start = self.scratch.cells.len();
        let mut open = !self.cursor.take(b'}')?;
        while open {
            let name = self.cursor.name()?;
            let name = self.quoted(name)?;
            let value = self.value(item, true)?;
            self.scratch.cells.extend([name, value]);
            open = self.cursor.more(b'}')?;
        }
        drop_repeated(&mut self.scratch.cells, start, self.batch);
        let pairs = self.scratch.cells.get(start..).unwrap_or(&[]);
        let cell = match unavailable {
            Some(unavailable) if unavailable.is_pair(pairs, self.batch) => Cell::Absent,
            _ => self.batch.push_nest(pairs),
        };
        self.scratch.cells.truncate(start);
        Ok(cell)
    }

    fn pair_map(&mut self, key: &Node, item: &Node) -> Result<Cell> {
        self.cursor.expect(b'[')?;
        let start = self.scratch.cells.len();
        let mut open = !self.cursor.take(b']')?;
        while open {
            let (name, value) = match self.cursor.peek()? {
                b'{' => self.entry(key, item)?,
                _ => self.pair(key, item)?,
            };
            self.scratch.cells.extend([name, value]);
            open = self.cursor.more(b']')?;
        }
        let pairs = self.scratch.cells.get(start..).unwrap_or(&[]);
        let cell = self.batch.push_nest(pairs);
        self.scratch.cells.truncate(start);
        Ok(cell)
    }
}

impl Reader<'_> {
    /// `[key,value]`, as the JSON converter has entries.
    fn pair(&mut self, key: &Node, item: &Node) -> Result<(Cell, Cell)> {
        self.cursor.expect(b'[')?;
        let name = self.value(key, false)?;
        self.cursor.expect(b',')?;
        let value = self.value(item, true)?;
        self.cursor.expect(b']')?;
        Ok((name, value))
    }

    /// `{"key":…,"value":…}`, as JSON Schema's converter has them.
    fn entry(&mut self, key: &Node, item: &Node) -> Result<(Cell, Cell)> {
        self.cursor.expect(b'{')?;
        let mut found = [None, None];
        let mut open = !self.cursor.take(b'}')?;
        while open {
            match self.cursor.name()?.raw {
                b"key" => found[0] = Some(self.value(key, false)?),
                b"value" => found[1] = Some(self.value(item, true)?),
                _ => return Err(self.cursor.wrong("an entry has a key and a value only")),
            }
            open = self.cursor.more(b'}')?;
        }
        match found {
            [Some(name), Some(value)] => Ok((name, value)),
            _ => Err(self.cursor.wrong("an entry has a key and a value")),
        }
    }
}

/// Stands in a struct's cells for a field that was not there; no value reads as this.
const MISSING: Cell = Cell::Const;

/// The whole number in `1.0` or `1e3`, where a double holds it exactly.
fn without_fraction(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

fn narrow(number: usize) -> Result<u32> {
    u32::try_from(number).map_err(|_| Error::new(&MISMATCH, "A record does not fit into its batch"))
}

fn lost() -> Error {
    Error::new(
        &connect_core::error::INTERNAL,
        "a decoder's plan lost a field",
    )
}
