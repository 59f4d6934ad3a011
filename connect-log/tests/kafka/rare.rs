//! Rare transactions: two answers instead of three (KIP-890), and what happens when one of them is lost.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
    sync::{Arc, Mutex},
};

use connect_log::{
    Append, AppenderSpec, FENCED, GroupCommit, Log, Pace, TopicPartition, kafka::KafkaLog,
};
use stack::{Fate, Kafka, KafkaOptions, Stack};

use super::broker::{log_of, numbers, settings, topic, transactional, unique, values};

const PRODUCE: i16 = 0;
const INIT_PRODUCER_ID: i16 = 22;
const ADD_PARTITIONS: i16 = 24;
const ADD_OFFSETS: i16 = 25;
const END: i16 = 26;
const COMMIT_OFFSETS: i16 = 28;
const OF_TRANSACTIONS: [i16; 6] = [
    PRODUCE,
    INIT_PRODUCER_ID,
    ADD_PARTITIONS,
    ADD_OFFSETS,
    END,
    COMMIT_OFFSETS,
];

fn rare(id: &str) -> AppenderSpec {
    AppenderSpec {
        pace: Pace::Rare,
        ..transactional(id)
    }
}

/// A broker behind a proxy, and what a log has asked it for.
struct Watched {
    _stack: Stack,
    kafka: Kafka,
    log: Arc<KafkaLog>,
    requests: Arc<Mutex<Requests>>,
}

#[derive(Default)]
struct Requests {
    /// Key and version.
    seen: Vec<(i16, i16)>,
    /// The answer to the next one of this key is lost.
    loses: Option<i16>,
}

impl Requests {
    /// Clients write requests whole.
    fn judge(&mut self, mut sent: &[u8]) -> Fate {
        let mut fate = Fate::Arrives;
        while let [a, b, c, d, k, l, v, w, ..] = *sent {
            let (key, version) = (i16::from_be_bytes([k, l]), i16::from_be_bytes([v, w]));
            if OF_TRANSACTIONS.contains(&key) {
                self.seen.push((key, version));
                if self.loses.take_if(|loses| *loses == key).is_some() {
                    fate = Fate::Lost;
                }
            }
            let length = u32::from_be_bytes([a, b, c, d]) as usize;
            sent = sent.get(4 + length..).unwrap_or_default();
        }
        fate
    }
}

impl Watched {
    fn new() -> Self {
        let stack = Stack::new().expect("a folder for servers");
        let options = KafkaOptions::default().proxied();
        let kafka = stack.kafka_with(options).expect("a broker");
        let proxy = kafka.proxy().expect("a proxy");
        let requests = Arc::new(Mutex::new(Requests::default()));
        proxy.judge({
            let requests = Arc::clone(&requests);
            move |sent| requests.lock().expect("no panic").judge(sent)
        });
        let settings = settings(&[("bootstrap.servers", &proxy.address())]);
        Self {
            log: KafkaLog::connect(&settings).expect("valid settings"),
            _stack: stack,
            kafka,
            requests,
        }
    }

    /// What was asked for since this was asked last; what was asked again at once counts once.
    fn seen(&self) -> Vec<(i16, i16)> {
        let mut seen = std::mem::take(&mut self.requests.lock().expect("no panic").seen);
        seen.dedup();
        seen
    }

    fn lose(&self, key: i16) {
        self.requests.lock().expect("no panic").loses = Some(key);
    }

    /// Whether the answer was lost that was to be.
    fn has_lost(&self) -> bool {
        self.requests.lock().expect("no panic").loses.is_none()
    }
}

/// A record, committed.
async fn write(appender: &mut dyn Append, topic: &Arc<str>, number: u64) {
    let one = numbers(topic, number..number + 1);
    appender.append(&one).await.expect("a record");
    appender.commit(None).await.expect("a commit");
}

