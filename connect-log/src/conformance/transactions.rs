//! Commits: all or nothing, and only by the newest of a name.

use std::collections::BTreeMap;

use super::subject::{Subject, at, silent, take, texts, values};
use crate::{Append, FENCED, GroupCommit, TopicPartition};

/// Records are invisible until their commit, and all visible after it.
pub async fn nothing_is_seen_before_the_commit(s: &Subject) {
    let topic = s.topic(2).await;
    let mut appender = s.transactional(&s.name("id")).await;
    appender.commit(None).await.unwrap();
    let mut reader = s.reader(&topic, 2).await;
    let mut last = 0;
    for (partition, text) in [(0, "1"), (1, "2"), (0, "3")] {
        let records = values(&topic, partition, &[text]);
        last = appender.append(&records).await.unwrap().ticket;
    }
    silent(&mut *reader).await;
    appender.commit(None).await.unwrap();
    let mut got = texts(&take(&mut *reader, 3).await);
    got.sort();
    assert_eq!(got, ["1", "2", "3"]);
    appender.durable().reach(last).await.unwrap();
    appender.append(&values(&topic, 0, &["4"])).await.unwrap();
    appender.commit(None).await.unwrap();
    assert_eq!(texts(&take(&mut *reader, 1).await), ["4"]);
}

/// What was aborted, or held by an appender that is gone, never appears.
pub async fn what_is_aborted_is_never_seen(s: &Subject) {
    let topic = s.topic(1).await;
    let id = s.name("id");
    let mut appender = s.transactional(&id).await;
    appender.append(&values(&topic, 0, &["no"])).await.unwrap();
    appender.abort().await.unwrap();
    appender.append(&values(&topic, 0, &["1"])).await.unwrap();
    appender.commit(None).await.unwrap();
    appender.append(&values(&topic, 0, &["no"])).await.unwrap();
    drop(appender);
    let mut appender = s.transactional(&id).await;
    appender.append(&values(&topic, 0, &["2"])).await.unwrap();
    appender.commit(None).await.unwrap();
    assert_eq!(texts(&s.all(&topic, 1, 2).await), ["1", "2"]);
}

/// Offsets of a group are committed with the records of a transaction, or not at all.
pub async fn records_and_offsets_appear_together(s: &Subject) {
    let (from, to) = (s.topic(2).await, s.topic(1).await);
    let group = s.name("group");
    let mut appender = s.transactional(&s.name("id")).await;
    appender.append(&values(&to, 0, &["1"])).await.unwrap();
    assert_eq!(s.log.group_offsets(&group).await.unwrap(), BTreeMap::new());
    let first = BTreeMap::from([(at(&from, 0), 7), (at(&from, 1), 9)]);
    appender
        .commit(commit(&group, &first).as_ref())
        .await
        .unwrap();
    assert_eq!(s.log.group_offsets(&group).await.unwrap(), first);
    assert_eq!(texts(&s.all(&to, 1, 1).await), ["1"]);
    let second = BTreeMap::from([(at(&from, 0), 8)]);
    appender
        .commit(commit(&group, &second).as_ref())
        .await
        .unwrap();
    let both = BTreeMap::from([(at(&from, 0), 8), (at(&from, 1), 9)]);
    assert_eq!(s.log.group_offsets(&group).await.unwrap(), both);
}

/// Without a transactional id, a commit waits for the records and then sets the offsets.
pub async fn offsets_follow_records_without_a_transaction(s: &Subject) {
    let topic = s.topic(1).await;
    let group = s.name("group");
    let mut appender = s.appender().await;
    let ticket = appender
        .append(&values(&topic, 0, &["1", "2"]))
        .await
        .unwrap()
        .ticket;
    let offsets = BTreeMap::from([(at(&topic, 0), 2)]);
    appender
        .commit(commit(&group, &offsets).as_ref())
        .await
        .unwrap();
    assert!(appender.durable().latest() >= Some(ticket));
    assert_eq!(s.log.group_offsets(&group).await.unwrap(), offsets);
    assert_eq!(texts(&s.all(&topic, 1, 2).await), ["1", "2"]);
}

