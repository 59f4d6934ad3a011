//! The assignor that moves as little as it can, in two steps: what moves is first given up by who has it, and only then assigned.
//! Source: KIP-54, KIP-429; `CooperativeStickyAssignor` of Kafka.

use std::collections::BTreeMap;

use super::{
    assign::{Candidate, Counts},
    protocol::Slots,
};

type Slot<'a> = (&'a str, i32);

pub(super) fn assign(members: &[Candidate], counts: &Counts) -> Vec<Slots> {
    let owners = owners(members, counts);
    let mut shares = Shares::of(members, counts, &owners);
    shares.balance();
    let owned = |(topic, partition): (&str, i32)| (topic.to_owned(), partition);
    let one = |(at, slots): (usize, Vec<Slot<'_>>)| {
        // Another one still has it: it is assigned when that has given it up.
        let free = |slot: &Slot<'_>| owners.get(slot).is_none_or(|owner| *owner == at);
        slots.into_iter().filter(free).map(owned).collect()
    };
    shares.slots.into_iter().enumerate().map(one).collect()
}

/// Who has which partition now. Of two that both say so the one of the later generation; of the same nobody.
fn owners<'a>(members: &'a [Candidate], counts: &Counts) -> BTreeMap<Slot<'a>, usize> {
    let mut claims: BTreeMap<Slot<'a>, (i32, Option<usize>)> = BTreeMap::new();
    for (at, member) in members.iter().enumerate() {
        for (topic, partition) in &member.wants.owned {
            let exists = counts.get(topic).is_some_and(|count| partition < count);
            if !exists || !member.is_for(topic) {
                continue;
            }
            let generation = member.wants.generation;
            let claim = claims
                .entry((topic, *partition))
                .or_insert((generation, Some(at)));
            *claim = match generation.cmp(&claim.0) {
                std::cmp::Ordering::Greater => (generation, Some(at)),
                std::cmp::Ordering::Equal if claim.1 != Some(at) => (generation, None),
                _ => *claim,
            };
        }
    }
    let sure = |(slot, (_, owner)): (Slot<'a>, (i32, Option<usize>))| Some((slot, owner?));
    claims.into_iter().filter_map(sure).collect()
}

/// What each member is to have.
struct Shares<'a> {
    members: &'a [Candidate],
    slots: Vec<Vec<Slot<'a>>>,
}

impl<'a> Shares<'a> {
    /// Everybody keeps what it has, and what is free goes to who has least.
    fn of(
        members: &'a [Candidate],
        counts: &'a Counts,
        owners: &BTreeMap<Slot<'a>, usize>,
    ) -> Self {
        let mut this = Self {
            members,
            slots: vec![Vec::new(); members.len()],
        };
        let mut free = Vec::new();
        for (topic, count) in counts {
            for partition in 0..*count {
                let slot = (topic.as_str(), partition);
                match owners.get(&slot) {
                    Some(owner) => this.slots[*owner].push(slot),
                    None => free.push(slot),
                }
            }
        }
        for slot in free {
            let least = this.takers(slot.0).min_by_key(|at| this.slots[*at].len());
            if let Some(least) = least {
                this.slots[least].push(slot);
            }
        }
        this
    }

    fn takers(&self, topic: &str) -> impl Iterator<Item = usize> {
        let members = self.members.iter().enumerate();
        members
            .filter(move |(_, member)| member.is_for(topic))
            .map(|(at, _)| at)
    }

    /// Moves partitions from who has most to who has least, as long as that helps. Each move makes the shares more even, so it ends.
    fn balance(&mut self) {
        while let Some((from, at, to)) = self.unfair() {
            let slot = self.slots[from].remove(at);
            self.slots[to].push(slot);
        }
    }

