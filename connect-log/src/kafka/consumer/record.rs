//! The parts of one record. Source: <https://kafka.apache.org/documentation/#record>.

use std::ops::Range;

use connect_core::Result;

use super::batch::damaged;

/// A place in the bytes of a record, which end where the bytes end.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    pub(super) fn skip(&mut self, count: usize) -> Result<()> {
        self.range(count).map(drop)
    }

    /// A zigzag varint.
    #[inline]
    pub(super) fn number(&mut self) -> Result<i64> {
        let mut number = 0_u64;
        for shift in (0..70).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or_else(cut)?;
            self.at += 1;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(unzigzag(number));
            }
        }
        Err(damaged("a number in a record is too long"))
    }

    /// A key, a value, or a part of a header; its length is -1 where there is none.
    #[inline]
    pub(super) fn part(&mut self) -> Result<Option<Range<usize>>> {
        let length = self.number()?;
        if length < 0 {
            return Ok(None);
        }
        self.range(usize::try_from(length).unwrap_or(usize::MAX))
            .map(Some)
    }

    /// How many headers follow. More than there are bytes cannot.
    pub(super) fn count(&mut self) -> Result<usize> {
        let count = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        if count > self.bytes.len().saturating_sub(self.at) {
            return Err(cut());
        }
        Ok(count)
    }

    fn range(&mut self, length: usize) -> Result<Range<usize>> {
        let end = self.at.checked_add(length);
        let end = end.filter(|end| *end <= self.bytes.len()).ok_or_else(cut)?;
        let range = self.at..end;
        self.at = end;
        Ok(range)
    }
}

/// The number of a zigzag varint.
pub(super) fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// Whether the first record of a control batch ends a transaction by aborting it: its key is a version and a type, 0 for that.
pub(super) fn is_abort(records: &[u8]) -> bool {
    let key = || {
        let mut cursor = Cursor::new(records, 0);
        cursor.number().ok()?;
        cursor.skip(1).ok()?;
        cursor.number().ok()?;
        cursor.number().ok()?;
        records.get(cursor.part().ok()??)
    };
    key().is_some_and(|key| matches!(key, [_, _, 0, 0, ..]))
}

fn cut() -> connect_core::Error {
    damaged("a record ends too soon")
}
