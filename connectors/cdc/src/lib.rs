//! What every database source shares: the change envelope, topic names, filters, value modes, heartbeats.
//!
//! Names, field orders and types are Debezium's, so that consumers written for it need no change.

pub mod adjust;
pub mod binary;
pub mod calendar;
pub mod captured;
pub mod change;
pub mod channels;
pub mod context;
pub mod data;
pub mod envelope;
pub mod filters;
pub mod heartbeat;
pub mod hide;
pub mod incremental;
pub mod iso;
pub mod java;
pub mod java_order;
pub mod masks;
pub mod modes;
pub mod naming;
pub mod notification;
pub mod options;
pub mod pulse;
pub mod rewind;
pub mod signal;
pub mod snapshot;
pub mod source_types;
pub mod table;
pub mod text;
pub mod times;
pub mod topics;
pub mod transaction;

/// What stands in `source.version`. Consumers branch on its major number, so it names the event format
/// that is spoken here, not the version of this program.
pub const EVENT_FORMAT_VERSION: &str = "3.6.1.Final";
