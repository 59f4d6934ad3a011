//! `cargo xtask demo`: the main job on real servers, from the database to both sinks.

mod binary;
mod compare;
mod connectors;
mod database;
mod dice;
mod guide;
mod heartbeat;
mod inventory;
mod lag;
mod mirror;
mod mix;
mod mysql;
mod named;
mod options;
mod postgres;
mod progress;
mod redis;
mod resp;
mod rest;
mod run;
mod search;
mod servers;
mod session;
mod stop;
mod truth;
mod verdict;
mod watches;
mod worker;
mod workload;
mod writers;

use crate::Outcome;

use inventory::Inventory;
use options::Options;
use progress::{Progress, grouped};
use rest::Rest;
use run::Run;
use servers::Servers;
use stop::Stop;
use worker::Worker;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// `[--source postgres|mysql|mariadb] [--check] [--kafka] [--seconds N] [--rows N]`
pub(crate) fn run(words: &[String]) -> Outcome {
    let options = Options::parse(words)?;
    let progress = Progress::start();
    let stop = Stop::on_signals()?;
    let (servers, binary) = Servers::start(&options, progress, || {
        progress.step("cargo build --release", binary::build, |path| {
            path.display().to_string()
        })
    })?;
    named::refuse_leftovers(&servers)?;
    let inventory = Inventory::of_rows(options.rows);
    progress.step(
        "database inventory",
        || servers.database.create(inventory),
        |()| format!("{} rows", grouped(inventory.rows().into())),
    )?;
    let worker = progress.step(
        "tidewater",
        || Worker::start(&servers, &binary),
        |worker| format!("REST answers on http://{}", worker.rest),
    )?;
    stop.heed();
    let shown = show(&options, progress, &servers, inventory, (&worker, &stop));
    progress.say("stopping everything");
    let stopped = worker.server.stop();
    let cleaned = named::clean(&servers);
    shown?;
    stopped?;
    cleaned
}

/// Creates the connectors, shows what happens, and compares if asked.
fn show(
    options: &Options,
    progress: Progress,
    servers: &Servers,
    inventory: Inventory,
    (worker, stop): (&Worker, &Stop),
) -> Result<()> {
    let rest = Rest::new(&worker.rest);
    for (name, config) in connectors::all(servers) {
        progress.step(
            &format!("POST /connectors: {name}"),
            || rest.create(name, &config),
            |()| "runs".into(),
        )?;
    }
    println!("\n{}", guide::text(servers, worker));
    let mut run = Run::start(progress, servers, inventory, (worker, &rest, stop))?;
    if run.snapshot(inventory.rows())? {
        if options.length.is_none() {
            progress.say("the workload runs until Ctrl-C");
        }
        for mut lags in run.stream(options.length)? {
            progress.say(lags.summary());
        }
    }
    match (options.check, stop.is_set()) {
        (true, false) => verdict::pronounce(run, servers),
        (true, true) => Err("stopped before the sinks were compared".into()),
        (false, _) => run.end(),
    }
}

#[cfg(test)]
mod tests;
