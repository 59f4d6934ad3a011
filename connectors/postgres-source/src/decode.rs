//! Tuples into cells.

use cdc::text::{Frame, Text};
use connect_core::{Batch, Cell, Error, Result};

use crate::{
    config::{Failing, Processing},
    convert, error,
    pgoutput::{Tuple, Value},
    relations::{Column, Table},
};

/// Decodes a tuple of the stream into `cells`, one for each column on the wire, and one more for each that is masked.
///
/// `old` gives the values that were not sent since they have not changed (`REPLICA IDENTITY FULL` logs them there).
#[inline]
pub(crate) fn tuple(
    table: &Table,
    tuple: Tuple<'_>,
    frame: Frame<'_>,
    old: Option<&[Cell]>,
    cells: &mut Vec<Cell>,
    out: &mut Batch,
) -> Result<()> {
    cells.clear();
    if usize::from(tuple.count) != table.columns.len() {
        return Err(error::protocol(
            "a row has another number of columns than its table",
        ));
    }
    for (column, value) in table.columns.iter().zip(tuple.values()) {
        let cell = match value? {
            Value::Text(text) => match convert::cell(&column.op, Text::framed(text, frame), out) {
                Ok(cell) => cell,
                Err(error) => failed(table, cells.len(), error, out)?,
            },
            Value::Null => null(column, out),
            // Invariant 3: not sent is not null.
            Value::Unchanged => old
                .and_then(|old| old.get(cells.len()))
                .copied()
                .unwrap_or(Cell::Absent),
        };
        cells.push(cell);
    }
    for (at, column) in &table.masked {
        let cell = match tuple.values().nth(usize::from(*at)) {
            Some(Ok(Value::Text(text))) => {
                match convert::cell(&column.op, Text::framed(text, frame), out) {
                    Ok(cell) => cell,
                    Err(error) => failed(table, cells.len(), error, out)?,
                }
            }
            Some(Ok(Value::Unchanged)) => old
                .and_then(|old| old.get(cells.len()))
                .copied()
                .unwrap_or(Cell::Absent),
            _ => null(column, out),
        };
        cells.push(cell);
    }
    Ok(())
}

/// What stands for a value that cannot be decoded; `at` is the column's place among the cells.
#[cold]
pub(crate) fn failed(table: &Table, at: usize, error: Error, out: &mut Batch) -> Result<Cell> {
    let is_key = u16::try_from(at).is_ok_and(|at| table.key.contains(&at));
    if is_key || table.failing == Failing::Fail {
        return Err(error.context("table", &table.name));
    }
    if table.failing == Failing::Warn {
        let position = at + 1;
        tracing::warn!(table = %table.name, position, %error, "a value is left out");
    }
    Ok(table
        .column(at)
        .map_or(Cell::Null, |column| null(column, out)))
}

/// What becomes of an event that cannot be decoded: nothing, or the error.
#[cold]
pub(crate) fn leave_out(processing: Processing, failure: Error) -> Result<()> {
    let of_value = [&error::VALUE, &error::SPECIAL_NUMBER, &error::ENCODING];
    if processing == Processing::Fail || !of_value.contains(&failure.code()) {
        return Err(failure);
    }
    if processing == Processing::Warn {
        tracing::warn!(error = %failure, "an event is left out");
    }
    Ok(())
}

/// Null, or what stands for it in a required column.
#[inline]
pub(crate) fn null(column: &Column, out: &mut Batch) -> Cell {
    match &column.fallback {
        None => Cell::Null,
        Some(fallback) => fallback.cell(out),
    }
}

/// The row's struct.
#[inline]
pub(crate) fn row(table: &Table, cells: &[Cell], out: &mut Batch) -> Cell {
    match &table.row {
        None => out.push_nest(cells),
        Some(places) => pick(places, cells, out),
    }
}

/// The key's struct; null for a table without key.
#[inline]
pub(crate) fn key(table: &Table, cells: &[Cell], out: &mut Batch) -> Cell {
    if table.key.is_empty() {
        return Cell::Null;
    }
    pick(&table.key, cells, out)
}

/// The cells of some places; a place behind all of them has the same value in every row.
#[inline]
fn pick(places: &[u16], cells: &[Cell], out: &mut Batch) -> Cell {
    let nest = out.reserve_nest(places.len());
    for (to, place) in out.cells_mut(nest).iter_mut().zip(places) {
        *to = cells
            .get(usize::from(*place))
            .copied()
            .unwrap_or(Cell::Const);
    }
    Cell::Nest(nest)
}
