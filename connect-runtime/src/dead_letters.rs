//! Records that a sink task skips, kept in a topic with the reason (KIP-298).

use std::sync::Arc;

use connect_core::{Encoded, Error, Properties, Result, Watermark, encoded::EncodedRecord};
use connect_log::{Append, AppenderSpec, Ticket, TopicSpec};

use crate::{
    answers::TaskId, metrics::TaskMetrics, shared::Shared, tolerance::Stage, worker_config::under,
};

/// The dead letters of one task.
pub(crate) struct DeadLetters {
    id: TaskId,
    class: String,
    topic: Arc<str>,
    with_headers: bool,
    appender: Box<dyn Append>,
    durable: Watermark<Ticket>,
    last: Option<Ticket>,
    letters: Encoded,
    metrics: Arc<TaskMetrics>,
}

impl DeadLetters {
    /// From a connector's resolved properties; `None` when no topic is named. The topic is created with one partition.
    pub(crate) async fn new(
        shared: &Arc<Shared>,
        id: &TaskId,
        config: &Properties,
        metrics: &Arc<TaskMetrics>,
    ) -> Result<Option<Self>> {
        let get = |name: &str| {
            config
                .get(&format!("errors.deadletterqueue.{name}"))
                .map(|v| v.trim())
        };
        let Some(name) = get("topic.name").filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let mut spec = TopicSpec::new(name, 1);
        spec.replication = get("topic.replication.factor")
            .map_or(Some(3), |text| text.parse().ok())
            .filter(|factor: &i16| *factor > 0);
        if shared.log.topic(name).await?.is_none() {
            shared
                .log
                .create_topics(std::slice::from_ref(&spec))
                .await?;
        }
        let mut settings = shared.current.get().under("producer.");
        settings.extend(under(config, "producer.override."));
        let client_id = format!("connector-dlq-producer-{id}");
        let appender = shared
            .log
            .appender(AppenderSpec {
                client_id,
                settings,
                lease: shared.place.lease(),
                ..AppenderSpec::default()
            })
            .await?;
        Ok(Some(Self {
            id: id.clone(),
            class: config.get("connector.class").cloned().unwrap_or_default(),
            topic: spec.name,
            with_headers: get("context.headers.enable")
                .is_some_and(|t| t.eq_ignore_ascii_case("true")),
            durable: appender.durable(),
            appender,
            last: None,
            letters: Encoded::default(),
            metrics: Arc::clone(metrics),
        }))
    }

    /// Sends one record as it was read. It is durable after [`DeadLetters::flush`].
    pub(crate) async fn send(
        &mut self,
        records: &Encoded,
        record: &EncodedRecord,
        stage: Stage,
        error: &Error,
    ) -> Result<()> {
        self.letters.clear();
        let (key, value) = (records.key(record), records.value(record));
        self.letters
            .push(&self.topic, key, value, record.timestamp_ms);
        for header in records.headers(record) {
            let value = header.value.as_ref().map(|range| records.slice(range));
            self.letters.push_header(Arc::clone(&header.name), value);
        }
        if self.with_headers {
            self.explain(record, stage, error);
        }
        let appended = self.appender.append(&self.letters).await?;
        self.last = Some(appended.ticket);
        match appended.refused.into_iter().next() {
            None => self.metrics.dead_letter(true),
            Some((_, error)) => {
                self.metrics.dead_letter(false);
                tracing::error!(task = %self.id, %error, "a dead letter could not be written");
            }
        }
        Ok(())
    }

    /// Waits until every letter is durable.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        match self.last.take() {
            Some(last) => self.durable.reach(last).await,
            None => Ok(()),
        }
    }

    fn explain(&mut self, record: &EncodedRecord, stage: Stage, error: &Error) {
        let partition = record.partition.unwrap_or(0).to_string();
        let (offset, task) = (record.offset.to_string(), self.id.task.to_string());
        let (message, report) = (error.to_string(), error.report());
        let facts: [(&str, &str); 10] = [
            ("topic", &record.topic),
            ("partition", &partition),
            ("offset", &offset),
            ("connector.name", &self.id.connector),
            ("task.id", &task),
            ("stage", stage.name()),
            ("class.name", &self.class),
            ("exception.class.name", error.code().name),
            ("exception.message", &message),
            ("exception.stacktrace", &report),
        ];
        for (name, value) in facts {
            self.letters
                .push_header(format!("__connect.errors.{name}"), Some(value.as_bytes()));
        }
    }
}
