//! The limits: what a server gives a client that throws everything away, and what a broker takes from one that does nothing
//! but write.

use std::{
    io::Write,
    process::{Command, Stdio},
    time::Instant,
};

use e2e::Outcome;
use stack::{Kafka, KafkaTools};

use crate::{report::Measured, topic};

/// Different records that the producer sends.
const SAMPLE: u64 = 1000;
const TOPIC: &str = "limits";

/// Runs a client to its end and takes the time.
pub(crate) fn timed(
    name: &str,
    scenario: &str,
    rows: u64,
    command: &mut Command,
) -> Outcome<Measured> {
    let started = Instant::now();
    let status = command.stdout(Stdio::null()).status()?;
    match status.success() {
        true => Ok(Measured::limit(name, scenario, rows, started.elapsed())),
        false => Err(format!("{command:?} ended with {status}").into()),
    }
}

/// Kafka's own producer with records of a topic, again and again.
pub(crate) fn produce(kafka: &Kafka, from: &str, rows: u64, scenario: &str) -> Outcome<Measured> {
    let count = SAMPLE.min(rows).to_string();
    let records = kafka.kcat(&[
        "-C", "-t", from, "-p", "0", "-o", "0", "-c", &count, "-e", "-f", "%s\n",
    ])?;
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(records.as_bytes())?;
    topic::create(kafka, TOPIC)?;
    let (rows_text, path) = (rows.to_string(), file.path().display().to_string());
    let words = [
        "--topic",
        TOPIC,
        "--num-records",
        &rows_text,
        "--throughput",
        "-1",
        "--payload-file",
        &path,
    ];
    let tools = KafkaTools::at(kafka.bootstrap()).full_speed();
    let printed = tools.run("org.apache.kafka.tools.ProducerPerformance", &words)?;
    let rate = printed.lines().rev().find_map(rate);
    let rate = rate.ok_or_else(|| format!("no rate in {printed:?}"))?;
    let bytes = records.len() / records.lines().count().max(1);
    Ok(Measured {
        tool: format!("kafka limit: producer-perf-test, {bytes} bytes"),
        scenario: scenario.to_owned(),
        rows_per_s: Some(rate),
        ..Measured::default()
    })
}

/// `50000 records sent, 81300.8 records/sec (…`
fn rate(line: &str) -> Option<f64> {
    let (_, rest) = line.split_once("records sent, ")?;
    rest.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_rate_is_found() {
        let line = "50000 records sent, 81300.8 records/sec (77.53 MB/sec), 5.1 ms avg latency";
        assert_eq!(super::rate(line), Some(81300.8));
    }
}
