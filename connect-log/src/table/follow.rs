//! The task that reads a table's topic.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use connect_core::{Encoded, Error, Result};
use tokio::sync::watch;

use super::{State, TableChange};
use crate::{Event, Read, TopicPartition};

/// How long one poll waits at the end of the topic.
const POLL: Duration = Duration::from_millis(100);

/// How far the follower has come.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    /// The offset after the last record, per partition.
    next: BTreeMap<i32, i64>,
    /// How many polls were made.
    pub(super) polls: u64,
    /// In which of them each partition had nothing more.
    dry: BTreeMap<i32, u64>,
    /// Why it ended.
    pub(super) failed: Option<Error>,
}

/// Reads records into the map.
pub(super) struct Follower {
    reader: Box<dyn Read>,
    state: Arc<State>,
    progress: watch::Sender<Progress>,
}

impl Progress {
    /// Whether everything before these offsets was read. The last offsets may hold no record (a transaction's marker), so a partition
    /// that had nothing more in a poll begun after `asked` is read, too.
    pub(super) fn reached(&self, ends: &BTreeMap<i32, i64>, asked: u64) -> bool {
        ends.iter().all(|(partition, end)| {
            let read = self.next.get(partition).is_some_and(|next| next >= end);
            let dry = self.dry.get(partition).is_some_and(|at| *at > asked + 1);
            *end == 0 || read || dry
        })
    }
}

impl Follower {
    pub(super) fn new(
        reader: Box<dyn Read>,
        state: Arc<State>,
    ) -> (Self, watch::Receiver<Progress>) {
        let (progress, watched) = watch::channel(Progress::default());
        let follower = Self {
            reader,
            state,
            progress,
        };
        (follower, watched)
    }

    pub(super) async fn run(mut self, from: BTreeMap<TopicPartition, i64>) {
        if let Err(error) = self.follow(from).await {
            tracing::warn!(error = %error, "a table stopped following its topic");
            self.progress.send_modify(|p| p.failed = Some(error));
        }
    }

    async fn follow(&mut self, from: BTreeMap<TopicPartition, i64>) -> Result<()> {
        self.reader.assign(&from).await?;
        let mut records = Encoded::default();
        loop {
            records.clear();
            let event = self.reader.poll(&mut records, POLL).await?;
            if event == Event::Records {
                self.apply(&records);
            }
            let lag = self.reader.lag();
            self.progress.send_modify(|progress| {
                progress.polls += 1;
                for record in &records.records {
                    let partition = record.partition.unwrap_or(0);
                    progress.next.insert(partition, record.offset + 1);
                }
                for (at, _) in lag.iter().filter(|(_, behind)| **behind == 0) {
                    progress.dry.insert(at.partition, progress.polls);
                }
            });
        }
    }

    /// Puts records into the map, then tells the listeners: who hears of a change can read it.
    fn apply(&self, records: &Encoded) {
        let copy = |bytes: &[u8]| Bytes::copy_from_slice(bytes);
        let changes = records.records.iter().map(|record| TableChange {
            key: copy(records.key(record).unwrap_or(&[])),
            value: records.value(record).map(copy),
            partition: record.partition.unwrap_or(0),
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
        });
        let changes: Vec<_> = changes.collect();
        let mut map = self.state.map.write();
        for change in &changes {
            match &change.value {
                Some(value) => map.insert(change.key.clone(), value.clone()),
                None => map.remove(&change.key),
            };
        }
        drop(map);
        for change in changes {
            // Nobody listens: nobody missed anything.
            let _ = self.state.changes.send(change);
        }
    }
}
