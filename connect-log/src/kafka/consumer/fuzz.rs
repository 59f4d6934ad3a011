//! What reads bytes from outside, for fuzzing.

use bytes::Bytes;
use connect_core::{Encoded, Result};

use super::{
    batch, group,
    section::{Full, Section, Tools},
};
use crate::TopicPartition;

/// Enough for a fuzzer; a poll takes no more either.
const FULL: Full = Full {
    records: 100_000,
    bytes: 4 << 20,
};

pub(in crate::kafka) fn batches(bytes: Bytes, checks: bool, out: &mut Encoded) -> Result<()> {
    batch::end(&bytes)?;
    let mut section = Section::new(TopicPartition::new("t", 0), 1, 0, bytes, checks);
    section.take(out, FULL, &mut Tools::default()).map(drop)
}

pub(in crate::kafka) fn member(bytes: &[u8]) {
    group::read_anything(bytes);
}
