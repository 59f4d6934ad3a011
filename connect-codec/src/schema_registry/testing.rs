//! Writing and reading without a registry, for the tests of all formats.

use std::sync::Arc;

use connect_core::{Batch, Datum, Properties, Schema, Value};

use super::{Declared, Format, Target, split};

/// A format with some properties.
pub(crate) fn format<F: Format>(given: &[(&str, &str)]) -> F {
    let given = given.iter();
    let given: Properties = given
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let mut declared = Declared::new(&given);
    let (format, _) = F::configured(&mut declared, false);
    assert!(declared.findings.is_empty());
    format
}

/// A struct's value.
pub(crate) fn map(entries: &[(&str, Value)]) -> Value {
    let entries = entries.iter();
    let entries = entries.map(|(name, value)| ((*name).to_owned(), value.clone()));
    Value::Map(entries.collect())
}

/// Writes a value, as cells and owned; gives the schema's text and the payload.
pub(crate) fn write<F: Format>(
    format: &F,
    schema: &Arc<Schema>,
    value: &Value,
) -> (String, Vec<u8>) {
    let text = format.written(Some(schema)).unwrap().text;
    let target = F::registered(&text);
    let target = Target {
        id: 258,
        schema: &target,
    };
    let mut encoder = format.encoder(Some(schema), target, true).unwrap();
    let mut batch = Batch::default();
    let cell = batch.push_value(value, Some(schema));
    let mut written = |datum| {
        let mut out = Vec::new();
        assert!(encoder.encode(datum, &mut out).unwrap());
        out
    };
    let cells = written(Datum::of(&batch, Some(schema), cell));
    let owned = written(Datum::of_value(Some(schema), value));
    assert_eq!(cells, owned, "cells and owned values are written alike");
    let (id, payload) = split(&cells).unwrap();
    assert_eq!(id, 258);
    (text, payload.to_vec())
}

/// Reads a payload that was written with the schema of this text.
pub(crate) fn read<F: Format>(
    format: &F,
    text: &str,
    payload: &[u8],
) -> (Option<Arc<Schema>>, Value) {
    let reader = format.reader(&F::registered(text)).unwrap();
    let mut batch = Batch::default();
    let decoded = format.decode(&reader, payload, &mut batch).unwrap();
    let value = Datum::of(&batch, decoded.schema.as_ref(), decoded.cell).to_value();
    (decoded.schema, value)
}
