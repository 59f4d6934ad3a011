//! librdkafka as Rust programs use it.

use std::{collections::BTreeMap, time::Duration};

use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer},
    message::Headers,
};

use super::subject::{Given, Subject, kept};

const LIMIT: Duration = Duration::from_secs(30);

pub(super) fn consumer(subject: &Subject, more: &[(&str, &str)]) -> BaseConsumer {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", subject.bootstrap())
        .set("group.id", "of no consequence")
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false");
    for (name, value) in more {
        config.set(*name, *value);
    }
    config.create().expect("a consumer")
}

/// Spark and Flink read so: partitions assigned, ends asked for, sought.
#[test]
fn assigned_partitions_are_read_in_order() {
    let subject = Subject::start();
    let topic = subject.topic(kept("assigned", 3));
    subject.count_up(&topic, 0..20_000);
    let consumer = consumer(&subject, &[("isolation.level", "read_committed")]);
    let mut list = TopicPartitionList::new();
    let mut ends = BTreeMap::new();
    for partition in 0..3 {
        let (low, high) = consumer
            .fetch_watermarks(&topic, partition, LIMIT)
            .expect("ends");
        assert_eq!(low, 0);
        ends.insert(partition, high);
        list.add_partition_offset(&topic, partition, Offset::Beginning)
            .expect("a partition");
    }
    assert_eq!(ends.values().sum::<i64>(), 20_000);
    consumer.assign(&list).expect("assigned");
    let mut next = BTreeMap::from([(0, 0), (1, 0), (2, 0)]);
    while next != ends {
        let message = consumer.poll(LIMIT).expect("in time").expect("a record");
        let expected = next.get_mut(&message.partition()).expect("one of three");
        assert_eq!(message.offset(), *expected);
        *expected += 1;
    }
    consumer
        .seek(&topic, 1, Offset::Offset(3), LIMIT)
        .expect("sought");
    let message = consumer.poll(LIMIT).expect("in time").expect("a record");
    assert_eq!((message.partition(), message.offset()), (1, 3));
}

#[test]
fn times_and_headers_are_told() {
    let subject = Subject::start();
    let topic = subject.topic(kept("times", 1));
    let headers = vec![("one", Some(&b"1"[..])), ("none", None)];
    let one = Given {
        value: Some(b"v"),
        time: 1000,
        headers,
        ..Given::default()
    };
    let two = Given {
        value: Some(b"w"),
        time: 2000,
        ..Given::default()
    };
    subject.append(&topic, &[one, two]);
    let consumer = consumer(&subject, &[]);
    let mut asked = TopicPartitionList::new();
    asked
        .add_partition_offset(&topic, 0, Offset::Offset(1500))
        .expect("a time");
    let found = consumer.offsets_for_times(asked, LIMIT).expect("offsets");
    let found = found.elements()[0].offset();
    assert_eq!(found, Offset::Offset(1));
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&topic, 0, Offset::Offset(0))
        .expect("a partition");
    consumer.assign(&list).expect("assigned");
    let message = consumer.poll(LIMIT).expect("in time").expect("a record");
    assert_eq!(message.timestamp().to_millis(), Some(1000));
    let headers = message.headers().expect("headers");
    let told: Vec<_> = headers
        .iter()
        .map(|header| (header.key, header.value))
        .collect();
    assert_eq!(told, [("one", Some(&b"1"[..])), ("none", None)]);
}

/// Flink and Spark keep their offsets themselves, and commit so that others see how far they are, without being members.
#[test]
fn who_is_no_member_commits() {
    let subject = Subject::start();
    let topic = subject.topic(kept("outside", 2));
    let consumer = consumer(&subject, &[("group.id", "outside")]);
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&topic, 1, Offset::Offset(7))
        .expect("a partition");
    consumer.commit(&list, CommitMode::Sync).expect("committed");
    let mut asked = TopicPartitionList::new();
    asked.add_partition(&topic, 0);
    asked.add_partition(&topic, 1);
    let told = consumer.committed_offsets(asked, LIMIT).expect("offsets");
    let told: Vec<_> = told.elements().iter().map(|of| of.offset()).collect();
    assert_eq!(told, [Offset::Invalid, Offset::Offset(7)]);
    let mut missing = TopicPartitionList::new();
    missing
        .add_partition_offset("nowhere", 0, Offset::Offset(7))
        .expect("a partition");
    assert!(consumer.commit(&missing, CommitMode::Sync).is_err());
}

/// Who reads behind what was deleted is told, and begins where there is something.
#[test]
fn a_deleted_offset_is_out_of_range() {
    let subject = Subject::start();
    let topic = subject.topic(kept("deleted", 1));
    subject.count_up(&topic, 0..1000);
    let of = connect_log::TopicPartition::new(std::sync::Arc::clone(&topic), 0);
    let log: &dyn connect_log::Log = &*subject.log;
    subject.run(log.delete_records(&of, 600)).expect("deleted");
    let from = |reset: &str| {
        let consumer = consumer(&subject, &[("auto.offset.reset", reset)]);
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&topic, 0, Offset::Offset(5))
            .expect("a partition");
        consumer.assign(&list).expect("assigned");
        let polled = consumer.poll(LIMIT).expect("in time");
        polled
            .map(|message| message.offset())
            .map_err(|error| error.to_string())
    };
    assert_eq!(from("earliest"), Ok(600));
    let error = from("error").expect_err("out of range");
    assert!(
        error.contains("AutoOffsetReset") || error.contains("out of range"),
        "{error}"
    );
}
