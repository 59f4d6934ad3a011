//! The settings of a reader.

use std::time::Duration;

use connect_core::{Error, Result};
use kafka_protocol::protocol::StrBytes;

use crate::{
    SETTING,
    kafka::{properties::Properties, wire::Dial},
};

/// Timestamps that stand for points. Source: `ListOffsets` of Kafka's protocol.
const EARLIEST: i64 = -2;
const LATEST: i64 = -1;

/// Everything that a reader is told, by the names that the rest of this log has.
#[derive(Debug, Clone)]
pub(super) struct ReaderSettings {
    pub(super) bootstrap: String,
    pub(super) dial: Dial,
    /// Only what is committed is read.
    pub(super) committed: bool,
    /// Where reading begins when the offset is not there, as `ListOffsets` has it; `None` fails instead.
    pub(super) reset: Option<i64>,
    /// How long a broker waits for so many bytes.
    pub(super) wait_ms: i32,
    pub(super) least_bytes: i32,
    /// The most that one answer should have, and the most of one partition in it.
    pub(super) most_bytes: i32,
    pub(super) partition_bytes: i32,
    /// Bytes that may lie and wait to be polled.
    pub(super) room: usize,
    pub(super) checks: bool,
    pub(super) rack: StrBytes,
    /// After an error, before the next try.
    pub(super) backoff: Duration,
    /// How soon new topics and partitions are seen.
    pub(super) refresh: Duration,
    pub(super) group: GroupSettings,
}

/// What only members of groups need.
#[derive(Debug, Clone)]
pub(super) struct GroupSettings {
    pub(super) assignors: Vec<Assignor>,
    pub(super) instance: Option<StrBytes>,
    pub(super) session: Duration,
    pub(super) heartbeat: Duration,
    /// A reader that is not polled for so long gives its partitions up.
    pub(super) poll: Duration,
}

/// `partition.assignment.strategy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Assignor {
    Range,
    RoundRobin,
    CooperativeSticky,
}

impl Assignor {
    /// As it is called in the group.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::RoundRobin => "roundrobin",
            Self::CooperativeSticky => "cooperative-sticky",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Range, Self::RoundRobin, Self::CooperativeSticky]
            .into_iter()
            .find(|assignor| assignor.name() == name)
    }
}

impl ReaderSettings {
    /// Fails with `log.setting` for a value that makes no sense.
    pub(super) fn read(config: &Properties) -> Result<Self> {
        let number = |names: &[&'static str], default: u64| number(config, names, default);
        let bytes = |names: &[&'static str], default: u64| number(names, default).map(small);
        let text = |name: &str| config.get(name).unwrap_or_default().to_owned();
        let wait_ms = small(number(&["fetch.max.wait.ms"], 500)?);
        let mut dial = Dial::read(config)?;
        // A broker that has nothing answers only after its wait.
        dial.answer = dial
            .answer
            .max(millis(wait_ms as u64) + Duration::from_secs(5));
        let room = number(&["queued.max.messages.kbytes"], 4096)?.saturating_mul(1024);
        Ok(Self {
            bootstrap: text("bootstrap.servers"),
            dial,
            committed: config.get("isolation.level") != Some("read_uncommitted"),
            reset: reset(config)?,
            wait_ms,
            least_bytes: bytes(&["fetch.min.bytes"], 1)?,
            most_bytes: bytes(&["fetch.max.bytes"], 4 << 20)?,
            partition_bytes: bytes(&["max.partition.fetch.bytes"], 1 << 20)?,
            room: usize::try_from(room).unwrap_or(usize::MAX),
            checks: config
                .get("check.crcs")
                .is_none_or(|text| text.trim() != "false"),
            rack: StrBytes::from_string(text("client.rack")),
            backoff: millis(number(&["retry.backoff.ms"], 100)?.max(1)),
            refresh: millis(number(&["metadata.max.age.ms"], 5000)?.max(10)),
            group: GroupSettings::read(config)?,
        })
    }
}

impl GroupSettings {
    /// Whether partitions are kept while the group is formed anew. Assignors of both kinds do not mix.
    pub(super) fn is_cooperative(&self) -> bool {
        self.assignors.contains(&Assignor::CooperativeSticky)
    }

    fn read(config: &Properties) -> Result<Self> {
        let time = |name: &'static str, default| number(config, &[name], default).map(millis);
        let instance = config.get("group.instance.id").filter(|id| !id.is_empty());
        Ok(Self {
            assignors: assignors(config)?,
            instance: instance.map(|id| StrBytes::from_string(id.to_owned())),
            session: time("session.timeout.ms", 45_000)?,
            heartbeat: time("heartbeat.interval.ms", 3000)?.max(Duration::from_millis(1)),
            poll: time("max.poll.interval.ms", 300_000)?,
        })
    }
}

fn assignors(config: &Properties) -> Result<Vec<Assignor>> {
    const NAME: &str = "partition.assignment.strategy";
    let text = config.get(NAME).unwrap_or("cooperative-sticky");
    let named = |name: &str| {
        Assignor::named(name.trim()).ok_or_else(|| {
            refused(NAME, "it is range, roundrobin or cooperative-sticky").context("found", name)
        })
    };
    text.split(',').map(named).collect()
}

fn reset(config: &Properties) -> Result<Option<i64>> {
    const NAME: &str = "auto.offset.reset";
    match config.get(NAME).unwrap_or("latest") {
        "earliest" | "smallest" | "beginning" => Ok(Some(EARLIEST)),
        "latest" | "largest" | "end" => Ok(Some(LATEST)),
        "none" | "error" => Ok(None),
        _ => Err(refused(NAME, "it is earliest, latest or none")),
    }
}

/// The first of these names that is set.
fn number(config: &Properties, names: &[&'static str], default: u64) -> Result<u64> {
    for name in names {
        if let Some(text) = config.get(name) {
            let parsed = text.trim().parse();
            return parsed.map_err(|_| refused(name, "it must be a number"));
        }
    }
    Ok(default)
}

fn refused(name: &'static str, why: &'static str) -> Error {
    Error::new(&SETTING, "the Kafka client refuses a setting")
        .context("setting", name)
        .context("because", why)
}

fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}

fn small(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<ReaderSettings> {
        let mut config = Properties::default();
        for (name, value) in pairs {
            config.set(name, *value);
        }
        ReaderSettings::read(&config)
    }

    #[test]
    fn settings_are_read_and_nonsense_is_refused() {
        let settings = read(&[
            ("auto.offset.reset", "error"),
            ("fetch.wait.max.ms", "100"),
            ("partition.assignment.strategy", "range,roundrobin"),
            ("isolation.level", "read_uncommitted"),
        ])
        .unwrap();
        assert_eq!((settings.reset, settings.wait_ms), (None, 100));
        assert_eq!(
            settings.group.assignors,
            [Assignor::Range, Assignor::RoundRobin]
        );
        assert!(!settings.committed && settings.checks);
        for pair in [
            ("fetch.min.bytes", "few"),
            ("auto.offset.reset", "somewhere"),
            ("partition.assignment.strategy", "mine"),
            ("session.timeout.ms", "-1"),
        ] {
            let error = read(&[pair]).unwrap_err();
            assert_eq!(error.code(), &SETTING);
            assert!(error.to_string().contains(pair.0), "{error}");
        }
    }
}
