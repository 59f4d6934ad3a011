//! From the commit in the database to the record readable in Kafka, at a thousand rows a second.

use std::time::Duration;

use e2e::Outcome;
use stack::Kafka;

use crate::{
    arrivals::Arrivals, database::Database, report::Measured, scenario::Scenario, tool::Tool, topic,
};

/// Rows per second, each in a transaction of its own.
const RATE: u64 = 1000;
/// Rows of the first seconds, in which JVMs and caches warm up; not counted.
const WARM_UP_SECONDS: u64 = 5;
/// How long no record may come.
const LIMIT: Duration = Duration::from_secs(60);

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
    let arrivals = Arrivals::watch(kafka, &topic, rows as usize, database.commit_us())?;
    let mut writer = database.write_steadily(&id, rows)?;
    let mut delays = delays(&arrivals, rows)?;
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
fn delays(arrivals: &Arrivals, rows: u64) -> Outcome<Vec<f64>> {
    (0..rows)
        .map(|_| {
            let arrival = arrivals.next(LIMIT)?;
            Ok((arrival.seen_us as f64 - arrival.committed_us as f64) / 1000.0)
        })
        .collect()
}
