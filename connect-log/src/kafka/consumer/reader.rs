//! The reader itself: what is called by its owner, and what it has taken over to give out.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use connect_core::{BoxFuture, Encoded, Error, Result, error::INTERNAL};
use rdkafka::ClientConfig;
use tokio::{
    task::AbortHandle,
    time::{Instant, timeout_at},
};

use super::{
    ask, keeper,
    plan::{Shared, Start},
    section::{Full, Section, Tools},
    settings::ReaderSettings,
};
use crate::{
    Event, NOT_MEMBER, Read, TopicPartition,
    kafka::{
        client::Health,
        producer::{Thread, Threads},
        wire::Cluster,
    },
};

/// `max.poll.records` unless the user says otherwise.
const RECORDS: u64 = 500;
/// A poll gives at most about this much, so that memory stays small.
const BYTES: usize = 4 << 20;
/// How long the cluster may be away before a poll says so.
const PATIENCE: Duration = Duration::from_secs(30);

/// A reader of our own.
pub(in crate::kafka) struct KafkaReader {
    shared: Arc<Shared>,
    /// What is ours.
    ours: BTreeMap<TopicPartition, Ours>,
    /// What was fetched, in the order in which it came.
    sections: VecDeque<Section>,
    /// An error that waits until the records before it are given out.
    fault: Option<Error>,
    tools: Tools,
    full: Full,
    /// Ends what runs for this reader.
    running: Option<Running>,
    _thread: Arc<Thread>,
}

struct Running(AbortHandle);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A partition that is ours.
#[derive(Debug, Clone, Copy)]
struct Ours {
    epoch: u64,
    /// The next offset to give out; none before the first.
    next: Option<i64>,
    paused: bool,
}

impl KafkaReader {
    /// Starts what fetches for it, on one of the threads.
    pub(in crate::kafka) fn start(
        threads: &Threads,
        config: &ClientConfig,
        most: Option<u64>,
        health: Health,
    ) -> Result<Self> {
        let settings = ReaderSettings::read(config)?;
        let cluster = Cluster::new(&settings.bootstrap, settings.dial.clone(), health);
        let shared = Arc::new(Shared::new(settings, cluster));
        let thread = threads.next()?;
        let keeping = thread.runtime.spawn(keeper::keep(Arc::clone(&shared)));
        let records = usize::try_from(most.unwrap_or(RECORDS)).unwrap_or(usize::MAX);
        Ok(Self {
            shared,
            ours: BTreeMap::new(),
            sections: VecDeque::new(),
            fault: None,
            tools: Tools::default(),
            full: Full {
                records: records.max(1),
                bytes: BYTES,
            },
            running: Some(Running(keeping.abort_handle())),
            _thread: thread,
        })
    }

    fn is_open(&self) -> Result<()> {
        let closed = || Error::new(&INTERNAL, "the reader is closed");
        self.running.as_ref().map(drop).ok_or_else(closed)
    }

    fn assign_all(&mut self, from: &BTreeMap<TopicPartition, i64>) -> Result<()> {
        self.is_open()?;
        self.sections.clear();
        self.ours = self.shared.change(|plan| {
            plan.parts.clear();
            plan.sections.clear();
            let add = |(of, offset): (&TopicPartition, &i64)| {
                let ours = Ours {
                    epoch: plan.add(of.clone(), Start::At(*offset), false),
                    next: Some(*offset),
                    paused: false,
                };
                (of.clone(), ours)
            };
            from.iter().map(add).collect()
        });
        Ok(())
    }

    fn go_to(&mut self, of: &TopicPartition, offset: i64) -> Result<()> {
        self.is_open()?;
        let ours = self.ours.get_mut(of).ok_or_else(|| not_ours(of))?;
        ours.next = Some(offset);
        ours.epoch = self
            .shared
            .change(|plan| plan.add(of.clone(), Start::At(offset), ours.paused));
        Ok(())
    }

    fn pause_all(&mut self, of: &[TopicPartition], paused: bool) -> Result<()> {
        self.is_open()?;
        for one in of {
            if let Some(ours) = self.ours.get_mut(one) {
                ours.paused = paused;
            }
        }
        self.shared.change(|plan| {
            for one in of {
                if let Some(part) = plan.parts.get_mut(one) {
                    part.paused = paused;
                }
            }
        });
        if paused {
            self.drop_paused();
        }
        Ok(())
    }

    /// What lies of paused partitions stays as long as it is little. More is thrown away, and fetched again when it is wanted.
    fn drop_paused(&mut self) {
        let Self {
            shared,
            ours,
            sections,
            tools,
            ..
        } = self;
        let mut plan = shared.plan();
        sections.extend(plan.sections.drain(..));
        let is_paused = |section: &Section| ours.get(&section.of).is_some_and(|ours| ours.paused);
        for section in sections.iter_mut().filter(|section| is_paused(section)) {
            section.shut(tools);
        }
        let lies: usize = sections
            .iter()
            .filter(|s| is_paused(s))
            .map(|s| s.size)
            .sum();
        if lies <= shared.settings.room {
            return;
        }
        for (of, ours) in ours.iter_mut().filter(|(_, ours)| ours.paused) {
            let first = sections.iter().find(|section| section.epoch == ours.epoch);
            if let Some(next) = first.map(|section| section.next) {
                ours.epoch = plan.add(of.clone(), Start::At(next), true);
            }
        }
    }

