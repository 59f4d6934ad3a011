//! Consumer groups: committed offsets, members, and whose turn it is to read what.
//!
//! Rebalancing is cooperative: a member first gives up what it must ([`Event::Revoked`], still its own until its next
//! poll), then another takes it. What need not move is read all the time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use connect_core::{Error, Result};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{
    partition::Catalog,
    share::{MemberId, share},
};
use crate::{Event, TopicPartition};

/// All groups.
#[derive(Debug, Default)]
pub(crate) struct Groups(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    groups: BTreeMap<String, Group>,
    next_member: MemberId,
}

#[derive(Debug, Default)]
struct Group {
    offsets: BTreeMap<TopicPartition, i64>,
    members: BTreeMap<MemberId, Member>,
    owners: BTreeMap<TopicPartition, MemberId>,
    target: BTreeMap<TopicPartition, MemberId>,
}

#[derive(Debug)]
struct Member {
    topics: BTreeSet<Arc<str>>,
    wake: Arc<Notify>,
    polled: Instant,
    patience: Duration,
    revoked: Vec<TopicPartition>,
    lost: Vec<TopicPartition>,
}

/// How a reader takes part in a group.
#[derive(Debug, Clone)]
pub(crate) struct Joining {
    pub(crate) topics: BTreeSet<Arc<str>>,
    pub(crate) wake: Arc<Notify>,
    /// After so long without a poll it is taken for dead.
    pub(crate) patience: Duration,
}

impl Groups {
    /// A new member of a group.
    pub(crate) fn join(&self, group: &str, joining: Joining, catalog: &Catalog) -> MemberId {
        let mut state = self.0.lock();
        state.next_member += 1;
        let id = state.next_member;
        let group = state.groups.entry(group.to_owned()).or_default();
        let Joining {
            topics,
            wake,
            patience,
        } = joining;
        let member = Member {
            topics,
            wake,
            patience,
            polled: Instant::now(),
            revoked: Vec::new(),
            lost: Vec::new(),
        };
        group.members.insert(id, member);
        group.rebalance(catalog);
        id
    }

    /// A member subscribes to other topics. `false` when it is none any more.
    pub(crate) fn resubscribe(
        &self,
        group: &str,
        id: MemberId,
        topics: BTreeSet<Arc<str>>,
        catalog: &Catalog,
    ) -> bool {
        self.with(group, |group| {
            let Some(member) = group.members.get_mut(&id) else {
                return false;
            };
            member.topics = topics;
            group.rebalance(catalog);
            true
        })
    }

    /// A member goes away, with all it has.
    pub(crate) fn leave(&self, group: &str, id: MemberId, catalog: &Catalog) {
        self.with(group, |group| group.remove(id, catalog));
    }

    /// A member polls. Gives what it has to know first, or `Err` when it was taken for dead and has to join again.
    pub(crate) fn poll(
        &self,
        group: &str,
        id: MemberId,
        catalog: &Catalog,
    ) -> Result<Option<Event>, Evicted> {
        self.with(group, |group| group.poll(id, catalog))
    }

    /// Fails when a member may not commit these.
    pub(crate) fn may_commit<'a>(
        &self,
        group: &str,
        id: Option<MemberId>,
        mut of: impl Iterator<Item = &'a TopicPartition>,
    ) -> Result<()> {
        self.with(group, |group| match id {
            Some(id) => match of.find(|at| group.owners.get(at) != Some(&id)) {
                None => Ok(()),
                Some(at) => Err(not_member(at)),
            },
            None if group.members.is_empty() => Ok(()),
            None => Err(Error::new(
                &crate::error::NOT_MEMBER,
                "the group has members, so only these may commit",
            )),
        })
    }

    /// Fails when a group has members.
    pub(crate) fn must_be_empty(&self, name: &str) -> Result<()> {
        self.with(name, |group| {
            if group.members.is_empty() {
                return Ok(());
            }
            let error = Error::new(&crate::error::GROUP_BUSY, "the group has members");
            Err(error.context("group", name))
        })
    }

    pub(crate) fn offset(&self, group: &str, of: &TopicPartition) -> Option<i64> {
        self.0.lock().groups.get(group)?.offsets.get(of).copied()
    }

    pub(crate) fn offsets(&self, group: &str) -> BTreeMap<TopicPartition, i64> {
        let state = self.0.lock();
        let group = state.groups.get(group);
        group.map_or_else(BTreeMap::new, |group| group.offsets.clone())
    }

    /// Whether a group has members.
    pub(crate) fn is_read(&self, group: &str) -> bool {
        let state = self.0.lock();
        let group = state.groups.get(group);
        group.is_some_and(|group| !group.members.is_empty())
    }

    /// Whether anything is known of a group, and how many there are.
    pub(crate) fn count(&self, group: &str) -> (bool, usize) {
        let state = self.0.lock();
        (state.groups.contains_key(group), state.groups.len())
    }

    /// The names of all groups, and whether each has members.
    pub(crate) fn all(&self) -> Vec<(String, bool)> {
        let state = self.0.lock();
        let groups = state.groups.iter();
        groups
            .map(|(name, group)| (name.clone(), !group.members.is_empty()))
            .collect()
    }

    pub(crate) fn set_offsets(&self, group: &str, offsets: &[(TopicPartition, Option<i64>)]) {
        self.with(group, |group| {
            for (at, offset) in offsets {
                match offset {
                    Some(offset) => group.offsets.insert(at.clone(), *offset),
                    None => group.offsets.remove(at),
                };
            }
        });
    }

    /// A group's offsets are gone.
    pub(crate) fn forget(&self, group: &str) {
        self.with(group, |group| group.offsets.clear());
    }

    /// There are new topics.
    pub(crate) fn topics_changed(&self, catalog: &Catalog) {
        for group in self.0.lock().groups.values_mut() {
            group.rebalance(catalog);
        }
    }

    /// A topic is gone, and what was owned or committed of it.
    pub(crate) fn topic_deleted(&self, topic: &str, catalog: &Catalog) {
        for group in self.0.lock().groups.values_mut() {
            group.offsets.retain(|at, _| &*at.topic != topic);
            let owners = std::mem::take(&mut group.owners);
            for (at, id) in owners {
                match group.members.get_mut(&id) {
                    Some(member) if &*at.topic == topic => {
                        member.revoked.retain(|other| *other != at);
                        member.lost.push(at);
                    }
                    _ => drop(group.owners.insert(at, id)),
                }
            }
            group.rebalance(catalog);
        }
    }

    /// Works on a group; one without members and offsets is not kept.
    fn with<T>(&self, name: &str, work: impl FnOnce(&mut Group) -> T) -> T {
        let mut state = self.0.lock();
        let group = match state.groups.get_mut(name) {
            Some(group) => group,
            None => state.groups.entry(name.to_owned()).or_default(),
        };
        let out = work(group);
        if group.members.is_empty() && group.offsets.is_empty() {
            state.groups.remove(name);
        }
        out
    }
}

