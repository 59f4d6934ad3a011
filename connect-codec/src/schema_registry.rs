//! Converters whose schemas are in a registry: what Avro, Protobuf and JSON Schema share.
//!
//! A record is a zero byte, the schema's number in four bytes (big-endian), and the payload. An encoder is compiled once
//! per topic and schema, which is when a schema is registered or looked up; a decoder asks for each number once.

mod auth;
mod client;
mod converter;
mod declared;
mod format;
mod nodes;
mod settings;
mod subject;
#[cfg(test)]
pub(crate) mod testing;
mod tls;
mod writers;

pub(crate) use client::{Client, Registered};
pub(crate) use converter::RegistryConverter;
pub(crate) use declared::{Declared, Line};
pub(crate) use format::{Format, Target, Written, needed};
pub(crate) use settings::Settings;

/// The first byte of every record.
pub(crate) const MAGIC: u8 = 0;

/// What stands before a payload: the zero byte and the schema's number.
pub(crate) fn head(id: u32) -> Vec<u8> {
    let mut head = vec![MAGIC];
    head.extend(id.to_be_bytes());
    head
}

/// The schema's number and what follows it; `None` for bytes that do not begin as they should.
pub(crate) fn split(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (head, payload) = bytes.split_first_chunk::<5>()?;
    let [MAGIC, id @ ..] = *head else {
        return None;
    };
    Some((u32::from_be_bytes(id), payload))
}
