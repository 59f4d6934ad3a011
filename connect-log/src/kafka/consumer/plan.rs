//! What a reader wants, and what those who fetch for it have found: all that they share.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use connect_core::{Error, Result};
use parking_lot::{Mutex, MutexGuard};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use super::{places::Places, section::Section, settings::ReaderSettings};
use crate::{OUT_OF_RANGE, TopicPartition, kafka::wire::Cluster};

/// Shared by a reader and what runs for it.
pub(super) struct Shared {
    pub(super) settings: ReaderSettings,
    pub(super) cluster: Cluster,
    plan: Mutex<Plan>,
    /// Something is to be fetched in another way, for those who look after it.
    changed: watch::Sender<()>,
    /// The same, or there is room for more, for those who fetch.
    wanted: watch::Sender<()>,
    /// Something has arrived, for the one who polls.
    pub(super) arrived: Notify,
}

/// The partitions that are read.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) parts: BTreeMap<TopicPartition, Part>,
    /// Which broker has what.
    pub(super) places: Places,
    /// Fetched, not yet taken by the reader.
    pub(super) sections: Vec<Section>,
    /// A partition is fetched from another broker now.
    pub(super) has_moved: bool,
    /// What the reader has to be told.
    fault: Option<Error>,
    epochs: u64,
    turns: u64,
}

/// A partition that is read.
pub(super) struct Part {
    /// A number that no other time of a partition has: what was fetched for an earlier one is not taken.
    pub(super) epoch: u64,
    pub(super) start: Start,
    pub(super) paused: bool,
    /// Bytes that lie and wait to be polled.
    pub(super) buffered: usize,
    /// Up to where there is something to read now; none before the first answer.
    pub(super) end: Option<i64>,
    /// Where it was read first.
    pub(super) from: Option<i64>,
    /// A broker beside the leader that we should rather ask, and until when (KIP-392).
    pub(super) replica: Option<(i32, Instant)>,
    /// When it was served last, so that all have their turn.
    pub(super) turn: u64,
    /// Not asked for before this.
    pub(super) rests: Option<Instant>,
}

/// Where fetching goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// At this offset.
    At(i64),
    /// Where the group has committed.
    Committed,
    /// At this point, as `ListOffsets` has it.
    Find(i64),
}

impl Shared {
    pub(super) fn new(settings: ReaderSettings, cluster: Cluster) -> Self {
        Self {
            settings,
            cluster,
            plan: Mutex::default(),
            changed: watch::Sender::new(()),
            wanted: watch::Sender::new(()),
            arrived: Notify::new(),
        }
    }

    pub(super) fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock()
    }

    /// Changes the plan, and wakes all who work by it.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Plan) -> T) -> T {
        let done = change(&mut self.plan.lock());
        self.changed.send_replace(());
        self.wanted.send_replace(());
        done
    }

    /// Notes that there is room for more, and wakes those who fetch.
    pub(super) fn free(&self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.plan.lock());
        self.wanted.send_replace(());
    }

    /// Told of what is wanted, and of room for it, from now on.
    pub(super) fn watch_wanted(&self) -> watch::Receiver<()> {
        self.wanted.subscribe()
    }

    /// Told of changes from now on.
    pub(super) fn watch(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Tells the reader of an error with its next poll.
    pub(super) fn fail(&self, error: Error) {
        self.plan.lock().fail(error);
        self.arrived.notify_one();
    }
}

impl Plan {
    /// Reads a partition from now on, from here.
    pub(super) fn add(&mut self, of: TopicPartition, start: Start, paused: bool) -> u64 {
        self.epochs += 1;
        let part = Part {
            epoch: self.epochs,
            start,
            paused,
            buffered: 0,
            end: None,
            from: None,
            replica: None,
            turn: 0,
            rests: None,
        };
        self.parts.insert(of, part);
        self.epochs
    }

    /// The part, if it is still the same time of it.
    pub(super) fn part(&mut self, of: &TopicPartition, epoch: u64) -> Option<&mut Part> {
        self.parts.get_mut(of).filter(|part| part.epoch == epoch)
    }

    pub(super) fn fail(&mut self, error: Error) {
        self.fault.get_or_insert(error);
    }

    /// The error that the reader has not been told yet.
    pub(super) fn fault(&mut self) -> Result<()> {
        self.fault.take().map_or(Ok(()), Err)
    }

    /// Where a partition is served next is behind all others.
    pub(super) fn served(&mut self) -> u64 {
        self.turns += 1;
        self.turns
    }

    /// An offset is not there: goes on where the setting says, or tells the reader.
    pub(super) fn reset(
        &mut self,
        of: &TopicPartition,
        epoch: u64,
        to: Option<i64>,
        missing: &'static str,
    ) {
        const REST: Duration = Duration::from_secs(1);
        let Some(part) = self.part(of, epoch) else {
            return;
        };
        match to {
            Some(point) => part.start = Start::Find(point),
            None => {
                // It is told again only after a while.
                part.rests = Some(Instant::now() + REST);
                let error = Error::new(&OUT_OF_RANGE, missing).context("topic", &of.topic);
                self.fail(error.context("partition", of.partition));
            }
        }
    }
}

impl Part {
    /// Whether it can be asked for now.
    pub(super) fn is_ready(&self, now: Instant) -> bool {
        self.rests.is_none_or(|until| until <= now)
    }

    /// The broker to ask, given the leader.
    pub(super) fn broker(&self, leader: i32, now: Instant) -> i32 {
        match self.replica {
            Some((replica, until)) if until > now => replica,
            _ => leader,
        }
    }

    /// Everything that is there to read has been read.
    pub(super) fn is_at_end(&self) -> bool {
        match (self.start, self.end) {
            (Start::At(next), Some(end)) => self.buffered == 0 && next >= end,
            _ => false,
        }
    }
}

/// The names of topics, each once, in order.
pub(super) fn topics<'a>(parts: impl Iterator<Item = &'a TopicPartition>) -> Vec<Arc<str>> {
    let mut topics: Vec<Arc<str>> = Vec::new();
    for of in parts {
        if topics.last() != Some(&of.topic) {
            topics.push(Arc::clone(&of.topic));
        }
    }
    topics
}
