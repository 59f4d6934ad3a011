//! The file: whose it is, its version, its tables, its connections.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use connect_core::{Error, Result};
use rusqlite::{Connection, OpenFlags};

use super::error::{classify, damaged};
use crate::error::{STORAGE, UNUSABLE};

/// How every file of SQLite begins.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Says in the file's header that it is ours: "TdWt".
const APPLICATION_ID: i32 = 0x5464_5774;
/// The version of the tables below.
const SCHEMA_VERSION: i32 = 1;
/// Measured: with 16 KiB, blocks cost a third less CPU than with 4 KiB, and the commit of one small record no more.
const PAGE_BYTES: u64 = 16 << 10;
/// Pages that the WAL may have before they are moved to the file: 16 MiB.
const CHECKPOINT_PAGES: u32 = 1024;
/// What is left of the WAL's file when it was once larger.
const WAL_BYTES: u64 = 64 << 20;
/// Another connection of this process holds a lock only for moments.
const BUSY: Duration = Duration::from_secs(10);

/// A block's id is its partition's id and its last offset, so that one search finds the block of an offset:
/// see [`block_id`](super::store::block_id).
const TABLES: &str = "
CREATE TABLE log (cluster_id TEXT NOT NULL) STRICT;
CREATE TABLE topic (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, settings TEXT NOT NULL) STRICT;
CREATE TABLE partition (
    id INTEGER PRIMARY KEY,
    topic INTEGER,                  -- null: deleted, blocks are still being removed
    number INTEGER NOT NULL,
    first_offset INTEGER NOT NULL,  -- records before it are deleted
    next_offset INTEGER NOT NULL    -- at least; a later block says more
) STRICT;
CREATE INDEX partition_topic ON partition (topic, number);
CREATE TABLE block (
    id INTEGER PRIMARY KEY,         -- partition << 44 | last offset
    first_offset INTEGER NOT NULL,
    records INTEGER NOT NULL,
    max_timestamp_ms INTEGER NOT NULL,
    peak_ms INTEGER NOT NULL,       -- the largest timestamp of the partition up to here
    written INTEGER NOT NULL,       -- bytes of the partition's bodies up to here
    horizon_ms INTEGER,             -- until when tombstones are kept
    bytes INTEGER NOT NULL,         -- of the body
    codec INTEGER NOT NULL,         -- 0: as it is, 1: an LZ4 block
    crc32c INTEGER NOT NULL,        -- of what is stored
    body BLOB NOT NULL
) STRICT;
CREATE TABLE group_offset (
    group_id TEXT NOT NULL,
    topic TEXT NOT NULL,
    number INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    PRIMARY KEY (group_id, topic, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_offset_topic ON group_offset (topic);
INSERT INTO log VALUES (lower(hex(randomblob(16))));
";

/// The folder's lock and the path of its file.
pub(crate) struct LogFile {
    pub(crate) path: PathBuf,
    // Held as long as the log is open; the system gives it up when the process dies.
    _lock: File,
}

impl LogFile {
    /// Takes a folder for this process, makes or checks its file, and gives the writer's connection.
    pub(crate) fn open(dir: &Path, max_bytes: Option<u64>) -> Result<(Self, Connection)> {
        std::fs::create_dir_all(dir).map_err(|e| cannot(dir, e))?;
        let lock = lock(dir)?;
        let path = dir.join("log.db");
        let file = Self { path, _lock: lock };
        let connection = file.prepare(max_bytes).map_err(|e| {
            let path = file.path.display();
            e.context("file", path)
        })?;
        Ok((file, connection))
    }

    fn prepare(&self, max_bytes: Option<u64>) -> Result<Connection> {
        if !self.has_content()? {
            // What lies there without its file is of no use, and must not be taken for that of the new one.
            let wal = self.path.with_extension("db-wal");
            remove_if_there(&wal).map_err(|e| cannot(&wal, e))?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let connection = self.connect(flags)?;
        // Nothing is changed before it is known to be ours. It may be empty although it is there: killed while it was made.
        let new = is_empty(&connection)?;
        if !new {
            check(&connection)?;
        }
        connection
            .execute_batch(&format!(
                "PRAGMA page_size = {PAGE_BYTES};
                 PRAGMA journal_mode = WAL;
                 PRAGMA synchronous = FULL;
                 PRAGMA cache_size = -2048;
                 PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};
                 PRAGMA journal_size_limit = {WAL_BYTES};"
            ))
            .map_err(classify)?;
        if new {
            create(&connection)?;
        } else {
            self.check_length(&connection)?;
        }
        if let Some(max) = max_bytes {
            let pages = i64::try_from(max / PAGE_BYTES).unwrap_or(i64::MAX);
            let set = connection.pragma_update(None, "max_page_count", pages);
            set.map_err(classify)?;
        }
        Ok(connection)
    }

    /// SQLite takes a few bytes of anything for an empty file, so the beginning is looked at first.
    fn has_content(&self) -> Result<bool> {
        let file = match File::open(&self.path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened.map_err(|e| cannot(&self.path, e))?,
        };
        let mut head = Vec::new();
        file.take(MAGIC.len() as u64)
            .read_to_end(&mut head)
            .map_err(|e| cannot(&self.path, e))?;
        if head.is_empty() || head == MAGIC {
            return Ok(!head.is_empty());
        }
        Err(damaged("`log.db` is not a file of this program"))
    }

    /// A connection that only reads.
    pub(crate) fn reader(&self) -> Result<Connection> {
        let connection = self.connect(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection
            .execute_batch("PRAGMA cache_size = -256; PRAGMA query_only = ON;")
            .map_err(classify)?;
        Ok(connection)
    }

    fn connect(&self, flags: OpenFlags) -> Result<Connection> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).map_err(classify)?;
        connection.busy_timeout(BUSY).map_err(classify)?;
        // Invariant 5: the file may have come from anywhere.
        connection
            .execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;")
            .map_err(classify)?;
        Ok(connection)
    }

    /// A file that was cut is found now and not when somebody reads there.
    fn check_length(&self, connection: &Connection) -> Result<()> {
        connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(classify)?;
        let pages: i64 = pragma(connection, "page_count")?;
        let page_bytes: i64 = pragma(connection, "page_size")?;
        let there = std::fs::metadata(&self.path).map_err(|e| cannot(&self.path, e))?;
        let wanted = u64::try_from(pages.saturating_mul(page_bytes)).unwrap_or(u64::MAX);
        if there.len() < wanted {
            return Err(damaged("`log.db` was cut"));
        }
        Ok(())
    }
}

fn create(connection: &Connection) -> Result<()> {
    connection
        .execute_batch(&format!(
            "BEGIN IMMEDIATE; {TABLES}
             PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        ))
        .map_err(classify)
}

fn is_empty(connection: &Connection) -> Result<bool> {
    let tables = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = connection
        .query_row(tables, [], |row| row.get(0))
        .map_err(classify)?;
    Ok(tables == 0 && pragma::<i32>(connection, "application_id")? == 0)
}

fn check(connection: &Connection) -> Result<()> {
    if pragma::<i32>(connection, "application_id")? != APPLICATION_ID {
        return Err(damaged("`log.db` is a database of another program"));
    }
    let version: i32 = pragma(connection, "user_version")?;
    if version != SCHEMA_VERSION {
        let error = Error::new(&UNUSABLE, "`log.db` is of another version of this program");
        return Err(error
            .context("version", version)
            .context("expected", SCHEMA_VERSION));
    }
    Ok(())
}

fn pragma<T: rusqlite::types::FromSql>(connection: &Connection, name: &str) -> Result<T> {
    connection
        .pragma_query_value(None, name, |row| row.get(0))
        .map_err(classify)
}

fn lock(dir: &Path) -> Result<File> {
    let path = dir.join("log.lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|e| cannot(&path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let error = Error::new(&UNUSABLE, "another process uses this folder");
            Err(error.context("folder", dir.display()))
        }
        Err(TryLockError::Error(e)) => Err(cannot(&path, e)),
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

fn cannot(path: &Path, error: io::Error) -> Error {
    Error::new(&STORAGE, "the folder of the log cannot be used")
        .context("path", path.display())
        .caused_by(error)
}
