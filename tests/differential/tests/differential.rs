//! Every scenario on every server it names. `cargo xtask test differential postgres` runs them all; the default run takes a
//! handful on one server, if the peer has been installed before.

use std::{path::Path, sync::Arc};

use differential::{Peers, SERVERS, Scenario, Trial, run};
use e2e::{Outcome, is_long};
use libtest_mimic::{Arguments, Trial as Test};

/// So many trials run at a time: most of their time they wait.
const THREADS: usize = 6;
/// What the default run takes, on the first server.
const SHORT: [&str; 4] = [
    "keys_change",
    "replica_identity",
    "tombstones",
    "types_numbers",
];

fn main() -> Outcome {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let peers = Arc::new(Peers::new()?);
    let mut tests = Vec::new();
    for (kind, version) in SERVERS {
        // Tests run in the folder of their package.
        let folder = Path::new("scenarios").join(kind);
        let scenarios = Scenario::all(&folder)?;
        for trial in scenarios
            .iter()
            .filter(|s| s.runs_on(version))
            .flat_map(|s| s.trials(version))
        {
            if is_taken(&trial, version) {
                let number = tests.len();
                tests.push(test(Arc::clone(&peers), kind, version, number, trial));
            }
        }
    }
    let conclusion = libtest_mimic::run(&arguments, tests);
    drop(peers);
    conclusion.exit();
}

fn is_taken(trial: &Trial, version: &str) -> bool {
    let short = SHORT.contains(&trial.scenario.name.as_str()) && version == SERVERS[0].1;
    is_long() || (short && stack::Connect::is_installed())
}

fn test(
    peers: Arc<Peers>,
    kind: &'static str,
    version: &'static str,
    number: usize,
    trial: Trial,
) -> Test {
    let name = format!("{kind}{version}/{}", trial.name);
    // Part of the names of topics, slots and databases; none may be part of another.
    let identifier = format!("d{number:03}_{}", trial.name.replace(['/', '-'], "_"));
    let identifier: String = identifier.chars().take(50).collect();
    Test::test(name, move || {
        let database = peers.database(kind, version)?;
        let sides = peers.sides()?;
        run(&trial, &identifier, &*database, &sides).map_err(|error| error.to_string().into())
    })
}
