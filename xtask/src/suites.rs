//! `cargo xtask test`: everything that can fail, with one closing line.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use crate::{Outcome, house, tally::Tally, workspace::cargo};

/// The suites that have a short form unless asked for by name: their package in `tests` and their targets.
const LONG: [(&str, &str, &[&str]); 5] = [
    (
        "chaos",
        "e2e",
        &["chaos", "*_faults", "shutdown", "cluster", "history"],
    ),
    (
        "differential",
        "differential",
        &["differential", "handover*", "rest"],
    ),
    ("soak", "e2e", &["soak"]),
    ("clients", "e2e", &["clients"]),
    ("packaging", "xtask", &["packaging"]),
];

/// `[unit|e2e|chaos|differential|soak|clients|packaging|house]`, and what names have in them of the tests of a suite; everything without
/// a word. The last line printed is `N passed, N failed`.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut tally = Tally::default();
    let (name, rest) = match arguments.split_first() {
        Some((name, rest)) => (Some(name.as_str()), rest),
        None => (None, arguments),
    };
    let outcome = suite(name, rest, &mut tally);
    if let Err(error) = &outcome {
        println!("\n{error}");
        tally.add(Tally::one(false));
    }
    println!("\n{tally}");
    std::io::stdout().flush()?;
    if tally.failed == 0 {
        Ok(())
    } else {
        Err("not everything passed".into())
    }
}

fn suite(name: Option<&str>, rest: &[String], tally: &mut Tally) -> Outcome {
    match name {
        None => {
            tally.add(house::run()?);
            // With all targets the same features are on as in the tests, so nothing is built twice.
            build(&["--workspace", "--all-targets"])?;
            tests(&["--workspace", "--no-fail-fast"], None, tally)
        }
        Some("house") => {
            tally.add(house::run()?);
            Ok(())
        }
        Some("unit") => tests(
            &["--workspace", "--no-fail-fast", "--lib", "--bins"],
            None,
            tally,
        ),
        Some("e2e") => {
            build(&["-p", "tidewater"])?;
            tests(&["-p", "e2e", "--no-fail-fast"], None, tally)
        }
        Some(other) => {
            let Some((long, package, targets)) = LONG.iter().find(|suite| suite.0 == other) else {
                let names = LONG.map(|suite| suite.0).join(", ");
                return Err(format!("no suite {other}: unit, e2e, house, {names}").into());
            };
            build(&["-p", "tidewater"])?;
            let mut what = vec!["-p", package, "--no-fail-fast"];
            let (targets, rest) = match (other, rest) {
                // A target of its own, since parts of names of scenarios are written in the same place.
                ("differential", [first, rest @ ..]) if first == "rest" => (&["rest"][..], rest),
                _ => (*targets, rest),
            };
            targets
                .iter()
                .for_each(|target| what.extend(["--test", target]));
            what.push("--");
            what.extend(rest.iter().map(String::as_str));
            tests(&what, Some(long), tally)
        }
    }
}

fn build(what: &[&str]) -> Outcome {
    let status = cargo()?.arg("build").args(what).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("cargo build {what:?} failed").into())
    }
}

/// Runs `cargo test`, passes its output through and counts. `long` names the suite that takes its time.
fn tests(what: &[&str], long: Option<&str>, tally: &mut Tally) -> Outcome {
    let mut command = cargo()?;
    command.arg("test").args(what);
    match long {
        Some(suite) => command.env("TIDEWATER_SUITE", suite),
        None => command.env_remove("TIDEWATER_SUITE"),
    };
    let (counted, finished) = pass_through(&mut command)?;
    tally.add(counted);
    if finished || counted.failed > 0 {
        Ok(())
    } else {
        Err("cargo test did not finish".into())
    }
}

/// What the tests counted, and whether the command says all is well.
fn pass_through(
    command: &mut Command,
) -> Result<(Tally, bool), Box<dyn std::error::Error + Send + Sync>> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut tally = Tally::default();
    let output = child.stdout.take().ok_or("no output")?;
    for line in BufReader::new(output).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        println!("{line}");
        if let Some(counted) = Tally::of_line(&line) {
            tally.add(counted);
        }
    }
    Ok((tally, child.wait()?.success()))
}
