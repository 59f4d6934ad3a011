//! The project's own commands: `cargo xtask COMMAND`.

mod bench;
mod check;
mod deb;
mod demo;
mod fuzz;
mod house;
mod servers;
mod suites;
mod tally;
mod workspace;

use std::{env, error::Error, process::ExitCode};

/// Why a command failed, in words for the terminal.
type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// A command: its name, what follows it, what it does, and the function that does it.
struct Task {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Outcome,
}

const TASKS: &[Task] = &[
    Task {
        name: "test",
        usage: "[unit|e2e|chaos|differential|soak|clients|packaging|house] [NAME]",
        about: "the rules of the house, the build and all tests; or one suite, in its long form",
        run: suites::run,
    },
    Task {
        name: "check",
        usage: "",
        about: "formatting and lints",
        run: check::run,
    },
    Task {
        name: "demo",
        usage: "[--source postgres|mysql|mariadb] [--check] [--kafka] [--seconds N] [--rows N]",
        about: "the main job on real servers, until Ctrl-C; --check compares every row at the end",
        run: demo::run,
    },
    Task {
        name: "bench",
        usage: "postgres|postgres18|mysql|mariadb|workloads|runtime|memory [--source NAME] [--rows N] [--peer debezium] [--json FILE]",
        about: "speed, CPU, memory and latency beside the server's limit and a peer",
        run: bench::run,
    },
    Task {
        name: "fuzz",
        usage: "[TARGET] [--seconds N]",
        about: "looks for bytes that break a reader, guided by coverage; each target for 60 s",
        run: fuzz::run,
    },
    Task {
        name: "deb",
        usage: "[--binary FILE] [--out DIR] [--level 1..9]",
        about: "the Debian package of the program, built in release",
        run: deb::run,
    },
    Task {
        name: "stack",
        usage: "up|down|status [NAME...]",
        about: "servers that stay, databases and all: up prints variables that tests then use; --help has their names",
        run: servers::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let task = arguments
        .first()
        .and_then(|name| TASKS.iter().find(|task| task.name == name));
    let Some(task) = task else {
        eprint!("{}", usage());
        return ExitCode::from(2);
    };
    match (task.run)(&arguments[1..]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {}: {error}", task.name);
            ExitCode::FAILURE
        }
    }
}

fn usage() -> String {
    let mut text = String::from("cargo xtask COMMAND\n");
    for Task {
        name, usage, about, ..
    } in TASKS
    {
        text += &format!("  {:<46} {about}\n", format!("{name} {usage}"));
    }
    text
}
