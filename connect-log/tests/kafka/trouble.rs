//! What readers do about brokers that go, come back, close connections, and hold what is not ordinary.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use connect_core::{Encoded, Error};
use connect_log::{Event, Log, Read, ReaderSpec, TopicPartition, TopicSpec, UNAVAILABLE};
use stack::{Kafka, KafkaOptions, Stack};

use super::broker::{log, log_of, numbers, plain, settings, shared, topic, unique};

const PATIENCE: Duration = Duration::from_secs(120);
const WAIT: Duration = Duration::from_millis(100);

async fn assigned(log: &dyn Log, topic: &Arc<str>, more: &[(&str, &str)]) -> Box<dyn Read> {
    let spec = ReaderSpec {
        settings: settings(more),
        ..ReaderSpec::default()
    };
    let mut reader = log.reader(spec).await.expect("a reader");
    let from = BTreeMap::from([(TopicPartition::new(topic.clone(), 0), 0)]);
    reader.assign(&from).await.expect("an assignment");
    reader
}

async fn member(log: &dyn Log, topic: &Arc<str>) -> Box<dyn Read> {
    let spec = ReaderSpec {
        group: Some(unique("group")),
        ..ReaderSpec::default()
    };
    let mut reader = log.reader(spec).await.expect("a reader");
    let topics = [topic.to_string()];
    reader.subscribe(&topics).await.expect("a subscription");
    reader
}

async fn put(log: &dyn Log, records: &Encoded) {
    let mut appender = log.appender(plain()).await.expect("an appender");
    let ticket = appender.append(records).await.expect("records").ticket;
    appender.durable().reach(ticket).await.expect("durable");
}

/// Polls until there are so many values; says which errors came meanwhile.
async fn take(reader: &mut dyn Read, got: &mut Vec<String>, count: usize) -> Vec<Error> {
    let (mut errors, deadline) = (Vec::new(), Instant::now() + PATIENCE);
    while got.len() < count {
        let mut out = Encoded::default();
        if let Err(error) = reader.poll(&mut out, WAIT).await {
            errors.push(error);
        }
        // One partition without gaps: nothing is left out, doubled, or out of order.
        let offsets = out.records.iter().map(|record| record.offset);
        assert!(offsets.eq(got.len() as i64..(got.len() + out.len()) as i64));
        let texts = out.records.iter().map(|record| out.value(record));
        got.extend(texts.map(|text| String::from_utf8_lossy(text.unwrap_or(b"")).into_owned()));
        assert!(
            Instant::now() < deadline,
            "{} of {count}: {errors:?}",
            got.len()
        );
    }
    errors
}

async fn blocking(kafka: &Kafka, what: impl FnOnce(Kafka) + Send + 'static) {
    let kafka = kafka.clone();
    let done = tokio::task::spawn_blocking(move || what(kafka));
    done.await.expect("it can be done");
}

fn texts(of: std::ops::Range<u64>) -> Vec<String> {
    of.map(|number| number.to_string()).collect()
}

/// A broker that is killed while it is read from, with a group and without.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_comes_back_is_read_on() {
    let stack = Stack::new().unwrap();
    let kafka = stack.kafka().unwrap();
    let log = log_of(&kafka, &[]);
    let topic = topic(&*log, 1).await;
    let (mut alone, mut member) = (
        assigned(&*log, &topic, &[]).await,
        member(&*log, &topic).await,
    );
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for round in 1..=3 {
        put(&*log, &numbers(&topic, (round - 1) * 1000..round * 1000)).await;
        let half = (round * 1000 - 500) as usize;
        take(&mut *alone, &mut first, half).await;
        take(&mut *member, &mut second, half).await;
        blocking(&kafka, |kafka| {
            kafka.kill9().expect("no broker");
            kafka.start().expect("a broker");
        })
        .await;
        let errors = [
            take(&mut *alone, &mut first, round as usize * 1000).await,
            take(&mut *member, &mut second, round as usize * 1000).await,
        ]
        .concat();
        assert!(errors.is_empty(), "{errors:?}");
    }
    assert_eq!(first, texts(0..3000));
    assert_eq!(second, texts(0..3000));
    let of = TopicPartition::new(topic.clone(), 0);
    let offsets = BTreeMap::from([(of, 3000)]);
    member.commit(&offsets).await.unwrap();
}

