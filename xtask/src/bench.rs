//! `cargo xtask bench`: builds the program and the benchmark with optimisation, and runs it.

use crate::{Outcome, workspace};

/// Passes everything on to the benchmark.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut build = workspace::cargo()?;
    build.args([
        "build",
        "--release",
        "--package",
        "tidewater",
        "--package",
        "bench",
    ]);
    if !build.status()?.success() {
        return Err("the build failed".into());
    }
    let mut bench = workspace::cargo()?;
    bench
        .args(["run", "--release", "--quiet", "--package", "bench", "--"])
        .args(arguments);
    match bench.status()?.success() {
        true => Ok(()),
        false => Err("the benchmark failed".into()),
    }
}