/// The group took the member for dead.
#[derive(Debug)]
pub(crate) struct Evicted;

impl Group {
    fn poll(&mut self, id: MemberId, catalog: &Catalog) -> Result<Option<Event>, Evicted> {
        self.bury(id, catalog);
        let member = self.members.get_mut(&id).ok_or(Evicted)?;
        member.polled = Instant::now();
        let revoked = std::mem::take(&mut member.revoked);
        if !revoked.is_empty() {
            for at in &revoked {
                self.owners.remove(at);
            }
            self.wake();
        }
        let Some(member) = self.members.get_mut(&id) else {
            return Err(Evicted);
        };
        if !member.lost.is_empty() {
            return Ok(Some(Event::Lost(std::mem::take(&mut member.lost))));
        }
        let owned = self.owners.iter().filter(|(_, owner)| **owner == id);
        let leaving: Vec<_> = owned
            .map(|(at, _)| at)
            .filter(|at| self.target.get(at) != Some(&id))
            .cloned()
            .collect();
        if !leaving.is_empty() {
            member.revoked.clone_from(&leaving);
            return Ok(Some(Event::Revoked(leaving)));
        }
        let mine = self.target.iter().filter(|(_, target)| **target == id);
        let coming: Vec<_> = mine
            .map(|(at, _)| at)
            .filter(|at| !self.owners.contains_key(at))
            .cloned()
            .collect();
        self.owners.extend(coming.iter().map(|at| (at.clone(), id)));
        Ok((!coming.is_empty()).then_some(Event::Assigned(coming)))
    }

    /// Removes members that have not polled for too long, but not the one that polls now.
    fn bury(&mut self, polling: MemberId, catalog: &Catalog) {
        let others = self.members.iter().filter(|(id, _)| **id != polling);
        let dead: Vec<_> = others
            .filter(|(_, member)| member.polled.elapsed() > member.patience)
            .map(|(id, _)| *id)
            .collect();
        for id in dead {
            tracing::warn!(
                member = id,
                "a reader did not poll in time and left its group"
            );
            self.remove(id, catalog);
        }
    }

    fn remove(&mut self, id: MemberId, catalog: &Catalog) {
        self.members.remove(&id);
        self.owners.retain(|_, owner| *owner != id);
        self.rebalance(catalog);
    }

    fn rebalance(&mut self, catalog: &Catalog) {
        let topics: BTreeSet<_> = self.members.values().flat_map(|m| &m.topics).collect();
        let topics = topics.into_iter().filter_map(|name| catalog.get(name));
        let partitions: BTreeSet<_> = topics
            .flat_map(|topic| {
                let partitions = topic.partitions.iter();
                partitions
                    .map(|p| TopicPartition::new(Arc::clone(&p.topic), p.index))
                    .collect::<Vec<_>>()
            })
            .collect();
        let members = self.members.iter().map(|(id, m)| (*id, &m.topics));
        self.target = share(&members.collect(), &partitions, &self.target);
        self.wake();
    }

    fn wake(&self) {
        for member in self.members.values() {
            member.wake.notify_one();
        }
    }
}

fn not_member(at: &TopicPartition) -> Error {
    Error::new(
        &crate::error::NOT_MEMBER,
        "the partition is not assigned to this reader",
    )
    .context("topic", &at.topic)
    .context("partition", at.partition)
}