fn all(count: u64) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rare_transaction_takes_two_answers() {
    let watched = Watched::new();
    let log = &*watched.log;
    let topic = topic(log, 1).await;
    let mut appender = log.appender(rare(&unique("id"))).await.unwrap();
    assert_eq!(watched.seen(), [(INIT_PRODUCER_ID, 4)]);
    write(&mut *appender, &topic, 0).await;
    let two = [(PRODUCE, 12), (END, 5)];
    assert_eq!(watched.seen(), two);
    // Soon after it, markers may not have been written yet; then the coordinator is asked first.
    let three = [(ADD_PARTITIONS, 3), (PRODUCE, 12), (END, 5)];
    for number in 1..20 {
        write(&mut *appender, &topic, number).await;
        let seen = watched.seen();
        assert!(seen == two || seen == three, "{seen:?}");
    }
    let mut appender = log.appender(transactional(&unique("id"))).await.unwrap();
    watched.seen();
    write(&mut *appender, &topic, 20).await;
    let steady = [(ADD_PARTITIONS, 3), (PRODUCE, 9), (END, 3)];
    assert_eq!(watched.seen(), steady);
    assert_eq!(values(log, &topic).await, all(21));
}

/// A cluster whose feature is not in force, or not any more.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_feature_transactions_are_made_the_old_way() {
    let watched = Watched::new();
    let log = &*watched.log;
    let topic = topic(log, 1).await;
    let mut before = log.appender(rare(&unique("id"))).await.unwrap();
    write(&mut *before, &topic, 0).await;
    let kafka = watched.kafka.clone();
    let lowered = tokio::task::spawn_blocking(move || {
        let words = ["downgrade", "--feature", "transaction.version=1"];
        kafka.tool("org.apache.kafka.tools.FeatureCommand", &words)
    });
    lowered.await.unwrap().unwrap();
    watched.seen();
    let mut appender = log.appender(rare(&unique("id"))).await.unwrap();
    write(&mut *appender, &topic, 1).await;
    write(&mut *appender, &topic, 2).await;
    let seen = watched.seen();
    assert_eq!(seen[0], (INIT_PRODUCER_ID, 4));
    assert!(seen[1..].contains(&(ADD_PARTITIONS, 3)), "{seen:?}");
    assert!(seen[1..].contains(&(END, 3)), "{seen:?}");
    assert!(!seen.contains(&(PRODUCE, 12)), "{seen:?}");
    // Who began before goes on as it began.
    write(&mut *before, &topic, 3).await;
    write(&mut *before, &topic, 4).await;
    assert_eq!(values(log, &topic).await, all(5));
}

/// Every answer of a transaction, once: what was done is not done twice, and the next transaction works.
#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_are_asked_for_again() {
    let watched = Watched::new();
    let log = &*watched.log;
    for pace in [Pace::Steady, Pace::Rare] {
        let (topic, from) = (topic(log, 1).await, topic(log, 1).await);
        let (id, group) = (unique("id"), unique("group"));
        let spec = AppenderSpec {
            pace,
            ..transactional(&id)
        };
        watched.lose(INIT_PRODUCER_ID);
        let mut appender = log.appender(spec).await.unwrap();
        assert!(watched.has_lost());
        let mut count = 0;
        for (key, commits) in [
            (PRODUCE, true),
            (END, true),
            (COMMIT_OFFSETS, true),
            (END, false),
        ] {
            watched.lose(key);
            let at = TopicPartition::new(from.clone(), 0);
            let offsets = GroupCommit {
                group: group.clone(),
                offsets: BTreeMap::from([(at, count as i64)]),
            };
            let one = numbers(&topic, count..count + 1);
            appender.append(&one).await.unwrap();
            match commits {
                true => appender.commit(Some(&offsets)).await.unwrap(),
                false => appender.abort().await.unwrap(),
            }
            assert!(watched.has_lost(), "{key}");
            if commits {
                let found = log.group_offsets(&group).await.unwrap();
                assert_eq!(found, offsets.offsets);
                count += 1;
            }
            write(&mut *appender, &topic, count).await;
            count += 1;
        }
        assert_eq!(values(log, &topic).await, all(count), "{pace:?}");
    }
}

