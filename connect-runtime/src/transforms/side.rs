//! The half of a record that a transform works on.

use std::sync::Arc;

use connect_core::{Cell, Record, Route, Schema};

/// Key or value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Key,
    Value,
}

impl Side {
    pub(super) fn schema(self, route: &Route) -> Option<&Arc<Schema>> {
        match self {
            Self::Key => route.key(),
            Self::Value => route.value(),
        }
    }

    pub(super) fn cell(self, record: &Record) -> Cell {
        match self {
            Self::Key => record.key,
            Self::Value => record.value,
        }
    }

    pub(super) fn set(self, record: &mut Record, cell: Cell) {
        match self {
            Self::Key => record.key = cell,
            Self::Value => record.value = cell,
        }
    }

    /// The same route with another schema on this side.
    pub(super) fn reroute(self, route: &Route, schema: Option<Arc<Schema>>) -> Arc<Route> {
        let (key, value) = match self {
            Self::Key => (schema, route.value().cloned()),
            Self::Value => (route.key().cloned(), schema),
        };
        Route::new(Arc::clone(route.topic()), key, value)
    }
}
