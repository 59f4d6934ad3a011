//! Brokers that take over from each other.

use std::collections::BTreeMap;

use connect_core::Encoded;
use connect_log::{At, Log, TopicPartition, TopicSpec, kafka::KafkaLog};
use stack::{Kafka, KafkaOptions, Stack};

use super::broker::{plain, settings, unique};

const PARTITIONS: i32 = 4;
const GROUPS: i64 = 6;

/// A cluster of two, in which everything is twice.
fn two(stack: &Stack) -> (Kafka, Kafka) {
    let options = KafkaOptions::default().set("offsets.topic.replication.factor", "2");
    let first = stack.kafka_with(options.clone()).expect("a broker");
    let second = stack.kafka_with(options.joins(&first, 2));
    (first, second.expect("another broker"))
}

/// Two records in each partition, and an offset of each group.
async fn fill(log: &dyn Log, spec: &TopicSpec) {
    log.create_topics(std::slice::from_ref(spec))
        .await
        .expect("a topic");
    let mut appender = log.appender(plain()).await.expect("an appender");
    let mut records = Encoded::default();
    for partition in 0..PARTITIONS {
        for _ in 0..2 {
            records.push(&spec.name, None, Some(b"value"), -1).partition = Some(partition);
        }
    }
    let ticket = appender.append(&records).await.expect("records").ticket;
    appender.durable().reach(ticket).await.expect("records");
    for group in 0..GROUPS {
        let set = BTreeMap::from([(TopicPartition::new(spec.name.clone(), 0), Some(group))]);
        log.alter_group_offsets(&format!("group-{group}"), &set)
            .await
            .expect("a commit");
    }
}

/// One of two brokers dies: what it led, coordinated and passed on to the controller is asked of the other, without an error.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_broker_did_the_other_does() {
    let stack = Stack::new().unwrap();
    let (first, second) = two(&stack);
    // The one that dies is asked first.
    let bootstrap = format!("{},{}", second.bootstrap(), first.bootstrap());
    let log = KafkaLog::connect(&settings(&[("bootstrap.servers", &bootstrap)])).unwrap();
    let mut spec = TopicSpec::new(unique("topic"), PARTITIONS);
    spec.replication = Some(2);
    fill(&*log, &spec).await;
    let ends = log.ends(&spec.name, PARTITIONS).await.unwrap();
    assert!(ends.len() == 4 && ends.values().all(|end| *end == 2));
    second.kill9().unwrap();
    assert_eq!(log.ends(&spec.name, PARTITIONS).await.unwrap(), ends);
    for partition in 0..PARTITIONS {
        let of = TopicPartition::new(spec.name.clone(), partition);
        log.delete_records(&of, 1).await.unwrap();
        assert_eq!(log.offset_at(&of, At::Earliest).await.unwrap(), 1);
    }
    for group in 0..GROUPS {
        let offsets = log.group_offsets(&format!("group-{group}")).await.unwrap();
        assert_eq!(offsets.values().copied().collect::<Vec<_>>(), [group]);
    }
    for _ in 0..4 {
        let mut late = TopicSpec::new(unique("late"), 1);
        late.replication = Some(1);
        log.create_topics(std::slice::from_ref(&late))
            .await
            .unwrap();
        log.delete_topic(&late.name).await.unwrap();
    }
    log.health().await.unwrap();
    assert!(log.trouble().is_none());
}
