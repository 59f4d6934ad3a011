//! One record of the topic of configurations, to bytes and back.

use connect_core::Properties;
use serde_json::{Map, Value, json};

use crate::{
    answers::{TargetState, TaskId},
    internal_topic::Entry,
};

/// One record. Session keys are left to whoever wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ConfigRecord {
    /// A connector's configuration, or that it is deleted.
    Connector(String, Option<Properties>),
    /// A task's configuration, which counts from the next commit on.
    Task(TaskId, Properties),
    /// From now on the connector has that many tasks.
    Commit(String, u32),
    /// What is wanted of a connector, or that nothing is any more.
    Target(String, Option<TargetState>),
    /// How many tasks have to be fenced before a new generation starts.
    Fencing(String, u32),
    /// A restart was asked for.
    Restart {
        name: String,
        include_tasks: bool,
        only_failed: bool,
    },
    /// The level of a logger, for all workers.
    Level { logger: String, level: String },
}

impl ConfigRecord {
    /// Reads a record; `None` for one that is not ours to read or makes no sense.
    pub(crate) fn parse(key: &[u8], value: Option<&[u8]>) -> Option<Self> {
        let key = std::str::from_utf8(key).ok()?;
        let json = match value {
            Some(bytes) => Some(serde_json::from_slice::<Value>(bytes).ok()?),
            None => None,
        }
        .filter(|value| !value.is_null());
        if let Some(name) = key.strip_prefix("connector-") {
            let config = match &json {
                Some(value) => Some(properties(value)?),
                None => None,
            };
            return Some(Self::Connector(name.to_owned(), config));
        }
        if let Some(name) = key.strip_prefix("target-state-") {
            let target = match &json {
                Some(value) => Some(target_state(value)?),
                None => None,
            };
            return Some(Self::Target(name.to_owned(), target));
        }
        Self::parse_present(key, &json?)
    }

    fn parse_present(key: &str, value: &Value) -> Option<Self> {
        if let Some(rest) = key.strip_prefix("task-") {
            let (connector, task) = rest.rsplit_once('-')?;
            let id = TaskId::new(connector, task.parse().ok()?);
            return Some(Self::Task(id, properties(value)?));
        }
        if let Some(name) = key.strip_prefix("commit-") {
            return Some(Self::Commit(name.to_owned(), count(value, "tasks")?));
        }
        if let Some(name) = key.strip_prefix("tasks-fencing-") {
            return Some(Self::Fencing(name.to_owned(), count(value, "task-count")?));
        }
        if let Some(logger) = key.strip_prefix("logger-cluster-") {
            return Some(Self::Level {
                logger: logger.to_owned(),
                level: value.get("level")?.as_str()?.to_owned(),
            });
        }
        let name = key.strip_prefix("restart-connector-")?;
        let flag = |name| value.get(name).and_then(Value::as_bool).unwrap_or(false);
        Some(Self::Restart {
            name: name.to_owned(),
            include_tasks: flag("include-tasks"),
            only_failed: flag("only-failed"),
        })
    }

    /// Its key and value as Kafka Connect writes them.
    pub(crate) fn entry(&self) -> Entry {
        let (key, value) = match self {
            Self::Connector(name, config) => (
                format!("connector-{name}"),
                config.as_ref().map(|c| json!({ "properties": c })),
            ),
            Self::Task(id, config) => (format!("task-{id}"), Some(json!({ "properties": config }))),
            Self::Commit(name, tasks) => {
                (format!("commit-{name}"), Some(json!({ "tasks": tasks })))
            }
            Self::Target(name, target) => {
                (format!("target-state-{name}"), target.map(target_value))
            }
            Self::Fencing(name, count) => (
                format!("tasks-fencing-{name}"),
                Some(json!({ "task-count": count })),
            ),
            Self::Restart {
                name,
                include_tasks,
                only_failed,
            } => (
                format!("restart-connector-{name}"),
                Some(json!({ "include-tasks": include_tasks, "only-failed": only_failed })),
            ),
            Self::Level { logger, level } => (
                format!("logger-cluster-{logger}"),
                Some(json!({ "level": level })),
            ),
        };
        (
            key.into_bytes(),
            value.map(|value| value.to_string().into_bytes()),
        )
    }

    /// The connector that it is about; a level is about none.
    pub(crate) fn connector(&self) -> Option<&str> {
        match self {
            Self::Task(id, _) => Some(&id.connector),
            Self::Connector(name, _)
            | Self::Commit(name, _)
            | Self::Target(name, _)
            | Self::Fencing(name, _)
            | Self::Restart { name, .. } => Some(name),
            Self::Level { .. } => None,
        }
    }

    /// The order in which the last records of all keys are read: what others refer to comes first.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Connector(..) => 0,
            Self::Target(..) | Self::Fencing(..) => 1,
            Self::Task(..) => 2,
            Self::Commit(..) => 3,
            Self::Restart { .. } | Self::Level { .. } => 4,
        }
    }
}

fn properties(value: &Value) -> Option<Properties> {
    let map: &Map<String, Value> = value.get("properties")?.as_object()?;
    let pairs = map.iter().filter_map(|(name, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Null => return None,
            other => other.to_string(),
        };
        Some((name.clone(), text))
    });
    Some(pairs.collect())
}

fn count(value: &Value, name: &str) -> Option<u32> {
    value.get(name)?.as_u64()?.try_into().ok()
}

/// `state.v2` knows STOPPED; `state` is what workers before Kafka 3.5 read.
fn target_state(value: &Value) -> Option<TargetState> {
    let text = value.get("state.v2").or_else(|| value.get("state"))?;
    match text.as_str()? {
        "STARTED" => Some(TargetState::Started),
        "PAUSED" => Some(TargetState::Paused),
        "STOPPED" => Some(TargetState::Stopped),
        _ => None,
    }
}

fn target_value(target: TargetState) -> Value {
    let (old, new) = match target {
        TargetState::Started => ("STARTED", "STARTED"),
        TargetState::Paused => ("PAUSED", "PAUSED"),
        TargetState::Stopped => ("PAUSED", "STOPPED"),
    };
    json!({ "state": old, "state.v2": new })
}
