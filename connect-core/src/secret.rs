//! A value that never prints.

use std::fmt;

/// A password or key. It has no `Display`, and its `Debug` is `[hidden]`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Wraps the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    // Invariant 7: secrets never print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn secrets_never_print() {
        let debug = format!("{:?}", super::Secret::new("hunter2"));
        assert_eq!(debug, "[hidden]");
    }
}
