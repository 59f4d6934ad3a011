//! What a reader's settings say, by Kafka's consumer names, with Kafka's defaults.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use connect_core::{Error, Result};

use super::partition::Partition;

/// How a reader reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asks {
    pub(crate) max_records: usize,
    pub(crate) patience: Duration,
    pub(crate) reset: Reset,
}

/// Where to go on when there is no offset, or none that exists.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reset {
    Earliest,
    Latest,
    Never,
}

impl Asks {
    pub(crate) fn parse(settings: &BTreeMap<String, String>) -> Result<Self> {
        let reset = settings.get("auto.offset.reset").map(String::as_str);
        Ok(Self {
            max_records: number(settings, "max.poll.records", 500)?.max(1),
            patience: Duration::from_millis(number(settings, "max.poll.interval.ms", 300_000)?),
            reset: match reset {
                Some("earliest" | "smallest" | "beginning") => Reset::Earliest,
                None | Some("latest" | "largest" | "end") => Reset::Latest,
                Some("none" | "error") => Reset::Never,
                Some(other) => return Err(setting("auto.offset.reset", other)),
            },
        })
    }
}

fn number<T: FromStr>(
    settings: &BTreeMap<String, String>,
    name: &'static str,
    default: T,
) -> Result<T> {
    match settings.get(name) {
        None => Ok(default),
        Some(text) => text.trim().parse().map_err(|_| setting(name, text)),
    }
}

fn setting(name: &str, value: &str) -> Error {
    let what = format!("Invalid value {value} for configuration {name}");
    Error::new(&crate::error::SETTING, what)
}

impl Reset {
    pub(crate) fn of(self, partition: &Partition) -> Result<i64> {
        match self {
            Self::Earliest => Ok(partition.start()),
            Self::Latest => Ok(partition.end()),
            Self::Never => Err(Error::new(
                &crate::error::OUT_OF_RANGE,
                "the offset to read from does not exist",
            )
            .context("topic", &partition.topic)
            .context("partition", partition.index)),
        }
    }
}
