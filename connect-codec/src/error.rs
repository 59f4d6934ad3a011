//! The errors that converters give. Those about bytes and values refuse one record; those about a schema that is to be
//! registered end the task, or are tried again while the registry is away.

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
    /// The schema registry cannot be reached.
    REGISTRY_UNREACHABLE = "codec.registry_unreachable", Retry, "Check that the schema registry runs, and that `schema.registry.url` and the TLS settings fit it. The task goes on by itself when it answers.";
    /// The schema registry answers, but not to the point.
    REGISTRY_ANSWER = "codec.registry_answer", Retry, "Look at the log of the schema registry, and whether `schema.registry.url` names one with Confluent's API.";
    /// The files of TLS do not hold.
    REGISTRY_TLS = "codec.registry_tls", Fail, "Correct the `schema.registry.ssl.` properties.", 400;
    /// The login is refused.
    REGISTRY_LOGIN = "codec.registry_login", Fail, "Correct `basic.auth.` or `bearer.auth.`, or give this user the right to read and register the subject.";
    /// The registry does not take a schema that cannot be read by, or as, those before it.
    SCHEMA_INCOMPATIBLE = "codec.schema_incompatible", Fail, "Undo the change of the table, or set the subject's compatibility so that it allows it (PUT /config/SUBJECT), then restart the task.";
    /// The registry calls a schema invalid.
    SCHEMA_REFUSED = "codec.schema_refused", Fail, "Look at the registry's words. Names that the format does not allow are replaced by `schema.name.adjustment.mode=avro` and `field.name.adjustment.mode=avro` at the source.";
    /// The schema has to be registered already, and is not.
    SCHEMA_MISSING = "codec.schema_missing", Fail, "Register the schema under the named subject, or set `auto.register.schemas=true`.";
    /// The registry has no schema of the number in a record.
    SCHEMA_UNKNOWN = "codec.schema_unknown", Reject, "The record was written with a schema of another registry, or one that was deleted for good: set `schema.registry.url`, or send such records to a dead letter topic.";
    /// A schema of another format.
    SCHEMA_KIND = "codec.schema_kind", Reject, "The record was written in another format: set the converter that fits the topic.";
    /// The strategy names subjects after records, and there is none.
    NO_RECORD_NAME = "codec.no_record_name", Fail, "Set `TopicNameStrategy` for this converter: only records have a name.";
    /// A schema cannot be written in this format.
    SCHEMA_UNFIT = "codec.schema_unfit", Fail, "Names that the format does not allow are replaced by `schema.name.adjustment.mode=avro` and `field.name.adjustment.mode=avro` at the source, or `scrub.invalid.names=true` at the converter; other parts of the schema have to be changed at the source or by a transform.";
    /// A registered schema that this converter cannot read.
    SCHEMA_UNREADABLE = "codec.schema_unreadable", Reject, "The named part of the writer's schema has no counterpart here: change the schema, or send such records to a dead letter topic.";
    /// The schema that is to be written does not take all values.
    SCHEMA_NARROW = "codec.schema_narrow", Fail, "Register a schema that takes the named field, or set `latest.compatibility.strict=false` (`id.compatibility.strict=false` with `use.schema.id`): then only values that do not fit are refused.";
    /// The payload is not what its schema says.
    PAYLOAD = "codec.payload", Reject, "The record is damaged or was written with another schema: send such records to a dead letter topic.";
}
