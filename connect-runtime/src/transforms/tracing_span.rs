//! Debezium's `ActivateTracingSpan`, which is accepted and does nothing: spans are of batches here, not of records.

use connect_core::{
    Batch, Finding, Properties, Result,
    config::{Config, Key, Rules, Width},
};

use super::{
    events::EachEvent,
    shown::{Shown, debezium},
};

connect_core::config! {
    /// Traces nothing.
    pub(super) struct TracingSpanConfig;
    group "Tracing" {
        /// The name of the field containing java.util.Properties representation of serialized span context. Defaults to 'tracingspancontext'
        field: String = "tracingspancontext", "tracing.span.context.field", High;
        /// The operation name representing Debezium processing span. Default is 'debezium-read'
        operation: String = "debezium-read", "tracing.operation.name", High;
        /// Set to `true` when only events that have serialized context field should be traced.
        only: bool = "false", "tracing.with.context.field.only", High;
    }
}

/// How forms show the properties.
const SHOWN: &[Shown] = &[
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

/// Its properties.
pub(super) fn keys() -> Vec<Key> {
    debezium(TracingSpanConfig::keys(), SHOWN)
}

impl Rules for TracingSpanConfig {}

/// The transform, from its properties, which change nothing.
pub(super) fn new(settings: &Properties) -> Result<Passing, Vec<Finding>> {
    TracingSpanConfig::parse(settings)?;
    tracing::warn!(
        "ActivateTracingSpan does nothing here: spans are of batches, and records carry theirs with `tracing.headers=true` of the worker"
    );
    Ok(Passing)
}

/// A transform that leaves every record as it is.
pub(super) struct Passing;

impl EachEvent for Passing {
    fn each(&mut self, _batch: &mut Batch, _index: usize) -> Result<bool> {
        Ok(true)
    }
}
