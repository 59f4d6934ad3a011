//! What appenders, readers and the keeper ask of the writer.

use std::sync::{Arc, OnceLock};

use connect_core::{Advance, Error, Result};
use tokio::sync::oneshot;

use super::{
    block::{Block, Draft},
    partition::Partition,
    settings::Settings,
    store::Upto,
};
use crate::{Ticket, TopicPartition};

/// One request, and whom to tell when it is durable.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) work: Work,
    pub(crate) reply: Reply,
}

/// What to do.
#[derive(Debug)]
pub(crate) enum Work {
    /// Records of one author, with offsets of a group: all or nothing.
    Records(Records),
    /// Committed offsets of a group.
    Offsets(GroupOffsets),
    /// A group goes away.
    ForgetGroup(String),
    /// Nobody but this author may use its transactional id from here on.
    Claim(Arc<Author>),
    /// Nobody who uses these transactional ids may go on.
    Fence(Vec<String>),
    /// A new topic.
    Create {
        name: Arc<str>,
        partitions: i32,
        settings: Settings,
    },
    /// Other settings of a topic.
    Alter { name: String, settings: Settings },
    /// A topic goes away.
    Delete { name: String },
    /// Records before an offset may not be read any more.
    Truncate {
        partition: Arc<Partition>,
        before: i64,
    },
    /// Blocks (by last offset) are replaced by others that hold what is left of them.
    Rewrite {
        partition: Arc<Partition>,
        remove: Vec<i64>,
        put: Vec<(Block, Upto)>,
        start: i64,
    },
}

/// Records of one author.
#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) author: Arc<Author>,
    pub(crate) drafts: Vec<(Arc<Partition>, bool, Draft)>,
    pub(crate) ticket: Ticket,
    pub(crate) offsets: Option<GroupOffsets>,
}

/// Offsets to commit; `None` removes one.
#[derive(Debug)]
pub(crate) struct GroupOffsets {
    pub(crate) group: String,
    pub(crate) offsets: Vec<(TopicPartition, Option<i64>)>,
}

/// Where the answer to a request goes.
pub(crate) type Reply = Option<oneshot::Sender<Result<()>>>;

/// An appender as the writer knows it.
#[derive(Debug)]
pub(crate) struct Author {
    pub(crate) transactional_id: Option<String>,
    failure: OnceLock<Error>,
    durable: Advance<Ticket>,
}

impl Author {
    pub(crate) fn new(transactional_id: Option<String>, durable: Advance<Ticket>) -> Self {
        Self {
            transactional_id,
            failure: OnceLock::new(),
            durable,
        }
    }

    /// Why nothing more is taken of it, if so.
    pub(crate) fn failure(&self) -> Option<&Error> {
        self.failure.get()
    }

    /// Nothing more is taken of it.
    pub(crate) fn fail(&self, error: &Error) {
        if self.failure.set(error.clone()).is_ok() {
            self.durable.fail(error.clone());
        }
    }

    /// Its records up to a ticket are durable.
    pub(crate) fn reached(&self, ticket: Ticket) {
        self.durable.to(ticket);
    }
}
