//! The span of a request.

use opentelemetry::{
    KeyValue,
    global::BoxedSpan,
    trace::{Span, SpanBuilder, SpanKind, Status},
};

use super::{Traces, parent};

/// A request that is being answered.
pub struct RequestSpan(Option<BoxedSpan>);

impl Traces {
    /// A request begins. `route` is its path with names left out (`/connectors/{name}`), if that is known; `parent` the header `traceparent`.
    pub fn request(
        &self,
        method: &str,
        route: Option<&str>,
        path: &str,
        parent: Option<&str>,
    ) -> RequestSpan {
        let Some(inner) = &self.0 else {
            return RequestSpan(None);
        };
        let name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
        let attributes = [
            Some(KeyValue::new("http.request.method", method.to_owned())),
            Some(KeyValue::new("url.path", path.to_owned())),
            route.map(|route| KeyValue::new("http.route", route.to_owned())),
        ];
        let builder = SpanBuilder::from_name(name)
            .with_kind(SpanKind::Server)
            .with_attributes(attributes.into_iter().flatten());
        let parent = parent.and_then(parent::read);
        RequestSpan(Some(inner.start(builder, parent.as_ref())))
    }
}

impl RequestSpan {
    /// It is answered.
    pub fn answered(self, status: u16) {
        if let Some(mut span) = self.0 {
            span.set_attribute(KeyValue::new(
                "http.response.status_code",
                i64::from(status),
            ));
            if status >= 500 {
                span.set_status(Status::error(""));
            }
            span.end();
        }
    }
}
