//! Kafka Connect's REST API, and OpenAPI, metrics and health beside it.
//!
//! Paths, status codes and bodies are those of Kafka Connect 4.3. Where Kafka Connect answers a malformed request
//! with 500, this server answers 400 with a message that says what to do.

mod body;
mod connectors;
mod error;
mod given;
mod health;
mod loggers;
mod offsets;
mod opening;
mod plugins;
mod quirks;
mod server;
mod signals;
mod tasks;
mod topics;

use connect_runtime::Herder;

pub use error::ErrorMessage;
pub use loggers::{ApplyLevels, Level, Loggers};
pub use opening::Opening;
pub use server::{openapi_json, serve};

/// What handlers need. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    /// The runtime.
    pub herder: Herder,
    /// The program's log levels.
    pub loggers: Loggers,
    /// `http://host:port` under which this server is known, for `Location` headers.
    pub url: std::sync::Arc<str>,
}
