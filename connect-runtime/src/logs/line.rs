//! A line of log as others see it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How bad a line is; each is worse than those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LogLevel {
    /// For who looks for a defect.
    Trace,
    /// For who looks closely.
    Debug,
    /// What happens.
    Info,
    /// What goes on by itself, and should be known.
    Warn,
    /// What needs somebody.
    Error,
}

impl LogLevel {
    /// The level of a name in upper or lower case.
    pub fn parse(name: &str) -> Option<Self> {
        serde_json::from_value(Value::from(name.to_ascii_uppercase())).ok()
    }
}

/// A line as it is filed.
#[derive(Debug, Clone, PartialEq)]
pub struct Filed {
    /// How bad it is.
    pub level: LogLevel,
    /// The task that it is of.
    pub task: Option<u32>,
    /// The part of the program.
    pub logger: String,
    /// The sentence.
    pub message: String,
    /// What belongs to it.
    pub fields: Map<String, Value>,
}

/// A line of a connector, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// When it was logged: `2026-11-30T22:39:54.123456Z`. Texts sort as times do.
    pub time: String,
    /// How bad it is.
    pub level: LogLevel,
    /// The connector.
    pub connector: String,
    /// The task, if it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<u32>,
    /// `host:port` of the worker.
    pub worker: String,
    /// The part of the program.
    pub logger: String,
    /// The sentence.
    pub message: String,
    /// What belongs to it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Value>,
}

/// What a line takes besides its texts.
const LINE: usize = 160;
/// What a field takes besides its texts.
const FIELD: usize = 32;

impl LogLine {
    /// Now; the worker is known to who shows it.
    pub(super) fn new(connector: &str, filed: Filed) -> Self {
        Self {
            time: format!("{:.6}", jiff::Timestamp::now()),
            level: filed.level,
            connector: connector.to_owned(),
            task: filed.task,
            worker: String::new(),
            logger: filed.logger,
            message: filed.message,
            fields: filed.fields,
        }
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        let field = |(name, value): (&String, &Value)| {
            FIELD + name.len() + value.as_str().map_or(0, str::len)
        };
        let fields: usize = self.fields.iter().map(field).sum();
        LINE + self.connector.len() + self.logger.len() + self.message.len() + fields
    }
}
