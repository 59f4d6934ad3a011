//! What a record means to a sink: Debezium's envelope, a flat row, or a tombstone.

use crate::{Datum, batch::Row};

/// What to do with the row that a record is about.
#[derive(Debug, Clone, Copy)]
pub enum Change<'a> {
    /// The row is now `after`. A field that is absent has not changed.
    Write {
        /// The row as it is now.
        after: Datum<'a>,
        /// The row as it was, where the source sent it.
        before: Option<Datum<'a>>,
    },
    /// The row is gone.
    Delete {
        /// The row as it was, where the source sent it.
        before: Option<Datum<'a>>,
    },
    /// The whole table was emptied.
    Truncate,
    /// Not about a row: a logical message, a heartbeat.
    Other,
}

impl<'a> Change<'a> {
    /// Reads the change out of a record.
    pub fn of(row: Row<'a>) -> Self {
        let value = row.value();
        if value.is_null() {
            return Self::Delete { before: None };
        }
        match operation(value) {
            None => Self::Write {
                after: value,
                before: None,
            },
            Some(b'd') => Self::Delete {
                before: side(value, "before"),
            },
            Some(b't') => Self::Truncate,
            Some(b'c' | b'u' | b'r') => match side(value, "after") {
                Some(after) => Self::Write {
                    after,
                    before: side(value, "before"),
                },
                None => Self::Other,
            },
            Some(_) => Self::Other,
        }
    }
}

/// The `source` block of an envelope.
pub fn source_of<'a>(row: Row<'a>) -> Option<Datum<'a>> {
    let value = row.value();
    operation(value)?;
    side(value, "source")
}

/// The letter in `op`, if the value is an envelope.
fn operation(value: Datum<'_>) -> Option<u8> {
    // Formats that know no long names (Protobuf) leave the last part of one.
    let is_envelope = |name: &str| name == "Envelope" || name.ends_with(".Envelope");
    let named = value
        .schema()
        .map(|schema| schema.name.as_deref().is_some_and(is_envelope));
    if named == Some(false) {
        return None;
    }
    value.get("source")?;
    match value.get("op")?.text()?.as_bytes() {
        [letter] => Some(*letter),
        _ => None,
    }
}

fn side<'a>(value: Datum<'a>, name: &str) -> Option<Datum<'a>> {
    value
        .get(name)
        .filter(|datum| !datum.is_null() && !datum.is_absent())
}
