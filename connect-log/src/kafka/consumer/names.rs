//! Names that repeat, so that each is allocated once.

use std::sync::Arc;

/// Names of headers. The last one is found without a search.
#[derive(Default)]
pub(super) struct Names {
    known: Vec<Arc<str>>,
    last: usize,
}

impl Names {
    /// More different names than this are not kept.
    const MOST: usize = 1024;

    /// The name that these bytes are; what is not UTF-8 in it is replaced.
    pub(super) fn get(&mut self, name: &[u8]) -> Arc<str> {
        if let Some(known) = self
            .known
            .get(self.last)
            .filter(|known| known.as_bytes() == name)
        {
            return Arc::clone(known);
        }
        match self
            .known
            .binary_search_by(|known| known.as_bytes().cmp(name))
        {
            Ok(at) => {
                self.last = at;
                Arc::clone(&self.known[at])
            }
            Err(at) => self.learn(at, name),
        }
    }

    fn learn(&mut self, at: usize, name: &[u8]) -> Arc<str> {
        let fresh: Arc<str> = String::from_utf8_lossy(name).into();
        // A name that was changed would be looked for in vain, and inserted again and again.
        if self.known.len() < Self::MOST && fresh.as_bytes() == name {
            self.known.insert(at, Arc::clone(&fresh));
            self.last = at;
        }
        fresh
    }
}
