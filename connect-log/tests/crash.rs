//! The embedded log is killed at random moments, many times, and must have kept all that it acknowledged.
//!
//! The child is this test's own program, started again with a folder to write to. It appends plain records, commits transactions with
//! offsets of a group, and prints what was acknowledged. `TIDEWATER_SUITE=chaos` kills it 50 times instead of 5.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use connect_core::Encoded;
use connect_log::{
    Append, AppenderSpec, At, Event, GroupCommit, Log, ReaderSpec, TopicPartition, TopicSpec,
    embedded::{EmbeddedLog, EmbeddedOptions},
};

const FOLDER: &str = "TIDEWATER_CRASH_FOLDER";
const PARTITIONS: i32 = 2;
/// Records of one transaction, spread over two topics.
const TRANSACTION: u64 = 20;
const GROUP: &str = "group";
/// Keys of the compacted topic that every transaction writes to as well.
const STATES: u64 = 7;

/// What the child said is durable, over all its lives.
#[derive(Debug, Default)]
struct Acknowledged {
    /// Plain records before this number.
    plain: u64,
    /// Transactions before this number.
    transactions: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        write(Path::new(&folder)).await;
        return;
    }
    let long = std::env::var("TIDEWATER_SUITE").is_ok_and(|suite| suite == "chaos");
    let kills = if long { 50 } else { 5 };
    let folder = tempfile::tempdir().expect("a folder");
    let mut known = Acknowledged::default();
    for kill in 0..kills {
        let lines = run_and_kill(folder.path(), kill);
        for line in &lines {
            let (what, number) = line.split_once(' ').expect("a word and a number");
            let number: u64 = number.parse().expect("a number");
            match what {
                "plain" => known.plain = known.plain.max(number),
                "transaction" => known.transactions = known.transactions.max(number),
                other => panic!("the child said {other}"),
            }
        }
        check(folder.path(), &known).await;
    }
    assert!(known.plain > 0 && known.transactions > 0, "{known:?}");
}

/// Starts the child, kills it after some acknowledgements, and gives back what it said.
fn run_and_kill(folder: &Path, kill: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["nothing_acknowledged_is_lost", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the child starts");
    let stdout = child.stdout.take().expect("its output");
    let child = Arc::new(Mutex::new(child));
    let said = Arc::new(AtomicUsize::new(0));
    let killer = kill_when(Arc::clone(&child), Arc::clone(&said), 5 + kill * 37 % 200);
    let mut lines = Vec::new();
    for line in BufReader::new(stdout).lines() {
        let line = line.expect("text");
        let Some(line) = line.strip_prefix("acked ").filter(|l| l.ends_with('.')) else {
            // The test harness's own words, or a line that was cut by the kill.
            continue;
        };
        lines.push(line.trim_end_matches('.').to_owned());
        said.fetch_add(1, Ordering::Release);
        killer.thread().unpark();
    }
    killer.join().expect("the killer");
    child.lock().expect("the child").wait().expect("its end");
    lines
}

/// Kills after so many acknowledgements, and then some microseconds, so that it happens at any point of a commit.
fn kill_when(
    child: Arc<Mutex<Child>>,
    said: Arc<AtomicUsize>,
    after: usize,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        while said.load(Ordering::Acquire) < after {
            std::thread::park_timeout(Duration::from_millis(50));
        }
        // At once, which finds what was acknowledged too early, or at any point of the next commits.
        let later = Duration::from_micros((after * 7919 % 3000) as u64);
        if after.is_multiple_of(2) {
            std::thread::park_timeout(later);
        }
        child.lock().expect("the child").kill().expect("a kill");
    })
}

/// The child: goes on where the log ends, as fast as it can, until it is killed.
async fn write(folder: &Path) {
    let log = EmbeddedLog::open(folder, &options()).expect("a log");
    let topics = ["plain", "left", "right"].map(|name| TopicSpec::new(name, PARTITIONS));
    log.create_topics(&topics).await.expect("topics");
    let state = TopicSpec::new("state", PARTITIONS).compacted();
    log.create_topics(&[state]).await.expect("a topic");
    let plain = read(&*log, "plain").await.len() as u64;
    let transactions = read(&*log, "left").await.len() as u64 / (TRANSACTION / 2);
    tokio::join!(
        write_plain(&*log, plain),
        write_transactions(&*log, transactions)
    );
}

async fn write_plain(log: &dyn Log, mut next: u64) {
    let mut appender = log.appender(AppenderSpec::default()).await.expect("one");
    let topic = Arc::from("plain");
    let filling = "f".repeat(300);
    let mut records = Encoded::default();
    // The ticket of each append that is under way, with the number after its last record.
    let mut under_way = std::collections::VecDeque::new();
    loop {
        records.clear();
        for _ in 0..1 + next % 50 {
            push(&mut records, &topic, next, &filling);
            next += 1;
        }
        let ticket = appender.append(&records).await.expect("room").ticket;
        under_way.push_back((ticket, next));
        // Sometimes many are under way, sometimes each is waited for.
        while under_way.len() > (next / 500 % 3 * 4) as usize {
            let (ticket, number) = under_way.pop_front().expect("the oldest");
            appender.durable().reach(ticket).await.expect("durable");
            say("plain", number);
        }
    }
}

