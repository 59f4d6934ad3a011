//! A reader: partitions with a place in each, filled from recent blocks or the store.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use connect_core::{BoxFuture, Encoded, Error, Result};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use super::{
    asks::Asks,
    block::{Block, Copying, Cursor},
    engine::Engine,
    groups::{Evicted, Joining},
    partition::{Partition, PartitionId},
    request::{GroupOffsets, Work},
    share::MemberId,
    store::Store,
    writer::unknown_topic,
};
use crate::{Event, Read, ReaderSpec, TopicPartition};

/// About how many bytes one poll gives.
const POLL_BYTES: usize = 4 << 20;
/// About how many bytes are read from the store at once.
const FETCH_BYTES: usize = 1 << 20;
/// How long a member of a group waits before it shows again that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(3);

/// One reader.
pub(crate) struct Reader<S: Store> {
    engine: Arc<Engine<S>>,
    group: Option<String>,
    member: Option<MemberId>,
    topics: BTreeSet<Arc<str>>,
    reading: Vec<Reading>,
    next: usize,
    fetched: Option<Fetched>,
    wake: Arc<Notify>,
    asks: Asks,
}

/// A partition that is read.
struct Reading {
    at: TopicPartition,
    partition: Arc<Partition>,
    offset: i64,
    paused: bool,
}

/// Blocks of one partition that are being given out.
struct Fetched {
    of: PartitionId,
    blocks: VecDeque<Block>,
    cursor: Option<Cursor>,
    offset: i64,
}

impl<S: Store> Reader<S> {
    pub(crate) fn new(engine: Arc<Engine<S>>, spec: &ReaderSpec) -> Result<Self> {
        Ok(Self {
            engine,
            group: spec.group.clone(),
            member: None,
            topics: BTreeSet::new(),
            reading: Vec::new(),
            next: 0,
            fetched: None,
            wake: Arc::new(Notify::new()),
            asks: Asks::parse(&spec.settings)?,
        })
    }

    async fn next_event(&mut self, out: &mut Encoded, wait: Duration) -> Result<Event> {
        let deadline = Instant::now() + wait;
        loop {
            if let Some(event) = self.rebalanced()? {
                return Ok(event);
            }
            if self.fetch(out).await? {
                return Ok(Event::Records);
            }
            let mut until = deadline;
            if self.member.is_some() {
                until = until.min(Instant::now() + HEARTBEAT);
            }
            let woken = timeout_at(until, self.wake.notified()).await.is_ok();
            if !woken && until == deadline {
                return Ok(Event::Idle);
            }
        }
    }

    /// What the group has to say, done to our partitions.
    fn rebalanced(&mut self) -> Result<Option<Event>> {
        let (Some(group), Some(member)) = (self.group.clone(), self.member) else {
            return Ok(None);
        };
        let engine = Arc::clone(&self.engine);
        let shared = &engine.shared;
        match shared.groups.poll(&group, member, &shared.catalog) {
            Ok(None) => Ok(None),
            Ok(Some(Event::Assigned(of))) => {
                for at in &of {
                    let offset = shared.groups.offset(&group, at);
                    self.begin(at, offset)?;
                }
                Ok(Some(Event::Assigned(of)))
            }
            Ok(Some(event)) => {
                if let Event::Revoked(of) | Event::Lost(of) = &event {
                    self.stop_reading(|at| of.contains(at));
                }
                Ok(Some(event))
            }
            Err(Evicted) => {
                let lost: Vec<_> = self.reading.iter().map(|r| r.at.clone()).collect();
                self.stop_reading(|_| true);
                self.join();
                Ok((!lost.is_empty()).then_some(Event::Lost(lost)))
            }
        }
    }

    fn join(&mut self) {
        let Some(group) = &self.group else { return };
        let joining = Joining {
            topics: self.topics.clone(),
            wake: Arc::clone(&self.wake),
            patience: self.asks.patience,
        };
        let shared = &self.engine.shared;
        self.member = Some(shared.groups.join(group, joining, &shared.catalog));
        // The events of the new membership are for the poll that is going on.
        self.wake.notify_one();
    }

    fn leave(&mut self) {
        self.stop_reading(|_| true);
        if let (Some(group), Some(member)) = (&self.group, self.member.take()) {
            let shared = &self.engine.shared;
            shared.groups.leave(group, member, &shared.catalog);
        }
    }

