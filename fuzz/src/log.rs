//! What the embedded log finds on the disk.

use std::{cell::RefCell, collections::BTreeMap, fs, sync::LazyLock, time::Duration};

use connect_core::{Encoded, Result};
use connect_log::{
    AppenderSpec, At, Event, Log, ReaderSpec, TopicPartition, TopicSpec,
    embedded::{
        EmbeddedLog, EmbeddedOptions,
        fuzz::{self, Stored},
    },
};
use tokio::runtime::{Builder, Runtime};

/// A stored block: five numbers (id, first offset, count, length, codec), then its body. The checksum is right.
pub fn block(input: &[u8]) {
    thread_local! {
        static DATABASE: RefCell<Option<fuzz::Connection>> = const { RefCell::new(None) };
    }
    let Some((numbers, body)) = input.split_first_chunk::<25>() else {
        return;
    };
    let number = |at: usize| {
        let bytes = numbers
            .get(at..at + 8)
            .and_then(|bytes| bytes.try_into().ok());
        i64::from_le_bytes(bytes.unwrap_or_default())
    };
    let small = |at: usize| {
        let bytes = numbers.get(at..at + 4);
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        i64::from(i32::from_le_bytes(bytes.unwrap_or_default()))
    };
    let stored = Stored {
        id: number(0),
        first: number(8),
        records: small(16) >> 8,
        bytes: small(20),
        codec: i64::from(numbers[24] % 3),
        body,
    };
    DATABASE.with_borrow_mut(|database| {
        let open = || fuzz::connection().unwrap_or_else(|error| panic!("{}", error.report()));
        let database = database.get_or_insert_with(open);
        let _ = fuzz::block(database, stored);
    });
}

/// Changes of the file of a log, each a place (3 bytes), a length and so many bytes; then the log is opened and read.
pub fn file(input: &[u8]) {
    let mut bytes = FILE.clone();
    let mut rest = input;
    while let Some(([a, b, c, len], more)) = rest.split_first_chunk::<4>() {
        let at = u32::from_le_bytes([*a, *b, *c, 0]) as usize % bytes.len();
        let (patch, more) = more.split_at(usize::from(*len).min(more.len()));
        let end = (at + patch.len()).min(bytes.len());
        bytes[at..end].copy_from_slice(&patch[..end - at]);
        rest = more;
    }
    let Ok(folder) = tempfile::tempdir() else {
        return;
    };
    if fs::write(folder.path().join("log.db"), &bytes).is_ok() {
        RUNTIME.block_on(async { drop(read(folder.path()).await) });
    }
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap_or_else(|error| panic!("{error}"))
});

/// The file of a log with two topics, some records and the offset of a group.
static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let made = RUNTIME.block_on(make());
    made.unwrap_or_else(|error| panic!("{}", error.report()))
});

async fn make() -> Result<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let log = EmbeddedLog::open(folder.path(), &EmbeddedOptions::default())?;
    let topics = [TopicSpec::new("a", 2), TopicSpec::new("b", 1)];
    log.create_topics(&topics).await?;
    let mut appender = log.appender(AppenderSpec::default()).await?;
    let mut records = Encoded::default();
    for (topic, at) in topics
        .iter()
        .flat_map(|topic| (0..40u8).map(move |at| (topic, at)))
    {
        records.push(&topic.name, Some(&[at]), Some(&[at; 50]), i64::from(at));
        records.push_header("header", Some(b"value"));
    }
    let appended = appender.append(&records).await?;
    let mut durable = appender.durable();
    durable.reach(appended.ticket).await?;
    let offsets = BTreeMap::from([(TopicPartition::new("a", 0), Some(3))]);
    log.alter_group_offsets("group", &offsets).await?;
    drop(appender);
    drop(log);
    // The last one to close the file moves the WAL into it.
    Ok(fs::read(folder.path().join("log.db")).unwrap_or_default())
}

async fn read(folder: &std::path::Path) -> Result<()> {
    let log = EmbeddedLog::open(folder, &EmbeddedOptions::default())?;
    log.group_offsets("group").await?;
    let mut out = Encoded::default();
    for topic in log.topics().await? {
        let partition = TopicPartition::new(topic.as_str(), 0);
        let from = log.offset_at(&partition, At::Earliest).await?;
        log.offset_at(&partition, At::Time(20)).await?;
        let mut reader = log.reader(ReaderSpec::default()).await?;
        reader.assign(&BTreeMap::from([(partition, from)])).await?;
        while reader.poll(&mut out, Duration::ZERO).await? == Event::Records {
            assert!(out.bytes.len() < 1 << 20, "the file holds less");
        }
    }
    Ok(())
}
