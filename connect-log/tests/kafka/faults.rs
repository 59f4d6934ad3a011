//! What happens when the broker goes away.

// A check fails by panicking, as tests do.
#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Duration};

use connect_core::Encoded;
use connect_log::{
    AppenderSpec, At, Event, Log, Pace, ReaderSpec, TopicPartition, UNAVAILABLE, kafka::KafkaLog,
};
use stack::{KafkaOptions, Stack};

use super::broker::{log_of, numbers, plain, settings, topic, transactional, unique, values};

/// kill -9 in mid-stream, more than once: nothing is lost, nothing doubled, nothing out of order.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_broker_loses_and_reorders_nothing() {
    const BATCHES: u64 = 300;
    let stack = Stack::new().unwrap();
    let kafka = stack.kafka().unwrap();
    let log = log_of(&kafka, &[("reconnect.backoff.max.ms", "500")]);
    let topic = topic(&*log, 1).await;
    let mut appender = log.appender(plain()).await.unwrap();
    let mut durable = appender.durable();
    let sending = tokio::spawn({
        let topic = topic.clone();
        async move {
            let mut last = 0;
            for batch in 0..BATCHES {
                let records = numbers(&topic, batch * 100..batch * 100 + 100);
                last = appender.append(&records).await.unwrap().ticket;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            appender.durable().reach(last).await.unwrap();
        }
    });
    for goal in [50, 150] {
        durable.reach(goal).await.unwrap();
        let kafka = kafka.clone();
        let restarted = tokio::task::spawn_blocking(move || {
            kafka.kill9()?;
            kafka.start()
        });
        restarted.await.unwrap().unwrap();
    }
    sending.await.unwrap();
    let expected: Vec<String> = (0..BATCHES * 100).map(|n| n.to_string()).collect();
    assert_eq!(values(&*log, &topic).await, expected);
    assert!(
        log.trouble().is_none(),
        "it works again: {:?}",
        log.trouble()
    );
}

/// A transaction that a killed broker interrupts is committed wholly or not at all, and the next one works.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_broker_never_shows_half_a_transaction() {
    tokio::join!(half(Pace::Steady), half(Pace::Rare));
}

async fn half(pace: Pace) {
    let stack = Stack::new().unwrap();
    let kafka = stack.kafka().unwrap();
    let log = log_of(&kafka, &[("reconnect.backoff.max.ms", "500")]);
    let topic = topic(&*log, 1).await;
    let spec = AppenderSpec {
        pace,
        ..transactional(&unique("id"))
    };
    let mut appender = log.appender(spec.clone()).await.unwrap();
    let mut committed = Vec::new();
    for round in 0..6_u64 {
        let numbers = numbers(&topic, round * 1000..round * 1000 + 1000);
        let appended = appender.append(&numbers).await;
        let killed = (round == 2 || round == 4).then(|| {
            let kafka = kafka.clone();
            tokio::task::spawn_blocking(move || {
                kafka.kill9()?;
                kafka.start()
            })
        });
        let done = match appended {
            Ok(_) => appender.commit(None).await,
            Err(err) => Err(err),
        };
        if let Some(killed) = killed {
            killed.await.unwrap().unwrap();
        }
        committed.push(done.is_ok());
        if done.is_err() {
            drop(appender);
            appender = log.appender(spec.clone()).await.unwrap();
        }
    }
    let found = values(&*log, &topic).await;
    for (round, committed) in committed.iter().enumerate() {
        let of_round = |value: &&String| value.parse::<usize>().unwrap() / 1000 == round;
        let count = found.iter().filter(of_round).count();
        // A commit whose answer was lost may have happened.
        assert!(
            count == 1000 || (count == 0 && !committed),
            "round {round}: {count}, {committed}"
        );
    }
    assert!(found.is_sorted_by_key(|value| value.parse::<u64>().unwrap()));
}

/// A broker that is alone and starts again may leave a transaction open that it has given up: nothing of it is committed with
/// the next one, and nobody waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_a_killed_broker_forgot_is_never_committed() {
    tokio::join!(forgotten(Pace::Steady), forgotten(Pace::Rare));
}

