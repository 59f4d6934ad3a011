//! Files events by the connector that they are of: that of their own field `connector`, else of the span around them.

use std::fmt::{self, Write};

use connect_runtime::{
    Logs,
    logs::{Filed, LogLevel},
};
use serde_json::{Map, Value};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

/// The longest text of a line; what is behind it is left out.
const TEXT: usize = 4096;
/// The most fields of a line.
const FIELDS: usize = 32;

/// A layer behind the filter, so that only what is logged is filed.
pub(super) struct Filing(Logs);

impl Filing {
    pub(super) fn new(logs: &Logs) -> Self {
        Self(logs.clone())
    }
}

/// Whose a span is.
#[derive(Debug, Clone)]
struct Of {
    connector: String,
    task: Option<u32>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Filing {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut seen = Seen::default();
        attributes.record(&mut seen);
        if let (Some(of), Some(span)) = (seen.of(), context.span(id)) {
            span.extensions_mut().insert(of);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let around = || {
            let mut spans = context.event_scope(event)?;
            spans.find_map(|span| span.extensions().get::<Of>().cloned())
        };
        let around = around();
        let names_it = || event.fields().any(|field| field.name() == "connector");
        if around.is_none() && !names_it() {
            return;
        }
        let mut seen = Seen::default();
        event.record(&mut seen);
        let Some(of) = seen.of().or(around) else {
            return;
        };
        let filed = Filed {
            level: level(*event.metadata().level()),
            task: of.task,
            logger: event.metadata().target().to_owned(),
            message: seen.message,
            fields: seen.fields,
        };
        self.0.file(&of.connector, filed);
    }
}

fn level(level: Level) -> LogLevel {
    match level {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        Level::DEBUG => LogLevel::Debug,
        Level::TRACE => LogLevel::Trace,
    }
}

/// The fields of an event or a span.
#[derive(Default)]
struct Seen {
    message: String,
    connector: Option<String>,
    task: Option<u32>,
    fields: Map<String, Value>,
}

impl Seen {
    fn of(&mut self) -> Option<Of> {
        let task = self.task;
        let connector = self.connector.take()?;
        Some(Of { connector, task })
    }

    fn put(&mut self, field: &Field, value: Value) {
        match field.name() {
            "message" => self.message = text_of(value),
            "connector" => self.connector = Some(text_of(value)),
            // As text it is `connector-0`, and the span says the same.
            "task" => self.task = value.as_u64().and_then(|task| u32::try_from(task).ok()),
            name if self.fields.len() < FIELDS => drop(self.fields.insert(name.to_owned(), value)),
            _ => {}
        }
    }
}

fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = Bounded::default();
        // It ends with an error when the text is too long.
        let _ = write!(text, "{value:?}");
        self.put(field, text.ended());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let mut text = Bounded::default();
        let _ = text.write_str(value);
        self.put(field, text.ended());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

/// Invariant 4: a text up to its longest.
#[derive(Default)]
struct Bounded {
    text: String,
    is_cut: bool,
}

impl Bounded {
    fn ended(mut self) -> Value {
        if self.is_cut {
            self.text.push('…');
        }
        self.text.into()
    }
}

impl Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = TEXT - self.text.len().min(TEXT);
        if more.len() <= room {
            self.text.push_str(more);
            return Ok(());
        }
        self.text.push_str(&more[..more.floor_char_boundary(room)]);
        self.is_cut = true;
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use connect_runtime::logs::LogLine;
    use tracing_subscriber::{EnvFilter, layer::SubscriberExt};

    use super::*;

    /// What is filed of what happens, by a filter.
    fn filed(filter: &str, happens: impl FnOnce()) -> Vec<LogLine> {
        let logs = Logs::default();
        let filter = super::super::directives(filter, &std::collections::BTreeMap::new());
        let subscriber = tracing_subscriber::registry()
            .with(EnvFilter::new(filter))
            .with(Filing::new(&logs));
        tracing::subscriber::with_default(subscriber, happens);
        logs.all()
            .into_iter()
            .flat_map(|(_, lines)| lines)
            .collect()
    }

    fn task() -> tracing::Span {
        tracing::error_span!(target: "tidewater::connector", "task", connector = %"orders", task = 3_u32)
    }

    #[test]
    fn events_are_filed_by_their_span_or_their_field() {
        let all = filed("info", || {
            tracing::info!("nobody's");
            tracing::info!(connector = "other", tables = 2, "named");
            let _entered = task().entered();
            let inner = tracing::info_span!("inner").entered();
            tracing::warn!(task = %"orders-3", error = %"away", is = true, "of a task");
            drop(inner);
            tracing::debug!("not logged");
        });
        let [of_task, named] = all.as_slice() else {
            panic!("{all:?}");
        };
        assert_eq!((named.connector.as_str(), named.task), ("other", None));
        assert_eq!(
            Value::from(named.fields.clone()),
            serde_json::json!({"tables": 2})
        );
        assert_eq!(
            (of_task.connector.as_str(), of_task.task),
            ("orders", Some(3))
        );
        assert_eq!(of_task.level, LogLevel::Warn);
        assert_eq!(of_task.message, "of a task");
        assert_eq!(
            Value::from(of_task.fields.clone()),
            serde_json::json!({"error": "away", "is": true})
        );
    }

    #[test]
    fn a_filter_of_one_module_keeps_the_spans() {
        let all = filed("tidewater::logging=debug", || {
            let _entered = task().entered();
            tracing::debug!("seen");
            tracing::error!(target: "elsewhere", "not seen");
        });
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!(all[0].message, "seen");
    }

    #[test]
    fn long_texts_end() {
        let all = filed("info", || {
            let _entered = task().entered();
            tracing::info!(long = "ü".repeat(TEXT), "{}", "x".repeat(2 * TEXT));
        });
        let line = &all[0];
        assert_eq!(line.message.len(), TEXT + '…'.len_utf8());
        let long = line.fields["long"].as_str().unwrap();
        assert!(long.ends_with("ü…") && long.len() <= TEXT + 3);
    }
}
