//! The heads of record batches of Kafka's message format 2, as brokers send them.
//!
//! Source: <https://kafka.apache.org/documentation/#recordbatch>. All integers are big-endian.

use connect_core::{Error, Result};

use crate::UNREADABLE;

/// Bytes before the records.
pub(super) const HEAD: usize = 61;
/// Bytes before those that the length counts.
const BEFORE: usize = 12;
const MAGIC_AT: usize = 16;
const CRC_AT: usize = 17;
/// What the checksum covers begins here.
const CRC_FROM: usize = 21;

const COMPRESSION: i16 = 0x07;
const APPEND_TIME: i16 = 0x08;
const TRANSACTIONAL: i16 = 0x10;
const CONTROL: i16 = 0x20;

/// What a batch says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// All bytes of the batch.
    pub(super) size: usize,
    /// The offset that the records' offsets are relative to.
    pub(super) base: i64,
    /// The last offset, be there a record or not.
    pub(super) last: i64,
    attributes: i16,
    first_ms: i64,
    max_ms: i64,
    /// Who wrote it, -1 without a name.
    pub(super) producer: i64,
    /// How many records.
    pub(super) records: i32,
}

impl Head {
    /// The batch at the begin of these bytes; `None` when they end before it does, as the last one of an answer may.
    ///
    /// Fails with `log.unreadable` for bytes that are no batch, and for the message formats before Kafka 0.11.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Self>> {
        let (Some(base), Some(length)) = (number(bytes, 0), number(bytes, 8)) else {
            return Ok(None);
        };
        let (base, length) = (i64::from_be_bytes(base), i32::from_be_bytes(length));
        let Some(magic) = bytes.get(MAGIC_AT) else {
            return Ok(None);
        };
        if *magic < 2 {
            return Err(Error::new(
                &UNREADABLE,
                "the records are in a message format from before Kafka 0.11, which is not read: let a newer producer write them again",
            )
            .context("format", magic));
        }
        if *magic > 2 {
            return Err(damaged("its format is not known"));
        }
        let size = usize::try_from(length).map_or(0, |length| length.saturating_add(BEFORE));
        if size < HEAD {
            return Err(damaged("it is too short"));
        }
        let Some(bytes) = bytes.get(..size) else {
            return Ok(None);
        };
        let last = i64::from(i32::from_be_bytes(field(bytes, 23)));
        let this = Self {
            size,
            base,
            last: base
                .checked_add(last)
                .filter(|last| *last >= base && base >= 0)
                .ok_or_else(|| damaged("its offsets make no sense"))?,
            attributes: i16::from_be_bytes(field(bytes, 21)),
            first_ms: i64::from_be_bytes(field(bytes, 27)),
            max_ms: i64::from_be_bytes(field(bytes, 35)),
            producer: i64::from_be_bytes(field(bytes, 43)),
            records: i32::from_be_bytes(field(bytes, 57)),
        };
        if this.records < 0 {
            return Err(damaged("its number of records makes no sense"));
        }
        Ok(Some(this))
    }

    /// The bits of the compression.
    pub(super) fn compression(&self) -> i16 {
        self.attributes & COMPRESSION
    }

    pub(super) fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL != 0
    }

    /// Whether it holds a marker of a transaction's end, and nothing for readers.
    pub(super) fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }

    /// The time of a record by what it says itself.
    pub(super) fn time(&self, delta: i64) -> i64 {
        if self.attributes & APPEND_TIME != 0 {
            self.max_ms
        } else {
            self.first_ms.wrapping_add(delta)
        }
    }
}

/// Fails with `log.unreadable` when a whole batch is not what its checksum says.
pub(super) fn check(batch: &[u8]) -> Result<()> {
    let told = u32::from_be_bytes(field(batch, CRC_AT));
    let found = crc32c::crc32c(batch.get(CRC_FROM..).unwrap_or_default());
    if told == found {
        Ok(())
    } else {
        Err(damaged("its checksum does not fit"))
    }
}

/// The offset after the last whole batch; `None` when there is none. It looks at heads alone.
pub(super) fn end(bytes: &[u8]) -> Result<Option<i64>> {
    let (mut rest, mut end) = (bytes, None);
    while let Some(head) = Head::read(rest)? {
        end = Some(head.last.saturating_add(1));
        rest = rest.get(head.size..).unwrap_or_default();
    }
    Ok(end)
}

/// A batch that cannot be read.
pub(super) fn damaged(why: &'static str) -> Error {
    Error::new(&UNREADABLE, "a record batch cannot be read").context("because", why)
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

/// A field of a head that is known to be whole.
fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    number(bytes, at).unwrap_or([0; N])
}
