//! Topics and partitions as the readers and writers in this process share them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering},
    },
};

use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use super::{block::Block, settings::Settings, store::Upto};

/// The number of a partition in the store; never used again.
pub(crate) type PartitionId = i64;

/// A topic.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) id: i64,
    pub(crate) name: Arc<str>,
    pub(crate) partitions: Vec<Arc<Partition>>,
    settings: RwLock<Arc<Settings>>,
    max_message_bytes: AtomicUsize,
    compacted: AtomicBool,
}

impl Topic {
    pub(crate) fn new(
        id: i64,
        name: Arc<str>,
        partitions: Vec<Arc<Partition>>,
        settings: Settings,
    ) -> Self {
        Self {
            id,
            name,
            partitions,
            max_message_bytes: AtomicUsize::new(settings.max_message_bytes),
            compacted: AtomicBool::new(settings.compact),
            settings: RwLock::new(Arc::new(settings)),
        }
    }

    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read())
    }

    pub(crate) fn set_settings(&self, settings: Settings) {
        self.max_message_bytes
            .store(settings.max_message_bytes, Ordering::Relaxed);
        self.compacted.store(settings.compact, Ordering::Relaxed);
        *self.settings.write() = Arc::new(settings);
    }

    pub(crate) fn max_message_bytes(&self) -> usize {
        self.max_message_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn is_compacted(&self) -> bool {
        self.compacted.load(Ordering::Relaxed)
    }

    pub(crate) fn partition(&self, index: i32) -> Option<&Arc<Partition>> {
        self.partitions.get(usize::try_from(index).ok()?)
    }
}

/// A partition. Only the writer changes it; everybody reads it.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) id: PartitionId,
    pub(crate) topic: Arc<str>,
    pub(crate) index: i32,
    start: AtomicI64,
    end: AtomicI64,
    peak_ms: AtomicI64,
    written: AtomicU64,
    gone: AtomicBool,
    recent: Mutex<VecDeque<Block>>,
    watchers: Mutex<Vec<Arc<Notify>>>,
}

/// How far a partition has come: what the store knows of it when it is opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// The first offset that may be read.
    pub(crate) start: i64,
    /// The next offset to be given.
    pub(crate) end: i64,
    pub(crate) upto: Upto,
}

impl Extent {
    pub(crate) const EMPTY: Self = Self {
        start: 0,
        end: 0,
        upto: Upto {
            peak_ms: i64::MIN,
            written: 0,
        },
    };
}

impl Partition {
    pub(crate) fn new(id: PartitionId, topic: Arc<str>, index: i32, extent: Extent) -> Self {
        Self {
            id,
            topic,
            index,
            start: AtomicI64::new(extent.start),
            end: AtomicI64::new(extent.end),
            peak_ms: AtomicI64::new(extent.upto.peak_ms),
            written: AtomicU64::new(extent.upto.written),
            gone: AtomicBool::new(false),
            recent: Mutex::default(),
            watchers: Mutex::default(),
        }
    }

    pub(crate) fn extent(&self) -> Extent {
        Extent {
            start: self.start(),
            end: self.end(),
            upto: Upto {
                peak_ms: self.peak_ms.load(Ordering::Relaxed),
                written: self.written.load(Ordering::Relaxed),
            },
        }
    }

    pub(crate) fn start(&self) -> i64 {
        self.start.load(Ordering::Acquire)
    }

    /// Every record before it is committed.
    pub(crate) fn end(&self) -> i64 {
        self.end.load(Ordering::Acquire)
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Committed blocks become visible.
    pub(crate) fn publish(&self, extent: Extent, blocks: impl Iterator<Item = Block>) {
        self.peak_ms.store(extent.upto.peak_ms, Ordering::Relaxed);
        self.written.store(extent.upto.written, Ordering::Relaxed);
        self.recent.lock().extend(blocks);
        self.end.store(extent.end, Ordering::Release);
        self.wake();
    }

    pub(crate) fn set_start(&self, start: i64) {
        self.start.fetch_max(start, Ordering::AcqRel);
    }

    /// Readers ask the store again.
    pub(crate) fn forget_recent(&self) {
        self.recent.lock().clear();
    }

    /// The topic was deleted.
    pub(crate) fn set_gone(&self) {
        self.gone.store(true, Ordering::Release);
        self.wake();
    }

    /// Forgets the oldest of the recent blocks.
    pub(crate) fn forget_oldest(&self) {
        self.recent.lock().pop_front();
    }

    /// The recent block that holds the first record at or after `offset`; `None` when the store must be asked.
    pub(crate) fn recent(&self, offset: i64) -> Option<Block> {
        let recent = self.recent.lock();
        if recent.front()?.first > offset {
            return None;
        }
        let at = recent.partition_point(|block| block.last < offset);
        recent.get(at).cloned()
    }

    pub(crate) fn watch(&self, watcher: &Arc<Notify>) {
        self.watchers.lock().push(Arc::clone(watcher));
    }

    pub(crate) fn unwatch(&self, watcher: &Arc<Notify>) {
        self.watchers.lock().retain(|w| !Arc::ptr_eq(w, watcher));
    }

    fn wake(&self) {
        for watcher in self.watchers.lock().iter() {
            watcher.notify_one();
        }
    }
}

/// All topics by name.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    topics: RwLock<BTreeMap<Arc<str>, Arc<Topic>>>,
    version: AtomicU64,
}

impl Catalog {
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Topic>> {
        self.topics.read().get(name).cloned()
    }

    pub(crate) fn insert(&self, topic: Topic) {
        let name = Arc::clone(&topic.name);
        self.topics.write().insert(name, Arc::new(topic));
    }

    /// Grows whenever what was known of a topic may be wrong.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// A topic has other settings.
    pub(crate) fn changed(&self) {
        self.version.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn remove(&self, name: &str) -> Option<Arc<Topic>> {
        let topic = self.topics.write().remove(name)?;
        self.changed();
        for partition in &topic.partitions {
            partition.set_gone();
        }
        Some(topic)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.topics
            .read()
            .keys()
            .map(|name| name.to_string())
            .collect()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Topic>> {
        self.topics.read().values().cloned().collect()
    }

    pub(crate) fn partition(&self, of: &crate::TopicPartition) -> Option<Arc<Partition>> {
        self.get(&of.topic)?.partition(of.partition).cloned()
    }
}
