//! A map that lives in a compacted topic: the only kind of store there is.
//!
//! The topic is read from its beginning when the table is opened, and followed from then on; so every worker that opens it has the
//! same map, a moment later. A record without a value removes its key.

mod follow;

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use connect_core::{Encoded, Error, Result};
use parking_lot::RwLock;
use tokio::{
    sync::{Mutex, broadcast, watch},
    task::AbortHandle,
};

use crate::{Append, AppenderSpec, At, Log, ReaderSpec, TopicPartition, TopicSpec};
use follow::{Follower, Progress};

/// Changes that a slow listener may be behind before it misses some.
const CHANGES: usize = 1024;

/// How to open a table.
#[derive(Debug, Clone, Default)]
pub struct TableSpec {
    /// Its topic, created when it is not there.
    pub topic: Option<TopicSpec>,
    /// The writer. With a transactional id, only the newest holder of it can write.
    pub appender: AppenderSpec,
    /// The reader. It needs no group.
    pub reader: ReaderSpec,
}

/// One change of a table, in the order of its partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableChange {
    /// The key.
    pub key: Bytes,
    /// Its new value; `None` when it was removed.
    pub value: Option<Bytes>,
    /// Where the record lies.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// Milliseconds since 1970-01-01.
    pub timestamp_ms: i64,
}

/// A map in a topic. Dropped, it stops following.
pub struct Table {
    log: Arc<dyn Log>,
    topic: Arc<str>,
    partitions: i32,
    state: Arc<State>,
    progress: watch::Receiver<Progress>,
    writer: Mutex<Writer>,
    follower: AbortHandle,
}

/// What the follower fills.
#[derive(Debug)]
struct State {
    map: RwLock<BTreeMap<Bytes, Bytes>>,
    changes: broadcast::Sender<TableChange>,
}

struct Writer {
    spec: AppenderSpec,
    appender: Option<Box<dyn Append>>,
}

impl Table {
    /// Opens the table of a topic, and reads it to its end.
    pub async fn open(log: Arc<dyn Log>, topic: &str, spec: TableSpec) -> Result<Self> {
        if let Some(create) = spec.topic {
            log.create_topics(&[create]).await?;
        }
        let info = log.topic(topic).await?.ok_or_else(|| unknown(topic))?;
        let state = Arc::new(State {
            map: RwLock::default(),
            changes: broadcast::channel(CHANGES).0,
        });
        let reader = log.reader(spec.reader).await?;
        let (follower, progress) = Follower::new(reader, Arc::clone(&state));
        let mut from = BTreeMap::new();
        for partition in 0..info.partitions {
            let at = TopicPartition::new(Arc::clone(&info.name), partition);
            let earliest = log.offset_at(&at, At::Earliest).await?;
            from.insert(at, earliest);
        }
        let follower = tokio::spawn(follower.run(from)).abort_handle();
        let table = Self {
            log,
            topic: info.name,
            partitions: info.partitions,
            state,
            progress,
            writer: Mutex::new(Writer {
                spec: spec.appender,
                appender: None,
            }),
            follower,
        };
        table.catch_up().await?;
        Ok(table)
    }

    /// The topic.
    pub fn topic(&self) -> &Arc<str> {
        &self.topic
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.state.map.read().get(key).cloned()
    }

    /// All keys with their values, as they are now.
    pub fn snapshot(&self) -> BTreeMap<Bytes, Bytes> {
        self.state.map.read().clone()
    }

    /// The changes from now on. A listener that falls behind by more than 1024 is told so (`Lagged`) and takes a snapshot.
    pub fn changes(&self) -> broadcast::Receiver<TableChange> {
        self.state.changes.subscribe()
    }

    /// All keys with their values, and the changes after them. None is missed; the first ones may be in the snapshot already.
    pub fn snapshot_and_changes(
        &self,
    ) -> (BTreeMap<Bytes, Bytes>, broadcast::Receiver<TableChange>) {
        let changes = self.changes();
        (self.snapshot(), changes)
    }

    /// Sets or (with `None`) removes one key. After `Ok` it is durable, and [`Table::get`] gives it, or what came later.
    pub async fn put(&self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        let mut records = Encoded::default();
        self.push(&mut records, key, value);
        self.write(&records).await
    }

    /// Adds the record that sets a key to records that somebody else appends, in a transaction of their own.
    pub fn push(&self, records: &mut Encoded, key: &[u8], value: Option<&[u8]>) {
        records.push(&self.topic, Some(key), value, -1);
    }

    /// Writes many records of [`Table::push`]; with a transactional id all or none. After `Ok` they can be read.
    pub async fn write(&self, records: &Encoded) -> Result<()> {
        let mut writer = self.writer.lock().await;
        let written = writer.write(&*self.log, records).await;
        if written.is_err() {
            // The next write opens a new one: the disk may have space again, or the broker be back.
            writer.appender = None;
        }
        drop(writer);
        written?;
        self.catch_up().await
    }

    /// Waits until everything that is in the topic now is in the table.
    pub async fn catch_up(&self) -> Result<()> {
        let mut ends = BTreeMap::new();
        for partition in 0..self.partitions {
            let at = TopicPartition::new(Arc::clone(&self.topic), partition);
            let end = self.log.offset_at(&at, At::Latest).await?;
            ends.insert(partition, end);
        }
        let mut progress = self.progress.clone();
        let asked = progress.borrow().polls;
        let reached = progress
            .wait_for(|progress| progress.failed.is_some() || progress.reached(&ends, asked))
            .await;
        match reached {
            Ok(progress) => progress.failed.clone().map_or(Ok(()), Err),
            Err(_) => Err(stopped()),
        }
    }

    /// Why the table does not follow its topic any more, if so: open a new one.
    pub fn failure(&self) -> Option<Error> {
        self.progress.borrow().failed.clone()
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

impl Writer {
    async fn write(&mut self, log: &dyn Log, records: &Encoded) -> Result<()> {
        let appender = match &mut self.appender {
            Some(appender) => appender,
            none => none.insert(log.appender(self.spec.clone()).await?),
        };
        let appended = appender.append(records).await?;
        if let Some((_, error)) = appended.refused.into_iter().next() {
            appender.abort().await?;
            return Err(error);
        }
        appender.commit(None).await
    }
}

fn unknown(topic: &str) -> Error {
    Error::new(&crate::error::UNKNOWN_TOPIC, "the topic does not exist").context("topic", topic)
}

fn stopped() -> Error {
    Error::new(
        &crate::error::UNAVAILABLE,
        "the table does not follow its topic any more",
    )
}
