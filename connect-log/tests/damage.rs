//! The embedded log's file: reopened, taken, foreign, cut, damaged, and on a full disk.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::{Seek, SeekFrom, Write},
    path::Path,
    sync::Arc,
    time::Duration,
};

use connect_core::{Encoded, Error, Result};
use connect_log::{
    Append, AppenderSpec, At, Event, Log, ReaderSpec, STORAGE, TopicPartition, TopicSpec, UNUSABLE,
    embedded::{EmbeddedLog, EmbeddedOptions},
};

const TOPIC: &str = "topic";

#[tokio::test]
async fn everything_is_there_after_opening_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path()).expect("a log");
    let id = log.cluster_id().await.expect("an id");
    let settings = TopicSpec::new(TOPIC, 2).setting("retention.ms", "-1");
    let gone = TopicSpec::new("gone", 3);
    log.create_topics(&[gone, settings]).await.expect("topics");
    append(&*log, 0..100).await.expect("appended");
    log.delete_topic("gone").await.expect("deleted");
    let of = TopicPartition::new(TOPIC, 0);
    log.delete_records(&of, 10).await.expect("deleted");
    let offsets = BTreeMap::from([
        (of.clone(), Some(42)),
        (TopicPartition::new(TOPIC, 1), Some(7)),
    ]);
    log.alter_group_offsets("group", &offsets)
        .await
        .expect("set");
    let end = log.offset_at(&of, At::Latest).await.expect("an end");
    let info = log.topic(TOPIC).await.expect("a topic");
    drop(log);
    let log = again(folder.path());
    assert_eq!(log.cluster_id().await.expect("an id"), id);
    assert_eq!(log.topics().await.expect("topics"), [TOPIC]);
    assert_eq!(log.topic(TOPIC).await.expect("a topic"), info);
    assert_eq!(log.offset_at(&of, At::Earliest).await.expect("a start"), 10);
    assert_eq!(log.offset_at(&of, At::Latest).await.expect("an end"), end);
    assert_eq!(log.group_offsets("group").await.expect("them").len(), 2);
    let left = read_all(&*log).await.expect("records");
    assert_eq!(left.len(), 90);
    append(&*log, 100..101).await.expect("appended");
    assert_eq!(read_all(&*log).await.expect("records").len(), 91);
}

/// What is deleted by request, and of deleted topics, leaves the file, also when that was interrupted.
#[tokio::test]
async fn offsets_are_not_given_again_when_all_records_are_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path()).expect("a log");
    log.create_topics(&[TopicSpec::new(TOPIC, 1)])
        .await
        .expect("a topic");
    append(&*log, 0..50).await.expect("appended");
    let of = TopicPartition::new(TOPIC, 0);
    log.delete_records(&of, 50).await.expect("deleted");
    log.upkeep().await.expect("upkeep");
    drop(log);
    let log = again(folder.path());
    for at in [At::Earliest, At::Latest] {
        assert_eq!(log.offset_at(&of, at).await.expect("an offset"), 50);
    }
}

#[tokio::test]
async fn one_process_at_a_time_has_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path()).expect("a log");
    must_be_unusable(open(folder.path()), "another process");
    // Whoever uses the log keeps it.
    let mut reader = log.reader(ReaderSpec::default()).await.expect("a reader");
    drop(log);
    must_be_unusable(open(folder.path()), "another process");
    reader.close().await.expect("closed");
    drop(reader);
    drop(again(folder.path()));
}

#[tokio::test]
async fn a_foreign_file_is_not_touched() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log.db");
    let text = "this is not a database, but somebody's only copy".repeat(100);
    std::fs::write(&path, &text).expect("written");
    must_be_unusable(open(folder.path()), "not a file of this program");
    assert_eq!(std::fs::read_to_string(&path).expect("read"), text);
    std::fs::remove_file(&path).expect("removed");
    let other = rusqlite::Connection::open(&path).expect("a database");
    other
        .execute_batch("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1);")
        .expect("done");
    drop(other);
    let before = std::fs::read(&path).expect("read");
    must_be_unusable(open(folder.path()), "another program");
    assert_eq!(std::fs::read(&path).expect("read"), before);
    let other = rusqlite::Connection::open(&path).expect("a database");
    let one: i64 = other
        .query_row("SELECT a FROM theirs", [], |row| row.get(0))
        .expect("1");
    assert_eq!(one, 1);
}

/// A process that is killed while it makes the file leaves one without tables.
#[tokio::test]
async fn a_file_without_tables_is_a_new_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = rusqlite::Connection::open(folder.path().join("log.db")).expect("it");
    empty
        .execute_batch("PRAGMA page_size = 16384; PRAGMA journal_mode = WAL;")
        .expect("done");
    drop(empty);
    let log = open(folder.path()).expect("a log");
    log.create_topics(&[TopicSpec::new(TOPIC, 1)])
        .await
        .expect("a topic");
    append(&*log, 0..10).await.expect("appended");
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_not_touched() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(open(folder.path()).expect("a log"));
    let db = rusqlite::Connection::open(folder.path().join("log.db")).expect("it");
    db.execute_batch("PRAGMA user_version = 999").expect("done");
    drop(db);
    must_be_unusable(open(folder.path()), "another version");
}

