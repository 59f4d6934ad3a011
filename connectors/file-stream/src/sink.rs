//! `FileStreamSink`: appends each value to a file, or to standard output, as a line.

use std::{
    fs::{File, OpenOptions},
    io::{Stdout, Write, stdout},
};

use connect_core::{
    Batch, Config, Error, Finding, Properties, Rejects, Result, SinkConnector, SinkTask, TaskPlan,
    config::{Importance, Key, Kind, read_optional},
    meter::Meter,
    plugin::About,
};

use crate::{VERSION, error::WRITE, java_text, key::key};

/// The connector.
pub struct FileSink;

/// Its configuration.
#[derive(Debug, Clone)]
pub struct FileSinkConfig {
    file: Option<String>,
}

/// Writes to one file.
pub struct FileSinkTask {
    file: Option<String>,
    out: Option<Out>,
    lines: String,
}

enum Out {
    File(File),
    Stdout(Stdout),
}

impl Config for FileSinkConfig {
    fn keys() -> Vec<Key> {
        let about = "The file to which lines are appended; standard output when there is none.";
        vec![key("file", Kind::String, Importance::High, about)]
    }

    fn parse(given: &Properties) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let file = read_optional::<String>(given, "file", &mut findings).flatten();
        match findings.is_empty() {
            true => Ok(Self {
                file: file.filter(|name| !name.is_empty()),
            }),
            false => Err(findings),
        }
    }
}

impl SinkConnector for FileSink {
    type Config = FileSinkConfig;
    type Task = FileSinkTask;
    const ABOUT: About = About {
        class: "org.apache.kafka.connect.file.FileStreamSinkConnector",
        aliases: &[],
        task_class: "org.apache.kafka.connect.file.FileStreamSinkTask",
        version: VERSION,
        summary: "Appends records to a file as lines",
    };

    async fn check(_config: &FileSinkConfig) -> Vec<Finding> {
        Vec::new()
    }

    fn plan(_config: &FileSinkConfig, max: usize) -> Result<Vec<TaskPlan>> {
        Ok(vec![TaskPlan::new(); max])
    }

    fn task(config: FileSinkConfig, _plan: TaskPlan) -> Result<FileSinkTask> {
        Ok(FileSinkTask {
            file: config.file,
            out: None,
            lines: String::new(),
        })
    }
}

impl SinkTask for FileSinkTask {
    async fn open(&mut self, _meter: Meter) -> Result<()> {
        let Some(path) = &self.file else {
            self.out = Some(Out::Stdout(stdout()));
            return Ok(());
        };
        let opened = OpenOptions::new().create(true).append(true).open(path);
        let opened = opened.map_err(|error| {
            let what = format!("Couldn't find or create file '{path}' for FileStreamSinkTask");
            Error::new(&WRITE, what).caused_by(error)
        });
        self.out = Some(Out::File(opened?));
        Ok(())
    }

    async fn write(&mut self, batch: &Batch) -> Result<Rejects> {
        self.lines.clear();
        for row in batch.rows() {
            java_text::write(&mut self.lines, row.value());
            self.lines.push('\n');
        }
        let bytes = self.lines.as_bytes();
        let written = match &mut self.out {
            Some(Out::File(file)) => file.write_all(bytes),
            Some(Out::Stdout(out)) => out.write_all(bytes),
            None => return Err(Error::new(&WRITE, "The file is not open")),
        };
        written.map_err(unwritten)?;
        Ok(Rejects::new())
    }

    async fn flush(&mut self) -> Result<()> {
        match &mut self.out {
            Some(Out::File(file)) => file.sync_data().map_err(unwritten),
            Some(Out::Stdout(out)) => out.flush().map_err(unwritten),
            None => Ok(()),
        }
    }

    async fn close(&mut self) -> Result<()> {
        self.out = None;
        Ok(())
    }
}

fn unwritten(error: std::io::Error) -> Error {
    Error::new(&WRITE, "The file cannot be written").caused_by(error)
}