/// The older appender of an id can commit nothing any more; the newer goes on.
pub async fn a_newer_appender_fences_the_older(s: &Subject) {
    let topic = s.topic(1).await;
    let (id, group) = (s.name("id"), s.name("group"));
    let mut older = s.transactional(&id).await;
    older.append(&values(&topic, 0, &["1"])).await.unwrap();
    older.commit(None).await.unwrap();
    older.append(&values(&topic, 0, &["zombie"])).await.unwrap();
    let mut newer = s.transactional(&id).await;
    newer.append(&values(&topic, 0, &["2"])).await.unwrap();
    newer.commit(None).await.unwrap();
    let offsets = BTreeMap::from([(at(&topic, 0), 5)]);
    must_be_fenced(&mut *older, &topic, commit(&group, &offsets).as_ref()).await;
    newer.append(&values(&topic, 0, &["3"])).await.unwrap();
    newer.commit(None).await.unwrap();
    assert_eq!(texts(&s.all(&topic, 1, 3).await), ["1", "2", "3"]);
    assert_eq!(s.log.group_offsets(&group).await.unwrap(), BTreeMap::new());
}

/// Fencing an id stops its holder; the next appender of that id works.
pub async fn fencing_without_an_heir(s: &Subject) {
    let topic = s.topic(1).await;
    let (id, unused) = (s.name("id"), s.name("id"));
    let mut older = s.transactional(&id).await;
    older.append(&values(&topic, 0, &["zombie"])).await.unwrap();
    s.log.fence(&[id.clone(), unused]).await.unwrap();
    must_be_fenced(&mut *older, &topic, None).await;
    let mut newer = s.transactional(&id).await;
    newer.append(&values(&topic, 0, &["1"])).await.unwrap();
    newer.commit(None).await.unwrap();
    assert_eq!(texts(&s.all(&topic, 1, 1).await), ["1"]);
}

/// One commit covers all topics and partitions.
pub async fn a_commit_over_many_topics(s: &Subject) {
    let topics = [s.topic(2).await, s.topic(1).await, s.topic(3).await];
    let mut appender = s.transactional(&s.name("id")).await;
    for round in 0..5 {
        for (topic, partitions) in topics.iter().zip([2, 1, 3]) {
            for partition in 0..partitions {
                let text = format!("{round}");
                let records = values(topic, partition, &[&text]);
                appender.append(&records).await.unwrap();
            }
        }
        appender.commit(None).await.unwrap();
    }
    for (topic, partitions) in topics.iter().zip([2, 1, 3]) {
        let got = s.all(topic, partitions, 5 * partitions as usize).await;
        for partition in 0..partitions {
            let of = got.iter().filter(|g| g.partition == partition).cloned();
            let of: Vec<_> = of.collect();
            assert_eq!(texts(&of), ["0", "1", "2", "3", "4"]);
        }
    }
}

fn commit(group: &str, offsets: &BTreeMap<TopicPartition, i64>) -> Option<GroupCommit> {
    Some(GroupCommit {
        group: group.to_owned(),
        offsets: offsets.clone(),
    })
}

/// It may learn of it when it appends, and must when it commits.
async fn must_be_fenced(
    appender: &mut dyn Append,
    topic: &std::sync::Arc<str>,
    offsets: Option<&GroupCommit>,
) {
    if let Err(error) = appender.append(&values(topic, 0, &["zombie"])).await {
        assert_eq!(error.code(), &FENCED, "{error:?}");
    }
    let error = appender.commit(offsets).await.unwrap_err();
    assert_eq!(error.code(), &FENCED, "{error:?}");
    let again = appender.commit(offsets).await.unwrap_err();
    assert_eq!(again.code(), &FENCED, "{again:?}");
}
