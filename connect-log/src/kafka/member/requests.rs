//! What a member says to its group's coordinator, and the bytes in it that are ours.

use std::collections::BTreeMap;

use bytes::Bytes;
use kafka_protocol::{
    messages::{
        GroupId, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
        SyncGroupRequest, join_group_request::JoinGroupRequestProtocol,
        leave_group_request::MemberIdentity, sync_group_request::SyncGroupRequestAssignment,
    },
    protocol::StrBytes,
};
use serde_json::{Value, json};

use crate::MemberSpec;

pub(super) const JOIN: i16 = 5;
pub(super) const SYNC: i16 = 3;
pub(super) const HEARTBEAT: i16 = 3;
pub(super) const LEAVE: i16 = 3;

/// Kafka Connect's type of groups, with a protocol that is not Kafka Connect's.
const TYPE: &str = "connect";
const PROTOCOL: &str = "tidewater";

pub(super) type JoinAnswer = JoinGroupResponse;

/// The card travels with the number of the try.
pub(super) fn join(spec: &MemberSpec, id: &StrBytes, tries: u64) -> JoinGroupRequest {
    let metadata = json!({ "card": spec.card, "try": tries }).to_string();
    let protocol = JoinGroupRequestProtocol::default()
        .with_name(StrBytes::from_static_str(PROTOCOL))
        .with_metadata(Bytes::from(metadata));
    JoinGroupRequest::default()
        .with_group_id(group(spec))
        .with_session_timeout_ms(millis(spec.session))
        .with_rebalance_timeout_ms(millis(spec.rebalance))
        .with_member_id(id.clone())
        .with_group_instance_id(instance(spec))
        .with_protocol_type(StrBytes::from_static_str(TYPE))
        .with_protocols(vec![protocol])
}

/// A leader gives every member the view of the group; the others give nothing.
pub(super) fn sync(spec: &MemberSpec, joined: &JoinAnswer) -> SyncGroupRequest {
    let mut assignments = Vec::new();
    if joined.leader == joined.member_id && !joined.members.is_empty() {
        let view = Bytes::from(view(joined));
        assignments.extend(joined.members.iter().map(|member| {
            SyncGroupRequestAssignment::default()
                .with_member_id(member.member_id.clone())
                .with_assignment(view.clone())
        }));
    }
    SyncGroupRequest::default()
        .with_group_id(group(spec))
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone())
        .with_group_instance_id(instance(spec))
        .with_assignments(assignments)
}

pub(super) fn heartbeat(spec: &MemberSpec, id: &StrBytes, generation: i32) -> HeartbeatRequest {
    HeartbeatRequest::default()
        .with_group_id(group(spec))
        .with_generation_id(generation)
        .with_member_id(id.clone())
        .with_group_instance_id(instance(spec))
}

pub(super) fn leave(spec: &MemberSpec, id: &StrBytes) -> LeaveGroupRequest {
    let member = MemberIdentity::default()
        .with_member_id(id.clone())
        .with_group_instance_id(instance(spec));
    LeaveGroupRequest::default()
        .with_group_id(group(spec))
        .with_members(vec![member])
}

fn view(joined: &JoinAnswer) -> String {
    let members = joined.members.iter().filter_map(|member| {
        let metadata: Value = serde_json::from_slice(&member.metadata).ok()?;
        Some((member.member_id.to_string(), metadata.get("card")?.clone()))
    });
    let members: serde_json::Map<String, Value> = members.collect();
    json!({ "leader": &*joined.leader, "members": members }).to_string()
}

/// The leader and the members of a view; `None` for bytes that are none.
pub(super) fn read_view(bytes: &[u8]) -> Option<(String, BTreeMap<String, String>)> {
    let view: Value = serde_json::from_slice(bytes).ok()?;
    let leader = view.get("leader")?.as_str()?.to_owned();
    let members = view.get("members")?.as_object()?.iter();
    let members = members.map(|(id, card)| Some((id.clone(), card.as_str()?.to_owned())));
    Some((leader, members.collect::<Option<_>>()?))
}

fn group(spec: &MemberSpec) -> GroupId {
    GroupId(StrBytes::from_string(spec.group.clone()))
}

fn instance(spec: &MemberSpec) -> Option<StrBytes> {
    spec.instance
        .as_ref()
        .map(|id| StrBytes::from_string(id.clone()))
}

fn millis(duration: std::time::Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;

    use super::*;

    #[test]
    fn a_view_survives_its_way() {
        let member = |id: &'static str, card: &'static str| {
            JoinGroupResponseMember::default()
                .with_member_id(StrBytes::from_static_str(id))
                .with_metadata(Bytes::from(json!({ "card": card, "try": 3 }).to_string()))
        };
        let joined = JoinAnswer::default()
            .with_leader(StrBytes::from_static_str("a"))
            .with_members(vec![member("a", "{\"x\":1}"), member("b", "two")]);
        let (leader, members) = read_view(view(&joined).as_bytes()).unwrap();
        assert_eq!(leader, "a");
        assert_eq!(members["a"], "{\"x\":1}");
        assert_eq!(members["b"], "two");
    }

    #[test]
    fn what_is_no_view_is_none() {
        let whole = br#"{"leader":"a","members":{"a":"x"}}"#;
        for length in 0..whole.len() {
            assert_eq!(read_view(&whole[..length]), None);
        }
        assert_eq!(read_view(br#"{"leader":"a","members":{"a":1}}"#), None);
    }
}
