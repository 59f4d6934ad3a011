//! A sink that appends each value to a file as a line, under the class names of Kafka's own.

use std::{
    fs::{File, OpenOptions},
    io::Write,
};

use connect_core::{
    Batch, Config, Error, Finding, Properties, Rejects, Result, SinkConnector, SinkTask, TaskPlan,
    config::{Importance, Key, Kind, read_optional},
    meter::Meter,
    plugin::About,
};

use super::{FILE, VERSION, file_source::key};

/// The configuration of [`FileSink`].
#[derive(Clone)]
pub struct FileSinkConfig {
    file: Option<String>,
}

/// The connector.
pub struct FileSink;

/// Appends to one file.
pub struct FileSinkTask {
    path: String,
    file: Option<File>,
}

impl Config for FileSinkConfig {
    fn keys() -> Vec<Key> {
        vec![key("file", Kind::String, Importance::High)]
    }

    fn parse(given: &Properties) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let file = read_optional(given, "file", &mut findings).flatten();
        if findings.is_empty() {
            Ok(Self { file })
        } else {
            Err(findings)
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
        summary: "Appends lines to a file.",
    };

    async fn check(_config: &FileSinkConfig) -> Vec<Finding> {
        Vec::new()
    }

    fn plan(_config: &FileSinkConfig, max: usize) -> Result<Vec<TaskPlan>> {
        Ok(vec![TaskPlan::new(); max])
    }

    fn task(config: FileSinkConfig, _plan: TaskPlan) -> Result<FileSinkTask> {
        let path = config.file.unwrap_or_else(|| "/dev/stdout".to_owned());
        Ok(FileSinkTask { path, file: None })
    }
}

impl SinkTask for FileSinkTask {
    async fn open(&mut self, _meter: Meter) -> Result<()> {
        let opened = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path);
        self.file = Some(opened.map_err(|error| {
            let what = format!(
                "Couldn't find or create file '{}' for FileStreamSinkTask",
                self.path
            );
            Error::new(&FILE, what).caused_by(error)
        })?);
        Ok(())
    }

    async fn write(&mut self, batch: &Batch) -> Result<Rejects> {
        let Some(file) = &mut self.file else {
            return Err(Error::new(&FILE, "The file is not open"));
        };
        for row in batch.rows() {
            writeln!(file, "{}", row.value().text().unwrap_or_default()).map_err(|error| {
                Error::new(&FILE, "The file cannot be written").caused_by(error)
            })?;
        }
        Ok(Rejects::new())
    }

    async fn flush(&mut self) -> Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| {
            file.sync_data()
                .map_err(|error| Error::new(&FILE, "The file cannot be written").caused_by(error))
        })
    }

    async fn close(&mut self) -> Result<()> {
        Ok(())
    }
}
