//! One of the two sides: a Kafka, a worker on it, and everything read that it writes.

use std::time::Duration;

use e2e::{LogKind, Outcome, Rest, Worker, WorkerOptions};
use serde_json::{Value, json};
use stack::{ConnectOptions, Error, KafkaOptions, Stack, wait_until};

use crate::{End, tap::Tap};

const LIMIT: Duration = Duration::from_secs(60);

/// A side.
pub struct Side {
    /// Which one.
    pub end: End,
    pub(crate) tap: Tap,
    pub(crate) bootstrap: String,
    rest: Rest,
    /// Kept: its folder goes with it.
    _worker: Option<Worker>,
}

impl Side {
    /// Starts one.
    pub fn start(stack: &Stack, end: End) -> Outcome<Self> {
        let options = KafkaOptions::default().set("message.max.bytes", "67108864");
        let kafka = stack.kafka_with(options)?;
        let bootstrap = kafka.bootstrap().to_owned();
        let (worker, rest) = match end {
            End::Debezium => {
                let options = ConnectOptions::default()
                    .set("scheduled.rebalance.max.delay.ms", "0")
                    .set("connector.client.config.override.policy", "All")
                    .set("producer.max.request.size", "67108864");
                let connect = stack.connect(&bootstrap, options)?;
                (None, Rest::new(connect.port()))
            }
            End::Tidewater => {
                let options = WorkerOptions::on(LogKind::Kafka(bootstrap.clone()));
                let worker = Worker::start(stack, options)?;
                let rest = worker.rest().clone();
                (Some(worker), rest)
            }
        };
        Ok(Self {
            end,
            tap: Tap::of(&bootstrap)?,
            bootstrap,
            rest,
            _worker: worker,
        })
    }

    /// Creates a connector. Kafka Connect may ask for patience.
    pub(crate) fn create(&self, name: &str, config: &Value) -> Outcome {
        let body = json!({ "name": name, "config": config }).to_string();
        let what = format!("{} to take the connector", self.end.name());
        wait_until(&what, LIMIT, || {
            let answer = self.rest.ask("POST", "/connectors", &body);
            let answer = answer.map_err(|error| Error::new(error.to_string()))?;
            match answer.status {
                201 => Ok(true),
                409 if answer.body.contains("rebalance") => Ok(false),
                status => Err(Error::new(format!("{status} {}", answer.body))),
            }
        })?;
        Ok(())
    }

    /// The trace of a connector or task that has failed.
    pub(crate) fn failure(&self, name: &str) -> Option<String> {
        let status = self.rest.get(&format!("/connectors/{name}/status")).ok()?;
        let tasks = status["tasks"].as_array().cloned().unwrap_or_default();
        let all = [&status["connector"]].into_iter().chain(&tasks);
        let in_trouble = |one: &&Value| one["trace"].as_str().is_some_and(|t| !t.is_empty());
        let trace = all.filter(in_trouble).map(|one| &one["trace"]).next()?;
        // Of Java's the lines that say why.
        let why = trace.as_str()?.lines().enumerate();
        let why = why.filter(|(at, line)| *at == 0 || !line.trim_start().starts_with("at "));
        let why: Vec<&str> = why.map(|(_, line)| line).collect();
        let why: String = why.join("\n").chars().take(3000).collect();
        Some(format!("{}: {why}", self.end.name()))
    }

    /// Stops a connector: its task ends, and what it has sent is stored.
    pub(crate) fn stop(&self, name: &str) -> Outcome {
        let path = format!("/connectors/{name}/stop");
        self.put(&path)?;
        let what = format!("{} to stop the connector", self.end.name());
        wait_until(&what, LIMIT, || {
            let status = self.rest.get(&format!("/connectors/{name}/status"));
            let status = status.unwrap_or_default();
            let is_stopped = status["connector"]["state"] == "STOPPED";
            Ok(is_stopped && status["tasks"].as_array().is_some_and(Vec::is_empty))
        })?;
        Ok(())
    }

    /// Lets a stopped connector go on.
    pub(crate) fn resume(&self, name: &str) -> Outcome {
        self.put(&format!("/connectors/{name}/resume"))
    }

    /// Kafka Connect may ask for patience.
    fn put(&self, path: &str) -> Outcome {
        let what = format!("{} to take PUT {path}", self.end.name());
        wait_until(&what, LIMIT, || {
            let answer = self.rest.ask("PUT", path, "");
            Ok(answer.is_ok_and(|answer| matches!(answer.status, 202 | 204)))
        })?;
        Ok(())
    }

    /// Deletes a connector. Kafka Connect may ask for patience.
    pub(crate) fn delete(&self, name: &str) -> Outcome {
        let path = format!("/connectors/{name}");
        let what = format!("{} to delete the connector", self.end.name());
        wait_until(&what, LIMIT, || {
            let answer = self.rest.ask("DELETE", &path, "");
            Ok(answer.is_ok_and(|answer| matches!(answer.status, 204 | 404)))
        })?;
        Ok(())
    }
}
