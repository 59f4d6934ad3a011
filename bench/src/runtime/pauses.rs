//! How long the rows of a task stop coming when it is restarted, when its worker is killed, and when workers are replaced one
//! by one: two workers of one group, a thousand rows a second.

use std::time::Duration;

use e2e::Outcome;
use stack::{Kafka, wait_until};

use super::{Bench, figure::Figures, pulse::Pulse};
use crate::{
    scenario::with_json,
    tool::{Tool, ToolKind},
};

/// How often the task is restarted.
const RESTARTS: usize = 10;
/// How long a task may take to be at a worker.
const LIMIT: Duration = Duration::from_secs(120);
/// Kafka's group protocol gives a worker up after its session; Tidewater's default, and a second.
const RECOVERED_S: f64 = 7.0;

/// Two workers, one of which runs the source.
struct Pair<'a> {
    tools: [Tool; 2],
    name: &'a str,
}

/// Measures a tool.
pub(super) fn measure(bench: &Bench<'_>, kind: ToolKind, figures: &mut Figures) -> Outcome {
    let name = &format!("pauses_{}", kind.name());
    let kafka = bench.kafka()?;
    bench.database.create_table(name)?;
    let pair = Pair {
        tools: [start(bench, kind, &kafka)?, start(bench, kind, &kafka)?],
        name,
    };
    let source = bench
        .database
        .source(name, &bench.database.table(name), kafka.bootstrap());
    pair.create(&with_json(source, "no_data", "false"))?;
    bench.database.await_reader(name, true)?;
    let mut pulse = Pulse::start(bench, &kafka, name)?;
    restarts(&pair, kind, &mut pulse, figures)?;
    upgrade(&pair, kind, &mut pulse, figures)?;
    kill(&pair, kind, &mut pulse, figures)?;
    drop(pulse);
    for tool in &pair.tools {
        tool.stop()?;
    }
    bench.database.forget(name)?;
    Ok(kafka.stop()?)
}

/// A worker of the group. What Kafka Connect has no default for is given to both.
fn start(bench: &Bench<'_>, kind: ToolKind, kafka: &Kafka) -> Outcome<Tool> {
    let mut properties = vec![("group.id".to_owned(), "pauses".to_owned())];
    for topic in ["config", "offset", "status"] {
        properties.push((format!("{topic}.storage.topic"), format!("pauses-{topic}")));
        properties.push((
            format!("{topic}.storage.replication.factor"),
            "1".to_owned(),
        ));
    }
    properties.extend(bench.arguments.worker.iter().cloned());
    Tool::start(bench.stack, kind, kafka.bootstrap(), false, &properties)
}

impl Pair<'_> {
    /// Kafka Connect refuses while its group is being built.
    fn create(&self, config: &serde_json::Value) -> Outcome {
        wait_until("the source to be taken", LIMIT, || {
            Ok(self.tools[0].rest().create(self.name, config).is_ok())
        })?;
        self.tools[0].rest().wait_for(self.name, "RUNNING")
    }

    /// The worker that runs the task, and the other one.
    fn owner(&self) -> Outcome<(&Tool, &Tool)> {
        let path = format!("/connectors/{}/status", self.name);
        let [first, second] = &self.tools;
        let mut status = first.rest().get(&path);
        if status.is_err() {
            status = second.rest().get(&path);
        }
        let status = status?;
        let worker = status["tasks"][0]["worker_id"].as_str().unwrap_or_default();
        match () {
            () if worker == first.rest().address() => Ok((first, second)),
            () if worker == second.rest().address() => Ok((second, first)),
            () => Err(format!("no worker runs the task: {status}").into()),
        }
    }
}

fn restarts(pair: &Pair<'_>, kind: ToolKind, pulse: &mut Pulse, figures: &mut Figures) -> Outcome {
    let path = format!("/connectors/{}/tasks/0/restart", pair.name);
    let rest = pair.tools[1].rest();
    let mut pauses = Vec::new();
    for _ in 0..RESTARTS {
        pauses.push(pulse.pause_of(|| rest.must("POST", &path))?.as_secs_f64() * 1000.0);
    }
    pauses.sort_by(f64::total_cmp);
    let (median, most) = (pauses[RESTARTS / 2], pauses[RESTARTS - 1]);
    figures.add(
        kind,
        "restart of a task, pause, median of 10",
        (median, "ms"),
        50.0,
    );
    figures.add(
        kind,
        "restart of a task, pause, longest of 10",
        (most, "ms"),
        50.0,
    );
    Ok(())
}

/// Both workers, one after the other, stopped in order and started again.
fn upgrade(pair: &Pair<'_>, kind: ToolKind, pulse: &mut Pulse, figures: &mut Figures) -> Outcome {
    let mut longest = Duration::ZERO;
    for tool in &pair.tools {
        let pause = pulse.pause_of(|| {
            tool.stop()?;
            Ok(tool.worker().start()?)
        })?;
        longest = longest.max(pause);
        let is_placed = || Ok(pair.owner().is_ok());
        wait_until("the task to be somewhere", LIMIT, is_placed)?;
    }
    let seconds = longest.as_secs_f64();
    figures.add(
        kind,
        "rolling upgrade of two workers, longest pause",
        (seconds, "s"),
        1.0,
    );
    Ok(())
}

fn kill(pair: &Pair<'_>, kind: ToolKind, pulse: &mut Pulse, figures: &mut Figures) -> Outcome {
    let (owner, other) = pair.owner()?;
    let pause = pulse.pause_of(|| Ok(owner.worker().kill9()?))?;
    let seconds = pause.as_secs_f64();
    figures.add(
        kind,
        "kill -9 of the worker, pause",
        (seconds, "s"),
        RECOVERED_S,
    );
    let pause = pulse.pause_of(|| {
        owner.worker().start()?;
        // Kafka Connect leaves it where it is, or moves it at its next balancing.
        let moved = || {
            Ok(pair
                .owner()
                .is_ok_and(|(now, _)| now.rest().address() == owner.rest().address()))
        };
        match kind {
            ToolKind::Tidewater => Ok(wait_until("the task to come back", LIMIT, moved)?),
            ToolKind::Debezium => other.rest().wait_for(pair.name, "RUNNING"),
        }
    })?;
    let seconds = pause.as_secs_f64();
    figures.add(kind, "the worker is back, pause", (seconds, "s"), 1.0);
    Ok(())
}
