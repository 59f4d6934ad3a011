//! Questions about the cluster: what is refused, connections that end, a broker that is away.

use std::{
    collections::BTreeMap,
    io::Read,
    net::TcpStream,
    time::{Duration, Instant},
};

use connect_log::{
    At, GROUP_BUSY, Log, MemberSpec, SETTING, TopicPartition, TopicSpec, UNAVAILABLE,
    UNKNOWN_TOPIC, kafka::KafkaLog,
};
use stack::{KafkaOptions, Stack};

use super::broker::{log, log_of, settings, shared, topic, unique};

/// The broker says in its own words what it does not take.
#[tokio::test]
async fn a_refusal_has_the_words_of_the_broker() {
    let log = log();
    let name = unique("topic");
    for (setting, value, words) in [
        ("retention.ms", "soon", "retention.ms"),
        ("cleanup.policy", "shred", "cleanup.policy"),
        ("no.such.setting", "1", "no.such.setting"),
    ] {
        let spec = TopicSpec::new(name.as_str(), 1).setting(setting, value);
        let error = log.create_topics(&[spec]).await.unwrap_err();
        assert_eq!(error.code(), &SETTING, "{}", error.report());
        let report = error.report();
        assert!(report.contains("could not create a topic"), "{report}");
        assert!(report.contains(words) && report.contains(&name), "{report}");
    }
    let topic = topic(&*log, 1).await;
    let change = BTreeMap::from([("retention.ms".to_owned(), "soon".to_owned())]);
    let error = log.alter_topic(&topic, &change).await.unwrap_err();
    assert_eq!(error.code(), &SETTING, "{}", error.report());
    assert!(error.report().contains("soon"), "{}", error.report());
}

#[tokio::test]
async fn what_does_not_exist_is_told_as_such() {
    let log = log();
    let topic = topic(&*log, 1).await;
    for of in [
        TopicPartition::new(unique("none"), 0),
        TopicPartition::new(topic, 1),
    ] {
        for error in [
            log.offset_at(&of, At::End).await.unwrap_err(),
            log.delete_records(&of, 0).await.unwrap_err(),
        ] {
            assert_eq!(error.code(), &UNKNOWN_TOPIC, "{}", error.report());
            assert!(error.to_string().contains(&*of.topic), "{error}");
        }
    }
    let group = unique("group");
    assert!(log.group_offsets(&group).await.unwrap().is_empty());
    log.delete_group(&group).await.unwrap();
    let none = TopicPartition::new(unique("none"), 0);
    let removed = BTreeMap::from([(none, None)]);
    log.alter_group_offsets(&group, &removed).await.unwrap();
}

/// The group of workers is of another type, and has a member: its offsets and itself stay.
#[tokio::test]
async fn a_group_with_a_worker_is_busy() {
    let log = log();
    let topic = topic(&*log, 1).await;
    let group = unique("workers");
    let spec = MemberSpec {
        group: group.clone(),
        client_id: "a".to_owned(),
        instance: None,
        card: "a".to_owned(),
        session: Duration::from_secs(6),
        rebalance: Duration::from_secs(30),
        heartbeat: Duration::from_millis(300),
    };
    let member = log.join(spec).await.unwrap();
    let mut standing = member.standing();
    standing.wait_for(Option::is_some).await.unwrap();
    let set = BTreeMap::from([(TopicPartition::new(topic, 0), Some(1))]);
    let error = log.alter_group_offsets(&group, &set).await.unwrap_err();
    assert_eq!(error.code(), &GROUP_BUSY, "{}", error.report());
    let error = log.delete_group(&group).await.unwrap_err();
    assert_eq!(error.code(), &GROUP_BUSY, "{}", error.report());
}

/// Everything that one log asks.
async fn ask_all(log: &dyn Log, topic: &str) {
    let of = TopicPartition::new(topic, 0);
    log.health().await.expect("a broker");
    assert!(log.topic(topic).await.expect("an answer").is_some());
    let end = log.offset_at(&of, At::End).await.expect("an offset");
    let ends = log.ends(topic, 1).await.expect("offsets");
    assert_eq!(ends[&0], end);
    log.delete_records(&of, 0).await.expect("no records");
    log.group_offsets("a group").await.expect("no offsets");
    let again = TopicSpec::new(topic, 1);
    log.create_topics(&[again]).await.expect("the same topic");
}

/// A broker closes what is idle; nobody notices.
#[tokio::test]
async fn idle_connections_are_made_anew() {
    const IDLE: Duration = Duration::from_secs(60);
    let stack = Stack::new().unwrap();
    let options = KafkaOptions::default().set("connections.max.idle.ms", "500");
    let kafka = stack.kafka_with(options).unwrap();
    let log = log_of(&kafka, &[]);
    let topic = topic(&*log, 1).await;
    for _ in 0..3 {
        ask_all(&*log, &topic).await;
        let mut later = TcpStream::connect(kafka.bootstrap()).unwrap();
        later.set_read_timeout(Some(IDLE)).unwrap();
        // A connection that is younger than all others has been idle for too long.
        assert_eq!(later.read(&mut [0]).unwrap(), 0);
    }
    assert!(log.trouble().is_none());
}

/// Runtimes end, connections stay.
#[test]
fn every_runtime_may_ask() {
    let log = log();
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let topic = runtime().block_on(topic(&*log, 1));
    for _ in 0..3 {
        runtime().block_on(ask_all(&*log, &topic));
    }
}

/// A cluster that nobody has met, and one that goes away and comes back while nobody writes or reads.
#[tokio::test(flavor = "multi_thread")]
async fn health_tells_of_a_cluster_that_is_away() {
    // Nobody listens on the discard port.
    let never = KafkaLog::connect(&settings(&[("bootstrap.servers", "127.0.0.1:9")])).unwrap();
    for _ in 0..2 {
        let error = never.health().await.unwrap_err();
        assert_eq!(error.code(), &UNAVAILABLE, "{}", error.report());
        let text = error.to_string();
        assert!(
            text.starts_with("could not reach the Kafka cluster"),
            "{text}"
        );
    }
    let stack = Stack::new().unwrap();
    let kafka = stack.kafka().unwrap();
    let log = log_of(&kafka, &[]);
    log.health().await.unwrap();
    kafka.kill9().unwrap();
    until(async || log.health().await.is_err()).await;
    let error = log.health().await.unwrap_err();
    assert_eq!(error.code(), &UNAVAILABLE, "{}", error.report());
    assert!(
        error
            .to_string()
            .starts_with("could not reach the Kafka cluster")
    );
    // A question waits for the cluster.
    let asked = tokio::spawn({
        let log = log.clone();
        async move { log.topics().await }
    });
    let started = kafka.clone();
    tokio::task::spawn_blocking(move || started.start())
        .await
        .unwrap()
        .unwrap();
    asked.await.unwrap().unwrap();
    until(async || log.health().await.is_ok()).await;
    assert!(log.trouble().is_none());
}

async fn until(holds: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds().await {
        assert!(Instant::now() < deadline, "it does not become true");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Many at once share the connections.
#[tokio::test(flavor = "multi_thread")]
async fn many_may_ask_at_once() {
    let log = log_of(shared(), &[]);
    let topic = topic(&*log, 1).await;
    let asking = (0..16).map(|_| {
        let (log, topic) = (log.clone(), topic.clone());
        tokio::spawn(async move { ask_all(&*log, &topic).await })
    });
    for asked in asking.collect::<Vec<_>>() {
        asked.await.unwrap();
    }
}
