//! What the herder answers, in the shapes of Kafka Connect's REST bodies.

use std::{collections::BTreeMap, fmt};

use connect_core::Properties;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A configuration as a client sends it: a null value is an error in a new one, and removes a key in a patch.
pub type GivenConfig = BTreeMap<String, Option<String>>;

/// Identity of a task.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskId {
    /// The connector.
    pub connector: String,
    /// The task, from 0.
    pub task: u32,
}

impl TaskId {
    /// A task of a connector.
    pub fn new(connector: impl Into<String>, task: u32) -> Self {
        Self {
            connector: connector.into(),
            task,
        }
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.connector, self.task)
    }
}

/// Source, sink, or a connector whose plugin is not known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectorKind {
    /// Reads a system into topics.
    Source,
    /// Writes topics into a system.
    Sink,
    /// No plugin answers to its class.
    Unknown,
}

/// What the user wants of a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum TargetState {
    /// It runs.
    #[default]
    Started,
    /// Its tasks are there but do nothing.
    Paused,
    /// It has no tasks; its offsets can be changed.
    Stopped,
}

impl TargetState {
    /// The `initial_state` of a create request, in upper or lower case.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_uppercase().as_str() {
            "RUNNING" => Some(Self::Started),
            "PAUSED" => Some(Self::Paused),
            "STOPPED" => Some(Self::Stopped),
            _ => None,
        }
    }
}

/// The state of a connector or task, as Kafka Connect knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// No worker has it.
    Unassigned,
    /// It works.
    Running,
    /// It is told to wait.
    Paused,
    /// It ended with an error and needs somebody; the trace says which and what to do.
    Failed,
    /// It is being started, or waits to be tried again; then the trace has the last error and the next try.
    Restarting,
    /// The connector is told to have no tasks.
    Stopped,
    /// It was deleted; never shown.
    Destroyed,
}

impl State {
    /// Its name in Kafka Connect's answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unassigned => "UNASSIGNED",
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Failed => "FAILED",
            Self::Restarting => "RESTARTING",
            Self::Stopped => "STOPPED",
            Self::Destroyed => "DESTROYED",
        }
    }
}

/// A connector with its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorInfo {
    /// Its name.
    pub name: String,
    /// Its configuration, placeholders unresolved.
    pub config: Properties,
    /// Its tasks.
    pub tasks: Vec<TaskId>,
    /// Source or sink.
    #[serde(rename = "type")]
    pub kind: ConnectorKind,
}

/// How a connector and its tasks are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorStatus {
    /// Its name.
    pub name: String,
    /// The connector itself.
    pub connector: ConnectorState,
    /// Its tasks by id.
    pub tasks: Vec<TaskState>,
    /// Source or sink.
    #[serde(rename = "type")]
    pub kind: ConnectorKind,
}

/// How a connector itself is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorState {
    /// Its state.
    pub state: State,
    /// `host:port` of its worker.
    pub worker_id: String,
    /// The plugin's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The error, its causes and its remedy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// How a task is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskState {
    /// Its number.
    pub id: u32,
    /// Its state.
    pub state: State,
    /// `host:port` of its worker.
    pub worker_id: String,
    /// The plugin's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The error, its causes and its remedy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// One entry of a connector's offsets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConnectorOffset {
    /// The partition of the source; for a sink `{"kafka_partition":0,"kafka_topic":"t"}`.
    pub partition: Value,
    /// The offset; for a sink `{"kafka_offset":3}`.
    pub offset: Value,
}

/// The worker as `GET /` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerInfo {
    /// The version of this program.
    pub version: String,
    /// The commit it was built from.
    pub commit: String,
    /// The id of the log.
    pub kafka_cluster_id: String,
}

/// How the worker is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Whether it can handle requests.
    pub status: HealthStatus,
    /// A sentence for people.
    pub message: String,
}

/// Whether the worker can handle requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// Yes (HTTP 200).
    Healthy,
    /// Not yet (HTTP 503).
    Starting,
    /// No (HTTP 500).
    Unhealthy,
}

/// What kind of plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PluginKind {
    /// A sink connector.
    Sink,
    /// A source connector.
    Source,
    /// A single message transform.
    Transformation,
    /// A predicate.
    Predicate,
    /// A converter of keys or values.
    Converter,
    /// A converter of header values.
    HeaderConverter,
}

/// A plugin as `GET /connector-plugins` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginInfo {
    /// Its class.
    pub class: String,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: PluginKind,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// The answer of a validation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigInfos {
    /// The connector's class as it was sent.
    pub name: String,
    /// How many errors all values have together.
    pub error_count: usize,
    /// The groups in order.
    pub groups: Vec<String>,
    /// Every key with its value.
    pub configs: Vec<ConfigInfo>,
}

/// One key of a validation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigInfo {
    /// What the key is; none for a key that nobody declares.
    pub definition: Option<ConfigKeyInfo>,
    /// What was given, and what is wrong with it.
    pub value: ConfigValueInfo,
}

/// What a key is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigKeyInfo {
    /// Its name.
    pub name: String,
    /// `STRING`, `INT`, …
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Whether it must be given.
    pub required: bool,
    /// Its default as text.
    pub default_value: Option<String>,
    /// `HIGH`, `MEDIUM` or `LOW`.
    pub importance: &'static str,
    /// What it does.
    pub documentation: String,
    /// Its group.
    pub group: Option<String>,
    /// Its place in the group; -1 without a group.
    pub order_in_group: i32,
    /// How long a form field should be.
    pub width: &'static str,
    /// Its name for people.
    pub display_name: String,
    /// Keys whose choices depend on it.
    pub dependents: Vec<String>,
}

/// What was given for a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigValueInfo {
    /// The key.
    pub name: String,
    /// The value or default; secrets are `[hidden]`.
    pub value: Option<String>,
    /// Values that would do.
    pub recommended_values: Vec<String>,
    /// What is wrong.
    pub errors: Vec<String>,
    /// What works and should be known. Kafka Connect does not have it, so it is left out when there is nothing to say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Whether a form should show it.
    pub visible: bool,
}

impl Default for ConfigValueInfo {
    fn default() -> Self {
        Self {
            name: String::new(),
            value: None,
            recommended_values: Vec::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
            visible: true,
        }
    }
}
