//! Where a record goes and what it looks like; everything compiled per table hangs on its id.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::Schema;

/// Identity of a [`Route`]: never used twice in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteId(u64);

/// A topic with the schemas of its key and value. Made once per table and schema version, shared by all rows.
#[derive(Debug)]
pub struct Route {
    id: RouteId,
    topic: Arc<str>,
    key: Option<Arc<Schema>>,
    value: Option<Arc<Schema>>,
}

impl Route {
    /// A new route with an identity of its own. Keep it: each call makes encoders compile again.
    pub fn new(
        topic: impl Into<Arc<str>>,
        key: Option<Arc<Schema>>,
        value: Option<Arc<Schema>>,
    ) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = RouteId(NEXT.fetch_add(1, Ordering::Relaxed));
        Arc::new(Self {
            id,
            topic: topic.into(),
            key,
            value,
        })
    }

    /// Its identity, for caches of what was compiled.
    pub fn id(&self) -> RouteId {
        self.id
    }

    /// The topic.
    pub fn topic(&self) -> &Arc<str> {
        &self.topic
    }

    /// The key's schema; `None` for a key without one.
    pub fn key(&self) -> Option<&Arc<Schema>> {
        self.key.as_ref()
    }

    /// The value's schema; `None` for a value without one.
    pub fn value(&self) -> Option<&Arc<Schema>> {
        self.value.as_ref()
    }
}
