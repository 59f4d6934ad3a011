//! From the commit in the database to the record readable in Kafka, at a thousand rows a second.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    sync::mpsc::{Receiver, sync_channel},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use e2e::Outcome;
use stack::Kafka;

use crate::{database::Database, report::Measured, scenario::Scenario, tool::Tool, topic};

/// Rows per second, each in a transaction of its own.
const RATE: u64 = 1000;
/// Rows of the first seconds, in which JVMs and caches warm up; not counted.
const WARM_UP_SECONDS: u64 = 5;

/// Measures a tool for some seconds.
pub(crate) fn measure(
    scenario: Scenario,
    database: &dyn Database,
    kafka: &Kafka,
    tool: &Tool,
    seconds: u64,
) -> Outcome<Measured> {
    let id = scenario.identifier(tool);
    let topic = format!("{id}.{}", database.table(&id));
    topic::create(kafka, &topic)?;
    tool.create(&id, &scenario.config((database, kafka), &id, "no_data"))?;
    let rows = RATE * (seconds + WARM_UP_SECONDS);
    // What is committed before it reads is not in its stream.
    database.await_reader(&id, true)?;
    let (mut reader, seen) = watch(kafka, &topic, rows, database.commit_us())?;
    let mut writer = database.write_steadily(&id, rows)?;
    let mut delays = delays(&seen, rows)?;
    reader.kill()?;
    reader.wait()?;
    writer.wait()?;
    tool.delete(&id)?;
    delays.drain(..(RATE * WARM_UP_SECONDS) as usize);
    delays.sort_by(f64::total_cmp);
    let at = |share: f64| delays.get((delays.len() as f64 * share) as usize).copied();
    Ok(Measured {
        tool: tool.kind().name().to_owned(),
        scenario: scenario.name(),
        latency_p50_ms: at(0.50),
        latency_p99_ms: at(0.99),
        peak_rss_mb: tool.process()?.peak_rss_mb(),
        startup_s: Some(tool.startup().as_secs_f64()),
        ..Measured::default()
    })
}

/// The delays in milliseconds, in the order of arrival, once `rows` have come.
fn delays(seen: &Receiver<f64>, rows: u64) -> Outcome<Vec<f64>> {
    (0..rows)
        .map(|_| {
            let waited = seen.recv_timeout(Duration::from_secs(60));
            waited.map_err(|_| "records stopped coming".into())
        })
        .collect()
}

/// A consumer that takes the time at which each record can be read, less that of its commit.
fn watch(
    kafka: &Kafka,
    topic: &str,
    rows: u64,
    commit_us: fn(&str) -> Option<u64>,
) -> Outcome<(Child, Receiver<f64>)> {
    let mut reader = kafka
        .kcat_command(&[
            "-C",
            "-t",
            topic,
            "-p",
            "0",
            "-o",
            "beginning",
            "-u",
            "-f",
            "%s\n",
            "-X",
            "isolation.level=read_committed",
            "-X",
            "fetch.wait.max.ms=10",
            "-X",
            "fetch.min.bytes=1",
        ])
        .stdout(Stdio::piped())
        .spawn()?;
    let lines = BufReader::new(reader.stdout.take().ok_or("kcat has no output")?).lines();
    let (sender, seen) = sync_channel(rows as usize);
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let Some(committed) = commit_us(&line) else {
                continue;
            };
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            if sender
                .send((now.as_micros() as f64 - committed as f64) / 1000.0)
                .is_err()
            {
                return;
            }
        }
    });
    Ok((reader, seen))
}
