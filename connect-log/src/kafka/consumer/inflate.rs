//! Records of a batch, decompressed chunk by chunk while they are read: a batch that grows without end takes no more memory than a
//! chunk of it.

use std::io::Read;

use bytes::{Buf, Bytes, buf::Reader};
use connect_core::Result;
use flate2::bufread::MultiGzDecoder;
use lz4_flex::block::{decompress_into, decompress_into_with_dict};
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use super::batch::damaged;

/// What is decompressed at once where the format leaves it open.
const CHUNK: usize = 64 << 10;
/// Blocks of LZ4 can refer so far back.
const LZ4_REACH: usize = 64 << 10;
const LZ4_MAGIC: u32 = 0x184d_2204;
/// The bit of a block that is not compressed.
const LZ4_PLAIN: u32 = 1 << 31;
const SNAPPY_MAGIC: &[u8] = b"\x82SNAPPY\0";
/// Magic, version and compatible version.
const SNAPPY_HEAD: usize = 16;
/// The most that three bytes of Snappy become is 64, so more than this is a lie (Invariant 4).
const SNAPPY_RATIO: usize = 32;

/// Memory that is used again for the next batch.
#[derive(Default)]
pub(super) struct Spare {
    chunk: Vec<u8>,
    zstd: Option<Box<Decoder<'static>>>,
}

/// The bytes of a batch's records.
pub(super) struct Inflate {
    from: From,
    /// What was decompressed last; not used by bytes that are not compressed.
    chunk: Vec<u8>,
    at: usize,
    end: usize,
}

enum From {
    Plain(Bytes),
    Gzip(Box<MultiGzDecoder<Reader<Bytes>>>),
    Snappy {
        input: Bytes,
        blocks: bool,
    },
    Lz4(Lz4),
    Zstd {
        input: Bytes,
        decoder: Box<Decoder<'static>>,
    },
}

/// Frames of LZ4. Source: <https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md>.
struct Lz4 {
    input: Bytes,
    frame: Option<Frame>,
    /// The end of what came before, where blocks refer to it.
    before: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Frame {
    block: usize,
    linked: bool,
    block_checksum: bool,
    checksum: bool,
}

impl Inflate {
    /// `code` is a batch's compression. Fails for one that is not known.
    pub(super) fn new(code: i16, input: Bytes, spare: &mut Spare) -> Result<Self> {
        let from = match code {
            0 => From::Plain(input),
            1 => From::Gzip(Box::new(MultiGzDecoder::new(input.reader()))),
            2 => From::snappy(input),
            3 => From::Lz4(Lz4 {
                input,
                frame: None,
                before: Vec::new(),
            }),
            4 => From::zstd(input, spare.zstd.take())?,
            _ => return Err(damaged("its compression is not known")),
        };
        Ok(Self {
            from,
            chunk: std::mem::take(&mut spare.chunk),
            at: 0,
            end: 0,
        })
    }

    /// Gives its memory back.
    pub(super) fn spare(self, spare: &mut Spare) {
        // A large chunk was an exception.
        if self.chunk.capacity() <= CHUNK {
            spare.chunk = self.chunk;
        }
        if let From::Zstd { decoder, .. } = self.from {
            spare.zstd = Some(decoder);
        }
    }

    /// The next bytes; none at the end.
    pub(super) fn rest(&mut self) -> Result<&[u8]> {
        match &mut self.from {
            From::Plain(bytes) => Ok(bytes),
            from => {
                if self.at == self.end {
                    self.at = 0;
                    self.end = from.fill(&mut self.chunk)?;
                }
                Ok(self.chunk.get(self.at..self.end).unwrap_or_default())
            }
        }
    }

    /// So many of them are read.
    pub(super) fn took(&mut self, count: usize) {
        match &mut self.from {
            From::Plain(bytes) => bytes.advance(count.min(bytes.len())),
            _ => self.at = (self.at + count).min(self.end),
        }
    }
}

impl From {
    fn snappy(mut input: Bytes) -> Self {
        let blocks = input.starts_with(SNAPPY_MAGIC);
        if blocks {
            input.advance(SNAPPY_HEAD.min(input.len()));
        }
        Self::Snappy { input, blocks }
    }

    fn zstd(input: Bytes, spare: Option<Box<Decoder<'static>>>) -> Result<Self> {
        let decoder = match spare {
            Some(mut decoder) => decoder.reinit().map(|()| decoder),
            None => Decoder::new().map(Box::new),
        };
        let decoder = decoder.map_err(|_| damaged("it cannot be decompressed (zstd)"))?;
        Ok(Self::Zstd { input, decoder })
    }

