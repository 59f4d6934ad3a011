//! What people install: the image, the unit, the Debian package, the chart, the boards. `cargo xtask test packaging` installs the tools that
//! look at them; the default run takes those that are there already.

mod boards;
mod chart;
mod deb;
mod docker;
mod health;
mod manifests;
mod systemd;

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A file of the repository.
fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Standard output of a command that ends well; all that it says, when it does not.
fn said(command: &mut Command) -> Outcome<String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.success() {
        true => Ok(out),
        false => {
            let err = String::from_utf8_lossy(&output.stderr);
            Err(format!("{command:?} ({}):\n{out}{err}", output.status).into())
        }
    }
}

/// Whether a tool of the cache is to be used: in the suite's own run always, else when it is installed.
fn is_wanted(name: &str) -> bool {
    let wanted = env::var_os("TIDEWATER_SUITE").is_some() || stack::is_installed(name);
    if !wanted {
        println!("not checked: {name} is not installed: cargo xtask test packaging");
    }
    wanted
}

/// A program of the machine, or none, said aloud.
fn machines(program: &str) -> Option<PathBuf> {
    let found = env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join(program))
        .find(|path| path.is_file());
    if found.is_none() {
        println!("not checked: this machine has no {program}");
    }
    found
}

/// The value of a worker property in a file, in a comment or not.
fn property(text: &str, name: &str) -> Option<String> {
    let lines = text.lines().map(|line| line.trim_start_matches('#').trim());
    lines
        .filter_map(|line| line.split_once('='))
        .find_map(|(found, value)| (found == name).then(|| value.to_owned()))
}

/// `task.shutdown.graceful.timeout.ms` of a file, in whole seconds.
fn shutdown_seconds(text: &str) -> Outcome<u64> {
    let millis = property(text, "task.shutdown.graceful.timeout.ms").ok_or("no timeout")?;
    Ok(millis.parse::<u64>()?.div_ceil(1000))
}

/// Seconds that a worker may need beyond what its tasks get: statuses, answers, blocking calls.
const AFTER_TASKS: u64 = 5;
