//! One declaration per connector: struct, defaults, validation, Kafka Connect's answers, documentation.
//!
//! ```
//! use connect_core::config::{Config, Importance::*, Rules, Properties};
//!
//! connect_core::config! {
//!     /// Writes to a demo server.
//!     pub struct DemoConfig;
//!     group "Connection" {
//!         /// Host name of the server.
//!         host: String = required, "demo.host", High;
//!         /// Port of the server.
//!         port: u16 = "6379", "demo.port", High;
//!         /// Password; none when the server asks for none.
//!         password: Option<connect_core::Secret> = none, "demo.password", Medium;
//!     }
//! }
//! impl Rules for DemoConfig {}
//!
//! let given = Properties::from([("demo.host".into(), "here".into())]);
//! let config = DemoConfig::parse(&given).unwrap();
//! assert_eq!((config.host.as_str(), config.port), ("here", 6379));
//! assert_eq!(DemoConfig::parse(&Properties::new()).unwrap_err().len(), 1);
//! ```

mod key;
mod parse;
#[macro_use]
mod declare;

use std::collections::BTreeMap;

pub use key::{Importance, Key, Kind, Width};
pub use parse::{List, Millis, ParseValue, Positive, read_default, read_optional, read_required};

use crate::Finding;

/// The properties of a connector, as they came: names and text.
pub type Properties = BTreeMap<String, String>;

/// A parsed configuration. Made by [`config!`](crate::config).
pub trait Config: Sized + Send + Sync + Clone + 'static {
    /// Every property, in order.
    fn keys() -> Vec<Key>;

    /// Parses all properties; the error has every finding, not the first.
    fn parse(given: &Properties) -> Result<Self, Vec<Finding>>;
}

/// Rules over several properties at once; write an empty `impl` when there are none.
pub trait Rules {
    /// What does not hold, or what the user should know.
    fn rules(&self) -> Vec<Finding> {
        Vec::new()
    }
}

/// All findings of a configuration as the one error that Kafka Connect answers with.
pub fn invalid(findings: &[Finding]) -> crate::Error {
    let errors: Vec<&str> = findings
        .iter()
        .filter(|f| f.is_error())
        .map(|f| f.message.as_str())
        .collect();
    crate::Error::config(format!(
        "Connector configuration is invalid and contains the following {} error(s):\n{}\n\
         You can also find the above list of errors at the endpoint `/connector-plugins/{{connectorType}}/config/validate`",
        errors.len(),
        errors.join("\n"),
    ))
}
