//! The runtime: a herder that keeps what runs equal to what is wanted, and the tasks themselves.
//!
//! Read in this order: [`herder`] (the handle), `herder/lead` and `herder/reconcile` (its hearts), `supervisor` (one per task),
//! `source_worker` and `sink_worker` (how records flow), `ledger` (Invariant 1). The tables `configs`, `offsets` and
//! `statuses` are Kafka Connect's internal topics, byte for byte; `cluster` is a topic of our own.

pub mod answers;
mod chain;
mod change;
mod cluster;
mod config_provider;
mod configs;
mod converters;
mod dead_letters;
mod decode;
mod encode;
pub mod error;
mod guards;
pub mod herder;
mod internal_topic;
mod kept;
mod ledger;
pub mod letters;
mod log_health;
pub mod logs;
mod masks;
mod metrics;
mod offset_request;
mod offsets;
mod outside;
mod place;
mod plugins;
pub mod position;
pub mod progress;
pub mod reload;
pub mod rewind;
mod runtime;
pub mod seats;
mod shared;
mod sink_worker;
mod source_worker;
mod spans;
mod stage;
mod statuses;
mod stop;
mod supervisor;
mod task_spec;
mod tolerance;
mod topic_creation;
mod transaction;
pub mod transfer;
pub mod transforms;
mod validate;
mod version_range;
mod worker_config;

pub use answers::{
    ConfigInfo, ConfigInfos, ConfigKeyInfo, ConfigValueInfo, ConnectorInfo, ConnectorKind,
    ConnectorOffset, ConnectorState, ConnectorStatus, GivenConfig, Health, HealthStatus,
    PluginInfo, PluginKind, ServerInfo, State, TargetState, TaskId, TaskState,
};
pub use herder::{Herder, Levels};
pub use logs::Logs;
pub use runtime::{RunningWorker, Runtime, Witness};
pub use spans::{AnyTracer, RequestSpan, Traces};
pub use worker_config::{ExactlyOnce, OverridePolicy, WorkerConfig};
