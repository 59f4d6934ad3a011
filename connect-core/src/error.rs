//! One error type; its code decides what happens next.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

/// A result with the one [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the runtime does about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Close the task, wait with growing, jittered delays, make a new one and open it.
    Retry,
    /// This record is refused: to the dead letters where `errors.tolerance` allows, else fail.
    Reject,
    /// The task is FAILED until somebody acts; the remedy is shown.
    Fail,
}

/// A kind of error, declared once with [`codes!`](crate::codes).
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Stable dotted name: a metric label, a heading of the error reference.
    pub name: &'static str,
    /// What the runtime does.
    pub verdict: Verdict,
    /// One sentence that tells the operator what to do.
    pub remedy: &'static str,
    /// The HTTP status when it ends a REST request.
    pub status: u16,
}

/// Declares the error codes of a crate, and `ALL` for the error reference.
///
/// ```
/// connect_core::codes! {
///     /// The server closed the connection.
///     CONNECTION = "demo.connection", Retry, "Check that the server runs.";
/// }
/// assert_eq!(CONNECTION.name, "demo.connection");
/// ```
#[macro_export]
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $verdict:ident, $remedy:literal $(, $status:literal)?;)*) => {
        $($(#[$doc])* pub static $name: $crate::Code = $crate::Code {
            name: $text,
            verdict: $crate::Verdict::$verdict,
            remedy: $remedy,
            status: $crate::codes!(@status $verdict $($status)?),
        };)*
        /// Every code of this module, for the error reference.
        pub static ALL: &[&$crate::Code] = &[$(&$name),*];
    };
    (@status $verdict:ident $status:literal) => { $status };
    (@status Retry) => { 503 };
    (@status Reject) => { 400 };
    (@status Fail) => { 500 };
}

codes! {
    /// A connector's or worker's configuration does not hold.
    CONFIG_INVALID = "config.invalid", Fail, "Correct the named properties and send the configuration again.", 400;
    /// A value does not fit its schema.
    RECORD_INVALID = "record.invalid", Reject, "Look at the record; set `errors.tolerance=all` and a dead letter topic to go on without it.";
    /// A record is larger than the log takes.
    RECORD_TOO_LARGE = "record.too_large", Reject, "Raise `max.message.bytes` of the topic, leave the column out with `column.exclude.list`, or tolerate it with `errors.tolerance=all`.";
    /// A source cannot be set back to where it was asked to.
    NO_REWIND = "rewind.impossible", Fail, "Choose a place that the message names, or let an incremental snapshot read the tables again.", 400;
    /// A rule of this program was broken by this program.
    INTERNAL = "internal", Fail, "This is a defect: please report it with the text of this error.";
}

/// What went wrong: a [`Code`], a sentence, facts, and the cause.
///
/// Cheap to clone. `Display` gives the sentence and the facts; the cause is attached, never
/// printed into the text; [`Error::report`] gives all of it for logs and the `trace` of a status.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    code: &'static Code,
    what: Cow<'static, str>,
    context: Vec<(&'static str, String)>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    retry_after: Option<Duration>,
}

impl Error {
    /// An error of a kind, with one sentence that says what happened. Never put secrets or row values in it.
    pub fn new(code: &'static Code, what: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Inner {
            code,
            what: what.into(),
            context: Vec::new(),
            source: None,
            retry_after: None,
        }))
    }

    /// A configuration error for one property, in Kafka Connect's words.
    pub fn config(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&CONFIG_INVALID, what)
    }

    /// A value that does not fit.
    pub fn record(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&RECORD_INVALID, what)
    }

    /// Adds a fact that we own, such as a table's name.
    #[must_use]
    pub fn context(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        Arc::make_mut(&mut self.0)
            .context
            .push((name, value.to_string()));
        self
    }

    /// Attaches the cause.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Arc::make_mut(&mut self.0).source = Some(Arc::from(cause.into()));
        self
    }

    /// Asks for at least this delay before the next try.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        Arc::make_mut(&mut self.0).retry_after = Some(delay);
        self
    }

    /// The kind.
    pub fn code(&self) -> &'static Code {
        self.0.code
    }

    /// What the runtime does about it.
    pub fn verdict(&self) -> Verdict {
        self.0.code.verdict
    }

    /// The delay asked for, if any.
    pub fn delay(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// All of it, for logs and the `trace` of a status: code, sentence, facts, causes, remedy.
    pub fn report(&self) -> String {
        let mut text = format!("{}: {self}", self.0.code.name);
        let mut cause = std::error::Error::source(self);
        while let Some(err) = cause {
            text.push_str(&format!("\n\tCaused by: {err}"));
            cause = err.source();
        }
        text.push_str(&format!("\n\tRemedy: {}", self.0.code.remedy));
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.what)?;
        for (at, (name, value)) in self.0.context.iter().enumerate() {
            write!(f, "{}{name} = {value}", if at == 0 { " (" } else { ", " })?;
        }
        if self.0.context.is_empty() {
            Ok(())
        } else {
            f.write_str(")")
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|s| s as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_facts_and_the_report_has_causes_and_the_remedy() {
        let err = Error::new(&INTERNAL, "lost count")
            .context("table", "orders")
            .caused_by(std::io::Error::other("disk"));
        assert_eq!(err.to_string(), "lost count (table = orders)");
        let report = err.report();
        assert!(report.starts_with("internal: lost count"));
        assert!(report.contains("Caused by: disk") && report.contains("Remedy: "));
    }
}
