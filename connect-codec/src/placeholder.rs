//! The text that a source writes for a value its database did not send, as it comes back from binary formats.

use connect_core::{decimal, unavailable::PLACEHOLDER};

/// A placeholder.
#[derive(Debug, Clone)]
pub(crate) struct Placeholder(Box<[u8]>);

impl Placeholder {
    /// From `unavailable.value.placeholder`; `hex:…` stands for the bytes of these digits, as in Debezium.
    pub(crate) fn new(text: &str) -> Self {
        Self(match text.strip_prefix("hex:") {
            Some(hex) => decimal::unhex(hex.as_bytes()).into(),
            None => text.as_bytes().into(),
        })
    }

    /// Whether a value is the placeholder.
    #[inline]
    pub(crate) fn is(&self, bytes: &[u8]) -> bool {
        bytes.len() == self.0.len() && *bytes == *self.0
    }
}

impl Default for Placeholder {
    fn default() -> Self {
        Self::new(PLACEHOLDER)
    }
}
