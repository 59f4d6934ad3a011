//! What the embedded log costs: CPU seconds per million records of 600 bytes, and the latency of commits.
//!
//! `cargo bench -p connect-log --bench embedded [-- RECORDS] [lz4|uncompressed|memory]`. The folder is made in `TMPDIR`.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use connect_core::Encoded;
use connect_log::{
    AppenderSpec, At, Event, GroupCommit, Log, ReaderSpec, TopicPartition, TopicSpec,
    embedded::{EmbeddedLog, EmbeddedOptions},
    memory::MemoryLog,
};

const BATCH: usize = 2000;
const TOPIC: &str = "bench";

#[tokio::main]
async fn main() {
    let asked = std::env::args().filter_map(|arg| arg.parse().ok()).next();
    let records: usize = asked.unwrap_or(1_000_000);
    let batches: Vec<_> = (0..8).map(batch).collect();
    let bytes: usize = batches.iter().map(|b| b.bytes.len()).sum();
    println!("{records} records of {} bytes", bytes / 8 / BATCH);
    let args: Vec<String> = std::env::args().collect();
    let all_of_them = !args
        .iter()
        .any(|a| matches!(a.as_str(), "lz4" | "uncompressed" | "memory"));
    let wanted = |name: &str| all_of_them || args.iter().any(|arg| arg == name);
    for name in ["lz4", "uncompressed"]
        .into_iter()
        .filter(|name| wanted(name))
    {
        let dir = tempfile::tempdir().expect("a folder");
        let options = EmbeddedOptions::default();
        let log = EmbeddedLog::open(dir.path(), &options).expect("a log");
        println!("embedded, {name}");
        measure(log, &batches, records, name).await;
        let file = std::fs::metadata(dir.path().join("log.db")).expect("the file");
        println!("  file           {:>8} MB", file.len() >> 20);
    }
    if wanted("memory") {
        println!("memory");
        measure(MemoryLog::new(), &batches, records, "uncompressed").await;
    }
}

async fn measure(log: Arc<dyn Log>, batches: &[Encoded], records: usize, compression: &str) {
    let topic = TopicSpec::new(TOPIC, 3).setting("compression.type", compression);
    log.create_topics(&[topic]).await.expect("a topic");
    let clock = Clock::start();
    append(&*log, batches, records).await;
    clock.stop("append", records);
    let clock = Clock::start();
    read(&*log, records, At::Earliest).await;
    clock.stop("read", records);
    let clock = Clock::start();
    tokio::join!(
        read(&*log, records, At::Latest),
        append(&*log, batches, records)
    );
    clock.stop("append and follow", records);
    latency(&*log, batches).await;
    transactions(&*log, batches).await;
}

async fn append(log: &dyn Log, batches: &[Encoded], records: usize) {
    let mut appender = log.appender(AppenderSpec::default()).await.expect("one");
    let mut last = 0;
    for batch in batches.iter().cycle().take(records / BATCH) {
        last = appender.append(batch).await.expect("room").ticket;
    }
    appender.durable().reach(last).await.expect("durable");
}

async fn read(log: &dyn Log, records: usize, from: At) {
    let spec = ReaderSpec {
        settings: BTreeMap::from([("max.poll.records".to_owned(), "2000".to_owned())]),
        ..ReaderSpec::default()
    };
    let mut reader = log.reader(spec).await.expect("a reader");
    let mut at = BTreeMap::new();
    for partition in 0..3 {
        let of = TopicPartition::new(TOPIC, partition);
        let offset = log.offset_at(&of, from).await.expect("an offset");
        at.insert(of, offset);
    }
    reader.assign(&at).await.expect("assigned");
    let (mut out, mut got) = (Encoded::default(), 0);
    while got < records {
        out.clear();
        let wait = Duration::from_secs(30);
        let event = reader.poll(&mut out, wait).await.expect("records");
        assert_eq!(event, Event::Records, "after {got}");
        got += out.len();
    }
}

