//! What PostgreSQL sends, what the source itself has stored, and what people tell it.

use connect_core::{Batch, Datum};
use postgres_source::fuzz;

/// Messages of a replication stream, with their tags and lengths. What they make is looked at and encoded.
pub fn pgoutput(input: &[u8]) {
    if let Ok(batch) = fuzz::stream(input) {
        look_at(&batch, input.len());
    }
}

/// A Relation message, and rows of a COPY with its columns.
pub fn copy(input: &[u8]) {
    if let Ok(batch) = fuzz::rows(input) {
        look_at(&batch, input.len());
    }
}

/// A byte that chooses a type of an extension, and the text of a value.
pub fn extension(input: &[u8]) {
    if let Ok(Some((batch, schema, cell))) = fuzz::extension(input) {
        // Invariant 4: an item of one digit is a cell, and a geometry has a struct.
        let bound = 256 + input.len() * 32;
        assert!(
            batch.bytes() <= bound,
            "{} bytes of {}",
            batch.bytes(),
            input.len()
        );
        drop(Datum::of(&batch, Some(&schema), cell).to_value());
    }
}

/// A stored offset. What was understood is written so that it means the same.
pub fn offset(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(written) = fuzz::offset(text) {
        assert_eq!(fuzz::offset(&written).ok(), Some(written));
    }
}

/// Signals. What one asks for is the same after a restart.
pub fn signal(input: &[u8]) {
    for [written, again] in fuzz::signals(input) {
        assert_eq!(written, again);
    }
}

fn look_at(batch: &Batch, input: usize) {
    // Invariant 4: a row cannot take much more than its bytes. A value of one byte is a cell, and a row has an envelope.
    let bound = 4096 + input * 2048;
    assert!(batch.bytes() <= bound, "{} bytes of {input}", batch.bytes());
    for row in batch.rows() {
        let (key, value) = (row.key().to_value(), row.value().to_value());
        drop((key, value));
    }
    super::json::encode(batch);
}
