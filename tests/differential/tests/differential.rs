//! Every scenario on every server it names. `cargo xtask test differential postgres` runs them all; the default run takes a
//! handful on one server, if the peer has been installed before. A server takes part when the program has a connector for it.
//!
//! `cargo xtask test differential --record mysql9.7/types_text` runs Debezium alone and prints what it writes, a line of JSON for
//! each record; for that any server will do.

use std::{env, io::Write, path::Path, process::Command, sync::Arc};

use differential::{End, Peers, SERVERS, Scenario, Server, Trial, record, run};
use e2e::{Outcome, is_long};
use libtest_mimic::{Arguments, Completion, Trial as Test};

/// So many trials run at a time: most of their time they wait.
const THREADS: usize = 6;
/// What the default run takes, on the first server.
const SHORT: [&str; 4] = [
    "keys_change",
    "replica_identity",
    "tombstones",
    "types_numbers",
];
const RECORD: &str = "--record";

fn main() -> Outcome {
    let records = env::args().any(|argument| argument == RECORD);
    let mut arguments = Arguments::from_iter(env::args().filter(|argument| argument != RECORD));
    arguments.test_threads.get_or_insert(THREADS);
    let ends: &[End] = match records {
        true => &[End::Debezium],
        false => &[End::Debezium, End::Tidewater],
    };
    let peers = Arc::new(Peers::new(ends)?);
    let ours = if records {
        String::new()
    } else {
        connectors()?
    };
    let mut tests = Vec::new();
    for server in SERVERS {
        if !records && !ours.contains(server.class) {
            continue;
        }
        // Tests run in the folder of their package.
        let scenarios = Scenario::all(&Path::new("scenarios").join(server.folder))?;
        let on_it = scenarios.iter().filter(|s| s.runs_on(server));
        for trial in on_it.flat_map(|s| s.trials(server)) {
            if records || is_taken(&trial, server) {
                let number = tests.len();
                tests.push(test(Arc::clone(&peers), server, number, trial, records));
            }
        }
    }
    let conclusion = libtest_mimic::run(&arguments, tests);
    drop(peers);
    conclusion.exit();
}

/// The reference of all connectors of the program, with their classes.
fn connectors() -> Outcome<String> {
    let told = Command::new(stack::binary("tidewater")?)
        .arg("docs")
        .output()?;
    Ok(String::from_utf8(told.stdout)?)
}

fn is_taken(trial: &Trial, server: Server) -> bool {
    let short = SHORT.contains(&trial.scenario.name.as_str()) && server == SERVERS[0];
    is_long() || (short && stack::Connect::is_installed())
}

fn test(peers: Arc<Peers>, server: Server, number: usize, trial: Trial, records: bool) -> Test {
    let name = format!("{}{}/{}", server.kind, server.version, trial.name);
    // Part of the names of topics, slots and databases; none may be part of another.
    let identifier = format!("d{number:03}_{}", trial.name.replace(['/', '-'], "_"));
    let identifier: String = identifier.chars().take(50).collect();
    let title = name.clone();
    Test::ignorable_test(name, move || {
        let outcome = || -> Outcome<Completion> {
            let database = peers.database(server)?;
            if trial.scenario.needs_extensions
                && let Some(why) = database.lacks_extensions()
            {
                return without_extensions(why);
            }
            let sides = peers.sides()?;
            if !records {
                run(&trial, &identifier, &*database, &sides)?;
                return Ok(Completion::Completed);
            }
            let text = record(&trial, &identifier, &*database, &sides)?;
            // In one piece: others write, too.
            write!(std::io::stdout().lock(), "# {title}\n{text}")?;
            Ok(Completion::Completed)
        };
        outcome().map_err(|error| error.to_string().into())
    })
}

/// What becomes of a trial that lacks its extensions: skipped, but in continuous integration, where nobody would see that.
fn without_extensions(why: &str) -> Outcome<Completion> {
    let why = format!("no extensions: {}", why.replace('\n', " "));
    match env::var("CI").as_deref() {
        Ok("true") => Err(why.into()),
        _ => Ok(Completion::ignored_with(why)),
    }
}
