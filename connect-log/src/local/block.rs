//! Many records of one partition laid end to end: what is stored, cached and read as one.
//!
//! A body is a run of records without any count or offset of its own, so that two bodies put end to end are a body again:
//!
//! ```text
//! record := gap:varint timestamp:i64le key value headers:varint header*
//! key, value := 0:varint | (length + 1):varint bytes          (0 is null)
//! header := length:varint name-bytes value
//! ```
//!
//! `gap` is how many offsets were skipped before the record: 0, but in rewritten blocks of compacted topics.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use connect_core::{
    Encoded, Error, Result,
    encoded::{EncodedHeader, EncodedRecord},
};

/// Bytes of a block's body at which a new one is begun. Measured: with 128 KiB the cost per row in the store vanishes, and a
/// reader that wants one record still reads little.
pub(crate) const TARGET_BYTES: usize = 128 << 10;

/// What a record costs at most besides its key, value and headers.
const RECORD_OVERHEAD: usize = 32;

/// Committed records of one partition.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// Offset of its first record.
    pub(crate) first: i64,
    /// Offset of its last record.
    pub(crate) last: i64,
    /// How many records.
    pub(crate) count: u32,
    /// The largest timestamp.
    pub(crate) max_timestamp_ms: i64,
    /// Until when its tombstones are kept, once a compaction has seen them.
    pub(crate) horizon_ms: Option<i64>,
    /// The records.
    pub(crate) body: Bytes,
}

/// Records of one partition that have no offsets yet.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// How many records.
    pub(crate) count: u32,
    /// The largest timestamp.
    pub(crate) max_timestamp_ms: i64,
    /// The records.
    pub(crate) body: Vec<u8>,
}

/// One record inside a body; ranges are of the body.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) offset: i64,
    pub(crate) timestamp_ms: i64,
    /// Where the record begins, after its gap.
    pub(crate) start: usize,
    pub(crate) key: Option<Range<usize>>,
    pub(crate) value: Option<Range<usize>>,
    pub(crate) headers: usize,
    /// Where the headers begin.
    pub(crate) headers_at: usize,
    /// Where the record ends.
    pub(crate) end: usize,
}

/// A place in a body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor {
    at: usize,
    next_offset: i64,
}

impl Draft {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self {
            body: Vec::with_capacity(bytes),
            ..Self::default()
        }
    }

    /// Appends a record of `records` that was stamped already.
    ///
    /// `headers` are those of the record, as [`write_headers`] writes them.
    pub(crate) fn push(
        &mut self,
        records: &Encoded,
        record: &EncodedRecord,
        headers: &[u8],
        timestamp_ms: i64,
    ) {
        self.body.push(0);
        self.body.extend_from_slice(&timestamp_ms.to_le_bytes());
        push_nullable(&mut self.body, records.key(record));
        push_nullable(&mut self.body, records.value(record));
        self.body.extend_from_slice(headers);
        self.stamp(timestamp_ms);
    }

    /// Appends all records of another draft.
    pub(crate) fn append(&mut self, other: &Self) {
        self.body.extend_from_slice(&other.body);
        if other.count > 0 {
            self.stamp(other.max_timestamp_ms);
            self.count += other.count - 1;
        }
    }

    /// Appends a record of a block, `gap` offsets after the one before.
    pub(crate) fn push_entry(&mut self, body: &[u8], entry: &Entry, gap: u64) {
        push_varint(&mut self.body, gap);
        let record = body.get(entry.start..entry.end).unwrap_or(&[]);
        self.body.extend_from_slice(record);
        self.stamp(entry.timestamp_ms);
    }

    /// The block of these records, numbered from `first` without gaps.
    pub(crate) fn into_block(self, first: i64) -> Block {
        Block {
            first,
            last: first + i64::from(self.count) - 1,
            count: self.count,
            max_timestamp_ms: self.max_timestamp_ms,
            horizon_ms: None,
            body: Bytes::from(self.body),
        }
    }

    fn stamp(&mut self, timestamp_ms: i64) {
        self.max_timestamp_ms = if self.count == 0 {
            timestamp_ms
        } else {
            self.max_timestamp_ms.max(timestamp_ms)
        };
        self.count += 1;
    }
}

