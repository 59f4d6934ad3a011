//! A JDK of at least a given release: the machine's newest, else one of Debian's packages, unpacked privately.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use super::prefix::Packages;
use crate::{Error, Result, run::on_path};

const DEBIAN: Packages = Packages {
    name: "jdk",
    suite: "trixie",
    packages: &["openjdk-21-jdk-headless", "openjdk-21-jre-headless"],
    alone: &[],
    links: &[],
};

/// The home of the newest JDK found, of release `least` or newer. `JAVA_HOME` is looked at first, then what lies
/// beside the `java` of the path and in `/usr/lib/jvm`.
pub(crate) fn home(least: u32) -> Result<PathBuf> {
    let best = candidates()
        .into_iter()
        .filter_map(|home| Some((release(&home)?, home)))
        .max();
    match best {
        Some((found, home)) if found >= least => Ok(home),
        _ => debian(least),
    }
}

fn candidates() -> Vec<PathBuf> {
    let mut homes: Vec<PathBuf> = env::var_os("JAVA_HOME")
        .map(PathBuf::from)
        .into_iter()
        .collect();
    let mut parents = vec![PathBuf::from("/usr/lib/jvm")];
    if let Some(java) = on_path("java").and_then(|java| java.canonicalize().ok())
        && let Some(home) = java.ancestors().nth(2)
    {
        homes.push(home.to_path_buf());
        parents.extend(home.parent().map(Path::to_path_buf));
    }
    for parent in parents {
        let Ok(entries) = fs::read_dir(parent) else {
            continue;
        };
        homes.extend(entries.flatten().map(|entry| entry.path()));
    }
    homes.retain(|home| home.join("bin/javac").is_file());
    homes
}

/// The number in `JAVA_VERSION="21.0.5"` of the file `release`.
fn release(home: &Path) -> Option<u32> {
    let text = fs::read_to_string(home.join("release")).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("JAVA_VERSION="))?;
    line.trim_matches('"')
        .split(['.', '-', '+'])
        .next()?
        .parse()
        .ok()
}

fn debian(least: u32) -> Result<PathBuf> {
    let jvms = DEBIAN.install()?.join("usr/lib/jvm");
    let homes = fs::read_dir(&jvms)?.flatten().map(|entry| entry.path());
    homes
        .filter(|home| release(home).is_some_and(|found| found >= least))
        .find(|home| home.join("bin/java").is_file())
        .ok_or_else(|| Error::new(format!("{} holds no JDK {least}", jvms.display())))
}
