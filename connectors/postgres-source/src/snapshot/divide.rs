//! Tables into parts, which several connections read at the same time.
//!
//! A table with a key is cut at keys: those of some of its pages, taken by chance and sorted by the server, tell where. So
//! no part is much larger than another however the keys lie, whatever their types and however many columns they have, and
//! finding them costs a few hundred pages whatever the table's size. A table without a key is cut at pages.

use std::{collections::BTreeMap, sync::Arc};

use cdc::snapshot::{Division, Part, Plan};
use connect_core::Result;

use super::{
    Planned,
    statement::{condition, key_names, order},
};
use crate::{
    catalog::TableInfo,
    config::PostgresConfig,
    position::Range,
    wire::{Answer, Connection, Row},
};

/// Below this size a table is not cut.
const SMALL_PAGES: u64 = 64;
/// A part of pages has no more than these, so that little is read again after a restart.
const PART_PAGES: u64 = 4096;
/// How many pages are looked at for each part of a table with a key.
const PAGES_PER_PART: u64 = 32;
/// Parts of pages can be read for themselves since this version.
const PAGE_RANGES_SINCE: u32 = 14;

/// What the server knows of a table without looking into it.
#[derive(Debug, Default, Clone, Copy)]
struct Extent {
    pages: u64,
    /// The file of its pages.
    file: u32,
    /// Whether it has pages of its own, and not only its partitions.
    has_pages: bool,
    /// Whether other tables inherit from it, whose rows are its too; their keys may be equal, and null.
    is_inherited: bool,
}

/// As configured.
pub(crate) fn division(config: &PostgresConfig) -> Division {
    let (threads, parts) = (config.snapshot_threads.0, config.snapshot_parts.0);
    Division::new(threads, parts, config.legacy_threads, &config.rest)
}

/// The parts of all tables, in their order.
pub(super) async fn divide(
    division: &Division,
    connection: &mut Connection,
    plan: &Plan<Planned>,
) -> Result<Vec<Part>> {
    let extents = extents(connection, &plan.tables).await?;
    let mut parts = Vec::new();
    for (table, planned) in plan.tables.iter().enumerate() {
        let info = &planned.info;
        let extent = extents.get(&info.oid).copied().unwrap_or_default();
        let fresh = fresh(info, extent, connection.server_version());
        let left = plan.progress.left_of(&info.schema, &info.name);
        let left = left.filter(|left| fits(left, &fresh, info));
        let ranges = match left {
            Some(left) if left.len() != 1 => left,
            left => {
                let rest = left.and_then(|left| left.into_iter().next());
                let wanted = division.parts(&**planned);
                cut(connection, info, extent, rest.unwrap_or(fresh), wanted).await?
            }
        };
        let of = u32::try_from(ranges.len()).unwrap_or(u32::MAX);
        parts.extend((0..).zip(ranges).map(|(index, range)| Part {
            table,
            index,
            of,
            range,
        }));
    }
    Ok(parts)
}

async fn cut(
    connection: &mut Connection,
    info: &TableInfo,
    extent: Extent,
    range: Range,
    wanted: u32,
) -> Result<Vec<Range>> {
    if extent.pages < SMALL_PAGES || wanted < 2 {
        return Ok(vec![range]);
    }
    match range {
        Range::Keys { after, upto } if !extent.is_inherited => {
            cut_keys(connection, info, extent.pages, (after, upto), wanted).await
        }
        Range::Pages { file, from, to } => {
            let parts = cut_pages(file, (from, to), extent.pages, wanted);
            without_empty_ends(connection, info, parts).await
        }
        whole => Ok(vec![whole]),
    }
}

