//! Images of rows into cells.

use cdc::{table::Column, text::Frame};
use connect_core::{Batch, Cell, Error, Result};

use crate::{
    binlog::{self, Image, Inflater, Operation},
    convert::{self, Op},
    error,
    layout::{Layout, Value},
    tables::Table,
    wire::Fields,
};

/// The rows of an event, and how they lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// Their table.
    pub table: &'a Table,
    /// How the values of its columns lie.
    pub layouts: &'a [Layout],
    /// The bytes that stay where they are, if any do.
    pub frame: Option<Frame<'a>>,
}

/// Where cells are put.
#[derive(Debug)]
pub(crate) struct Target<'t> {
    /// What MariaDB has compressed goes through here.
    pub inflater: &'t mut Inflater,
    /// The cells.
    pub cells: &'t mut Vec<Cell>,
    /// Their batch.
    pub out: &'t mut Batch,
}

/// JSON documents of which only the differences were logged, and what they differ from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Partial<'a> {
    /// A bit for each JSON column of the table.
    pub bits: Image<'a>,
    /// The image before the change, at its nulls, and which columns it has.
    pub before: (&'a [u8], Image<'a>),
}

impl<'a> Rows<'a> {
    /// Decodes an image into `cells`, one for each column of the table, and one more for each that is masked.
    ///
    /// `old` gives what this image does not have.
    #[inline]
    pub(crate) fn image(
        &self,
        present: Image<'_>,
        data: &mut Fields<'a>,
        (partial, old): (Option<Partial<'a>>, Option<&[Cell]>),
        to: Target<'_>,
    ) -> Result<()> {
        let Target {
            inflater,
            cells,
            out,
        } = to;
        cells.clear();
        let start = *data;
        let mut walk = Walk::new(self.layouts, present, data)?;
        for column in &self.table.columns {
            let at = cells.len();
            let cell = match walk.next(partial)? {
                Taken::Value(value) => {
                    let cell = match (self.layouts.get(at), value) {
                        (Some(layout), Value::Bytes(bytes)) if layout.is_compressed() => {
                            let plain = Value::Bytes(inflater.column(bytes)?);
                            convert::cell(&column.op, plain, None, out)
                        }
                        _ => convert::cell(&column.op, value, self.frame, out),
                    };
                    self.or_instead((at, column), cell, out)?
                }
                Taken::Changed(json) => out.push_bytes(&json),
                Taken::Null => column.null(out),
                // Invariant 3: not sent is not null.
                Taken::Absent => old
                    .and_then(|old| old.get(at))
                    .copied()
                    .unwrap_or(Cell::Absent),
            };
            cells.push(cell);
        }
        *data = walk.data;
        if !self.table.masked.is_empty() {
            self.masked(present, start, (partial, old), cells, out)?;
        }
        Ok(())
    }

    /// What stands for zeros, for which there is nothing else in required columns, and for what cannot be shown.
    #[inline]
    fn or_instead(
        &self,
        (at, column): (usize, &Column<Op>),
        cell: Result<Cell>,
        out: &mut Batch,
    ) -> Result<Cell> {
        match cell {
            Ok(Cell::Null) => Ok(column.null(out)),
            Ok(cell) => Ok(cell),
            Err(error) => self.table.failed(at, error, out),
        }
    }

    fn masked(
        &self,
        present: Image<'_>,
        start: Fields<'a>,
        (partial, old): (Option<Partial<'a>>, Option<&[Cell]>),
        cells: &mut Vec<Cell>,
        out: &mut Batch,
    ) -> Result<()> {
        for (at, column) in &self.table.masked {
            let mut data = start;
            let mut walk = Walk::new(self.layouts, present, &mut data)?;
            for _ in 0..*at {
                walk.next(None)?;
            }
            let place = cells.len();
            let cell = match walk.next(partial)? {
                Taken::Value(value) => {
                    let cell = convert::cell(&column.op, value, None, out);
                    self.or_instead((place, column), cell, out)?
                }
                Taken::Absent => old
                    .and_then(|old| old.get(place))
                    .copied()
                    .unwrap_or(Cell::Absent),
                Taken::Null | Taken::Changed(_) => column.null(out),
            };
            cells.push(cell);
        }
        Ok(())
    }
}

/// A value of an image.
enum Taken<'a> {
    Value(Value<'a>),
    /// A JSON document's text.
    Changed(Vec<u8>),
    Null,
    Absent,
}

/// Goes through an image.
struct Walk<'l, 'a, 'p> {
    layouts: &'l [Layout],
    present: Image<'p>,
    nulls: Image<'a>,
    data: Fields<'a>,
    /// The next column.
    at: usize,
    /// How many of those before it are there.
    there: usize,
    /// How many of those before it are JSON.
    json: usize,
}

impl<'l, 'a, 'p> Walk<'l, 'a, 'p> {
    fn new(layouts: &'l [Layout], present: Image<'p>, data: &mut Fields<'a>) -> Result<Self> {
        let count = present.count(layouts.len());
        let nulls = Image(data.bytes(count.div_ceil(8))?);
        Ok(Self {
            layouts,
            present,
            nulls,
            data: *data,
            at: 0,
            there: 0,
            json: 0,
        })
    }