    /// Reads a partition from an offset, or from where `auto.offset.reset` says.
    fn begin(&mut self, at: &TopicPartition, offset: Option<i64>) -> Result<()> {
        let Some(partition) = self.engine.shared.catalog.partition(at) else {
            // Deleted meanwhile; the group's next event says so.
            return Ok(());
        };
        let offset = match offset {
            Some(offset) => offset,
            None => self.asks.reset.of(&partition)?,
        };
        partition.watch(&self.wake);
        self.reading.push(Reading {
            at: at.clone(),
            partition,
            offset,
            paused: false,
        });
        Ok(())
    }

    fn stop_reading(&mut self, which: impl Fn(&TopicPartition) -> bool) {
        let wake = &self.wake;
        self.reading.retain(|reading| {
            let stop = which(&reading.at);
            if stop {
                reading.partition.unwatch(wake);
            }
            !stop
        });
        self.fetched = None;
        self.next = 0;
    }

    /// Fills `out` from the partitions in turn. `false` when none has anything.
    async fn fetch(&mut self, out: &mut Encoded) -> Result<bool> {
        let (records, bytes) = (out.records.len(), out.bytes.len());
        let count = self.reading.len();
        let mut dry = 0;
        while dry < count {
            let taken = out.records.len() - records;
            let left = self.asks.max_records.saturating_sub(taken);
            let left_bytes = POLL_BYTES.saturating_sub(out.bytes.len() - bytes);
            if left == 0 || left_bytes == 0 {
                break;
            }
            let at = self.next % count;
            // Waiting only with empty hands: a poll that is dropped then has lost nothing.
            let may_wait = taken == 0;
            let got = self
                .fetch_from(at, out, (left, left_bytes), may_wait)
                .await?;
            if got {
                dry = 0;
            } else {
                dry += 1;
                self.next = at + 1;
            }
        }
        // The next poll begins with the next partition, unless this one has blocks in hand.
        if self.fetched.is_none() {
            self.next = self.next.wrapping_add(1);
        }
        Ok(out.records.len() > records)
    }

    /// Copies records of one partition, from one block. `false` when there is none.
    async fn fetch_from(
        &mut self,
        at: usize,
        out: &mut Encoded,
        (max, max_bytes): (usize, usize),
        may_wait: bool,
    ) -> Result<bool> {
        let Some(reading) = self.reading.get_mut(at).filter(|r| !r.paused) else {
            return Ok(false);
        };
        let partition = Arc::clone(&reading.partition);
        if partition.is_gone() {
            return match self.member {
                Some(_) => Ok(false),
                None => Err(unknown_topic(&partition.topic)),
            };
        }
        let (start, end) = (partition.start(), partition.end());
        if reading.offset < start || reading.offset > end {
            reading.offset = self.asks.reset.of(&partition)?;
            self.fetched = None;
        }
        let from = reading.offset;
        if from >= end {
            return Ok(false);
        }
        let mut fetched = match self.in_hand(&partition, from) {
            Some(fetched) => fetched,
            None if !may_wait => return Ok(false),
            None => self.stored(&partition, from, end).await?,
        };
        if fetched.blocks.is_empty() {
            // Only a gap is left.
            self.reading[at].offset = end;
            return Ok(false);
        }
        let ask = Copying {
            topic: &partition.topic,
            partition: partition.index,
            cursor: None,
            from,
            max,
            max_bytes,
        };
        fetched.copy_to(ask, out)?;
        self.reading[at].offset = fetched.offset;
        self.fetched = Some(fetched).filter(|fetched| !fetched.blocks.is_empty());
        Ok(true)
    }

    /// Blocks that begin with the first record at or after `from`, if they are in memory: left from last time, or recent.
    fn in_hand(&mut self, of: &Partition, from: i64) -> Option<Fetched> {
        if let Some(fetched) = self.fetched.take()
            && fetched.of == of.id
            && fetched.offset == from
        {
            return Some(fetched);
        }
        let block = of.recent(from)?;
        Some(Fetched::new(of, from, VecDeque::from([block])))
    }

