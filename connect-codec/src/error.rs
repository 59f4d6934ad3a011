//! The errors that converters give. All refuse one record; none ends a task by itself.

connect_core::codes! {
    /// The bytes are not JSON.
    JSON_SYNTAX = "codec.json_syntax", Reject, "The record was not written as JSON: set the converter that fits the topic, or send such records to a dead letter topic.";
    /// JSON without the envelope of schema and payload.
    NO_ENVELOPE = "codec.no_envelope", Reject, "Set `schemas.enable=false` on this converter, since the records carry no schema.";
    /// A schema inside a record does not hold.
    SCHEMA_INVALID = "codec.schema_invalid", Reject, "Look at the `schema` part of the record; whoever wrote it broke Kafka Connect's JSON schema format.";
    /// A value does not fit its schema.
    MISMATCH = "codec.mismatch", Reject, "The value is not of the type that its schema declares: correct the writer, or send such records to a dead letter topic.";
    /// The bytes do not have the length or form that this converter writes.
    NOT_OURS = "codec.not_ours", Reject, "The record was written with another converter: set the one that fits the topic.";
}
