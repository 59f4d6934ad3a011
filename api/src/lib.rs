//! Kafka Connect's REST API, and OpenAPI, metrics and health beside it.
//!
//! Paths, status codes and bodies are those of Kafka Connect 4.3. Where Kafka Connect answers a malformed request
//! with 500, this server answers 400 with a message that says what to do.

mod audit;
mod body;
mod connection;
mod connectors;
mod dead_letters;
mod error;
mod gate;
mod given;
mod headers;
mod health;
mod listen;
mod loggers;
mod logs;
mod offsets;
mod opening;
mod plugins;
mod quirks;
mod server;
mod settings;
mod signals;
mod tasks;
mod tls;
mod topics;
mod traced;
mod transfer;

use connect_runtime::{ConnectorInfo, GivenConfig, Herder};

pub use error::ErrorMessage;
pub use gate::{hash_password, hash_token};
pub use listen::advertised_url;
pub use loggers::{ApplyLevels, Level, Loggers};
pub use opening::Opening;
pub use server::{Server, openapi_json};
pub use settings::{ClientAuth, RestConfig};

/// What handlers need. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    /// The runtime.
    pub herder: Herder,
    /// The program's log levels.
    pub loggers: Loggers,
    /// `http://host:port` under which this server is known, for `Location` headers.
    pub url: std::sync::Arc<str>,
    /// Whether secrets in configurations are hidden (`rest.secrets.masked`).
    pub masks: bool,
}

impl Api {
    /// A connector as it is shown.
    fn shown(&self, info: ConnectorInfo) -> ConnectorInfo {
        match self.masks {
            true => self.herder.without_secrets(info),
            false => info,
        }
    }

    /// A configuration with the secrets whose masks came back.
    fn given(&self, name: &str, config: GivenConfig) -> connect_core::Result<GivenConfig> {
        match self.masks {
            true => self.herder.with_secrets(name, config),
            false => Ok(config),
        }
    }
}