/// One record at a time, each waited for.
async fn latency(log: &dyn Log, batches: &[Encoded]) {
    let mut appender = log.appender(AppenderSpec::default()).await.expect("one");
    let one = first(&batches[0], 1);
    let mut times = Vec::new();
    for _ in 0..1000 {
        let began = Instant::now();
        let ticket = appender.append(&one).await.expect("room").ticket;
        appender.durable().reach(ticket).await.expect("durable");
        times.push(began.elapsed());
    }
    percentiles("one record durable", times);
}

async fn transactions(log: &dyn Log, batches: &[Encoded]) {
    let spec = AppenderSpec {
        transactional_id: Some("bench".to_owned()),
        ..AppenderSpec::default()
    };
    let mut appender = log.appender(spec).await.expect("one");
    let hundred = first(&batches[0], 100);
    let mut times = Vec::new();
    for offset in 0..1000 {
        let commit = GroupCommit {
            group: "bench".to_owned(),
            offsets: BTreeMap::from([(TopicPartition::new(TOPIC, 0), offset)]),
        };
        let began = Instant::now();
        appender.append(&hundred).await.expect("room");
        appender.commit(Some(&commit)).await.expect("committed");
        times.push(began.elapsed());
    }
    percentiles("100 records and an offset committed", times);
}

fn percentiles(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |part: usize| times[(times.len() * part / 1000).min(times.len() - 1)];
    println!(
        "  {what}: p50 {:?}, p99 {:?}, max {:?}",
        at(500),
        at(990),
        at(1000)
    );
}

/// Change events of one table, as JSON without schemas.
fn batch(seed: usize) -> Encoded {
    let topic = Arc::from(TOPIC);
    let mut out = Encoded::default();
    let mut state = 88_172_645_463_325_252 + seed as u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for at in 0..BATCH {
        let id = seed * BATCH + at;
        let key = format!("{{\"id\":{id}}}");
        let value = format!(
            "{{\"before\":null,\"after\":{{\"id\":{id},\"customer_id\":{},\"name\":\"{:016x}\",\"email\":\"{:016x}@example.com\",\
             \"amount\":\"{}.{:02}\",\"note\":\"{:016x} {:016x} {:016x} {:016x}\",\"updated_at\":{}}},\"source\":{{\"version\":\"0.1.0\",\
             \"connector\":\"postgresql\",\"name\":\"inventory\",\"ts_ms\":{},\"snapshot\":\"false\",\"db\":\"postgres\",\
             \"sequence\":\"[\\\"{}\\\",\\\"{}\\\"]\",\"schema\":\"public\",\"table\":\"orders\",\"txId\":{},\"lsn\":{},\"xmin\":null}},\
             \"transaction\":null,\"op\":\"c\",\"ts_ms\":{}}}",
            random() % 10_000,
            random(),
            random(),
            random() % 1000,
            random() % 100,
            random(),
            random(),
            random(),
            random(),
            1_700_000_000_000_000 + random() % 100_000_000,
            1_700_000_000_000 + at,
            24_000_000 + at * 300,
            24_000_100 + at * 300,
            700 + at / 100,
            24_000_100 + at * 300,
            1_700_000_000_100 + at,
        );
        out.push(&topic, Some(key.as_bytes()), Some(value.as_bytes()), -1);
    }
    out
}

fn first(batch: &Encoded, count: usize) -> Encoded {
    let mut out = Encoded::default();
    for record in &batch.records[..count] {
        out.push(&record.topic, batch.key(record), batch.value(record), -1);
    }
    out
}

struct Clock {
    began: Instant,
    cpu: f64,
}

impl Clock {
    fn start() -> Self {
        Self {
            began: Instant::now(),
            cpu: cpu_seconds(),
        }
    }

    fn stop(self, what: &str, records: usize) {
        let (wall, cpu) = (self.began.elapsed(), cpu_seconds() - self.cpu);
        let millions = records as f64 / 1e6;
        println!(
            "  {what:<18} {:>8.0} records/s, {:.2} CPU s per million, {} MB resident",
            records as f64 / wall.as_secs_f64(),
            cpu / millions,
            resident_bytes() >> 20
        );
    }
}

/// User and system time of this process.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split_whitespace().nth(1);
    pages.and_then(|p| p.parse::<usize>().ok()).unwrap_or(0) * 4096
}
