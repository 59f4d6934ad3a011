//! Record batches of Kafka's message format 2, compressed while they are written.
//!
//! Source: <https://kafka.apache.org/documentation/#recordbatch>. All integers are big-endian, those of records zigzag varints.

use std::time::Instant;

use bytes::{BufMut, Bytes};
use connect_core::{
    Encoded, Result,
    encoded::{EncodedHeader, EncodedRecord},
};

use super::compress::{Compression, Compressor};
use crate::Ticket;

/// Bytes before the records.
const HEADER: usize = 61;
/// Where the checksum is; it covers all that follows it.
const CRC_AT: usize = 17;
/// The attribute of a batch that belongs to a transaction.
const TRANSACTIONAL: i16 = 0x10;

/// Who writes: what the broker knows a producer by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::kafka) struct Identity {
    pub(super) id: i64,
    pub(super) epoch: i16,
    pub(super) transactional: bool,
}

impl Identity {
    /// The last epoch of an id: brokers keep it to end whoever has the one before.
    pub(super) fn is_spent(self) -> bool {
        self.epoch == i16::MAX
    }
}

/// What a batch holds, for those who wait for it.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// How many records of which ticket, in order.
    pub(super) tickets: Vec<(Ticket, u32)>,
    /// Their weight, all together.
    pub(super) weight: u64,
}

/// A batch that takes records.
#[derive(Debug)]
pub(super) struct Builder {
    out: Compressor,
    content: Content,
    records: i32,
    /// Bytes of the records before compression.
    raw: usize,
    first_ms: i64,
    last_ms: i64,
    created: Instant,
}

impl Builder {
    pub(super) fn new(compression: Compression) -> Self {
        Self {
            out: Compressor::new(compression, HEADER),
            content: Content::default(),
            records: 0,
            raw: 0,
            first_ms: 0,
            last_ms: i64::MIN,
            created: Instant::now(),
        }
    }

    /// Whether a record of this many bytes (key, value, headers) can be added. The first one always can.
    pub(super) fn has_room(&self, bytes: usize, limit: usize) -> bool {
        /// The most that lengths and deltas of a record take.
        const OVERHEAD: usize = 36;
        self.records == 0 || HEADER + self.raw + bytes + OVERHEAD <= limit
    }

    /// Adds a record. `headers` are its own, as [`write_headers`] writes them; `now_ms` is its time if it has none.
    pub(super) fn push(
        &mut self,
        of: &Encoded,
        record: &EncodedRecord,
        headers: &[u8],
        now_ms: i64,
    ) {
        let time = if record.timestamp_ms < 0 {
            now_ms
        } else {
            record.timestamp_ms
        };
        if self.records == 0 {
            self.first_ms = time;
        }
        self.last_ms = self.last_ms.max(time);
        let mut head = Small::default();
        head.byte(0);
        head.varint(time.wrapping_sub(self.first_ms));
        head.varint(i64::from(self.records));
        let (key, value) = (of.key(record), of.value(record));
        head.length(key);
        let mut middle = Small::default();
        middle.length(value);
        let body =
            head.len + bytes_of(key).len() + middle.len + bytes_of(value).len() + headers.len();
        let mut length = Small::default();
        length.varint(body as i64);
        for part in [
            length.bytes(),
            head.bytes(),
            bytes_of(key),
            middle.bytes(),
            bytes_of(value),
            headers,
        ] {
            self.out.write(part);
        }
        self.records += 1;
        self.raw += length.len + body;
    }

    /// Notes whose record was just added.
    pub(super) fn note(&mut self, ticket: Ticket, weight: u64) {
        self.content.weight += weight;
        match self.content.tickets.last_mut() {
            Some((last, count)) if *last == ticket => *count += 1,
            _ => self.content.tickets.push((ticket, 1)),
        }
    }

    /// When its first record came.
    pub(super) fn created(&self) -> Instant {
        self.created
    }

    /// How many records.
    pub(super) fn records(&self) -> i32 {
        self.records
    }

    /// What is lost when the batch is thrown away.
    pub(super) fn into_content(self) -> Content {
        self.content
    }

    /// The finished batch: its first record has this sequence number.
    pub(super) fn seal(self, by: Identity, sequence: i32) -> Result<(Bytes, Content)> {
        let (mut batch, codec) = self.out.finish()?;
        let length = batch.len();
        let attributes = codec | if by.transactional { TRANSACTIONAL } else { 0 };
        let mut tail = Vec::with_capacity(HEADER);
        tail.put_i16(attributes);
        tail.put_i32(self.records - 1);
        tail.put_i64(self.first_ms);
        tail.put_i64(self.last_ms);
        tail.put_i64(by.id);
        tail.put_i16(by.epoch);
        tail.put_i32(sequence);
        tail.put_i32(self.records);
        batch[CRC_AT + 4..HEADER].copy_from_slice(&tail);
        let crc = crc32c::crc32c(&batch[CRC_AT + 4..]);
        let mut front = Vec::with_capacity(HEADER);
        front.put_i64(0);
        front.put_i32(length as i32 - 12);
        front.put_i32(-1);
        front.put_i8(2);
        front.put_u32(crc);
        batch[..CRC_AT + 4].copy_from_slice(&front);
        Ok((batch.into(), self.content))
    }
}

fn bytes_of(part: Option<&[u8]>) -> &[u8] {
    part.unwrap_or_default()
}

/// The headers of a record, with their number in front.
pub(in crate::kafka) fn write_headers(of: &Encoded, headers: &[EncodedHeader], out: &mut Vec<u8>) {
    let mut count = Small::default();
    count.varint(headers.len() as i64);
    out.extend_from_slice(count.bytes());
    for header in headers {
        let value = header.value.as_ref().map(|range| of.slice(range));
        for part in [Some(header.name.as_bytes()), value] {
            let mut length = Small::default();
            length.length(part);
            out.extend_from_slice(length.bytes());
            out.extend_from_slice(bytes_of(part));
        }
    }
}

/// A few varints.
#[derive(Default)]
struct Small {
    buffer: [u8; 32],
    len: usize,
}

impl Small {
    fn byte(&mut self, byte: u8) {
        if let Some(slot) = self.buffer.get_mut(self.len) {
            *slot = byte;
            self.len += 1;
        }
    }

    fn varint(&mut self, number: i64) {
        let mut rest = ((number << 1) ^ (number >> 63)) as u64;
        while rest >= 0x80 {
            self.byte(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.byte(rest as u8);
    }

    /// The length of a part, -1 for an absent one.
    fn length(&mut self, part: Option<&[u8]>) {
        self.varint(part.map_or(-1, |bytes| bytes.len() as i64));
    }

    fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
