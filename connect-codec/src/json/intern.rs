//! Schemas that were seen: the same text gives the same `Arc`, within bounds.

use std::sync::Arc;

use connect_core::{Result, Schema};
use rustc_hash::FxHashMap;

use super::{field_plan::Node, schema_read};

/// All schema texts together take no more than this, whatever `schemas.cache.size` says.
const MOST_BYTES: usize = 16 << 20;

/// What is known of a schema text.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) schema: Arc<Schema>,
    pub(super) node: Arc<Node>,
}

/// A cache of schema texts. The one that has not been asked for longest makes room.
#[derive(Debug)]
pub(super) struct Interner {
    size: usize,
    bytes: usize,
    clock: u64,
    known: FxHashMap<Arc<[u8]>, Entry>,
    last: Option<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    text: Arc<[u8]>,
    /// `None` for JSON `null`.
    known: Option<Known>,
    used: u64,
}

impl Known {
    /// Compiles a schema.
    pub(super) fn of(schema: &Arc<Schema>) -> Self {
        Self {
            schema: Arc::clone(schema),
            node: Arc::new(Node::new(schema)),
        }
    }
}

impl Interner {
    /// Keeps at most `size` schemas, and at least the last one.
    pub(super) fn new(size: usize) -> Self {
        Self {
            size: size.max(1),
            bytes: 0,
            clock: 0,
            known: FxHashMap::default(),
            last: None,
        }
    }

    /// The last schema text that was asked for: most topics have one only.
    pub(super) fn last_text(&self) -> Option<&[u8]> {
        self.last.as_ref().map(|entry| &*entry.text)
    }

    /// What stands behind [`Interner::last_text`].
    pub(super) fn last(&self) -> Option<Known> {
        self.last.as_ref().and_then(|entry| entry.known.clone())
    }

    /// What stands behind a schema text; `None` for JSON `null`.
    pub(super) fn get(&mut self, text: &[u8]) -> Result<Option<Known>> {
        self.clock += 1;
        if let Some(entry) = self.known.get_mut(text) {
            entry.used = self.clock;
            self.last = Some(entry.clone());
            return Ok(entry.known.clone());
        }
        let known = schema_read::schema(text)?.map(|schema| self.intern(&schema));
        self.make_room(text.len());
        let entry = Entry {
            text: text.into(),
            known: known.clone(),
            used: self.clock,
        };
        self.bytes += text.len();
        self.last = Some(entry.clone());
        self.known.insert(Arc::clone(&entry.text), entry);
        Ok(known)
    }

    /// An equal schema that was written in another way is the same one.
    fn intern(&self, schema: &Arc<Schema>) -> Known {
        let mut all = self.known.values().filter_map(|entry| entry.known.as_ref());
        let known = all.find(|known| known.schema == *schema);
        known.cloned().unwrap_or_else(|| Known::of(schema))
    }

    // Invariant 4: nothing unbounded.
    fn make_room(&mut self, bytes: usize) {
        while self.known.len() >= self.size || self.bytes + bytes > MOST_BYTES {
            let oldest = self.known.values().min_by_key(|entry| entry.used);
            let Some(text) = oldest.map(|entry| Arc::clone(&entry.text)) else {
                return;
            };
            self.known.remove(&text);
            self.bytes -= text.len();
        }
    }
}
