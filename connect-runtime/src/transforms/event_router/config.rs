//! The properties of the outbox's router.

use connect_core::{
    Finding,
    config::{List, Rules, Width},
    java_regex::{JavaRegex, Replacement},
};

use super::super::shown::Shown;

connect_core::choice! {
    /// What becomes of updates of the outbox, which nobody should make.
    pub(super) enum Invalid {
        /// They are left out, with a warning.
        Warn = "warn",
        /// They are left out, with an error in the log.
        Error = "error",
        /// The record fails.
        Fatal = "fatal",
    }
}

connect_core::choice! {
    /// What an additional field means that the table does not have.
    pub(super) enum Missing {
        /// The record fails.
        Error = "error",
        /// It is left out.
        Ignore = "ignore",
    }
}

connect_core::choice! {
    /// What becomes of a null in a JSON payload.
    pub(super) enum JsonNull {
        /// The field is left out.
        Ignore = "ignore",
        /// The field is one of bytes that may be null.
        OptionalBytes = "optional_bytes",
    }
}

connect_core::config! {
    /// Routes events of an outbox table to topics.
    pub(super) struct EventRouterConfig;
    group "Table" {
        /// The column which contains the event ID within the outbox table
        id: String = "id", "table.field.event.id", Low;
        /// The column which contains the event key within the outbox table
        key: String = "aggregateid", "table.field.event.key", Low;
        /// The column which contains the event type within the outbox table
        kind: String = "type", "table.field.event.type", Low;
        /// The column which contains the event payload within the outbox table
        payload: String = "payload", "table.field.event.payload", Low;
        /// Optionally you can override the Kafka message timestamp with a value from a chosen column, otherwise it'll be the Debezium event processed timestamp.
        timestamp: Option<String> = none, "table.field.event.timestamp", Medium;
        /// Extra fields can be added as part of the event envelope or a message header, format is a list of colon-delimited pairs or trios when you desire to have aliases, e.g. <code>id:header,field_name:envelope:alias,field_name:partition</code>
        additional: Option<List> = none, "table.fields.additional.placement", High;
        /// When transforming the 'table.fields.additional.placement' fields, defines the behavior when one of the configured fields is missing in the change data. 'error' (default) will throw an exception; 'ignore' will silently skip the missing field.
        missing: Missing = "error", "table.field.additional.missing", Medium;
        /// The column which contains the event schema version within the outbox table
        version: Option<String> = none, "table.field.event.schema.version", Low;
        /// While Debezium is capturing changes from the outbox table, it is expecting only to process 'create' or 'delete' row events; in case something else is processed this transform can log it as warning, error or stop the process.
        invalid: Invalid = "warn", "table.op.invalid.behavior", Medium;
        /// Whether or not to try unescaping a JSON string and make it real JSON. It will infer schema information from payload and update the record schema accordingly. If content is not JSON, it just produces a warning and emits the record unchanged
        expand: bool = "false", "table.expand.json.payload", Medium;
        /// Behavior when json payload including null value, the default will ignore null, optional_bytes will keep the null value, and treat null as optional bytes of connect.
        json_null: JsonNull = "ignore", "table.json.payload.null.behavior", Medium;
    }
    group "Router" {
        /// The column which determines how the events will be routed, the value will become part of the topic name
        route_by: String = "aggregatetype", "route.by.field", High;
        /// The default regex to use within the RegexRouter, the default capture will allow to replace the routed field into a new topic name defined in 'route.topic.replacement'
        regex: String = "(?<routedByValue>.*)", "route.topic.regex", Low;
        /// The name of the topic in which the events will be routed, a replacement '${routedByValue}' is available which is the value of The column configured via 'route.by.field'
        replacement: String = "outbox.event.${routedByValue}", "route.topic.replacement", High;
        /// Whether or not an empty payload should cause a tombstone event.
        tombstones: bool = "false", "route.tombstone.on.empty.payload", High;
    }
    group "Tracing" {
        /// The name of the field containing java.util.Properties representation of serialized span context. Defaults to 'tracingspancontext'
        span_field: String = "tracingspancontext", "tracing.span.context.field", High;
        /// The operation name representing Debezium processing span. Default is 'debezium-read'
        span_name: String = "debezium-read", "tracing.operation.name", High;
        /// Set to `true` when only events that have serialized context field should be traced.
        span_only: bool = "false", "tracing.with.context.field.only", High;
    }
}

