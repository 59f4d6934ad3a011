//! The two logs under a worker.

use std::{path::Path, process::Command};

use stack::{Kcat, binary};

use crate::Outcome;

/// Which log a worker stands on.
#[derive(Debug, Clone)]
pub enum LogKind {
    /// The embedded log, in the worker's own folder.
    Embedded,
    /// A Kafka cluster at this address.
    Kafka(String),
}

/// All committed records of a topic of Kafka: keys and values.
pub(crate) fn of_kafka(bootstrap: &str, topic: &str) -> Outcome<Vec<(String, String)>> {
    let text = Kcat::at(bootstrap)?.run(&[
        "-C",
        "-t",
        topic,
        "-e",
        "-f",
        "%k\t%s\n",
        "-X",
        "isolation.level=read_committed",
        // The end is told by an answer without records: while somebody writes, only a short one is.
        "-X",
        "fetch.wait.max.ms=2",
    ])?;
    Ok(pairs(&text))
}

/// The same, of the embedded log in a folder; its worker must be stopped.
pub(crate) fn of_folder(folder: &Path, topic: &str) -> Outcome<Vec<(String, String)>> {
    let mut read = Command::new(binary("tidewater")?);
    let read = read
        .args(["read", topic, "--data-dir"])
        .arg(folder)
        .output()?;
    if !read.status.success() {
        return Err(String::from_utf8_lossy(&read.stderr).into_owned().into());
    }
    Ok(pairs(&String::from_utf8(read.stdout)?))
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |line: &str| {
        let (key, value) = line.split_once('\t').unwrap_or((line, ""));
        (key.to_owned(), value.to_owned())
    };
    text.lines().map(pair).collect()
}
