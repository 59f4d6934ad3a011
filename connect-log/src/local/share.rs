//! Who of a group reads what: a pure function.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::TopicPartition;

/// The number of a member; grows with every join.
pub(crate) type MemberId = u64;

/// Shares partitions among members: each to one that subscribed to its topic, as evenly as that allows, and with as few
/// moves from `owners` as that allows.
pub(crate) fn share(
    members: &BTreeMap<MemberId, &BTreeSet<Arc<str>>>,
    partitions: &BTreeSet<TopicPartition>,
    owners: &BTreeMap<TopicPartition, MemberId>,
) -> BTreeMap<TopicPartition, MemberId> {
    let mut load: BTreeMap<MemberId, usize> = members.keys().map(|id| (*id, 0)).collect();
    let mut shared = BTreeMap::new();
    let wants = |id: MemberId, at: &TopicPartition| members[&id].contains(&at.topic);
    for at in partitions {
        let owner = owners.get(at).filter(|id| members.contains_key(id));
        if let Some(id) = owner.filter(|id| wants(**id, at)) {
            *load.entry(*id).or_default() += 1;
            shared.insert(at.clone(), *id);
        }
    }
    for at in partitions {
        if shared.contains_key(at) {
            continue;
        }
        let candidates = load.iter().filter(|(id, _)| wants(**id, at));
        if let Some((id, _)) = candidates.min_by_key(|(id, count)| (**count, **id)) {
            let id = *id;
            *load.entry(id).or_default() += 1;
            shared.insert(at.clone(), id);
        }
    }
    while level(partitions, &mut shared, &mut load, wants) {}
    shared
}

/// One pass of moves from the fuller to the emptier. Each makes the sum of the squared loads smaller, so it ends.
fn level(
    partitions: &BTreeSet<TopicPartition>,
    shared: &mut BTreeMap<TopicPartition, MemberId>,
    load: &mut BTreeMap<MemberId, usize>,
    wants: impl Fn(MemberId, &TopicPartition) -> bool,
) -> bool {
    let mut moved = false;
    for at in partitions {
        let Some(owner) = shared.get(at).copied() else {
            continue;
        };
        let candidates = load.iter().filter(|(id, _)| wants(**id, at));
        let Some((id, count)) = candidates.min_by_key(|(id, count)| (**count, **id)) else {
            continue;
        };
        if count + 1 < load[&owner] {
            let id = *id;
            shared.insert(at.clone(), id);
            *load.entry(owner).or_default() -= 1;
            *load.entry(id).or_default() += 1;
            moved = true;
        }
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partitions(topic: &str, count: i32) -> BTreeSet<TopicPartition> {
        (0..count)
            .map(|at| TopicPartition::new(topic, at))
            .collect()
    }

    fn topics(names: &[&str]) -> BTreeSet<Arc<str>> {
        names.iter().map(|name| Arc::from(*name)).collect()
    }

    fn count(shared: &BTreeMap<TopicPartition, MemberId>, id: MemberId) -> usize {
        shared.values().filter(|owner| **owner == id).count()
    }

    #[test]
    fn a_second_member_gets_half_and_the_first_keeps_the_rest() {
        let both = topics(&["t"]);
        let parts = partitions("t", 7);
        let alone = share(&BTreeMap::from([(1, &both)]), &parts, &BTreeMap::new());
        assert_eq!(count(&alone, 1), 7);
        let two = share(&BTreeMap::from([(1, &both), (2, &both)]), &parts, &alone);
        assert_eq!((count(&two, 1), count(&two, 2)), (4, 3));
        let back = share(&BTreeMap::from([(2, &both)]), &parts, &two);
        assert_eq!(count(&back, 2), 7);
        let again = share(&BTreeMap::from([(1, &both), (2, &both)]), &parts, &two);
        assert_eq!(again, two, "what is even stays");
    }

    #[test]
    fn only_subscribers_get_a_topic() {
        let (a, b) = (topics(&["a"]), topics(&["a", "b"]));
        let mut parts = partitions("a", 4);
        parts.extend(partitions("b", 3));
        parts.extend(partitions("c", 1));
        let shared = share(
            &BTreeMap::from([(1, &a), (2, &b)]),
            &parts,
            &BTreeMap::new(),
        );
        assert_eq!(shared.len(), 7, "nobody wants c");
        assert!(shared.iter().all(|(at, id)| &*at.topic == "a" || *id == 2));
        assert!(count(&shared, 1).abs_diff(count(&shared, 2)) <= 1);
    }
}