async fn extents(
    connection: &mut Connection,
    plan: &[Arc<Planned>],
) -> Result<BTreeMap<u32, Extent>> {
    let oids: Vec<String> = plan.iter().map(|one| one.info.oid.to_string()).collect();
    if oids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = format!(
        "SELECT c.oid, (CASE c.relkind WHEN 'p' THEN \
         (SELECT coalesce(sum(pg_catalog.pg_relation_size(t.relid)), 0) \
          FROM pg_catalog.pg_partition_tree(c.oid) t WHERE t.isleaf) \
         ELSE pg_catalog.pg_relation_size(c.oid) END)::int8 / pg_catalog.current_setting('block_size')::int8, \
         coalesce(pg_catalog.pg_relation_filenode(c.oid), 0), c.relkind = 'r', \
         c.relkind = 'r' AND EXISTS (SELECT 1 FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid) \
         FROM pg_catalog.pg_class c WHERE c.oid IN ({})",
        oids.join(",")
    );
    let extent = |row: &Row| {
        let extent = Extent {
            pages: row.number(1).unwrap_or(0),
            file: row.number(2).unwrap_or(0),
            has_pages: row.is_true(3),
            is_inherited: row.is_true(4),
        };
        Some((row.number(0)?, extent))
    };
    let rows = connection.query(&sql).await?;
    Ok(rows.iter().filter_map(extent).collect())
}

/// All of a table of which nothing was read.
fn fresh(info: &TableInfo, extent: Extent, server_version: u32) -> Range {
    let has_key = !order(info).is_empty();
    let has_pages = extent.has_pages && !extent.is_inherited && extent.file != 0;
    match info.select {
        None if has_key => Range::behind(Vec::new()),
        None if has_pages && server_version >= PAGE_RANGES_SINCE => Range::Pages {
            file: extent.file,
            from: 0,
            to: None,
        },
        _ => Range::Whole,
    }
}

/// Whether what is left of a table can still be told: it has the same key, or the same pages, in which a row that was
/// changed meanwhile has come whole in the stream.
fn fits(left: &[Range], fresh: &Range, info: &TableInfo) -> bool {
    let columns = order(info).len();
    let fits = |range: &Range| match (range, fresh) {
        (Range::Keys { after, upto }, Range::Keys { .. }) => {
            let fits = |key: &[String]| key.is_empty() || key.len() == columns;
            fits(after) && fits(upto)
        }
        (Range::Pages { file, .. }, Range::Pages { file: now, .. }) => {
            file == now && info.replica_identity != b'i'
        }
        _ => false,
    };
    !left.is_empty() && left.iter().all(fits)
}

/// Cuts a range of keys into parts of about the same number of rows.
async fn cut_keys(
    connection: &mut Connection,
    info: &TableInfo,
    pages: u64,
    (mut after, upto): (Vec<String>, Vec<String>),
    wanted: u32,
) -> Result<Vec<Range>> {
    let sample = u64::from(wanted) * PAGES_PER_PART;
    // In thousandths of a percent.
    let share = (sample * 100_000 / pages.max(1)).clamp(1, 100_000);
    let (keys, table) = (key_names(info), info.table_name());
    let range = Range::Keys {
        after: after.clone(),
        upto: upto.clone(),
    };
    let condition = match condition(info, &range) {
        all if all.is_empty() => all,
        some => format!(" WHERE {some}"),
    };
    // The largest is no cut: nothing would lie behind it.
    let sql = format!(
        "SELECT {keys} FROM (SELECT {keys}, row_number() OVER (ORDER BY {keys}) AS \" row\", count(*) OVER () AS \" rows\" \
         FROM {table} TABLESAMPLE SYSTEM ({}.{:03}){condition}) AS sample \
         WHERE \" row\" < \" rows\" AND \" row\" * {wanted} / \" rows\" > (\" row\" - 1) * {wanted} / \" rows\" \
         ORDER BY \" row\"",
        share / 1000,
        share % 1000
    );
    let mut parts = Vec::new();
    for row in connection.query(&sql).await? {
        let Some(cut) = row.into_iter().collect::<Option<Vec<String>>>() else {
            continue;
        };
        parts.push(Range::Keys {
            after: std::mem::replace(&mut after, cut.clone()),
            upto: cut,
        });
    }
    parts.push(Range::Keys { after, upto });
    Ok(parts)
}

