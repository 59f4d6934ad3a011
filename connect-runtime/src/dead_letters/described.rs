//! What a record held that could not become bytes.

use connect_core::{
    Datum,
    batch::Row,
    json::{self, Style},
};

/// Key and value as plain JSON, for people: `None` is null, or a value that was not sent.
#[derive(Debug, Default)]
pub(crate) struct Described {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    /// Milliseconds since 1970-01-01.
    pub(crate) timestamp_ms: i64,
}

impl Described {
    /// Of a row of a batch.
    pub(crate) fn of(row: Row<'_>) -> Self {
        Self {
            key: shown(row.key()),
            value: shown(row.value()),
            timestamp_ms: row.record().timestamp_ms,
        }
    }
}

fn shown(datum: Datum<'_>) -> Option<Vec<u8>> {
    if datum.is_null() || datum.is_absent() {
        return None;
    }
    let mut out = Vec::new();
    json::write(datum, Style::default(), &mut out);
    Some(out)
}
