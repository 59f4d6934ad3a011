//! The limits: what a server gives a client that throws everything away, and what a broker takes from one that does nothing
//! but write.

use std::{
    io::Write,
    process::{Command, Stdio},
    time::Instant,
};

use e2e::Outcome;
use stack::{Kafka, KafkaTools};

use crate::{report::Measured, scenario::CONNECTIONS, topic};

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

/// Runs several clients at once, each of which reads a part of a table, and takes the time until the last one ends.
pub(crate) fn parts(
    name: &str,
    rows: u64,
    mut part: impl FnMut(&str) -> Command,
) -> Outcome<Measured> {
    let share = rows.div_ceil(CONNECTIONS);
    let started = Instant::now();
    let mut clients = Vec::new();
    for nth in 0..CONNECTIONS {
        let (from, to) = (nth * share, (nth + 1) * share);
        let mut client = part(&format!("id > {from} and id <= {to}"));
        clients.push(client.stdout(Stdio::null()).spawn()?);
    }
    for mut client in clients {
        if !client.wait()?.success() {
            return Err("reading a part of a table failed".into());
        }
    }
    let name = format!("server limit: {CONNECTIONS} {name}");
    let took = started.elapsed();
    Ok(Measured::limit(&name, "parallel snapshot", rows, took))
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