    /// The same from the store; none when there is nothing before `end`.
    async fn stored(&self, of: &Partition, from: i64, end: i64) -> Result<Fetched> {
        let (store, id) = (Arc::clone(&self.engine.shared.store), of.id);
        let blocks = if S::WAITS {
            let read = tokio::task::spawn_blocking(move || store.read(id, from, FETCH_BYTES));
            read.await.map_err(|e| {
                Error::new(&connect_core::error::INTERNAL, "reading the log panicked").caused_by(e)
            })?
        } else {
            store.read(id, from, FETCH_BYTES)
        };
        let mut blocks = VecDeque::from(blocks?);
        // What the store has but the writer did not publish yet is not for readers.
        blocks.retain(|block| block.first < end);
        Ok(Fetched::new(of, from, blocks))
    }

    fn find(&mut self, of: &TopicPartition) -> Result<&mut Reading> {
        let found = self.reading.iter_mut().find(|r| r.at == *of);
        found.ok_or_else(|| {
            Error::new(
                &crate::error::NOT_MEMBER,
                "the partition is not assigned to this reader",
            )
            .context("topic", &of.topic)
            .context("partition", of.partition)
        })
    }
}

impl<S: Store> Read for Reader<S> {
    fn subscribe<'a>(&'a mut self, topics: &'a [String]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let Some(group) = self.group.clone() else {
                return Err(no_group());
            };
            self.topics = topics.iter().map(|name| Arc::from(name.as_str())).collect();
            let shared = &self.engine.shared;
            let topics = self.topics.clone();
            let known = self.member.is_some_and(|member| {
                let groups = &shared.groups;
                groups.resubscribe(&group, member, topics, &shared.catalog)
            });
            if !known {
                self.stop_reading(|_| true);
                self.join();
            }
            Ok(())
        })
    }

    fn assign<'a>(
        &'a mut self,
        from: &'a BTreeMap<TopicPartition, i64>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.leave();
            for (at, offset) in from {
                if self.engine.shared.catalog.partition(at).is_none() {
                    return Err(unknown_topic(&at.topic).context("partition", at.partition));
                }
                self.begin(at, Some(*offset))?;
            }
            Ok(())
        })
    }

    fn seek<'a>(&'a mut self, of: &'a TopicPartition, offset: i64) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.find(of)?.offset = offset;
            self.fetched = None;
            Ok(())
        })
    }

    fn pause<'a>(
        &'a mut self,
        of: &'a [TopicPartition],
        paused: bool,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            for at in of {
                self.find(at)?.paused = paused;
            }
            Ok(())
        })
    }

    fn poll<'a>(
        &'a mut self,
        out: &'a mut Encoded,
        wait: Duration,
    ) -> BoxFuture<'a, Result<Event>> {
        Box::pin(self.next_event(out, wait))
    }

    fn commit<'a>(
        &'a mut self,
        offsets: &'a BTreeMap<TopicPartition, i64>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let group = self.group.clone().ok_or_else(no_group)?;
            let shared = &self.engine.shared;
            let groups = &shared.groups;
            groups.may_commit(&group, self.member, offsets.keys())?;
            let offsets = offsets.iter().map(|(at, next)| (at.clone(), Some(*next)));
            let offsets = offsets.collect();
            shared
                .ask(Work::Offsets(GroupOffsets { group, offsets }))
                .await
        })
    }

    fn lag(&self) -> BTreeMap<TopicPartition, i64> {
        let reading = self.reading.iter();
        reading
            .map(|r| (r.at.clone(), (r.partition.end() - r.offset).max(0)))
            .collect()
    }

    fn places(&self) -> BTreeMap<TopicPartition, i64> {
        let reading = self.reading.iter();
        reading.map(|r| (r.at.clone(), r.offset)).collect()
    }

    fn close(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            self.leave();
            Ok(())
        })
    }
}

impl<S: Store> Drop for Reader<S> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Fetched {
    fn new(of: &Partition, offset: i64, blocks: VecDeque<Block>) -> Self {
        Self {
            of: of.id,
            blocks,
            cursor: None,
            offset,
        }
    }

    /// Copies records of the first block. There is one.
    fn copy_to(&mut self, mut ask: Copying<'_>, out: &mut Encoded) -> Result<()> {
        let Some(block) = self.blocks.front() else {
            return Ok(());
        };
        ask.cursor = self.cursor;
        let (cursor, next) = block.copy_to(ask, out)?;
        self.cursor = Some(cursor);
        self.offset = next;
        if block.is_at_end(cursor) {
            self.offset = next.max(block.last + 1);
            self.cursor = None;
            self.blocks.pop_front();
        }
        Ok(())
    }
}

fn no_group() -> Error {
    Error::new(&crate::error::SETTING, "the reader has no `group.id`")
}
