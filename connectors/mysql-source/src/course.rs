//! Which rows of the binlog are sent, and where that leaves the task.
//!
//! Reading begins again where a transaction begins, whose events and rows are counted from its `BEGIN` on: what was done of it
//! comes again and is passed by. A position never goes back behind what it was read from.

use std::sync::Arc;

use cdc::transaction::Counts;

use crate::{binlog::Gtid, gtid::Gtids, position::Place};

/// The course of a stream.
#[derive(Debug)]
pub struct Course {
    /// Where reading would begin again, and what is done of the transaction there.
    at: Place,
    /// The file that is being read.
    file: Arc<str>,
    /// The id of the transaction that has begun, or begins next.
    gtid: Option<Gtid>,
    /// Whether a transaction has begun and not ended.
    is_open: bool,
    /// What was done of the first transaction before a restart.
    resume: Option<Done>,
    /// What was told of it, if its begin was.
    counts: Option<Counts>,
}

/// What is done of a transaction: events, and rows of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Done {
    events: u64,
    rows: u64,
}

impl Course {
    /// Goes on from a place.
    pub fn new(mut place: Place) -> Self {
        let done = Done {
            events: place.events,
            rows: place.rows,
        };
        let counts = place.counts.take();
        Self {
            file: Arc::clone(&place.file),
            at: place,
            gtid: None,
            is_open: false,
            resume: (done.events > 0).then_some(done),
            counts,
        }
    }

    /// Where the task stands; `open` is what was told of the transaction that is being sent.
    pub fn place(&self, open: Option<&Counts>) -> Place {
        let mut place = self.at.clone();
        if let Some(resume) = self.resume {
            // What comes again has been done.
            (place.events, place.rows) = (resume.events, resume.rows);
        }
        place.counts = open.or(self.counts.as_ref()).cloned();
        place
    }

    /// The file that is being read.
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// The id of the transaction that has begun.
    pub fn gtid(&self) -> Option<&Gtid> {
        self.gtid.as_ref()
    }

    /// Whether a transaction has begun and not ended.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// What was told of the transaction that has begun before a restart, if it is the one that was told of.
    pub fn told_before(&mut self) -> Option<Counts> {
        self.counts.take()
    }

    /// Another file is read from here on. A server that is asked by ids names a file that may lie anywhere.
    pub fn rotate(&mut self, file: &str, pos: u64) {
        self.file = file.into();
        if self.resume.is_none() && !self.is_open {
            (self.at.file, self.at.pos) = (Arc::clone(&self.file), pos);
        }
    }

    /// A transaction begins next that has this id.
    pub fn announce(&mut self, gtid: Option<Gtid>) {
        self.gtid = gtid;
    }

    /// A transaction begins, at the position of its `BEGIN`.
    pub fn begin(&mut self, pos: u64) {
        self.is_open = true;
        (self.at.file, self.at.pos) = (Arc::clone(&self.file), pos);
        (self.at.events, self.at.rows) = (1, 0);
        self.forget_what_is_done();
    }

    /// An event is complete: within a transaction it counts, outside of one nothing before its end is of concern.
    pub fn complete(&mut self, end: u64) {
        if self.is_open {
            self.at.events += 1;
            self.at.rows = 0;
            self.forget_what_is_done();
        } else if self.resume.is_none() {
            (self.at.file, self.at.pos) = (Arc::clone(&self.file), end);
        }
    }

    /// Whether a row of the event at hand is to be sent, by its number from 0.
    #[inline]
    pub fn wants(&self, row: u64) -> bool {
        self.resume.is_none_or(|resume| {
            let at = Done {
                events: self.at.events,
                rows: row,
            };
            at >= resume
        })
    }

    /// So many rows of the event at hand are done.
    #[inline]
    pub fn done(&mut self, rows: u64) {
        self.at.rows = rows;
        if self.resume.is_some() {
            self.forget_what_is_done();
        }
    }

    /// What comes next has not been done before.
    fn forget_what_is_done(&mut self) {
        let now = Done {
            events: self.at.events,
            rows: self.at.rows,
        };
        self.resume.take_if(|resume| *resume <= now);
    }

    /// The transaction ends, committed or not, or a statement without one; `end` is behind its last event.
    pub fn end(&mut self, end: u64) {
        self.is_open = false;
        self.resume = None;
        self.counts = None;
        (self.at.file, self.at.pos) = (Arc::clone(&self.file), end);
        (self.at.events, self.at.rows) = (0, 0);
        let Some(gtid) = self.gtid.take() else { return };
        match &mut self.at.gtids {
            Some(gtids) => gtids.add(&gtid),
            none => *none = Some(Gtids::of(&gtid)),
        }
    }

    /// Notes when and where the last change happened.
    pub fn note(&mut self, server_id: u32, timestamp_s: u32) {
        self.at.server_id = server_id;
        self.at.ts_s = Some(timestamp_s.into());
    }
}

#[cfg(test)]
mod tests;
