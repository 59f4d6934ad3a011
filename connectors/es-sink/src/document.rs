//! A row as a document.

use std::ops::Range;

use connect_core::{
    Datum, Error, Result,
    datum::View,
    json::{self, Style, write_string},
    unavailable::Placeholder,
};

use crate::{bulk::Ops, error::REFUSED};

/// Appends a row as a JSON object, without its absent fields; these are named in [`Ops::kept`].
/// Gives the places of both.
pub(crate) fn write(
    row: Datum<'_>,
    style: Style,
    placeholder: &Placeholder,
    ops: &mut Ops,
) -> Result<(Range<usize>, Range<usize>)> {
    if !matches!(row.view(), View::Struct | View::Map) {
        return Err(Error::new(
            &REFUSED,
            "the value is not a row: a document needs one with named fields",
        ));
    }
    let (from, kept_from) = (ops.arena.len(), ops.kept.len());
    ops.arena.push(b'{');
    for (name, value) in row.entries() {
        // Invariant 3: absent is not null.
        if placeholder.is(value) {
            ops.kept.push(name.into_owned());
            continue;
        }
        if ops.arena.len() > from + 1 {
            ops.arena.push(b',');
        }
        write_string(name.as_bytes(), &mut ops.arena);
        ops.arena.push(b':');
        json::write(value, style, &mut ops.arena);
    }
    ops.arena.push(b'}');
    Ok((from..ops.arena.len(), kept_from..ops.kept.len()))
}
