//! The worker that is measured.

use std::time::{Duration, Instant};

use e2e::{LogKind, Outcome, Rest, Worker, WorkerOptions};
use serde_json::Value;
use stack::{Connect, ConnectOptions, Process, Server, Stack, wait_until};

/// Which tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToolKind {
    /// This project.
    Tidewater,
    /// Debezium on Kafka Connect.
    Debezium,
}

impl ToolKind {
    /// Its name in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tidewater => "tidewater",
            Self::Debezium => "debezium",
        }
    }
}

/// A running worker.
pub(crate) struct Tool {
    kind: ToolKind,
    startup: Duration,
    running: Running,
    rest: Rest,
}

enum Running {
    Tidewater(Worker),
    Debezium(Connect),
}

impl Tool {
    /// Starts a worker on a Kafka and takes the time to its first REST answer.
    pub(crate) fn start(
        stack: &Stack,
        kind: ToolKind,
        bootstrap: &str,
        exactly_once: bool,
        properties: &[(String, String)],
    ) -> Outcome<Self> {
        let started = Instant::now();
        let running = match kind {
            ToolKind::Tidewater => {
                let options = WorkerOptions::on(LogKind::Kafka(bootstrap.to_owned()));
                let options = if exactly_once {
                    options.exactly_once()
                } else {
                    options
                };
                let set = |options: WorkerOptions, (name, value): &(String, String)| {
                    options.set(name, value)
                };
                let options = properties.iter().fold(options, set);
                Running::Tidewater(Worker::start(stack, options)?)
            }
            ToolKind::Debezium => {
                let once = if exactly_once { "enabled" } else { "disabled" };
                let options = ConnectOptions::default()
                    .full_speed()
                    .set("exactly.once.source.support", once)
                    .set("offset.flush.interval.ms", "1000");
                let set = |options: ConnectOptions, (name, value): &(String, String)| {
                    options.set(name, value)
                };
                let options = properties.iter().fold(options, set);
                Running::Debezium(stack.connect(bootstrap, options)?)
            }
        };
        let startup = started.elapsed();
        let rest = match &running {
            Running::Tidewater(worker) => worker.rest().clone(),
            Running::Debezium(connect) => Rest::new(connect.port()),
        };
        Ok(Self {
            kind,
            startup,
            running,
            rest,
        })
    }

    /// Which tool.
    pub(crate) fn kind(&self) -> ToolKind {
        self.kind
    }

    /// From the start of the process to its first healthy answer.
    pub(crate) fn startup(&self) -> Duration {
        self.startup
    }

    /// Its process.
    pub(crate) fn process(&self) -> Outcome<Process> {
        self.worker()
            .process()
            .ok_or_else(|| "the worker is gone".into())
    }

    /// Creates a connector and waits until its task runs.
    pub(crate) fn create(&self, name: &str, config: &Value) -> Outcome {
        self.rest.create(name, config)?;
        self.rest.wait_for(name, "RUNNING")
    }

    /// `pause`, `resume` or `stop`.
    pub(crate) fn put(&self, name: &str, what: &str) -> Outcome {
        let answer = self
            .rest
            .ask("PUT", &format!("/connectors/{name}/{what}"), "")?;
        match answer.status {
            200..300 => Ok(()),
            status => Err(format!("{what} {name}: {status} {}", answer.body).into()),
        }
    }

    /// Waits until a connector has no task.
    pub(crate) fn wait_stopped(&self, name: &str) -> Outcome {
        wait_until("the tasks to end", Duration::from_secs(60), || {
            Ok(self.rest.states(name).is_ok_and(|states| states.len() == 1))
        })?;
        Ok(())
    }

    /// Deletes a connector; Kafka Connect may ask for patience.
    pub(crate) fn delete(&self, name: &str) -> Outcome {
        let path = format!("/connectors/{name}");
        wait_until("a connector to be deleted", Duration::from_secs(60), || {
            let answer = self.rest.ask("DELETE", &path, "");
            Ok(answer.is_ok_and(|answer| matches!(answer.status, 204 | 404)))
        })?;
        Ok(())
    }

    /// Ends the worker.
    pub(crate) fn stop(&self) -> Outcome {
        Ok(self.worker().stop()?)
    }

    /// Its REST API.
    pub(crate) fn rest(&self) -> &Rest {
        &self.rest
    }

    /// Its server.
    pub(crate) fn worker(&self) -> &Server {
        match &self.running {
            Running::Tidewater(worker) => worker.server(),
            Running::Debezium(connect) => connect,
        }
    }
}