/// A cluster that stays away is told, and read on when it is there again.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_away_is_told() {
    let stack = Stack::new().unwrap();
    let kafka = stack.kafka().unwrap();
    let log = log_of(&kafka, &[]);
    let topic = topic(&*log, 1).await;
    let mut reader = assigned(&*log, &topic, &[]).await;
    let mut got = Vec::new();
    put(&*log, &numbers(&topic, 0..10)).await;
    take(&mut *reader, &mut got, 10).await;
    blocking(&kafka, |kafka| kafka.kill9().expect("no broker")).await;
    let deadline = Instant::now() + PATIENCE;
    let error = loop {
        let mut out = Encoded::default();
        match reader.poll(&mut out, WAIT).await {
            Ok(event) => assert_eq!(event, Event::Idle),
            Err(error) => break error,
        }
        assert!(Instant::now() < deadline, "it is never told");
    };
    assert_eq!(error.code(), &UNAVAILABLE, "{error:?}");
    blocking(&kafka, |kafka| kafka.start().expect("a broker")).await;
    put(&*log, &numbers(&topic, 10..20)).await;
    take(&mut *reader, &mut got, 20).await;
    assert_eq!(got, texts(0..20));
    let mut out = Encoded::default();
    assert_eq!(reader.poll(&mut out, WAIT).await.unwrap(), Event::Idle);
}

/// Brokers close connections that are idle; the next request opens another.
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_were_idle_are_opened_again() {
    let stack = Stack::new().unwrap();
    let kafka = KafkaOptions::default().set("connections.max.idle.ms", "300");
    let kafka = stack.kafka_with(kafka).unwrap();
    let log = log_of(&kafka, &[]);
    let topic = topic(&*log, 1).await;
    let of = TopicPartition::new(topic.clone(), 0);
    let mut reader = assigned(&*log, &topic, &[]).await;
    let mut member = member(&*log, &topic).await;
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for round in 1..=3 {
        put(&*log, &numbers(&topic, (round - 1) * 10..round * 10)).await;
        take(&mut *reader, &mut first, round as usize * 10).await;
        take(&mut *member, &mut second, round as usize * 10).await;
        let offsets = BTreeMap::from([(of.clone(), round as i64 * 10)]);
        member.commit(&offsets).await.unwrap();
        reader.pause(std::slice::from_ref(&of), true).await.unwrap();
        for _ in 0..10 {
            let mut out = Encoded::default();
            let event = reader.poll(&mut out, WAIT).await.unwrap();
            assert_eq!(event, Event::Idle);
        }
        reader
            .pause(std::slice::from_ref(&of), false)
            .await
            .unwrap();
    }
    assert_eq!((first, second), (texts(0..30), texts(0..30)));
}

/// The answer's limits are no limits of a record.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_larger_than_all_limits_is_read() {
    let log = log();
    let topic = topic(&*log, 1).await;
    let mut records = Encoded::default();
    for size in [10, 900_000, 10, 700_000, 20] {
        let value: Vec<u8> = (0..size)
            .map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        records.push(&topic, None, Some(&value), -1);
        put(&*log, &records).await;
        records.clear();
    }
    let few = [
        ("fetch.max.bytes", "1000"),
        ("max.partition.fetch.bytes", "1000"),
        ("queued.max.messages.kbytes", "1"),
    ];
    let mut reader = assigned(&*log, &topic, &few).await;
    let mut sizes = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    while sizes.len() < 5 {
        let mut out = Encoded::default();
        reader.poll(&mut out, WAIT).await.unwrap();
        sizes.extend(
            out.records
                .iter()
                .map(|record| out.value(record).map_or(0, <[u8]>::len)),
        );
        assert!(Instant::now() < deadline, "{sizes:?}");
    }
    assert_eq!(sizes, [10, 900_000, 10, 700_000, 20]);
}

