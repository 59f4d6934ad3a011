//! What is known of chunks: which tables they are parts of, and when to ask about those of which it is not known.

use std::{sync::Arc, time::Duration};

use rustc_hash::{FxHashMap, FxHashSet};
use tokio::time::Instant;

/// Chunks that are kept; when there are more, those that are not in the batch are forgotten and asked for again.
const MOST: usize = 4096;
/// How long a chunk that the catalog does not have is not asked for; it doubles from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(60);

/// A table, a view or a chunk.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Table {
    pub(super) schema: String,
    pub(super) name: String,
}

/// What a chunk is a part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    /// Its hypertable.
    pub(super) hypertable: Table,
    /// The continuous aggregate whose results the hypertable holds.
    pub(super) aggregate: Option<Table>,
}

impl Owner {
    /// The one that people know.
    pub(super) fn shown(&self) -> &Table {
        self.aggregate.as_ref().unwrap_or(&self.hypertable)
    }
}

/// The chunks.
#[derive(Debug, Default)]
pub(super) struct Known {
    owners: FxHashMap<Table, Arc<Owner>>,
    missing: FxHashMap<Table, Pause>,
}

/// Until when a chunk that the catalog does not have is not asked for.
#[derive(Debug, Clone, Copy)]
struct Pause {
    until: Instant,
    length: Duration,
}

impl Known {
    /// What a chunk is a part of, as far as it is known.
    pub(super) fn owner(&self, chunk: &Table) -> Option<&Arc<Owner>> {
        self.owners.get(chunk)
    }

    /// Whether the catalog has to be asked before records of this chunk are sent.
    pub(super) fn is_due(&self, chunk: &Table, now: Instant) -> bool {
        let paused = |pause: &Pause| now < pause.until;
        !self.owners.contains_key(chunk) && !self.missing.get(chunk).is_some_and(paused)
    }

    /// What to ask for, given the chunks of a batch: all that is known is looked at again, since tables are renamed.
    pub(super) fn question(&self, mut batch: FxHashSet<Table>) -> FxHashSet<Table> {
        // Invariant 4: nothing unbounded.
        if batch.len() + self.owners.len() <= MOST {
            batch.extend(self.owners.keys().cloned());
        }
        batch
    }

    /// Takes the answer. A chunk that was known and is gone stays what it was: its last changes are still on their way.
    pub(super) fn learn(
        &mut self,
        mut asked: FxHashSet<Table>,
        found: Vec<(Table, Owner)>,
        now: Instant,
    ) {
        self.owners.retain(|chunk, _| asked.contains(chunk));
        for (chunk, owner) in found {
            if asked.remove(&chunk) {
                self.missing.remove(&chunk);
                self.owners.insert(chunk, Arc::new(owner));
            }
        }
        asked.retain(|chunk| !self.owners.contains_key(chunk));
        // Invariant 4: nothing unbounded.
        if self.missing.len() + asked.len() > MOST {
            self.missing.retain(|chunk, _| asked.contains(chunk));
        }
        for chunk in asked {
            self.miss(chunk, now);
        }
    }

    fn miss(&mut self, chunk: Table, now: Instant) {
        let before = self.missing.get(&chunk);
        let length = before.map_or(FIRST_PAUSE, |pause| (pause.length * 2).min(LAST_PAUSE));
        let (schema, table) = (&chunk.schema, &chunk.name);
        tracing::warn!(%schema, %table, "the catalog of TimescaleDB does not have a chunk: its records stay in its own topic");
        let until = now + length;
        self.missing.insert(chunk, Pause { until, length });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> Table {
        let (schema, name) = ("s".to_owned(), name.to_owned());
        Table { schema, name }
    }

    fn owner(hypertable: &str) -> Owner {
        let hypertable = table(hypertable);
        Owner {
            hypertable,
            aggregate: None,
        }
    }

    fn set<const N: usize>(names: [&str; N]) -> FxHashSet<Table> {
        names.into_iter().map(table).collect()
    }

    #[test]
    fn a_new_chunk_is_asked_for_at_once_and_with_it_all_that_is_known() {
        let (mut known, now) = (Known::default(), Instant::now());
        assert!(known.is_due(&table("a"), now));
        let asked = known.question(set(["a"]));
        known.learn(asked, vec![(table("a"), owner("h"))], now);
        assert!(!known.is_due(&table("a"), now) && known.is_due(&table("b"), now));
        let asked = known.question(set(["b"]));
        assert_eq!(asked, set(["a", "b"]));
        let found = vec![
            (table("b"), owner("renamed")),
            (table("a"), owner("renamed")),
        ];
        known.learn(asked, found, now);
        assert_eq!(**known.owner(&table("a")).unwrap(), owner("renamed"));
        // It is dropped, and what it wrote before comes after.
        let asked = known.question(set(["c"]));
        known.learn(asked, vec![(table("c"), owner("h"))], now);
        assert!(known.owner(&table("a")).is_some() && !known.is_due(&table("a"), now));
    }

    #[test]
    fn a_chunk_that_is_not_there_is_asked_for_less_and_less_often() {
        let (mut known, mut now) = (Known::default(), Instant::now());
        let mut asked_at = Vec::new();
        let began = now;
        while now - began < Duration::from_secs(200) {
            if known.is_due(&table("a"), now) {
                known.learn(known.question(set(["a"])), Vec::new(), now);
                asked_at.push((now - began).as_secs());
            }
            now += Duration::from_millis(500);
        }
        assert_eq!(asked_at, [0, 1, 3, 7, 15, 31, 63, 123, 183]);
        let found = vec![(table("a"), owner("h"))];
        known.learn(known.question(set(["a"])), found, now);
        assert!(known.owner(&table("a")).is_some() && known.missing.is_empty());
    }

    // Invariant 4: nothing unbounded.
    #[test]
    fn chunks_that_are_not_in_the_batch_are_forgotten_when_there_are_many() {
        let (mut known, now) = (Known::default(), Instant::now());
        let of = |what: &str, begin: usize| -> Vec<Table> {
            let names = begin..begin + 512;
            names.map(|n| table(&format!("{what}{n}"))).collect()
        };
        for begin in (0..MOST * 2).step_by(512) {
            let (there, missing) = (of("c", begin), of("no", begin));
            let asked = known.question(there.iter().chain(&missing).cloned().collect());
            assert!(asked.len() <= MOST);
            let found = there.iter().map(|chunk| (chunk.clone(), owner("h")));
            known.learn(asked, found.collect(), now);
            assert!(there.iter().all(|chunk| known.owner(chunk).is_some()));
            assert!(known.owners.len() <= MOST && known.missing.len() <= MOST);
        }
    }
}
