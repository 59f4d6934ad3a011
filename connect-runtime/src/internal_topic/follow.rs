//! Following a topic: everything that is written to it is given at once, and it is known up to where.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering::AcqRel, Ordering::Acquire},
    time::Duration,
};

use connect_core::{Encoded, Result};
use connect_log::{Offsets, Read, TopicPartition};
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};

use super::{InternalTopic, Seen, deliver};

/// How long a poll waits at the end of a topic that is followed.
const POLL: Duration = Duration::from_secs(1);
/// The same while somebody waits for the end: the last offsets may hold no record but a transaction's marker.
const LOOK: Duration = Duration::from_millis(2);
/// How long a follower waits after an error of the log.
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// How long a follower may take to the end before the topic is read without it. It is there already, unless it hangs, or a transaction is open,
/// for which reading waits with a patience of its own.
const PATIENCE: Duration = Duration::from_secs(1);

/// Up to where a topic has been followed.
#[derive(Debug)]
pub(super) struct Following {
    /// The next offset of each partition; none while it is not followed.
    places: watch::Sender<Option<Offsets>>,
    /// How many wait for it.
    waiting: AtomicUsize,
    asked: Notify,
}

impl Default for Following {
    fn default() -> Self {
        Self {
            places: watch::Sender::new(None),
            waiting: AtomicUsize::new(0),
            asked: Notify::new(),
        }
    }
}

/// Somebody who waits for the end.
struct Waiting<'a>(&'a Following);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, AcqRel);
    }
}

/// One time of following.
struct Follower<'a>(&'a Following);

impl Drop for Follower<'_> {
    fn drop(&mut self) {
        self.0.places.send_replace(None);
    }
}

impl Following {
    fn wait(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, AcqRel);
        self.asked.notify_one();
        Waiting(self)
    }

    fn is_waited_for(&self) -> bool {
        self.waiting.load(Acquire) > 0
    }

    fn show(&self, reader: &dyn Read) {
        let places = reader.places().into_iter();
        let now: Offsets = places.map(|(of, next)| (of.partition, next)).collect();
        self.places.send_if_modified(|before| {
            let is_new = before.as_ref() != Some(&now);
            if is_new {
                *before = Some(now);
            }
            is_new
        });
    }
}

impl InternalTopic {
    /// Gives every record that comes, in order and once, also among calls of [`Self::read_on`]. Never ends.
    pub(crate) async fn follow(&self, mut each: impl FnMut(&Seen<'_>)) {
        loop {
            if let Err(error) = self.follow_once(&mut each).await {
                tracing::warn!(topic = &*self.topic, %error, "an internal topic cannot be followed now");
            }
            sleep(RETRY_DELAY).await;
        }
    }

    async fn follow_once(&self, each: &mut impl FnMut(&Seen<'_>)) -> Result<()> {
        let partitions = self.log.partitions(&self.topic).await?;
        let mut reader = self.log.reader(self.reader(false)).await?;
        let read = self.read.lock().await.clone();
        let from: BTreeMap<TopicPartition, i64> = (0..partitions.unwrap_or(0))
            .map(|partition| {
                let of = TopicPartition::new(self.topic.clone(), partition);
                (of, read.get(&partition).copied().unwrap_or(0))
            })
            .collect();
        reader.assign(&from).await?;
        let _follower = Follower(&self.following);
        let mut records = Encoded::default();
        loop {
            records.clear();
            let is_waited_for = self.following.is_waited_for();
            tokio::select! {
                biased;
                // 1. Records, or nothing for a while.
                polled = reader.poll(&mut records, if is_waited_for { LOOK } else { POLL }) => drop(polled?),
                // 2. Somebody wants to know where the follower is.
                () = self.following.asked.notified(), if !is_waited_for => {}
            }
            if !records.is_empty() {
                deliver(&mut *self.read.lock().await, &records, each);
            }
            self.following.show(&*reader);
        }
    }

    /// Waits until everything that is in the topic now was given: by who follows it, or else, when nobody does or he does not get on, as
    /// [`Self::read_on`] does.
    pub(crate) async fn catch_up(&self, each: impl FnMut(&Seen<'_>)) -> Result<()> {
        match self.is_followed_to_end().await? {
            true => Ok(()),
            false => self.read_on(each).await,
        }
    }

    /// Whether somebody follows now.
    #[cfg(test)]
    pub(crate) fn is_followed(&self) -> bool {
        self.following.places.borrow().is_some()
    }

    async fn is_followed_to_end(&self) -> Result<bool> {
        let mut places = self.following.places.subscribe();
        let known = places.borrow().as_ref().map(Offsets::len);
        let Some(known) = known.and_then(|known| i32::try_from(known).ok()) else {
            return Ok(false);
        };
        let (partitions, ends) = tokio::try_join!(
            self.log.partitions(&self.topic),
            self.log.ends(&self.topic, known)
        )?;
        if partitions != Some(known) {
            // Somebody has added some, which nobody follows yet.
            return Ok(false);
        }
        let is_there = |places: &Option<Offsets>| {
            places.as_ref().is_some_and(|places| {
                let reached = |(partition, end): (&i32, &i64)| {
                    *end == 0 || places.get(partition).is_some_and(|next| next >= end)
                };
                ends.iter().all(reached)
            })
        };
        let _waiting = self.following.wait();
        let reached = timeout(PATIENCE, places.wait_for(is_there)).await;
        Ok(matches!(reached, Ok(Ok(_))))
    }
}
