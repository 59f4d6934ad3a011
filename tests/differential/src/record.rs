//! A record of a topic, as its bytes say.

use connect_core::{
    Encoded,
    encoded::{EncodedHeader, EncodedRecord},
};
use serde_json::{Map, Value, json};

/// Key, value and headers.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The partition.
    pub partition: i32,
    /// Null, or what the JSON says; text that is no JSON is a string.
    pub key: Value,
    /// The same of the value. `Null` is a tombstone.
    pub value: Value,
    /// Names and values, in order.
    pub headers: Vec<(String, Value)>,
}

impl Record {
    /// Of a record that was read.
    pub(crate) fn of(read: &Encoded, record: &EncodedRecord) -> Self {
        let header = |header: &EncodedHeader| {
            let value = header.value.as_ref().map(|range| read.slice(range));
            (header.name.to_string(), parsed(value))
        };
        Self {
            partition: record.partition.unwrap_or(-1),
            key: parsed(read.key(record)),
            value: parsed(read.value(record)),
            headers: read.headers(record).iter().map(header).collect(),
        }
    }

    /// As one JSON object.
    pub(crate) fn to_json(&self, topic: &str) -> Value {
        let headers = self.headers.iter().cloned().collect::<Map<_, _>>();
        json!({"topic": topic, "partition": self.partition, "key": self.key, "value": self.value, "headers": headers})
    }

    /// Whether a text stands in its value or key.
    pub(crate) fn holds(&self, token: &str) -> bool {
        has(&self.value, token) || has(&self.key, token)
    }
}

fn parsed(bytes: Option<&[u8]>) -> Value {
    let Some(bytes) = bytes else {
        return Value::Null;
    };
    serde_json::from_slice(bytes)
        .unwrap_or_else(|_| Value::String(format!("not JSON: {}", String::from_utf8_lossy(bytes))))
}

fn has(value: &Value, token: &str) -> bool {
    match value {
        Value::String(text) => text.contains(token),
        Value::Array(items) => items.iter().any(|item| has(item, token)),
        Value::Object(fields) => fields.values().any(|field| has(field, token)),
        _ => false,
    }
}
