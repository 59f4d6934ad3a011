//! What happens to a record that cannot be handled (KIP-298).

use std::sync::Arc;

use connect_core::{Error, Properties, Result, Verdict};

use crate::{answers::TaskId, error::TOLERANCE_EXCEEDED, metrics::TaskMetrics};

/// Where a record got stuck; Kafka Connect's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The transforms.
    Transformation,
    /// The key's bytes.
    KeyConverter,
    /// The value's bytes.
    ValueConverter,
    /// A header's bytes.
    HeaderConverter,
    /// The log refused it.
    Produce,
    /// The destination refused it.
    Put,
}

impl Stage {
    /// Its name in the headers of dead letters.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Transformation => "TRANSFORMATION",
            Self::KeyConverter => "KEY_CONVERTER",
            Self::ValueConverter => "VALUE_CONVERTER",
            Self::HeaderConverter => "HEADER_CONVERTER",
            Self::Produce => "KAFKA_PRODUCE",
            Self::Put => "TASK_PUT",
        }
    }
}

/// Where a record is, for the log. Never what it holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Its topic.
    pub(crate) topic: &'a str,
    /// Its partition and offset, if it was read from the log.
    pub(crate) at: Option<(i32, i64)>,
}

/// `errors.tolerance`, `errors.log.enable` and `errors.log.include.messages`.
pub(crate) struct Tolerance {
    id: TaskId,
    all: bool,
    log: bool,
    log_place: bool,
    metrics: Arc<TaskMetrics>,
}

impl Tolerance {
    /// From a connector's resolved properties.
    pub(crate) fn new(id: &TaskId, config: &Properties, metrics: &Arc<TaskMetrics>) -> Self {
        let is = |name: &str, text: &str| {
            config
                .get(name)
                .is_some_and(|value| value.trim().eq_ignore_ascii_case(text))
        };
        Self {
            id: id.clone(),
            all: is("errors.tolerance", "all"),
            log: is("errors.log.enable", "true"),
            log_place: is("errors.log.include.messages", "true"),
            metrics: Arc::clone(metrics),
        }
    }

    /// `Ok` when the record may be skipped; else the error that ends the task.
    ///
    /// An error that asks for a retry, or that is not about the record, is never tolerated.
    pub(crate) fn refuse(&self, stage: Stage, place: Place<'_>, error: Error) -> Result<()> {
        if error.verdict() != Verdict::Reject {
            return Err(error);
        }
        self.metrics.record_error();
        if self.all {
            self.metrics.record_skipped();
            if self.log {
                self.write_log(stage, place, &error);
            }
            return Ok(());
        }
        self.metrics.record_failed();
        let exceeded = Error::new(&TOLERANCE_EXCEEDED, "Tolerance exceeded in error handler")
            .context("code", error.code().name)
            .context("stage", stage.name())
            .context("topic", place.topic);
        let exceeded = match place.at {
            Some((partition, offset)) => exceeded
                .context("partition", partition)
                .context("offset", offset),
            None => exceeded,
        };
        Err(exceeded.caused_by(error))
    }

    // Invariant 7: neither keys nor values reach the log.
    fn write_log(&self, stage: Stage, place: Place<'_>, error: &Error) {
        self.metrics.error_logged();
        let (partition, offset) = place.at.filter(|_| self.log_place).unzip();
        let topic = self.log_place.then_some(place.topic);
        tracing::error!(
            task = %self.id, stage = stage.name(), error = %error.report(),
            topic, partition, offset, "a record was skipped"
        );
    }
}
