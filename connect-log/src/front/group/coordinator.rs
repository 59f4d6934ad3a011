//! All groups of the front's clients. Their members are in memory: after a restart they join again, and go on from the offsets that are
//! in the log.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
    time::Instant,
};

use kafka_protocol::{ResponseError, protocol::StrBytes};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{
    member::{Joined, Joining, Step, refusal},
    membership::{Membership, Phase},
};

/// Members of one group.
const MAX_MEMBERS: usize = 100;
/// Members of all groups: each can be a client of its own.
const MAX_ALL_MEMBERS: usize = 256;
/// Bytes that all members of all groups say when they join.
const MAX_ALL_SAID: usize = 8 << 20;

/// The groups by name; one without members is not kept.
#[derive(Default)]
pub(crate) struct Coordinator {
    groups: Mutex<BTreeMap<String, Membership>>,
    /// A deadline may be nearer than the one that is waited for.
    changed: Notify,
}

/// A group as it is shown.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) phase: Phase,
    pub(crate) protocol_type: StrBytes,
    pub(crate) protocol: StrBytes,
    pub(crate) members: Vec<ShownMember>,
}

/// A member as it is shown.
#[derive(Debug)]
pub(crate) struct ShownMember {
    pub(crate) id: StrBytes,
    pub(crate) instance: Option<StrBytes>,
    pub(crate) client_id: StrBytes,
    pub(crate) address: StrBytes,
    pub(crate) metadata: bytes::Bytes,
    pub(crate) assignment: bytes::Bytes,
}

impl Coordinator {
    /// A member joins.
    pub(crate) fn join(&self, asks: &Joining) -> Step<Joined> {
        let mut groups = self.groups.lock();
        let all: usize = groups.values().map(Membership::len).sum();
        let here = groups.get(&asks.group).map_or(0, Membership::len);
        let said: usize = groups.values().map(Membership::said).sum();
        // Invariant 4: nothing is unbounded. Who is a member already may say something else.
        let full = here >= MAX_MEMBERS || all >= MAX_ALL_MEMBERS || said >= MAX_ALL_SAID;
        let known = groups
            .get(&asks.group)
            .is_some_and(|group| group.knows(&asks.id));
        if full && !known {
            return Step::Now(Err(refusal(ResponseError::GroupMaxSizeReached)));
        }
        let group = groups.entry(asks.group.clone()).or_default();
        let step = group.join(asks, new_id(&asks.client_id), Instant::now());
        if group.len() == 0 {
            groups.remove(&asks.group);
        }
        self.changed.notify_one();
        step
    }

    /// Works on a group; on an empty one when it is not known.
    pub(crate) fn with<T>(
        &self,
        group: &str,
        work: impl FnOnce(&mut Membership, Instant) -> T,
    ) -> T {
        let mut groups = self.groups.lock();
        let Some(known) = groups.get_mut(group) else {
            return work(&mut Membership::default(), Instant::now());
        };
        let done = work(known, Instant::now());
        if known.len() == 0 {
            groups.remove(group);
        }
        self.changed.notify_one();
        done
    }

    /// The names of all groups.
    pub(crate) fn names(&self) -> Vec<String> {
        self.groups.lock().keys().cloned().collect()
    }

    /// A group's state.
    pub(crate) fn show(&self, group: &str) -> Option<Shown> {
        let groups = self.groups.lock();
        let group = groups.get(group)?;
        let members = group.members.iter().map(|(id, member)| ShownMember {
            id: id.clone(),
            instance: member.instance.clone(),
            client_id: member.client_id.clone(),
            address: member.address.clone(),
            metadata: member.metadata(&group.protocol),
            assignment: member.assignment.clone(),
        });
        Some(Shown {
            phase: group.phase,
            protocol_type: group.protocol_type.clone(),
            protocol: group.protocol.clone(),
            members: members.collect(),
        })
    }

    /// Lets go of members that are dead, when it is time.
    pub(crate) async fn expire_for_ever(&self) {
        loop {
            let next = self.expire(Instant::now());
            match next {
                None => self.changed.notified().await,
                Some(at) => tokio::select! {
                    () = tokio::time::sleep_until(at.into()) => {}
                    () = self.changed.notified() => {}
                },
            }
        }
    }

    fn expire(&self, now: Instant) -> Option<Instant> {
        let mut groups = self.groups.lock();
        let mut next: Option<Instant> = None;
        groups.retain(|_, group| {
            let look = group.expire(now);
            next = next.into_iter().chain(look).min();
            group.len() > 0
        });
        next
    }
}

/// A name that nobody else has or can guess.
fn new_id(client_id: &StrBytes) -> StrBytes {
    let random = RandomState::new();
    let (high, low) = (random.hash_one(1), random.hash_one(2));
    StrBytes::from_string(format!("{}-{high:016x}{low:016x}", &**client_id))
}
