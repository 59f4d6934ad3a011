//! The one error of this crate: a sentence that says what failed and what to do, and its cause.

use std::{error, fmt, io};

/// What went wrong with a server or its installation. `Display` includes the causes.
pub struct Error {
    text: String,
    cause: Option<Box<dyn error::Error + Send + Sync>>,
}

/// The result of everything here that touches a server.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of its own, without a cause.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            cause: None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.cause {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

/// A test that returns or unwraps this error shows the sentence, log tail and all, with its line breaks.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl error::Error for Error {}

impl From<io::Error> for Error {
    fn from(cause: io::Error) -> Self {
        Self {
            text: "input or output failed".into(),
            cause: Some(Box::new(cause)),
        }
    }
}

/// Says what was being done when something failed.
pub(crate) trait While<T> {
    fn while_(self, doing: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Box<dyn error::Error + Send + Sync>>> While<T> for std::result::Result<T, E> {
    fn while_(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|cause| Error {
            text: doing(),
            cause: Some(cause.into()),
        })
    }
}
