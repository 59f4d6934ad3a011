//! What SQLite's errors mean for the log.

use connect_core::{Code, Error};
use rusqlite::ErrorCode;

use crate::error::{STORAGE, UNUSABLE};

/// Classifies an error of SQLite, once and for all.
pub(crate) fn classify(error: rusqlite::Error) -> Error {
    let (code, what): (&'static Code, _) = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => (&STORAGE, "there is no space left for the log"),
        Some(ErrorCode::NotADatabase) => (&UNUSABLE, "`log.db` is not a file of this program"),
        Some(ErrorCode::DatabaseCorrupt) => (&UNUSABLE, "`log.db` is damaged"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (&UNUSABLE, "another process has `log.db` open")
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            (&STORAGE, "`log.db` cannot be opened for writing")
        }
        Some(_) => (&STORAGE, "the disk of the log fails"),
        // Not from SQLite but from reading its answer: a column is not what it was written as.
        None => (&UNUSABLE, "`log.db` is damaged"),
    };
    Error::new(code, what).caused_by(error)
}

/// A part of the file does not hold what it should.
pub(crate) fn damaged(what: &'static str) -> Error {
    Error::new(&UNUSABLE, what)
}
