//! Serialized records: what converters write, logs store, and readers give back.

use std::{ops::Range, sync::Arc};

/// Many serialized records in one arena. Cleared and reused.
#[derive(Debug, Clone, Default)]
pub struct Encoded {
    /// Keys, values and header values, end to end.
    pub bytes: Vec<u8>,
    /// The records in order.
    pub records: Vec<EncodedRecord>,
    /// Headers of all records.
    pub headers: Vec<EncodedHeader>,
}

/// One serialized record.
#[derive(Debug, Clone)]
pub struct EncodedRecord {
    /// Its topic.
    pub topic: Arc<str>,
    /// Its partition; `None` lets the log choose by the key's hash (Kafka's murmur2).
    pub partition: Option<i32>,
    /// Its offset, when it was read from a log.
    pub offset: i64,
    /// Milliseconds since 1970-01-01; negative lets the log take its clock.
    pub timestamp_ms: i64,
    /// The key's bytes; `None` is a null key.
    pub key: Option<Range<usize>>,
    /// The value's bytes; `None` is a tombstone.
    pub value: Option<Range<usize>>,
    /// Its headers, as a range of [`Encoded::headers`]. Records may share one: then logs write them once.
    pub headers: Range<usize>,
}

/// One header.
#[derive(Debug, Clone)]
pub struct EncodedHeader {
    /// Its name.
    pub name: Arc<str>,
    /// The value's bytes; `None` is null.
    pub value: Option<Range<usize>>,
}

/// How much memory a cleared arena keeps for the next round.
const KEEP_BYTES: usize = 4 << 20;

impl Encoded {
    /// Forgets all records; keeps the memory of an ordinary batch.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEEP_BYTES);
        self.records.clear();
        self.headers.clear();
    }

    /// How many records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Appends one record by copying its parts.
    pub fn push(
        &mut self,
        topic: &Arc<str>,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        timestamp_ms: i64,
    ) -> &mut EncodedRecord {
        let key = key.map(|bytes| self.copy(bytes));
        let value = value.map(|bytes| self.copy(bytes));
        let at = self.headers.len();
        self.records.push(EncodedRecord {
            topic: Arc::clone(topic),
            partition: None,
            offset: -1,
            timestamp_ms,
            key,
            value,
            headers: at..at,
        });
        let last = self.records.len() - 1;
        &mut self.records[last]
    }

    /// Appends a header to the last record.
    pub fn push_header(&mut self, name: impl Into<Arc<str>>, value: Option<&[u8]>) {
        let value = value.map(|bytes| self.copy(bytes));
        self.headers.push(EncodedHeader {
            name: name.into(),
            value,
        });
        let end = self.headers.len();
        if let Some(record) = self.records.last_mut() {
            record.headers.end = end;
        }
    }

    /// The bytes of a range.
    pub fn slice(&self, range: &Range<usize>) -> &[u8] {
        self.bytes.get(range.clone()).unwrap_or(&[])
    }

    /// The key of a record.
    pub fn key(&self, record: &EncodedRecord) -> Option<&[u8]> {
        record.key.as_ref().map(|range| self.slice(range))
    }

    /// The value of a record.
    pub fn value(&self, record: &EncodedRecord) -> Option<&[u8]> {
        record.value.as_ref().map(|range| self.slice(range))
    }

    /// The headers of a record.
    pub fn headers(&self, record: &EncodedRecord) -> &[EncodedHeader] {
        self.headers.get(record.headers.clone()).unwrap_or(&[])
    }

    fn copy(&mut self, bytes: &[u8]) -> Range<usize> {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        at..self.bytes.len()
    }
}
