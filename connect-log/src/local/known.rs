//! The topics that an appender wrote to, found without comparing names.

use std::sync::Arc;

use connect_core::Result;
use rustc_hash::FxHashMap;

use super::{
    partition::{Catalog, Topic},
    writer::unknown_topic,
};

/// How many names are kept.
const MAX_NAMES: usize = 4096;

/// Topics by the address of the name that records carry: a batch shares one name per topic.
pub(crate) struct Known {
    names: FxHashMap<usize, (Arc<str>, usize)>,
    topics: Vec<KnownTopic>,
    last: (usize, usize),
    version: u64,
    /// Which drafts are open now; grows when all are closed.
    pub(crate) round: u64,
}

/// A topic that was written to.
pub(crate) struct KnownTopic {
    pub(crate) topic: Arc<Topic>,
    pub(crate) compress: bool,
    /// Where the open draft of each partition is.
    pub(crate) open: Vec<OpenDraft>,
}

/// The place of a draft, valid in one round.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OpenDraft {
    pub(crate) round: u64,
    pub(crate) at: usize,
}

impl Known {
    pub(crate) fn new() -> Self {
        Self {
            names: FxHashMap::default(),
            topics: Vec::new(),
            last: (0, 0),
            version: 0,
            round: 1,
        }
    }

    /// Forgets all when a topic was deleted or changed since.
    pub(crate) fn refresh(&mut self, catalog: &Catalog) {
        let version = catalog.version();
        if self.version != version || self.names.len() > MAX_NAMES {
            self.names.clear();
            self.topics.clear();
            self.last = (0, 0);
            self.version = version;
        }
    }

    /// A topic; asks the catalog once per name.
    pub(crate) fn find(&mut self, name: &Arc<str>, catalog: &Catalog) -> Result<&mut KnownTopic> {
        let address = name.as_ptr() as usize;
        if self.last.0 != address {
            let at = match self.names.get(&address) {
                Some((_, at)) => *at,
                None => self.learn(name, catalog)?,
            };
            self.last = (address, at);
        }
        let at = self.last.1;
        self.topics.get_mut(at).ok_or_else(|| unknown_topic(name))
    }

    fn learn(&mut self, name: &Arc<str>, catalog: &Catalog) -> Result<usize> {
        let topic = catalog.get(name).ok_or_else(|| unknown_topic(name))?;
        let same = |known: &KnownTopic| Arc::ptr_eq(&known.topic, &topic);
        let at = self.topics.iter().position(same).unwrap_or_else(|| {
            self.topics.push(KnownTopic {
                compress: topic.settings().compress,
                open: vec![OpenDraft::default(); topic.partitions.len()],
                topic,
            });
            self.topics.len() - 1
        });
        // The name is kept, so that no other can have its address.
        let address = name.as_ptr() as usize;
        self.names.insert(address, (Arc::clone(name), at));
        Ok(at)
    }
}
