//! The properties that the runtime gives to every connector, in Kafka Connect's order, groups and display names.

use connect_core::config::{
    Importance::{self, High, Low, Medium},
    Kind,
    Width::{self, Long, Medium as Middle, Short},
};

/// A property of the runtime.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Framework {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) default: Preset,
    pub(crate) importance: Importance,
    pub(crate) group: &'static str,
    pub(crate) order: i32,
    pub(crate) width: Width,
    pub(crate) display: &'static str,
    pub(crate) rule: Rule,
    pub(crate) documentation: &'static str,
}

/// The default of a property of the runtime.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Preset {
    /// It must be given.
    Required,
    /// It may be missing.
    Nothing,
    /// A text.
    Text(&'static str),
    /// The version of the plugin that another property names.
    VersionOf(&'static str),
    /// What the worker has under the same name.
    Worker,
}

/// The most tasks of a connector: each is a thread with a connection of its own.
pub(crate) const MOST_TASKS: i64 = 1000;

/// What a value must keep to, beyond its type.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rule {
    /// Nothing more.
    Any,
    /// At least this.
    AtLeast(i64),
    /// At least one and at most [`MOST_TASKS`].
    Tasks,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// One of these, in any case; they stand here in capitals.
    OneOfAnyCase(&'static [&'static str]),
    /// Not empty, and without control characters.
    Name,
    /// Every alias once.
    Aliases,
    /// A converter's class.
    Converter,
    /// A regular expression.
    Regex,
}

macro_rules! keys {
    ($($name:literal $kind:ident $default:expr, $importance:ident, $group:literal $order:literal $width:ident $display:literal,
       $rule:expr, $doc:literal;)*) => {
        &[$(Framework {
            name: $name, kind: Kind::$kind, default: $default, importance: $importance, group: $group, order: $order,
            width: $width, display: $display, rule: $rule, documentation: $doc,
        }),*]
    };
}

use Preset::{Nothing, Required, Text, VersionOf, Worker};
use Rule::{Aliases, Any, AtLeast, Converter, Name, OneOf, OneOfAnyCase, Regex, Tasks};

/// For sources and sinks.
#[rustfmt::skip]
pub(crate) static EVERY: &[Framework] = keys! {
    "name" String Required, High, "Common" 1 Middle "Connector name", Name,
        "Name of the connector, unique among the workers of one group.";
    "connector.class" String Required, High, "Common" 2 Long "Connector class", Any,
        "Class name of the connector, its simple name, or that without `Connector`.";
    "connector.plugin.version" String VersionOf("connector.class"), Medium, "Common" 3 Middle "Connector version", Any,
        "Version of the connector.";
    "tasks.max" Int Text("1"), High, "Common" 4 Short "Tasks max", Tasks,
        "The most tasks into which the connector may split its work.";
    "tasks.max.enforce" Boolean Text("true"), Low, "Common" 5 Short "Enforce tasks max", Any,
        "Whether a connector that makes more tasks than `tasks.max` fails.";
    "key.converter" Class Worker, Low, "Common" 6 Short "Key converter class", Converter,
        "Converter of keys to and from the bytes in the log. Its settings stand below `key.converter.`.";
    "key.converter.plugin.version" String VersionOf("key.converter"), Low, "Common" 7 Short "Key converter version", Any,
        "Version of the key converter.";
    "value.converter" Class Worker, Low, "Common" 8 Short "Value converter class", Converter,
        "Converter of values to and from the bytes in the log. Its settings stand below `value.converter.`.";
    "value.converter.plugin.version" String VersionOf("value.converter"), Low, "Common" 9 Short "Value converter version", Any,
        "Version of the value converter.";
    "header.converter" Class Worker, Low, "Common" 10 Short "Header converter class", Converter,
        "Converter of header values to and from the bytes in the log. Its settings stand below `header.converter.`.";
    "header.converter.plugin.version" String VersionOf("header.converter"), Low, "Common" 11 Short "Header converter version", Any,
        "Version of the header converter.";
    "transforms" List Text(""), Low, "Transforms" 12 Long "Transforms", Aliases,
        "Aliases of the transforms that change each record, in order. Their settings stand below `transforms.<alias>.`.";
    "predicates" List Text(""), Low, "Predicates" 13 Long "Predicates", Aliases,
        "Aliases of the predicates that choose the records to which transforms apply.";
    "config.action.reload" String Text("restart"), Low, "Common" 14 Middle "Reload Action", OneOf(&["none", "restart"]),
        "What happens when an external configuration provider says that a value has expired.";
    "errors.retry.timeout" Long Text("0"), Medium, "Error Handling" 1 Middle "Retry Timeout for Errors", Any,
        "For how long an operation on one record that failed for a moment is tried again, in milliseconds; -1 without end. \
         Servers that are away are waited for in any case.";
    "errors.retry.delay.max.ms" Long Text("60000"), Medium, "Error Handling" 2 Middle "Maximum Delay Between Retries for Errors", Any,
        "The longest time between two tries, in milliseconds.";
    "errors.tolerance" String Text("none"), Medium, "Error Handling" 3 Short "Error Tolerance", OneOf(&["none", "all"]),
        "`none`: a record that cannot be handled ends the task. `all`: it is skipped, and goes to the dead letters where there are some.";
    "errors.log.enable" Boolean Text("false"), Medium, "Error Handling" 4 Short "Log Errors", Any,
        "Whether errors that are tolerated are logged.";
    "errors.log.include.messages" Boolean Text("false"), Medium, "Error Handling" 5 Short "Log Error Details", Any,
        "Whether the log tells the topic, partition and offset of the record. Values are never logged.";
};

