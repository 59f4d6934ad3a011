//! Reading blocks.

use bytes::Bytes;
use connect_core::Result;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row};

use super::{
    error::{classify, damaged},
    store::{HEAD, block_id, head, last_offset},
};
use crate::local::{Block, Head, PartitionId};

/// A stored body as it is.
pub(crate) const PLAIN: i64 = 0;
/// A stored body is an LZ4 block.
pub(crate) const LZ4: i64 = 1;
/// LZ4 makes nothing smaller than this part of it: a body that claims more is damaged.
const MAX_LZ4_RATIO: usize = 256;

const BODY: &str =
    "id, first_offset, records, max_timestamp_ms, horizon_ms, bytes, codec, crc32c, body";

/// The blocks that hold the records from an offset on.
pub(crate) fn blocks(
    db: &Connection,
    of: PartitionId,
    from: i64,
    max_bytes: usize,
) -> Result<Vec<Block>> {
    let mut query = prepared(
        db,
        &format!("SELECT {BODY} FROM block WHERE id BETWEEN ? AND ? ORDER BY id"),
    )?;
    let range = range(of, from)?;
    let mut rows = query.query(range).map_err(classify)?;
    let (mut blocks, mut bytes) = (Vec::new(), 0);
    while bytes < max_bytes
        && let Some(row) = rows.next().map_err(classify)?
    {
        let block = block(row)?;
        bytes += block.body.len();
        blocks.push(block);
    }
    Ok(blocks)
}

/// The heads of blocks from an offset on.
pub(crate) fn heads(db: &Connection, of: PartitionId, from: i64, max: usize) -> Result<Vec<Head>> {
    let (first, last) = range(of, from)?;
    let max = i64::try_from(max).unwrap_or(i64::MAX);
    let mut query = prepared(
        db,
        &format!("SELECT {HEAD} FROM block WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"),
    )?;
    let rows = query
        .query_map((first, last, max), head)
        .map_err(classify)?;
    rows.collect::<rusqlite::Result<_>>().map_err(classify)
}

/// The head of a partition's last block.
pub(crate) fn newest(db: &Connection, of: PartitionId) -> Result<Option<Head>> {
    let mut query = prepared(
        db,
        &format!("SELECT {HEAD} FROM block WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1"),
    )?;
    let newest = query.query_row(range(of, 0)?, head).optional();
    newest.map_err(classify)
}

/// The first block that has seen a time. `peak_ms` never falls, so it is found by halving; what made it rise may have been deleted,
/// so the caller must look on.
pub(crate) fn reaching(db: &Connection, of: PartitionId, time_ms: i64) -> Result<Option<Block>> {
    let Some(newest) = newest(db, of)? else {
        return Ok(None);
    };
    if newest.upto.peak_ms < time_ms {
        return Ok(None);
    }
    let (mut low, mut high) = (0, newest.last);
    while low < high {
        let middle = low + (high - low) / 2;
        let Some(at) = heads(db, of, middle, 1)?.first().copied() else {
            break;
        };
        if at.upto.peak_ms >= time_ms {
            high = middle;
        } else {
            low = at.last + 1;
        }
    }
    Ok(blocks(db, of, low, 1)?.into_iter().next())
}

fn range(of: PartitionId, from: i64) -> Result<(i64, i64)> {
    let from = from.clamp(0, crate::local::MAX_OFFSET);
    Ok((block_id(of, from)?, block_id(of, crate::local::MAX_OFFSET)?))
}

fn prepared<'a>(db: &'a Connection, sql: &str) -> Result<CachedStatement<'a>> {
    db.prepare_cached(sql).map_err(classify)
}

pub(super) fn block(row: &Row<'_>) -> Result<Block> {
    let get = |at: usize| row.get::<_, i64>(at).map_err(classify);
    let stored = row
        .get_ref(8)
        .map_err(classify)?
        .as_blob()
        .map_err(|e| damaged("a block of the log is damaged").caused_by(e))?;
    if i64::from(crc32c::crc32c(stored)) != get(7)? {
        return Err(damaged("the checksum of a block of the log is wrong"));
    }
    Ok(Block {
        last: last_offset(get(0)?),
        first: get(1)?,
        count: u32::try_from(get(2)?)
            .map_err(|e| damaged("a block's count is damaged").caused_by(e))?,
        max_timestamp_ms: get(3)?,
        horizon_ms: row.get(4).map_err(classify)?,
        body: body(stored, get(5)?, get(6)?)?,
    })
}

fn body(stored: &[u8], bytes: i64, codec: i64) -> Result<Bytes> {
    let bytes =
        usize::try_from(bytes).map_err(|e| damaged("a block's length is damaged").caused_by(e))?;
    match codec {
        PLAIN => Ok(Bytes::copy_from_slice(stored)),
        LZ4 if bytes <= stored.len().saturating_mul(MAX_LZ4_RATIO) => {
            let body = lz4_flex::block::decompress(stored, bytes)
                .map_err(|e| damaged("a block cannot be decompressed").caused_by(e))?;
            Ok(Bytes::from(body))
        }
        _ => Err(damaged("a block's codec is damaged")),
    }
}