    /// A partition that another member should have: whose, which of its, and who.
    fn unfair(&self) -> Option<(usize, usize, usize)> {
        let load = |at: usize| self.slots[at].len();
        let mut order: Vec<usize> = (0..self.slots.len()).collect();
        order.sort_by_key(|at| load(*at));
        for from in order.iter().rev().copied() {
            for to in order
                .iter()
                .copied()
                .take_while(|to| load(*to) + 1 < load(from))
            {
                // What came last is moved first: it may not have been there before.
                let slots = self.slots[from].iter();
                let fits = slots.rev().position(|slot| self.members[to].is_for(slot.0));
                if let Some(back) = fits {
                    return Some((from, load(from) - 1 - back, to));
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kafka::consumer::group::protocol::Subscription;

    fn member(at: usize, topics: Vec<String>, owned: Slots, generation: i32) -> Candidate {
        Candidate {
            id: format!("m{at}"),
            instance: None,
            wants: Subscription {
                topics,
                owned,
                generation,
            },
        }
    }

    /// What becomes of a group when all do what they are told, until nothing changes any more.
    fn settle(members: &mut [Candidate], counts: &Counts) -> usize {
        for round in 1..20 {
            let shares = assign(members, counts);
            let mut seen = Slots::new();
            let mut is_settled = true;
            for (member, share) in members.iter_mut().zip(shares) {
                assert!(share.iter().all(|slot| seen.insert(slot.clone())), "twice");
                assert!(
                    share.iter().all(|(topic, _)| member.is_for(topic)),
                    "unwanted"
                );
                is_settled &= member.wants.owned == share;
                member.wants.owned = share;
                member.wants.generation += 1;
            }
            if is_settled {
                return round;
            }
        }
        panic!("the group never settles");
    }

    fn all(counts: &Counts) -> usize {
        counts
            .values()
            .map(|count| usize::try_from(*count).unwrap())
            .sum()
    }

    #[test]
    fn a_new_member_gets_its_share_in_two_steps_and_nothing_else_moves() {
        let topics = || vec!["t".to_owned()];
        let counts = Counts::from([("t".to_owned(), 7)]);
        let mut members = vec![
            member(0, topics(), Slots::new(), -1),
            member(1, topics(), Slots::new(), -1),
        ];
        settle(&mut members, &counts);
        let before: Vec<Slots> = members.iter().map(|m| m.wants.owned.clone()).collect();
        members.push(member(2, topics(), Slots::new(), -1));
        let first = assign(&members, &counts);
        assert!(first[2].is_empty(), "the others still have everything");
        settle(&mut members, &counts);
        let sizes: Vec<usize> = members.iter().map(|m| m.wants.owned.len()).collect();
        assert_eq!((sizes.iter().sum::<usize>(), sizes[2]), (7, 2));
        for (member, before) in members.iter().zip(before) {
            assert!(member.wants.owned.is_subset(&before));
        }
    }

    #[test]
    fn who_was_away_does_not_take_back_what_others_have() {
        let counts = Counts::from([("t".to_owned(), 1)]);
        let mine = Slots::from([("t".to_owned(), 0)]);
        let members = [
            member(0, vec!["t".to_owned()], mine.clone(), 3),
            member(1, vec!["t".to_owned()], mine.clone(), 5),
        ];
        assert_eq!(assign(&members, &counts), [Slots::new(), mine]);
    }

    proptest! {
        #[test]
        fn groups_settle_evenly(
            counts in prop::collection::btree_map("[a-c]", 1..12, 1..3),
            claims in prop::collection::vec(prop::collection::btree_set(("[a-c]", 0..14), 0..12), 1..6),
            wants in prop::collection::vec(prop::collection::vec("[a-c]", 1..3), 6),
        ) {
            let mut members: Vec<_> = claims
                .into_iter()
                .zip(wants)
                .enumerate()
                .map(|(at, (owned, topics))| member(at, topics, owned, at as i32 / 2))
                .collect();
            settle(&mut members, &counts);
            let same = members.iter().all(|m| counts.keys().all(|topic| m.is_for(topic)));
            let sizes: Vec<usize> = members.iter().map(|m| m.wants.owned.len()).collect();
            if same {
                prop_assert_eq!(sizes.iter().sum::<usize>(), all(&counts));
                prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
            }
        }
    }
}