/// Whatever the file is cut to, it is refused politely or opens as an empty one.
#[tokio::test]
async fn a_file_that_was_cut_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let full = filled(folder.path()).await;
    let path = folder.path().join("log.db");
    let cuts = [
        1, 16, 50, 100, 511, 512, 4096, 16_384, 20_000, 32_768, 65_536,
    ];
    let cuts = cuts.into_iter().chain([full.len() / 2, full.len() - 1]);
    for len in cuts {
        std::fs::write(&path, &full[..len]).expect("cut");
        let error = open(folder.path()).err();
        let error = error.unwrap_or_else(|| panic!("{len} bytes were taken for a whole log"));
        assert_eq!(error.code(), &UNUSABLE, "{len}: {error:?}");
    }
    std::fs::write(&path, &full).expect("whole");
    let log = open(folder.path()).expect("the whole file is fine");
    assert_eq!(read_all(&*log).await.expect("records").len(), 2000);
}

/// Bytes that were changed anywhere are an error or are not needed, never a panic and never wrong records.
#[tokio::test]
async fn a_damaged_file_gives_no_wrong_records() {
    let folder = tempfile::tempdir().expect("a folder");
    let full = filled(folder.path()).await;
    let path = folder.path().join("log.db");
    let mut found = 0;
    for step in 0..60 {
        std::fs::write(&path, &full).expect("whole");
        let at = (full.len() as u64 - 64) * step / 60;
        let mut file = OpenOptions::new().write(true).open(&path).expect("it");
        file.seek(SeekFrom::Start(at)).expect("there");
        file.write_all(&[0xa5; 64]).expect("damaged");
        drop(file);
        match try_all(folder.path()).await {
            Ok(records) => assert!(records.iter().all(|record| expected().contains(record))),
            Err(error) => {
                assert_eq!(error.code(), &UNUSABLE, "{at}: {error:?}");
                found += 1;
            }
        }
    }
    assert!(
        found > 30,
        "most of the file are records, and have checksums: {found}"
    );
}

/// On a full disk nothing is acknowledged that is not there; when there is space again, a new appender works.
#[tokio::test]
async fn a_full_disk_is_survived() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = EmbeddedOptions {
        max_file_bytes: Some(2 << 20),
        ..EmbeddedOptions::default()
    };
    let log = EmbeddedLog::open(folder.path(), &options).expect("a log");
    let plain = TopicSpec::new(TOPIC, 1).setting("compression.type", "none");
    let other = TopicSpec::new("other", 1).setting("compression.type", "none");
    log.create_topics(&[plain, other]).await.expect("topics");
    let mut acknowledged = 0;
    let error = loop {
        match append(&*log, acknowledged..acknowledged + 100).await {
            Ok(()) => acknowledged += 100,
            Err(error) => break error,
        }
        assert!(acknowledged < 100_000, "the disk never gets full");
    };
    assert_eq!(error.code(), &STORAGE, "{error:?}");
    assert!(acknowledged > 100);
    let there = read_all(&*log).await.expect("reading goes on");
    assert_eq!(
        there.len(),
        acknowledged,
        "what is acknowledged, and no more"
    );
    let mut appender = appender(&*log).await;
    let failed = push(&mut *appender, &large())
        .await
        .expect_err("still full");
    assert_eq!(failed.code(), &STORAGE, "{failed:?}");
    let again = push(&mut *appender, &records(0..1)).await;
    again.expect_err("an appender that lost records takes no more");
    let of = TopicPartition::new(TOPIC, 0);
    log.delete_records(&of, acknowledged as i64)
        .await
        .expect("deleting works on a full disk");
    log.upkeep().await.expect("space");
    append(&*log, 0..100).await.expect("there is space again");
    assert_eq!(read_all(&*log).await.expect("records").len(), 100);
    drop(log);
    drop(appender);
    let log = EmbeddedLog::open(folder.path(), &options).expect("the log again");
    assert_eq!(read_all(&*log).await.expect("records").len(), 100);
}

/// A small disk of its own, when this user may mount one.
#[tokio::test]
async fn a_really_full_disk_is_survived() {
    let folder = tempfile::tempdir().expect("a folder");
    let mount = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
        .arg(folder.path())
        .stderr(std::process::Stdio::null())
        .status();
    if !mount.is_ok_and(|status| status.success()) {
        return;
    }
    let _mounted = Mounted(folder.path());
    let log = open(folder.path()).expect("a log");
    let plain = TopicSpec::new(TOPIC, 1).setting("compression.type", "none");
    log.create_topics(&[plain]).await.expect("a topic");
    let ballast = folder.path().join("ballast");
    std::fs::write(&ballast, vec![0; 4 << 20]).expect("half of it");
    let mut acknowledged = 0;
    let error = loop {
        match append(&*log, acknowledged..acknowledged + 200).await {
            Ok(()) => acknowledged += 200,
            Err(error) => break error,
        }
        assert!(acknowledged < 100_000, "the disk never gets full");
    };
    assert_eq!(error.code(), &STORAGE, "{error:?}");
    assert_eq!(read_all(&*log).await.expect("records").len(), acknowledged);
    std::fs::remove_file(&ballast).expect("space");
    append(&*log, acknowledged..acknowledged + 200)
        .await
        .expect("a new appender works");
    assert_eq!(
        read_all(&*log).await.expect("records").len(),
        acknowledged + 200
    );
    drop(log);
    let log = again(folder.path());
    assert_eq!(
        read_all(&*log).await.expect("records").len(),
        acknowledged + 200
    );
}

struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        // Lazily: a log in it may still be open when a check failed.
        let _ = std::process::Command::new("umount")
            .arg("-l")
            .arg(self.0)
            .status();
    }
}

/// Opens a log that was just closed. A process that another test starts at this moment has all open files for as long as its start takes,
/// and with them the log's lock.
fn again(folder: &Path) -> Arc<EmbeddedLog> {
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    loop {
        match open(folder) {
            Err(error)
                if error.to_string().contains("another process")
                    && std::time::Instant::now() < deadline =>
            {
                std::thread::yield_now();
            }
            opened => return opened.expect("the log again"),
        }
    }
}

fn open(folder: &Path) -> Result<Arc<EmbeddedLog>> {
    EmbeddedLog::open(folder, &EmbeddedOptions::default())
}

fn must_be_unusable(opened: Result<Arc<EmbeddedLog>>, text: &str) {
    let error: Error = opened.err().expect("it must not open");
    assert_eq!(error.code(), &UNUSABLE, "{error:?}");
    assert!(error.to_string().contains(text), "{error}");
}

/// A log of 2000 records, closed; the bytes of its file.
async fn filled(folder: &Path) -> Vec<u8> {
    let log = open(folder).expect("a log");
    log.create_topics(&[TopicSpec::new(TOPIC, 1)])
        .await
        .expect("a topic");
    append(&*log, 0..2000).await.expect("appended");
    drop(log);
    std::fs::read(folder.join("log.db")).expect("read")
}

async fn try_all(folder: &Path) -> Result<Vec<Vec<u8>>> {
    let log = open(folder)?;
    if log.topic(TOPIC).await?.is_none() {
        return Ok(Vec::new());
    }
    read_all(&*log).await
}

async fn append(log: &dyn Log, numbers: std::ops::Range<usize>) -> Result<()> {
    let mut appender = log.appender(AppenderSpec::default()).await?;
    push(&mut *appender, &records(numbers)).await
}

async fn appender(log: &dyn Log) -> Box<dyn Append> {
    log.appender(AppenderSpec::default()).await.expect("one")
}

async fn push(appender: &mut dyn Append, records: &Encoded) -> Result<()> {
    let ticket = appender.append(records).await?.ticket;
    appender.durable().reach(ticket).await
}

fn records(numbers: std::ops::Range<usize>) -> Encoded {
    let topic = Arc::from(TOPIC);
    let mut out = Encoded::default();
    for number in numbers {
        out.push(&topic, Some(b"key"), Some(&value(number)), -1)
            .partition = Some(0);
    }
    out
}

/// More than fits.
fn large() -> Encoded {
    let topic = Arc::from("other");
    let mut out = Encoded::default();
    for _ in 0..5 {
        out.push(&topic, None, Some(&vec![b'x'; 900_000]), -1);
    }
    out
}

/// 300 bytes that LZ4 cannot make much of.
fn value(number: usize) -> Vec<u8> {
    let mut state = number as u64 * 2 + 1;
    let mut value = format!("{number} ").into_bytes();
    while value.len() < 300 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        value.extend_from_slice(&state.to_le_bytes());
    }
    value
}

fn expected() -> &'static std::collections::BTreeSet<Vec<u8>> {
    static ALL: std::sync::OnceLock<std::collections::BTreeSet<Vec<u8>>> =
        std::sync::OnceLock::new();
    ALL.get_or_init(|| (0..2000).map(value).collect())
}

async fn read_all(log: &dyn Log) -> Result<Vec<Vec<u8>>> {
    let mut reader = log.reader(ReaderSpec::default()).await?;
    let partitions = log.topic(TOPIC).await?.map_or(0, |topic| topic.partitions);
    let (mut from, mut left) = (BTreeMap::new(), 0);
    for partition in 0..partitions {
        let of = TopicPartition::new(TOPIC, partition);
        let start = log.offset_at(&of, At::Earliest).await?;
        left += log.offset_at(&of, At::Latest).await? - start;
        from.insert(of, start);
    }
    reader.assign(&from).await?;
    let (mut all, mut out) = (Vec::new(), Encoded::default());
    while left > 0 {
        out.clear();
        let event = reader.poll(&mut out, Duration::from_secs(1)).await?;
        if event != Event::Records {
            break;
        }
        left -= out.len() as i64;
        for record in &out.records {
            all.push(out.value(record).unwrap_or(&[]).to_vec());
        }
    }
    Ok(all)
}
