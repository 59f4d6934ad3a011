//! The headers of records in the form of a log.

use std::ops::Range;

use connect_core::{
    Encoded,
    encoded::{EncodedHeader, EncodedRecord},
};

/// The bytes of the last record's headers, so that those which many records share are written once and then copied.
#[derive(Debug, Default)]
pub(crate) struct HeaderBlock {
    /// Whose they are; `None` when there are none.
    of: Option<Range<usize>>,
    bytes: Vec<u8>,
}

impl HeaderBlock {
    /// Forgets them: what follows are records of another [`Encoded`].
    pub(crate) fn clear(&mut self) {
        self.of = None;
        self.bytes.clear();
    }

    /// The bytes of a record's headers, which `write` appends.
    #[inline]
    pub(crate) fn of(
        &mut self,
        records: &Encoded,
        record: &EncodedRecord,
        write: impl FnOnce(&Encoded, &[EncodedHeader], &mut Vec<u8>),
    ) -> &[u8] {
        if self.of.as_ref() != Some(&record.headers) {
            self.bytes.clear();
            write(records, records.headers(record), &mut self.bytes);
            self.of = Some(record.headers.clone());
        }
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_records_share_are_written_once() {
        let mut records = Encoded::default();
        for _ in 0..3 {
            records.push(&"t".into(), None, None, 0);
        }
        records.push_header("a", Some(b"1"));
        let shared = records.records[2].headers.clone();
        records.records[0].headers = shared;
        let mut block = HeaderBlock::default();
        let mut written = 0;
        let mut lens = Vec::new();
        for at in [0, 2, 1, 0] {
            let bytes = block.of(&records, &records.records[at], |_, headers, out| {
                written += 1;
                out.resize(headers.len(), 0);
            });
            lens.push(bytes.len());
        }
        assert_eq!((lens, written), (vec![1, 1, 0, 1], 3));
        block.clear();
        block.of(&records, &records.records[0], |_, _, _| written += 1);
        assert_eq!(written, 4);
    }
}
