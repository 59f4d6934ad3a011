//! A topic as kcat sees it: its end, its count, the broker's clock on its first and last record.

use std::time::Duration;

use e2e::Outcome;
use stack::{Kafka, wait_in_steps, wait_until};

/// How long a drain may take.
const LIMIT: Duration = Duration::from_secs(900);

/// Makes the topic, so that no tool pays for its creation.
pub(crate) fn create(kafka: &Kafka, topic: &str) -> Outcome {
    // Asking for the end of a topic that is not there creates it.
    wait_until("a topic to be there", Duration::from_secs(60), || {
        let _ = kafka.kcat(&["-L", "-t", topic, "-X", "allow.auto.create.topics=true"]);
        Ok(end(kafka, topic).is_ok())
    })?;
    Ok(())
}

/// The offset after the last record of partition 0.
pub(crate) fn end(kafka: &Kafka, topic: &str) -> Outcome<u64> {
    let text = kafka.kcat(&["-Q", "-t", &format!("{topic}:0:-1")])?;
    let offset = text.rsplit("offset ").next().unwrap_or("").trim();
    offset
        .parse()
        .map_err(|_| format!("no offset in {text:?}").into())
}

/// Waits until a topic has at least so many offsets.
pub(crate) fn wait_for(kafka: &Kafka, topic: &str, offsets: u64) -> Outcome {
    let what = format!("{topic} to have {offsets} records");
    // Each look starts a process.
    const STEP: Duration = Duration::from_millis(500);
    wait_in_steps(&what, LIMIT, STEP, || {
        Ok(end(kafka, topic).is_ok_and(|end| end >= offsets))
    })?;
    Ok(())
}

/// How many records all topics of a prefix have.
pub(crate) fn total(kafka: &Kafka, prefix: &str) -> Outcome<u64> {
    let pattern = format!("{prefix}\\..*");
    let words = ["--topic-partitions", pattern.as_str()];
    let text = kafka.tool("org.apache.kafka.tools.GetOffsetShell", &words)?;
    let ends = text.lines().filter_map(|line| line.rsplit(':').next());
    Ok(ends.filter_map(|end| end.trim().parse::<u64>().ok()).sum())
}

/// Between the broker's taking the record at an offset and the last record.
pub(crate) fn span(kafka: &Kafka, topic: &str, offset: u64) -> Outcome<Duration> {
    let offset = offset.to_string();
    let words = [
        "-C", "-t", topic, "-p", "0", "-o", &offset, "-e", "-f", "%T\n",
    ];
    let text = kafka.kcat(&words)?;
    let stamps: Vec<u64> = text.lines().filter_map(|l| l.trim().parse().ok()).collect();
    let ends = stamps.first().zip(stamps.last());
    let (first, last) = ends.ok_or_else(|| format!("{topic} has nothing at {offset}"))?;
    Ok(Duration::from_millis(last.saturating_sub(*first)))
}

/// What a topic has once all of it was read.
pub(crate) struct Content {
    /// Committed records.
    pub(crate) records: u64,
    /// Between the broker's taking the first and the last record.
    pub(crate) span: Duration,
}

/// Reads a topic and counts.
pub(crate) fn content(kafka: &Kafka, topic: &str) -> Outcome<Content> {
    let stamps = kafka.kcat(&[
        "-C",
        "-t",
        topic,
        "-p",
        "0",
        "-o",
        "beginning",
        "-e",
        "-f",
        "%T\n",
        "-X",
        "isolation.level=read_committed",
    ])?;
    let (mut records, mut first, mut last) = (0, u64::MAX, 0);
    for stamp in stamps
        .lines()
        .filter_map(|line| line.trim().parse::<u64>().ok())
    {
        records += 1;
        first = first.min(stamp);
        last = last.max(stamp);
    }
    Ok(Content {
        records,
        span: Duration::from_millis(last.saturating_sub(first)),
    })
}
