//! Kafka's tools that look at topics and groups.

use super::subject::{Subject, kept};

const TOPICS: &str = "org.apache.kafka.tools.TopicCommand";
const OFFSETS: &str = "org.apache.kafka.tools.GetOffsetShell";
const GROUPS: &str = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";

#[test]
fn topics_are_described() {
    let subject = Subject::start();
    let topic = subject.topic(kept("described", 3).setting("max.message.bytes", "2000000"));
    subject.count_up(&topic, 0..100);
    let told = subject
        .tools()
        .run(TOPICS, &["--describe"])
        .expect("described");
    let has = |part: &str| assert!(told.contains(part), "{part}: {told}");
    has("Topic: described");
    has("PartitionCount: 3");
    has("max.message.bytes=2000000");
    has("retention.ms=-1");
    has("Leader: 1");
    let refused = subject.tools().run(TOPICS, &["--create", "--topic", "new"]);
    let refused = refused.expect_err("read-only").to_string();
    assert!(
        refused.contains("does not support CREATE_TOPICS"),
        "{refused}"
    );
}

#[test]
fn offsets_are_told() {
    let subject = Subject::start();
    let topic = subject.topic(kept("told", 1));
    subject.count_up(&topic, 0..100);
    let at = |time: &str| {
        let told = subject
            .tools()
            .run(OFFSETS, &["--topic", "told", "--time", time]);
        told.expect("told").trim().to_owned()
    };
    assert_eq!(at("max-timestamp"), "told:0:99");
    assert_eq!(at("1700000000042"), "told:0:42");
}

/// The lag of the worker's own sinks can be seen; they cannot be moved.
#[test]
fn groups_are_described_and_sinks_are_left_alone() {
    let subject = Subject::start();
    let topic = subject.topic(kept("lagging", 1));
    subject.count_up(&topic, 0..100);
    let of = connect_log::TopicPartition::new(topic, 0);
    let offsets = std::collections::BTreeMap::from([(of, Some(40))]);
    let log: &dyn connect_log::Log = &*subject.log;
    subject
        .run(log.alter_group_offsets("connect-sink", &offsets))
        .expect("set");
    let told = subject
        .tools()
        .run(GROUPS, &["--describe", "--group", "connect-sink"]);
    let told = told.expect("described");
    let row = told.lines().find(|line| line.starts_with("connect-sink"));
    let row: Vec<_> = row.unwrap_or(&told).split_whitespace().collect();
    assert_eq!(
        row[..6],
        ["connect-sink", "lagging", "0", "40", "100", "60"],
        "{told}"
    );
    let words = ["-G", "connect-sink", "lagging", "-c", "1", "-m", "5"];
    let (out, err) = super::subject::output(&mut subject.kcat().command(&words));
    assert!(
        out.is_empty() && err.contains("authorization failed"),
        "{out} {err}"
    );
    let left = subject
        .run(log.group_offsets("connect-sink"))
        .expect("offsets");
    assert_eq!(left.into_values().collect::<Vec<_>>(), [40]);
}
