//! Rows in COPY's text format into cells.

use cdc::text::{Frame, Text};
use connect_core::{Batch, Cell, Result};

use crate::{
    convert::{self, Op},
    error,
    relations::{Column, Table},
};

/// Decodes a row (`1\tname\t\\N\n`) into `cells`, one for each column, and one more for each that is masked.
pub(crate) fn row(
    table: &Table,
    line: &[u8],
    frame: Frame<'_>,
    cells: &mut Vec<Cell>,
    out: &mut Batch,
) -> Result<()> {
    cells.clear();
    let escapes = memchr::memchr(b'\\', line).is_some();
    let mut fields = fields(line);
    for column in &table.columns {
        let field = fields.next().ok_or_else(short)?;
        let cell = cell(column, field, escapes, frame, out);
        cells.push(match cell {
            Ok(cell) => cell,
            Err(error) => table.failed(cells.len(), error, out)?,
        });
    }
    if fields.next().is_some() {
        return Err(short());
    }
    for (at, column) in &table.masked {
        let field = self::fields(line).nth(usize::from(*at)).ok_or_else(short)?;
        let cell = cell(column, field, escapes, frame, out);
        cells.push(match cell {
            Ok(cell) => cell,
            Err(error) => table.failed(cells.len(), error, out)?,
        });
    }
    Ok(())
}

/// The texts of some columns of a row; `None` when one is null.
pub(crate) fn texts(line: &[u8], places: &[u16]) -> Option<Vec<String>> {
    let all: Vec<&[u8]> = fields(line).collect();
    let text = |place: &u16| match *all.get(usize::from(*place))? {
        b"\\N" => None,
        field => String::from_utf8(unescaped(field)).ok(),
    };
    places.iter().map(text).collect()
}

/// The bytes of some columns of a row; `None` for nulls.
pub(crate) fn texts_or_null(line: &[u8], places: &[u16]) -> Vec<Option<Vec<u8>>> {
    let all: Vec<&[u8]> = fields(line).collect();
    let text = |place: &u16| match *all.get(usize::from(*place))? {
        b"\\N" => None,
        field => Some(unescaped(field)),
    };
    places.iter().map(text).collect()
}

fn fields(line: &[u8]) -> Fields<'_> {
    Fields(Some(line.strip_suffix(b"\n").unwrap_or(line)))
}

/// The fields of a line. Tabs within values are escaped.
struct Fields<'a>(Option<&'a [u8]>);

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let line = self.0?;
        match memchr::memchr(b'\t', line) {
            Some(tab) => {
                let (field, rest) = line.split_at(tab);
                self.0 = rest.get(1..);
                Some(field)
            }
            None => {
                self.0 = None;
                Some(line)
            }
        }
    }
}

#[cold]
fn short() -> connect_core::Error {
    error::protocol("a copied row has another number of columns than its table")
}

#[inline]
fn cell(
    column: &Column,
    field: &[u8],
    escapes: bool,
    frame: Frame<'_>,
    out: &mut Batch,
) -> Result<Cell> {
    if !escapes {
        return convert::cell(&column.op, Text::framed(field, frame), out);
    }
    match field {
        b"\\N" => Ok(column.null(out)),
        // `\\x…`: the escaped backslash of a bytea, and digits behind it.
        [b'\\', digits @ ..] if column.op == Op::Hex && digits.starts_with(b"\\x") => {
            convert::cell(&column.op, Text::framed(digits, frame), out)
        }
        field if memchr::memchr(b'\\', field).is_none() => {
            convert::cell(&column.op, Text::framed(field, frame), out)
        }
        field => convert::cell(&column.op, Text::loose(&unescaped(field)), out),
    }
}

/// COPY's escapes undone.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut bytes = field.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        out.push(match bytes.next() {
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'v') => 11,
            Some(other) => *other,
            None => b'\\',
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use connect_core::{Datum, Route, Schema, Type, Value};
    use std::sync::Arc;

    use super::*;

    fn table(ops: Vec<Op>) -> Table {
        let route = Route::new("t", None, None);
        let columns: Vec<Column> = ops
            .into_iter()
            .map(|op| Column { op, fallback: None })
            .collect();
        Table {
            name: "public.t".into(),
            failing: cdc::modes::Failing::Fail,
            processing: cdc::modes::Processing::Fail,
            tombstone: Arc::clone(&route),
            keyless: Arc::clone(&route),
            route,
            columns: columns.into(),
            row: None,
            key: Box::default(),
            masked: Box::default(),
            extra: None,
            skip_unchanged: false,
        }
    }

    fn read(ops: Vec<Op>, line: &[u8]) -> Result<Vec<Value>> {
        let (mut cells, mut out) = (Vec::new(), Batch::default());
        let frame = Frame {
            bytes: line,
            index: 0,
        };
        row(&table(ops), line, frame, &mut cells, &mut out)?;
        out.push_frame(bytes::Bytes::copy_from_slice(line));
        let schema = Arc::new(Schema::of(Type::String));
        Ok(cells
            .iter()
            .map(|cell| Datum::of(&out, Some(&schema), *cell).to_value())
            .collect())
    }

    fn text(text: &str) -> Value {
        Value::Str(text.to_owned())
    }

    #[test]
    fn escapes_nulls_and_bytes() {
        let ops = || vec![Op::Text, Op::Text, Op::Hex, Op::Text];
        let line = b"a\\tb\\\\\\n\t\\N\t\\\\x00ff\t\n";
        let expected = [text("a\tb\\\n"), Value::Null, text("00ff"), text("")];
        assert_eq!(read(ops(), line).unwrap(), expected);
        let plain = read(ops(), b"a\tb\t\\\\x\td\n").unwrap();
        assert_eq!(plain, [text("a"), text("b"), text(""), text("d")]);
        assert!(read(ops(), b"a\tb\n").is_err());
        assert!(read(vec![Op::Text], b"a\tb\n").is_err());
    }

    #[test]
    fn keys_are_read_out_of_a_line() {
        let line = b"1\ta\\tb\t\\N\n";
        assert_eq!(
            texts(line, &[1, 0]),
            Some(vec!["a\tb".to_owned(), "1".to_owned()])
        );
        assert_eq!(texts(line, &[2]), None);
        assert_eq!(texts(line, &[9]), None);
    }

    proptest::proptest! {
        #[test]
        fn never_panic(line: Vec<u8>) {
            let _ = read(vec![Op::Text, Op::Int], &line);
            let _ = texts(&line, &[0, 1]);
        }
    }
}
