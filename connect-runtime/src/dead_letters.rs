//! Records that a task skips, kept in a topic with the reason (KIP-298). Kafka Connect keeps those of sinks only.

mod described;
pub(crate) mod headers;

use std::sync::Arc;

use connect_core::{
    Encoded, Error, Position, Properties, Result, Watermark, encoded::EncodedRecord,
};
use connect_log::{Append, AppenderSpec, Ticket, TopicSpec};

use crate::{
    answers::TaskId, metrics::TaskMetrics, shared::Shared, tolerance::Stage, worker_config::under,
};

pub(crate) use described::Described;

/// What is left of a source's record that was refused.
pub(crate) enum Left {
    /// What it held, before it was encoded.
    Seen(Option<Described>),
    /// The record itself, by its index.
    Encoded(usize),
}

/// The name of the topic in a connector's resolved properties; `None` when there is none.
pub(crate) fn topic_of(config: &Properties) -> Option<&str> {
    let name = config.get("errors.deadletterqueue.topic.name");
    name.map(|name| name.trim()).filter(|name| !name.is_empty())
}

/// How many copies the topic gets; `None` for as many as the log makes.
pub(crate) fn replication(config: &Properties) -> Option<i16> {
    config
        .get("errors.deadletterqueue.topic.replication.factor")
        .map_or(Some(3), |text| text.trim().parse().ok())
        .filter(|factor: &i16| *factor > 0)
}

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
        let Some(name) = topic_of(config) else {
            return Ok(None);
        };
        let mut spec = TopicSpec::new(name, 1);
        spec.replication = replication(config);
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

    /// The same for a source, whose letters explain themselves unless that is turned off: where else is their topic told?
    pub(crate) async fn of_source(
        shared: &Arc<Shared>,
        id: &TaskId,
        config: &Properties,
        metrics: &Arc<TaskMetrics>,
    ) -> Result<Option<Self>> {
        let made = Self::new(shared, id, config, metrics).await?;
        let asked = config.get("errors.deadletterqueue.context.headers.enable");
        let with_headers = asked.is_none_or(|text| !text.trim().eq_ignore_ascii_case("false"));
        Ok(made.map(|made| Self {
            with_headers,
            ..made
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
        self.copy(records, record);
        if self.with_headers {
            let partition = record.partition.unwrap_or(0).to_string();
            self.explain(
                (&record.topic, &partition, &record.offset.to_string()),
                (stage, error),
            );
        }
        let refused = self.append().await?;
        self.count(refused);
        Ok(())
    }

    /// Sends what is left of a source's record that was meant for a topic; `position` is where its batch leads.
    pub(crate) async fn keep(
        &mut self,
        records: &Encoded,
        left: Left,
        (topic, position): (&str, Option<&Position>),
        why: (Stage, &Error),
    ) -> Result<()> {
        self.letters.clear();
        let is_whole = matches!(left, Left::Encoded(_));
        match left {
            Left::Encoded(at) => match records.records.get(at) {
                Some(record) => self.copy(records, record),
                None => return Ok(()),
            },
            Left::Seen(seen) => {
                let seen = seen.unwrap_or_default();
                let (key, value) = (seen.key.as_deref(), seen.value.as_deref());
                self.letters
                    .push(&self.topic, key, value, seen.timestamp_ms);
            }
        }
        if self.with_headers {
            self.explain((topic, "", ""), why);
            self.explain_source(is_whole, position);
        }
        let mut refused = self.append().await?;
        if refused.is_some() {
            // What was too large for its topic may be too large for this one: then the rest is kept.
            self.leave_value_out();
            refused = self.append().await?;
        }
        self.count(refused);
        Ok(())
    }

    fn copy(&mut self, records: &Encoded, record: &EncodedRecord) {
        let (key, value) = (records.key(record), records.value(record));
        self.letters
            .push(&self.topic, key, value, record.timestamp_ms);
        for header in records.headers(record) {
            let value = header.value.as_ref().map(|range| records.slice(range));
            self.letters.push_header(Arc::clone(&header.name), value);
        }
    }

    async fn append(&mut self) -> Result<Option<Error>> {
        let appended = self.appender.append(&self.letters).await?;
        self.last = Some(appended.ticket);
        Ok(appended.refused.into_iter().next().map(|(_, error)| error))
    }

    fn count(&self, refused: Option<Error>) {
        self.metrics.dead_letter(refused.is_none());
        if let Some(error) = refused {
            tracing::error!(task = %self.id, %error, "a dead letter could not be written");
        }
    }

    fn leave_value_out(&mut self) {
        let Some(record) = self.letters.records.first_mut() else {
            return;
        };
        if let Some(value) = record.value.take() {
            let size = value.len().to_string();
            self.letters
                .push_header(headers::VALUE_LEFT_OUT, Some(size.as_bytes()));
        }
    }

    /// Waits until every letter is durable.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        match self.last.take() {
            Some(last) => self.durable.reach(last).await,
            None => Ok(()),
        }
    }

    fn explain(
        &mut self,
        (topic, partition, offset): (&str, &str, &str),
        (stage, error): (Stage, &Error),
    ) {
        let task = self.id.task.to_string();
        let (message, report) = (error.to_string(), error.report());
        let facts: [(&str, &str); 10] = [
            (headers::TOPIC, topic),
            (headers::PARTITION, partition),
            (headers::OFFSET, offset),
            (headers::CONNECTOR, &self.id.connector),
            (headers::TASK, &task),
            (headers::STAGE, stage.name()),
            (headers::CLASS, &self.class),
            (headers::EXCEPTION, error.code().name),
            (headers::MESSAGE, &message),
            (headers::TRACE, &report),
        ];
        // A source's record has no partition and no offset of the log.
        for (name, value) in facts.into_iter().filter(|(_, value)| !value.is_empty()) {
            self.letters.push_header(name, Some(value.as_bytes()));
        }
    }

    fn explain_source(&mut self, is_whole: bool, position: Option<&Position>) {
        let content = match is_whole {
            true => headers::WHOLE,
            false => headers::DESCRIBED,
        };
        self.letters
            .push_header(headers::CONTENT, Some(content.as_bytes()));
        if let Some(position) = position {
            let (partition, offset) = (position.partition.as_bytes(), position.offset.as_bytes());
            self.letters
                .push_header(headers::SOURCE_PARTITION, Some(partition));
            self.letters
                .push_header(headers::SOURCE_OFFSET, Some(offset));
        }
    }
}
