//! The worker's REST API, as any client of Kafka Connect uses it.

use std::time::Duration;

use serde_json::{Value, json};
use stack::{http, wait_until};

use super::Result;

/// A client of one worker.
#[derive(Clone)]
pub(super) struct Rest {
    address: String,
}

impl Rest {
    /// For the worker at `host:port`.
    pub(super) fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
        }
    }

    /// Creates a connector and waits until it and its tasks run.
    pub(super) fn create(&self, name: &str, config: &Value) -> Result<()> {
        let body = json!({"name": name, "config": config}).to_string();
        let answer = http("POST", &self.address, "/connectors", &body)?;
        if answer.status != 201 {
            let (status, body) = (answer.status, answer.body);
            return Err(
                format!("POST /connectors for {name} was answered {status}: {body}").into(),
            );
        }
        let mut failure = None;
        let runs = wait_until(&format!("{name} to run"), Duration::from_secs(60), || {
            let answer = http(
                "GET",
                &self.address,
                &format!("/connectors/{name}/status"),
                "",
            )?;
            let status: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            failure = failed(name, &status);
            Ok(failure.is_some() || is_running(&status))
        });
        match failure {
            Some(failure) => Err(failure.into()),
            None => Ok(runs?),
        }
    }

    /// An error with the trace when a connector or task has failed.
    pub(super) fn healthy(&self) -> Result<()> {
        let answer = http("GET", &self.address, "/connectors?expand=status", "")?;
        let all: Value = serde_json::from_str(&answer.body)?;
        let mut statuses = all.as_object().into_iter().flatten();
        match statuses.find_map(|(name, it)| failed(name, &it["status"])) {
            Some(failure) => Err(failure.into()),
            None => Ok(()),
        }
    }
}

fn states(status: &Value) -> impl Iterator<Item = &Value> {
    let tasks = status["tasks"].as_array().into_iter().flatten();
    std::iter::once(&status["connector"]).chain(tasks)
}

fn is_running(status: &Value) -> bool {
    let has_tasks = status["tasks"].as_array().is_some_and(|it| !it.is_empty());
    has_tasks && states(status).all(|it| it["state"] == "RUNNING")
}

fn failed(name: &str, status: &Value) -> Option<String> {
    let failed = states(status).find(|it| it["state"] == "FAILED")?;
    let trace = failed["trace"].as_str().unwrap_or("no trace");
    Some(format!("the connector {name} has failed: {trace}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_task_is_told_from_a_running_one() {
        let with = |task: &str| {
            json!({"connector": {"state": "RUNNING"},
                "tasks": [{"state": task, "trace": "no slot"}]})
        };
        assert!(is_running(&with("RUNNING")) && failed("a", &with("RUNNING")).is_none());
        assert!(!is_running(&with("RESTARTING")));
        let failure = failed("a", &with("FAILED")).unwrap();
        assert!(failure.ends_with("no slot"));
        assert!(!is_running(
            &json!({"connector": {"state": "RUNNING"}, "tasks": []})
        ));
    }
}
