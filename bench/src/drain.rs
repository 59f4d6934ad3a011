//! Snapshots and backlogs: rows per second, CPU, memory.

use e2e::Outcome;
use stack::Kafka;

use crate::{
    database::Database,
    report::Measured,
    scenario::{Kind, Scenario},
    tool::Tool,
    topic,
};

/// Lets a tool drain `rows` rows into a topic of its own.
pub(crate) fn measure(
    scenario: Scenario,
    database: &dyn Database,
    kafka: &Kafka,
    tool: &Tool,
    rows: u64,
) -> Outcome<Measured> {
    let id = scenario.identifier(tool);
    let topic = format!("{id}.{}", database.table(&id));
    topic::create(kafka, &topic)?;
    let process = tool.process()?;
    match scenario.kind {
        Kind::Snapshot | Kind::ParallelSnapshot => {
            database.fill(&id, rows)?;
            database.settle()?;
        }
        _ => backlog(scenario, (database, kafka), tool, &id, rows)?,
    }
    let before = process.cpu_seconds().unwrap_or_default();
    match scenario.kind {
        Kind::Snapshot | Kind::ParallelSnapshot => {
            tool.create(&id, &scenario.config((database, kafka), &id, "initial"))?
        }
        _ => tool.put(&id, "resume")?,
    }
    topic::wait_for(kafka, &topic, rows)?;
    let cpu = process.cpu_seconds().unwrap_or_default() - before;
    tool.delete(&id)?;
    let content = topic::content(kafka, &topic)?;
    if content.records != rows {
        return Err(format!(
            "{id}: {} records in the topic, {rows} rows in the table",
            content.records
        )
        .into());
    }
    Ok(Measured {
        tool: tool.kind().name().to_owned(),
        scenario: scenario.name(),
        rows_per_s: (rows > 1).then_some(rows as f64 / content.span.as_secs_f64().max(0.001)),
        cpu_s_per_million: (rows > 1).then_some(cpu * 1e6 / rows as f64),
        peak_rss_mb: process.peak_rss_mb(),
        startup_s: Some(tool.startup().as_secs_f64()),
        ..Measured::default()
    })
}

/// A connector that has begun to read and is stopped, and behind it `rows` committed rows.
fn backlog(
    scenario: Scenario,
    (database, kafka): (&dyn Database, &Kafka),
    tool: &Tool,
    id: &str,
    rows: u64,
) -> Outcome {
    let config = scenario.config((database, kafka), id, "no_data");
    tool.create(id, &config)?;
    database.await_reader(id, true)?;
    tool.put(id, "stop")?;
    tool.wait_stopped(id)?;
    database.await_reader(id, false)?;
    match scenario.kind {
        Kind::Transaction => database.fill_at_once(id, rows)?,
        Kind::Value => database.fill_large(id)?,
        _ => database.fill(id, rows)?,
    }
    database.settle()
}