/// How many bytes a record with headers of so many bytes takes in a body at most.
pub(crate) fn size_of_record(record: &EncodedRecord, headers: usize) -> usize {
    let len = |range: &Option<Range<usize>>| range.as_ref().map_or(0, |r| r.len());
    len(&record.key) + len(&record.value) + headers + RECORD_OVERHEAD
}

/// The headers of a record, with their number in front.
pub(crate) fn write_headers(records: &Encoded, headers: &[EncodedHeader], out: &mut Vec<u8>) {
    push_varint(out, headers.len() as u64);
    for header in headers {
        push_varint(out, header.name.len() as u64);
        out.extend_from_slice(header.name.as_bytes());
        let value = header.value.as_ref().map(|range| records.slice(range));
        push_nullable(out, value);
    }
}

impl Block {
    /// The place of its first record.
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor {
            at: 0,
            next_offset: self.first,
        }
    }

    /// The place of the first record at or after an offset.
    pub(crate) fn seek(&self, offset: i64) -> Result<Cursor> {
        let mut here = self.cursor();
        let mut cursor = here;
        while let Some(entry) = cursor.next(&self.body)? {
            if entry.offset >= offset {
                break;
            }
            here = cursor;
        }
        Ok(here)
    }

    /// Every record, in order. A body that does not hold what it says gives an error and ends.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Result<Entry>> {
        let mut cursor = self.cursor();
        std::iter::from_fn(move || match cursor.next(&self.body) {
            Ok(entry) => entry.map(Ok),
            Err(error) => {
                cursor.at = self.body.len();
                Some(Err(error))
            }
        })
    }

    /// The headers of a record: names and values, as ranges of the body.
    pub(crate) fn headers<'a>(
        &'a self,
        of: &Entry,
    ) -> impl Iterator<Item = Result<(Range<usize>, Option<Range<usize>>)>> + 'a {
        let mut input = Input {
            body: &self.body,
            at: of.headers_at,
        };
        (0..of.headers).map(move |_| input.header().ok_or_else(damaged))
    }

    /// Copies records to `out`, or none of them when the block is damaged. Gives back the place after the last, and the offset after it.
    pub(crate) fn copy_to(&self, ask: Copying<'_>, out: &mut Encoded) -> Result<(Cursor, i64)> {
        let (records, headers) = (out.records.len(), out.headers.len());
        self.copy(ask, out)
            .inspect_err(|_| truncate(out, records, headers))
    }

    fn copy(&self, ask: Copying<'_>, out: &mut Encoded) -> Result<(Cursor, i64)> {
        let mut cursor = match ask.cursor {
            Some(cursor) => cursor,
            None => self.seek(ask.from)?,
        };
        let (begin, base) = (cursor.at, out.bytes.len());
        let records = out.records.len();
        while out.records.len() - records < ask.max && cursor.at - begin < ask.max_bytes {
            let Some(entry) = cursor.next(&self.body)? else {
                break;
            };
            push_record(out, &ask, &entry, &self.body, base.wrapping_sub(begin))?;
        }
        let copied = self.body.get(begin..cursor.at).unwrap_or(&[]);
        out.bytes.extend_from_slice(copied);
        Ok((cursor, cursor.next_offset))
    }

    /// Whether nothing comes after a place.
    pub(crate) fn is_at_end(&self, cursor: Cursor) -> bool {
        cursor.at >= self.body.len()
    }
}

/// What to copy out of a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Copying<'a> {
    pub(crate) topic: &'a Arc<str>,
    pub(crate) partition: i32,
    /// Where to go on in this block; `None` for its beginning.
    pub(crate) cursor: Option<Cursor>,
    /// The first offset that is wanted, when there is no cursor.
    pub(crate) from: i64,
    pub(crate) max: usize,
    pub(crate) max_bytes: usize,
}

