//! Snapshots: every captured table, read as of one moment, by one connection or by several, and gone on with after a restart.
//!
//! How a table is read is the source's: it has a [`Reader`] for each connection. What is read when, what is marked as first and
//! last, how far it all is and what is told of it is the same for all.

mod crew;
mod division;
mod gate;
mod one;
mod progress;
mod report;
mod several;
mod tables;

use std::{fmt::Debug, sync::Arc};

use connect_core::{Batch, Error, Result};

use crate::change::Marker;

pub use self::{
    crew::Crew,
    division::Division,
    one::One,
    progress::{Progress, Range, Started},
    report::{Report, tell},
    several::Several,
};

/// A table that a snapshot reads.
pub trait Planned: Debug + Send + Sync + 'static {
    /// Its schema, or database.
    fn schema(&self) -> &str;

    /// Its name there.
    fn name(&self) -> &str;

    /// Both.
    fn names(&self) -> (String, String) {
        (self.schema().to_owned(), self.name().to_owned())
    }

    /// Both, as in filters.
    fn full_name(&self) -> String {
        full_name(self.schema(), self.name())
    }
}

fn full_name(schema: &str, name: &str) -> String {
    format!("{schema}.{name}")
}

/// What is to be read.
#[derive(Debug)]
pub struct Plan<T> {
    /// The tables in their order, or the rest of them.
    pub tables: Vec<Arc<T>>,
    /// The last one that has rows: its last row is the last of all.
    pub last_with_rows: usize,
    /// What was read before.
    pub progress: Progress,
}

/// A part of a table that one connection reads.
#[derive(Debug, Clone)]
pub struct Part {
    /// The place of its table in the plan.
    pub table: usize,
    /// Its number among those of its table.
    pub index: u32,
    /// How many there are.
    pub of: u32,
    /// Which rows.
    pub range: Range,
}

/// Reads parts of tables, one after the other, on one connection.
pub trait Reader: Debug + Send + 'static {
    /// What it reads.
    type Table: Planned;

    /// Begins a batch; gives its time in milliseconds since 1970-01-01.
    fn begin(&mut self, out: &mut Batch) -> i64;

    /// Asks the server for the rows of a part.
    fn start(
        &mut self,
        table: &Arc<Self::Table>,
        part: &Part,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Appends rows of the part until the batch is full, the part ends or the server pauses.
    fn step(&mut self, marks: Marks, out: &mut Batch) -> impl Future<Output = Result<Step>> + Send;

    /// Whether the last row of the part has been given.
    fn has_all(&self) -> bool;

    /// The key of the last row that was given; `None` when the part is not read in the order of a key.
    fn last_key(&self) -> Option<Vec<String>>;

    /// Ends the connection.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// How each of several threads comes to its reader.
pub trait Connect: Send + Sync + 'static {
    /// What it comes to.
    type Reader: Reader;

    /// Connects, in the thread of this number.
    fn connect(&self, number: usize) -> impl Future<Output = Result<Self::Reader>> + Send;

    /// Whether the server has no connection left: then the other threads do the work.
    fn is_refused(&self, error: &Error) -> bool;
}

/// Why reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The batch is full.
    Full,
    /// The server has sent nothing more yet.
    Waiting,
    /// The part is complete.
    End,
}

/// What a poll came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Polled {
    /// Nothing has come.
    Nothing,
    /// There is more to come; so far it is.
    More(Progress),
    /// All tables are complete; the batch may hold the last rows.
    Complete,
}

/// Which marks the rows of a part may get.
#[derive(Debug, Clone, Copy)]
pub struct Marks {
    /// Whether its table is the first of all.
    pub in_first: bool,
    /// Whether its table is the last one with rows.
    pub in_last: bool,
    /// Whether it has the first row of its table.
    pub opens: bool,
    /// Whether it has the last one.
    pub closes: bool,
}

impl Marks {
    /// The mark of a row, by whether it is the first and the last of its part.
    #[inline]
    pub fn of(self, first: bool, last: bool) -> Marker {
        let (first, last) = (first && self.opens, last && self.closes);
        match (first, last) {
            (_, true) if self.in_last => Marker::Last,
            (true, _) if self.in_first => Marker::First,
            (_, true) => Marker::LastInTable,
            (true, _) => Marker::FirstInTable,
            _ => Marker::True,
        }
    }
}

/// A running snapshot.
#[derive(Debug)]
pub enum Reading<R: Reader> {
    /// By one connection.
    One(Box<One<R>>),
    /// By several.
    Several(Box<Several<R>>),
}

impl<R: Reader> Reading<R> {
    /// Appends the next rows.
    pub async fn poll(&mut self, out: &mut Batch) -> Result<Polled> {
        match self {
            Self::One(one) => one.poll(out).await,
            Self::Several(several) => several.poll(out).await,
        }
    }

    /// Ends its connections.
    pub async fn close(self) {
        if let Self::One(one) = self {
            one.close().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_tell_first_and_last() {
        let marker = |in_first, in_last, first, last| {
            let marks = Marks {
                in_first,
                in_last,
                opens: true,
                closes: true,
            };
            marks.of(first, last)
        };
        assert_eq!(marker(true, false, true, false), Marker::First);
        assert_eq!(marker(true, true, true, true), Marker::Last);
        assert_eq!(marker(false, false, true, true), Marker::LastInTable);
        assert_eq!(marker(false, false, false, true), Marker::LastInTable);
        assert_eq!(marker(false, true, false, true), Marker::Last);
        assert_eq!(marker(false, true, false, false), Marker::True);
        let within = Marks {
            in_first: true,
            in_last: true,
            opens: false,
            closes: false,
        };
        assert_eq!(within.of(true, true), Marker::True);
    }
}
