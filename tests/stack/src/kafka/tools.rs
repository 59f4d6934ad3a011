//! Kafka's own tools in Java, against any bootstrap address.

use std::process::Command;

use super::jars;
use crate::{Result, run::run};

/// The Java tools for one cluster.
#[derive(Clone, Debug)]
pub struct KafkaTools {
    bootstrap: String,
    full_speed: bool,
}

impl KafkaTools {
    /// The tools, for the cluster at `host:port`.
    pub fn at(bootstrap: &str) -> Self {
        Self {
            bootstrap: bootstrap.to_owned(),
            full_speed: false,
        }
    }

    /// For measurements: the JVM's own choice of compiler and collector. It starts slower.
    pub fn full_speed(mut self) -> Self {
        self.full_speed = true;
        self
    }

    /// Runs a main class and returns what it prints: `run("org.apache.kafka.tools.TopicCommand", &["--list"])`.
    /// Takes two seconds of a core.
    pub fn run(&self, class: &str, words: &[&str]) -> Result<String> {
        run(&mut self.command(class, words)?)
    }

    /// The command, for a caller that reads its output as it comes.
    pub fn command(&self, class: &str, words: &[&str]) -> Result<Command> {
        let mut command = jars::command(&jars::libraries()?, class, self.full_speed)?;
        command
            .args(["--bootstrap-server", &self.bootstrap])
            .args(words);
        Ok(command)
    }
}
