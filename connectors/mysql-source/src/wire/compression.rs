//! The protocol under compression
//! (<https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_compression.html>).
//!
//! Packets become a run of bytes that is cut anywhere; each piece has a header and is compressed on its own, or not where that does
//! not pay. What is sent are commands, too small to be compressed.

use bytes::{Buf, BytesMut};
use connect_core::Result;
use flate2::{Decompress, FlushDecompress, Status};
use zstd::bulk::Decompressor;

use crate::error;

/// Length of a piece as it comes, its number, its length when it is decompressed.
const HEADER: usize = 7;
/// The largest piece.
const FULL: usize = 0xff_ffff;

/// How pieces are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Zlib,
    Zstd,
}

/// What has come and is not decompressed.
pub(super) struct Compression {
    pub(super) raw: BytesMut,
    inflater: Inflater,
}

enum Inflater {
    Zlib(Decompress),
    Zstd(Decompressor<'static>),
}

impl std::fmt::Debug for Compression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let waiting = self.raw.len();
        f.debug_struct("Compression")
            .field("raw", &waiting)
            .finish()
    }
}

impl Compression {
    pub(super) fn new(method: Method) -> Result<Self> {
        let none = |cause| error::protocol("zstd cannot be set up").caused_by(cause);
        Ok(Self {
            raw: BytesMut::new(),
            inflater: match method {
                Method::Zlib => Inflater::Zlib(Decompress::new(true)),
                Method::Zstd => Inflater::Zstd(Decompressor::new().map_err(none)?),
            },
        })
    }

    /// Decompresses the next piece, if it has come whole; whether it had.
    pub(super) fn unpack(&mut self, out: &mut BytesMut) -> Result<bool> {
        let Some((&[a, b, c, _, x, y, z], rest)) = self.raw.split_first_chunk::<HEADER>() else {
            self.raw.reserve(HEADER);
            return Ok(false);
        };
        let packed = u32::from_le_bytes([a, b, c, 0]) as usize;
        let plain = u32::from_le_bytes([x, y, z, 0]) as usize;
        let Some(piece) = rest.get(..packed) else {
            self.raw.reserve(HEADER + packed - self.raw.len());
            return Ok(false);
        };
        match plain {
            0 => out.extend_from_slice(piece),
            _ => self.inflater.inflate(piece, plain, out)?,
        }
        self.raw.advance(HEADER + packed);
        Ok(true)
    }
}

impl Inflater {
    /// Appends exactly `len` bytes, which are at most 16 MiB.
    fn inflate(&mut self, piece: &[u8], len: usize, out: &mut BytesMut) -> Result<()> {
        let start = out.len();
        out.resize(start + len, 0);
        let to = out.get_mut(start..).unwrap_or_default();
        let made = match self {
            Self::Zlib(zlib) => {
                zlib.reset(true);
                let status = zlib.decompress(piece, to, FlushDecompress::Finish);
                let is_end = matches!(status, Ok(Status::StreamEnd));
                usize::try_from(zlib.total_out()).ok().filter(|_| is_end)
            }
            Self::Zstd(zstd) => zstd.decompress_to_buffer(piece, to).ok(),
        };
        match made {
            Some(made) if made == len => Ok(()),
            _ => Err(error::protocol("what the server has compressed is damaged")),
        }
    }
}

/// Appends bytes as pieces that are not compressed.
pub(super) fn wrap(mut bytes: &[u8], out: &mut BytesMut) {
    let mut number = 0u8;
    while !bytes.is_empty() {
        let (piece, rest) = bytes.split_at(bytes.len().min(FULL));
        let [a, b, c, _] = (piece.len() as u32).to_le_bytes();
        out.extend_from_slice(&[a, b, c, number, 0, 0, 0]);
        out.extend_from_slice(piece);
        number = number.wrapping_add(1);
        bytes = rest;
    }
}

/// Reads pieces as they might come, for fuzzing. Gives how many bytes they became.
pub(crate) fn read_all(bytes: &[u8], is_zstd: bool) -> Result<usize> {
    let method = if is_zstd { Method::Zstd } else { Method::Zlib };
    let mut compression = Compression::new(method)?;
    compression.raw.extend_from_slice(bytes);
    let (mut out, mut len) = (BytesMut::new(), 0);
    while compression.unpack(&mut out)? {
        len += out.len();
        out.clear();
    }
    Ok(len)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression as Level, write::ZlibEncoder};

    use super::*;

    fn piece(packed: &[u8], plain: usize) -> Vec<u8> {
        let [a, b, c, _] = (packed.len() as u32).to_le_bytes();
        let [x, y, z, _] = (plain as u32).to_le_bytes();
        let mut piece = vec![a, b, c, 9, x, y, z];
        piece.extend_from_slice(packed);
        piece
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Level::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(method: Method, bytes: &[u8]) -> Result<Vec<u8>> {
        let mut compression = Compression::new(method)?;
        let mut out = BytesMut::new();
        for byte in bytes {
            compression.raw.extend_from_slice(&[*byte]);
            compression.unpack(&mut out)?;
        }
        Ok(out.to_vec())
    }

    #[test]
    fn pieces_come_back_and_every_prefix_waits() {
        let text = b"a packet, a packet, a packet and the beginning of another packet";
        let mut all = piece(&zlib(text), text.len());
        all.extend(piece(b"plain", 0));
        let whole = [&text[..], b"plain"].concat();
        assert_eq!(read(Method::Zlib, &all).unwrap(), whole);
        let packed = zstd::bulk::compress(text, 3).unwrap();
        assert_eq!(
            read(Method::Zstd, &piece(&packed, text.len())).unwrap(),
            text
        );
        let mut sent = BytesMut::new();
        wrap(b"\x01\0\0\0\x0e", &mut sent);
        assert_eq!(read(Method::Zlib, &sent).unwrap(), b"\x01\0\0\0\x0e");
    }

    #[test]
    fn what_is_damaged_is_refused() {
        let packed = zlib(b"text");
        for (bytes, len) in [(&packed[..], 3), (&packed[..], 5), (b"text", 4), (b"", 1)] {
            assert!(read(Method::Zlib, &piece(bytes, len)).is_err(), "{len}");
            assert!(read(Method::Zstd, &piece(bytes, len)).is_err(), "{len}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, is_zstd: bool) {
            let _ = read_all(&bytes, is_zstd);
        }
    }
}
