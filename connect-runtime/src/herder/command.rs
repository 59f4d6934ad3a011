//! What the handle asks of the actor.

use connect_core::{Properties, Result};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::answers::{ConnectorInfo, ConnectorStatus, TargetState, TaskId};

/// Where the answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T>>;

/// One request. Its configuration, if it has one, is validated already.
pub(crate) enum Command {
    /// A new connector.
    Create {
        name: String,
        config: Properties,
        initial_state: Option<TargetState>,
        reply: Reply<ConnectorInfo>,
    },
    /// A new or changed configuration; with `expected` only if the configuration still is that.
    Put {
        name: String,
        config: Properties,
        expected: Option<Properties>,
        reply: Reply<(bool, ConnectorInfo)>,
    },
    /// No connector any more.
    Delete { name: String, reply: Reply<()> },
    /// Start, pause or stop.
    SetTarget {
        name: String,
        target: TargetState,
        reply: Reply<()>,
    },
    /// Start again what runs or has failed.
    Restart {
        name: String,
        include_tasks: bool,
        only_failed: bool,
        reply: Reply<Option<ConnectorStatus>>,
    },
    /// Start one task again.
    RestartTask { id: TaskId, reply: Reply<()> },
    /// Change the offsets of a stopped connector; `None` forgets them all.
    Offsets {
        name: String,
        change: Option<Vec<(Value, Option<Value>)>>,
        reply: Reply<()>,
    },
    /// Nothing: shows that the actor is there.
    Ping { reply: Reply<()> },
}