    async fn poll_into(&mut self, out: &mut Encoded, wait: Duration) -> Result<Event> {
        self.is_open()?;
        let deadline = Instant::now() + wait;
        loop {
            if let Some(event) = self.look(out)? {
                return Ok(event);
            }
            if Instant::now() >= deadline {
                self.shared.cluster.health.check(PATIENCE)?;
                return Ok(Event::Idle);
            }
            // Records are taken over only after this, so nothing is lost when the wait is given up.
            let _ = timeout_at(deadline, self.shared.arrived.notified()).await;
        }
    }

    /// What there is to give out or to tell.
    fn look(&mut self, out: &mut Encoded) -> Result<Option<Event>> {
        self.fault.take().map_or(Ok(()), Err)?;
        let trouble = {
            let mut plan = self.shared.plan();
            self.sections.extend(plan.sections.drain(..));
            plan.fault()
        };
        let before = out.len();
        self.take(out);
        if out.len() > before {
            self.fault = self.fault.take().or(trouble.err());
            return Ok(Some(Event::Records));
        }
        trouble?;
        self.fault.take().map_or(Ok(None), Err)
    }

    /// Takes records over, from one section after the other.
    fn take(&mut self, out: &mut Encoded) {
        let mut at = 0;
        let mut done: Vec<(TopicPartition, u64, usize)> = Vec::new();
        while !self.full.is(out) && self.fault.is_none() {
            let Some(section) = self.sections.get_mut(at) else {
                break;
            };
            let ours = self.ours.get_mut(&section.of);
            let Some(ours) = ours.filter(|ours| ours.epoch == section.epoch) else {
                self.sections.remove(at);
                continue;
            };
            if ours.paused {
                at += 1;
                continue;
            }
            let taken = section.take(out, self.full, &mut self.tools);
            ours.next = Some(section.next);
            match taken {
                Ok(false) => {}
                Ok(true) => {
                    done.push((section.of.clone(), section.epoch, section.size));
                    self.sections.remove(at);
                }
                Err(error) => {
                    self.fault = Some(ask::at(error, &section.of, section.next));
                    let (of, next) = (section.of.clone(), section.next);
                    // Read again: what was sent may be at fault, not what is stored.
                    ours.epoch = self
                        .shared
                        .change(|plan| plan.add(of, Start::At(next), false));
                }
            }
        }
        if !done.is_empty() {
            self.shared.change(|plan| {
                for (of, epoch, size) in done {
                    if let Some(part) = plan.part(&of, epoch) {
                        part.buffered = part.buffered.saturating_sub(size);
                    }
                }
            });
        }
    }

    fn behind(&self) -> BTreeMap<TopicPartition, i64> {
        let plan = self.shared.plan();
        let behind = |(of, ours): (&TopicPartition, &Ours)| {
            let part = plan.parts.get(of)?;
            let (end, next) = (part.end?, ours.next.or(part.from)?);
            // Markers of transactions lie among the offsets: only who is at the end has nothing left.
            let left = if part.is_at_end() {
                0
            } else {
                (end - next).max(1)
            };
            Some((of.clone(), left))
        };
        self.ours.iter().filter_map(behind).collect()
    }

    fn end(&mut self) {
        self.running = None;
        self.ours.clear();
        self.sections.clear();
        self.shared.plan().parts.clear();
    }
}

impl Read for KafkaReader {
    fn subscribe<'a>(&'a mut self, _: &'a [String]) -> BoxFuture<'a, Result<()>> {
        let done = Err(Error::new(
            &INTERNAL,
            "a reader without a group cannot subscribe",
        ));
        Box::pin(std::future::ready(done))
    }

    fn assign<'a>(
        &'a mut self,
        from: &'a BTreeMap<TopicPartition, i64>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(std::future::ready(self.assign_all(from)))
    }

    fn seek<'a>(&'a mut self, of: &'a TopicPartition, offset: i64) -> BoxFuture<'a, Result<()>> {
        Box::pin(std::future::ready(self.go_to(of, offset)))
    }

    fn pause<'a>(
        &'a mut self,
        of: &'a [TopicPartition],
        paused: bool,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(std::future::ready(self.pause_all(of, paused)))
    }

    fn poll<'a>(
        &'a mut self,
        out: &'a mut Encoded,
        wait: Duration,
    ) -> BoxFuture<'a, Result<Event>> {
        Box::pin(self.poll_into(out, wait))
    }

    fn commit<'a>(&'a mut self, _: &'a BTreeMap<TopicPartition, i64>) -> BoxFuture<'a, Result<()>> {
        let done = Err(Error::new(
            &INTERNAL,
            "a reader without a group cannot commit",
        ));
        Box::pin(std::future::ready(done))
    }

    fn lag(&self) -> BTreeMap<TopicPartition, i64> {
        self.behind()
    }

    fn close(&mut self) -> BoxFuture<'_, Result<()>> {
        self.end();
        Box::pin(std::future::ready(Ok(())))
    }
}

fn not_ours(of: &TopicPartition) -> Error {
    Error::new(&NOT_MEMBER, "the partition is not assigned to this reader")
        .context("topic", &of.topic)
        .context("partition", of.partition)
}
