//! What is known of a letter without its content.

use connect_core::{Encoded, encoded::EncodedRecord};
use serde::Serialize;
use serde_json::Value;

use super::{At, content};
use crate::dead_letters::headers;

/// One letter. What its headers do not tell is missing (`errors.deadletterqueue.context.headers.enable`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Letter {
    /// Its partition in the topic of dead letters.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// The time of the record, in milliseconds since 1970-01-01.
    pub timestamp: i64,
    /// Where the record comes from.
    pub origin: Origin,
    /// The connector that could not handle it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connector: Option<String>,
    /// Where it got stuck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The code of the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// The error in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Length of the key in bytes; none for a null.
    pub key_bytes: Option<usize>,
    /// Length of the value in bytes; none for a null.
    pub value_bytes: Option<usize>,
    /// Whether it holds the record's own bytes; if not, only an edited one can be replayed.
    pub whole: bool,
    /// Whether it was replayed.
    pub replayed: bool,
}

/// Where a record was before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The topic that it was read from or meant for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The partition that it was read from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<i32>,
    /// Its offset there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// Of a source: the partition of its offsets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_partition: Option<Value>,
    /// Of a source: where the batch of the record leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_offset: Option<Value>,
}

impl Letter {
    /// From a record of the topic of dead letters.
    pub(super) fn of(records: &Encoded, record: &EncodedRecord) -> Self {
        let get = |name: &str| header(records, record, name);
        let json = |name: &str| get(name).and_then(|text| serde_json::from_str(&text).ok());
        let is_cut = get(headers::VALUE_LEFT_OUT).is_some();
        let is_described = get(headers::CONTENT).is_some_and(|c| c == headers::DESCRIBED);
        Self {
            partition: record.partition.unwrap_or(0),
            offset: record.offset,
            timestamp: record.timestamp_ms,
            origin: Origin {
                topic: get(headers::TOPIC),
                partition: get(headers::PARTITION).and_then(|text| text.parse().ok()),
                offset: get(headers::OFFSET).and_then(|text| text.parse().ok()),
                source_partition: json(headers::SOURCE_PARTITION),
                source_offset: json(headers::SOURCE_OFFSET),
            },
            connector: get(headers::CONNECTOR),
            stage: get(headers::STAGE),
            exception: get(headers::EXCEPTION),
            message: get(headers::MESSAGE),
            key_bytes: records.key(record).map(<[u8]>::len),
            value_bytes: records.value(record).map(<[u8]>::len),
            whole: !is_cut && !is_described,
            replayed: false,
        }
    }

    /// Where it is.
    pub(super) fn at(&self) -> At {
        (self.partition, self.offset)
    }
}

/// The last header of a name, as text.
pub(super) fn header(records: &Encoded, record: &EncodedRecord, name: &str) -> Option<String> {
    let mut all = records.headers(record).iter().rev();
    let found = all.find(|header| &*header.name == name)?;
    let bytes = records.slice(found.value.as_ref()?);
    Some(String::from_utf8_lossy(bytes).into_owned())
}

/// All headers for people.
pub(super) fn headers_shown(records: &Encoded, record: &EncodedRecord) -> Vec<(String, Value)> {
    let all = records.headers(record).iter();
    all.map(|header| {
        let value = header.value.as_ref().map(|range| records.slice(range));
        (header.name.to_string(), content::show(value))
    })
    .collect()
}
