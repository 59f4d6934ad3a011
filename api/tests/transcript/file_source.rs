//! A source that gives each line of a file, under the class names of Kafka's own.

use std::{
    fs::File,
    io::{BufRead, BufReader, Seek, SeekFrom},
    sync::Arc,
    time::Duration,
};

use connect_core::{
    Batch, Cell, Config, Error, Finding, Position, Properties, Record, Result, Route, Schema,
    SourceConnector, SourceTask, Start, TaskPlan, Type,
    config::{Importance, Key, Kind, Positive, Width, read_default, read_optional, read_required},
    plugin::About,
};

use super::{FILE, VERSION};

/// How long a quiet file is waited for.
const QUIET: Duration = Duration::from_millis(20);

/// The configuration of [`FileSource`].
#[derive(Clone)]
pub struct FileSourceConfig {
    file: Option<String>,
    topic: String,
    lines: Positive,
}

/// The connector.
pub struct FileSource;

/// Reads one file from where it stopped.
pub struct FileSourceTask {
    config: FileSourceConfig,
    path: String,
    route: Arc<Route>,
    reader: Option<BufReader<File>>,
    position: u64,
}

/// A property without a group, as Kafka's own connectors have them.
pub fn key(name: &'static str, kind: Kind, importance: Importance) -> Key {
    Key {
        name,
        kind,
        required: false,
        default: None,
        importance,
        documentation: String::new(),
        group: None,
        order: 0,
        width: Width::None,
        display: name,
        allowed: &[],
    }
}

impl Config for FileSourceConfig {
    fn keys() -> Vec<Key> {
        vec![
            key("file", Kind::String, Importance::High),
            Key {
                required: true,
                ..key("topic", Kind::String, Importance::High)
            },
            Key {
                default: Some("2000"),
                ..key("batch.size", Kind::Int, Importance::Low)
            },
        ]
    }

    fn parse(given: &Properties) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let file = read_optional(given, "file", &mut findings).flatten();
        let topic = read_required(given, "topic", &mut findings);
        let lines = read_default(given, "batch.size", "2000", &mut findings);
        match (topic, lines) {
            (Some(topic), Some(lines)) if findings.is_empty() => Ok(Self { file, topic, lines }),
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
        summary: "Reads the lines of a file.",
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
            path: config
                .file
                .clone()
                .unwrap_or_else(|| "/dev/stdin".to_owned()),
            route: Route::new(config.topic.as_str(), None, Some(value)),
            config,
            reader: None,
            position: 0,
        })
    }
}

impl FileSourceTask {
    fn partition(&self) -> Arc<str> {
        serde_json::json!({ "filename": self.path })
            .to_string()
            .into()
    }

    /// The file; none while it is not there.
    fn reader(&mut self) -> Result<Option<&mut BufReader<File>>> {
        if self.reader.is_none() {
            let Ok(mut file) = File::open(&self.path) else {
                return Ok(None);
            };
            file.seek(SeekFrom::Start(self.position))
                .map_err(unreadable)?;
            self.reader = Some(BufReader::new(file));
        }
        Ok(self.reader.as_mut())
    }
}

impl SourceTask for FileSourceTask {
    async fn open(&mut self, start: Start) -> Result<()> {
        let partition = self.partition();
        let stored = start.stored.iter().find(|p| p.partition == partition);
        let offset = stored.and_then(|p| serde_json::from_str::<serde_json::Value>(&p.offset).ok());
        self.position = offset.and_then(|o| o["position"].as_u64()).unwrap_or(0);
        Ok(())
    }

    async fn poll(&mut self, out: &mut Batch) -> Result<()> {
        let most = self.config.lines.0;
        let route = out.route_index(&self.route);
        let mut position = self.position;
        if let Some(reader) = self.reader()? {
            let mut line = String::new();
            for _ in 0..most {
                line.clear();
                let len = reader.read_line(&mut line).map_err(unreadable)?;
                let Some(text) = line.strip_suffix('\n') else {
                    // Half a line, or none: it is read again when there is more.
                    reader.seek_relative(-(len as i64)).map_err(unreadable)?;
                    break;
                };
                position += len as u64;
                let value = out.push_bytes(text.as_bytes());
                out.push(Record::new(route, Cell::Null, value));
            }
        }
        if position == self.position {
            tokio::time::sleep(QUIET).await;
            return Ok(());
        }
        self.position = position;
        out.set_position(Position {
            partition: self.partition(),
            offset: serde_json::json!({ "position": position })
                .to_string()
                .into(),
            order: position,
        });
        Ok(())
    }

    async fn close(&mut self) -> Result<()> {
        Ok(())
    }
}

fn unreadable(error: std::io::Error) -> Error {
    Error::new(&FILE, "The file cannot be read").caused_by(error)
}
