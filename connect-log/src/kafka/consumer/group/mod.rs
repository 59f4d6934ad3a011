//! A reader as a member of a group, by Kafka's classic protocol: KIP-62 (polls), KIP-345 (instances), KIP-429 (cooperative assignment).
//!
//! A task per member (`member`, with `join` and `pulse`) keeps it in the group, whoever else is in there: librdkafka, Kafka's own client,
//! older versions of us. It never takes a partition from the reader itself: changes wait in the `standing`, are told by polls, and carried
//! out by the poll after that. Another (`offsets`) looks up where the group has committed. The leader assigns (`assign`, `sticky`) by
//! bytes that all clients share (`protocol`).

mod assign;
mod join;
mod member;
mod offsets;
mod protocol;
mod pulse;
mod standing;
mod sticky;
mod watcher;

use kafka_protocol::protocol::StrBytes;

pub(super) use self::{
    member::run,
    offsets::{commit, look_up},
    standing::{Change, Standing},
};
use crate::kafka::wire::{Kind, Peer};

/// Whatever members send, for fuzzing.
pub(super) fn read_anything(bytes: &[u8]) {
    drop(protocol::Subscription::read(bytes));
    drop(protocol::read_assignment(bytes));
}

/// A group, as a reader has it.
pub(super) struct Group {
    name: StrBytes,
    pub(super) standing: Standing,
    /// Where offsets are asked for and committed: another connection than that of the member, on which a join may wait.
    desk: tokio::sync::Mutex<Peer>,
}

impl Group {
    pub(super) fn new(name: String) -> Self {
        let name = StrBytes::from_string(name);
        let desk = Peer::new(Kind::Group, name.clone());
        Self {
            name,
            standing: Standing::new(),
            desk: tokio::sync::Mutex::new(desk),
        }
    }
}
