//! Declarations as Kafka's own connectors have them: without groups.

use connect_core::config::{Importance, Key, Kind, Width};

/// An optional property without a default.
pub(crate) fn key(name: &'static str, kind: Kind, importance: Importance, about: &str) -> Key {
    Key {
        name,
        kind,
        required: false,
        default: None,
        importance,
        documentation: about.to_owned(),
        group: None,
        order: 0,
        width: Width::None,
        display: name,
        allowed: &[],
    }
}
