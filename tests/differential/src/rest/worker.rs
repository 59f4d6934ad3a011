//! One of the two workers, on a Kafka of its own, with a folder of files of its own.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use e2e::{LogKind, Outcome, Rest, Worker, WorkerOptions};
use serde_json::Value;
use stack::{ConnectOptions, KafkaOptions, Stack, wait_until};
use tempfile::TempDir;

use super::{
    mask::{LOGGERS, RESTARTS},
    request::{Request, Wait},
};
use crate::End;

/// How long an answer may take to come.
const LIMIT: Duration = Duration::from_secs(100);
/// For how long a rebalance of Kafka Connect is waited for, and between two tries.
const PATIENCE: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(200);
/// How long a connector may take to reach a state.
const STATE_LIMIT: Duration = Duration::from_secs(40);
/// Connectors that are deleted between requests and still write see no file that others see.
const FOLDER: &str = "${folder}";

/// A worker.
pub struct RestSide {
    port: u16,
    folder: TempDir,
    /// Kept: its folder goes with it.
    _worker: Option<Worker>,
}

/// What a worker answered, with its own address and folder masked.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) status: u16,
    /// By name in small letters.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

impl RestSide {
    /// Starts a worker with exactly-once on.
    pub fn start(stack: &Stack, end: End) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("in.txt"), "a\nb\nc\n")?;
        fs::write(folder.path().join("secret.properties"), "topic=t9\n")?;
        let kafka = stack.kafka_with(KafkaOptions::default())?;
        let (port, worker) = match end {
            End::Debezium => {
                let options = ConnectOptions::plain()
                    .set("exactly.once.source.support", "enabled")
                    .set("scheduled.rebalance.max.delay.ms", "0")
                    .set("offset.flush.interval.ms", "1000")
                    .set("config.providers", "file")
                    .set(
                        "config.providers.file.class",
                        "org.apache.kafka.common.config.provider.FileConfigProvider",
                    )
                    .set("group.id", "connect-cluster");
                (stack.connect(kafka.bootstrap(), options)?.port(), None)
            }
            End::Tidewater => {
                let log = LogKind::Kafka(kafka.bootstrap().to_owned());
                let options = WorkerOptions::on(log).exactly_once();
                let worker = Worker::start(stack, options)?;
                (worker.rest().port(), Some(worker))
            }
        };
        Ok(Self {
            port,
            folder,
            _worker: worker,
        })
    }

    /// Sends a request; for a while again when Kafka Connect asks for patience.
    pub(super) fn send(&self, request: &Request) -> Outcome<Told> {
        const ASKS: [&str; 4] = [
            "conflicting operation",
            "stale configuration",
            "rebalance is expected",
            "no known leader URL",
        ];
        let deadline = Instant::now() + PATIENCE;
        loop {
            let told = self.once(request)?;
            let asks_patience = ASKS.iter().any(|text| told.body.contains(text));
            if !asks_patience || Instant::now() > deadline {
                return Ok(told);
            }
            thread::park_timeout(PAUSE);
        }
    }

    fn once(&self, request: &Request) -> Outcome<Told> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(LIMIT))?;
        // Who refuses early may close before it has read all.
        let written = stream.write_all(&self.bytes(request));
        let mut bytes = Vec::new();
        let read = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        let told = self.told(request, &text);
        told.ok_or_else(|| format!("no HTTP answer: {text:?}, {written:?}, {read:?}").into())
    }

    fn bytes(&self, request: &Request) -> Vec<u8> {
        let folder = self.folder.path().display().to_string();
        let body = request.body.as_deref().unwrap_or_default();
        let (body, path) = (
            body.replace(FOLDER, &folder),
            request.path.replace(FOLDER, &folder),
        );
        let mut headers = vec![("Accept", "application/json")];
        if request.body.is_some() {
            headers.push(("Content-Type", "application/json"));
        }
        headers.retain(|(name, _)| request.headers.iter().all(|(own, _)| own != name));
        let own = request
            .headers
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()));
        headers.extend(own.filter(|(_, value)| !value.is_empty()));
        let headers: String = headers
            .iter()
            .map(|(n, v)| format!("{n}: {v}\r\n"))
            .collect();
        let (method, port, length) = (&request.method, self.port, body.len());
        // HTTP/1.0: the answer is not chunked and ends with the connection.
        format!(
            "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    fn told(&self, request: &Request, text: &str) -> Option<Told> {
        let folder = self.folder.path().display().to_string();
        let address = format!("127.0.0.1:{}", self.port);
        let masked = text.replace(&folder, "FOLDER").replace(&address, "HOST");
        let (head, body) = masked.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines.filter_map(|line| line.split_once(": "));
        Some(Told {
            status,
            headers: headers
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
            body: match request.path.trim_end_matches('/') {
                LOGGERS => root_logger(body),
                path if path.contains(RESTARTS) => without_states(body),
                _ => body.to_owned(),
            },
        })
    }

    /// Waits until a connector and its tasks are in a state.
    pub(super) fn wait(&self, wait: &Wait) -> Outcome {
        let rest = Rest::new(self.port);
        let mut last = Vec::new();
        let what = format!("{wait:?} at port {}", self.port);
        let waited = wait_until(&what, STATE_LIMIT, || {
            last = rest.states(&wait.connector).unwrap_or_default();
            let all = last.iter().skip(1).all(|state| *state == wait.state);
            // A connector runs while its tasks have failed.
            let is_there = last.first().is_some_and(|state| {
                *state == wait.state || wait.state == "FAILED" && state == "RUNNING"
            });
            Ok(is_there && all && last.len() == wait.tasks + 1)
        });
        waited.map_err(|error| format!("{error}; they were {last:?}").into())
    }
}

/// The list of loggers with that of the root alone.
fn root_logger(body: &str) -> String {
    let read: Value = serde_json::from_str(body).unwrap_or_default();
    match read.get("root") {
        Some(root) => serde_json::json!({ "root": { "is_there": root.is_object() } }).to_string(),
        None => body.to_owned(),
    }
}

/// A status without the states in it.
fn without_states(body: &str) -> String {
    let Ok(mut status) = serde_json::from_str::<Value>(body) else {
        return body.to_owned();
    };
    let tasks = status
        .get("tasks")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    let places = (0..tasks).map(|task| format!("/tasks/{task}/state"));
    for place in places.chain(["/connector/state".to_owned()]) {
        if let Some(state) = status.pointer_mut(&place) {
            *state = Value::Null;
        }
    }
    status.to_string()
}