    /// Fills the chunk anew; gives how far, 0 at the end.
    fn fill(&mut self, chunk: &mut Vec<u8>) -> Result<usize> {
        match self {
            Self::Plain(_) => Ok(0),
            Self::Gzip(gzip) => {
                reach(chunk, CHUNK);
                let read = gzip.read(chunk);
                read.map_err(|_| damaged("it cannot be decompressed (gzip)"))
            }
            Self::Snappy { input, blocks } => snappy(input, *blocks, chunk),
            Self::Lz4(lz4) => lz4.fill(chunk),
            Self::Zstd { input, decoder } => zstd(input, decoder, chunk),
        }
    }
}

fn reach(chunk: &mut Vec<u8>, size: usize) {
    if chunk.len() < size {
        chunk.resize(size, 0);
    }
}

fn zstd(input: &mut Bytes, decoder: &mut Decoder<'static>, chunk: &mut Vec<u8>) -> Result<usize> {
    reach(chunk, CHUNK);
    loop {
        let mut from = InBuffer::around(input);
        let mut to = OutBuffer::around(chunk.as_mut_slice());
        let hint = decoder.run(&mut from, &mut to);
        let hint = hint.map_err(|_| damaged("it cannot be decompressed (zstd)"))?;
        let (read, written) = (from.pos(), to.pos());
        input.advance(read.min(input.len()));
        if written > 0 {
            return Ok(written);
        }
        if input.is_empty() {
            return match hint {
                0 => Ok(0),
                _ => Err(damaged("its compressed bytes end too soon")),
            };
        }
        if read == 0 {
            return Err(damaged("it cannot be decompressed (zstd)"));
        }
    }
}

fn snappy(input: &mut Bytes, blocks: bool, chunk: &mut Vec<u8>) -> Result<usize> {
    while !input.is_empty() {
        let size = if blocks {
            let size = input.try_get_u32().map_err(|_| cut())?;
            usize::try_from(size).unwrap_or(usize::MAX)
        } else {
            input.len()
        };
        if size > input.len() {
            return Err(cut());
        }
        let block = input.split_to(size);
        let refused = |_| damaged("it cannot be decompressed (snappy)");
        let length = snap::raw::decompress_len(&block).map_err(refused)?;
        if length > block.len().saturating_mul(SNAPPY_RATIO) {
            return Err(damaged("it cannot be decompressed (snappy)"));
        }
        reach(chunk, length);
        let place = chunk.get_mut(..length).unwrap_or_default();
        let written = snap::raw::Decoder::new().decompress(&block, place);
        let written = written.map_err(refused)?;
        if written > 0 {
            return Ok(written);
        }
    }
    Ok(0)
}

impl Lz4 {
    fn fill(&mut self, chunk: &mut Vec<u8>) -> Result<usize> {
        loop {
            let Some(frame) = self.frame else {
                if self.input.is_empty() {
                    return Ok(0);
                }
                self.frame = Some(self.begin()?);
                self.before.clear();
                continue;
            };
            let size = self.input.try_get_u32_le().map_err(|_| cut())?;
            if size == 0 {
                self.skip(if frame.checksum { 4 } else { 0 })?;
                self.frame = None;
                continue;
            }
            let length = usize::try_from(size & !LZ4_PLAIN).unwrap_or(usize::MAX);
            if length > frame.block || length > self.input.len() {
                return Err(cut());
            }
            let block = self.input.split_to(length);
            self.skip(if frame.block_checksum { 4 } else { 0 })?;
            let written = self.block(frame, size & LZ4_PLAIN != 0, &block, chunk)?;
            if written > 0 {
                return Ok(written);
            }
        }
    }

    fn block(
        &mut self,
        frame: Frame,
        plain: bool,
        block: &[u8],
        chunk: &mut Vec<u8>,
    ) -> Result<usize> {
        reach(chunk, frame.block);
        let place = chunk.get_mut(..frame.block).unwrap_or_default();
        let written = if plain {
            place
                .get_mut(..block.len())
                .unwrap_or_default()
                .copy_from_slice(block);
            Ok(block.len())
        } else if frame.linked {
            decompress_into_with_dict(block, place, &self.before)
        } else {
            decompress_into(block, place)
        };
        let written = written.map_err(|_| damaged("it cannot be decompressed (lz4)"))?;
        if frame.linked {
            self.before
                .extend_from_slice(place.get(..written).unwrap_or_default());
            let old = self.before.len().saturating_sub(LZ4_REACH);
            self.before.drain(..old);
        }
        Ok(written)
    }

    fn begin(&mut self) -> Result<Frame> {
        let head = (|| {
            let magic = self.input.try_get_u32_le().ok()?;
            let flags = self.input.try_get_u8().ok()?;
            let size = self.input.try_get_u8().ok()?;
            Some((magic, flags, size))
        })();
        let (magic, flags, size) = head.ok_or_else(cut)?;
        let has = |bit: u8| flags & 1 << bit != 0;
        let block = match size >> 4 & 7 {
            4 => 64 << 10,
            5 => 256 << 10,
            6 => 1 << 20,
            7 => 4 << 20,
            _ => 0,
        };
        // Version 1, without a dictionary that we do not have.
        if magic != LZ4_MAGIC || flags >> 6 != 1 || has(0) || block == 0 {
            return Err(damaged("it is no LZ4 frame"));
        }
        // The size of the content, and the checksum of this head.
        self.skip(if has(3) { 9 } else { 1 })?;
        Ok(Frame {
            block,
            linked: !has(5),
            block_checksum: has(4),
            checksum: has(2),
        })
    }

    fn skip(&mut self, count: usize) -> Result<()> {
        if count > self.input.len() {
            return Err(cut());
        }
        self.input.advance(count);
        Ok(())
    }
}

fn cut() -> connect_core::Error {
    damaged("its compressed bytes end too soon")
}
