//! Consumer groups.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use super::{
    Got,
    subject::{PATIENCE, Subject, at, event, poll, silent, take, texts},
};
use crate::{Event, GROUP_BUSY, NOT_MEMBER, Read, TopicPartition, TopicSpec};

/// A new member goes on at the committed offset.
pub async fn a_group_goes_on_where_it_committed(s: &Subject) {
    let topic = s.topic(1).await;
    let group = s.name("group");
    s.put(&topic, &["1", "2", "3"]).await;
    let mut reader = s.member(&group, &[&topic]).await;
    let got = take(&mut *reader, 3).await;
    let next = BTreeMap::from([(at(&topic, 0), got[2].offset)]);
    reader.commit(&next).await.unwrap();
    assert_eq!(s.log.group_offsets(&group).await.unwrap(), next);
    reader.close().await.unwrap();
    let mut reader = s.member(&group, &[&topic]).await;
    assert_eq!(texts(&take(&mut *reader, 1).await), ["3"]);
    silent(&mut *reader).await;
}

/// Partitions are shared among members; each record goes to one of them, and none is missed when they come and go.
pub async fn two_members_share(s: &Subject) {
    let topic = s.topic(4).await;
    let group = s.name("group");
    let mut pair = Pair {
        first: Member::new(s.member(&group, &[&topic]).await),
        second: Member::new(s.member(&group, &[&topic]).await),
    };
    pair.until(|first, second| first.owned.len() == 2 && second.owned.len() == 2)
        .await;
    assert!(pair.first.owned.is_disjoint(&pair.second.owned));
    for partition in 0..4 {
        s.put_to(&topic, partition, &["1", "2"]).await;
    }
    pair.until(|first, second| first.got.len() + second.got.len() == 8)
        .await;
    assert_eq!((pair.first.got.len(), pair.second.got.len()), (4, 4));
    pair.second.commit().await;
    pair.second.reader.close().await.unwrap();
    for partition in 0..4 {
        s.put_to(&topic, partition, &["3"]).await;
    }
    let Pair { mut first, second } = pair;
    let deadline = Instant::now() + PATIENCE;
    while first.owned.len() < 4 || first.got.len() < 8 {
        first.step().await;
        assert!(Instant::now() < deadline, "the rest was not taken over");
    }
    silent(&mut *first.reader).await;
    let mut all: Vec<_> = first.got.iter().chain(&second.got).collect();
    all.sort_by_key(|got| (got.partition, got.offset));
    let all: Vec<_> = all.iter().map(|got| (got.partition, got.text())).collect();
    let expected: Vec<_> = (0..4)
        .flat_map(|p| ["1", "2", "3"].map(|text| (p, text.to_owned())))
        .collect();
    assert_eq!(all, expected);
}

/// What was revoked can still be committed, until the next poll; then never again.
pub async fn what_was_revoked_can_be_committed_until_the_next_poll(s: &Subject) {
    let topic = s.topic(2).await;
    let group = s.name("group");
    for partition in 0..2 {
        s.put_to(&topic, partition, &["1", "2"]).await;
    }
    let mut first = Member::new(s.member(&group, &[&topic]).await);
    let deadline = Instant::now() + PATIENCE;
    while first.got.len() < 4 {
        first.step().await;
        assert!(Instant::now() < deadline, "{} records", first.got.len());
    }
    let mut second = Member::new(s.member(&group, &[&topic]).await);
    let mut beside = tokio::spawn(async move {
        let deadline = Instant::now() + PATIENCE;
        while second.owned.is_empty() && Instant::now() < deadline {
            second.step().await;
        }
        second
    });
    let revoked = |event: &Event| matches!(event, Event::Revoked(_));
    let (Event::Revoked(gone), _) = event(&mut *first.reader, revoked).await else {
        unreachable!("that is what was waited for");
    };
    let next = |of: &TopicPartition| (of.clone(), 1);
    let offsets: BTreeMap<_, _> = gone.iter().map(next).collect();
    first.reader.commit(&offsets).await.unwrap();
    let mut second = loop {
        let mut got = Vec::new();
        poll(&mut *first.reader, &mut got).await;
        if beside.is_finished() {
            break (&mut beside).await.unwrap();
        }
    };
    let late = first.reader.commit(&offsets).await;
    let taken = second.owned.iter().find(|of| offsets.contains_key(of));
    if taken.is_some() {
        assert_eq!(late.unwrap_err().code(), &NOT_MEMBER);
    }
    let deadline = Instant::now() + PATIENCE;
    while second.got.is_empty() {
        let mut ignored = Vec::new();
        poll(&mut *first.reader, &mut ignored).await;
        second.step().await;
        assert!(Instant::now() < deadline, "the second member reads nothing");
    }
    let of = at(&topic, second.got[0].partition);
    if offsets.contains_key(&of) {
        assert_eq!(second.got[0].text(), "2", "it goes on after the commit");
    }
}

