//! The command line of the benchmark.

use std::path::PathBuf;

use crate::{
    database::Source,
    scenario::{Kind, Scenario},
    tool::ToolKind,
};

/// Which benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suite {
    /// One table: snapshot, stream, latency.
    OneTable,
    /// The stream of tables and changes that differ.
    Workloads,
    /// The runtime: its REST API, pauses of tasks, the cost of exactly-once.
    Runtime,
    /// One table into a log in memory: Tidewater only, without a broker.
    Memory,
}

/// Whether Debezium is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// It is not.
    None,
    /// It is, too.
    Too,
    /// It is, and Tidewater is not.
    Alone,
}

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// Which benchmark.
    pub(crate) suite: Suite,
    /// The database.
    pub(crate) source: Source,
    /// Rows per scenario.
    pub(crate) rows: u64,
    /// Seconds of each latency scenario.
    pub(crate) seconds: u64,
    /// The peer to measure too.
    pub(crate) peer: Peer,
    /// Whether to measure the memory for a large transaction and a large value too.
    pub(crate) large: bool,
    /// Only scenarios whose name contains this.
    pub(crate) only: Option<String>,
    /// Where to write the figures as JSON.
    pub(crate) json: Option<PathBuf>,
    /// Connectors of the runtime's crowd.
    pub(crate) connectors: usize,
    /// Worker properties for both tools.
    pub(crate) worker: Vec<(String, String)>,
}

const USAGE: &str =
    "bench postgres|postgres18|mysql|mariadb|workloads|runtime|memory [--source postgres|postgres18|mysql|mariadb] [--rows N] [--seconds N] [--peer debezium|connect|alone] [--large yes] [--only TEXT] [--worker NAME=VALUE]… [--json FILE]
  --source NAME    the database of the workloads, the runtime, or of the log in memory (default postgres)
  --rows N         rows per scenario (default 1000000), or of the narrow table of the workloads (default 200000)
  --seconds N      seconds of each latency scenario (default 20)
  --peer debezium  measure a real Kafka Connect with Debezium too; `connect` is the same
  --peer alone     measure that only
  --large yes      add a transaction of five times N rows and a value of 20 MB: for the memory (Tidewater only)
  --only TEXT      only scenarios whose name contains TEXT, such as `stream json`; of the runtime `rest`, `pauses` or `once`
  --connectors N   how many connectors the runtime's REST API is measured with (default 1000)
  --worker N=V     a worker property for both tools, such as `producer.compression.type=none`
  --json FILE      write the figures as JSON";

impl Arguments {
    /// Reads the arguments, or gives the usage.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let name = words.next();
        let (suite, rows) = match name.as_deref() {
            Some("workloads") => (Suite::Workloads, 200_000),
            Some("runtime") => (Suite::Runtime, 400_000),
            Some("memory") => (Suite::Memory, 1_000_000),
            _ => (Suite::OneTable, 1_000_000),
        };
        let source = match suite {
            Suite::Workloads | Suite::Runtime | Suite::Memory => Some(Source::Postgres),
            Suite::OneTable => name.as_deref().and_then(Source::named),
        };
        let mut read = Self {
            suite,
            source: source.ok_or(USAGE)?,
            rows,
            seconds: 20,
            peer: Peer::None,
            large: false,
            only: None,
            json: None,
            connectors: 1000,
            worker: Vec::new(),
        };
        while let Some(word) = words.next() {
            let value = words
                .next()
                .ok_or_else(|| format!("{word} needs a value\n{USAGE}"))?;
            match word.as_str() {
                "--rows" => read.rows = number(&word, &value)?,
                "--seconds" => read.seconds = number(&word, &value)?,
                "--source" if suite != Suite::OneTable => {
                    read.source = Source::named(&value).ok_or(USAGE)?;
                }
                "--peer" if matches!(value.as_str(), "debezium" | "connect") => {
                    read.peer = Peer::Too
                }
                "--peer" if value == "alone" => read.peer = Peer::Alone,
                "--large" if value == "yes" => read.large = true,
                "--connectors" => read.connectors = number(&word, &value)? as usize,
                "--only" => read.only = Some(value),
                "--worker" => read.worker.push(property(&value)?),
                "--json" => read.json = Some(value.into()),
                _ => return Err(format!("{word} {value}?\n{USAGE}")),
            }
        }
        Ok(read)
    }

    /// The tools to measure, in order.
    pub(crate) fn tools(&self) -> Vec<ToolKind> {
        match self.peer {
            Peer::None => vec![ToolKind::Tidewater],
            Peer::Too => vec![ToolKind::Tidewater, ToolKind::Debezium],
            Peer::Alone => vec![ToolKind::Debezium],
        }
    }

    /// The scenarios to measure, in order.
    pub(crate) fn scenarios(&self) -> Vec<Scenario> {
        let mut all = Vec::new();
        for exactly_once in [false, true] {
            for kind in [
                Kind::Snapshot,
                Kind::ParallelSnapshot,
                Kind::Stream,
                Kind::Latency,
                Kind::Transaction,
                Kind::Value,
            ] {
                for schemas in [false, true] {
                    all.push(Scenario {
                        kind,
                        schemas,
                        exactly_once,
                    });
                }
            }
        }
        all.retain(|s| {
            let is_large = matches!(s.kind, Kind::Transaction | Kind::Value);
            !is_large || (self.large && !s.schemas)
        });
        all.retain(|s| {
            self.only
                .as_deref()
                .is_none_or(|text| s.name().contains(text))
        });
        all
    }
}

fn property(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=');
    let (name, value) = parts.ok_or_else(|| format!("--worker {text}: no `=`\n{USAGE}"))?;
    Ok((name.to_owned(), value.to_owned()))
}

fn number(word: &str, value: &str) -> Result<u64, String> {
    value
        .replace('_', "")
        .parse()
        .map_err(|_| format!("{word} {value}: not a number\n{USAGE}"))
}
