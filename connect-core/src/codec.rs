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

    /// What has to be waited for before the value that was just refused is tried again; `None` when it is refused for good.
    /// Asked after an error only.
    fn pending(&mut self) -> Option<BoxFuture<'_, Result<()>>> {
        None
    }
}

/// A decoder, with what it has learnt about schemas so far.
pub trait Decode: Send {
    /// Whether it can tell without asking anybody what these bytes are. [`Decode::learn`] is called first when it cannot.
    fn knows(&self, _bytes: Option<&[u8]>) -> bool {
        true
    }

    /// Asks for what it does not know about these bytes. An error is not about the record: the registry is away, say.
    fn learn<'a>(&'a mut self, _bytes: &'a [u8]) -> BoxFuture<'a, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

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
