//! What validation and checks say: all of it, not the first.

use crate::secret::without_logins;

/// How grave a [`Finding`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It works, but the user should know.
    Warning,
    /// It cannot work.
    Error,
}

/// One thing that validation or a connection check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The property it belongs to; empty when it belongs to none.
    pub key: String,
    /// What is wrong, in Kafka Connect's words where it has some.
    pub message: String,
    /// How grave.
    pub severity: Severity,
}

impl Finding {
    /// Something that cannot work.
    pub fn error(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            message: message.into(),
            severity: Severity::Error,
        }
    }

    /// Something the user should know.
    pub fn warning(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            message: message.into(),
            severity: Severity::Warning,
        }
    }

    /// `Invalid value X for configuration K: why`, as Kafka Connect says it.
    pub fn invalid(key: &str, value: &str, why: &str) -> Self {
        Self::error(
            key,
            format!(
                "Invalid value {} for configuration {key}: {why}",
                without_logins(value)
            ),
        )
    }

    /// `Missing required configuration "K" which has no default value.`
    pub fn missing(key: &str) -> Self {
        Self::error(
            key,
            format!("Missing required configuration \"{key}\" which has no default value."),
        )
    }

    /// Whether it cannot work.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
