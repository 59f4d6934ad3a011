//! Consumer groups for the front's clients: Kafka's classic protocol, with the offsets in the log's own groups.
//!
//! The groups of the worker's sinks can be looked at, but not joined or moved from here: those named `connect-…` never, others not while a
//! sink reads in them.

mod coordinator;
mod listed;
mod member;
mod membership;
mod offsets;

use std::{io, time::Duration};

use bytes::Bytes;
use kafka_protocol::{
    ResponseError,
    messages::{
        HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse,
        LeaveGroupRequest, LeaveGroupResponse, RequestKind, ResponseKind, SyncGroupRequest,
        SyncGroupResponse, join_group_response::JoinGroupResponseMember,
        leave_group_response::MemberResponse, sync_group_request::SyncGroupRequestAssignment,
    },
    protocol::StrBytes,
};

use super::{budget::Room, ids::text, serve::Front};
use crate::local::Store;

pub(crate) use coordinator::Coordinator;
use member::{Joined, Joining, Refusal, Step, Synced, refusal};

/// Groups of this name are Kafka Connect's sinks'.
const SINKS: &str = "connect-";
/// Bytes of a group's name (a broker has no other limit than that of a string).
const MAX_NAME: usize = 1024;
/// Bytes that a member may say when it joins: a subscription to all partitions of a large topic has half of it.
const MAX_SAID: usize = 64 << 10;
/// Bytes of what a leader shares out.
const MAX_SHARED: usize = 256 << 10;
/// How long a session may be, as with a broker, but that shorter ones are taken.
const SESSIONS: std::ops::RangeInclusive<i32> = 1_000..=1_800_000;

/// Who asks.
pub(crate) struct From<'a> {
    pub(crate) client_id: &'a StrBytes,
    pub(crate) address: &'a StrBytes,
    pub(crate) version: i16,
}

/// Answers what is asked of groups.
pub(crate) async fn answer<S: Store>(
    front: &Front<S>,
    from: &From<'_>,
    request: RequestKind,
    room: Room<'_>,
) -> io::Result<ResponseKind> {
    Ok(match request {
        RequestKind::JoinGroup(request) => {
            let asks = joining(front, from, &request);
            // The wait may be long: neither the request nor its room is held meanwhile.
            drop((request, room));
            ResponseKind::JoinGroup(join(front, from, asks).await)
        }
        RequestKind::SyncGroup(request) => {
            let step = sync(front, &request);
            drop((request, room));
            ResponseKind::SyncGroup(synced(finish(step).await))
        }
        RequestKind::Heartbeat(request) => ResponseKind::Heartbeat(heartbeat(front, &request)),
        RequestKind::LeaveGroup(request) => {
            ResponseKind::LeaveGroup(leave(front, &request, from.version))
        }
        RequestKind::OffsetCommit(request) => {
            ResponseKind::OffsetCommit(offsets::commit(front, &request).await)
        }
        RequestKind::OffsetFetch(request) => {
            ResponseKind::OffsetFetch(offsets::committed(front, &request, from.version))
        }
        RequestKind::ListGroups(request) => {
            ResponseKind::ListGroups(listed::list(front, &request, from.version))
        }
        RequestKind::DescribeGroups(request) => {
            ResponseKind::DescribeGroups(listed::describe(front, &request, from.version))
        }
        _ => return Err(io::Error::other("a request of a kind that is not served")),
    })
}

/// Whether clients may be members of a group and commit in it.
fn allowed<S: Store>(front: &Front<S>, group: &str) -> Result<(), ResponseError> {
    if group.is_empty() || group.len() > MAX_NAME {
        return Err(ResponseError::InvalidGroupId);
    }
    if group.starts_with(SINKS) || front.log.engine.shared.groups.is_read(group) {
        return Err(ResponseError::GroupAuthorizationFailed);
    }
    Ok(())
}

/// What a client asks, on its own.
fn joining<S: Store>(
    front: &Front<S>,
    from: &From<'_>,
    request: &JoinGroupRequest,
) -> Result<Joining, ResponseError> {
    allowed(front, &request.group_id)?;
    if !SESSIONS.contains(&request.session_timeout_ms) {
        return Err(ResponseError::InvalidSessionTimeout);
    }
    let said = request.protocols.iter();
    let said = said.map(|protocol| protocol.name.len() + protocol.metadata.len());
    let names = [&request.member_id, &request.protocol_type, from.client_id];
    let names = names.map(|name| name.len()).iter().sum::<usize>();
    let instance = request.group_instance_id.as_ref();
    // Invariant 4: nothing is unbounded.
    if said.sum::<usize>() + names + instance.map_or(0, |name| name.len()) > MAX_SAID {
        return Err(ResponseError::InvalidRequest);
    }
    let millis = |ms: i32| Duration::from_millis(u64::try_from(ms).unwrap_or(0));
    let patience = match from.version {
        0 => request.session_timeout_ms,
        _ => request.rebalance_timeout_ms.clamp(0, *SESSIONS.end()),
    };
    let protocols = request.protocols.iter();
    Ok(Joining {
        group: request.group_id.to_string(),
        id: text(&request.member_id),
        instance: instance.map(|instance| text(instance)),
        client_id: text(from.client_id),
        address: from.address.clone(),
        session: millis(request.session_timeout_ms),
        patience: millis(patience),
        protocol_type: text(&request.protocol_type),
        protocols: protocols
            .map(|p| (text(&p.name), Bytes::copy_from_slice(&p.metadata)))
            .collect(),
        twice: from.version >= 4,
    })
}

