//! The properties of each converter, as Kafka Connect 4.3 lists them.

use connect_core::config::{
    Importance::{self, High, Low},
    Key, Kind, Width,
};

use crate::json::{DEFAULT_UNAVAILABLE, UNAVAILABLE};

/// `converter.type`, which every converter but one has.
pub(crate) fn converter_type() -> Key {
    Key {
        name: "converter.type",
        kind: Kind::String,
        required: true,
        default: None,
        importance: Low,
        documentation: "How this converter will be used.".to_owned(),
        group: None,
        order: -1,
        width: Width::None,
        display: "converter.type",
        allowed: &["key", "value", "header"],
    }
}

/// The property of the string converter.
pub(crate) fn string() -> Vec<Key> {
    let doc = "The name of the Java character set to use for encoding strings as byte arrays.";
    let mut encoding = key("converter.encoding", Kind::String, Some("UTF-8"), High, doc);
    encoding.display = "Encoding";
    vec![converter_type(), encoding]
}

/// The properties of the JSON converter, and the one that is ours.
pub(crate) fn json() -> Vec<Key> {
    let mut keys = vec![converter_type()];
    for (order, line) in SCHEMAS.iter().enumerate() {
        keys.push(grouped(line, "Schemas", order));
    }
    for (order, line) in SERIALIZATION.iter().enumerate() {
        keys.push(grouped(line, "Serialization", order));
    }
    keys
}

/// Name, name for people, type, default, importance, documentation.
type Line = (
    &'static str,
    &'static str,
    Kind,
    Option<&'static str>,
    Importance,
    &'static str,
);

const SCHEMAS: &[Line] = &[
    (
        "schemas.enable",
        "Enable Schemas",
        Kind::Boolean,
        Some("true"),
        High,
        SCHEMAS_ENABLE,
    ),
    (
        "schemas.cache.size",
        "Schema Cache Size",
        Kind::Int,
        Some("1000"),
        High,
        SCHEMAS_CACHE_SIZE,
    ),
    (
        "schema.content",
        "Schema Content",
        Kind::String,
        None,
        High,
        SCHEMA_CONTENT,
    ),
];

const SERIALIZATION: &[Line] = &[
    (
        "decimal.format",
        "Decimal Format",
        Kind::String,
        Some("BASE64"),
        Low,
        DECIMAL_FORMAT,
    ),
    (
        "replace.null.with.default",
        "Replace null with default",
        Kind::Boolean,
        Some("true"),
        Low,
        REPLACE_NULL,
    ),
    (
        UNAVAILABLE,
        "Unavailable value placeholder",
        Kind::String,
        Some(DEFAULT_UNAVAILABLE),
        Low,
        PLACEHOLDER,
    ),
];

fn grouped(line: &Line, group: &'static str, order: usize) -> Key {
    let (name, display, kind, default, importance, documentation) = *line;
    Key {
        group: Some(group),
        order: i32::try_from(order).unwrap_or(i32::MAX),
        display,
        ..key(name, kind, default, importance, documentation)
    }
}

const SCHEMAS_ENABLE: &str = "Include schemas within each of the serialized values and keys.";
const SCHEMAS_CACHE_SIZE: &str =
    "The maximum number of schemas that can be cached in this converter instance.";
const SCHEMA_CONTENT: &str = "When set, this is used as the schema for all messages, and the schemas within each of \
     the message will be ignored.Otherwise, the schema will be included in the content of each message. This \
     configuration applies only 'schemas.enable' is true, and it exclusively affects the sink connector.";
const DECIMAL_FORMAT: &str = "Controls which format this converter will serialize decimals in. This value is case \
     insensitive and can be either 'BASE64' (default) or 'NUMERIC'";
const REPLACE_NULL: &str = "Whether to replace fields that have a default value and that are null to the default \
     value. When set to true, the default value is used, otherwise null is used.";
const PLACEHOLDER: &str = "The text that a source writes for a value its database did not send. Sinks read such a \
     field as absent, so that they leave what they have; set it empty to read it as text.";

/// A property that may be missing, of no group.
pub(crate) fn key(
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    importance: Importance,
    documentation: &str,
) -> Key {
    Key {
        name,
        kind,
        required: false,
        default,
        importance,
        documentation: documentation.to_owned(),
        group: None,
        order: -1,
        width: Width::Medium,
        display: name,
        allowed: &[],
    }
}