/// A member that is dropped without goodbye leaves its group.
pub async fn a_dropped_member_leaves(s: &Subject) {
    let topic = s.topic(2).await;
    let group = s.name("group");
    let mut pair = Pair {
        first: Member::new(s.member(&group, &[&topic]).await),
        second: Member::new(s.member(&group, &[&topic]).await),
    };
    pair.until(|first, second| first.owned.len() == 1 && second.owned.len() == 1)
        .await;
    let Pair { first, mut second } = pair;
    drop(first);
    let deadline = Instant::now() + PATIENCE;
    while second.owned.len() < 2 {
        second.step().await;
        assert!(Instant::now() < deadline, "its partitions were not freed");
    }
}

/// The offsets of a group are altered and deleted only while nobody uses them.
pub async fn a_group_with_members_is_busy(s: &Subject) {
    let topic = s.topic(2).await;
    let group = s.name("group");
    s.log.delete_group(&group).await.unwrap();
    let set = BTreeMap::from([(at(&topic, 0), Some(5)), (at(&topic, 1), Some(6))]);
    s.log.alter_group_offsets(&group, &set).await.unwrap();
    let mut reader = s.member(&group, &[&topic]).await;
    let assigned = |event: &Event| matches!(event, Event::Assigned(_));
    event(&mut *reader, assigned).await;
    let busy = s.log.alter_group_offsets(&group, &set).await.unwrap_err();
    assert_eq!(busy.code(), &GROUP_BUSY, "{busy:?}");
    let busy = s.log.delete_group(&group).await.unwrap_err();
    assert_eq!(busy.code(), &GROUP_BUSY, "{busy:?}");
    reader.close().await.unwrap();
    let change = BTreeMap::from([(at(&topic, 0), None), (at(&topic, 1), Some(1))]);
    s.log.alter_group_offsets(&group, &change).await.unwrap();
    let left = BTreeMap::from([(at(&topic, 1), 1)]);
    assert_eq!(s.log.group_offsets(&group).await.unwrap(), left);
    s.log.delete_group(&group).await.unwrap();
    assert_eq!(s.log.group_offsets(&group).await.unwrap(), BTreeMap::new());
}

/// Every group reads everything, with offsets of its own.
pub async fn groups_do_not_see_each_other(s: &Subject) {
    let topic = s.topic(1).await;
    s.put(&topic, &["1", "2"]).await;
    let (a, b) = (s.name("group"), s.name("group"));
    let mut first = s.member(&a, &[&topic]).await;
    let got = take(&mut *first, 2).await;
    let next = BTreeMap::from([(at(&topic, 0), got[1].offset + 1)]);
    first.commit(&next).await.unwrap();
    assert_eq!(s.log.group_offsets(&b).await.unwrap(), BTreeMap::new());
    let mut second = s.member(&b, &[&topic]).await;
    assert_eq!(texts(&take(&mut *second, 2).await), ["1", "2"]);
    let mut alone = s
        .log
        .reader(s.spec(Some(&s.name("group")), &[]))
        .await
        .unwrap();
    alone
        .assign(&BTreeMap::from([(at(&topic, 0), 0)]))
        .await
        .unwrap();
    take(&mut *alone, 2).await;
    alone.commit(&next).await.unwrap();
}

/// A subscribed topic that does not exist yet is read as soon as it does.
pub async fn a_topic_that_comes_later_is_found(s: &Subject) {
    let here = s.topic(1).await;
    let later: Arc<str> = Arc::from(s.name("later"));
    let mut reader = s.member(&s.name("group"), &[&here, &later]).await;
    s.put(&here, &["1"]).await;
    take(&mut *reader, 1).await;
    let spec = TopicSpec::new(Arc::clone(&later), 1);
    s.log.create_topics(&[spec]).await.unwrap();
    s.put(&later, &["2"]).await;
    assert_eq!(texts(&take(&mut *reader, 1).await), ["2"]);
}

/// A reader with what it owns and what it got.
struct Member {
    reader: Box<dyn Read>,
    owned: BTreeSet<TopicPartition>,
    got: Vec<Got>,
}

struct Pair {
    first: Member,
    second: Member,
}

impl Member {
    fn new(reader: Box<dyn Read>) -> Self {
        Self {
            reader,
            owned: BTreeSet::new(),
            got: Vec::new(),
        }
    }

    /// One poll, and what a sink does about its events.
    async fn step(&mut self) {
        match poll(&mut *self.reader, &mut self.got).await {
            Event::Assigned(of) => self.owned.extend(of),
            Event::Revoked(of) => {
                self.commit().await;
                self.owned.retain(|at| !of.contains(at));
            }
            Event::Lost(of) => self.owned.retain(|at| !of.contains(at)),
            Event::Records | Event::Idle => {}
        }
    }

    async fn commit(&mut self) {
        let mut offsets = BTreeMap::new();
        for got in &self.got {
            let owned = self.owned.iter().find(|of| of.partition == got.partition);
            if let Some(of) = owned {
                offsets.insert(of.clone(), got.offset + 1);
            }
        }
        self.reader.commit(&offsets).await.unwrap();
    }
}

impl Pair {
    /// Lets both poll until something holds.
    async fn until(&mut self, holds: impl Fn(&Member, &Member) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(&self.first, &self.second) {
            tokio::join!(self.first.step(), self.second.step());
            assert!(Instant::now() < deadline, "the members do not agree");
        }
    }
}
