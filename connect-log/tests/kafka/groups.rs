//! Groups in which our readers and those of others share: librdkafka's (kcat) and Kafka's own.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use connect_core::Encoded;
use connect_log::{Event, Log, NOT_MEMBER, Read, ReaderSpec, TopicPartition, TopicSpec};

use super::broker::{log, numbers, plain, settings, shared, topic, unique};

const PATIENCE: Duration = Duration::from_secs(90);
const CONSOLE: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";

/// One of our readers, with what it has and got.
struct Ours {
    reader: Box<dyn Read>,
    owned: BTreeSet<i32>,
    got: Vec<String>,
    /// How often something was taken from it.
    revoked: usize,
}

impl Ours {
    async fn join(log: &dyn Log, group: &str, topic: &str, more: &[(&str, &str)]) -> Self {
        let mut all = settings(&[
            ("auto.offset.reset", "earliest"),
            ("session.timeout.ms", "6000"),
            ("heartbeat.interval.ms", "500"),
            ("topic.metadata.refresh.interval.ms", "500"),
        ]);
        all.extend(settings(more));
        let spec = ReaderSpec {
            group: Some(group.to_owned()),
            settings: all,
            ..ReaderSpec::default()
        };
        let mut reader = log.reader(spec).await.expect("a reader");
        reader
            .subscribe(&[topic.to_owned()])
            .await
            .expect("a subscription");
        Self {
            reader,
            owned: BTreeSet::new(),
            got: Vec::new(),
            revoked: 0,
        }
    }

    async fn step(&mut self) {
        let mut out = Encoded::default();
        let wait = Duration::from_millis(100);
        let numbers = |of: Vec<TopicPartition>| of.into_iter().map(|of| of.partition);
        match self.reader.poll(&mut out, wait).await.expect("a poll") {
            Event::Assigned(of) => self.owned.extend(numbers(of)),
            Event::Revoked(of) | Event::Lost(of) => {
                self.revoked += 1;
                for number in numbers(of) {
                    self.owned.remove(&number);
                }
            }
            Event::Records | Event::Idle => {}
        }
        let texts = out.records.iter().map(|record| out.value(record));
        let text =
            |value: Option<&[u8]>| String::from_utf8_lossy(value.unwrap_or(b"")).into_owned();
        self.got.extend(texts.map(text));
    }

    async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(self) {
            self.step().await;
            assert!(Instant::now() < deadline, "{what}: {:?}", self.owned);
        }
    }

    /// Commits what it has, as if all of it had been read up to here.
    async fn commit(&mut self, topic: &Arc<str>, offset: i64) {
        let of = |number: &i32| (TopicPartition::new(topic.clone(), *number), offset);
        let offsets: BTreeMap<_, _> = self.owned.iter().map(of).collect();
        self.reader.commit(&offsets).await.expect("a commit");
    }
}

