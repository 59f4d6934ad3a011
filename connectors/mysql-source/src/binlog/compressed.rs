//! What MariaDB has compressed: events (`log_bin_compress`) and values (columns with the attribute `COMPRESSED`)
//! (<https://mariadb.com/kb/en/compressing-events-to-reduce-size-of-the-binary-log/>,
//! <https://mariadb.com/kb/en/storage-engine-independent-column-compression/>).

use connect_core::{Error, Result};
use flate2::{Decompress, FlushDecompress, Status};

use super::{Event, Query, Rows};
use crate::error;

/// The algorithm of both, in the upper half of the first byte: zlib.
const ZLIB: u8 = 8;
/// In the first byte of a value: there is neither header nor checksum around the stream.
const IS_RAW: u8 = 8;
/// In the first byte: how many bytes the length has that follows.
const LENGTH: u8 = 7;
/// A stream becomes at most 1032 times as long (<https://www.zlib.net/zlib_tech.html>).
const RATIO: usize = 1032;
/// More room than what is to come, so that its end is seen.
const SPARE: usize = 16;
/// A buffer that something large has made larger than this is given back.
const KEPT: usize = 4 * 1024 * 1024;

/// Inflates into one buffer, again and again. A stream has one for events and another one for values, which are read while
/// the event lies in the first.
#[derive(Debug)]
pub struct Inflater {
    zlib: Decompress,
    raw: Decompress,
    limit: usize,
    buffer: Vec<u8>,
}

impl Inflater {
    /// `limit` is how long something may become: [`super::EVENT_LIMIT`], or less.
    pub fn new(limit: usize) -> Self {
        Self {
            zlib: Decompress::new(true),
            raw: Decompress::new(false),
            limit,
            buffer: Vec::new(),
        }
    }

    /// The event as it was before it was compressed, if it was.
    #[inline]
    pub fn event<'a>(&'a mut self, event: Event<'a>) -> Result<Event<'a>> {
        Ok(match event {
            Event::Rows(rows) if rows.compressed => Event::Rows(Rows {
                data: self.bytes(rows.data)?,
                compressed: false,
                ..rows
            }),
            Event::Query(query) if query.compressed => Event::Query(Query {
                sql: self.bytes(query.sql)?,
                compressed: false,
                ..query
            }),
            other => other,
        })
    }

    /// A part of an event: its first byte tells algorithm and length of a length, most significant byte first.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<&[u8]> {
        match bytes.first() {
            Some(first) if first >> 4 == ZLIB && first & IS_RAW == 0 => self.inflate(bytes),
            _ => Err(unknown(bytes)),
        }
    }

    /// A value of a column for which [`crate::layout::Layout::is_compressed`]. Short ones are as they are behind a zero.
    pub fn column<'a>(&'a mut self, value: &'a [u8]) -> Result<&'a [u8]> {
        match value.split_first() {
            None => Ok(value),
            Some((0, plain)) => Ok(plain),
            Some((first, _)) if first >> 4 == ZLIB => self.inflate(value),
            Some(_) => Err(unknown(value)),
        }
    }

    fn inflate(&mut self, bytes: &[u8]) -> Result<&[u8]> {
        let (is_raw, len, stream) = split(bytes)?;
        // Invariant 4: no more is reserved than may come, and no more than the limit.
        if len > self.limit.min(stream.len().saturating_mul(RATIO)) {
            let what = "something compressed says that it has an impossible length";
            return Err(Error::new(&error::PROTOCOL, what).context("bytes", len));
        }
        self.buffer.clear();
        if self.buffer.capacity() > KEPT && len < KEPT {
            self.buffer.shrink_to(KEPT);
        }
        self.buffer.reserve(len + SPARE);
        let inflater = if is_raw {
            &mut self.raw
        } else {
            &mut self.zlib
        };
        inflater.reset(!is_raw);
        let status = inflater.decompress_vec(stream, &mut self.buffer, FlushDecompress::Finish);
        match status {
            Ok(Status::StreamEnd) if self.buffer.len() == len => Ok(&self.buffer),
            Ok(_) => Err(error::protocol(
                "something compressed has another length than it says",
            )),
            Err(error) => {
                let what = "something compressed cannot be inflated";
                Err(error::protocol(what).caused_by(error))
            }
        }
    }
}

