//! Records whose schemas are in a registry, and those schemas.

use connect_codec::offline::{Kind, decode, encoder};
use connect_core::{Batch, Cell, Datum};

/// One letter for the format, the schema's text up to a zero byte, and a record. What was read is written.
pub fn registered(input: &[u8]) {
    is_read(input);
}

/// The same; whether the record was read.
pub fn is_read(input: &[u8]) -> bool {
    let Some((kind, text, record)) = parts(input) else {
        return false;
    };
    let mut batch = Batch::default();
    let Ok(decoded) = decode(kind, text, record, &mut batch) else {
        return false;
    };
    // Invariant 4: a few bytes must not become many values.
    let bound = (8 << 20) * size_of::<Cell>() + (record.len() + text.len()) * 1024;
    let (bytes, len) = (batch.bytes(), record.len());
    assert!(bytes <= bound, "{bytes} bytes of {len}");
    let datum = Datum::of(&batch, decoded.schema.as_ref(), decoded.cell);
    drop(datum.to_value());
    if let Some(schema) = &decoded.schema
        && let Ok(mut encoder) = encoder(kind, schema)
    {
        let _ = encoder.encode(datum, &mut Vec::new());
    }
    true
}

fn parts(input: &[u8]) -> Option<(Kind, &str, &[u8])> {
    let (kind, rest) = input.split_first()?;
    let kind = match kind {
        b'a' => Kind::Avro,
        b'p' => Kind::Protobuf,
        b'j' => Kind::JsonSchema,
        _ => return None,
    };
    let end = rest.iter().position(|byte| *byte == 0);
    let (text, record) = rest.split_at(end.unwrap_or(rest.len()));
    Some((kind, std::str::from_utf8(text).ok()?, record))
}
