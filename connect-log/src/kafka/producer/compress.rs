//! Compression of the records of a batch.

use std::{cell::RefCell, io::Write};

use connect_core::{Error, Result, error::INTERNAL};
use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};

/// `compression.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl Compression {
    /// Kafka's names.
    pub(super) fn named(name: &str) -> Result<Self> {
        Ok(match name {
            "none" => Self::None,
            "gzip" => Self::Gzip,
            "snappy" => Self::Snappy,
            "lz4" => Self::Lz4,
            "zstd" => Self::Zstd,
            _ => {
                return Err(Error::new(
                    &crate::SETTING,
                    "`compression.type` is none, gzip, snappy, lz4 or zstd",
                )
                .context("found", name));
            }
        })
    }

    /// The bits of a batch's attributes.
    fn code(self) -> i16 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
            Self::Snappy => 2,
            Self::Lz4 => 3,
            Self::Zstd => 4,
        }
    }
}

/// An LZ4 frame's begin: independent blocks of at most 64 KiB, no checksums (as Kafka's own client writes it).
const LZ4_FRAME: [u8; 7] = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];
/// A little less than 64 KiB lets the compressor use its small table.
const LZ4_BLOCK: usize = 64 * 1024 - 16;
/// The bit of a block that is not compressed.
const LZ4_PLAIN: u32 = 1 << 31;
/// The begin of a stream of Snappy blocks as Kafka's Java client has it (xerial): magic, version 1, compatible with 1.
const SNAPPY_STREAM: [u8; 16] = [
    0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1,
];
const SNAPPY_BLOCK: usize = 32 * 1024;

/// Takes bytes and compresses block after block, so that the records themselves are held for a moment only.
pub(super) struct Compressor {
    compression: Compression,
    /// Room for a header, then what is done.
    done: Vec<u8>,
    /// Not yet compressed.
    tail: Vec<u8>,
}

thread_local! {
    /// The tables of LZ4, and where a block is compressed to: once for each thread that compresses, not for each batch, of
    /// which there is one for every partition.
    static BENCH: RefCell<(CompressTable, Vec<u8>)> =
        RefCell::new((CompressTable::small(), Vec::new()));
}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compressor")
            .field("done", &self.done.len())
            .finish_non_exhaustive()
    }
}

impl Compressor {
    /// Leaves `header` bytes free before the output.
    pub(super) fn new(compression: Compression, header: usize) -> Self {
        let mut done = vec![0; header];
        match compression {
            Compression::Lz4 => done.extend_from_slice(&LZ4_FRAME),
            Compression::Snappy => done.extend_from_slice(&SNAPPY_STREAM),
            _ => {}
        }
        Self {
            compression,
            done,
            tail: Vec::new(),
        }
    }

    pub(super) fn write(&mut self, mut bytes: &[u8]) {
        let block = match self.compression {
            Compression::None => return self.done.extend_from_slice(bytes),
            Compression::Gzip | Compression::Zstd => return self.tail.extend_from_slice(bytes),
            Compression::Lz4 => LZ4_BLOCK,
            Compression::Snappy => SNAPPY_BLOCK,
        };
        loop {
            let room = block - self.tail.len();
            let Some((now, later)) = bytes.split_at_checked(room) else {
                self.tail.extend_from_slice(bytes);
                return;
            };
            self.tail.extend_from_slice(now);
            self.block();
            bytes = later;
        }
    }

    /// Everything, and the code of the compression.
    pub(super) fn finish(mut self) -> Result<(Vec<u8>, i16)> {
        match self.compression {
            Compression::None => {}
            Compression::Lz4 => {
                self.block();
                self.done.extend_from_slice(&0_u32.to_le_bytes());
            }
            Compression::Snappy => self.block(),
            Compression::Gzip => {
                let level = flate2::Compression::default();
                let mut gzip = flate2::write::GzEncoder::new(&mut self.done, level);
                gzip.write_all(&self.tail)
                    .and_then(|()| gzip.finish().map(drop))
                    .map_err(failed)?;
            }
            Compression::Zstd => {
                let level = zstd::DEFAULT_COMPRESSION_LEVEL;
                zstd::stream::copy_encode(self.tail.as_slice(), &mut self.done, level)
                    .map_err(failed)?;
            }
        }
        Ok((self.done, self.compression.code()))
    }

    fn block(&mut self) {
        if self.tail.is_empty() {
            return;
        }
        match self.compression {
            Compression::Snappy => self.snappy_block(),
            _ => self.lz4_block(),
        }
        self.tail.clear();
    }

    fn lz4_block(&mut self) {
        let Self { done, tail, .. } = self;
        BENCH.with_borrow_mut(|(table, scratch)| {
            let most = get_maximum_output_size(tail.len());
            if scratch.len() < most {
                scratch.resize(most, 0);
            }
            let compressed = compress_into_with_table(tail, scratch, table);
            let compressed = compressed.ok().and_then(|size| scratch.get(..size));
            let (size, block) = match compressed {
                Some(block) if block.len() < tail.len() => (block.len() as u32, block),
                _ => (tail.len() as u32 | LZ4_PLAIN, tail.as_slice()),
            };
            done.extend_from_slice(&size.to_le_bytes());
            done.extend_from_slice(block);
        });
    }

    fn snappy_block(&mut self) {
        let at = self.done.len();
        self.done
            .resize(at + 4 + snap::raw::max_compress_len(self.tail.len()), 0);
        let size = snap::raw::Encoder::new().compress(&self.tail, &mut self.done[at + 4..]);
        // It fails only for more than 4 GiB or too small an output.
        let size = size.unwrap_or_default();
        self.done.truncate(at + 4 + size);
        self.done[at..at + 4].copy_from_slice(&(size as u32).to_be_bytes());
    }
}

fn failed(cause: std::io::Error) -> Error {
    Error::new(&INTERNAL, "could not compress records").caused_by(cause)
}
