//! Batches to bytes and back: Kafka Connect's converters.
//!
//! Start at [`registry`]: it makes a converter from a class name and its properties. [`json`] is the
//! one that matters for speed: its encoders and decoders are compiled once per schema.

mod avro;
pub mod bytes;
pub mod error;
pub mod header;
mod java_number;
pub mod json;
mod json_schema;
mod keys;
pub mod number;
pub mod offline;
mod placeholder;
mod plain_text;
mod protobuf;
pub mod registry;
mod schema_registry;
pub mod string;
mod temporal;
mod unscaled;

pub use plain_text::write_as_text;
pub use registry::{converter, header_converter};
