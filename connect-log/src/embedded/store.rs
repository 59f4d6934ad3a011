//! The file as the log's store: one connection that writes, a few that read.

use std::path::Path;

use connect_core::{Error, Result, error::INTERNAL};
use parking_lot::{Condvar, Mutex};
use rusqlite::{Connection, Row};

use super::{
    error::{classify, damaged},
    file::LogFile,
    read, write,
};
use crate::{
    TopicPartition,
    local::{Block, Change, Extent, Head, Loaded, LoadedTopic, PartitionId, Store, Upto},
};

/// Connections that read, at most. Each has a small cache of its own.
const MAX_READERS: usize = 4;
/// Bits of a block's id that are the offset.
const OFFSET_BITS: u32 = 44;
/// The largest partition id.
const MAX_PARTITION: PartitionId = (1 << (63 - OFFSET_BITS)) - 1;

/// The store of an [`EmbeddedLog`](super::EmbeddedLog).
pub struct Sqlite {
    // Connections are closed before the lock is given up.
    writer: Mutex<Connection>,
    readers: Mutex<Readers>,
    returned: Condvar,
    file: LogFile,
}

#[derive(Default)]
struct Readers {
    idle: Vec<Connection>,
    made: usize,
}

/// The id of the block of a partition that ends with an offset.
pub(crate) fn block_id(partition: PartitionId, last: i64) -> Result<i64> {
    let fits = (0..=MAX_PARTITION).contains(&partition) && (0..1 << OFFSET_BITS).contains(&last);
    if !fits {
        return Err(Error::new(&INTERNAL, "a block has no id"));
    }
    Ok(partition << OFFSET_BITS | last)
}

/// The offset that a block of this id ends with.
pub(crate) fn last_offset(id: i64) -> i64 {
    id & ((1 << OFFSET_BITS) - 1)
}

impl Sqlite {
    pub(crate) fn open(dir: &Path, max_bytes: Option<u64>) -> Result<Self> {
        let (file, writer) = LogFile::open(dir, max_bytes)?;
        Ok(Self {
            writer: Mutex::new(writer),
            readers: Mutex::default(),
            returned: Condvar::new(),
            file,
        })
    }

    /// Runs something on a connection that reads; waits for one when all are in use.
    fn reading<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let connection = self.reader()?;
        let done = work(&connection);
        self.readers.lock().idle.push(connection);
        self.returned.notify_one();
        done
    }

    fn reader(&self) -> Result<Connection> {
        let mut readers = self.readers.lock();
        loop {
            if let Some(connection) = readers.idle.pop() {
                return Ok(connection);
            }
            if readers.made < MAX_READERS {
                let connection = self.file.reader()?;
                readers.made += 1;
                return Ok(connection);
            }
            self.returned.wait(&mut readers);
        }
    }
}

impl Store for Sqlite {
    const WAITS: bool = true;

    fn load(&self) -> Result<Loaded> {
        let db = self.writer.lock();
        load(&db)
    }

    fn write(&self, changes: &[Change]) -> Result<()> {
        write::write(&mut self.writer.lock(), changes)
    }

    fn read(&self, of: PartitionId, from: i64, max_bytes: usize) -> Result<Vec<Block>> {
        self.reading(|db| read::blocks(db, of, from, max_bytes))
    }

    fn reaching(&self, of: PartitionId, time_ms: i64) -> Result<Option<Block>> {
        self.reading(|db| read::reaching(db, of, time_ms))
    }

    fn heads(&self, of: PartitionId, from: i64, max: usize) -> Result<Vec<Head>> {
        self.reading(|db| read::heads(db, of, from, max))
    }

    fn sweep(&self, max: usize) -> Result<bool> {
        write::sweep(&mut self.writer.lock(), max)
    }
}

fn load(db: &Connection) -> Result<Loaded> {
    let one = |sql: &str| db.query_row(sql, [], |row| row.get(0)).map_err(classify);
    let mut loaded = Loaded {
        cluster_id: db
            .query_row("SELECT cluster_id FROM log", [], |row| row.get(0))
            .map_err(classify)?,
        next_topic: one("SELECT coalesce(max(id), 0) + 1 FROM topic")?,
        next_partition: one("SELECT coalesce(max(id), 0) + 1 FROM partition")?,
        ..Loaded::default()
    };
    let topics = "SELECT id, name, settings FROM topic ORDER BY id";
    loaded.topics = all(db, topics, |row| {
        Ok(LoadedTopic {
            id: row.get(0)?,
            name: row.get(1)?,
            settings: row.get(2)?,
            partitions: Vec::new(),
        })
    })?;
    for topic in &mut loaded.topics {
        topic.partitions = partitions(db, topic.id)?;
    }
    let offsets = "SELECT group_id, topic, number, next_offset FROM group_offset";
    loaded.offsets = all(db, offsets, |row| {
        let topic: String = row.get(1)?;
        let at = TopicPartition::new(topic, row.get(2)?);
        Ok((row.get(0)?, at, row.get(3)?))
    })?;
    Ok(loaded)
}

fn partitions(db: &Connection, topic: i64) -> Result<Vec<(PartitionId, Extent)>> {
    let sql = format!(
        "SELECT id, number, first_offset, next_offset FROM partition WHERE topic = {topic} ORDER BY number"
    );
    let rows: Vec<(i64, i64, i64, i64)> = all(db, &sql, |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })?;
    let mut partitions = Vec::with_capacity(rows.len());
    for ((id, number, start, end), at) in rows.into_iter().zip(0..) {
        if number != at || !(0..=MAX_PARTITION).contains(&id) {
            return Err(damaged("the partitions of a topic are damaged"));
        }
        let newest = read::newest(db, id)?;
        let extent = Extent {
            start,
            end: newest.map_or(end, |head| end.max(head.last + 1)),
            upto: newest.map_or(Extent::EMPTY.upto, |head| head.upto),
        };
        partitions.push((id, extent));
    }
    Ok(partitions)
}

fn all<T>(
    db: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let mut query = db.prepare(sql).map_err(classify)?;
    let rows = query.query_map([], read).map_err(classify)?;
    rows.collect::<rusqlite::Result<_>>().map_err(classify)
}

/// Numbers that the file holds as signed but that are never negative.
pub(crate) fn unsigned(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(at)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(at, number))
}

/// A block's head, from the columns of [`HEAD`].
pub(crate) fn head(row: &Row<'_>) -> rusqlite::Result<Head> {
    Ok(Head {
        last: last_offset(row.get(0)?),
        first: row.get(1)?,
        max_timestamp_ms: row.get(2)?,
        horizon_ms: row.get(3)?,
        bytes: unsigned(row, 4)?,
        upto: Upto {
            peak_ms: row.get(5)?,
            written: unsigned(row, 6)?,
        },
    })
}

/// The columns of a block's head, in the order in which [`head`] reads them.
pub(crate) const HEAD: &str =
    "id, first_offset, max_timestamp_ms, horizon_ms, bytes, peak_ms, written";
