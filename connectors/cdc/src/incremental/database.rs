//! What a database does for an incremental snapshot.

use connect_core::{Error, Result};

use super::Collection;
use crate::java::Part;

/// Why a table is done with, in Debezium's words.
pub type Status = &'static str;

/// A database of which tables are read in chunks, as the stream stands now.
pub trait Database {
    /// A place in its log.
    type Goal: PartialOrd + Send + Sync;
    /// A chunk that waits for the stream.
    type Window: Window;

    /// Why no incremental snapshot can be taken, if that is so.
    fn reason_against(&mut self) -> impl Future<Output = Result<Option<String>>> + Send;

    /// The full names of the captured tables.
    fn tables(&mut self) -> impl Future<Output = Result<Vec<String>>> + Send;

    /// Reads the next rows of a table. What the server refuses is [`Read::Done`] and no error.
    fn read(&mut self, next: Next<'_>) -> impl Future<Output = Result<Read<Self::Window>>> + Send;

    /// Adds a row to the signal table: id, type and data.
    fn insert_mark(&mut self, row: [&str; 3]) -> impl Future<Output = Result<()>> + Send;

    /// Deletes the row with this id.
    fn delete_mark(&mut self, id: &str) -> impl Future<Output = Result<()>> + Send;

    /// The place in the log behind everything that the last chunk has seen.
    fn behind(&mut self) -> impl Future<Output = Result<Self::Goal>> + Send;

    /// Whether an error is the server's word that something cannot be done, which ends the reading of a table but not the task.
    fn is_refusal(error: &Error) -> bool;
}

/// The rows of one chunk, less those that the stream brings meanwhile.
pub trait Window {
    /// What is left when it closes.
    type Rows: Send;

    /// Whether the chunk has to be read again, since its table was altered.
    fn is_void(&self) -> bool;

    /// The rows that are left; `None` when there are none.
    fn into_rows(self) -> Option<Self::Rows>;
}

/// What is to be read next.
#[derive(Debug, Clone, Copy)]
pub struct Next<'a> {
    /// The table.
    pub collection: &'a Collection,
    /// The key behind which the rows lie; `None` for the table's start.
    pub last: Option<&'a [Part]>,
    /// The largest key, if it is known already.
    pub maximum: Option<&'a [Part]>,
    /// At most so many rows.
    pub limit: u64,
}

/// What came of the try to read a chunk.
#[derive(Debug)]
pub enum Read<W> {
    /// Rows.
    Chunk(Chunk<W>),
    /// Not now: the table is locked, or what the stream has brought is not visible yet.
    Later,
    /// The table is done with.
    Done(Status),
}

/// What was read.
#[derive(Debug)]
pub struct Chunk<W> {
    /// The rows, of which there is at least one.
    pub window: W,
    /// How many.
    pub rows: usize,
    /// Whether there were more than fit.
    pub is_cut: bool,
    /// The key of the last one.
    pub last: Vec<Part>,
    /// The largest key of the table when reading it began.
    pub maximum: Vec<Part>,
}
