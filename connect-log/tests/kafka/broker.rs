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
use connect_log::{
    AppenderSpec, At, Event, Log, Read, ReaderSpec, TopicPartition, TopicSpec, kafka::KafkaLog,
};
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

/// All values of partition 0 from an offset on, up to the end at the time of asking.
pub(super) async fn values(log: &dyn Log, topic: &Arc<str>) -> Vec<String> {
    let of = TopicPartition::new(Arc::clone(topic), 0);
    let end = log.offset_at(&of, At::Latest).await.expect("the end");
    let mut reader = log.reader(ReaderSpec::default()).await.expect("a reader");
    reader
        .assign(&BTreeMap::from([(of, 0)]))
        .await
        .expect("an assignment");
    let records = read_to(reader.as_mut(), end).await;
    records
        .records
        .iter()
        .map(|record| text(records.value(record)))
        .collect()
}

pub(super) fn text(bytes: Option<&[u8]>) -> String {
    bytes.map_or_else(
        || "null".to_owned(),
        |bytes| String::from_utf8_lossy(bytes).into_owned(),
    )
}

/// Reads until nothing more comes before this offset (the last ones may be markers, which are not seen).
pub(super) async fn read_to(reader: &mut dyn Read, end: i64) -> Encoded {
    let mut records = Encoded::default();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut idle = 0;
    while idle < 2 && Instant::now() < deadline {
        let event = reader
            .poll(&mut records, Duration::from_millis(500))
            .await
            .expect("a poll");
        let last = records.records.last().map_or(0, |record| record.offset + 1);
        if last >= end {
            break;
        }
        idle = if event == Event::Idle && last + 2 >= end {
            idle + 1
        } else {
            0
        };
    }
    records
}
