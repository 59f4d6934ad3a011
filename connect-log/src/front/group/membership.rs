//! One group's life, by Kafka's classic protocol: members join, one of them shares the partitions, all are told, and whoever comes or
//! goes makes it begin anew. Knows no clock, no network and no topics.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use bytes::Bytes;
use kafka_protocol::{ResponseError, protocol::StrBytes};
use tokio::sync::oneshot;

use super::member::{Joined, Joining, Member, Refusal, Step, Synced, refusal, tell};

/// Where a group is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Phase {
    /// It has no members.
    #[default]
    Empty,
    /// Members come (back) until then.
    Joining(Instant),
    /// The leader shares the partitions until then.
    Syncing(Instant),
    /// Everybody reads.
    Stable,
}

/// A group.
#[derive(Debug, Default)]
pub(crate) struct Membership {
    pub(crate) phase: Phase,
    pub(crate) protocol_type: StrBytes,
    pub(crate) protocol: StrBytes,
    pub(crate) members: BTreeMap<StrBytes, Member>,
    generation: i32,
    leader: StrBytes,
    /// Ids that were given to members that have to come a second time, until when.
    promised: BTreeMap<StrBytes, Instant>,
}

impl Membership {
    /// How many members there are, and are to come.
    pub(crate) fn len(&self) -> usize {
        self.members.len() + self.promised.len()
    }

    /// Whether an id is that of a member, or of one that is to come.
    pub(crate) fn knows(&self, id: &StrBytes) -> bool {
        self.members.contains_key(id) || self.promised.contains_key(id)
    }

    /// Bytes that the members said when they joined.
    pub(crate) fn said(&self) -> usize {
        let protocols = self.members.values().flat_map(|member| &member.protocols);
        protocols.map(|(name, said)| name.len() + said.len()).sum()
    }

    /// A member joins, or joins again. `new_id`: its id if it is new.
    pub(crate) fn join(&mut self, asks: &Joining, new_id: StrBytes, now: Instant) -> Step<Joined> {
        if !self.agrees(asks) {
            return no(ResponseError::InconsistentGroupProtocol);
        }
        let known = self.members.contains_key(&asks.id);
        if !asks.id.is_empty() && !known && self.promised.remove(&asks.id).is_none() {
            return match self.instance(asks.instance.as_ref()) {
                Some(_) => no(ResponseError::FencedInstanceId),
                None => no(ResponseError::UnknownMemberId),
            };
        }
        if known && self.members[&asks.id].instance != asks.instance {
            return no(ResponseError::FencedInstanceId);
        }
        if known && let Some(joined) = self.still(asks, now) {
            return Step::Now(Ok(joined));
        }
        let id = match asks.id.is_empty() {
            true => new_id,
            false => asks.id.clone(),
        };
        if asks.id.is_empty() && asks.twice && asks.instance.is_none() {
            self.promised.insert(id.clone(), now + asks.session);
            let error = ResponseError::MemberIdRequired;
            return Step::Now(Err(Refusal { error, id }));
        }
        self.replace(asks, &id);
        let mut member = Member::new(asks, now);
        if let Some(before) = self.members.remove(&id) {
            member.assignment = before.assignment;
        }
        let (waiter, answer) = oneshot::channel();
        member.joining = Some(waiter);
        self.members.insert(id, member);
        if self.members.len() == 1 {
            self.protocol_type = asks.protocol_type.clone();
        }
        self.begin(now);
        self.complete_if_all_joined(now);
        Step::Wait(answer)
    }

    /// A member gives what it shared out, if it is the leader, and waits for its part.
    pub(crate) fn sync(
        &mut self,
        id: &StrBytes,
        generation: i32,
        shared: Vec<(StrBytes, Bytes)>,
        now: Instant,
    ) -> Step<Synced> {
        if let Err(error) = self.check(id, generation) {
            return no(error);
        }
        let leads = *id == self.leader;
        let Some(member) = self.members.get_mut(id) else {
            return no(ResponseError::UnknownMemberId);
        };
        member.seen = now;
        match self.phase {
            Phase::Empty => no(ResponseError::UnknownMemberId),
            Phase::Joining(_) => no(ResponseError::RebalanceInProgress),
            Phase::Stable => Step::Now(Ok(self.synced(id))),
            Phase::Syncing(_) => {
                let (waiter, answer) = oneshot::channel();
                if let Some(older) = member.syncing.replace(waiter) {
                    tell(older, Err(refusal(ResponseError::RebalanceInProgress)));
                }
                if leads {
                    self.share(shared, now);
                }
                Step::Wait(answer)
            }
        }
    }

