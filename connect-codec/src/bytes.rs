//! `ByteArrayConverter`: bytes as they are.

use std::sync::Arc;

use connect_core::{
    Batch, BoxFuture, Datum, Error, Form, Result, Schema, Type,
    codec::{Converter, Decode, Decoded, Encode},
    datum::View,
};

use crate::error::MISMATCH;

/// Kafka Connect's `ByteArrayConverter`.
#[derive(Debug, Clone, Default)]
pub struct ByteArrayConverter;

struct BytesEncoder;

struct BytesDecoder {
    schema: Arc<Schema>,
}

impl Converter for ByteArrayConverter {
    fn encoder<'a>(
        &'a self,
        _topic: &'a str,
        schema: Option<&'a Arc<Schema>>,
    ) -> BoxFuture<'a, Result<Box<dyn Encode>>> {
        Box::pin(async move {
            match schema {
                Some(schema) if schema.ty != Type::Bytes => Err(Error::new(
                    &MISMATCH,
                    "Invalid schema type for ByteArrayConverter: only bytes can be written",
                )),
                _ => Ok(Box::new(BytesEncoder) as Box<dyn Encode>),
            }
        })
    }

    fn decoder(&self) -> Box<dyn Decode> {
        Box::new(BytesDecoder {
            schema: Arc::new(Schema::of(Type::Bytes).optional()),
        })
    }
}

impl Encode for BytesEncoder {
    fn encode(&mut self, datum: Datum<'_>, out: &mut Vec<u8>) -> Result<bool> {
        match datum.view() {
            View::Null | View::Absent => return Ok(false),
            View::Bytes(bytes, Form::Plain) => out.extend_from_slice(bytes),
            View::Bytes(..) => match datum.to_value() {
                connect_core::Value::Bytes(bytes) => out.extend_from_slice(&bytes),
                _ => return Err(not_bytes()),
            },
            _ => return Err(not_bytes()),
        }
        Ok(true)
    }
}

impl Decode for BytesDecoder {
    fn decode(&mut self, bytes: Option<&[u8]>, batch: &mut Batch) -> Result<Decoded> {
        Ok(Decoded {
            schema: Some(Arc::clone(&self.schema)),
            cell: bytes.map_or(connect_core::Cell::Null, |bytes| batch.push_bytes(bytes)),
        })
    }
}

fn not_bytes() -> Error {
    Error::new(
        &MISMATCH,
        "ByteArrayConverter was given a value that is not bytes",
    )
}
