//! What cannot be equal in answers, by name, and why. Nothing else is left out of a comparison.

/// Fields of JSON whose values only have to be of the same type.
pub(super) const FIELDS: &[(&str, &str)] = &[
    ("commit", "of another program"),
    ("version", "of another program"),
    ("kafka_cluster_id", "random"),
    ("last_modified", "a time"),
    ("documentation", "in our own words"),
    ("worker_id", "each has its own address"),
    (
        "trace",
        "the stack of a Java program; ours has causes and a remedy",
    ),
];

/// Headers that are compared; the others are the HTTP library's.
pub(super) const HEADERS: &[&str] = &["content-type", "location", "allow"];

/// Sentences whose end tells what a server happens to have.
pub(super) const OPEN_ENDS: &[&str] = &[
    "available connectors are: ",
    "available versions: ",
    "that matches the version range ",
];

/// Parts of the names of plugins and properties that only one of the two has.
pub(super) const ONLY_ONE: &[&str] = &[
    "io.confluent.",
    "io.debezium.",
    "io.tidewater.",
    "org.apache.kafka.connect.mirror.",
    "org.apache.kafka.connect.tools.",
    "unavailable.value.placeholder",
];

/// The place of an array whose order means nothing.
pub(super) const UNORDERED: &str = "/configs";

/// Loggers that everybody has are those of the root; each has its own beside it.
pub(super) const LOGGERS: &str = "/admin/loggers";

/// In answers to such requests states are those that Kafka Connect has read back, which may be older than its last write.
pub(super) const RESTARTS: &str = "/restart?";

/// The version of Kafka Connect, which is that of its transforms and converters; ours have the program's.
pub(super) const VERSIONS: [&str; 2] = ["4.3.0", env!("CARGO_PKG_VERSION")];