/// A member that is another program, with the lines that it prints.
struct Theirs {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Theirs {
    fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().expect("a consumer");
        let output = child.stdout.take().expect("its output");
        let (line, lines) = mpsc::channel();
        thread::spawn(move || {
            for text in BufReader::new(output).lines().map_while(Result::ok) {
                if line.send(text).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    fn kcat(group: &str, topic: &str, strategy: &str) -> Self {
        let strategy = format!("partition.assignment.strategy={strategy}");
        let words = [
            "-u",
            "-X",
            &strategy,
            "-X",
            "auto.offset.reset=earliest",
            "-X",
            "session.timeout.ms=6000",
        ];
        let words = [&words[..], &["-G", group, topic]].concat();
        Self::start(&mut shared().kcat_command(&words))
    }

    fn java(group: &str, topic: &str, assignor: &str) -> Self {
        let assignor =
            format!("partition.assignment.strategy=org.apache.kafka.clients.consumer.{assignor}");
        let words = [
            "--topic",
            topic,
            "--group",
            group,
            "--from-beginning",
            "--command-property",
            &assignor,
            "--command-property",
            "session.timeout.ms=6000",
            "--command-property",
            "heartbeat.interval.ms=500",
            "--command-property",
            "group.protocol=classic",
        ];
        let tools = stack::KafkaTools::at(shared().bootstrap());
        Self::start(&mut tools.command(CONSOLE, &words).expect("java"))
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn put(log: &dyn Log, topic: &Arc<str>, text: &str) {
    let mut records = Encoded::default();
    for partition in 0..4 {
        let value = format!("{text}-{partition}");
        let record = records.push(topic, None, Some(value.as_bytes()), -1);
        record.partition = Some(partition);
    }
    let mut appender = log.appender(plain()).await.expect("an appender");
    let ticket = appender.append(&records).await.expect("records").ticket;
    appender
        .durable()
        .reach(ticket)
        .await
        .expect("durable records");
}

/// Ours is there, another one comes, both read, the other one goes.
async fn share(strategy: &str, theirs: impl Fn(&str, &str) -> Theirs) {
    let log = log();
    let topic = topic(&*log, 4).await;
    let group = unique("group");
    let strategy = [("partition.assignment.strategy", strategy)];
    let mut ours = Ours::join(&*log, &group, &topic, &strategy).await;
    ours.until("alone", |ours| ours.owned.len() == 4).await;
    put(&*log, &topic, "first").await;
    ours.until("the first records", |ours| ours.got.len() == 4)
        .await;
    ours.commit(&topic, 1).await;
    let other = theirs(&group, &topic);
    ours.until("shared", |ours| ours.owned.len() == 2).await;
    ours.got.clear();
    put(&*log, &topic, "second").await;
    let mut all = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    while all.len() + ours.got.len() < 4 {
        ours.step().await;
        all.extend(other.lines.try_iter());
        assert!(Instant::now() < deadline, "{all:?} {:?}", ours.got);
    }
    assert_eq!((all.len(), ours.got.len()), (2, 2), "{all:?}");
    all.append(&mut ours.got);
    all.sort();
    assert_eq!(all, ["second-0", "second-1", "second-2", "second-3"]);
    drop(other);
    ours.until("alone again", |ours| ours.owned.len() == 4)
        .await;
    ours.reader.close().await.expect("goodbye");
}

/// The other one is there first, and leads.
async fn follow(strategy: &str, theirs: impl Fn(&str, &str) -> Theirs) {
    let log = log();
    let topic = topic(&*log, 4).await;
    let group = unique("group");
    let other = theirs(&group, &topic);
    put(&*log, &topic, "first").await;
    for _ in 0..4 {
        other.lines.recv_timeout(PATIENCE).expect("a line");
    }
    let strategy = [("partition.assignment.strategy", strategy)];
    let mut ours = Ours::join(&*log, &group, &topic, &strategy).await;
    ours.until("shared", |ours| ours.owned.len() == 2).await;
    drop(other);
    ours.until("alone", |ours| ours.owned.len() == 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn librdkafka_and_ours_share_in_ranges() {
    share("range", |group, topic| Theirs::kcat(group, topic, "range")).await;
    follow("range", |group, topic| Theirs::kcat(group, topic, "range")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn librdkafka_and_ours_share_in_turns() {
    share("roundrobin", |group, topic| {
        Theirs::kcat(group, topic, "roundrobin")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn librdkafka_and_ours_share_step_by_step() {
    let theirs = |group: &str, topic: &str| Theirs::kcat(group, topic, "cooperative-sticky");
    share("cooperative-sticky", theirs).await;
    follow("cooperative-sticky", theirs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kafkas_own_and_ours_share_step_by_step() {
    let theirs = |group: &str, topic: &str| Theirs::java(group, topic, "CooperativeStickyAssignor");
    share("cooperative-sticky", theirs).await;
    follow("cooperative-sticky", theirs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kafkas_own_and_ours_share_in_ranges() {
    share("range", |group, topic| {
        Theirs::java(group, topic, "RangeAssignor")
    })
    .await;
}

/// Who assigns step by step takes only what moves: the others go on reading.
#[tokio::test(flavor = "multi_thread")]
async fn what_stays_is_not_taken_away() {
    let log = log();
    let topic = topic(&*log, 4).await;
    let group = unique("group");
    let mut first = Ours::join(&*log, &group, &topic, &[]).await;
    first.until("alone", |first| first.owned.len() == 4).await;
    let mut second = Ours::join(&*log, &group, &topic, &[]).await;
    let deadline = Instant::now() + PATIENCE;
    while first.owned.len() != 2 || second.owned.len() != 2 {
        tokio::join!(first.step(), second.step());
        assert!(
            first.owned.len() >= 2,
            "it keeps its half: {:?}",
            first.owned
        );
        assert!(Instant::now() < deadline, "they do not agree");
    }
    assert_eq!((first.revoked, second.revoked), (1, 0));
}

/// A member with an instance id comes back to its place without the others being asked.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_comes_back_to_its_place() {
    let log = log();
    let topic = topic(&*log, 4).await;
    let group = unique("group");
    let mut first = Ours::join(&*log, &group, &topic, &[("group.instance.id", "one")]).await;
    let mut second = Ours::join(&*log, &group, &topic, &[("group.instance.id", "two")]).await;
    let deadline = Instant::now() + PATIENCE;
    while first.owned.len() != 2 || second.owned.len() != 2 {
        tokio::join!(first.step(), second.step());
        assert!(Instant::now() < deadline, "they do not agree");
    }
    let (had, revoked) = (second.owned.clone(), first.revoked);
    second.reader.close().await.expect("goodbye");
    let mut second = Ours::join(&*log, &group, &topic, &[("group.instance.id", "two")]).await;
    while second.owned.len() != 2 {
        tokio::join!(first.step(), second.step());
        assert!(Instant::now() < deadline, "it does not come back");
    }
    assert_eq!((&second.owned, first.revoked), (&had, revoked));
    // Another one takes the place while it is there.
    let mut third = Ours::join(&*log, &group, &topic, &[("group.instance.id", "two")]).await;
    third.until("taken over", |third| third.owned == had).await;
    let error = loop {
        let mut out = Encoded::default();
        match second
            .reader
            .poll(&mut out, Duration::from_millis(100))
            .await
        {
            Ok(_) => assert!(Instant::now() < deadline, "it is not told"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), &NOT_MEMBER, "{error:?}");
}

/// A reader that is not polled gives its partitions up, is told so, and comes back.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_polled_gives_its_partitions_up() {
    let log = log();
    let topic = topic(&*log, 4).await;
    let group = unique("group");
    let mut silent = Ours::join(&*log, &group, &topic, &[("max.poll.interval.ms", "2000")]).await;
    silent
        .until("alone", |silent| silent.owned.len() == 4)
        .await;
    let mut other = Ours::join(&*log, &group, &topic, &[]).await;
    other
        .until("all of it", |other| other.owned.len() == 4)
        .await;
    let of = TopicPartition::new(topic.clone(), 0);
    let late = silent.reader.commit(&BTreeMap::from([(of, 1)])).await;
    assert_eq!(late.unwrap_err().code(), &NOT_MEMBER);
    let deadline = Instant::now() + PATIENCE;
    let mut was_told = false;
    while silent.owned.len() != 2 || other.owned.len() != 2 || !was_told {
        tokio::join!(silent.step(), other.step());
        was_told |= silent.revoked > 0;
        assert!(Instant::now() < deadline, "it does not come back");
    }
}

/// Partitions that are added to a topic are read.
#[tokio::test(flavor = "multi_thread")]
async fn new_partitions_are_found() {
    let log = log();
    let topic = topic(&*log, 1).await;
    let mut ours = Ours::join(&*log, &unique("group"), &topic, &[]).await;
    ours.until("the first", |ours| ours.owned.len() == 1).await;
    let words = ["--alter", "--topic", &topic, "--partitions", "4"];
    let altered = shared().tool("org.apache.kafka.tools.TopicCommand", &words);
    altered.expect("more partitions");
    ours.until("all", |ours| ours.owned.len() == 4).await;
    put(&*log, &topic, "new").await;
    ours.until("their records", |ours| ours.got.len() == 4)
        .await;
    assert_eq!(ours.revoked, 0);
}

/// A topic that is deleted and made anew is read from its new begin.
#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_made_anew_is_read_anew() {
    let log = log();
    let topic = topic(&*log, 1).await;
    let mut ours = Ours::join(&*log, &unique("group"), &topic, &[]).await;
    let spec = ReaderSpec {
        settings: settings(&[("auto.offset.reset", "earliest")]),
        ..ReaderSpec::default()
    };
    let mut alone = log.reader(spec).await.expect("a reader");
    let from = BTreeMap::from([(TopicPartition::new(topic.clone(), 0), 0)]);
    alone.assign(&from).await.expect("an assignment");
    let mut appender = log.appender(plain()).await.expect("an appender");
    appender
        .append(&numbers(&topic, 0..10))
        .await
        .expect("records");
    ours.until("the old", |ours| ours.got.len() == 10).await;
    let mut records = Encoded::default();
    let deadline = Instant::now() + PATIENCE;
    let wait = Duration::from_millis(100);
    while records.len() < 10 {
        alone.poll(&mut records, wait).await.expect("a poll");
        assert!(Instant::now() < deadline, "{} records", records.len());
    }
    drop(appender);
    log.delete_topic(&topic).await.expect("no topic");
    ours.until("gone", |ours| ours.owned.is_empty()).await;
    let spec = TopicSpec::new(topic.clone(), 1);
    log.create_topics(&[spec]).await.expect("a topic");
    let mut appender = log.appender(plain()).await.expect("an appender");
    appender
        .append(&numbers(&topic, 10..13))
        .await
        .expect("records");
    ours.until("the new", |ours| ours.got.len() == 13).await;
    while records.len() < 13 {
        alone.poll(&mut records, wait).await.expect("a poll");
        assert!(Instant::now() < deadline, "{} records", records.len());
    }
}
