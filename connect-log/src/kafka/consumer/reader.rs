//! The reader itself: what its owner calls.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use connect_core::{BoxFuture, Encoded, Error, Result, error::INTERNAL};
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinHandle},
    time::{Instant, timeout, timeout_at},
};

use super::{
    group::{self, Change, Group},
    holdings::Holdings,
    keeper,
    plan::Shared,
    section::Full,
    settings::ReaderSettings,
};
use crate::{
    Event, Read, TopicPartition,
    kafka::{
        client::Health,
        producer::{Thread, Threads},
        properties::Properties,
        wire::Cluster,
    },
};

/// `max.poll.records` unless the user says otherwise.
const RECORDS: u64 = 500;
/// A poll gives at most about this much, so that memory stays small.
const BYTES: usize = 4 << 20;
/// How long the cluster may be away before a poll says so.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most that closing may take. Else the group waits for the end of the session.
const GOODBYE: Duration = Duration::from_secs(10);

/// A reader of our own.
pub(in crate::kafka) struct KafkaReader {
    shared: Arc<Shared>,
    holdings: Holdings,
    membership: Option<Membership>,
    /// A change that the last poll told and that the next one carries out.
    told: Option<Change>,
    /// Ends what runs for this reader.
    running: Vec<Running>,
    thread: Arc<Thread>,
}

struct Running(AbortHandle);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A reader with a group. Its task ends by itself when this is gone: it leaves the group first.
struct Membership {
    group: Arc<Group>,
    topics: watch::Sender<Vec<String>>,
    closing: watch::Sender<bool>,
    /// None before it subscribes.
    task: Option<JoinHandle<()>>,
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.closing.send_replace(true);
    }
}

/// A poll that goes on; also one that is given up ends.
struct Polling(Option<Arc<Group>>);

impl Polling {
    fn begin(membership: Option<&Membership>) -> Self {
        let group = membership.map(|membership| Arc::clone(&membership.group));
        if let Some(group) = &group {
            group.standing.polls(true);
        }
        Self(group)
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        if let Some(group) = &self.0 {
            group.standing.polls(false);
        }
    }
}

impl KafkaReader {
    /// Starts what fetches for it, on one of the threads. Without a group the reader can only be assigned partitions.
    pub(in crate::kafka) fn start(
        threads: &Threads,
        config: &Properties,
        group: Option<String>,
        most: Option<u64>,
        health: Health,
    ) -> Result<Self> {
        let settings = ReaderSettings::read(config)?;
        let group = group.map(|name| Arc::new(Group::new(name)));
        let cluster = Cluster::new(&settings.bootstrap, settings.dial.clone(), health);
        let shared = Arc::new(Shared::new(settings, cluster));
        let thread = threads.next()?;
        let runtime = &thread.runtime;
        let mut running = vec![runtime.spawn(keeper::keep(Arc::clone(&shared)))];
        if let Some(group) = &group {
            let looking = group::look_up(Arc::clone(&shared), Arc::clone(group));
            running.push(runtime.spawn(looking));
        }
        let records = usize::try_from(most.unwrap_or(RECORDS)).unwrap_or(usize::MAX);
        let full = Full {
            records: records.max(1),
            bytes: BYTES,
        };
        Ok(Self {
            shared,
            holdings: Holdings::new(full),
            membership: group.map(|group| Membership {
                group,
                topics: watch::Sender::default(),
                closing: watch::Sender::new(false),
                task: None,
            }),
            told: None,
            running: running
                .iter()
                .map(|task| Running(task.abort_handle()))
                .collect(),
            thread,
        })
    }

    fn is_open(&self) -> Result<()> {
        match self.running.is_empty() {
            false => Ok(()),
            true => Err(Error::new(&INTERNAL, "the reader is closed")),
        }
    }

    fn membership(&mut self) -> Result<&mut Membership> {
        self.is_open()?;
        let without = || {
            Error::new(
                &INTERNAL,
                "a reader without a group cannot subscribe or commit",
            )
        };
        self.membership.as_mut().ok_or_else(without)
    }

    fn join(&mut self, topics: &[String]) -> Result<()> {
        let (shared, runtime) = (Arc::clone(&self.shared), self.thread.runtime.clone());
        let membership = self.membership()?;
        membership.topics.send_replace(topics.to_vec());
        if membership.task.is_none() {
            let group = Arc::clone(&membership.group);
            let topics = membership.topics.subscribe();
            let member = group::run(shared, group, topics, membership.closing.subscribe());
            membership.task = Some(runtime.spawn(member));
        }
        Ok(())
    }

