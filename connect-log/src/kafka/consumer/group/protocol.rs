//! The bytes of members that brokers pass on without looking at them: what one subscribes to, and what it is assigned.
//!
//! Source: `ConsumerProtocolSubscription.json` and `ConsumerProtocolAssignment.json` of Kafka. Lists are read as far as there are bytes for
//! them: those of another member must not decide how much memory is taken (Invariant 4).

use std::collections::{BTreeMap, BTreeSet};

use bytes::{Buf, BufMut, Bytes};
use connect_core::{Error, Result};

use crate::UNAVAILABLE;

/// Topics and partitions.
pub(super) type Slots = BTreeSet<(String, i32)>;

/// What a member wants, and what it has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Subscription {
    pub(super) topics: Vec<String>,
    pub(super) owned: Slots,
    /// Of when `owned` is; -1 when it is not told.
    pub(super) generation: i32,
}

/// Owned partitions since 1, their generation since 2, a rack since 3.
const SUBSCRIPTION: i16 = 3;
/// All versions have the same fields.
const ASSIGNMENT: i16 = 0;

impl Subscription {
    pub(super) fn write(&self, rack: &str) -> Bytes {
        let mut out = Vec::new();
        out.put_i16(SUBSCRIPTION);
        out.put_i32(self.topics.len() as i32);
        for topic in &self.topics {
            put_text(&mut out, topic);
        }
        // Kafka's own cooperative assignor has the generation here, for versions before 2.
        out.put_i32(4);
        out.put_i32(self.generation);
        put_slots(&mut out, &self.owned);
        out.put_i32(self.generation);
        if rack.is_empty() {
            out.put_i16(-1);
        } else {
            put_text(&mut out, rack);
        }
        out.into()
    }

    /// Newer versions have more at their end, which is left alone.
    pub(super) fn read(mut bytes: &[u8]) -> Result<Self> {
        let from = &mut bytes;
        let version = from.try_get_i16().map_err(cut)?;
        let mut topics = Vec::new();
        for _ in 0..count(from)? {
            topics.push(text(from)?);
        }
        let user = blob(from)?;
        let owned = if version >= 1 {
            slots(from)?
        } else {
            Slots::new()
        };
        let generation = if version >= 2 {
            from.try_get_i32().map_err(cut)?
        } else {
            user.and_then(|mut user| user.try_get_i32().ok())
                .unwrap_or(-1)
        };
        Ok(Self {
            topics,
            owned,
            generation,
        })
    }
}

pub(super) fn write_assignment(slots: &Slots) -> Bytes {
    let mut out = Vec::new();
    out.put_i16(ASSIGNMENT);
    put_slots(&mut out, slots);
    out.put_i32(-1);
    out.into()
}

/// An empty text assigns nothing.
pub(super) fn read_assignment(mut bytes: &[u8]) -> Result<Slots> {
    if bytes.is_empty() {
        return Ok(Slots::new());
    }
    bytes.try_get_i16().map_err(cut)?;
    slots(&mut bytes)
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    let length = i16::try_from(text.len()).unwrap_or(i16::MAX);
    out.put_i16(length);
    out.put_slice(text.as_bytes().get(..length as usize).unwrap_or_default());
}

fn put_slots(out: &mut Vec<u8>, slots: &Slots) {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in slots {
        topics.entry(topic).or_default().push(*partition);
    }
    out.put_i32(topics.len() as i32);
    for (topic, partitions) in topics {
        put_text(out, topic);
        out.put_i32(partitions.len() as i32);
        for partition in partitions {
            out.put_i32(partition);
        }
    }
}

fn slots(from: &mut &[u8]) -> Result<Slots> {
    let mut slots = Slots::new();
    for _ in 0..count(from)? {
        let topic = text(from)?;
        for _ in 0..count(from)? {
            slots.insert((topic.clone(), from.try_get_i32().map_err(cut)?));
        }
    }
    Ok(slots)
}

fn count(from: &mut &[u8]) -> Result<usize> {
    Ok(usize::try_from(from.try_get_i32().map_err(cut)?).unwrap_or(0))
}

fn text(from: &mut &[u8]) -> Result<String> {
    let length = from.try_get_i16().map_err(cut)?;
    let bytes = split(from, usize::try_from(length).unwrap_or(0))?;
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

fn blob<'a>(from: &mut &'a [u8]) -> Result<Option<&'a [u8]>> {
    let length = from.try_get_i32().map_err(cut)?;
    let length = usize::try_from(length).ok();
    length.map(|length| split(from, length)).transpose()
}

fn split<'a>(from: &mut &'a [u8], length: usize) -> Result<&'a [u8]> {
    let (bytes, rest) = from.split_at_checked(length).ok_or_else(|| cut(()))?;
    *from = rest;
    Ok(bytes)
}

fn cut<T>(_: T) -> Error {
    Error::new(
        &UNAVAILABLE,
        "what a member of the group sent cannot be read",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn some_slots() -> impl Strategy<Value = Slots> {
        prop::collection::btree_set(("[a-c]{1,3}", 0..9), 0..9)
    }

    proptest! {
        #[test]
        fn both_survive_their_way(
            topics in prop::collection::vec("[a-z]{1,9}", 0..5),
            owned in some_slots(),
            generation: i32,
            rack in "[a-z]{0,3}",
        ) {
            let subscription = Subscription { topics, owned, generation };
            let bytes = subscription.write(&rack);
            prop_assert_eq!(Subscription::read(&bytes).unwrap(), subscription.clone());
            let bytes = write_assignment(&subscription.owned);
            prop_assert_eq!(read_assignment(&bytes).unwrap(), subscription.owned);
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            drop(Subscription::read(&bytes));
            drop(read_assignment(&bytes));
        }
    }

    /// As Kafka 2.3 writes it: version 0, topic `a`, no user data.
    #[test]
    fn old_members_are_read() {
        let found = Subscription::read(b"\0\0\0\0\0\x01\0\x01a\xff\xff\xff\xff").unwrap();
        assert_eq!((found.topics, found.generation), (vec!["a".to_owned()], -1));
        // Version 1 of Kafka's cooperative assignor: the generation is in the user data.
        let bytes =
            b"\0\x01\0\0\0\x01\0\x01a\0\0\0\x04\0\0\0\x07\0\0\0\x01\0\x01a\0\0\0\x01\0\0\0\x02";
        let found = Subscription::read(bytes).unwrap();
        assert_eq!(
            (found.owned, found.generation),
            (Slots::from([("a".to_owned(), 2)]), 7)
        );
    }

    #[test]
    fn a_count_without_bytes_takes_no_memory() {
        Subscription::read(b"\0\x03\x7f\xff\xff\xff").unwrap_err();
        read_assignment(b"\0\0\x7f\xff\xff\xff\0\x01a\x7f\xff\xff\xff").unwrap_err();
    }
}
