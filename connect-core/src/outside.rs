//! What reaches a running source besides its server: messages of people, topics of the log.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{BoxFuture, Error, Result, keep::Keep};

/// Invariant 4: so many messages wait, no more.
const MOST: usize = 100;

/// The way from outside into one run of a task. Cheap to clone.
#[derive(Clone, Default)]
pub struct Outside {
    inbox: Inbox,
    topics: Option<Arc<dyn Topics>>,
    keep: Keep,
}

impl Outside {
    /// With an inbox of its own, and the topics of a log.
    pub fn new(topics: Arc<dyn Topics>) -> Self {
        Self {
            inbox: Inbox::default(),
            topics: Some(topics),
            keep: Keep::default(),
        }
    }

    /// The same, with what the connector keeps in the log.
    #[must_use]
    pub fn keeping(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// What the connector keeps in the log.
    pub fn keep(&self) -> &Keep {
        &self.keep
    }

    /// Messages to the task.
    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// Reads a topic; fails where there is no log.
    pub async fn read(&self, topic: &str, since: Since<'_>) -> Result<Box<dyn Letters>> {
        match &self.topics {
            Some(topics) => topics.read(topic, since).await,
            None => Err(Error::config(
                "there is no log here whose topics could be read",
            )),
        }
    }
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside").finish_non_exhaustive()
    }
}

/// Messages that wait for a task.
#[derive(Clone, Default)]
pub struct Inbox(Arc<Waiting>);

#[derive(Default)]
struct Waiting {
    messages: Mutex<VecDeque<String>>,
    is_attended: AtomicBool,
}

impl Inbox {
    /// The task will look for messages from now on.
    pub fn attend(&self) {
        self.0.is_attended.store(true, Ordering::Relaxed);
    }

    /// Whether the task looks for messages.
    pub fn is_attended(&self) -> bool {
        self.0.is_attended.load(Ordering::Relaxed)
    }

    /// Adds a message; false when too many wait.
    pub fn put(&self, message: String) -> bool {
        let mut messages = self
            .0
            .messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let has_room = messages.len() < MOST;
        if has_room {
            messages.push_back(message);
        }
        has_room
    }

    /// The next message.
    pub fn take(&self) -> Option<String> {
        let mut messages = self
            .0
            .messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        messages.pop_front()
    }
}

/// Where to begin in a topic.
#[derive(Debug, Clone, Copy)]
pub struct Since<'a> {
    /// Behind this record, if it is known.
    pub behind: Option<i64>,
    /// Else where this consumer group stands, else at the first record.
    pub group: &'a str,
}

/// The topics of a log.
pub trait Topics: Send + Sync {
    /// Reads the first partition of a topic, which is created when it is missing.
    fn read<'a>(
        &'a self,
        topic: &'a str,
        since: Since<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Letters>>>;
}

/// A topic that is being read.
pub trait Letters: Send {
    /// The next records; waits so long for them.
    fn next(&mut self, wait: Duration) -> BoxFuture<'_, Result<Vec<Letter>>>;

    /// Stores for the group that everything up to this record has been read.
    fn done(&mut self, offset: i64) -> BoxFuture<'_, Result<()>>;
}

/// A record of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Option<Vec<u8>>,
    /// Its offset.
    pub offset: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_wait_in_order_and_not_without_end() {
        let outside = Outside::default();
        let inbox = outside.inbox();
        assert!(!inbox.is_attended());
        inbox.clone().attend();
        assert!(inbox.is_attended());
        assert!((0..MOST).all(|n| inbox.put(n.to_string())));
        assert!(!inbox.put("one more".into()));
        assert_eq!(inbox.take().as_deref(), Some("0"));
        assert!(inbox.put("now".into()));
    }
}
