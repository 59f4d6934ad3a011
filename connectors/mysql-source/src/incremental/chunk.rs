//! The rows of a table behind a key, so many at a time.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use cdc::java::Part;
use connect_core::{Error, Result};

use super::order::Order;
use crate::{
    catalog::TableInfo,
    convert::Op,
    error, shown,
    tables::Table,
    wire::{Connection, is_end},
};

/// Invariant 4: a chunk holds no more than this, unless a single row is larger.
const CHUNK_BYTES: usize = 4 << 20;

/// A table, as it was when its last chunk was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Of<'a> {
    pub(super) info: &'a TableInfo,
    pub(super) table: &'a Table,
    pub(super) order: &'a Order,
    /// Which rows, as SQL.
    pub(super) condition: Option<&'a str>,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Lines {
    /// The rows as the server sent them, end to end.
    pub(super) bytes: Bytes,
    /// Where each lies.
    pub(super) rows: Vec<Range<usize>>,
    /// Whether there were more rows than fit.
    pub(super) is_cut: bool,
}

impl Lines {
    /// The last row.
    pub(super) fn last(&self) -> Option<&[u8]> {
        self.rows.last().map(|row| self.row(row))
    }

    fn row(&self, row: &Range<usize>) -> &[u8] {
        self.bytes.get(row.clone()).unwrap_or_default()
    }
}

/// The largest key; `None` for a table without rows.
pub(super) async fn maximum(connection: &mut Connection, of: Of<'_>) -> Result<Option<Vec<Part>>> {
    edge(connection, of, &[], (" DESC", 0)).await
}

/// The next rows: behind `last`, not behind `maximum`.
pub(super) async fn read(
    connection: &mut Connection,
    of: Of<'_>,
    (last, maximum): (Option<&[Part]>, &[Part]),
    limit: u64,
) -> Result<Lines> {
    let order = of.order;
    let behind = last.map(|last| order.after(last));
    let mut bounds: Vec<String> = behind.into_iter().collect();
    bounds.push(order.upto(maximum));
    if order.is_unique {
        let sql = select(of, &bounds, &format!(" LIMIT {limit}"));
        return lines(connection, &sql).await;
    }
    // Rows that are equal in a key that is none must not be torn apart: all are read that are not behind the last one.
    let end = edge(connection, of, &bounds, ("", limit.saturating_sub(1))).await?;
    bounds.extend(end.map(|end| order.upto(&end)));
    let mut lines = lines(connection, &select(of, &bounds, "")).await?;
    if lines.is_cut {
        keep_whole_keys(&mut lines, order)?;
    }
    Ok(lines)
}

/// The key of the row at a place in an order.
async fn edge(
    connection: &mut Connection,
    of: Of<'_>,
    bounds: &[String],
    (direction, nth): (&str, u64),
) -> Result<Option<Vec<Part>>> {
    let sql = format!(
        "SELECT {} FROM {}{} ORDER BY {} LIMIT 1 OFFSET {nth}",
        shown::columns(of.info, |at| of.order.has(at)),
        of.info.sql_name(),
        filter(bounds, of.condition),
        of.order.list(direction),
    );
    let lines = lines(connection, &sql).await?;
    let row = lines.rows.first();
    Ok(row.map(|row| of.order.key(lines.row(row))))
}

fn select(of: Of<'_>, bounds: &[String], limit: &str) -> String {
    let is_wanted = |at: u16| {
        let column = of.table.columns.get(usize::from(at));
        of.order.has(at) || column.is_some_and(|column| !matches!(column.op, Op::Skip))
    };
    format!(
        "SELECT {} FROM {}{} ORDER BY {}{limit}",
        shown::columns(of.info, is_wanted),
        of.info.sql_name(),
        filter(bounds, of.condition),
        of.order.list(""),
    )
}

fn filter(bounds: &[String], condition: Option<&str>) -> String {
    let condition = condition.map(|condition| format!("({condition})"));
    let all: Vec<&str> = (bounds.iter().chain(&condition))
        .map(String::as_str)
        .collect();
    match all.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", all.join(" AND ")),
    }
}

async fn lines(connection: &mut Connection, sql: &str) -> Result<Lines> {
    connection.select(sql).await?;
    let (mut bytes, mut rows, mut is_cut) = (BytesMut::new(), Vec::new(), false);
    loop {
        let payload = connection.packets().next().await?;
        if is_end(&payload)? {
            break;
        }
        is_cut |= !rows.is_empty() && bytes.len() + payload.len() > CHUNK_BYTES;
        if !is_cut {
            let start = bytes.len();
            bytes.extend_from_slice(&payload);
            rows.push(start..bytes.len());
        }
    }
    Ok(Lines {
        bytes: bytes.freeze(),
        rows,
        is_cut,
    })
}

/// Of rows that are equal in a key that is none, either all are in the chunk or none.
fn keep_whole_keys(lines: &mut Lines, order: &Order) -> Result<()> {
    let key = |row: &Range<usize>| order.key(lines.row(row));
    let torn = lines.rows.last().map(key);
    let whole = lines.rows.iter().rposition(|row| Some(key(row)) != torn);
    let Some(whole) = whole else {
        let what = "too many rows of a table are equal in the key that orders them";
        return Err(Error::new(&error::QUERY, what));
    };
    lines.rows.truncate(whole + 1);
    Ok(())
}
