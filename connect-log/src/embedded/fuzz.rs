//! Stored blocks without their file: for fuzzing only, no part of the interface.

use std::sync::Arc;

use connect_core::{Encoded, Result};
pub use rusqlite::Connection;

use super::{error::classify, read};
use crate::local::{Block, Copying};

/// What a row of the table `block` says, besides the checksum.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a> {
    /// The id; its lower bits are the last offset.
    pub id: i64,
    /// The first offset.
    pub first: i64,
    /// How many records.
    pub records: i64,
    /// How many bytes the body has.
    pub bytes: i64,
    /// How it is stored.
    pub codec: i64,
    /// The body.
    pub body: &'a [u8],
}

/// Reads a stored block whose checksum is right, and everything in it.
pub fn block(db: &Connection, stored: Stored<'_>) -> Result<Encoded> {
    let mut query = db
        .prepare_cached("SELECT ?1, ?2, ?3, 0, NULL, ?4, ?5, ?6, ?7")
        .map_err(classify)?;
    let crc = crc32c::crc32c(stored.body);
    let Stored {
        id,
        first,
        records,
        bytes,
        codec,
        body,
    } = stored;
    let values = (id, first, records, bytes, codec, crc, body);
    let mut rows = query.query(values).map_err(classify)?;
    let mut out = Encoded::default();
    if let Some(row) = rows.next().map_err(classify)? {
        everything(&read::block(row)?, &mut out)?;
    }
    Ok(out)
}

/// A database in memory for [`block`].
pub fn connection() -> Result<Connection> {
    Connection::open_in_memory().map_err(classify)
}

fn everything(block: &Block, out: &mut Encoded) -> Result<()> {
    for entry in block.entries() {
        entry?;
    }
    let topic = Arc::from("t");
    let mut ask = Copying {
        topic: &topic,
        partition: 0,
        cursor: None,
        from: block.first,
        max: 3,
        max_bytes: 1 << 20,
    };
    loop {
        let before = out.len();
        let (cursor, _) = block.copy_to(ask, out)?;
        if out.len() == before {
            return Ok(());
        }
        ask.cursor = Some(cursor);
    }
}
