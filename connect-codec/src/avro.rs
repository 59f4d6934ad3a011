//! Avro in the registry's wire format: Confluent's `AvroConverter`.
//!
//! An encoder is compiled once per schema ([`compile`]) and then allocates nothing per record; a decoder is compiled once per
//! schema of a writer ([`to_connect`]).

mod anything;
mod compile;
pub(crate) mod decode;
mod default;
mod encode;
pub(crate) mod names;
mod owned;
mod plan;
mod read_default;
mod schema;
mod target_default;
mod to_connect;
pub(crate) mod varint;
mod write_schema;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use connect_core::{
    Batch, Result, Schema,
    codec::{Decoded, Encode},
    config::{
        Importance::{Low, Medium},
        Kind,
    },
};

use crate::{
    placeholder::Placeholder,
    schema_registry::{Declared, Format, Line, Registered, Settings, Target, Written},
};
use schema::AvroSchema;

/// The properties that only Avro has.
#[derive(Debug, Clone)]
pub(crate) struct AvroSettings {
    pub(crate) of_registry: Settings,
    /// `connect.meta.data`: whether schemas keep what Avro has no place for.
    meta: bool,
    /// `enhanced.avro.schema.support`: whether strings that were enums are enums again.
    enhanced: bool,
    /// `scrub.invalid.names`: whether names are made fit.
    scrub: bool,
    /// `allow.optional.map.keys`: whether maps with optional text keys are Avro's maps.
    optional_keys: bool,
    /// `flatten.singleton.unions`: whether a union of one type is that type.
    flatten: bool,
}

/// Avro, as a format of the registry.
pub(crate) struct Avro {
    settings: AvroSettings,
    unavailable: Option<Placeholder>,
}

impl AvroSettings {
    fn parse(declared: &mut Declared<'_>, of_registry: &Settings) -> Self {
        Self {
            of_registry: of_registry.clone(),
            meta: declared.read(Avro::LINES, "connect.meta.data", true),
            enhanced: declared.read(Avro::LINES, "enhanced.avro.schema.support", false),
            scrub: declared.read(Avro::LINES, "scrub.invalid.names", false),
            optional_keys: declared.read(Avro::LINES, "allow.optional.map.keys", false),
            flatten: declared.read(Avro::LINES, "flatten.singleton.unions", true),
        }
    }
}

impl Format for Avro {
    const KIND: &'static str = "AVRO";
    #[rustfmt::skip]
    const LINES: &'static [Line] = &[
        ("connect.meta.data", Kind::Boolean, Some("true"), Low, "Whether schemas keep what Avro has no place for, as connect.name and the like."),
        ("enhanced.avro.schema.support", Kind::Boolean, Some("false"), Medium, "Whether strings that were enums in Avro become enums again, and branches of unions are called by their full names."),
        ("scrub.invalid.names", Kind::Boolean, Some("false"), Medium, "Whether names that Avro does not allow are made fit."),
        ("allow.optional.map.keys", Kind::Boolean, Some("false"), Low, "Whether maps whose text keys are optional become Avro's maps."),
        ("flatten.singleton.unions", Kind::Boolean, Some("true"), Low, "Whether a union of one type reads as that type."),
    ];
    type Reader = to_connect::Reader;

    fn parse(declared: &mut Declared<'_>, of_registry: &Settings) -> Self {
        Self {
            settings: AvroSettings::parse(declared, of_registry),
            unavailable: of_registry.unavailable.as_deref().map(Placeholder::new),
        }
    }

    fn written(&self, schema: Option<&Arc<Schema>>) -> Result<Written> {
        let (text, record) = match schema {
            None => (anything::SCHEMA.to_owned(), anything::NAME.to_owned()),
            Some(schema) => write_schema::avro_schema(schema, &self.settings)?,
        };
        Ok(Written {
            text,
            record: Some(record),
        })
    }

    fn encoder(
        &self,
        schema: Option<&Arc<Schema>>,
        target: Target<'_>,
        strict: bool,
    ) -> Result<Box<dyn Encode>> {
        let Some(schema) = schema else {
            return Ok(Box::new(anything::AnythingEncoder::new(target.id)));
        };
        let avro = parsed(target.schema)?;
        let raw = matches!(avro.node(avro.root).kind, schema::Kind::Bytes);
        let plan = compile::compiled(schema, &avro, &self.settings, strict)?;
        Ok(Box::new(encode::AvroEncoder::new(target.id, plan, raw)))
    }

    fn reader(&self, schema: &Registered) -> Result<to_connect::Reader> {
        to_connect::reader(&parsed(schema)?, &self.settings)
    }

    fn decode(
        &self,
        reader: &to_connect::Reader,
        payload: &[u8],
        batch: &mut Batch,
    ) -> Result<Decoded> {
        decode::decode(reader, payload, self.unavailable.as_ref(), batch)
    }
}

fn parsed(schema: &Registered) -> Result<AvroSchema> {
    let others = schema.references.iter().map(|other| other.text.as_str());
    AvroSchema::parse(&schema.text, others)
}
