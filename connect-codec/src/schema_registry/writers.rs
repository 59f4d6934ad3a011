//! The schemas with which records were written, by number; the one that has not been asked for longest makes room.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use connect_core::Error;
use rustc_hash::FxHashMap;

/// For how long a number that the registry does not have is not asked for again.
const REFUSED_FOR: Duration = Duration::from_secs(10);

/// What is known of schemas.
pub(super) struct Writers<R> {
    most: usize,
    clock: u64,
    known: FxHashMap<u32, Entry<R>>,
    last: Option<(u32, Arc<R>)>,
}

struct Entry<R> {
    used: u64,
    found: Found<R>,
}

enum Found<R> {
    Schema(Arc<R>),
    Refused(Error, Instant),
}

impl<R> Writers<R> {
    /// Keeps at most `most`, and at least one.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            clock: 0,
            known: FxHashMap::default(),
            last: None,
        }
    }

    /// Whether the registry need not be asked.
    pub(super) fn has(&self, id: u32) -> bool {
        if self.last.as_ref().is_some_and(|(last, _)| *last == id) {
            return true;
        }
        self.known.get(&id).is_some_and(|entry| match &entry.found {
            Found::Schema(_) => true,
            Found::Refused(_, since) => since.elapsed() < REFUSED_FOR,
        })
    }

    /// What is known of a number; `None` for nothing.
    pub(super) fn get(&mut self, id: u32) -> Option<Result<Arc<R>, Error>> {
        if let Some((last, schema)) = &self.last
            && *last == id
        {
            return Some(Ok(Arc::clone(schema)));
        }
        self.clock += 1;
        let entry = self.known.get_mut(&id)?;
        entry.used = self.clock;
        Some(match &entry.found {
            Found::Schema(schema) => {
                self.last = Some((id, Arc::clone(schema)));
                Ok(Arc::clone(schema))
            }
            Found::Refused(error, _) => Err(error.clone()),
        })
    }

    /// Keeps what was found out.
    pub(super) fn keep(&mut self, id: u32, found: Result<Arc<R>, Error>) {
        // Invariant 4: nothing unbounded.
        while self.known.len() >= self.most && !self.known.contains_key(&id) {
            let oldest = self.known.iter().min_by_key(|(_, entry)| entry.used);
            let Some(oldest) = oldest.map(|(id, _)| *id) else {
                break;
            };
            self.known.remove(&oldest);
        }
        self.clock += 1;
        let found = match found {
            Ok(schema) => Found::Schema(schema),
            Err(error) => Found::Refused(error, Instant::now()),
        };
        let used = self.clock;
        self.known.insert(id, Entry { used, found });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_was_not_asked_for_makes_room() {
        let mut writers = Writers::new(2);
        writers.keep(1, Ok(Arc::new("a")));
        writers.keep(2, Ok(Arc::new("b")));
        assert_eq!(*writers.get(1).unwrap().unwrap(), "a");
        writers.keep(3, Err(Error::record("no")));
        assert!(writers.has(1) && !writers.has(2) && writers.has(3));
        assert!(writers.get(3).unwrap().is_err());
    }
}
