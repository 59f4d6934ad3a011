//! `cargo xtask check`: formatting and lints, as strict as the house wants them.

use crate::{Outcome, workspace::cargo};

/// Fails on the first of the two that finds something.
pub(crate) fn run(_: &[String]) -> Outcome {
    for words in [
        &["fmt", "--all", "--check"] as &[&str],
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
    ] {
        if !cargo()?.args(words).status()?.success() {
            return Err(format!("cargo {} found something", words[0]).into());
        }
    }
    Ok(())
}
