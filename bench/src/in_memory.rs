//! A source into a log in memory, all in this process: what reading, decoding and encoding cost without a broker.

use std::{sync::Arc, time::Instant};

use connect_core::{Properties, plugin::Plugin};
use connect_log::{At, Log, TopicPartition, memory::MemoryLog};
use connect_runtime::{Herder, Runtime, WorkerConfig, answers::GivenConfig};
use e2e::Outcome;
use stack::Process;
use tokio::time::{Duration, sleep};

use crate::{arguments::Arguments, database::Database, report::Measured, scenario::with_json};

const TOOL: &str = "tidewater, log in memory";
/// How long tasks get to end.
const LAST: Duration = Duration::from_secs(10);
/// How often the log is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// Measures a snapshot and a stream of `--rows` rows.
pub(crate) fn measure(arguments: &Arguments, database: &dyn Database) -> Outcome<Vec<Measured>> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build()?;
    let only = arguments.only.as_deref().unwrap_or_default();
    let mut all = Vec::new();
    for scenario in ["snapshot json", "stream json"] {
        if scenario.contains(only) {
            let measured = runtime.block_on(one(scenario, arguments.rows, database))?;
            println!("{}", measured.row());
            all.push(measured);
        }
    }
    Ok(all)
}

async fn one(scenario: &str, rows: u64, database: &dyn Database) -> Outcome<Measured> {
    let log: Arc<dyn Log> = MemoryLog::new();
    let config = WorkerConfig::read(&Properties::new())?;
    let plugins = vec![
        Plugin::source::<postgres_source::PostgresSource>(),
        Plugin::source::<mysql_source::MySqlSource>(),
        Plugin::source::<mysql_source::MariaDbSource>(),
    ];
    let (herder, worker) = Runtime::start(config, Arc::clone(&log), plugins).await?;
    let id = format!("memory_{}", scenario.replace(' ', "_"));
    database.create_table(&id)?;
    let is_stream = scenario.starts_with("stream");
    let mode = if is_stream { "no_data" } else { "initial" };
    let given = given(&id, database, mode);
    if is_stream {
        herder.create(&id, given.clone(), None).await?;
        database.await_reader(&id, true)?;
        herder.stop(&id).await?;
        database.await_reader(&id, false)?;
    }
    database.fill(&id, rows)?;
    database.settle()?;
    let process = Process::find(std::process::id()).ok_or("no process")?;
    let before = process.cpu_seconds().unwrap_or_default();
    let started = Instant::now();
    begin(&herder, &id, (!is_stream).then_some(given)).await?;
    let topic = format!("{id}.{}", database.table(&id));
    wait_for(&*log, &topic, rows).await?;
    let took = started.elapsed();
    let cpu = process.cpu_seconds().unwrap_or_default() - before;
    worker.stop(LAST).await;
    database.forget(&id)?;
    database.drop_table(&id)?;
    Ok(Measured {
        cpu_s_per_million: Some(cpu * 1e6 / rows as f64),
        ..Measured::limit(TOOL, scenario, rows, took)
    })
}

fn given(id: &str, database: &dyn Database, mode: &str) -> GivenConfig {
    let config = with_json(database.source(id, &database.table(id), ""), mode, "false");
    let pairs = config.as_object().into_iter().flatten();
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    pairs
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}

async fn begin(herder: &Herder, id: &str, config: Option<GivenConfig>) -> Outcome {
    match config {
        Some(config) => herder.create(id, config, None).await.map(|_| ())?,
        None => herder.resume(id).await?,
    }
    Ok(())
}

async fn wait_for(log: &dyn Log, topic: &str, rows: u64) -> Outcome {
    let of = TopicPartition {
        topic: topic.into(),
        partition: 0,
    };
    let limit = Instant::now() + Duration::from_secs(300);
    loop {
        // Until the first record there is no topic.
        let end = log.offset_at(&of, At::End).await.unwrap_or(0);
        match u64::try_from(end) {
            Ok(end) if end >= rows => return Ok(()),
            _ if Instant::now() > limit => {
                return Err(format!("{topic}: {end} records after five minutes").into());
            }
            _ => sleep(LOOK).await,
        }
    }
}
