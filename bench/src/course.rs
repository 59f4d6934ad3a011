//! One workload with one tool: the backlog is written while the connector is stopped, then it catches up.

use std::time::Duration;

use e2e::Outcome;
use stack::{Kafka, wait_in_steps};

use crate::{
    database::Database, report::Measured, scenario::with_json, tool::Tool, topic,
    workload::Workload,
};

const LIMIT: Duration = Duration::from_secs(300);
/// One before the changes that are measured, one after them, and one of the warm-up.
const MARKERS: u64 = 3;
/// Each look at all topics starts a Java program.
const STEP: Duration = Duration::from_secs(1);

/// Measures a tool.
pub(crate) fn measure(
    workload: &Workload,
    (database, kafka, tool): (&dyn Database, &Kafka, &Tool),
    limit: &Measured,
) -> Outcome<Measured> {
    let id = format!("{}_{}", tool.kind().name(), identifier(workload.name));
    database.fresh_schema(&id, &workload.setup)?;
    backlog(workload, (database, kafka, tool), &id)?;
    let process = tool.process()?;
    let cpu_before = process.cpu_seconds().unwrap_or_default();
    tool.put(&id, "resume")?;
    let marker = marker_topic(&id);
    topic::wait_for(kafka, &marker, MARKERS)?;
    let cpu = process.cpu_seconds().unwrap_or_default() - cpu_before;
    counted(
        kafka,
        &id,
        workload.warm_records + workload.records + MARKERS,
    )?;
    tool.delete(&id)?;
    database.forget(&id)?;
    let span = topic::span(kafka, &marker, 1)?;
    let mut measured = Measured {
        tool: tool.kind().name().to_owned(),
        scenario: workload.name.to_owned(),
        rows_per_s: Some(workload.changes as f64 / span.as_secs_f64().max(0.001)),
        cpu_s_per_million: Some(cpu * 1e6 / workload.changes as f64),
        peak_rss_mb: process.peak_rss_mb(),
        startup_s: Some(tool.startup().as_secs_f64()),
        ..Measured::default()
    };
    measured.compare_with(limit);
    Ok(measured)
}

fn identifier(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    name.chars().map(letter).collect()
}

fn marker_topic(id: &str) -> String {
    format!("{id}.w.marker")
}

/// A connector that knows its tables and topics and is stopped, and behind it the changes.
fn backlog(
    workload: &Workload,
    (database, kafka, tool): (&dyn Database, &Kafka, &Tool),
    id: &str,
) -> Outcome {
    let config = database.source(id, workload.tables, kafka.bootstrap());
    tool.create(id, &with_json(config, "no_data", "false"))?;
    database.await_reader(id, true)?;
    database.sql(&format!(
        "{}; insert into w.marker values (1);",
        workload.warm
    ))?;
    counted(kafka, id, workload.warm_records + 1)?;
    tool.put(id, "stop")?;
    tool.wait_stopped(id)?;
    database.await_reader(id, false)?;
    database.sql("insert into w.marker values (2)")?;
    database.sql(&workload.write)?;
    database.sql("insert into w.marker values (3)")?;
    database.settle()
}

/// Waits until all topics of a connector have exactly so many records.
fn counted(kafka: &Kafka, id: &str, records: u64) -> Outcome {
    let mut last = 0;
    let waited = wait_in_steps("all records to be there", LIMIT, STEP, || {
        // Kafka's tool fails as long as there is none of the topics.
        last = topic::total(kafka, id).unwrap_or(0);
        Ok(last >= records)
    });
    match waited {
        Ok(()) if last == records => Ok(()),
        _ => Err(format!("{id}: {last} records in the topics, {records} were due").into()),
    }
}
