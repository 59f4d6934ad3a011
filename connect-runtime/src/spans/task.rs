//! The spans of one task: a batch, below it the stages that it passes; then the commit that makes it durable, in the trace of the last batch.

use std::time::SystemTime;

use connect_core::{Encoded, Error};
use opentelemetry::{
    KeyValue,
    global::BoxedSpan,
    trace::{Link, Span, SpanBuilder, SpanContext, SpanKind, Status},
};
use tokio::time::Instant;

use super::{Traces, parent};
use crate::answers::TaskId;

/// A text of an error in a span.
const TEXT: usize = 1000;

/// What one task has under way.
pub(crate) struct TaskSpans {
    traces: Traces,
    attributes: [KeyValue; 2],
    open: Option<Open>,
    /// A commit that goes on beside what is open.
    commit: Option<BoxedSpan>,
    /// The last batch that is traced and not committed.
    last: Option<SpanContext>,
}

/// A batch or a commit under way; one that is not sampled is not here.
struct Open {
    span: BoxedSpan,
    stage: Option<BoxedSpan>,
}

impl TaskSpans {
    pub(crate) fn new(traces: &Traces, id: &TaskId) -> Self {
        let task = i64::from(id.task);
        Self {
            traces: traces.clone(),
            attributes: [
                KeyValue::new("tidewater.connector", id.connector.clone()),
                KeyValue::new("tidewater.task", task),
            ],
            open: None,
            commit: None,
            last: None,
        }
    }

    /// A batch was polled from the source, which took since `began`.
    pub(crate) fn polled(&mut self, began: Instant) {
        self.begin("source batch", Some(("poll", began)), Vec::new());
    }

    /// Records were read from the log, which took since `began`. The batch belongs to the trace that all of them carry; it names the others.
    pub(crate) fn read(&mut self, began: Instant, records: &Encoded) {
        let carries = self.traces.0.as_ref().is_some_and(|traces| traces.headers);
        let carried = match carries {
            true => parent::carried(records),
            false => Vec::new(),
        };
        self.begin("sink batch", Some(("read", began)), carried);
    }

    /// What was not committed is committed now.
    pub(crate) fn committing(&mut self) {
        if let Some(last) = self.last.take() {
            self.begin("commit", None, vec![last]);
            self.last = None;
        }
    }

    /// A commit begins, of the batch that is open or the last one before; others follow meanwhile.
    pub(crate) fn committing_beside(&mut self) {
        let open = self.open.as_ref().map(|open| open.span.span_context());
        let of = open.cloned().or_else(|| self.last.take());
        if let (Some(traces), Some(of)) = (&self.traces.0, of) {
            let builder = SpanBuilder::from_name("commit").with_attributes(self.attributes.clone());
            self.commit = Some(traces.start(builder, Some(&of)));
        }
    }

    /// The commit beside has ended.
    pub(crate) fn committed(&mut self, error: Option<&Error>) {
        if let Some(mut span) = self.commit.take() {
            span.set_status(error.map(status).unwrap_or_default());
            span.end();
        }
    }

    fn begin(
        &mut self,
        name: &'static str,
        first: Option<(&'static str, Instant)>,
        of: Vec<SpanContext>,
    ) {
        let Some(traces) = &self.traces.0 else { return };
        let started = first.map(|(_, began)| SystemTime::now() - began.elapsed());
        let mut builder = SpanBuilder::from_name(name).with_attributes(self.attributes.clone());
        builder.start_time = started;
        let below = if of.len() == 1 { of.first() } else { None };
        let links = of.iter().map(|one| Link::with_context(one.clone()));
        let links = links.collect();
        let span = traces.start(builder.with_links(links), below);
        if !span.span_context().is_sampled() {
            return;
        }
        let of = span.span_context();
        if let Some((stage, _)) = first {
            let mut builder = SpanBuilder::from_name(stage);
            builder.start_time = started;
            builder.span_kind = kind(stage);
            traces.start(builder, Some(of)).end();
        }
        self.open = Some(Open { span, stage: None });
    }

    /// The batch has come to another stage.
    pub(crate) fn stage(&mut self, name: &'static str) {
        let (Some(traces), Some(open)) = (&self.traces.0, &mut self.open) else {
            return;
        };
        if let Some(mut before) = open.stage.take() {
            before.end();
        }
        let mut builder = SpanBuilder::from_name(name);
        builder.span_kind = kind(name);
        open.stage = Some(traces.start(builder, Some(open.span.span_context())));
    }

    /// Records carry the trace, if that is wanted.
    pub(crate) fn put(&self, records: &mut Encoded) {
        let (Some(traces), Some(open)) = (&self.traces.0, &self.open) else {
            return;
        };
        if traces.headers && !records.is_empty() {
            parent::put(records, open.span.span_context());
        }
    }

    /// The batch or the commit has ended, with so many records.
    pub(crate) fn end(&mut self, records: usize, error: Option<&Error>) {
        let Some(Open { mut span, stage }) = self.open.take() else {
            return;
        };
        let status = error.map(status);
        for mut one in stage.into_iter() {
            one.set_status(status.clone().unwrap_or_default());
            one.end();
        }
        if records > 0 {
            let records = i64::try_from(records).unwrap_or(i64::MAX);
            span.set_attribute(KeyValue::new("messaging.batch.message_count", records));
            self.last = Some(span.span_context().clone());
        }
        span.set_status(status.unwrap_or_default());
        span.end();
    }
}

fn status(error: &Error) -> Status {
    let text: String = error.to_string().chars().take(TEXT).collect();
    Status::error(text)
}

/// The kind of a stage: of those that speak to the log.
fn kind(stage: &str) -> Option<SpanKind> {
    match stage {
        "append" => Some(SpanKind::Producer),
        "read" => Some(SpanKind::Consumer),
        "poll" | "write" => Some(SpanKind::Client),
        _ => None,
    }
}
