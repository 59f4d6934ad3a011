//! Bytes of brokers and of other members of a group: for fuzzing only, no part of the interface.

use bytes::Bytes;
use connect_core::{Encoded, Result};

use super::consumer::fuzz;

/// Reads record batches, with checksums or without; gives how many records.
pub fn batches(bytes: &[u8], checks: bool) -> Result<usize> {
    let mut out = Encoded::default();
    let read = fuzz::batches(Bytes::copy_from_slice(bytes), checks, &mut out);
    for record in &out.records {
        let parts = [out.key(record), out.value(record)];
        assert!(parts.into_iter().flatten().count() <= 2);
        assert!(out.headers(record).len() <= out.headers.len());
    }
    read.map(|()| out.len())
}

/// Reads what a member subscribes to, and what it is assigned.
pub fn member(bytes: &[u8]) {
    fuzz::member(bytes);
}