impl Cursor {
    /// The record here, and steps behind it. `None` at the end.
    pub(crate) fn next(&mut self, body: &[u8]) -> Result<Option<Entry>> {
        if self.at >= body.len() {
            return Ok(None);
        }
        let mut input = Input { body, at: self.at };
        let entry = input.entry(self.next_offset).ok_or_else(damaged)?;
        self.at = entry.end;
        self.next_offset = entry.offset + 1;
        Ok(Some(entry))
    }
}

fn truncate(out: &mut Encoded, records: usize, headers: usize) {
    out.records.truncate(records);
    out.headers.truncate(headers);
}

/// `shift` (wrapping) brings a place in the body to its place in the arena.
fn push_record(
    out: &mut Encoded,
    ask: &Copying<'_>,
    entry: &Entry,
    body: &[u8],
    shift: usize,
) -> Result<()> {
    let moved =
        |range: &Range<usize>| range.start.wrapping_add(shift)..range.end.wrapping_add(shift);
    let headers_at = out.headers.len();
    let mut input = Input {
        body,
        at: entry.headers_at,
    };
    for _ in 0..entry.headers {
        let (name, value) = input.header().ok_or_else(damaged)?;
        let name = std::str::from_utf8(body.get(name).unwrap_or(&[]))
            .map_err(|e| damaged().caused_by(e))?;
        out.headers.push(EncodedHeader {
            name: name.into(),
            value: value.as_ref().map(moved),
        });
    }
    out.records.push(EncodedRecord {
        topic: Arc::clone(ask.topic),
        partition: Some(ask.partition),
        offset: entry.offset,
        timestamp_ms: entry.timestamp_ms,
        key: entry.key.as_ref().map(moved),
        value: entry.value.as_ref().map(moved),
        headers: headers_at..out.headers.len(),
    });
    Ok(())
}

fn damaged() -> Error {
    Error::new(&crate::error::UNUSABLE, "a block of the log is damaged")
}

fn push_nullable(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => out.push(0),
        Some(bytes) => {
            push_varint(out, bytes.len() as u64 + 1);
            out.extend_from_slice(bytes);
        }
    }
}

fn push_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Reads a body. Invariant 5: bytes from outside never panic, so every step says `None` where they end.
struct Input<'a> {
    body: &'a [u8],
    at: usize,
}

impl Input<'_> {
    fn entry(&mut self, next_offset: i64) -> Option<Entry> {
        let gap = i64::try_from(self.varint()?).ok()?;
        let start = self.at;
        let stamp = self.body.get(self.at..self.at.checked_add(8)?)?;
        self.at += 8;
        let key = self.nullable()?;
        let value = self.nullable()?;
        let headers = usize::try_from(self.varint()?).ok()?;
        let headers_at = self.at;
        for _ in 0..headers {
            self.header()?;
        }
        Some(Entry {
            offset: next_offset.checked_add(gap).filter(|at| *at < i64::MAX)?,
            timestamp_ms: i64::from_le_bytes(stamp.try_into().ok()?),
            start,
            key,
            value,
            headers,
            headers_at,
            end: self.at,
        })
    }

    fn header(&mut self) -> Option<(Range<usize>, Option<Range<usize>>)> {
        let len = usize::try_from(self.varint()?).ok()?;
        let name = self.take(len)?;
        Some((name, self.nullable()?))
    }

    #[expect(clippy::option_option, reason = "outer: the bytes end; inner: null")]
    fn nullable(&mut self) -> Option<Option<Range<usize>>> {
        match self.varint()? {
            0 => Some(None),
            len => Some(Some(self.take(usize::try_from(len - 1).ok()?)?)),
        }
    }

    fn take(&mut self, len: usize) -> Option<Range<usize>> {
        let end = self.at.checked_add(len)?;
        if end > self.body.len() {
            return None;
        }
        let range = self.at..end;
        self.at = end;
        Some(range)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.body.get(self.at)?;
            self.at += 1;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
