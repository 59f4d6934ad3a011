//! Which transactions are sent, which changes of them, and where that leaves the task.

use std::sync::Arc;

use cdc::transaction::Counts;
use connect_core::Result;

use super::unix_us;
use crate::{
    cursor::{Cursor, Operation, Resume},
    error,
    pgoutput::Begin,
    position::{Ahead, Place, Progress},
    seen::Seen,
};

/// How far a stream is read before a snapshot.
#[derive(Debug, Clone)]
pub(crate) struct Goal {
    /// All transactions that were committed before this LSN …
    pub lsn: u64,
    /// … and that this snapshot has seen; without one, all.
    pub seen: Option<Arc<Seen>>,
    /// What to do with one that it has not seen.
    pub unseen: Unseen,
}

/// What to do with a transaction that a snapshot has not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unseen {
    /// Reading ends there.
    Stop,
    /// It comes later, after the snapshot.
    PassBy,
}

/// The course of a stream.
///
/// Without goal it goes on for ever; what was read ahead is passed by. With a goal, what its snapshot has not seen may
/// be passed by too, and the first of these transactions is where the stream begins again afterwards.
#[derive(Debug)]
pub(super) struct Course {
    /// Everything up to here has been read, apart from what is passed by.
    at: Cursor,
    /// What was committed before this LSN has been read. A server does not send it again; a replay may.
    floor: u64,
    /// Where the last transaction ended whose end was sent, as `source.sequence` tells it.
    last_commit: Option<u64>,
    ts_us: i64,
    committed_us: i64,
    open: Option<Open>,
    /// What was read in part and comes again.
    resume: Option<Resume>,
    /// What was told of the transaction that comes first, if its begin was.
    counts: Option<Counts>,
    ahead: Option<Ahead>,
    goal: Option<Goal>,
    stopped: bool,
    /// Where the first transaction begins that the goal passes by.
    left_behind: Option<Cursor>,
    snapshot: Option<Progress>,
}

/// A transaction that is being sent.
#[derive(Debug)]
struct Open {
    xid: u32,
    lsn: u64,
    /// How many changes have come with this LSN.
    nth: u64,
    skip: Skip,
}

/// What is left out of a transaction.
#[derive(Debug)]
enum Skip {
    Nothing,
    /// What was read of it before a restart.
    Read(Resume),
    Everything,
}

impl Course {
    pub(super) fn new(place: Place) -> Self {
        Self {
            resume: Resume::from(&place.at),
            counts: place.counts,
            floor: place.at.commit_lsn,
            last_commit: place.last_commit,
            at: place.at,
            ts_us: place.ts_us,
            committed_us: i64::MAX,
            open: None,
            ahead: place.ahead,
            goal: None,
            stopped: false,
            left_behind: None,
            snapshot: place.snapshot,
        }
    }

    /// Where the task stands; `open` is what was told of the transaction that is being sent.
    pub(super) fn place(&self, open: Option<&Counts>) -> Place {
        let counts = open.or(self.counts.as_ref()).cloned();
        let seen = self.goal.as_ref().and_then(|goal| goal.seen.as_ref());
        // Ahead is only what has ended behind that place: nothing, while the transaction itself is being passed by.
        let left_behind = self.left_behind.filter(|at| *at != self.at);
        let (at, counts, ahead) = match left_behind.zip(seen) {
            None => (self.at, counts, self.ahead.clone()),
            Some((at, seen)) => {
                let (seen, at_ahead) = (Arc::clone(seen), self.at);
                let ahead = Ahead {
                    seen,
                    at: at_ahead,
                    counts,
                };
                (at, None, Some(ahead))
            }
        };
        Place {
            at,
            counts,
            last_commit: self.last_commit,
            ts_us: self.ts_us,
            ahead,
            snapshot: self.snapshot.clone(),
            incremental: None,
            signal_offset: None,
        }
    }

    /// Where the last transaction ended; `None` before the first since the snapshot.
    pub(super) fn last_commit(&self) -> Option<u64> {
        self.last_commit
    }

    /// The transaction that is being sent.
    pub(super) fn xid(&self) -> Option<u32> {
        self.open.as_ref().map(|open| open.xid)
    }

    /// Commit time of the last transaction, since 2000-01-01.
    pub(super) fn committed_us(&self) -> i64 {
        self.committed_us
    }

    /// Sets where the stream ends. Between two transactions only.
    pub(super) fn aim(&mut self, goal: Goal) {
        self.goal = Some(goal);
        self.stopped = false;
    }

    /// Whether there is a goal.
    pub(super) fn has_goal(&self) -> bool {
        self.goal.is_some()
    }

    /// Whether everything before the goal has been read.
    pub(super) fn reached(&self) -> bool {
        let behind = |goal: &Goal| self.open.is_none() && self.at.commit_lsn >= goal.lsn;
        self.stopped || self.goal.as_ref().is_some_and(behind)
    }

    /// Whether something is yet to come that was passed by earlier.
    pub(super) fn is_behind(&self) -> bool {
        let ahead = |ahead: &Ahead| ahead.at.commit_lsn > self.at.commit_lsn;
        self.ahead.as_ref().is_some_and(ahead)
    }

