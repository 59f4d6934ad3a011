//! Blocks of the log as Kafka's record batches (format 2), uncompressed.
//!
//! <https://kafka.apache.org/documentation/#recordbatch>. Written here rather than by the protocol's library: straight from a block's
//! body, without an object per record, and with headers of the same name kept.

use std::ops::Range;

use connect_core::Result;

use crate::local::{Block, Entry};

/// Bytes of a batch before its records.
const HEAD: usize = 61;
/// Where the length counts from, and the checksum.
const LENGTH_FROM: usize = 12;
const CRC_AT: usize = 17;
const CRC_FROM: usize = 21;
const COUNT_AT: usize = 57;
/// The one format that is written.
const MAGIC: u8 = 2;

/// Record batches of one partition, end to end.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    bytes: Vec<u8>,
}

/// A batch that is being written.
struct Open {
    at: usize,
    first: i64,
    last: i64,
    first_ms: i64,
    max_ms: i64,
    count: i32,
}

/// What came of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// All of it is in.
    All,
    /// There was no room for the rest.
    Part,
}

impl Batches {
    /// Appends the records of a block from an offset on, as many as there is room for; the first in any case when nothing is there yet.
    pub(crate) fn push(&mut self, block: &Block, from: i64, max_bytes: usize) -> Result<Pushed> {
        let begun = self.bytes.len();
        if begun > 0 && begun.saturating_add(block.body.len()) > max_bytes {
            return Ok(Pushed::Part);
        }
        let mut cursor = block.seek(from)?;
        let mut open: Option<Open> = None;
        while let Some(entry) = cursor.next(&block.body)? {
            let batch = match open.take_if(|batch| batch.takes(&entry)) {
                Some(batch) => open.insert(batch),
                None => {
                    self.end(open.take());
                    open.insert(self.begin(&entry))
                }
            };
            let size = record_size(block, &entry, batch)?;
            let with = self.bytes.len() + length_size(size) + size;
            if with > max_bytes && with - size > HEAD + length_size(size) {
                self.end(open);
                return Ok(Pushed::Part);
            }
            self.record(block, &entry, batch, size)?;
            batch.took(&entry);
        }
        self.end(open);
        Ok(Pushed::All)
    }

    /// Appends a batch without records: nothing is left of these offsets, and the reader goes on behind them.
    pub(crate) fn push_gap(&mut self, offsets: Range<i64>) {
        let delta = (offsets.end - 1).saturating_sub(offsets.start);
        let delta = i32::try_from(delta.max(0)).unwrap_or(i32::MAX);
        let at = self.bytes.len();
        self.bytes.resize(at + HEAD, 0);
        self.finish(&Open {
            at,
            first: offsets.start,
            last: offsets.start + i64::from(delta),
            first_ms: -1,
            max_ms: -1,
            count: 0,
        });
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn begin(&mut self, entry: &Entry) -> Open {
        let at = self.bytes.len();
        self.bytes.resize(at + HEAD, 0);
        Open {
            at,
            first: entry.offset,
            last: entry.offset,
            first_ms: entry.timestamp_ms,
            max_ms: entry.timestamp_ms,
            count: 0,
        }
    }

    /// Ends a batch. One into which no record fitted goes away.
    fn end(&mut self, batch: Option<Open>) {
        match batch {
            Some(empty) if empty.count == 0 => self.bytes.truncate(empty.at),
            Some(batch) => self.finish(&batch),
            None => {}
        }
    }

    /// Fills in the head.
    fn finish(&mut self, batch: &Open) {
        let Some(bytes) = self.bytes.get_mut(batch.at..) else {
            return;
        };
        let length = (bytes.len() - LENGTH_FROM) as i32;
        let mut at = 0;
        let mut put = |field: &[u8]| {
            bytes[at..at + field.len()].copy_from_slice(field);
            at += field.len();
        };
        put(&batch.first.to_be_bytes());
        put(&length.to_be_bytes());
        put(&(-1_i32).to_be_bytes());
        put(&[MAGIC]);
        put(&[0; CRC_FROM - CRC_AT]);
        put(&0_i16.to_be_bytes());
        put(&((batch.last - batch.first) as i32).to_be_bytes());
        put(&batch.first_ms.to_be_bytes());
        put(&batch.max_ms.to_be_bytes());
        put(&(-1_i64).to_be_bytes());
        put(&(-1_i16).to_be_bytes());
        put(&(-1_i32).to_be_bytes());
        put(&batch.count.to_be_bytes());
        debug_assert_eq!(at, COUNT_AT + 4);
        let crc = crc32c::crc32c(&bytes[CRC_FROM..]);
        bytes[CRC_AT..CRC_FROM].copy_from_slice(&crc.to_be_bytes());
    }

    fn record(&mut self, block: &Block, entry: &Entry, batch: &Open, size: usize) -> Result<()> {
        let out = &mut self.bytes;
        out.reserve(size + 5);
        put_signed(out, size as i64);
        out.push(0);
        put_signed(out, entry.timestamp_ms.wrapping_sub(batch.first_ms));
        put_signed(out, entry.offset - batch.first);
        put_nullable(out, block, entry.key.as_ref());
        put_nullable(out, block, entry.value.as_ref());
        put_signed(out, entry.headers as i64);
        for header in block.headers(entry) {
            let (name, value) = header?;
            put_nullable(out, block, Some(&name));
            put_nullable(out, block, value.as_ref());
        }
        Ok(())
    }
}

impl Open {
    /// Whether the offset of a record can be told as a difference.
    fn takes(&self, entry: &Entry) -> bool {
        i32::try_from(entry.offset - self.first).is_ok() && self.count < i32::MAX
    }

    fn took(&mut self, entry: &Entry) {
        self.last = entry.offset;
        self.max_ms = self.max_ms.max(entry.timestamp_ms);
        self.count += 1;
    }
}

/// Bytes of a record without its own length.
fn record_size(block: &Block, entry: &Entry, batch: &Open) -> Result<usize> {
    let mut size = 1
        + signed_size(entry.timestamp_ms.wrapping_sub(batch.first_ms))
        + signed_size(entry.offset - batch.first)
        + nullable_size(entry.key.as_ref())
        + nullable_size(entry.value.as_ref())
        + signed_size(entry.headers as i64);
    for header in block.headers(entry) {
        let (name, value) = header?;
        size += nullable_size(Some(&name)) + nullable_size(value.as_ref());
    }
    Ok(size)
}

fn length_size(size: usize) -> usize {
    signed_size(size as i64)
}

fn nullable_size(range: Option<&Range<usize>>) -> usize {
    range.map_or(1, |range| length_size(range.len()) + range.len())
}

fn put_nullable(out: &mut Vec<u8>, block: &Block, range: Option<&Range<usize>>) {
    match range {
        None => put_signed(out, -1),
        Some(range) => {
            put_signed(out, range.len() as i64);
            out.extend_from_slice(block.body.get(range.clone()).unwrap_or(&[]));
        }
    }
}

/// Zigzag: small numbers of either sign are short.
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn signed_size(number: i64) -> usize {
    let bits = 64 - (zigzag(number) | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

fn put_signed(out: &mut Vec<u8>, number: i64) {
    let mut number = zigzag(number);
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests;
