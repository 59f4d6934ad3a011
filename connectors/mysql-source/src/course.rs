//! Which rows of the binlog are sent, and where that leaves the task.
//!
//! Reading begins again where a transaction begins, whose events and rows are counted from its `BEGIN` on: what was done of it
//! comes again and is passed by. A position never goes back behind what it was read from.
//!
//! Another server may send other transactions before the one that was read in part, which its id tells. They are sent as
//! they come; until each of them has ended, the position is where it was.

use std::sync::Arc;

use cdc::{
    snapshot::{Range, Started},
    transaction::Counts,
};

use crate::{
    binlog::Gtid,
    gtid::Gtids,
    position::{Mark, Place},
};

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
    /// What was done of a transaction before a restart, and its id.
    resume: Option<(Done, Option<Arc<str>>)>,
    /// Whether it is the one that has begun.
    is_resumed: bool,
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
        let (counts, gtid) = (place.counts.take(), place.gtid.take());
        Self {
            file: Arc::clone(&place.file),
            at: place,
            gtid: None,
            is_open: false,
            resume: (done.events > 0).then_some((done, gtid)),
            is_resumed: false,
            counts,
        }
    }

    /// Where the task stands; `open` is what was told of the transaction that is being sent.
    pub fn place(&self, open: Option<&Counts>) -> Place {
        let mut place = self.at.clone();
        if let Some((done, gtid)) = &self.resume {
            // What comes again has been done.
            (place.events, place.rows) = (done.events, done.rows);
            place.gtid.clone_from(gtid);
        } else if self.is_open {
            place.gtid = self.gtid.map(|gtid| gtid.to_string().into());
        }
        // Of another transaction than the one that the place names nothing is told.
        let is_other = self.resume.is_some() && !self.is_resumed;
        let told = open.filter(|_| !is_other).or(self.counts.as_ref());
        place.counts = told.cloned();
        place
    }

    /// The file that is being read.
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// The transactions that have ended, if there are ids.
    pub fn gtids(&self) -> Option<&Gtids> {
        self.at.gtids.as_ref()
    }

    /// Where the transaction begins that has begun.
    pub fn begun_at(&self) -> Mark {
        self.at.mark()
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
        self.counts.take_if(|_| self.is_resumed)
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
        let id = self.gtid.map(|gtid| gtid.to_string());
        let is_it =
            |of: &Option<Arc<str>>| of.as_deref().zip(id.as_deref()).is_none_or(|(a, b)| a == b);
        self.is_resumed = self.resume.as_ref().is_some_and(|(_, of)| is_it(of));
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
        let at = Done {
            events: self.at.events,
            rows: row,
        };
        let resume = self.resume.as_ref().filter(|_| self.is_resumed);
        resume.is_none_or(|(done, _)| at >= *done)
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
        self.resume
            .take_if(|(done, _)| self.is_resumed && *done <= now);
    }

    /// The transaction ends, committed or not, or a statement without one; `end` is behind its last event.
    pub fn end(&mut self, end: u64) {
        self.is_open = false;
        if std::mem::take(&mut self.is_resumed) {
            (self.resume, self.counts) = (None, None);
        }
        (self.at.file, self.at.pos) = (Arc::clone(&self.file), end);
        (self.at.events, self.at.rows) = (0, 0);
        let Some(gtid) = self.gtid.take() else { return };
        match &mut self.at.gtids {
            Some(gtids) => gtids.add(&gtid),
            none => *none = Some(Gtids::of(&gtid)),
        }
    }

    /// Where a snapshot has been interrupted that the stream leads on: a table has got its name meanwhile, under which it was not read.
    pub fn renamed(&mut self, table: (String, String)) {
        let Some(progress) = &mut self.at.snapshot else {
            return;
        };
        progress.started.retain(|started| started.table != table);
        progress.started.push(Started {
            table,
            left: vec![Range::behind(Vec::new())],
        });
    }

    /// Notes when and where the last change happened.
    pub fn note(&mut self, server_id: u32, timestamp_s: u32) {
        self.at.server_id = server_id;
        self.at.ts_s = Some(timestamp_s.into());
    }
}

#[cfg(test)]
mod tests;
