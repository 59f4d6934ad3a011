//! Where an answer may differ from the recorded one, and why. Anything else that differs is a defect.

/// Headers that are compared.
pub const HEADERS: &[&str] = &["content-type", "location", "allow"];

/// Fields whose values cannot be equal.
pub const MASKED: &[(&str, &str)] = &[
    ("commit", "the commit of the server"),
    ("documentation", "documentation is in our own words"),
    ("kafka_cluster_id", "random"),
    ("last_modified", "a time"),
    (
        "trace",
        "the stack of a Java program; ours has causes and a remedy",
    ),
];

/// Sentences whose end names what a server happens to have.
pub const OPEN_ENDS: &[&str] = &["available connectors are: "];

/// Recorded plugins that are not here: the beginnings of their names.
pub const NOT_OURS: &[&str] = &["org.apache.kafka.connect.mirror."];

/// Plugins and properties of ours that Kafka Connect does not ship: the beginnings of their names.
pub const NOT_THEIRS: &[&str] = &[
    "io.debezium.",
    "io.confluent.connect.avro.",
    "io.confluent.connect.json.",
    "io.confluent.connect.protobuf.",
    "unavailable.value.placeholder",
];

/// What we answer instead of what was recorded.
pub enum Ours {
    /// An error with this status, whose message contains this.
    Refusal(u16, &'static str),
    /// This status and JSON.
    Json(u16, &'static str),
    /// The recorded status and body, and an `Allow` header with these methods.
    Allow(&'static str),
}

/// A deliberate difference.
pub struct Deviation {
    /// The entry.
    pub note: &'static str,
    /// Why ours is better.
    pub why: &'static str,
    /// Our answer.
    pub ours: Ours,
}

const fn deviation(note: &'static str, why: &'static str, ours: Ours) -> Deviation {
    Deviation { note, why, ours }
}

const CLIENTS_FAULT: &str = "the client is at fault, not the server: 4xx, and what to send instead";

/// Every deliberate difference.
pub const DEVIATIONS: &[Deviation] = &[
    deviation(
        "validate without connector.class",
        CLIENTS_FAULT,
        Ours::Refusal(
            400,
            "Connector config {name=x, topic=t} contains no connector type",
        ),
    ),
    deviation(
        "validate unknown class",
        CLIENTS_FAULT,
        Ours::Refusal(
            400,
            "Failed to find any class that implements Connector and which name matches Nope",
        ),
    ),
    deviation(
        "create without config",
        CLIENTS_FAULT,
        Ours::Refusal(400, "The field \"config\" is missing"),
    ),
    deviation(
        "create bad initial_state",
        CLIENTS_FAULT,
        Ours::Refusal(400, "String must be one of: RUNNING, PAUSED, STOPPED"),
    ),
    deviation(
        "create unknown field",
        CLIENTS_FAULT,
        Ours::Refusal(400, "unknown field `foo`"),
    ),
    deviation(
        "malformed JSON",
        CLIENTS_FAULT,
        Ours::Refusal(400, "The request body is not the JSON expected here"),
    ),
    deviation(
        "empty body",
        CLIENTS_FAULT,
        Ours::Refusal(400, "The request has no body"),
    ),
    deviation(
        "topics after reset",
        "a reset is done when it is answered, where Kafka Connect shows the old topics until it has read back its own write",
        Ours::Json(200, r#"{"src":{"topics":[]}}"#),
    ),
    deviation(
        "method not allowed",
        "RFC 9110 wants the methods that are allowed",
        Ours::Allow("GET,HEAD,DELETE"),
    ),
    deviation(
        "alter bad partition",
        CLIENTS_FAULT,
        Ours::Refusal(400, "Partition objects should contain the key 'filename'"),
    ),
    deviation(
        "alter bad offset",
        CLIENTS_FAULT,
        Ours::Refusal(
            400,
            "The value for the 'position' key in the offset is expected to be a Long value",
        ),
    ),
];
