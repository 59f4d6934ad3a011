//! Very many connectors on one worker: what they cost while nothing happens, and how fast the API answers beside them.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use e2e::{Outcome, Rest, configs::file_source};
use serde_json::Value;
use stack::wait_in_steps;

use super::{Bench, figure::Figures, requests};
use crate::tool::{Tool, ToolKind};

/// How long they may take to be created and to run.
const LIMIT: Duration = Duration::from_secs(1800);
/// How many clients create them.
const CLIENTS: usize = 4;
/// What a worker gets to come to rest, and how long its rest is measured.
const SETTLING: Duration = Duration::from_secs(15);
const RESTING: Duration = Duration::from_secs(30);

/// Measures a tool.
pub(super) fn measure(bench: &Bench<'_>, kind: ToolKind, figures: &mut Figures) -> Outcome {
    let count = bench.arguments.connectors;
    let kafka = bench.kafka()?;
    let arguments = bench.arguments;
    let tool = Tool::start(
        bench.stack,
        kind,
        kafka.bootstrap(),
        false,
        &arguments.worker,
    )?;
    let file = tempfile::NamedTempFile::new()?;
    let started = Instant::now();
    create(tool.rest(), count, &file.path().display().to_string())?;
    let took = started.elapsed().as_secs_f64();
    figures.add(
        kind,
        format!("{count} connectors created and running"),
        (took, "s"),
        None,
    );
    rest(&tool, count, figures)?;
    requests::measure(&tool, count, arguments.seconds, figures)?;
    tool.stop()?;
    Ok(kafka.stop()?)
}

/// Their names: `idle-0`, …
pub(super) fn name(number: usize) -> String {
    format!("idle-{number}")
}

fn create(rest: &Rest, count: usize, file: &str) -> Outcome {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| -> Outcome {
        let client = || -> Outcome {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok(());
                }
                put(rest, number, file)?;
            }
        };
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        for client in clients {
            client.join().map_err(|_| "a client panicked")??;
        }
        Ok(())
    })?;
    let step = Duration::from_secs(1);
    wait_in_steps("all connectors to run", LIMIT, step, || {
        Ok(all_run(rest, count))
    })?;
    Ok(())
}

/// Kafka Connect may ask for patience.
fn put(rest: &Rest, number: usize, file: &str) -> Outcome {
    let path = format!("/connectors/{}/config", name(number));
    let body = file_source(file, &name(number)).to_string();
    let step = Duration::from_millis(100);
    wait_in_steps("a connector to be taken", LIMIT, step, || {
        let answer = rest.ask("PUT", &path, &body);
        Ok(answer.is_ok_and(|answer| matches!(answer.status, 200 | 201)))
    })?;
    Ok(())
}

fn all_run(rest: &Rest, count: usize) -> bool {
    let Ok(all) = rest.get("/connectors?expand=status") else {
        return false;
    };
    let runs = |connector: &&Value| {
        let task = &connector["status"]["tasks"][0];
        task["state"] == "RUNNING"
    };
    let all = all.as_object();
    all.is_some_and(|all| all.values().filter(runs).count() == count)
}

/// CPU and memory while nothing happens.
fn rest(tool: &Tool, count: usize, figures: &mut Figures) -> Outcome {
    pass(SETTLING)?;
    let process = tool.process()?;
    let before = process.cpu_seconds().unwrap_or_default();
    pass(RESTING)?;
    let cpu = process.cpu_seconds().unwrap_or_default() - before;
    let percent = cpu / RESTING.as_secs_f64() * 100.0;
    let kind = tool.kind();
    figures.add(
        kind,
        format!("CPU of {count} idle connectors"),
        (percent, "% of a core"),
        1.0,
    );
    let memory = process.rss_mb().unwrap_or_default();
    figures.add(
        kind,
        format!("memory of {count} idle connectors"),
        (memory, "MB"),
        200.0,
    );
    Ok(())
}

/// Lets time pass.
fn pass(time: Duration) -> Outcome {
    let end = Instant::now() + time;
    wait_in_steps("time to pass", 2 * time, time / 20, || {
        Ok(Instant::now() >= end)
    })?;
    Ok(())
}
