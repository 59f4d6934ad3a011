//! kcat, the Kafka client of Debian's packages, against any bootstrap address.

use std::{path::PathBuf, process::Command};

use crate::{Result, error::While, install::prefix::program, run::run_with};

/// kcat for one cluster.
#[derive(Clone, Debug)]
pub struct Kcat {
    program: PathBuf,
    bootstrap: String,
}

impl Kcat {
    /// kcat, installed if needed, for the cluster at `host:port`.
    pub fn at(bootstrap: &str) -> Result<Self> {
        Ok(Self {
            program: program("kcat")?,
            bootstrap: bootstrap.to_owned(),
        })
    }

    /// Runs it and returns what it prints: `run(&["-C", "-t", "orders", "-e"])`.
    pub fn run(&self, words: &[&str]) -> Result<String> {
        self.run_with(words, b"")
    }

    /// The command, for a caller that reads its output as it comes.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut kcat = Command::new(&self.program);
        kcat.args(["-q", "-b", &self.bootstrap]).args(words);
        kcat
    }

    /// The same, with standard input: `run_with(&["-P", "-t", "orders", "-K:"], b"key:value\n")`.
    pub fn run_with(&self, words: &[&str], input: &[u8]) -> Result<String> {
        run_with(&mut self.command(words), input).while_(|| format!("kcat at {}", self.bootstrap))
    }
}