/// How forms show the properties.
pub(super) const SHOWN: &[Shown] = &[
    ("table.field.event.id", Width::Medium, "Event ID Field"),
    ("table.field.event.key", Width::Medium, "Event Key Field"),
    ("table.field.event.type", Width::Medium, "Event Type Field"),
    (
        "table.field.event.payload",
        Width::Medium,
        "Event Payload Field",
    ),
    (
        "table.field.event.timestamp",
        Width::Medium,
        "Event Timestamp Field",
    ),
    (
        "table.fields.additional.placement",
        Width::Medium,
        "Settings for each additional column in the outbox table",
    ),
    (
        "table.field.additional.missing",
        Width::Medium,
        "Behavior when an additional field is missing in the change data",
    ),
    (
        "table.field.event.schema.version",
        Width::Medium,
        "Event Schema Version Field",
    ),
    (
        "table.op.invalid.behavior",
        Width::Medium,
        "Behavior when capturing an unexpected outbox event",
    ),
    (
        "table.expand.json.payload",
        Width::Medium,
        "Expand Payload escaped string as real JSON",
    ),
    (
        "table.json.payload.null.behavior",
        Width::Medium,
        "Behavior when json payload including null value",
    ),
    ("route.by.field", Width::Medium, "Field to route events by"),
    (
        "route.topic.regex",
        Width::Medium,
        "The name of the routed topic",
    ),
    (
        "route.topic.replacement",
        Width::Medium,
        "The name of the routed topic",
    ),
    (
        "route.tombstone.on.empty.payload",
        Width::Medium,
        "Empty payloads cause a tombstone message",
    ),
    (
        "tracing.span.context.field",
        Width::Medium,
        "Serialized tracing span context field",
    ),
    (
        "tracing.operation.name",
        Width::Medium,
        "Tracing operation name",
    ),
    (
        "tracing.with.context.field.only",
        Width::Medium,
        "Trace only events with context field present",
    ),
];

/// Where an additional field goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placement {
    Header,
    Envelope,
    Partition,
}

/// One item of `table.fields.additional.placement`: `column:header`, `column:envelope:alias`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Additional {
    pub(super) field: String,
    pub(super) placement: Placement,
    pub(super) alias: String,
}

impl Additional {
    /// Reads an item; `None` when it is none.
    pub(super) fn parse(item: &str) -> Option<Self> {
        let parts: Vec<&str> = item.split(':').map(str::trim).collect();
        let (field, placement, alias) = match parts.as_slice() {
            [field, placement] => (*field, *placement, *field),
            [field, placement, alias] => (*field, *placement, *alias),
            _ => return None,
        };
        let placement = match placement.to_ascii_lowercase().as_str() {
            "header" => Placement::Header,
            "envelope" => Placement::Envelope,
            "partition" => Placement::Partition,
            _ => return None,
        };
        Some(Self {
            field: field.to_owned(),
            placement,
            alias: alias.to_owned(),
        })
    }
}

impl Rules for EventRouterConfig {
    fn rules(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for item in self.additional.iter().flat_map(|list| &list.0) {
            if Additional::parse(item).is_none() {
                let why = "A comma-separated list of valid String pairs or trios, as column:placement or \
                           column:placement:alias with the placements header, envelope and partition, is expected";
                let key = "table.fields.additional.placement";
                findings.push(Finding::invalid(key, item, why));
            }
        }
        match JavaRegex::new(&self.regex) {
            Err(why) => findings.push(Finding::invalid("route.topic.regex", &self.regex, &why)),
            Ok(regex) => {
                if let Err(why) = Replacement::new(&self.replacement, &regex) {
                    let key = "route.topic.replacement";
                    findings.push(Finding::invalid(key, &self.replacement, &why));
                }
            }
        }
        findings
    }
}