async fn write_transactions(log: &dyn Log, mut next: u64) {
    let spec = AppenderSpec {
        transactional_id: Some("writer".to_owned()),
        ..AppenderSpec::default()
    };
    let mut appender = log.appender(spec).await.expect("one");
    let topics = [Arc::from("left"), Arc::from("right")];
    let state = Arc::from("state");
    loop {
        abort_sometimes(&mut *appender, &topics[0], next).await;
        for at in 0..TRANSACTION {
            let mut records = Encoded::default();
            let number = next * TRANSACTION / 2 + at / 2;
            push(&mut records, &topics[(at % 2) as usize], number, "t");
            appender.append(&records).await.expect("room");
        }
        let mut records = Encoded::default();
        let (key, value) = ((next % STATES).to_string(), next.to_string());
        records.push(&state, Some(key.as_bytes()), Some(value.as_bytes()), -1);
        appender.append(&records).await.expect("room");
        let commit = GroupCommit {
            group: GROUP.to_owned(),
            offsets: BTreeMap::from([(TopicPartition::new("plain", 0), next as i64 + 1)]),
        };
        appender.commit(Some(&commit)).await.expect("committed");
        next += 1;
        say("transaction", next);
    }
}

async fn abort_sometimes(appender: &mut dyn Append, topic: &Arc<str>, next: u64) {
    if next.is_multiple_of(3) {
        let mut records = Encoded::default();
        push(&mut records, topic, u64::MAX, "never");
        appender.append(&records).await.expect("room");
        appender.abort().await.expect("aborted");
    }
}

fn push(records: &mut Encoded, topic: &Arc<str>, number: u64, filling: &str) {
    let key = number.to_string();
    let value = format!("{number} {filling}");
    records.push(topic, Some(key.as_bytes()), Some(value.as_bytes()), -1);
}

/// One whole line, so that a kill never makes another number of it.
fn say(what: &str, number: u64) {
    let line = format!("acked {what} {number}.\n");
    std::io::stdout().write_all(line.as_bytes()).expect("said");
}

/// Everything acknowledged is there, once, in order, and transactions are whole.
async fn check(folder: &Path, known: &Acknowledged) {
    let log = EmbeddedLog::open(folder, &options()).expect("the log opens after a kill");
    let plain = numbers(&*log, "plain").await;
    assert!(
        plain.len() as u64 >= known.plain,
        "{} of {known:?}",
        plain.len()
    );
    let left = numbers(&*log, "left").await;
    let right = numbers(&*log, "right").await;
    assert_eq!(left, right, "a transaction is in both topics or in none");
    let transactions = left.len() as u64 / (TRANSACTION / 2);
    assert_eq!(left.len() as u64 % (TRANSACTION / 2), 0, "no part of one");
    assert!(
        transactions >= known.transactions,
        "{transactions} of {known:?}"
    );
    let offsets = log.group_offsets(GROUP).await.expect("offsets");
    let committed = offsets.values().next().copied().unwrap_or(0);
    assert_eq!(
        committed as u64, transactions,
        "offsets came with the records"
    );
    // Compaction was killed, too: of each key the last record is there.
    let mut state = BTreeMap::new();
    for (_, number) in read(&*log, "state").await {
        state.insert(number % STATES, number);
    }
    let last = transactions.saturating_sub(STATES)..transactions;
    let expected: BTreeMap<_, _> = last.map(|number| (number % STATES, number)).collect();
    assert_eq!(state, expected);
}

/// The numbers in a topic: each once, none missing, growing in each partition.
async fn numbers(log: &dyn Log, topic: &str) -> BTreeSet<u64> {
    let read = read(log, topic).await;
    let count = read.len();
    let mut last = BTreeMap::new();
    for (partition, number) in &read {
        let before = last.insert(*partition, *number);
        assert!(before < Some(*number), "{topic} {partition}: order");
    }
    let numbers: BTreeSet<u64> = read.into_iter().map(|(_, number)| number).collect();
    assert_eq!(numbers.len(), count, "{topic}: a record is there twice");
    let all = numbers.last().map_or(0, |last| last + 1);
    assert_eq!(all, count as u64, "{topic}: a record is missing");
    numbers
}

async fn read(log: &dyn Log, topic: &str) -> Vec<(i32, u64)> {
    let mut reader = log.reader(ReaderSpec::default()).await.expect("a reader");
    let mut left = BTreeMap::new();
    let mut from = BTreeMap::new();
    for partition in 0..PARTITIONS {
        let of = TopicPartition::new(topic, partition);
        left.insert(partition, log.offset_at(&of, At::Latest).await.expect("it"));
        from.insert(of, 0);
    }
    reader.assign(&from).await.expect("assigned");
    let (mut read, mut out) = (Vec::new(), Encoded::default());
    left.retain(|_, end| *end > 0);
    while !left.is_empty() {
        out.clear();
        let wait = Duration::from_secs(30);
        let event = reader.poll(&mut out, wait).await.expect("records");
        assert_eq!(event, Event::Records, "{topic}: {left:?}");
        for record in &out.records {
            let partition = record.partition.expect("one");
            let value = std::str::from_utf8(out.value(record).expect("one")).expect("text");
            let number = value.split(' ').next().and_then(|n| n.parse().ok());
            read.push((partition, number.expect("a number")));
            if left.get(&partition) == Some(&(record.offset + 1)) {
                left.remove(&partition);
            }
        }
    }
    read
}

fn options() -> EmbeddedOptions {
    EmbeddedOptions {
        // Retention and compaction go on at the same time.
        upkeep_interval: Duration::from_millis(20),
        ..EmbeddedOptions::default()
    }
}
