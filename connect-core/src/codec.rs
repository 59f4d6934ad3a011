//! Converters: values to bytes and back. Compiled once per schema.

use std::sync::Arc;

use crate::{Batch, BoxFuture, Cell, Datum, Result, Schema};

/// Kafka Connect's `Converter`: makes encoders and decoders.
pub trait Converter: Send + Sync {
    /// Compiles the plan for one schema of a topic. Async, since it may have to register the schema;
    /// called once per topic and schema, never per record.
    fn encoder<'a>(
        &'a self,
        topic: &'a str,
        schema: Option<&'a Arc<Schema>>,
    ) -> BoxFuture<'a, Result<Box<dyn Encode>>>;

    /// Whether equal values of different topics may have different bytes.
    fn is_by_topic(&self) -> bool {
        true
    }

    /// A decoder for records of any topic.
    fn decoder(&self) -> Box<dyn Decode>;
}

/// A compiled encoder for one schema.
pub trait Encode: Send {
    /// Appends the bytes of a value. `Ok(false)` means that the record has a null there, not empty bytes.
    fn encode(&mut self, datum: Datum<'_>, out: &mut Vec<u8>) -> Result<bool>;
}

/// A decoder, with what it has learnt about schemas so far.
pub trait Decode: Send {
    /// Puts serialized bytes into cells of `batch`. The schema is the same `Arc` for equal schemas, so that routes can be cached.
    fn decode(&mut self, bytes: Option<&[u8]>, batch: &mut Batch) -> Result<Decoded>;
}

/// What a decoder found.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// The schema; `None` for schemaless bytes.
    pub schema: Option<Arc<Schema>>,
    /// The value, in the batch that was given.
    pub cell: Cell,
}
