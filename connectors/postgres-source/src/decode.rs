//! Tuples into cells.

use cdc::{
    modes::Processing,
    text::{Frame, Text},
};
use connect_core::{Batch, Cell, Error, Result};

use crate::{
    convert, error,
    pgoutput::{Tuple, Value},
    relations::Table,
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
                Err(error) => table.failed(cells.len(), error, out)?,
            },
            Value::Null => column.null(out),
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
                    Err(error) => table.failed(cells.len(), error, out)?,
                }
            }
            Some(Ok(Value::Unchanged)) => old
                .and_then(|old| old.get(cells.len()))
                .copied()
                .unwrap_or(Cell::Absent),
            _ => column.null(out),
        };
        cells.push(cell);
    }
    Ok(())
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
