//! Groups as administrators see them: those of the front's clients, and those of the worker's sinks.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::{
    ResponseError,
    messages::{
        DescribeGroupsRequest, DescribeGroupsResponse, GroupId, ListGroupsRequest,
        ListGroupsResponse,
        describe_groups_response::{DescribedGroup, DescribedGroupMember},
        list_groups_response::ListedGroup,
    },
    protocol::StrBytes,
};

use super::membership::Phase;
use crate::{front::serve::Front, local::Store};

const CONSUMER: StrBytes = StrBytes::from_static_str("consumer");
const CLASSIC: StrBytes = StrBytes::from_static_str("classic");
const EMPTY: &str = "Empty";
const STABLE: &str = "Stable";
const DEAD: &str = "Dead";
/// What clients may do to a group, as Kafka numbers operations: read and describe.
const GROUP_OPERATIONS: i32 = 1 << 3 | 1 << 8;

/// Answers `ListGroups`.
pub(crate) fn list<S: Store>(
    front: &Front<S>,
    request: &ListGroupsRequest,
    version: i16,
) -> ListGroupsResponse {
    let mut states: BTreeMap<String, &str> = BTreeMap::new();
    for (name, is_read) in front.log.engine.shared.groups.all() {
        states.insert(name, if is_read { STABLE } else { EMPTY });
    }
    for name in front.groups.names() {
        let phase = front.groups.show(&name).map(|shown| shown.phase);
        states.insert(name, state(phase.unwrap_or_default()));
    }
    let wanted = |filter: &[StrBytes], value: &str| {
        filter.is_empty() || filter.iter().any(|one| one.eq_ignore_ascii_case(value))
    };
    let groups = states.into_iter().filter(|(_, state)| {
        wanted(&request.states_filter, state) && wanted(&request.types_filter, &CLASSIC)
    });
    let groups = groups.map(|(name, state)| {
        let listed = ListedGroup::default()
            .with_group_id(GroupId(StrBytes::from(name)))
            .with_protocol_type(CONSUMER);
        match version {
            ..4 => listed,
            4 => listed.with_group_state(StrBytes::from_static_str(state)),
            _ => listed
                .with_group_state(StrBytes::from_static_str(state))
                .with_group_type(CLASSIC),
        }
    });
    ListGroupsResponse::default().with_groups(groups.collect())
}

/// Answers `DescribeGroups`. Of the worker's own groups only the state is told.
pub(crate) fn describe<S: Store>(
    front: &Front<S>,
    request: &DescribeGroupsRequest,
    version: i16,
) -> DescribeGroupsResponse {
    let asked: BTreeSet<&GroupId> = request.groups.iter().collect();
    let groups = asked.into_iter().map(|name| {
        let mut group = described(front, name, version);
        if request.include_authorized_operations {
            group.authorized_operations = GROUP_OPERATIONS;
        }
        group
    });
    DescribeGroupsResponse::default().with_groups(groups.collect())
}

fn described<S: Store>(front: &Front<S>, name: &GroupId, version: i16) -> DescribedGroup {
    let group = DescribedGroup::default().with_group_id(name.clone());
    let Some(shown) = front.groups.show(name) else {
        let groups = &front.log.engine.shared.groups;
        let state = match (groups.is_read(name), groups.count(name).0) {
            (true, _) => STABLE,
            (false, true) => EMPTY,
            (false, false) => DEAD,
        };
        let group = group.with_group_state(StrBytes::from_static_str(state));
        return match state {
            // From version 6 on a group that is not there is an error.
            DEAD if version >= 6 => group
                .with_error_code(ResponseError::GroupIdNotFound.code())
                .with_error_message(Some(StrBytes::from_static_str("there is no such group"))),
            DEAD => group,
            _ => group.with_protocol_type(CONSUMER),
        };
    };
    let members = shown.members.into_iter().map(|member| {
        DescribedGroupMember::default()
            .with_member_id(member.id)
            .with_group_instance_id(member.instance.filter(|_| version >= 4))
            .with_client_id(member.client_id)
            .with_client_host(StrBytes::from(format!("/{}", &*member.address)))
            .with_member_metadata(member.metadata)
            .with_member_assignment(member.assignment)
    });
    group
        .with_group_state(StrBytes::from_static_str(state(shown.phase)))
        .with_protocol_type(shown.protocol_type)
        .with_protocol_data(shown.protocol)
        .with_members(members.collect())
}

/// As Kafka calls them.
fn state(phase: Phase) -> &'static str {
    match phase {
        Phase::Empty => EMPTY,
        Phase::Joining(_) => "PreparingRebalance",
        Phase::Syncing(_) => "CompletingRebalance",
        Phase::Stable => STABLE,
    }
}
