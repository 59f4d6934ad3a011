//! A Java program of one file, run from its source with jars of Maven's repositories.

use std::{path::Path, process::Command};

use super::maven::{self, Artifact};
use crate::{Result, cache, jvm};

/// The release of Java that such programs need.
const RELEASE: u32 = 17;

/// The command that runs `source` with `group:name:version` artifacts and all they need. `name` is their folder's in the cache.
pub fn java_program(
    name: &str,
    artifacts: &[(&'static str, &'static str, &'static str)],
    source: &Path,
) -> Result<Command> {
    let jars = cache::install(name, |folder, _| {
        let all: Vec<Artifact> = artifacts
            .iter()
            .map(|(group, name, version)| Artifact(group, name, version))
            .collect();
        maven::copy(&all, &folder.join("jars"))
    })?;
    let mut command = Command::new(jvm::program(RELEASE)?);
    command
        .args(jvm::QUICK)
        .arg("-cp")
        .arg(jvm::class_path(&jars.join("jars")))
        .arg(source);
    Ok(command)
}
