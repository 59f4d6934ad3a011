//! The broker that the tests share, and records to send.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use connect_core::Encoded;
use connect_log::{AppenderSpec, Log, ReaderSpec, TopicPartition, TopicSpec, kafka::KafkaLog};
use stack::{Kafka, Stack};

struct Shared {
    _stack: Stack,
    kafka: Kafka,
}

/// One broker for all tests of this program: they use topics of their own.
static SHARED: LazyLock<Shared> = LazyLock::new(|| {
    let stack = Stack::new().expect("a folder for servers");
    let kafka = stack.kafka().expect("a broker");
    Shared {
        _stack: stack,
        kafka,
    }
});

pub(super) fn shared() -> &'static Kafka {
    &SHARED.kafka
}

pub(super) fn log() -> Arc<KafkaLog> {
    log_of(shared(), &[])
}

pub(super) fn log_of(kafka: &Kafka, more: &[(&str, &str)]) -> Arc<KafkaLog> {
    let mut settings = settings(more);
    settings.insert("bootstrap.servers".to_owned(), kafka.bootstrap().to_owned());
    KafkaLog::connect(&settings).expect("valid settings")
}

pub(super) fn settings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// A name that no other test has.
pub(super) fn unique(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{what}-{}-{next}", std::process::id())
}

/// A new topic with so many partitions.
pub(super) async fn topic(log: &dyn Log, partitions: i32) -> Arc<str> {
    let spec = TopicSpec::new(unique("topic"), partitions);
    log.create_topics(std::slice::from_ref(&spec))
        .await
        .expect("a new topic");
    spec.name
}

pub(super) fn plain() -> AppenderSpec {
    AppenderSpec::default()
}

pub(super) fn transactional(id: &str) -> AppenderSpec {
    AppenderSpec {
        transactional_id: Some(id.to_owned()),
        ..AppenderSpec::default()
    }
}

/// Numbers as values, all with the same key.
pub(super) fn numbers(topic: &Arc<str>, of: std::ops::Range<u64>) -> Encoded {
    let mut records = Encoded::default();
    for number in of {
        records.push(topic, Some(b"key"), Some(number.to_string().as_bytes()), -1);
    }
    records
}

/// All committed values of partition 0, up to a record that is appended now.
pub(super) async fn values(log: &dyn Log, topic: &Arc<str>) -> Vec<String> {
    const END: &str = "the end";
    let mut appender = log.appender(plain()).await.expect("an appender");
    let mut end = Encoded::default();
    end.push(topic, None, Some(END.as_bytes()), -1).partition = Some(0);
    let ticket = appender.append(&end).await.expect("a record").ticket;
    appender
        .durable()
        .reach(ticket)
        .await
        .expect("a durable record");
    let from = BTreeMap::from([(TopicPartition::new(Arc::clone(topic), 0), 0)]);
    let mut reader = log.reader(ReaderSpec::default()).await.expect("a reader");
    reader.assign(&from).await.expect("an assignment");
    let mut values = Vec::new();
    let mut records = Encoded::default();
    let deadline = Instant::now() + Duration::from_secs(60);
    while values.last().is_none_or(|last| last != END) {
        assert!(Instant::now() < deadline, "the last record never came");
        reader
            .poll(&mut records, Duration::from_secs(1))
            .await
            .expect("a poll");
        values.extend(
            records
                .records
                .iter()
                .map(|record| text(records.value(record))),
        );
        records.clear();
    }
    values.retain(|value| value != END);
    values
}

pub(super) fn text(bytes: Option<&[u8]>) -> String {
    bytes.map_or_else(
        || "null".to_owned(),
        |bytes| String::from_utf8_lossy(bytes).into_owned(),
    )
}
