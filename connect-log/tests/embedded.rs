//! The embedded log keeps the contract.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use connect_core::Encoded;
use connect_log::{
    AppenderSpec, At, Event, Log, ReaderSpec, TopicPartition, TopicSpec,
    conformance::Subject,
    embedded::{EmbeddedLog, EmbeddedOptions},
};
use tempfile::TempDir;

/// A log that is removed with its folder when the check is over.
struct Kept {
    log: Arc<EmbeddedLog>,
    _folder: TempDir,
}

async fn subject() -> Subject {
    let folder = tempfile::tempdir().expect("a folder");
    let log = EmbeddedLog::open(folder.path(), &EmbeddedOptions::default()).expect("a log");
    let kept = Arc::new(Kept {
        log: Arc::clone(&log),
        _folder: folder,
    });
    Subject {
        upkeep: Some(Box::new(move || {
            let kept = Arc::clone(&kept);
            Box::pin(async move { kept.log.upkeep().await })
        })),
        ..Subject::new(log)
    }
}

connect_log::conformance_tests!(subject);

/// Many commits of one record each end up in few blocks, with nothing changed for readers.
#[tokio::test]
async fn small_blocks_are_put_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = EmbeddedLog::open(folder.path(), &EmbeddedOptions::default()).expect("a log");
    let topic: Arc<str> = Arc::from("trickle");
    let keep = TopicSpec::new(Arc::clone(&topic), 1).setting("retention.ms", "-1");
    log.create_topics(&[keep]).await.expect("a topic");
    let mut appender = log.appender(AppenderSpec::default()).await.expect("one");
    for number in 0..400 {
        let mut one = Encoded::default();
        let value = format!("{number} {}", "f".repeat(1000));
        one.push(
            &topic,
            None,
            Some(value.as_bytes()),
            1_600_000_000_000 + number,
        );
        one.push_header("number", Some(&number.to_be_bytes()));
        let ticket = appender.append(&one).await.expect("room").ticket;
        appender.durable().reach(ticket).await.expect("durable");
    }
    let before = records(&*log).await;
    assert_eq!(before.len(), 400);
    assert_eq!(blocks(folder.path()), 400);
    log.upkeep().await.expect("upkeep");
    let rows = blocks(folder.path());
    assert!(rows < 150, "{rows} rows");
    assert!(before == records(&*log).await, "the records are the same");
    let of = TopicPartition::new("trickle", 0);
    let at = log.offset_at(&of, At::Time(1_600_000_000_123)).await;
    assert_eq!(at.expect("an offset"), 123);
    drop((appender, log));
    let log = EmbeddedLog::open(folder.path(), &EmbeddedOptions::default()).expect("it again");
    assert!(before == records(&*log).await, "the records are the same");
    assert_eq!(log.offset_at(&of, At::Latest).await.expect("an end"), 400);
}

/// Offset, time, value and header of every record.
async fn records(log: &dyn Log) -> Vec<(i64, i64, Vec<u8>, Vec<u8>)> {
    let mut reader = log.reader(ReaderSpec::default()).await.expect("a reader");
    let from = BTreeMap::from([(TopicPartition::new("trickle", 0), 0)]);
    reader.assign(&from).await.expect("assigned");
    let mut out = Encoded::default();
    while out.len() < 400 {
        let event = reader.poll(&mut out, Duration::from_secs(10)).await;
        assert_eq!(event.expect("records"), Event::Records);
    }
    let all = out.records.iter().map(|record| {
        let header = &out.headers(record)[0];
        let header = header.value.as_ref().map(|range| out.slice(range).to_vec());
        let value = out.value(record).expect("a value").to_vec();
        (
            record.offset,
            record.timestamp_ms,
            value,
            header.expect("one"),
        )
    });
    all.collect()
}

fn blocks(folder: &Path) -> i64 {
    let db = rusqlite::Connection::open(folder.join("log.db")).expect("the file");
    db.query_row("SELECT count(*) FROM block", [], |row| row.get(0))
        .expect("a number")
}
