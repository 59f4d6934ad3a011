//! Debezium's `OpenLineage`, which is accepted and does nothing: no lineage is sent from here. It has no properties.

use connect_core::{Finding, Result};

use super::tracing_span::Passing;

/// The transform, which says that it does nothing.
pub(super) fn new() -> Result<Passing, Vec<Finding>> {
    tracing::warn!("OpenLineage does nothing here: no lineage is sent");
    Ok(Passing)
}