/// Who commits while another begins either has done so before, or never does.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_writer_that_lost_an_answer_commits_nothing_more() {
    let watched = Watched::new();
    let log = &*watched.log;
    let topic = topic(log, 1).await;
    let id = unique("id");
    let mut older = log.appender(rare(&id)).await.unwrap();
    write(&mut *older, &topic, 0).await;
    older.append(&numbers(&topic, 100..101)).await.unwrap();
    let mut newer = log.appender(rare(&id)).await.unwrap();
    write(&mut *newer, &topic, 1).await;
    let error = older.commit(None).await.unwrap_err();
    assert_eq!(error.code(), &FENCED, "{error:?}");
    // Its epoch is again one before that of the newer one's last transaction, or two.
    write(&mut *newer, &topic, 2).await;
    assert!(older.append(&numbers(&topic, 101..102)).await.is_err());
    assert_eq!(values(log, &topic).await, all(3));
}

/// Transactions between which a broker dies, with one that is killed before the answer and one after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_dies_between_the_steps_changes_nothing() {
    let stack = Stack::new().unwrap();
    let kafka = stack.kafka().unwrap();
    let log = log_of(&kafka, &[]);
    let topic = topic(&*log, 1).await;
    let mut appender = log.appender(rare(&unique("id"))).await.unwrap();
    for round in 0..3_u64 {
        let restart = || {
            let kafka = kafka.clone();
            tokio::task::spawn_blocking(move || {
                kafka.kill9()?;
                kafka.start()
            })
        };
        // At once after a commit, between a record and its commit, and while it is committed.
        let one = numbers(&topic, round..round + 1);
        if round == 0 {
            appender.append(&one).await.unwrap();
            appender.commit(None).await.unwrap();
            restart().await.unwrap().unwrap();
            continue;
        }
        appender.append(&one).await.unwrap();
        let restarting = restart();
        if round == 1 {
            restarting.await.unwrap().unwrap();
            appender.commit(None).await.unwrap();
        } else {
            appender.commit(None).await.unwrap();
            restarting.await.unwrap().unwrap();
        }
    }
    write(&mut *appender, &topic, 3).await;
    assert_eq!(values(&*log, &topic).await, all(4));
}

/// Fences an id until its epoch is at least this one.
fn age(kafka: &Kafka, id: &str, epoch: i16) {
    const AT_ONCE: usize = 200;
    let mut request = vec![0, 0, 0, 0];
    for part in [
        &INIT_PRODUCER_ID.to_be_bytes()[..],
        // Version, number of the request, no name of the client.
        &[0, 0, 0, 0, 0, 0, 0xff, 0xff],
        &(id.len() as u16).to_be_bytes(),
        id.as_bytes(),
        &60_000_u32.to_be_bytes(),
    ] {
        request.extend_from_slice(part);
    }
    let length = (request.len() - 4) as u32;
    request[..4].copy_from_slice(&length.to_be_bytes());
    let requests = request.repeat(AT_ONCE);
    let mut broker = TcpStream::connect(kafka.bootstrap()).expect("a broker");
    loop {
        broker.write_all(&requests).expect("requests");
        // Length, number, time to wait, error, id, epoch.
        let mut answers = [[0; 24]; AT_ONCE];
        let answers = answers.as_flattened_mut();
        broker.read_exact(answers).expect("answers");
        let last = &answers[answers.len() - 24..];
        assert_eq!(last[12..14], [0, 0], "the broker's error");
        if i16::from_be_bytes([last[22], last[23]]) >= epoch {
            return;
        }
    }
}

/// After the last epoch of an id comes another id, also when that answer is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_spent_epoch_gives_way_to_another_id() {
    let watched = Watched::new();
    let log = &*watched.log;
    for loses in [false, true] {
        let (topic, id) = (topic(log, 1).await, unique("id"));
        drop(log.appender(rare(&id)).await.unwrap());
        let (kafka, aged) = (watched.kafka.clone(), id.clone());
        let aging = tokio::task::spawn_blocking(move || age(&kafka, &aged, i16::MAX - 250));
        aging.await.unwrap();
        let mut appender = log.appender(rare(&id)).await.unwrap();
        for number in 0..260 {
            if loses {
                watched.lose(END);
            }
            write(&mut *appender, &topic, number).await;
            assert!(watched.has_lost());
        }
        assert_eq!(values(log, &topic).await, all(260));
    }
}