/// Whether the stream is raw, how long it becomes, and the stream.
fn split(bytes: &[u8]) -> Result<(bool, usize, &[u8])> {
    let cut = || error::protocol("something compressed is cut short");
    let (first, rest) = bytes.split_first().ok_or_else(cut)?;
    let width @ 1..=4 = usize::from(first & LENGTH) else {
        return Err(unknown(bytes));
    };
    let (len, stream) = rest.split_at_checked(width).ok_or_else(cut)?;
    let len = len
        .iter()
        .fold(0, |len, byte| len << 8 | usize::from(*byte));
    Ok((first & IS_RAW != 0, len, stream))
}

fn unknown(bytes: &[u8]) -> Error {
    let what = "something is compressed in a way that is not known";
    let first = bytes.first().copied().unwrap_or_default();
    Error::new(&error::PROTOCOL, what).context("type", first)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{
        Compression,
        write::{DeflateEncoder, ZlibEncoder},
    };

    use super::*;

    fn zlib(plain: &[u8], header: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(header.to_vec(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn parts_of_events_become_what_they_were() {
        let mut inflater = Inflater::new(100_000);
        let plain = vec![b'x'; 70_000];
        let bytes = zlib(&plain, &[0x83, 1, 0x11, 0x70]);
        assert_eq!(inflater.bytes(&bytes).unwrap(), plain);
        let short = zlib(b"BEGIN", &[0x81, 5]);
        assert_eq!(inflater.bytes(&short).unwrap(), b"BEGIN");
        for bytes in [&bytes, &short] {
            for end in 0..bytes.len() {
                assert!(inflater.bytes(&bytes[..end]).is_err(), "{end}");
            }
        }
        assert_eq!(inflater.bytes(&short).unwrap(), b"BEGIN", "after errors");
    }

    #[test]
    fn lengths_and_algorithms_are_looked_at() {
        let mut inflater = Inflater::new(100);
        for (wrong, header) in [
            ("more", &[0x81, 4][..]),
            ("less", &[0x81, 6]),
            ("longer than the limit", &[0x82, 1, 0]),
            ("no length", &[0x80]),
            ("five bytes of length", &[0x85, 0, 0, 0, 0, 5]),
            ("another algorithm", &[0x91, 5]),
            ("a value's", &[0x89, 5]),
        ] {
            let bytes = zlib(b"BEGIN", header);
            assert!(inflater.bytes(&bytes).is_err(), "{wrong}");
        }
        let impossible = zlib(b"BEGIN", &[0x84, 0x3f, 0xff, 0xff, 0xff]);
        assert!(Inflater::new(usize::MAX).bytes(&impossible).is_err());
    }

    #[test]
    fn values_are_plain_raw_or_with_a_header() {
        let mut inflater = Inflater::new(1000);
        assert_eq!(inflater.column(b"").unwrap(), b"");
        assert_eq!(inflater.column(b"\0short").unwrap(), b"short");
        let plain = [b'v'; 300];
        let wrapped = zlib(&plain, &[0x82, 1, 0x2c]);
        assert_eq!(inflater.column(&wrapped).unwrap(), plain);
        let mut encoder = DeflateEncoder::new(vec![0x8a, 1, 0x2c], Compression::default());
        encoder.write_all(&plain).unwrap();
        let raw = encoder.finish().unwrap();
        assert_eq!(inflater.column(&raw).unwrap(), plain);
        for end in 1..raw.len() {
            assert!(inflater.column(&raw[..end]).is_err(), "{end}");
        }
        assert!(inflater.column(b"\x10abc").is_err());
    }
}
