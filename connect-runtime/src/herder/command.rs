//! What the handle asks for.

use connect_core::{Code, Error, Properties, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::{
    answers::{ConnectorInfo, ConnectorStatus, TargetState, TaskId},
    error,
    logs::{Page, Which},
};

/// One request. Its configuration, if it has one, is validated already.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Order {
    /// A new connector.
    Create {
        name: String,
        config: Properties,
        initial_state: Option<TargetState>,
    },
    /// A new or changed configuration; with `expected` only if the configuration still is that.
    Put {
        name: String,
        config: Properties,
        expected: Option<Properties>,
    },
    /// No connector any more.
    Delete { name: String },
    /// Start, pause or stop.
    SetTarget { name: String, target: TargetState },
    /// Start again what runs or has failed.
    Restart {
        name: String,
        include_tasks: bool,
        only_failed: bool,
    },
    /// Start one task again.
    RestartTask { id: TaskId },
    /// Change the offsets of a stopped connector; `None` forgets them all.
    Offsets {
        name: String,
        change: Option<Vec<(Value, Option<Value>)>>,
    },
    /// The level of a logger on all workers.
    Level { logger: String, level: String },
    /// A signal for the task of a connector; for the worker that runs it.
    Signal { name: String, message: String },
    /// Lines of a connector's log; for the worker that has them. It waits so long for one of number `from` or another.
    Logs {
        name: String,
        which: Which,
        from: Option<u64>,
        wait_ms: u64,
    },
    /// Nothing: shows that the leader's loop is alive.
    Ping,
}

/// What comes back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Answer {
    Done,
    /// A connector, and whether it is new.
    Info(bool, ConnectorInfo),
    Status(Option<ConnectorStatus>),
    Logs(Page),
}

/// An answer as others read it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Answered {
    Ok(Answer),
    /// The code's name, and the text.
    Err(String, String),
}

/// A request of this worker's own clients to its own leader.
pub(crate) struct Command {
    pub(crate) order: Order,
    pub(crate) reply: oneshot::Sender<Result<Answer>>,
}

impl Order {
    /// What the worker does while it handles this.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Create { name, .. } => format!("creating connector {name}"),
            Self::Put { name, .. } => format!("writing a config for connector {name}"),
            Self::Delete { name } => format!("deleting connector {name}"),
            Self::SetTarget { name, .. } => format!("writing a target state for connector {name}"),
            Self::Restart { name, .. } => format!("restarting connector {name}"),
            Self::RestartTask { id } => format!("restarting task {id}"),
            Self::Offsets { name, .. } => format!("modifying offsets of connector {name}"),
            Self::Level { logger, .. } => format!("setting the level of logger {logger}"),
            Self::Signal { name, .. } => format!("signalling connector {name}"),
            Self::Logs { name, .. } => format!("reading the log of connector {name}"),
            Self::Ping => "answering a health check".to_owned(),
        }
    }
}

/// The codes that travel. Others become [`error::ELSEWHERE`].
const CODES: &[&Code] = &[
    &error::NOT_FOUND,
    &error::ALREADY_EXISTS,
    &error::NOT_ATTENDED,
    &error::BAD_REQUEST,
    &error::FORBIDDEN,
    &error::TIMEOUT,
    &error::TASKS_STOPPING,
    &error::MOVED,
    &connect_log::UNAVAILABLE,
    &connect_log::GROUP_BUSY,
    &connect_log::UNAUTHORIZED,
];

impl Answered {
    pub(crate) fn of(result: Result<Answer>) -> Self {
        match result {
            Ok(answer) => Self::Ok(answer),
            Err(error) => Self::Err(error.code().name.to_owned(), error.to_string()),
        }
    }

    pub(crate) fn result(self) -> Result<Answer> {
        match self {
            Self::Ok(answer) => Ok(answer),
            Self::Err(name, text) => {
                let code = CODES.iter().find(|code| code.name == name);
                Err(Error::new(code.copied().unwrap_or(&error::ELSEWHERE), text))
            }
        }
    }
}
