//! The REST API of a worker.

use std::time::Duration;

use serde_json::{Value, json};
use stack::{Answer, Error, http, wait_until};

use crate::Outcome;

/// How long a connector may take to reach a state.
const LIMIT: Duration = Duration::from_secs(150);

/// A client of one worker.
#[derive(Debug, Clone)]
pub struct Rest {
    port: u16,
    address: String,
}

impl Rest {
    /// The worker that listens on a port of 127.0.0.1.
    pub fn new(port: u16) -> Self {
        Self {
            port,
            address: format!("127.0.0.1:{port}"),
        }
    }

    /// The worker at an address: `10.1.2.3:8083`.
    pub fn at(address: &str) -> Self {
        let port = address
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse().ok());
        Self {
            port: port.unwrap_or(0),
            address: address.to_owned(),
        }
    }

    /// Its address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// One request; any status is `Ok`.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> Outcome<Answer> {
        Ok(http(method, &self.address, path, body)?)
    }

    /// `GET` that must answer 200 with JSON.
    pub fn get(&self, path: &str) -> Outcome<Value> {
        let answer = self.ask("GET", path, "")?;
        if answer.status != 200 {
            return Err(format!("GET {path}: {} {}", answer.status, answer.body).into());
        }
        Ok(serde_json::from_str(&answer.body)?)
    }

    /// A request that must be answered with success and JSON; without a body when that is null.
    pub fn send(&self, method: &str, path: &str, body: &Value) -> Outcome<Value> {
        let text = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let answer = self.ask(method, path, &text)?;
        match answer.status {
            200..=299 => Ok(serde_json::from_str(&answer.body)?),
            status => Err(format!("{method} {path}: {status} {}", answer.body).into()),
        }
    }

    /// A request that must be refused as a bad one; gives the message.
    pub fn refused(&self, method: &str, path: &str, body: &Value) -> Outcome<String> {
        let answer = self.ask(method, path, &body.to_string())?;
        match answer.status {
            400 => Ok(answer.body),
            status => Err(format!("{method} {path}: {status} {}", answer.body).into()),
        }
    }

    /// Stops a connector, and waits until it is.
    pub fn stop(&self, name: &str) -> Outcome {
        self.must("PUT", &format!("/connectors/{name}/stop"))?;
        wait_until("the connector to stop", LIMIT, || {
            let states = self.states(name);
            Ok(states.is_ok_and(|states| states == ["STOPPED"]))
        })?;
        Ok(())
    }

    /// A request without a body that must be answered with success.
    pub fn must(&self, method: &str, path: &str) -> Outcome {
        let answer = self.ask(method, path, "")?;
        match answer.status {
            200..=299 => Ok(()),
            status => Err(format!("{method} {path}: {status} {}", answer.body).into()),
        }
    }

    /// Creates a connector; anything but 201 is an error.
    pub fn create(&self, name: &str, config: &Value) -> Outcome {
        self.create_as(name, config, "RUNNING")
    }

    /// The same in a state: `RUNNING`, `PAUSED`, `STOPPED`.
    pub fn create_as(&self, name: &str, config: &Value, state: &str) -> Outcome {
        let body = json!({ "name": name, "config": config, "initial_state": state }).to_string();
        let answer = self.ask("POST", "/connectors", &body)?;
        match answer.status {
            201 => Ok(()),
            status => Err(format!("creating {name}: {status} {}", answer.body).into()),
        }
    }

    /// The states of a connector and its tasks: `["RUNNING", "RUNNING"]`.
    pub fn states(&self, name: &str) -> Outcome<Vec<String>> {
        let status = self.get(&format!("/connectors/{name}/status"))?;
        let tasks = status["tasks"].as_array().cloned().unwrap_or_default();
        let all = std::iter::once(&status["connector"]).chain(&tasks);
        Ok(all
            .map(|one| one["state"].as_str().unwrap_or("?").to_owned())
            .collect())
    }

    /// The trace of a connector's first task, empty when it has none.
    pub fn trace(&self, name: &str) -> Outcome<String> {
        let status = self.get(&format!("/connectors/{name}/status"))?;
        Ok(status["tasks"][0]["trace"]
            .as_str()
            .unwrap_or("")
            .to_owned())
    }

    /// Waits until the connector and at least one task are in a state.
    pub fn wait_for(&self, name: &str, state: &str) -> Outcome {
        let mut last = Vec::new();
        let waited = wait_until(&format!("{name} to be {state}"), LIMIT, || {
            last = self.states(name).unwrap_or_default();
            if state != "FAILED" && last.iter().any(|s| s == "FAILED") {
                return Err(Error::new("it has failed"));
            }
            Ok(last.len() > 1 && last[1..].iter().all(|s| s == state))
        });
        waited.map_err(|error| {
            let trace = self.trace(name).unwrap_or_default();
            format!("{error}; states {last:?}; {trace}").into()
        })
    }

    /// Waits until the first task is being tried again, and its trace tells the reason and what to do.
    pub fn wait_for_trouble(&self, name: &str, says: &str) -> Outcome {
        self.wait_for_trace(name, "RESTARTING", says)
    }

    /// Waits until the first task has failed for good, and its trace tells the reason and what to do.
    pub fn wait_for_failure(&self, name: &str, says: &str) -> Outcome {
        self.wait_for_trace(name, "FAILED", says)
    }

    /// Waits until the status of the connector itself tells something; or nothing, when `says` is empty.
    pub fn wait_for_notice(&self, name: &str, says: &str) -> Outcome {
        let mut last = Value::Null;
        let waited = wait_until(&format!("{name} to tell: {says}"), LIMIT, || {
            let status = self.get(&format!("/connectors/{name}/status"));
            last = status.unwrap_or_default()["connector"]["trace"].clone();
            let told = last.as_str().unwrap_or("");
            Ok(told.contains(says) && told.is_empty() == says.is_empty())
        });
        waited.map_err(|error| format!("{error}; it tells {last}").into())
    }

    fn wait_for_trace(&self, name: &str, state: &str, says: &str) -> Outcome {
        let mut last = String::new();
        let waited = wait_until(&format!("{name} to be {state}: {says}"), LIMIT, || {
            let Ok(status) = self.get(&format!("/connectors/{name}/status")) else {
                return Ok(false);
            };
            let task = &status["tasks"][0];
            last = task.to_string();
            let trace = task["trace"].as_str().unwrap_or("");
            if task["state"] == "FAILED" && state != "FAILED" {
                return Err(Error::new("it has failed"));
            }
            Ok(task["state"] == state && trace.contains(says) && trace.contains("Remedy: "))
        });
        waited.map_err(|error| format!("{error}; the last status was {last}").into())
    }

    /// Waits until a source has stored a position of its stream: its snapshot is over and durable.
    pub fn wait_for_stream(&self, name: &str) -> Outcome {
        let streams = || -> Outcome<bool> {
            let offsets = self.get(&format!("/connectors/{name}/offsets"))?;
            let offset = &offsets["offsets"][0]["offset"];
            Ok(offset["lsn"].is_number() && offset.get("snapshot").is_none_or(Value::is_null))
        };
        wait_until(&format!("{name} to stream"), LIMIT, || {
            Ok(streams().unwrap_or(false))
        })?;
        Ok(())
    }
}
