//! Records whose schemas are in a registry, and those schemas.

use connect_codec::offline::{Kind, decode, encoder};
use connect_core::{Batch, Cell, Datum};

/// One letter for the format, the schema's text up to a zero byte, and a record. What was read is written.
pub fn registered(input: &[u8]) {
    let Some((kind, rest)) = input.split_first() else {
        return;
    };
    let kind = match kind {
        b'a' => Kind::Avro,
        b'p' => Kind::Protobuf,
        b'j' => Kind::JsonSchema,
        _ => return,
    };
    let end = rest
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(rest.len());
    let (text, record) = rest.split_at(end);
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let mut batch = Batch::default();
    let Ok(decoded) = decode(kind, text, record, &mut batch) else {
        return;
    };
    // Invariant 4: a few bytes must not become many values.
    let bound = (8 << 20) * size_of::<Cell>() + record.len() * 1024 + text.len() * 1024;
    assert!(
        batch.bytes() <= bound,
        "{} bytes of {}",
        batch.bytes(),
        record.len()
    );
    let datum = Datum::of(&batch, decoded.schema.as_ref(), decoded.cell);
    drop(datum.to_value());
    if let Some(schema) = &decoded.schema
        && let Ok(mut encoder) = encoder(kind, schema)
    {
        let _ = encoder.encode(datum, &mut Vec::new());
    }
}
