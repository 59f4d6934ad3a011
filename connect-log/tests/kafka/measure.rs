//! Numbers: CPU, memory and latency of the client on this machine.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use connect_core::Encoded;
use connect_log::{Append, AppenderSpec, Event, Log, Pace, ReaderSpec, TopicPartition};
use stack::{KafkaOptions, Process, Stack};

use super::broker::{log_of, plain, topic, transactional, unique};

const RECORDS: usize = 1_000_000;
const BYTES: usize = 600;
const BATCH: usize = 1000;

/// Numbers take minutes and a quiet machine: only when asked for.
fn measuring() -> bool {
    std::env::var_os("TIDEWATER_MEASURE").is_some()
}

fn me() -> Process {
    Process::find(std::process::id()).expect("this process")
}

fn cpu_seconds() -> f64 {
    me().cpu_seconds().expect("CPU time")
}

/// CPU seconds by the names of threads.
fn threads() -> BTreeMap<String, f64> {
    let mut all = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task")
        .expect("threads")
        .flatten()
    {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        let Some((name, rest)) = stat.split_once('(').and_then(|(_, s)| s.rsplit_once(") ")) else {
            continue;
        };
        let ticks = rest.split(' ').skip(11).take(2);
        let ticks: f64 = ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
        *all.entry(name.to_owned()).or_default() += ticks / 100.0;
    }
    all
}

fn busiest(before: &BTreeMap<String, f64>) -> String {
    let spent = threads().into_iter().map(|(name, cpu)| {
        let before = before.get(&name).copied().unwrap_or_default();
        (name, cpu - before)
    });
    let busy = spent.filter(|(_, cpu)| *cpu > 0.05);
    busy.map(|(name, cpu)| format!(" {name} {cpu:.2}"))
        .collect()
}

/// Batches of change events, cut or filled to so many bytes: a row of mixed columns and the source block that hardly changes.
fn batches(topic: &Arc<str>, bytes: usize) -> Vec<Encoded> {
    let mut seed = 1_u64;
    let mut random = move || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        seed >> 33
    };
    let mut batch = |first: usize| {
        let mut records = Encoded::default();
        for id in first..first + BATCH {
            let key = format!("{{\"id\":{id}}}");
            let mut value = format!(
                "{{\"before\":null,\"after\":{{\"id\":{id},\"customer\":{},\"amount\":\"{}.{:02}\",\"note\":\"{:x}{:x}{:x}\",\
                 \"created_at\":{},\"active\":{},\"email\":\"user{}@example.com\"}},\"source\":{{\"version\":\"3.6.1.Final\",\
                 \"connector\":\"postgresql\",\"name\":\"inventory\",\"ts_ms\":17632400{:05},\"snapshot\":\"false\",\"db\":\"inventory\",\
                 \"sequence\":\"[\\\"24023128\\\",\\\"24023128\\\"]\",\"schema\":\"public\",\"table\":\"orders\",\"txId\":{},\"lsn\":{},\
                 \"xmin\":null}},\"transaction\":null,\"op\":\"c\",\"ts_ms\":17632400{:05}",
                random() % 100_000,
                random() % 10_000,
                random() % 100,
                random(),
                random(),
                random(),
                random(),
                random() % 2 == 0,
                random() % 100_000,
                random() % 100_000,
                id / 10,
                24_023_128 + id * 160,
                random() % 100_000,
            );
            value.truncate(bytes - 1);
            while value.len() < bytes - 1 {
                value.push(' ');
            }
            value.push('}');
            records.push(topic, Some(key.as_bytes()), Some(value.as_bytes()), -1);
        }
        records
    };
    (0..8).map(|at| batch(at * BATCH)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measure_producing() {
    if !measuring() {
        return;
    }
    let stack = Stack::new().unwrap();
    let kafka = stack
        .kafka_with(KafkaOptions::default().full_speed())
        .unwrap();
    let settings: Vec<(String, String)> = std::env::var("MEASURE")
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|pair| {
            pair.split_once('=')
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
        })
        .collect();
    let settings: Vec<(&str, &str)> = settings
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    for compression in ["lz4", "lz4", "none", "lz4", "none"] {
        let mut all = settings.clone();
        all.push(("compression.type", compression));
        let log = log_of(&kafka, &all);
        let topic = topic(&*log, 1).await;
        let batches = batches(&topic, BYTES);
        let mut appender = log.appender(plain()).await.unwrap();
        let (cpu, start) = (me().cpu_seconds().unwrap(), Instant::now());
        let before = threads();
        let mut last = 0;
        for batch in batches.iter().cycle().take(RECORDS / BATCH) {
            last = appender.append(batch).await.unwrap().ticket;
        }
        appender.durable().reach(last).await.unwrap();
        println!("{}", busiest(&before));
        let cpu = me().cpu_seconds().unwrap() - cpu;
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{compression}: {cpu:.2} CPU s per million, {:.0} k/s, rss {:.0} MB, broker {:.2} s",
            RECORDS as f64 / seconds / 1000.0,
            me().rss_mb().unwrap(),
            kafka.cpu_seconds().unwrap(),
        );
    }
}

