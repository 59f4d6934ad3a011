//! Where a source stands, in Kafka Connect's terms.

use std::sync::Arc;

/// A place in a source to which it can come back.
///
/// Opaque to the runtime: it stores `offset` under `partition` in the offsets topic, as Kafka Connect
/// does. Made once per batch, never per row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The source partition as a JSON object, such as `{"server":"inventory"}`. Its bytes are part of a compaction key.
    pub partition: Arc<str>,
    /// The source offset as a JSON object, such as `{"lsn":24023128,"txId":571}`.
    pub offset: Arc<str>,
    /// What the source itself needs when this position has become durable: an LSN, a sequence number.
    pub order: u64,
}