/// A poll that is given up has taken nothing.
#[tokio::test(flavor = "multi_thread")]
async fn polls_that_are_given_up_lose_nothing() {
    let log = log();
    let topic = topic(&*log, 1).await;
    let mut reader = assigned(&*log, &topic, &[("max.poll.records", "7")]).await;
    let writing = tokio::spawn({
        let (log, topic) = (Arc::clone(&log), Arc::clone(&topic));
        async move {
            for round in 0..50 {
                put(&*log, &numbers(&topic, round * 20..round * 20 + 20)).await;
            }
        }
    });
    let (mut got, mut out) = (Vec::new(), Encoded::default());
    let deadline = Instant::now() + PATIENCE;
    while got.len() < 1000 {
        let poll = reader.poll(&mut out, PATIENCE);
        if let Ok(polled) = tokio::time::timeout(Duration::from_micros(300), poll).await {
            assert_eq!(polled.unwrap(), Event::Records);
        }
        let texts = out.records.iter().map(|record| out.value(record));
        got.extend(texts.map(|text| String::from_utf8_lossy(text.unwrap_or(b"")).into_owned()));
        out.clear();
        assert!(Instant::now() < deadline, "{} records", got.len());
    }
    writing.await.unwrap();
    assert_eq!(got, texts(0..1000));
}

/// As other producers compress: librdkafka (kcat), and ours.
#[tokio::test(flavor = "multi_thread")]
async fn every_compression_is_read() {
    let input: String = (0..2000)
        .map(|n| format!("value number {n} of many\n"))
        .collect();
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let log = log_of(shared(), &[("compression.type", codec)]);
        let topic = topic(&*log, 1).await;
        // Else it may send again, and out of order, what a new topic's leader was not ready for.
        let in_order = "enable.idempotence=true";
        let words = ["-P", "-t", &topic, "-p", "0", "-z", codec, "-X", in_order];
        shared()
            .kcat_with(&words, input.as_bytes())
            .expect("kcat writes");
        put(&*log, &numbers(&topic, 0..2000)).await;
        let mut reader = assigned(&*log, &topic, &[]).await;
        let mut got = Vec::new();
        take(&mut *reader, &mut got, 4000).await;
        let lines = input.lines().map(str::to_owned);
        let expected: Vec<_> = lines.chain(texts(0..2000)).collect();
        let wrong = (got.iter().zip(&expected)).position(|(got, expected)| got != expected);
        assert_eq!(
            wrong.map(|at| &got[at.saturating_sub(2)..(at + 5).min(4000)]),
            None,
            "{codec}"
        );
    }
}

/// Many partitions, of which some are paused while they have much: memory stays small, nothing is lost, all go on.
#[tokio::test(flavor = "multi_thread")]
async fn many_partitions_are_read_in_turn() {
    const PARTITIONS: i32 = 30;
    let log = log();
    let spec = TopicSpec::new(unique("many"), PARTITIONS);
    log.create_topics(std::slice::from_ref(&spec))
        .await
        .unwrap();
    let mut records = Encoded::default();
    for partition in 0..PARTITIONS {
        for number in 0..300 {
            let value = format!("{number:0>2000}");
            let record = records.push(&spec.name, None, Some(value.as_bytes()), -1);
            record.partition = Some(partition);
        }
    }
    let log = log_of(shared(), &[("compression.type", "none")]);
    put(&*log, &records).await;
    let of = |partition| TopicPartition::new(spec.name.clone(), partition);
    let mut reader = log.reader(ReaderSpec::default()).await.unwrap();
    let from = (0..PARTITIONS)
        .map(|partition| (of(partition), 0))
        .collect();
    reader.assign(&from).await.unwrap();
    let mut next = vec![0; PARTITIONS as usize];
    let deadline = Instant::now() + PATIENCE;
    let mut round = 0;
    while next.iter().any(|next| *next < 300) {
        let mut out = Encoded::default();
        reader.poll(&mut out, WAIT).await.unwrap();
        for record in &out.records {
            let place = &mut next[record.partition.unwrap() as usize];
            assert_eq!(record.offset, *place, "nothing is left out or doubled");
            *place += 1;
        }
        let (now, before) = (
            of(round % PARTITIONS),
            of((round + PARTITIONS - 3) % PARTITIONS),
        );
        reader.pause(&[now], true).await.unwrap();
        reader.pause(&[before], false).await.unwrap();
        round += 1;
        assert!(Instant::now() < deadline, "{next:?}");
    }
}
