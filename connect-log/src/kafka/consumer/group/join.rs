//! Joining: everybody says what it wants, the leader assigns, and everybody hears what it gets.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use connect_core::Result;
use kafka_protocol::{
    messages::{
        GroupId, JoinGroupRequest, JoinGroupResponse, SyncGroupRequest,
        join_group_request::JoinGroupRequestProtocol,
        sync_group_request::SyncGroupRequestAssignment,
    },
    protocol::StrBytes,
};
use tokio::time::Instant;

use super::{
    assign::{self, Candidate},
    member::Life,
    protocol::{self, Slots, Subscription},
    pulse::{Refusal, refusal},
    standing::Identity,
    watcher::{self, Watched},
};
use crate::{TopicPartition, kafka::consumer::settings::Assignor};

const JOIN: i16 = 9;
const SYNC: i16 = 5;
/// The type of groups of consumers.
const TYPE: StrBytes = StrBytes::from_static_str("consumer");

/// What joining gives.
pub(super) enum Joined {
    In(Role),
    /// Once more, at once.
    Again,
    Late,
    Out,
    Replaced,
    Strangers,
}

/// What a member does until the next join.
pub(super) struct Role {
    /// It joins again when it has given up what it had to.
    pub(super) gives_up: bool,
    /// What the leader looks after.
    pub(super) watched: Option<Watched>,
}

impl From<Refusal> for Joined {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Rejoin | Refusal::NeedsId => Self::Again,
            Refusal::Late => Self::Late,
            Refusal::Out => Self::Out,
            Refusal::Replaced => Self::Replaced,
            Refusal::Strangers => Self::Strangers,
        }
    }
}

impl Life {
    /// Joins once.
    pub(super) async fn join(&mut self) -> Result<Joined> {
        let request = self.join_request();
        let joined = self
            .coordinator
            .ask_once(&self.shared.cluster, &request, JOIN)
            .await?;
        if let Some(refusal) = refusal(joined.error_code)? {
            if refusal == Refusal::NeedsId {
                self.standing().is(Identity {
                    member: joined.member_id,
                    generation: -1,
                });
            }
            return Ok(refusal.into());
        }
        self.heard = Instant::now();
        self.standing().is(Identity {
            member: joined.member_id.clone(),
            generation: joined.generation_id,
        });
        let (shares, watched) = if joined.leader == joined.member_id {
            self.lead(&joined).await?
        } else {
            (Vec::new(), None)
        };
        self.sync(&joined, shares, watched).await
    }

    fn join_request(&mut self) -> JoinGroupRequest {
        let settings = &self.shared.settings;
        let (identity, _) = self.standing().identity();
        let owned = self.standing().owned();
        let subscription = Subscription {
            topics: self.topics.borrow().clone(),
            owned: owned
                .iter()
                .map(|of| (of.topic.to_string(), of.partition))
                .collect(),
            generation: identity.generation,
        };
        let metadata = subscription.write(&settings.rack);
        let protocol = |assignor: &Assignor| {
            JoinGroupRequestProtocol::default()
                .with_name(StrBytes::from_static_str(assignor.name()))
                .with_metadata(metadata.clone())
        };
        let request = JoinGroupRequest::default()
            .with_group_id(GroupId(self.group.name.clone()))
            .with_session_timeout_ms(millis(settings.group.session))
            .with_rebalance_timeout_ms(millis(settings.group.poll))
            .with_member_id(identity.member)
            .with_group_instance_id(settings.group.instance.clone())
            .with_protocol_type(TYPE)
            .with_protocols(settings.group.assignors.iter().map(protocol).collect());
        self.topics.mark_unchanged();
        request
    }

    /// Assigns partitions to all members.
    async fn lead(
        &self,
        joined: &JoinGroupResponse,
    ) -> Result<(Vec<SyncGroupRequestAssignment>, Option<Watched>)> {
        let mut members = Vec::new();
        for member in &joined.members {
            members.push(Candidate {
                id: member.member_id.to_string(),
                instance: member.group_instance_id.as_ref().map(ToString::to_string),
                // Who cannot be understood gets nothing, and the others go on.
                wants: Subscription::read(&member.metadata).unwrap_or_default(),
            });
        }
        let topics: BTreeSet<&str> = members
            .iter()
            .flat_map(|member| member.wants.topics.iter().map(String::as_str))
            .collect();
        let topics: Vec<Arc<str>> = topics.into_iter().map(Arc::from).collect();
        let counts = watcher::counts(&self.shared, &topics).await?;
        let by = joined.protocol_name.as_deref().and_then(Assignor::named);
        let mut shares = Vec::new();
        // A member that came back to its place is told that all is as it was (KIP-814).
        if !joined.skip_assignment {
            let by = by.unwrap_or(Assignor::CooperativeSticky);
            let share = |(member, slots): (&Candidate, Slots)| {
                SyncGroupRequestAssignment::default()
                    .with_member_id(StrBytes::from_string(member.id.clone()))
                    .with_assignment(protocol::write_assignment(&slots))
            };
            let assigned = assign::assign(by, &members, &counts);
            shares = members.iter().zip(assigned).map(share).collect();
        }
        Ok((shares, Some(Watched { topics, counts })))
    }

    async fn sync(
        &mut self,
        joined: &JoinGroupResponse,
        shares: Vec<SyncGroupRequestAssignment>,
        watched: Option<Watched>,
    ) -> Result<Joined> {
        let settings = &self.shared.settings.group;
        let request = SyncGroupRequest::default()
            .with_group_id(GroupId(self.group.name.clone()))
            .with_generation_id(joined.generation_id)
            .with_member_id(joined.member_id.clone())
            .with_group_instance_id(settings.instance.clone())
            .with_protocol_type(Some(TYPE))
            .with_protocol_name(joined.protocol_name.clone())
            .with_assignments(shares);
        let sent = Instant::now();
        let synced = self
            .coordinator
            .ask_once(&self.shared.cluster, &request, SYNC)
            .await?;
        if let Some(refusal) = refusal(synced.error_code)? {
            return Ok(refusal.into());
        }
        self.heard = sent;
        let slots = protocol::read_assignment(&synced.assignment)?;
        let gives_up = self.standing().assigned(partitions(slots));
        Ok(Joined::In(Role { gives_up, watched }))
    }
}

/// Each topic's name once.
fn partitions(slots: Slots) -> BTreeSet<TopicPartition> {
    let mut names: BTreeMap<String, Arc<str>> = BTreeMap::new();
    let one = |(topic, partition): (String, i32)| {
        let name = names
            .entry(topic)
            .or_insert_with_key(|name| Arc::from(name.as_str()));
        TopicPartition::new(Arc::clone(name), partition)
    };
    slots.into_iter().map(one).collect()
}

fn millis(duration: std::time::Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}
