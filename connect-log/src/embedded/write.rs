//! Writing: one transaction per call.

use connect_core::Result;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::{
    error::classify,
    read::{LZ4, PLAIN},
    store::block_id,
};
use crate::local::{Block, Change, PartitionId, Upto};

/// A body below this is stored as it is: compression would save no page.
const MIN_LZ4_BYTES: usize = 2 << 10;

/// Makes all of it durable, or nothing of it.
pub(crate) fn write(db: &mut Connection, changes: &[Change]) -> Result<()> {
    // Dropped without a commit, it is rolled back.
    let transaction = db
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(classify)?;
    for change in changes {
        apply(&transaction, change)?;
    }
    transaction.commit().map_err(classify)
}

fn apply(db: &Transaction<'_>, change: &Change) -> Result<()> {
    match change {
        Change::Put {
            partition,
            block,
            upto,
            compress,
        } => return put(db, *partition, block, *upto, *compress),
        Change::Remove { partition, last } => {
            let id = block_id(*partition, *last)?;
            run(db, "DELETE FROM block WHERE id = ?", [id])
        }
        Change::Bounds { partition, extent } => run(
            db,
            "UPDATE partition SET first_offset = ?, next_offset = ? WHERE id = ?",
            params![extent.start, extent.end, partition],
        ),
        Change::Offset {
            group,
            at,
            offset: Some(offset),
        } => run(
            db,
            "INSERT INTO group_offset VALUES (?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset",
            params![group, &*at.topic, at.partition, offset],
        ),
        Change::Offset {
            group,
            at,
            offset: None,
        } => run(
            db,
            "DELETE FROM group_offset WHERE group_id = ? AND topic = ? AND number = ?",
            params![group, &*at.topic, at.partition],
        ),
        Change::ForgetGroup { group } => {
            run(db, "DELETE FROM group_offset WHERE group_id = ?", [group])
        }
        Change::Create {
            topic,
            name,
            settings,
            partitions,
        } => create(db, *topic, name, settings, partitions),
        Change::Alter { topic, settings } => run(
            db,
            "UPDATE topic SET settings = ? WHERE id = ?",
            params![settings, topic],
        ),
        Change::Delete { topic, name } => delete(db, *topic, name),
    }
    .map_err(classify)
}

fn put(
    db: &Transaction<'_>,
    partition: PartitionId,
    block: &Block,
    upto: Upto,
    compress: bool,
) -> Result<()> {
    let compressed = (compress && block.body.len() >= MIN_LZ4_BYTES)
        .then(|| lz4_flex::block::compress(&block.body))
        .filter(|compressed| compressed.len() < block.body.len());
    let (codec, stored) = match &compressed {
        Some(compressed) => (LZ4, compressed.as_slice()),
        None => (PLAIN, &block.body[..]),
    };
    let id = block_id(partition, block.last)?;
    run(
        db,
        "INSERT INTO block VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            id,
            block.first,
            block.count,
            block.max_timestamp_ms,
            upto.peak_ms,
            upto.written as i64,
            block.horizon_ms,
            block.body.len() as i64,
            codec,
            crc32c::crc32c(stored),
            stored,
        ],
    )
    .map_err(classify)
}

fn create(
    db: &Transaction<'_>,
    topic: i64,
    name: &str,
    settings: &str,
    partitions: &[PartitionId],
) -> rusqlite::Result<()> {
    let values = params![topic, name, settings];
    run(db, "INSERT INTO topic VALUES (?, ?, ?)", values)?;
    for (id, number) in partitions.iter().zip(0_i64..) {
        let values = params![id, topic, number];
        run(db, "INSERT INTO partition VALUES (?, ?, ?, 0, 0)", values)?;
    }
    Ok(())
}

/// The blocks are removed later, by [`sweep`].
fn delete(db: &Transaction<'_>, topic: i64, name: &str) -> rusqlite::Result<()> {
    run(db, "DELETE FROM topic WHERE id = ?", [topic])?;
    let orphan = "UPDATE partition SET topic = NULL WHERE topic = ?";
    run(db, orphan, [topic])?;
    run(db, "DELETE FROM group_offset WHERE topic = ?", [name])
}

/// Removes up to `max` blocks of deleted partitions, and those partitions that have none. Gives back whether more are left.
pub(crate) fn sweep(db: &mut Connection, max: usize) -> Result<bool> {
    let deleted = "SELECT id FROM partition WHERE topic IS NULL LIMIT 1";
    let mut query = db.prepare_cached(deleted).map_err(classify)?;
    let mut rows = query.query([]).map_err(classify)?;
    let Some(row) = rows.next().map_err(classify)? else {
        return Ok(false);
    };
    let partition: PartitionId = row.get(0).map_err(classify)?;
    drop(rows);
    drop(query);
    let range = (
        block_id(partition, 0)?,
        block_id(partition, crate::local::MAX_OFFSET)?,
    );
    let transaction = db
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(classify)?;
    let removed = transaction
        .prepare_cached(
            "DELETE FROM block WHERE id IN (SELECT id FROM block WHERE id BETWEEN ? AND ? LIMIT ?)",
        )
        .and_then(|mut delete| delete.execute(params![range.0, range.1, max as i64]))
        .map_err(classify)?;
    if removed < max {
        run(
            &transaction,
            "DELETE FROM partition WHERE id = ?",
            [partition],
        )
        .map_err(classify)?;
    }
    transaction.commit().map_err(classify)?;
    Ok(true)
}

fn run(db: &Connection, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.execute(values).map(drop)
}
