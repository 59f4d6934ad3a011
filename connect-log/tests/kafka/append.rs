//! Appending: order, watermark, refusals, transactions.

use std::{collections::BTreeMap, sync::Arc};

use connect_core::{Encoded, error::RECORD_TOO_LARGE};
use connect_log::{
    At, FENCED, GroupCommit, Log, Offsets, ReaderSpec, TopicPartition, UNKNOWN_TOPIC, read_to_end,
};

use super::broker::{log, numbers, plain, topic, transactional, unique, values};

#[tokio::test(flavor = "multi_thread")]
async fn records_are_durable_in_order_when_the_watermark_says_so() {
    let log = log();
    let topic = topic(&*log, 1).await;
    let mut appender = log.appender(plain()).await.unwrap();
    let mut last = 0;
    for part in 0..50 {
        let appended = appender
            .append(&numbers(&topic, part * 100..part * 100 + 100))
            .await
            .unwrap();
        assert!(appended.ticket > last && appended.refused.is_empty());
        last = appended.ticket;
    }
    appender.durable().reach(last).await.unwrap();
    let expected: Vec<String> = (0..5000).map(|n| n.to_string()).collect();
    assert_eq!(values(&*log, &topic).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_queue_holds_is_taken_in_order() {
    let log = log();
    let topic = topic(&*log, 1).await;
    let mut spec = plain();
    spec.settings
        .insert("queue.buffering.max.kbytes".into(), "64".into());
    let mut appender = log.appender(spec).await.unwrap();
    let mut records = Encoded::default();
    for number in 0..3000 {
        let value = format!("{number:>1000}");
        records.push(&topic, None, Some(value.as_bytes()), -1);
    }
    let appended = appender.append(&records).await.unwrap();
    appender.durable().reach(appended.ticket).await.unwrap();
    let found = values(&*log, &topic).await;
    assert_eq!(found.len(), 3000);
    assert!(
        found
            .iter()
            .enumerate()
            .all(|(at, value)| value.trim() == at.to_string())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_its_topic_cannot_take_is_refused_alone() {
    let log = log();
    let topic = topic(&*log, 1).await;
    let mut records = numbers(&topic, 0..2);
    records.push(&topic, None, Some(&vec![b'x'; 1_100_000]), -1);
    records.push(&topic, None, Some(b"last"), -1);
    let mut appender = log.appender(plain()).await.unwrap();
    let appended = appender.append(&records).await.unwrap();
    assert_eq!(appended.refused.len(), 1);
    assert_eq!(appended.refused[0].0, 2);
    assert_eq!(appended.refused[0].1.code(), &RECORD_TOO_LARGE);
    appender.durable().reach(appended.ticket).await.unwrap();
    assert_eq!(values(&*log, &topic).await, ["0", "1", "last"]);

    let larger = BTreeMap::from([("max.message.bytes".to_owned(), "2000000".to_owned())]);
    log.alter_topic(&topic, &larger).await.unwrap();
    let mut again = log.appender(plain()).await.unwrap();
    let appended = again.append(&records).await.unwrap();
    assert!(appended.refused.is_empty());
    again.durable().reach(appended.ticket).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_topic_is_an_error_and_is_not_created() {
    let log = log();
    let topic: Arc<str> = unique("nowhere").into();
    let mut appender = log.appender(plain()).await.unwrap();
    let err = appender.append(&numbers(&topic, 0..1)).await.unwrap_err();
    assert_eq!(err.code(), &UNKNOWN_TOPIC);
    assert_eq!(log.topic(&topic).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_shows_records_and_offsets_together_and_an_abort_neither() {
    let log = log();
    let topic = topic(&*log, 1).await;
    let (group, of) = (unique("group"), TopicPartition::new(Arc::clone(&topic), 0));
    let mut appender = log.appender(transactional(&unique("id"))).await.unwrap();
    let first = appender.append(&numbers(&topic, 0..100)).await.unwrap();
    assert_eq!(log.offset_at(&of, At::Latest).await.unwrap(), 0);
    appender.abort().await.unwrap();
    let second = appender.append(&numbers(&topic, 100..200)).await.unwrap();
    assert_eq!(appender.durable().latest(), None);
    let commit = GroupCommit {
        group: group.clone(),
        offsets: BTreeMap::from([(of.clone(), 42)]),
    };
    appender.commit(Some(&commit)).await.unwrap();
    assert!(second.ticket > first.ticket);
    assert_eq!(appender.durable().latest(), Some(second.ticket));
    let expected: Vec<String> = (100..200).map(|n| n.to_string()).collect();
    assert_eq!(values(&*log, &topic).await, expected);
    assert_eq!(log.group_offsets(&group).await.unwrap().get(&of), Some(&42));
    appender.commit(None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_appender_of_the_same_id_fences_the_older() {
    let log = log();
    let topic = topic(&*log, 1).await;
    let id = unique("id");
    let mut old = log.appender(transactional(&id)).await.unwrap();
    old.append(&numbers(&topic, 0..10)).await.unwrap();
    let mut new = log.appender(transactional(&id)).await.unwrap();
    let err = old.commit(None).await.unwrap_err();
    assert_eq!(err.code(), &FENCED, "{err:?}");
    new.append(&numbers(&topic, 10..20)).await.unwrap();
    new.commit(None).await.unwrap();

    new.append(&numbers(&topic, 20..30)).await.unwrap();
    log.fence(std::slice::from_ref(&id)).await.unwrap();
    let err = new.commit(None).await.unwrap_err();
    assert_eq!(err.code(), &FENCED, "{err:?}");
    let expected: Vec<String> = (10..20).map(|n| n.to_string()).collect();
    assert_eq!(values(&*log, &topic).await, expected);
}

/// What was committed behind a transaction that is open can be read only when that one has ended.
#[tokio::test(flavor = "multi_thread")]
async fn open_transactions_are_waited_for_at_the_end() {
    let log = log();
    let topic = topic(&*log, 1).await;
    let of = TopicPartition::new(Arc::clone(&topic), 0);
    let mut open = log.appender(transactional(&unique("id"))).await.unwrap();
    open.append(&numbers(&topic, 0..1)).await.unwrap();
    while log.offset_at(&of, At::End).await.unwrap() < 1 {
        tokio::task::yield_now().await;
    }
    let mut behind = log.appender(transactional(&unique("id"))).await.unwrap();
    behind.append(&numbers(&topic, 1..2)).await.unwrap();
    behind.commit(None).await.unwrap();
    let end = log.offset_at(&of, At::End).await.unwrap();
    assert_eq!(log.offset_at(&of, At::Latest).await.unwrap(), 0);

    let (mut from, mut values) = (Offsets::new(), 0);
    let read = read_to_end(&*log, &topic, &mut from, ReaderSpec::default(), |records| {
        values += records.len();
    });
    let commit = async {
        // The reader has seen the end by then, or sees it later: it has to wait in any case.
        tokio::task::yield_now().await;
        open.commit(None).await
    };
    let (read, committed) = tokio::join!(read, commit);
    read.unwrap();
    committed.unwrap();
    assert_eq!(values, 2);
    assert!(from[&0] >= end);
}