async fn forgotten(pace: Pace) {
    const ROUNDS: u64 = 2;
    let stack = Stack::new().unwrap();
    // So soon that it gives the transaction up before it knows who leads the partitions.
    let often = "transaction.abort.timed.out.transaction.cleanup.interval.ms";
    let kafka = KafkaOptions::default().set(often, "100");
    let kafka = stack.kafka_with(kafka).unwrap();
    let log = log_of(&kafka, &[("reconnect.backoff.max.ms", "500")]);
    let topics = [topic(&*log, 1).await, topic(&*log, 3).await];
    let mut spec = transactional(&unique("id"));
    spec.pace = pace;
    spec.cleans = vec![topics[1].clone()];
    spec.settings
        .insert("transaction.timeout.ms".into(), "1000".into());
    let append = |round: u64| {
        let mut both = numbers(&topics[0], round..round + 1);
        both.push(&topics[1], None, Some(b"other"), -1);
        both
    };
    for round in 0..ROUNDS {
        let mut appender = log.appender(spec.clone()).await.unwrap();
        appender.append(&append(round)).await.unwrap();
        appender.commit(None).await.unwrap();
        appender.append(&append(1000 + round)).await.unwrap();
        for topic in &topics {
            until_open(&*log, topic).await;
        }
        let kafka = kafka.clone();
        let restarted = tokio::task::spawn_blocking(move || {
            kafka.kill9()?;
            // The transaction has timed out when the broker is there again.
            std::thread::park_timeout(Duration::from_millis(1500));
            kafka.start()
        });
        restarted.await.unwrap().unwrap();
    }
    let mut appender = log.appender(spec.clone()).await.unwrap();
    appender.append(&append(ROUNDS)).await.unwrap();
    appender.commit(None).await.unwrap();
    let expected: Vec<String> = (0..=ROUNDS).map(|n| n.to_string()).collect();
    assert_eq!(values(&*log, &topics[0]).await, expected);
}

/// Waits until a record of a transaction has arrived.
async fn until_open(log: &dyn Log, topic: &Arc<str>) {
    loop {
        let info = log.topic(topic).await.expect("an answer");
        for partition in 0..info.map_or(0, |info| info.partitions) {
            let of = TopicPartition::new(topic.clone(), partition);
            let stable = log.offset_at(&of, At::Latest).await.expect("an offset");
            if stable < log.offset_at(&of, At::End).await.expect("an offset") {
                return;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_broker_is_told_as_unavailable() {
    // Nobody listens on the discard port.
    let log = KafkaLog::connect(&settings(&[
        ("bootstrap.servers", "127.0.0.1:9"),
        ("socket.timeout.ms", "1000"),
    ]))
    .unwrap();
    let mut spec = ReaderSpec::default();
    spec.settings
        .insert("reconnect.backoff.ms".into(), "50".into());
    let mut reader = log.reader(spec).await.unwrap();
    let from = [(TopicPartition::new("t", 0), 0)].into();
    reader.assign(&from).await.unwrap();
    let mut records = Encoded::default();
    for _ in 0..100 {
        let event = reader
            .poll(&mut records, Duration::from_millis(100))
            .await
            .unwrap();
        assert_eq!(event, Event::Idle);
        if log.trouble().is_some() {
            break;
        }
    }
    assert_eq!(log.trouble().unwrap().code(), &UNAVAILABLE);
}

/// A full queue waits for the broker; when it never comes back, the watermark says so.
#[tokio::test(flavor = "multi_thread")]
async fn records_that_can_never_arrive_fail_the_watermark() {
    let stack = Stack::new().unwrap();
    let kafka = stack.kafka().unwrap();
    let log = log_of(&kafka, &[("delivery.timeout.ms", "4000")]);
    let topic = topic(&*log, 1).await;
    let mut spec = plain();
    spec.settings
        .insert("queue.buffering.max.kbytes".into(), "16".into());
    let mut appender = log.appender(spec).await.unwrap();
    let first = appender
        .append(&numbers(&topic, 0..10))
        .await
        .unwrap()
        .ticket;
    appender.durable().reach(first).await.unwrap();
    kafka.kill9().unwrap();
    let mut records = Encoded::default();
    for _ in 0..100 {
        records.push(&topic, None, Some(&[b'x'; 1000]), -1);
    }
    let err = appender.append(&records).await.unwrap_err();
    assert_eq!(err.code(), &UNAVAILABLE, "{err:?}");
    let told = appender.durable().reach(first + 1).await.unwrap_err();
    assert_eq!(told.code(), &UNAVAILABLE);
    assert_eq!(appender.durable().latest(), Some(first));
}

/// A cluster that chooses its first coordinators answers for all groups, again and again.
#[tokio::test(flavor = "multi_thread")]
async fn groups_are_asked_for_before_they_have_coordinators() {
    let stack = Stack::new().unwrap();
    let kafka = stack.kafka().unwrap();
    let log = log_of(&kafka, &[]);
    let asking = (0..8).map(|number| {
        let log = Arc::clone(&log);
        tokio::spawn(async move {
            let group = format!("group-{number}");
            for _ in 0..20 {
                assert!(log.group_offsets(&group).await.unwrap().is_empty());
            }
        })
    });
    for asked in asking.collect::<Vec<_>>() {
        asked.await.unwrap();
    }
}