    /// Whether a transaction lies behind the goal, which is then reached.
    pub(super) fn stops_at(&mut self, begin: &Begin) -> bool {
        let Some(goal) = &self.goal else { return false };
        let unseen = || goal.seen.as_ref().is_some_and(|seen| !seen.sees(begin.xid));
        if begin.final_lsn >= goal.lsn {
            self.stopped = true;
            let lsn = goal.lsn;
            self.keepalive(lsn);
        } else if goal.unseen == Unseen::Stop && unseen() {
            self.stopped = true;
        }
        self.stopped
    }

    /// A transaction begins.
    pub(super) fn begin(&mut self, begin: &Begin) {
        self.committed_us = begin.committed_us;
        self.catch_up_with(begin.final_lsn);
        let skip = if begin.final_lsn < self.floor || self.passes_by(begin) {
            Skip::Everything
        } else {
            self.at.leave_message();
            // Only the first transaction can be one that was read in part.
            let resume = self.resume.take().filter(|resume| resume.is_of(begin.xid));
            resume.map_or(Skip::Nothing, Skip::Read)
        };
        self.open = Some(Open {
            xid: begin.xid,
            lsn: 0,
            nth: 0,
            skip,
        });
    }

    /// Whether a transaction has begun and not ended.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether the transaction that has begun is sent, or the rest of it.
    pub(super) fn is_sent(&self) -> bool {
        let sent = |open: &Open| !matches!(open.skip, Skip::Everything);
        self.open.as_ref().is_some_and(sent)
    }

    /// What was told of the transaction that has begun before a restart, if it is the one that was told of.
    pub(super) fn told_before(&mut self) -> Option<Counts> {
        self.counts.take()
    }

    fn passes_by(&mut self, begin: &Begin) -> bool {
        if let Some(ahead) = &self.ahead {
            return ahead.seen.sees(begin.xid);
        }
        let seen = self.goal.as_ref().and_then(|goal| goal.seen.as_ref());
        let unseen = seen.is_some_and(|seen| !seen.sees(begin.xid));
        if unseen {
            self.left_behind.get_or_insert(self.at);
        }
        unseen
    }

    /// It ends.
    pub(super) fn commit(&mut self, end_lsn: u64) {
        let tx_id = self.open.take().map(|open| open.xid);
        if end_lsn <= self.floor {
            return;
        }
        self.last_commit = Some(end_lsn);
        self.at = Cursor {
            tx_id,
            ..Cursor::between(end_lsn)
        };
        self.ts_us = unix_us(self.committed_us);
    }

    /// Whether a message that stands between transactions lies behind the goal, which is then reached.
    pub(super) fn stops_before(&mut self, lsn: u64) -> bool {
        let behind = |goal: &Goal| lsn > goal.lsn;
        if let Some(goal) = self.goal.as_ref().filter(|goal| behind(goal)) {
            let lsn = goal.lsn;
            self.stopped = true;
            self.keepalive(lsn);
        }
        self.stopped
    }

    /// A message that stands between transactions, with the end of its record; whether it is to be sent on. An offset of
    /// Debezium's can have been stored before the server was told of it, so that it comes again.
    pub(super) fn message(&mut self, lsn: u64) -> bool {
        let ahead = |ahead: &Ahead| ahead.at.has_read_message(lsn);
        if self.ahead.as_ref().is_some_and(ahead) {
            return false;
        }
        self.catch_up_with(lsn);
        if self.at.has_read_message(lsn) {
            return false;
        }
        if self.resume.is_some() {
            // A transaction that was read in part has yet to come again.
            self.at.commit_lsn = lsn;
        } else {
            self.at = Cursor::behind_message(lsn);
        }
        self.last_commit = Some(lsn);
        true
    }

    /// Between transactions everything before `end` has been sent.
    pub(super) fn keepalive(&mut self, end: u64) {
        if self.open.is_some() || end <= self.at.commit_lsn {
            return;
        }
        self.catch_up_with(end);
        if self.resume.is_some() {
            // The transaction that was read in part has yet to come again.
            self.at.commit_lsn = end;
        } else {
            self.at = Cursor::between(end);
        }
    }

    /// From `lsn` on nothing was read ahead, except for a part of the next transaction.
    fn catch_up_with(&mut self, lsn: u64) {
        if let Some(ahead) = self.ahead.take_if(|ahead| ahead.at.commit_lsn <= lsn) {
            self.resume = Resume::from(&ahead.at);
            self.counts = ahead.counts;
            self.at = ahead.at;
        }
    }

    /// Whether a change shares its LSN with the one before it.
    pub(super) fn shares(&self, lsn: u64) -> bool {
        self.open.as_ref().is_some_and(|open| open.lsn == lsn)
    }

    /// Counts a change, captured or not; whether it is to be sent on.
    #[inline]
    pub(super) fn count(&mut self, lsn: u64, operation: Operation) -> Result<bool> {
        let Some(open) = &mut self.open else {
            return Err(error::protocol("a change stands outside of a transaction"));
        };
        if open.lsn == lsn {
            open.nth += 1;
        } else {
            (open.lsn, open.nth) = (lsn, 1);
        }
        match &open.skip {
            Skip::Nothing => {}
            Skip::Read(resume) if !resume.covers(lsn, open.nth) => open.skip = Skip::Nothing,
            Skip::Read(_) | Skip::Everything => return Ok(false),
        }
        self.at.lsn = lsn;
        self.at.events = open.nth;
        self.at.tx_id = Some(open.xid);
        self.at.last = Some(operation);
        self.ts_us = unix_us(self.committed_us);
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
