//! Lines of a file into a topic, and a topic into lines of a file: Kafka's `FileStreamSource` and `FileStreamSink`, as tutorials and
//! test suites use them.

mod error;
mod java_text;
mod key;
mod sink;
mod source;

pub use error::ALL as ERRORS;
pub use sink::FileSink;
pub use source::FileSource;

/// The version of Kafka whose connectors these are.
const VERSION: &str = "4.3.0";
