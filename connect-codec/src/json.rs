//! Kafka Connect's JSON: `{"schema":…,"payload":…}`, or the payload alone.
//!
//! Byte for byte what `org.apache.kafka.connect.json.JsonConverter` writes. An encoder is compiled
//! once per schema ([`plan`]) and then allocates nothing per record; a decoder keeps what it has
//! learnt about each distinct schema text.

mod decimal_read;
pub(crate) mod decode;
pub(crate) mod encode;
mod field_plan;
mod free;
mod intern;
mod parse;
mod payload;
mod plan;
mod read;
mod repeated;
mod schema_read;
mod schema_write;
mod settings;
pub(crate) mod text;
pub(crate) mod unavailable;
pub(crate) mod value_write;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use connect_core::{
    BoxFuture, Finding, Properties, Result, Schema,
    codec::{Converter, Decode, Encode},
};

pub use settings::{DEFAULT_UNAVAILABLE, DecimalFormat, JsonSettings};

pub(crate) use settings::UNAVAILABLE;

/// Kafka Connect's `JsonConverter`.
#[derive(Debug, Clone)]
pub struct JsonConverter {
    settings: Arc<JsonSettings>,
}

impl JsonConverter {
    /// A converter with these settings.
    pub fn new(settings: JsonSettings) -> Self {
        Self {
            settings: Arc::new(settings),
        }
    }

    /// A converter from its properties; the error has all findings.
    pub fn from_properties(given: &Properties) -> Result<Self, Vec<Finding>> {
        JsonSettings::parse(given).map(Self::new)
    }

    /// The encoder for one schema, without waiting.
    pub fn compile(&self, schema: Option<&Arc<Schema>>) -> Result<Box<dyn Encode>> {
        Ok(Box::new(encode::JsonEncoder::new(schema, &self.settings)?))
    }
}

impl Converter for JsonConverter {
    fn encoder<'a>(
        &'a self,
        _topic: &'a str,
        schema: Option<&'a Arc<Schema>>,
    ) -> BoxFuture<'a, Result<Box<dyn Encode>>> {
        Box::pin(std::future::ready(self.compile(schema)))
    }

    fn decoder(&self) -> Box<dyn Decode> {
        Box::new(decode::JsonDecoder::new(Arc::clone(&self.settings)))
    }
}
