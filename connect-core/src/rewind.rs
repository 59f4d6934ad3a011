//! Sources set back, and offsets that people write.

use serde_json::Value;

use crate::{Error, Position, error::NO_REWIND};

/// An offset that somebody wants to store: the source partition, and its offset or `None` to forget it. Both are JSON objects.
pub type OffsetChange = (Value, Option<Value>);

/// Where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// The first that happened at or after a time, in milliseconds since 1970-01-01.
    Time(i64),
    /// The first that is still there.
    Earliest,
    /// A place in PostgreSQL's log: `16/B374D848`.
    Lsn(String),
    /// What comes after these transactions of MySQL or MariaDB.
    Gtid(String),
    /// A place in a binlog.
    File {
        /// The file.
        file: String,
        /// The place in it.
        pos: u64,
    },
}

impl To {
    /// What it is called in a request.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Time(_) => "time",
            Self::Earliest => "earliest",
            Self::Lsn(_) => "lsn",
            Self::Gtid(_) => "gtid",
            Self::File { .. } => "file",
        }
    }
}

/// What a source is asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The stored positions of the connector, one per source partition.
    pub stored: Vec<Position>,
    /// Where to.
    pub to: To,
    /// Whether the connector is stopped. If not, its task may be using what it holds on its server.
    pub is_stopped: bool,
}

/// What setting a source back means. Numbers are none where nobody can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewind {
    /// What is to be stored instead of what is stored under the same partition.
    pub position: Position,
    /// When the first happened that comes again, in milliseconds since 1970-01-01.
    pub time_ms: Option<i64>,
    /// How many bytes of the server's log are read again.
    pub bytes: Option<u64>,
    /// How many transactions.
    pub transactions: Option<u64>,
    /// How many changed rows of captured tables.
    pub records: Option<u64>,
    /// What else there is to know.
    pub notes: Vec<String>,
}

/// The error of a source that cannot go there; says why, and where it can go.
pub fn refused(why: impl Into<String>) -> Error {
    Error::new(
        &NO_REWIND,
        format!("This connector cannot be set back: {}", why.into()),
    )
}

/// The error of a target that a source does not know.
pub fn unknown(to: &To, known: &str) -> Error {
    refused(format!("it knows no \"{}\". Say {known}", to.name()))
}

/// Everything that does not hold in offsets for source partitions `{"server": …}`, as Debezium's connectors have them; `wrong` adds what is wrong
/// with the offset of one. What is to be forgotten may be anything, so that garbage can be removed.
pub fn wrong_offsets(
    changes: &[OffsetChange],
    mut wrong: impl FnMut(&Value, &Value, &mut Vec<String>),
) -> Vec<String> {
    let mut all = Vec::new();
    for (partition, offset) in changes {
        let Some(offset) = offset else { continue };
        let mut found = Vec::new();
        if !partition.get("server").is_some_and(Value::is_string) {
            let what = "the partition should contain the key 'server' with the `topic.prefix`";
            found.push(what.to_owned());
        }
        wrong(partition, offset, &mut found);
        all.extend(found.into_iter().map(|what| format!("{partition}: {what}")));
    }
    all
}

/// Says when a key is there and is no integer of at least `least`. A null is as good as none.
pub fn wrong_number(offset: &Value, key: &str, least: i64) -> Option<String> {
    let given = offset.get(key).filter(|value| !value.is_null())?;
    let fits = given.as_i64().is_some_and(|number| number >= least);
    let what = match least {
        i64::MIN => "an integer",
        _ => "a non-negative integer",
    };
    (!fits).then(|| format!("the value for the '{key}' key is expected to be {what}, not {given}"))
}
