//! Who gets what: the leader's part. Source: `org.apache.kafka.clients.consumer`, `RangeAssignor` and `RoundRobinAssignor`.

use std::collections::BTreeMap;

use super::{
    protocol::{Slots, Subscription},
    sticky,
};
use crate::kafka::consumer::settings::Assignor;

/// A member, as the leader sees it.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) id: String,
    pub(super) instance: Option<String>,
    pub(super) wants: Subscription,
}

impl Candidate {
    pub(super) fn is_for(&self, topic: &str) -> bool {
        self.wants.topics.iter().any(|wanted| wanted == topic)
    }
}

/// How many partitions topics have.
pub(super) type Counts = BTreeMap<String, i32>;

/// The partitions of each member, in the order of the members.
pub(super) fn assign(by: Assignor, members: &[Candidate], counts: &Counts) -> Vec<Slots> {
    match by {
        Assignor::Range => range(members, counts),
        Assignor::RoundRobin => round_robin(members, counts),
        Assignor::CooperativeSticky => sticky::assign(members, counts),
    }
}

/// Members in the order in which they are served: those with an instance id first, by it.
fn order(members: &[Candidate]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by_key(|at| {
        let member = &members[*at];
        let rank = member
            .instance
            .as_ref()
            .map_or((1, &member.id), |id| (0, id));
        (rank, &member.id)
    });
    order
}

/// Of each topic a run of partitions to each member.
fn range(members: &[Candidate], counts: &Counts) -> Vec<Slots> {
    let mut out = vec![Slots::new(); members.len()];
    let order = order(members);
    for (topic, count) in counts {
        let takers = order.iter().filter(|at| members[**at].is_for(topic));
        let takers: Vec<usize> = takers.copied().collect();
        let Some(each) = count.checked_div(takers.len() as i32) else {
            continue;
        };
        let more = count % takers.len() as i32;
        let mut next = 0;
        for (at, taker) in takers.into_iter().enumerate() {
            let end = next + each + i32::from((at as i32) < more);
            out[taker].extend((next..end).map(|partition| (topic.clone(), partition)));
            next = end;
        }
    }
    out
}

/// One partition after the other to one member after the other.
fn round_robin(members: &[Candidate], counts: &Counts) -> Vec<Slots> {
    let mut out = vec![Slots::new(); members.len()];
    let mut order = std::collections::VecDeque::from(order(members));
    for (topic, count) in counts {
        for partition in 0..*count {
            let Some(at) = order.iter().position(|at| members[*at].is_for(topic)) else {
                break;
            };
            order.rotate_left(at);
            if let Some(taker) = order.front() {
                out[*taker].insert((topic.clone(), partition));
            }
            order.rotate_left(1);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str, instance: Option<&str>, topics: &[&str]) -> Candidate {
        Candidate {
            id: id.to_owned(),
            instance: instance.map(str::to_owned),
            wants: Subscription {
                topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
                ..Subscription::default()
            },
        }
    }

    fn counts(of: &[(&str, i32)]) -> Counts {
        of.iter()
            .map(|(topic, count)| ((*topic).to_owned(), *count))
            .collect()
    }

    fn told(slots: &[Slots]) -> Vec<String> {
        let one = |(topic, partition): &(String, i32)| format!("{topic}{partition}");
        slots
            .iter()
            .map(|of| of.iter().map(one).collect::<Vec<_>>().join(" "))
            .collect()
    }

    /// The examples of Kafka's documentation of both.
    #[test]
    fn members_get_what_kafka_gives_them() {
        let members = [
            member("c0", None, &["a", "b"]),
            member("c1", None, &["a", "b"]),
        ];
        let topics = counts(&[("a", 3), ("b", 3)]);
        assert_eq!(told(&range(&members, &topics)), ["a0 a1 b0 b1", "a2 b2"]);
        assert_eq!(
            told(&round_robin(&members, &topics)),
            ["a0 a2 b1", "a1 b0 b2"]
        );
        let members = [
            member("c0", None, &["a"]),
            member("c1", None, &["a", "b"]),
            member("c2", None, &["a", "b", "c"]),
        ];
        let topics = counts(&[("a", 1), ("b", 2), ("c", 3)]);
        assert_eq!(
            told(&round_robin(&members, &topics)),
            ["a0", "b0", "b1 c0 c1 c2"]
        );
    }

    #[test]
    fn instances_come_first_and_nobody_is_no_trouble() {
        let members = [member("a", None, &["t"]), member("b", Some("x"), &["t"])];
        assert_eq!(told(&range(&members, &counts(&[("t", 1)]))), ["", "t0"]);
        assert_eq!(told(&range(&members, &counts(&[("other", 2)]))), ["", ""]);
        assert_eq!(
            told(&round_robin(&members, &counts(&[("other", 2)]))),
            ["", ""]
        );
        assert!(range(&[], &counts(&[("t", 1)])).is_empty());
    }
}