/// The bare client with the same settings, for comparison: what the appender adds is the difference.
#[test]
fn measure_the_bare_client() {
    if !measuring() {
        return;
    }
    use rdkafka::{
        ClientConfig,
        error::{KafkaError, RDKafkaErrorCode},
        producer::{BaseRecord, Producer, ThreadedProducer},
    };
    let stack = Stack::new().unwrap();
    let kafka = stack
        .kafka_with(KafkaOptions::default().full_speed())
        .unwrap();
    let name: Arc<str> = "bare".into();
    let batches = batches(&name, BYTES);
    for compression in ["lz4", "lz4", "none", "lz4", "none"] {
        let mut config = ClientConfig::new();
        for (setting, value) in [
            ("bootstrap.servers", kafka.bootstrap()),
            ("enable.idempotence", "true"),
            ("acks", "all"),
            ("compression.type", compression),
            ("linger.ms", "5"),
            ("batch.size", "1000000"),
            ("batch.num.messages", "50000"),
            ("queue.buffering.max.messages", "1000000"),
            ("queue.buffering.max.kbytes", "16384"),
        ] {
            config.set(setting, value);
        }
        let producer: ThreadedProducer<rdkafka::producer::DefaultProducerContext> =
            config.create().unwrap();
        let (cpu, start) = (me().cpu_seconds().unwrap(), Instant::now());
        for batch in batches.iter().cycle().take(RECORDS / BATCH) {
            for record in &batch.records {
                let (key, value) = (batch.key(record).unwrap(), batch.value(record).unwrap());
                loop {
                    match producer.send(BaseRecord::to("bare").key(key).payload(value)) {
                        Ok(()) => break,
                        Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                            std::thread::park_timeout(Duration::from_millis(3));
                        }
                        Err((error, _)) => panic!("{error}"),
                    }
                }
            }
        }
        producer.flush(Duration::from_secs(60)).unwrap();
        println!(
            "bare, {compression}: {:.2} CPU s per million, {:.0} k/s",
            me().cpu_seconds().unwrap() - cpu,
            RECORDS as f64 / start.elapsed().as_secs_f64() / 1000.0
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measure_consuming() {
    if !measuring() {
        return;
    }
    let stack = Stack::new().unwrap();
    let kafka = stack
        .kafka_with(KafkaOptions::default().full_speed())
        .unwrap();
    let log = log_of(&kafka, &[]);
    for bytes in [200, 1000] {
        let topic = topic(&*log, 1).await;
        let batches = batches(&topic, bytes);
        let mut appender = log.appender(plain()).await.unwrap();
        let mut last = 0;
        for batch in batches.iter().cycle().take(RECORDS / BATCH) {
            last = appender.append(batch).await.unwrap().ticket;
        }
        appender.durable().reach(last).await.unwrap();
        drop((appender, batches));
        println!("before reading: rss {:.0} MB", me().rss_mb().unwrap());
        for _ in 0..3 {
            let told = consume(&*log, &topic).await;
            println!("{bytes} bytes: {told}");
        }
    }
}

/// Reads everything, and tells what it took.
async fn consume(log: &dyn Log, topic: &Arc<str>) -> String {
    let (cpu, start) = (cpu_seconds(), Instant::now());
    let mut reader = log.reader(ReaderSpec::default()).await.expect("a reader");
    let from = BTreeMap::from([(TopicPartition::new(Arc::clone(topic), 0), 0)]);
    reader.assign(&from).await.expect("an assignment");
    let (mut count, mut records) = (0, Encoded::default());
    let mut first = None;
    while count < RECORDS {
        reader
            .poll(&mut records, Duration::from_secs(1))
            .await
            .expect("a poll");
        if !records.is_empty() {
            first.get_or_insert_with(|| start.elapsed());
        }
        count += records.len();
        records.clear();
    }
    format!(
        "first after {:.1} ms, {:.2} CPU s per million, {:.0} k/s, rss {:.0} MB",
        first.unwrap_or_default().as_secs_f64() * 1000.0,
        cpu_seconds() - cpu,
        RECORDS as f64 / start.elapsed().as_secs_f64() / 1000.0,
        me().rss_mb().expect("memory")
    )
}

/// A record each millisecond, with the time of its sending.
async fn trickle(mut appender: Box<dyn Append>, topic: Arc<str>, start: Instant) {
    let mut tick = tokio::time::interval(Duration::from_millis(1));
    let filler = "x".repeat(BYTES - 20);
    for _ in 0..20_000 {
        tick.tick().await;
        let mut records = Encoded::default();
        let value = format!("{} {filler}", start.elapsed().as_micros());
        records.push(&topic, None, Some(value.as_bytes()), -1);
        appender.append(&records).await.expect("room");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measure_latency() {
    if !measuring() {
        return;
    }
    let stack = Stack::new().unwrap();
    let kafka = stack
        .kafka_with(KafkaOptions::default().full_speed())
        .unwrap();
    for linger in ["0", "0.5", "1", "2", "5"] {
        let log = log_of(&kafka, &[("linger.ms", linger)]);
        let topic = topic(&*log, 1).await;
        let mut reader = log.reader(ReaderSpec::default()).await.unwrap();
        reader
            .assign(&BTreeMap::from([(
                TopicPartition::new(Arc::clone(&topic), 0),
                0,
            )]))
            .await
            .unwrap();
        let appender = log.appender(plain()).await.unwrap();
        let start = Instant::now();
        let sender = tokio::spawn(trickle(appender, Arc::clone(&topic), start));
        let mut delays = Vec::new();
        let mut records = Encoded::default();
        let (mut cpu, mut broker) = (0.0, 0.0);
        while delays.len() < 19_900 {
            let event = reader
                .poll(&mut records, Duration::from_secs(1))
                .await
                .unwrap();
            let now = start.elapsed().as_micros();
            if event != Event::Records {
                continue;
            }
            for record in &records.records {
                let value = String::from_utf8_lossy(records.value(record).unwrap());
                let sent: u128 = value.split(' ').next().unwrap().parse().unwrap();
                delays.push((now - sent) as f64 / 1000.0);
            }
            records.clear();
            if delays.len() < 5000 {
                cpu = me().cpu_seconds().unwrap();
                broker = kafka.cpu_seconds().unwrap();
            }
        }
        sender.await.unwrap();
        let mut delays = delays.split_off(5000);
        delays.sort_by(f64::total_cmp);
        let at = |share: f64| delays[(delays.len() as f64 * share) as usize];
        println!(
            "linger {linger}: p50 {:.2} p99 {:.2} p99.9 {:.2} max {:.2} ms; {:.2} CPU s client (both ends), {:.2} broker, per 15 s",
            at(0.5),
            at(0.99),
            at(0.999),
            at(0.99999),
            me().cpu_seconds().unwrap() - cpu,
            kafka.cpu_seconds().unwrap() - broker
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measure_commits() {
    if !measuring() {
        return;
    }
    let stack = Stack::new().unwrap();
    let kafka = stack
        .kafka_with(KafkaOptions::default().full_speed())
        .unwrap();
    let log = log_of(&kafka, &[]);
    let topic = topic(&*log, 1).await;
    let batches = batches(&topic, BYTES);
    let mut appender = log.appender(transactional(&unique("id"))).await.unwrap();
    let mut times = Vec::new();
    for batch in batches.iter().cycle().take(50) {
        let start = Instant::now();
        appender.append(batch).await.unwrap();
        let appended = start.elapsed();
        appender.commit(None).await.unwrap();
        times.push((start.elapsed(), appended));
    }
    times.sort();
    println!(
        "1000 records and a commit: p50 {:?} max {:?}",
        times[25], times[49]
    );
    let (cpu, start) = (me().cpu_seconds().unwrap(), Instant::now());
    for (at, batch) in batches.iter().cycle().take(RECORDS / BATCH).enumerate() {
        appender.append(batch).await.unwrap();
        if at % 100 == 99 {
            appender.commit(None).await.unwrap();
        }
    }
    appender.commit(None).await.unwrap();
    println!(
        "10 transactions of 100,000: {:.2} CPU s per million, {:.0} k/s, rss {:.0} MB",
        me().cpu_seconds().unwrap() - cpu,
        RECORDS as f64 / start.elapsed().as_secs_f64() / 1000.0,
        me().rss_mb().unwrap()
    );
}

/// Transactions of one record in both protocols: as the leader writes them, one now and then, and one after the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measure_small_transactions() {
    if !measuring() {
        return;
    }
    let stack = Stack::new().unwrap();
    let kafka = stack
        .kafka_with(KafkaOptions::default().full_speed())
        .unwrap();
    let log = log_of(&kafka, &[]);
    let topic = topic(&*log, 1).await;
    let mut one = Encoded::default();
    one.push(&topic, Some(b"key"), Some(&[b'x'; 300]), -1);
    let mut appenders = Vec::new();
    for pace in [Pace::Steady, Pace::Rare] {
        let spec = AppenderSpec {
            pace,
            ..transactional(&unique("id"))
        };
        appenders.push((pace, log.appender(spec).await.unwrap()));
    }
    for (what, count, pause_ms) in [
        ("to warm up", 2000, 0),
        ("now and then", 200, 60),
        ("now and then", 200, 60),
        ("every 30 ms", 200, 30),
        ("every 10 ms", 200, 10),
        ("one after the other", 2000, 0),
    ] {
        for (pace, appender) in &mut appenders {
            let mut times = Vec::new();
            for _ in 0..count {
                let start = Instant::now();
                appender.append(&one).await.unwrap();
                let appended = start.elapsed();
                appender.commit(None).await.unwrap();
                times.push((start.elapsed(), appended));
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            }
            times.sort();
            let at = |share: f64| times[(count as f64 * share) as usize];
            println!(
                "transactions of one record, {pace:?}, {what}: p50 {:?} p99 {:?}, with the time until it was taken",
                at(0.5),
                at(0.99)
            );
        }
    }
}