/// Cuts a range of pages into parts of the same size.
fn cut_pages(file: u32, (from, to): (u32, Option<u32>), pages: u64, wanted: u32) -> Vec<Range> {
    let end = to.map_or(pages, u64::from).max(u64::from(from) + 1);
    let len = end - u64::from(from);
    let step = len.div_ceil(u64::from(wanted)).clamp(1, PART_PAGES);
    let mut parts = Vec::new();
    let mut at = from;
    loop {
        let next = u64::from(at) + step;
        match u32::try_from(next) {
            Ok(next) if u64::from(next) < end => {
                parts.push(Range::Pages {
                    file,
                    from: at,
                    to: Some(next),
                });
                at = next;
            }
            _ => break,
        }
    }
    parts.push(Range::Pages { file, from: at, to });
    parts
}

/// Parts of which the first and the last have rows, so that it is known who reads the first and the last row of the table.
async fn without_empty_ends(
    connection: &mut Connection,
    info: &TableInfo,
    parts: Vec<Range>,
) -> Result<Vec<Range>> {
    let mut last = parts.len().saturating_sub(1);
    while last > 0 && !has_rows(connection, info, &parts[last]).await? {
        last -= 1;
    }
    let mut first = 0;
    while first < last && !has_rows(connection, info, &parts[first]).await? {
        first += 1;
    }
    let mut joined: Vec<Range> = Vec::new();
    for (at, part) in parts.into_iter().enumerate() {
        let is_empty = at > last || (at > 0 && at <= first);
        match joined.last_mut().and_then(|before| before.joined(&part)) {
            Some(both) if is_empty => {
                joined.pop();
                joined.push(both);
            }
            _ => joined.push(part),
        }
    }
    Ok(joined)
}

async fn has_rows(connection: &mut Connection, info: &TableInfo, range: &Range) -> Result<bool> {
    let condition = match condition(info, range) {
        all if all.is_empty() => all,
        some => format!(" WHERE {some}"),
    };
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM {}{condition})",
        info.table_name()
    );
    let rows = connection.query(&sql).await?;
    Ok(rows.first().is_some_and(|row| row.is_true(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::tests::info;

    fn bounds(parts: &[Range]) -> Vec<(u32, Option<u32>)> {
        let bound = |range: &Range| match range {
            Range::Pages { from, to, .. } => Some((*from, *to)),
            _ => None,
        };
        parts.iter().filter_map(bound).collect()
    }

    #[test]
    fn pages_are_cut_without_gaps() {
        let cut = |from, to, pages, wanted| bounds(&cut_pages(1, (from, to), pages, wanted));
        assert_eq!(cut(0, None, 100, 2), [(0, Some(50)), (50, None)]);
        assert_eq!(cut(7, Some(9), 100, 4), [(7, Some(8)), (8, Some(9))]);
        assert_eq!(cut(0, None, 0, 4), [(0, None)]);
        assert_eq!(cut(u32::MAX - 1, None, 5, 2), [(u32::MAX - 1, None)]);
        let large = cut(0, None, 20_000, 2);
        assert_eq!((large.len(), large[4]), (5, (16_384, None)));
    }

    #[test]
    fn what_was_left_is_believed_only_of_the_same_table() {
        let pages = |file| Range::Pages {
            file,
            from: 8,
            to: None,
        };
        let with = |identity: u8| TableInfo {
            replica_identity: identity,
            ..info("s", "t")
        };
        assert!(fits(&[pages(1)], &pages(1), &with(b'f')));
        assert!(!fits(&[pages(1)], &pages(2), &with(b'f')));
        assert!(!fits(&[pages(1)], &pages(1), &with(b'i')));
        let key = |columns: usize| Range::behind(vec!["1".to_owned(); columns]);
        assert!(fits(&[key(0)], &key(0), &with(b'd')));
        assert!(!fits(&[key(1)], &key(0), &with(b'd')));
        assert!(!fits(&[key(0)], &Range::Whole, &with(b'd')));
        assert!(!fits(&[], &key(0), &with(b'd')));
    }
}
