//! Spans by OpenTelemetry: one per batch with its stages, and one per request of the REST API. While nobody asks for traces this is an option
//! that is empty; nothing is done per record, unless records are asked to carry their trace.

mod parent;
mod request;
mod task;

use std::sync::Arc;

use opentelemetry::{
    Context,
    global::{BoxedSpan, BoxedTracer},
    trace::{SpanBuilder, SpanContext, TraceContextExt, Tracer},
};

pub use opentelemetry::global::BoxedTracer as AnyTracer;
pub use request::RequestSpan;
pub(crate) use task::TaskSpans;

/// Where spans go, if anywhere. Cheap to clone.
#[derive(Clone, Default)]
pub struct Traces(Option<Arc<Inner>>);

struct Inner {
    tracer: BoxedTracer,
    /// Whether records carry their trace in the header `traceparent`.
    headers: bool,
}

impl Traces {
    /// Spans go to a tracer; `headers` says whether records carry their trace.
    pub fn new(tracer: BoxedTracer, headers: bool) -> Self {
        Self(Some(Arc::new(Inner { tracer, headers })))
    }
}

impl Inner {
    /// A span below another one, or the first of its trace.
    fn start(&self, builder: SpanBuilder, below: Option<&SpanContext>) -> BoxedSpan {
        let context = Context::new();
        let context = match below {
            Some(below) => context.with_remote_span_context(below.clone()),
            None => context,
        };
        self.tracer.build_with_context(builder, &context)
    }
}
