//! A topic's settings, by Kafka's names, with Kafka's defaults.

use std::{collections::BTreeMap, str::FromStr};

use connect_core::{Error, Result};

/// `max.message.bytes` of a topic that does not set it.
const MAX_MESSAGE_BYTES: usize = 1_048_588;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What the settings of a topic say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// Keep the last record of each key.
    pub(crate) compact: bool,
    /// Delete old records.
    pub(crate) delete: bool,
    /// How old.
    pub(crate) retention_ms: Option<i64>,
    /// Or when a partition has more than this (uncompressed).
    pub(crate) retention_bytes: Option<u64>,
    /// How long a compaction leaves a tombstone for readers to see.
    pub(crate) delete_retention_ms: i64,
    /// Compact when this part of the bytes was not compacted yet.
    pub(crate) dirty_ratio: f64,
    /// The largest record.
    pub(crate) max_message_bytes: usize,
    /// Compress blocks in the file.
    pub(crate) compress: bool,
    /// What was set, as it was set.
    pub(crate) given: BTreeMap<String, String>,
}

impl Settings {
    /// Reads settings. Names without a meaning here are kept and shown, as a broker does with those of its plugins.
    pub(crate) fn parse(given: BTreeMap<String, String>) -> Result<Self> {
        let policy = given.get("cleanup.policy").map_or("delete", String::as_str);
        let (mut compact, mut delete) = (false, false);
        for word in policy.split(',').map(str::trim).filter(|w| !w.is_empty()) {
            match word {
                "compact" => compact = true,
                "delete" => delete = true,
                other => return Err(invalid("cleanup.policy", other)),
            }
        }
        Ok(Self {
            compact,
            delete,
            retention_ms: limit(number(&given, "retention.ms", 7 * DAY_MS)?),
            retention_bytes: limit(number(&given, "retention.bytes", -1)?)
                .and_then(|bytes| u64::try_from(bytes).ok()),
            delete_retention_ms: number(&given, "delete.retention.ms", DAY_MS)?,
            dirty_ratio: number(&given, "min.cleanable.dirty.ratio", 0.5)?,
            max_message_bytes: number(&given, "max.message.bytes", MAX_MESSAGE_BYTES)?,
            compress: match given.get("compression.type").map(String::as_str) {
                None | Some("producer" | "lz4" | "gzip" | "snappy" | "zstd") => true,
                Some("none" | "uncompressed") => false,
                Some(other) => return Err(invalid("compression.type", other)),
            },
            given,
        })
    }

    /// Every setting that has a meaning here, and what else was set.
    pub(crate) fn effective(&self) -> BTreeMap<String, String> {
        let number = |limit: Option<i64>| limit.unwrap_or(-1).to_string();
        let bytes = self
            .retention_bytes
            .map(|b| i64::try_from(b).unwrap_or(i64::MAX));
        let defaults = [
            ("compression.type", "producer".to_owned()),
            ("delete.retention.ms", self.delete_retention_ms.to_string()),
            ("min.cleanable.dirty.ratio", self.dirty_ratio.to_string()),
            ("retention.bytes", number(bytes)),
            ("retention.ms", number(self.retention_ms)),
        ];
        let mut all = self.shown();
        for (name, value) in defaults {
            all.entry(name.to_owned()).or_insert(value);
        }
        all
    }

    /// What was set, and the defaults that matter to readers.
    pub(crate) fn shown(&self) -> BTreeMap<String, String> {
        let mut shown = self.given.clone();
        shown
            .entry("cleanup.policy".to_owned())
            .or_insert_with(|| "delete".to_owned());
        shown
            .entry("max.message.bytes".to_owned())
            .or_insert_with(|| self.max_message_bytes.to_string());
        shown
    }
}

fn limit(number: i64) -> Option<i64> {
    (number >= 0).then_some(number)
}

fn number<T: FromStr>(given: &BTreeMap<String, String>, name: &str, default: T) -> Result<T> {
    match given.get(name) {
        None => Ok(default),
        Some(text) => text.trim().parse().map_err(|_| invalid(name, text)),
    }
}

fn invalid(name: &str, value: &str) -> Error {
    Error::config(format!("Invalid value {value} for configuration {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<Settings> {
        let pairs = pairs.iter();
        Settings::parse(pairs.map(|(k, v)| ((*k).into(), (*v).into())).collect())
    }

    #[test]
    fn defaults_are_those_of_kafka() {
        let it = settings(&[]).unwrap();
        assert!(it.delete && !it.compact);
        assert_eq!(it.retention_ms, Some(604_800_000));
        assert_eq!(
            (it.retention_bytes, it.max_message_bytes),
            (None, 1_048_588)
        );
        assert_eq!(it.shown()["cleanup.policy"], "delete");
    }

    #[test]
    fn both_policies_no_limits_and_nonsense() {
        let it = settings(&[
            ("cleanup.policy", "compact, delete"),
            ("retention.ms", "-1"),
        ]);
        let it = it.unwrap();
        assert!(it.delete && it.compact && it.retention_ms.is_none());
        for (name, value) in [("cleanup.policy", "shred"), ("retention.ms", "soon")] {
            let err = settings(&[(name, value)]).unwrap_err();
            assert!(err.to_string().contains(name), "{err}");
        }
    }
}