/// For sources.
#[rustfmt::skip]
pub(crate) static SOURCE: &[Framework] = keys! {
    "topic.creation.groups" List Text(""), Low, "Topic Creation" 1 Long "Topic Creation Groups", Aliases,
        "Groups of settings for topics that are created, beside the group `default`.";
    "exactly.once.support" String Text("requested"), Medium, "Exactly Once Support" 2 Short "Exactly once support", OneOfAnyCase(&["REQUIRED", "REQUESTED"]),
        "`required`: the connector is refused unless the worker and the connector can write exactly once.";
    "transaction.boundary" String Text("poll"), Medium, "Exactly Once Support" 3 Short "Transaction Boundary", OneOfAnyCase(&["INTERVAL", "POLL", "CONNECTOR"]),
        "Where transactions end: between batches, after a time, or where the connector says.";
    "transaction.boundary.interval.ms" Long Nothing, Low, "Exactly Once Support" 4 Short "Transaction boundary interval", AtLeast(0),
        "With the boundary `interval`: the time between two commits, in milliseconds.";
    "offsets.storage.topic" String Nothing, Low, "offsets.topic" 1 Long "Offsets topic", Any,
        "A topic of its own for this connector's offsets.";
};

/// For sinks.
#[rustfmt::skip]
pub(crate) static SINK: &[Framework] = keys! {
    "topics" List Text(""), High, "Common" 4 Long "Topics", Any,
        "Topics to read, separated by commas.";
    "topics.regex" String Text(""), High, "Common" 4 Long "Topics regex", Regex,
        "Regular expression that matches the names of all topics to read. Give this or `topics`.";
    "errors.deadletterqueue.topic.name" String Text(""), Medium, "Error Handling" 6 Middle "Dead Letter Queue Topic Name", Any,
        "Topic to which records go that cannot be handled, with `errors.tolerance=all`; empty for none.";
    "errors.deadletterqueue.topic.replication.factor" Short Text("3"), Medium, "Error Handling" 7 Middle "Dead Letter Queue Topic Replication Factor", Any,
        "Replicas of that topic when it is created.";
    "errors.deadletterqueue.context.headers.enable" Boolean Text("false"), Medium, "Error Handling" 8 Middle "Enable Error Context Headers", Any,
        "Whether dead letters get headers that begin with `__connect.errors.` and tell what happened where.";
};

/// The groups in order, for a source.
pub(crate) static SOURCE_GROUPS: &[&str] = &[
    "Common",
    "Transforms",
    "Predicates",
    "Error Handling",
    "Topic Creation",
    "Exactly Once Support",
    "offsets.topic",
];

/// The groups in order, for a sink.
pub(crate) static SINK_GROUPS: &[&str] = &["Common", "Transforms", "Predicates", "Error Handling"];