    /// A member is alive; it is told when it has to join again.
    pub(crate) fn heartbeat(
        &mut self,
        id: &StrBytes,
        generation: i32,
        now: Instant,
    ) -> Result<(), ResponseError> {
        self.check(id, generation)?;
        if let Some(member) = self.members.get_mut(id) {
            member.seen = now;
        }
        match self.phase {
            Phase::Joining(_) => Err(ResponseError::RebalanceInProgress),
            _ => Ok(()),
        }
    }

    /// Whether a member may commit offsets; without an id and a generation, somebody who is none.
    pub(crate) fn may_commit(
        &mut self,
        id: &StrBytes,
        generation: i32,
        now: Instant,
    ) -> Result<(), ResponseError> {
        if id.is_empty() && generation < 0 {
            return match self.members.is_empty() {
                true => Ok(()),
                false => Err(ResponseError::UnknownMemberId),
            };
        }
        self.check(id, generation)?;
        if let Some(member) = self.members.get_mut(id) {
            member.seen = now;
        }
        match self.phase {
            Phase::Syncing(_) => Err(ResponseError::RebalanceInProgress),
            _ => Ok(()),
        }
    }

    /// A member leaves, by its id or, without one, by its instance.
    pub(crate) fn leave(
        &mut self,
        id: &StrBytes,
        instance: Option<&StrBytes>,
        now: Instant,
    ) -> Result<(), ResponseError> {
        if self.promised.remove(id).is_some() {
            return Ok(());
        }
        let found = match instance {
            Some(_) if id.is_empty() => self.instance(instance),
            _ => self.members.contains_key(id).then(|| id.clone()),
        };
        let id = found.ok_or(ResponseError::UnknownMemberId)?;
        if instance.is_some() && self.members[&id].instance.as_ref() != instance {
            return Err(ResponseError::FencedInstanceId);
        }
        self.remove(&id, ResponseError::UnknownMemberId);
        self.somebody_left(now);
        Ok(())
    }

