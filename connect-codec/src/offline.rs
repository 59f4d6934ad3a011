//! The formats of a registry without one: for measurements, and for looking for bytes that break a reader.

use std::sync::Arc;

use connect_core::{Batch, Error, Properties, Result, Schema, codec::Decoded, codec::Encode};

use crate::{
    avro::Avro,
    error::NOT_OURS,
    json_schema::JsonSchema,
    protobuf::Protobuf,
    schema_registry::{Declared, Format, Target, split},
};

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Avro.
    Avro,
    /// Protobuf.
    Protobuf,
    /// JSON with a JSON Schema.
    JsonSchema,
}

/// The text that would be registered for a schema.
pub fn text(kind: Kind, schema: &Arc<Schema>) -> Result<String> {
    match kind {
        Kind::Avro => text_of(&made::<Avro>(), schema),
        Kind::Protobuf => text_of(&made::<Protobuf>(), schema),
        Kind::JsonSchema => text_of(&made::<JsonSchema>(), schema),
    }
}

/// An encoder that writes as if the schema had the number 1.
pub fn encoder(kind: Kind, schema: &Arc<Schema>) -> Result<Box<dyn Encode>> {
    match kind {
        Kind::Avro => encoder_of(&made::<Avro>(), schema),
        Kind::Protobuf => encoder_of(&made::<Protobuf>(), schema),
        Kind::JsonSchema => encoder_of(&made::<JsonSchema>(), schema),
    }
}

/// Reads bytes that were written with the schema of this text, whatever its number.
pub fn decode(kind: Kind, text: &str, bytes: &[u8], batch: &mut Batch) -> Result<Decoded> {
    match kind {
        Kind::Avro => decoded(&made::<Avro>(), text, bytes, batch),
        Kind::Protobuf => decoded(&made::<Protobuf>(), text, bytes, batch),
        Kind::JsonSchema => decoded(&made::<JsonSchema>(), text, bytes, batch),
    }
}

fn made<F: Format>() -> F {
    let given = Properties::new();
    F::configured(&mut Declared::new(&given), false).0
}

fn text_of<F: Format>(format: &F, schema: &Arc<Schema>) -> Result<String> {
    Ok(format.written(Some(schema))?.text)
}

fn encoder_of<F: Format>(format: &F, schema: &Arc<Schema>) -> Result<Box<dyn Encode>> {
    let schema_text = text_of(format, schema)?;
    let target = F::registered(schema_text);
    let target = Target {
        id: 1,
        schema: &target,
    };
    format.encoder(Some(schema), target, true)
}

fn decoded<F: Format>(format: &F, text: &str, bytes: &[u8], batch: &mut Batch) -> Result<Decoded> {
    let reader = format.reader(&F::registered(text))?;
    let (_, payload) = split(bytes).ok_or_else(|| Error::new(&NOT_OURS, "Unknown magic byte"))?;
    format.decode(&reader, payload, batch)
}