async fn join<S: Store>(
    front: &Front<S>,
    from: &From<'_>,
    asks: Result<Joining, ResponseError>,
) -> JoinGroupResponse {
    let joined = match &asks {
        Ok(asks) => finish(front.groups.join(asks)).await,
        Err(error) => Err(refusal(*error)),
    };
    match joined {
        Ok(joined) => welcome(joined, from.version),
        Err(Refusal { error, id }) => {
            let known = asks.map(|asks| asks.id).unwrap_or_default();
            JoinGroupResponse::default()
                .with_error_code(error.code())
                .with_generation_id(-1)
                // No null before version 7.
                .with_protocol_name((from.version < 7).then(StrBytes::new))
                .with_member_id(if id.is_empty() { known } else { id })
        }
    }
}

fn welcome(joined: Joined, version: i16) -> JoinGroupResponse {
    let members = joined.members.into_iter().map(|(id, instance, said)| {
        JoinGroupResponseMember::default()
            .with_member_id(id)
            .with_group_instance_id(instance.filter(|_| version >= 5))
            .with_metadata(said)
    });
    JoinGroupResponse::default()
        .with_generation_id(joined.generation)
        .with_protocol_type((version >= 7).then_some(joined.protocol_type))
        .with_protocol_name(Some(joined.protocol))
        .with_leader(joined.leader)
        .with_member_id(joined.id)
        .with_members(members.collect())
}

fn sync<S: Store>(front: &Front<S>, request: &SyncGroupRequest) -> Step<Synced> {
    if let Err(error) = allowed(front, &request.group_id) {
        return Step::Now(Err(refusal(error)));
    }
    let assignments = request.assignments.iter();
    // Invariant 4: nothing is unbounded.
    let bytes = |one: &SyncGroupRequestAssignment| one.assignment.len() + one.member_id.len();
    if assignments.clone().map(bytes).sum::<usize>() > MAX_SHARED {
        return Step::Now(Err(refusal(ResponseError::InvalidRequest)));
    }
    let shared = assignments
        .map(|one| {
            let assignment = Bytes::copy_from_slice(&one.assignment);
            (text(&one.member_id), assignment)
        })
        .collect();
    front.groups.with(&request.group_id, |group, now| {
        let differs =
            |asked: &Option<StrBytes>, is: &StrBytes| asked.as_ref().is_some_and(|a| a != is);
        if differs(&request.protocol_type, &group.protocol_type)
            || differs(&request.protocol_name, &group.protocol)
        {
            return Step::Now(Err(refusal(ResponseError::InconsistentGroupProtocol)));
        }
        group.sync(&request.member_id, request.generation_id, shared, now)
    })
}

fn synced(synced: Result<Synced, Refusal>) -> SyncGroupResponse {
    match synced {
        Ok(synced) => SyncGroupResponse::default()
            .with_protocol_type(Some(synced.protocol_type))
            .with_protocol_name(Some(synced.protocol))
            .with_assignment(synced.assignment),
        Err(refusal) => SyncGroupResponse::default().with_error_code(refusal.error.code()),
    }
}

async fn finish<T>(step: Step<T>) -> Result<T, Refusal> {
    match step {
        Step::Now(done) => done,
        Step::Wait(answer) => match answer.await {
            Ok(done) => done,
            Err(_) => Err(refusal(ResponseError::UnknownMemberId)),
        },
    }
}

fn heartbeat<S: Store>(front: &Front<S>, request: &HeartbeatRequest) -> HeartbeatResponse {
    let alive = allowed(front, &request.group_id).and_then(|()| {
        front.groups.with(&request.group_id, |group, now| {
            group.heartbeat(&request.member_id, request.generation_id, now)
        })
    });
    HeartbeatResponse::default().with_error_code(code(alive))
}

fn leave<S: Store>(
    front: &Front<S>,
    request: &LeaveGroupRequest,
    version: i16,
) -> LeaveGroupResponse {
    let gone = |id: &StrBytes, instance: Option<&StrBytes>| {
        let leave = front.groups.with(&request.group_id, |group, now| {
            group.leave(id, instance, now)
        });
        code(leave)
    };
    if version < 3 {
        let gone = gone(&request.member_id, None);
        return LeaveGroupResponse::default().with_error_code(gone);
    }
    let members = request.members.iter().map(|member| {
        let instance = member.group_instance_id.as_ref();
        MemberResponse::default()
            .with_member_id(member.member_id.clone())
            .with_group_instance_id(member.group_instance_id.clone())
            .with_error_code(gone(&member.member_id, instance))
    });
    LeaveGroupResponse::default().with_members(members.collect())
}

fn code(done: Result<(), ResponseError>) -> i16 {
    done.err().map_or(0, |error| error.code())
}