    async fn poll_into(&mut self, out: &mut Encoded, wait: Duration) -> Result<Event> {
        self.is_open()?;
        let _polling = Polling::begin(self.membership.as_ref());
        self.carry_out();
        let deadline = Instant::now() + wait;
        loop {
            if let Some(event) = self.tell() {
                return Ok(event);
            }
            if self.holdings.look(&self.shared, out)? {
                return Ok(Event::Records);
            }
            if Instant::now() >= deadline {
                self.shared.cluster.health.check(PATIENCE)?;
                return Ok(Event::Idle);
            }
            // Records are taken over only after this, so nothing is lost when the wait is given up.
            let _ = timeout_at(deadline, self.shared.arrived.notified()).await;
        }
    }

    /// The next change as an event.
    fn tell(&mut self) -> Option<Event> {
        let change = self.membership.as_ref()?.group.standing.tell()?;
        let event = match &change {
            Change::Assign(partitions) => {
                self.holdings.expect(partitions);
                Event::Assigned(partitions.clone())
            }
            Change::Revoke(partitions) => Event::Revoked(partitions.clone()),
            Change::Lost(partitions) => {
                self.holdings.forget(&self.shared, partitions);
                Event::Lost(partitions.clone())
            }
        };
        self.told = Some(change);
        Some(event)
    }

    /// Does what the last poll told.
    fn carry_out(&mut self) {
        match self.told.take() {
            Some(Change::Assign(partitions)) => self.holdings.begin(&self.shared, &partitions),
            Some(Change::Revoke(partitions)) => self.holdings.forget(&self.shared, &partitions),
            Some(Change::Lost(_)) | None => return,
        }
        if let Some(membership) = &self.membership {
            membership.group.standing.done();
        }
    }

    async fn commit_now(&mut self, offsets: &BTreeMap<TopicPartition, i64>) -> Result<()> {
        if offsets.is_empty() {
            return Ok(());
        }
        let (shared, runtime) = (Arc::clone(&self.shared), self.thread.runtime.clone());
        let group = Arc::clone(&self.membership()?.group);
        self.holdings.must_have(offsets.keys())?;
        // To its end also when the caller gives up: the coordinator may have it already.
        let commit = runtime.spawn(group::commit(shared, group, offsets.clone()));
        let gone = |_| Error::new(&INTERNAL, "the thread of the reader has ended");
        commit.await.map_err(gone)?
    }

    async fn leave(&mut self) -> Result<()> {
        self.running.clear();
        self.told = None;
        self.holdings.clear(&self.shared);
        if let Some(mut membership) = self.membership.take()
            && let Some(task) = membership.task.take()
        {
            drop(membership);
            if timeout(GOODBYE, task).await.is_err() {
                tracing::debug!("a reader could not leave its group in time");
            }
        }
        Ok(())
    }
}

impl Read for KafkaReader {
    fn subscribe<'a>(&'a mut self, topics: &'a [String]) -> BoxFuture<'a, Result<()>> {
        Box::pin(std::future::ready(self.join(topics)))
    }

    fn assign<'a>(
        &'a mut self,
        from: &'a BTreeMap<TopicPartition, i64>,
    ) -> BoxFuture<'a, Result<()>> {
        let open = self.is_open();
        if open.is_ok() {
            self.holdings.assign(&self.shared, from);
        }
        Box::pin(std::future::ready(open))
    }

    fn seek<'a>(&'a mut self, of: &'a TopicPartition, offset: i64) -> BoxFuture<'a, Result<()>> {
        let sought = self.is_open();
        let sought = sought.and_then(|()| self.holdings.seek(&self.shared, of, offset));
        Box::pin(std::future::ready(sought))
    }

    fn pause<'a>(
        &'a mut self,
        of: &'a [TopicPartition],
        paused: bool,
    ) -> BoxFuture<'a, Result<()>> {
        let open = self.is_open();
        if open.is_ok() {
            self.holdings.pause(&self.shared, of, paused);
        }
        Box::pin(std::future::ready(open))
    }

    fn poll<'a>(
        &'a mut self,
        out: &'a mut Encoded,
        wait: Duration,
    ) -> BoxFuture<'a, Result<Event>> {
        Box::pin(self.poll_into(out, wait))
    }

    fn commit<'a>(
        &'a mut self,
        offsets: &'a BTreeMap<TopicPartition, i64>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.commit_now(offsets))
    }

    fn lag(&self) -> BTreeMap<TopicPartition, i64> {
        self.holdings.lag(&self.shared)
    }

    fn places(&self) -> BTreeMap<TopicPartition, i64> {
        self.holdings.places(&self.shared)
    }

    fn close(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.leave())
    }
}
