//! A member of a group, and what it is told.

use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::{ResponseError, protocol::StrBytes};
use tokio::sync::oneshot;

/// A client that wants to be a member. Everything in it is its own: nothing keeps the request.
#[derive(Debug, Clone)]
pub(crate) struct Joining {
    pub(crate) group: String,
    /// Empty for a new member.
    pub(crate) id: StrBytes,
    /// The name under which it comes back after a restart.
    pub(crate) instance: Option<StrBytes>,
    pub(crate) client_id: StrBytes,
    pub(crate) address: StrBytes,
    /// Without a sign of life for so long it is dead.
    pub(crate) session: Duration,
    /// How long the others wait for it when the group is shared anew.
    pub(crate) patience: Duration,
    pub(crate) protocol_type: StrBytes,
    /// The ways of sharing that it knows, the best first, with what it has to say for each.
    pub(crate) protocols: Vec<(StrBytes, Bytes)>,
    /// Whether a new member must come a second time, with the id that it is given (so that one that never heard of it leaves nothing behind).
    pub(crate) twice: bool,
}

/// What a member that joined is told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Joined {
    pub(crate) generation: i32,
    pub(crate) protocol_type: StrBytes,
    pub(crate) protocol: StrBytes,
    pub(crate) leader: StrBytes,
    pub(crate) id: StrBytes,
    /// For the leader: everybody, with what they have to say.
    pub(crate) members: Vec<(StrBytes, Option<StrBytes>, Bytes)>,
}

/// What a member reads.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Synced {
    pub(crate) protocol_type: StrBytes,
    pub(crate) protocol: StrBytes,
    pub(crate) assignment: Bytes,
}

/// Why not. A new member that has to come twice is told its id.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) error: ResponseError,
    pub(crate) id: StrBytes,
}

/// An answer now, or one to wait for.
#[derive(Debug)]
pub(crate) enum Step<T> {
    Now(Result<T, Refusal>),
    Wait(oneshot::Receiver<Result<T, Refusal>>),
}

/// Whom to tell later.
pub(crate) type Waiter<T> = Option<oneshot::Sender<Result<T, Refusal>>>;

/// A member.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) instance: Option<StrBytes>,
    pub(crate) client_id: StrBytes,
    pub(crate) address: StrBytes,
    pub(crate) session: Duration,
    pub(crate) patience: Duration,
    pub(crate) protocols: Vec<(StrBytes, Bytes)>,
    pub(crate) assignment: Bytes,
    /// Its last sign of life.
    pub(crate) seen: Instant,
    pub(crate) joining: Waiter<Joined>,
    pub(crate) syncing: Waiter<Synced>,
}

impl Member {
    pub(crate) fn new(joining: &Joining, now: Instant) -> Self {
        Self {
            instance: joining.instance.clone(),
            client_id: joining.client_id.clone(),
            address: joining.address.clone(),
            session: joining.session,
            patience: joining.patience,
            protocols: joining.protocols.clone(),
            assignment: Bytes::new(),
            seen: now,
            joining: None,
            syncing: None,
        }
    }

    /// What it says for a way of sharing.
    pub(crate) fn metadata(&self, protocol: &str) -> Bytes {
        let said = self.protocols.iter().find(|(name, _)| &**name == protocol);
        said.map_or_else(Bytes::new, |(_, said)| said.clone())
    }

    /// When it is dead, if it gives no sign of life. One that waits for an answer cannot give one.
    pub(crate) fn dies(&self) -> Option<Instant> {
        let waits = self.joining.is_some() || self.syncing.is_some();
        (!waits).then(|| self.seen + self.session)
    }

    /// Whoever waits for this member's answers gets this one.
    pub(crate) fn tell_off(&mut self, error: ResponseError) {
        if let Some(waiter) = self.joining.take() {
            tell(waiter, Err(refusal(error)));
        }
        if let Some(waiter) = self.syncing.take() {
            tell(waiter, Err(refusal(error)));
        }
    }
}

/// An answer without an id.
pub(crate) fn refusal(error: ResponseError) -> Refusal {
    Refusal {
        error,
        id: StrBytes::new(),
    }
}

/// Tells somebody who may have left meanwhile; then it will miss its next sign of life.
pub(crate) fn tell<T>(waiter: oneshot::Sender<Result<T, Refusal>>, told: Result<T, Refusal>) {
    let _ = waiter.send(told);
}
