//! The names of headers by which dead letters explain themselves: Kafka Connect's, and ours of sources.

/// All of them begin so.
pub(crate) const PREFIX: &str = "__connect.errors.";
/// The topic that the record was read from or meant for.
pub(crate) const TOPIC: &str = "__connect.errors.topic";
/// The partition that it was read from.
pub(crate) const PARTITION: &str = "__connect.errors.partition";
/// Its offset there.
pub(crate) const OFFSET: &str = "__connect.errors.offset";
/// The connector.
pub(crate) const CONNECTOR: &str = "__connect.errors.connector.name";
/// The number of the task.
pub(crate) const TASK: &str = "__connect.errors.task.id";
/// Where it got stuck.
pub(crate) const STAGE: &str = "__connect.errors.stage";
/// The connector's class.
pub(crate) const CLASS: &str = "__connect.errors.class.name";
/// The code of the error.
pub(crate) const EXCEPTION: &str = "__connect.errors.exception.class.name";
/// The error in a sentence.
pub(crate) const MESSAGE: &str = "__connect.errors.exception.message";
/// The error with its causes.
pub(crate) const TRACE: &str = "__connect.errors.exception.stacktrace";
/// Of a source: whether the letter has the record's own bytes ([`WHOLE`]) or what it held as JSON ([`DESCRIBED`]).
pub(crate) const CONTENT: &str = "__connect.errors.source.content";
/// The record's own bytes.
pub(crate) const WHOLE: &str = "record";
/// What it held, as JSON.
pub(crate) const DESCRIBED: &str = "json";
/// Of a source: the partition of its offsets, as JSON.
pub(crate) const SOURCE_PARTITION: &str = "__connect.errors.source.partition";
/// Of a source: where the batch of the record leads, as JSON.
pub(crate) const SOURCE_OFFSET: &str = "__connect.errors.source.offset";
/// How long the value was that no topic takes.
pub(crate) const VALUE_LEFT_OUT: &str = "__connect.errors.value.left.out.bytes";
