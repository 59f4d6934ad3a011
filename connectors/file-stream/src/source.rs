//! `FileStreamSource`: each line of a file, or of standard input, is a record.

mod lines;
mod offsets;
mod quiet;
mod stdin;
mod tail;

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use connect_core::{
    Batch, Cell, Config, Finding, Position, Properties, Record, Result, Route, Schema,
    SourceConnector, SourceTask, Start, TaskPlan, Type,
    config::{Importance, Key, Kind, read_default, read_optional, read_required},
    plugin::About,
    rewind::{Asked, OffsetChange, Rewind},
};
use serde_json::{Value, json};

use self::{quiet::Seen, stdin::Stdin, tail::Tail};
use crate::{VERSION, key::key};

/// How long a file that was read just now is waited for, and how often, until it counts as quiet.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSES: u32 = 20;
/// A batch has no more bytes than about this.
const MOST_BYTES: usize = 1 << 20;
const BATCH: &str = "2000";

/// The connector.
pub struct FileSource;

/// Its configuration.
#[derive(Debug, Clone)]
pub struct FileSourceConfig {
    file: Option<String>,
    topic: String,
    lines: i32,
}

/// Reads one file from where it stopped, and follows it.
pub struct FileSourceTask {
    config: FileSourceConfig,
    route: Arc<Route>,
    input: Option<Input>,
    sent: u64,
    /// Pauses since the last line.
    pauses: u32,
}

enum Input {
    File(Tail),
    Stdin(Stdin),
}

impl Config for FileSourceConfig {
    fn keys() -> Vec<Key> {
        let file = "The file to read; standard input when there is none.";
        let topic = "The topic to which lines go.";
        let batch = "The largest number of lines that are read at a time.";
        vec![
            key("file", Kind::String, Importance::High, file),
            Key {
                required: true,
                ..key("topic", Kind::String, Importance::High, topic)
            },
            Key {
                default: Some(BATCH),
                ..key("batch.size", Kind::Int, Importance::Low, batch)
            },
        ]
    }

    fn parse(given: &Properties) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let file = read_optional::<String>(given, "file", &mut findings).flatten();
        let topic = read_required::<String>(given, "topic", &mut findings);
        let lines = read_default::<i32>(given, "batch.size", BATCH, &mut findings);
        if topic.as_deref().is_some_and(|name| name.trim().is_empty()) {
            let what = "Invalid value  for configuration topic: String must be non-empty";
            findings.push(Finding::error("topic", what));
        }
        match (topic, lines) {
            (Some(topic), Some(lines)) if findings.is_empty() => Ok(Self {
                file: file.filter(|name| !name.is_empty()),
                topic,
                lines,
            }),
            _ => Err(findings),
        }
    }
}

impl SourceConnector for FileSource {
    type Config = FileSourceConfig;
    type Task = FileSourceTask;
    const ABOUT: About = About {
        class: "org.apache.kafka.connect.file.FileStreamSourceConnector",
        aliases: &[],
        task_class: "org.apache.kafka.connect.file.FileStreamSourceTask",
        version: VERSION,
        summary: "Reads the lines of a file",
    };

    async fn check(_config: &FileSourceConfig) -> Vec<Finding> {
        Vec::new()
    }

    fn plan(_config: &FileSourceConfig, _max: usize) -> Result<Vec<TaskPlan>> {
        Ok(vec![TaskPlan::new()])
    }

    fn task(config: FileSourceConfig, _plan: TaskPlan) -> Result<FileSourceTask> {
        let value = Arc::new(Schema::of(Type::String));
        Ok(FileSourceTask {
            route: Route::new(config.topic.as_str(), None, Some(value)),
            config,
            input: None,
            sent: 0,
            pauses: 0,
        })
    }

    fn wrong_offsets(config: &FileSourceConfig, changes: &[OffsetChange]) -> Vec<String> {
        offsets::wrong(config.file.as_deref(), changes)
    }

    async fn rewind(config: &FileSourceConfig, asked: Asked) -> Result<Rewind> {
        offsets::rewind(config.file.as_deref(), &asked)
    }
}

impl SourceTask for FileSourceTask {
    async fn open(&mut self, start: Start) -> Result<()> {
        let Some(path) = self.config.file.clone() else {
            self.input = Some(Input::Stdin(Stdin::shared()));
            return Ok(());
        };
        let partition = partition(&path);
        let stored = start.stored.iter().find(|p| p.partition == partition);
        let offset = stored.and_then(|p| serde_json::from_str::<Value>(&p.offset).ok());
        let position = offset.and_then(|offset| offset["position"].as_u64());
        self.input = Some(Input::File(Tail::new(path, position.unwrap_or(0))));
        Ok(())
    }

    async fn poll(&mut self, out: &mut Batch) -> Result<()> {
        let route = out.route_index(&self.route);
        // A record is read at a time when it asks for none, as Kafka's does.
        let most = self.config.lines.max(1) as usize;
        let mut push = |line: &[u8]| push(out, route, line, most);
        match &mut self.input {
            Some(Input::File(tail)) => {
                // Looked at before it is read, so that no change falls between the two.
                let seen = Seen::at(tail.path());
                if tail.read(&mut push)? {
                    self.pauses = 0;
                    self.sent += 1;
                    out.set_position(position(tail, self.sent));
                } else if self.pauses < PAUSES {
                    self.pauses += 1;
                    tokio::time::sleep(PAUSE).await;
                } else {
                    quiet::changed(tail.path(), seen).await;
                    self.pauses = 0;
                }
            }
            Some(Input::Stdin(stdin)) => stdin.read(&mut push).await,
            None => {}
        }
        Ok(())
    }

    async fn close(&mut self) -> Result<()> {
        self.input = None;
        Ok(())
    }
}

/// Adds a line as a record; says whether there is room for another.
fn push(out: &mut Batch, route: u32, line: &[u8], most: usize) -> bool {
    let text = String::from_utf8_lossy(line);
    let value = out.push_bytes(text.as_bytes());
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let timestamp_ms = now.map_or(Record::NO_TIMESTAMP, |now| now.as_millis() as i64);
    out.push(Record {
        timestamp_ms,
        ..Record::new(route, Cell::Null, value)
    });
    out.len() < most && out.bytes() < MOST_BYTES
}

fn partition(path: &str) -> Arc<str> {
    json!({ "filename": path }).to_string().into()
}

fn position(tail: &Tail, order: u64) -> Position {
    Position {
        partition: partition(tail.path()),
        offset: json!({ "position": tail.position() }).to_string().into(),
        order,
    }
}