    /// Lets go of what is dead and goes on where it is time. Gives back when to look again.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<Instant> {
        self.promised.retain(|_, until| *until > now);
        let late = |phase, id: &StrBytes| match phase {
            Phase::Syncing(until) => until <= now && self.members[id].syncing.is_none(),
            Phase::Joining(until) => until <= now && self.members[id].joining.is_none(),
            Phase::Empty | Phase::Stable => false,
        };
        let dead: Vec<_> = self
            .members
            .iter()
            .filter(|(id, m)| late(self.phase, id) || m.dies().is_some_and(|dies| dies <= now))
            .map(|(id, _)| id.clone())
            .collect();
        for id in &dead {
            self.remove(id, ResponseError::UnknownMemberId);
        }
        if !dead.is_empty() {
            self.somebody_left(now);
        }
        self.next_look()
    }

    fn next_look(&self) -> Option<Instant> {
        let phase = match self.phase {
            Phase::Joining(until) | Phase::Syncing(until) => Some(until),
            Phase::Empty | Phase::Stable => None,
        };
        let deaths = self.members.values().filter_map(Member::dies);
        let promised = self.promised.values().copied();
        deaths.chain(promised).chain(phase).min()
    }

    /// What a member that joins again for nothing is told: all is as it was.
    fn still(&mut self, asks: &Joining, now: Instant) -> Option<Joined> {
        let leads = asks.id == self.leader;
        let member = self.members.get_mut(&asks.id)?;
        let same = member.protocols == asks.protocols;
        let nothing_new = match self.phase {
            // Its first answer may have been lost.
            Phase::Syncing(_) => same,
            // The leader joins again when it sees that the partitions are to be shared anew.
            Phase::Stable => same && !leads,
            Phase::Empty | Phase::Joining(_) => false,
        };
        if !nothing_new {
            return None;
        }
        member.seen = now;
        Some(self.joined(&asks.id))
    }

    /// Makes room for a member: its older self by the same instance goes, and who still waits for it.
    fn replace(&mut self, asks: &Joining, id: &StrBytes) {
        if let Some(older) = self.instance(asks.instance.as_ref())
            && older != *id
        {
            self.remove(&older, ResponseError::FencedInstanceId);
        }
        if let Some(member) = self.members.get_mut(id) {
            member.tell_off(ResponseError::RebalanceInProgress);
        }
    }

    fn instance(&self, instance: Option<&StrBytes>) -> Option<StrBytes> {
        let instance = instance?;
        let mut members = self.members.iter();
        let found = members.find(|(_, member)| member.instance.as_ref() == Some(instance));
        found.map(|(id, _)| id.clone())
    }

    /// Whether there is a way of sharing that a member knows and all others know too.
    fn agrees(&self, asks: &Joining) -> bool {
        if asks.protocol_type.is_empty() || asks.protocols.is_empty() {
            return false;
        }
        let mut others = self
            .members
            .iter()
            .filter(|(id, _)| **id != asks.id)
            .peekable();
        if others.peek().is_none() {
            return true;
        }
        let known = |name: &StrBytes| {
            let mut others = self.members.iter().filter(|(id, _)| **id != asks.id);
            others.all(|(_, member)| member.protocols.iter().any(|(other, _)| other == name))
        };
        asks.protocol_type == self.protocol_type
            && asks.protocols.iter().any(|(name, _)| known(name))
    }

    fn check(&self, id: &StrBytes, generation: i32) -> Result<(), ResponseError> {
        if !self.members.contains_key(id) {
            return Err(ResponseError::UnknownMemberId);
        }
        if generation != self.generation {
            return Err(ResponseError::IllegalGeneration);
        }
        Ok(())
    }

    /// Members have to join again.
    fn begin(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Joining(_)) {
            return;
        }
        for member in self.members.values_mut() {
            if let Some(waiter) = member.syncing.take() {
                member.seen = now;
                tell(waiter, Err(refusal(ResponseError::RebalanceInProgress)));
            }
        }
        let patience = self.members.values().map(|member| member.patience).max();
        self.phase = Phase::Joining(now + patience.unwrap_or_default());
    }

    fn somebody_left(&mut self, now: Instant) {
        if self.members.is_empty() {
            self.phase = Phase::Empty;
            self.generation = self.generation.wrapping_add(1).max(1);
            self.leader = StrBytes::new();
            return;
        }
        self.begin(now);
        self.complete_if_all_joined(now);
    }

    fn remove(&mut self, id: &StrBytes, told: ResponseError) {
        if let Some(mut member) = self.members.remove(id) {
            member.tell_off(told);
        }
    }

    fn complete_if_all_joined(&mut self, now: Instant) {
        let all = self.members.values().all(|member| member.joining.is_some());
        if !all || !matches!(self.phase, Phase::Joining(_)) {
            return;
        }
        self.generation = self.generation.wrapping_add(1).max(1);
        self.protocol = self.vote();
        if !self.members.contains_key(&self.leader) {
            self.leader = self.members.keys().next().cloned().unwrap_or_default();
        }
        let patience = self.members.values().map(|member| member.patience).max();
        self.phase = Phase::Syncing(now + patience.unwrap_or_default());
        let ids: Vec<_> = self.members.keys().cloned().collect();
        for id in ids {
            let joined = self.joined(&id);
            let Some(member) = self.members.get_mut(&id) else {
                continue;
            };
            member.seen = now;
            if let Some(waiter) = member.joining.take() {
                tell(waiter, Ok(joined));
            }
        }
    }

    /// The way of sharing that most members like best of those that all know.
    fn vote(&self) -> StrBytes {
        let known = |member: &Member| -> BTreeSet<StrBytes> {
            let protocols = member.protocols.iter();
            protocols.map(|(name, _)| name.clone()).collect()
        };
        let common = self.members.values().map(known).reduce(|a, b| &a & &b);
        let common = common.unwrap_or_default();
        let mut votes: BTreeMap<&StrBytes, usize> = BTreeMap::new();
        for member in self.members.values() {
            let mut names = member.protocols.iter().map(|(name, _)| name);
            if let Some(best) = names.find(|name| common.contains(*name)) {
                *votes.entry(best).or_default() += 1;
            }
        }
        let best = votes.into_iter().max_by_key(|(_, count)| *count);
        best.map_or_else(StrBytes::new, |(name, _)| name.clone())
    }

    fn joined(&self, id: &StrBytes) -> Joined {
        let member = |(id, member): (&StrBytes, &Member)| {
            let said = member.metadata(&self.protocol);
            (id.clone(), member.instance.clone(), said)
        };
        Joined {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            id: id.clone(),
            members: match *id == self.leader {
                true => self.members.iter().map(member).collect(),
                false => Vec::new(),
            },
        }
    }

    /// The leader has shared the partitions.
    fn share(&mut self, shared: Vec<(StrBytes, Bytes)>, now: Instant) {
        let mut shared: BTreeMap<_, _> = shared.into_iter().collect();
        for (id, member) in &mut self.members {
            member.assignment = shared.remove(id).unwrap_or_default();
        }
        self.phase = Phase::Stable;
        let ids: Vec<_> = self.members.keys().cloned().collect();
        for id in ids {
            let synced = self.synced(&id);
            let Some(member) = self.members.get_mut(&id) else {
                continue;
            };
            if let Some(waiter) = member.syncing.take() {
                member.seen = now;
                tell(waiter, Ok(synced));
            }
        }
    }

    fn synced(&self, id: &StrBytes) -> Synced {
        let member = self.members.get(id);
        Synced {
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            assignment: member.map_or_else(Bytes::new, |member| member.assignment.clone()),
        }
    }
}

fn no<T>(error: ResponseError) -> Step<T> {
    Step::Now(Err(refusal(error)))
}

#[cfg(test)]
mod tests;
