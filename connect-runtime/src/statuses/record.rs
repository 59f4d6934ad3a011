//! One record of the topic of statuses, to bytes and back.

use serde::{Deserialize, Serialize};

use crate::answers::{ConnectorState, State, TaskId, TaskState};

/// What a record is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StatusKey {
    /// `status-connector-<name>`
    Connector(String),
    /// `status-task-<name>-<i>`
    Task(TaskId),
    /// `status-topic-<topic>:connector-<name>`
    Topic(String, String),
}

/// `{"state":"RUNNING","trace":null,"worker_id":"h:p","generation":2,"version":"4.3.0"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) state: State,
    pub(crate) trace: Option<String>,
    pub(crate) worker_id: String,
    pub(crate) generation: i64,
    #[serde(default)]
    pub(crate) version: Option<String>,
}

/// `{"topic":{"name":"ft","connector":"src","task":0,"discoverTimestamp":1795367433764}}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TopicUse {
    topic: UsedTopic,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UsedTopic {
    name: String,
    connector: String,
    task: u32,
    discover_timestamp: i64,
}

impl StatusKey {
    /// Reads a key; `None` for one of another kind.
    pub(crate) fn parse(key: &[u8]) -> Option<Self> {
        let key = std::str::from_utf8(key).ok()?;
        if let Some(name) = key.strip_prefix("status-connector-") {
            return Some(Self::Connector(name.to_owned()));
        }
        if let Some(rest) = key.strip_prefix("status-task-") {
            let (connector, task) = rest.rsplit_once('-')?;
            return Some(Self::Task(TaskId::new(connector, task.parse().ok()?)));
        }
        let (topic, connector) = key
            .strip_prefix("status-topic-")?
            .split_once(":connector-")?;
        Some(Self::Topic(topic.to_owned(), connector.to_owned()))
    }

    /// The key as Kafka Connect writes it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let text = match self {
            Self::Connector(name) => format!("status-connector-{name}"),
            Self::Task(id) => format!("status-task-{id}"),
            Self::Topic(topic, connector) => format!("status-topic-{topic}:connector-{connector}"),
        };
        text.into_bytes()
    }
}

impl Status {
    /// Reads a value; `None` for one that makes no sense.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        serde_json::from_slice(value).ok()
    }

    /// The value as Kafka Connect writes it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        json(self)
    }

    /// As the answer about a connector.
    pub(crate) fn of_connector(&self) -> ConnectorState {
        ConnectorState {
            state: self.state,
            worker_id: self.worker_id.clone(),
            version: self.version.clone(),
            trace: self.trace.clone(),
        }
    }

    /// As the answer about a task.
    pub(crate) fn of_task(&self, id: u32) -> TaskState {
        TaskState {
            id,
            state: self.state,
            worker_id: self.worker_id.clone(),
            version: self.version.clone(),
            trace: self.trace.clone(),
        }
    }
}

impl TopicUse {
    /// A topic that a task uses from now on.
    pub(crate) fn new(topic: &str, id: &TaskId) -> Self {
        Self {
            topic: UsedTopic {
                name: topic.to_owned(),
                connector: id.connector.clone(),
                task: id.task,
                discover_timestamp: jiff::Timestamp::now().as_millisecond(),
            },
        }
    }

    /// Reads a value; `None` for one that makes no sense.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        serde_json::from_slice(value).ok()
    }

    /// The value as Kafka Connect writes it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        json(self)
    }
}

/// Structs of text and numbers always become JSON.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// Whether a recorded entry is read, and would be written again just so.
#[cfg(test)]
pub(crate) fn is_same_to_the_byte(key: &[u8], value: Option<&[u8]>) -> bool {
    let Some(parsed) = StatusKey::parse(key).filter(|parsed| parsed.bytes() == key) else {
        return false;
    };
    value.is_none_or(|bytes| match parsed {
        StatusKey::Topic(..) => TopicUse::parse(bytes).is_some_and(|used| used.bytes() == bytes),
        _ => Status::parse(bytes).is_some_and(|status| status.bytes() == bytes),
    })
}
