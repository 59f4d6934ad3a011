//! Kafka Connect's JSON, in both directions.

use std::sync::LazyLock;

use connect_codec::json::JsonConverter;
use connect_core::{
    Batch, Datum,
    codec::{Converter, Decode},
};

/// With and without schemas.
static CONVERTERS: LazyLock<[JsonConverter; 2]> = LazyLock::new(|| {
    ["true", "false"].map(|schemas| {
        let properties = [("schemas.enable".to_owned(), schemas.to_owned())];
        JsonConverter::from_properties(&properties.into()).unwrap_or_else(|_| unreachable!())
    })
});

/// A record's bytes; read twice, as the second time its schema is known. What was read is written, and read again.
pub fn json(input: &[u8]) {
    for converter in &*CONVERTERS {
        let mut decoder = converter.decoder();
        let mut batch = Batch::default();
        let first = decode(converter, decoder.as_mut(), input, &mut batch);
        let again = decode(converter, decoder.as_mut(), input, &mut batch);
        assert_eq!(first, again);
        if let Some(written) = first {
            decode(converter, decoder.as_mut(), &written, &mut batch);
        }
    }
}

/// Reads, and writes what was read.
fn decode(
    converter: &JsonConverter,
    decoder: &mut dyn Decode,
    input: &[u8],
    batch: &mut Batch,
) -> Option<Vec<u8>> {
    let decoded = decoder.decode(Some(input), batch).ok()?;
    let datum = Datum::of(batch, decoded.schema.as_ref(), decoded.cell);
    drop(datum.to_value());
    let mut encoder = converter.compile(decoded.schema.as_ref()).ok()?;
    let mut out = Vec::new();
    encoder.encode(datum, &mut out).ok()?.then_some(out)
}

/// Writes all records of a batch.
pub(crate) fn encode(batch: &Batch) {
    let [converter, _] = &*CONVERTERS;
    let mut out = Vec::new();
    for row in batch.rows() {
        for datum in [row.key(), row.value()] {
            out.clear();
            if let Ok(mut encoder) = converter.compile(datum.schema()) {
                let _ = encoder.encode(datum, &mut out);
            }
        }
    }
}
