//! How a member stands in its group: who it is there, and what its reader has to be told.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use kafka_protocol::protocol::StrBytes;
use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

use crate::TopicPartition;

/// A change of what is ours, asked for by the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Change {
    /// Ours when the reader has been told.
    Assign(Vec<TopicPartition>),
    /// To be given up when the reader has been told and polls again.
    Revoke(Vec<TopicPartition>),
    /// Others may have them already.
    Lost(Vec<TopicPartition>),
}

/// Who we are to the coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// Empty before the coordinator has given one.
    pub(super) member: StrBytes,
    /// -1 outside of a group.
    pub(super) generation: i32,
}

/// Shared by a reader and its membership.
pub(in super::super) struct Standing {
    state: Mutex<State>,
    /// The reader has been told something, has done it, or polls after a long time.
    pub(super) moved: Notify,
}

struct State {
    identity: Identity,
    /// The group is being formed anew: what the coordinator says of the identity may be of a moment ago.
    joins: bool,
    changes: VecDeque<Change>,
    /// The reader was told to give something up, and has not done so.
    gives_up: bool,
    /// What is ours when all changes have been carried out.
    owned: BTreeSet<TopicPartition>,
    polls: bool,
    polled: Instant,
}

impl Standing {
    pub(in super::super) fn new() -> Self {
        let identity = Identity {
            member: StrBytes::new(),
            generation: -1,
        };
        Self {
            state: Mutex::new(State {
                identity,
                joins: false,
                changes: VecDeque::new(),
                gives_up: false,
                owned: BTreeSet::new(),
                polls: false,
                polled: Instant::now(),
            }),
            moved: Notify::new(),
        }
    }

    /// The next change to tell. The reader does what it says with the poll after that.
    pub(in super::super) fn tell(&self) -> Option<Change> {
        let mut state = self.state.lock();
        let change = state.changes.pop_front()?;
        state.gives_up |= matches!(change, Change::Revoke(_));
        Some(change)
    }

    /// The reader has done what it was told.
    pub(in super::super) fn done(&self) {
        self.state.lock().gives_up = false;
        self.moved.notify_one();
    }

    /// A poll begins or ends.
    pub(in super::super) fn polls(&self, polls: bool) {
        let mut state = self.state.lock();
        (state.polls, state.polled) = (polls, Instant::now());
        drop(state);
        if polls {
            self.moved.notify_one();
        }
    }

    /// Whether the reader has not been polled for longer than this.
    pub(super) fn is_forgotten(&self, after: Duration) -> bool {
        let state = self.state.lock();
        !state.polls && state.polled.elapsed() > after
    }

    /// Whether the reader has given up all that it had to.
    pub(super) fn has_given_up(&self) -> bool {
        let state = self.state.lock();
        let waits = |change: &Change| matches!(change, Change::Revoke(_));
        !state.gives_up && !state.changes.iter().any(waits)
    }

    /// Whether others may have one of these already, though the reader does not know.
    pub(super) fn has_lost<'a>(&self, mut of: impl Iterator<Item = &'a TopicPartition>) -> bool {
        let state = self.state.lock();
        let lost: Vec<_> = state
            .changes
            .iter()
            .filter_map(|change| match change {
                Change::Lost(lost) => Some(lost),
                _ => None,
            })
            .collect();
        of.any(|of| lost.iter().any(|lost| lost.contains(of)))
    }

    pub(super) fn owned(&self) -> BTreeSet<TopicPartition> {
        self.state.lock().owned.clone()
    }

    /// Everything is given up, as members do before they join without sharing in steps.
    pub(super) fn give_all_up(&self) {
        let mut state = self.state.lock();
        let owned = std::mem::take(&mut state.owned);
        if !owned.is_empty() {
            let all = owned.into_iter().collect();
            state.changes.push_back(Change::Revoke(all));
        }
    }

    /// From now on this is to be ours. True when something else has to be given up first.
    pub(super) fn assigned(&self, now: BTreeSet<TopicPartition>) -> bool {
        let mut state = self.state.lock();
        let gone: Vec<_> = state.owned.difference(&now).cloned().collect();
        let new: Vec<_> = now.difference(&state.owned).cloned().collect();
        let gives_up = !gone.is_empty();
        if gives_up {
            state.changes.push_back(Change::Revoke(gone));
        }
        if !new.is_empty() {
            state.changes.push_back(Change::Assign(new));
        }
        state.owned = now;
        gives_up
    }

    /// The group does not know us any more. What the reader has not been told, it never had.
    pub(super) fn lose(&self) {
        let mut state = self.state.lock();
        let mut held = std::mem::take(&mut state.owned);
        let changes = std::mem::take(&mut state.changes);
        for change in changes.into_iter().rev() {
            match change {
                Change::Assign(of) => held.retain(|held| !of.contains(held)),
                Change::Revoke(of) => held.extend(of),
                Change::Lost(of) => state.changes.push_front(Change::Lost(of)),
            }
        }
        if !held.is_empty() {
            let all = held.into_iter().collect();
            state.changes.push_back(Change::Lost(all));
        }
        state.identity.generation = -1;
    }

    pub(super) fn identity(&self) -> (Identity, bool) {
        let state = self.state.lock();
        (state.identity.clone(), state.joins)
    }

    pub(super) fn is(&self, identity: Identity) {
        self.state.lock().identity = identity;
    }

    pub(super) fn joins(&self, joins: bool) {
        self.state.lock().joins = joins;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: &[i32]) -> Vec<TopicPartition> {
        numbers
            .iter()
            .map(|number| TopicPartition::new("t", *number))
            .collect()
    }

    fn set(numbers: &[i32]) -> BTreeSet<TopicPartition> {
        of(numbers).into_iter().collect()
    }

    #[test]
    fn changes_are_told_in_steps() {
        let standing = Standing::new();
        assert!(!standing.assigned(set(&[1, 2])));
        assert_eq!(standing.tell(), Some(Change::Assign(of(&[1, 2]))));
        standing.done();
        assert!(standing.assigned(set(&[2, 3])));
        assert!(!standing.has_given_up());
        assert_eq!(standing.tell(), Some(Change::Revoke(of(&[1]))));
        assert!(!standing.has_given_up(), "it is told, not done");
        standing.done();
        assert!(standing.has_given_up());
        assert_eq!(standing.tell(), Some(Change::Assign(of(&[3]))));
        assert_eq!(standing.tell(), None);
    }

    #[test]
    fn what_is_lost_is_what_the_reader_knew_of() {
        let standing = Standing::new();
        standing.assigned(set(&[1, 2]));
        standing.tell();
        standing.assigned(set(&[2, 3]));
        standing.lose();
        assert!(standing.has_lost(of(&[1]).iter()) && !standing.has_lost(of(&[3]).iter()));
        assert_eq!(standing.tell(), Some(Change::Lost(of(&[1, 2]))));
        assert_eq!(standing.tell(), None);
        standing.lose();
        assert_eq!(standing.tell(), None);
    }
}
