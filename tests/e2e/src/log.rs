//! The two logs under a worker, and their topics as a Kafka client sees them.

use std::time::Duration;

use stack::{Kcat, wait_until};

use crate::Outcome;

/// Which log a worker stands on.
#[derive(Debug, Clone)]
pub enum LogKind {
    /// The embedded log, in the worker's own folder.
    Embedded,
    /// A Kafka cluster at this address.
    Kafka(String),
}

/// The topics of a log, read by kcat.
pub struct Topics(Kcat);

impl Topics {
    /// The topics behind a bootstrap address.
    pub fn at(bootstrap: &str) -> Outcome<Self> {
        Ok(Self(Kcat::at(bootstrap)?))
    }

    /// All committed records of a topic, as `key<TAB>value` lines; of partition 0 when it has only that.
    pub fn records(&self, topic: &str) -> Outcome<Vec<(String, String)>> {
        let text = self.0.run(&[
            "-C",
            "-t",
            topic,
            "-e",
            "-q",
            "-Z",
            "-f",
            "%k\t%s\n",
            "-X",
            "isolation.level=read_committed",
        ])?;
        let pair = |line: &str| {
            let (key, value) = line.split_once('\t').unwrap_or((line, ""));
            (key.to_owned(), value.to_owned())
        };
        Ok(text.lines().map(pair).collect())
    }

    /// Waits until a record of the topic contains a text, then gives all records.
    pub fn records_until(&self, topic: &str, marker: &str) -> Outcome<Vec<(String, String)>> {
        let mut all = Vec::new();
        let what = format!("{topic} to have a record with {marker}");
        wait_until(&what, Duration::from_secs(120), || {
            all = self.records(topic).unwrap_or_default();
            Ok(all.iter().any(|(_, value)| value.contains(marker)))
        })?;
        Ok(all)
    }
}
