//! What differs from format to format, and how a converter is made of it.

use std::sync::Arc;

use connect_core::{
    Batch, Error, Finding, Properties, Result, Schema,
    codec::{Converter, Decoded, Encode},
    config::Key,
};

use super::{Declared, Line, Registered, RegistryConverter, Settings, settings};
use crate::error::SCHEMA_UNFIT;

/// A format of the registry.
pub(crate) trait Format: Sized + Send + Sync + 'static {
    /// The registry's name for it.
    const KIND: &'static str;
    /// The properties that only it has.
    const LINES: &'static [Line];
    /// What its decoders learn from a registered schema.
    type Reader: Send + Sync + 'static;

    /// From its properties; what does not hold is noted.
    fn parse(declared: &mut Declared<'_>, of_registry: &Settings) -> Self;

    /// The schema that is registered for Connect's.
    fn written(&self, schema: Option<&Arc<Schema>>) -> Result<Written>;

    /// Compiles an encoder; `strict` when values that do not fit the target shall be found now.
    fn encoder(
        &self,
        schema: Option<&Arc<Schema>>,
        target: Target<'_>,
        strict: bool,
    ) -> Result<Box<dyn Encode>>;

    /// Compiles a schema with which records were written.
    fn reader(&self, schema: &Registered) -> Result<Self::Reader>;

    /// Reads what follows the number.
    fn decode(&self, reader: &Self::Reader, payload: &[u8], batch: &mut Batch) -> Result<Decoded>;

    /// The properties of its converter.
    fn keys() -> Vec<Key> {
        settings::keys(Self::LINES)
    }

    /// A schema of this format, as the registry has it.
    fn registered(text: impl Into<String>) -> Registered {
        Registered {
            kind: Self::KIND.to_owned(),
            text: text.into(),
            references: Vec::new(),
        }
    }

    /// It and what all have, from properties; what does not hold is noted.
    fn configured(declared: &mut Declared<'_>, is_key: bool) -> (Self, Settings) {
        let of_registry = Settings::parse(declared, is_key);
        (Self::parse(declared, &of_registry), of_registry)
    }

    /// Its converter from its properties; the error has all findings.
    fn converter(given: &Properties, is_key: bool) -> Result<Arc<dyn Converter>, Vec<Finding>> {
        let mut declared = Declared::new(given);
        let (format, of_registry) = Self::configured(&mut declared, is_key);
        let client = of_registry.client(&mut declared);
        match client.filter(|_| declared.findings.is_empty()) {
            Some(client) => Ok(Arc::new(RegistryConverter::new(
                format,
                client,
                of_registry,
                is_key,
            ))),
            None => Err(declared.findings),
        }
    }
}

/// The text of a schema, and the full name of its record.
pub(crate) struct Written {
    pub(crate) text: String,
    pub(crate) record: Option<String>,
}

/// What an encoder writes for.
pub(crate) struct Target<'a> {
    /// The schema's number.
    pub(crate) id: u32,
    /// The schema; always the registry's own where it is not ours.
    pub(crate) schema: &'a Registered,
}

/// The schema of a value, for formats that have nothing for values without one; `class` is the converter.
pub(crate) fn needed<'a>(schema: Option<&'a Arc<Schema>>, class: &str) -> Result<&'a Arc<Schema>> {
    schema.ok_or_else(|| {
        let why = format!("{class} needs a schema, and a value has none");
        Error::new(&SCHEMA_UNFIT, why)
    })
}