    #[inline]
    fn next(&mut self, partial: Option<Partial<'a>>) -> Result<Taken<'a>> {
        let at = self.at;
        self.at += 1;
        let layout = self
            .layouts
            .get(at)
            .ok_or_else(|| error::protocol("a row has another number of columns than its table"))?;
        let json = self.json;
        self.json += usize::from(layout.is_json());
        if !self.present.has(at) {
            return Ok(Taken::Absent);
        }
        let nth = self.there;
        self.there += 1;
        if self.nulls.has(nth) {
            return Ok(Taken::Null);
        }
        let value = layout.take(&mut self.data)?;
        match (partial, value) {
            (Some(partial), Value::Bytes(diffs)) if layout.is_json() && partial.bits.has(json) => {
                let Some(of) = document(self.layouts, partial.before, at)? else {
                    return Ok(Taken::Absent);
                };
                let mut text = Vec::new();
                crate::json::push_changed(of, diffs, &mut text)?;
                Ok(Taken::Changed(text))
            }
            (_, value) => Ok(Taken::Value(value)),
        }
    }
}

/// Set in an update whose JSON documents are perhaps only differences.
const PARTIAL_JSON: u64 = 1;

/// Which JSON documents of the image that follows are differences, if any may be.
pub(crate) fn differences<'a>(
    operation: Operation,
    layouts: &[Layout],
    data: &mut Fields<'a>,
) -> Result<Option<Image<'a>>> {
    if operation != Operation::PartialUpdate || data.lenenc()? & PARTIAL_JSON == 0 {
        return Ok(None);
    }
    let documents = layouts.iter().filter(|layout| layout.is_json()).count();
    data.bytes(documents.div_ceil(8))
        .map(|bits| Some(Image(bits)))
}

/// How many rows of a table there are whose values lie so.
pub(crate) fn count(rows: &binlog::Rows<'_>, layouts: &[Layout]) -> Result<u64> {
    if rows.columns != layouts.len() {
        return Err(columns_differ());
    }
    let mut data = rows.images()?;
    let mut count = 0;
    while rows.has_more(count, &data) {
        pass(layouts, Image(rows.first), &mut data)?;
        if matches!(rows.operation, Operation::Update | Operation::PartialUpdate) {
            differences(rows.operation, layouts, &mut data)?;
            pass(layouts, Image(rows.second), &mut data)?;
        }
        count += 1;
    }
    Ok(count)
}

/// Goes past an image.
fn pass(layouts: &[Layout], present: Image<'_>, data: &mut Fields<'_>) -> Result<()> {
    let mut walk = Walk::new(layouts, present, data)?;
    for _ in layouts {
        walk.next(None)?;
    }
    *data = walk.data;
    Ok(())
}

/// The document that differences are from; none when it was not logged, with `binlog_row_image=MINIMAL`.
fn document<'b>(
    layouts: &[Layout],
    (image, present): (&'b [u8], Image<'b>),
    at: usize,
) -> Result<Option<&'b [u8]>> {
    let mut data = Fields(image);
    let mut walk = Walk::new(layouts, present, &mut data)?;
    for _ in 0..at {
        walk.next(None)?;
    }
    match walk.next(None)? {
        Taken::Value(Value::Bytes(document)) => Ok(Some(document)),
        Taken::Absent => Ok(None),
        _ => Err(no_document()),
    }
}

/// Rows of another table than the one that is known.
pub(crate) fn columns_differ() -> Error {
    let what = "rows have another number of columns than their table";
    Error::new(&error::SCHEMA, what)
}

fn no_document() -> Error {
    Error::new(
        &error::VALUE,
        "a JSON document was logged as differences, and what it differs from is none",
    )
}
