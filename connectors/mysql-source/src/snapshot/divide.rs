//! Tables into parts, which several connections read at the same time.
//!
//! A large table is cut at keys. Where these begin with an integer, its range is halved again and again, always where the most
//! rows are by the estimates of the server: an estimate costs two looks into the index, so that cuts are cheap however large the
//! table and however the numbers lie. For other keys nobody can tell what lies in the middle of two of them, least of all in
//! the order of a collation: there the index is walked, which reads what the parts will read once more, but sends
//! nothing. The same is done where many rows share one number.

use std::collections::BTreeMap;

use cdc::snapshot::{Division, Part, Plan, Range};
use connect_core::Result;

use super::{Planned, key::Key, statement::condition};
use crate::{
    catalog::literal,
    wire::{Answer, Connection, Flavor},
};

/// Below this size a table is not cut.
const SMALL_BYTES: u64 = 1 << 20;
/// How many ranges of numbers are weighed for each part.
const RANGES_PER_PART: u64 = 4;
/// How many ranges more, for numbers that lie far apart.
const RANGES_BESIDE: u64 = 128;

/// What the server knows of a table without looking into it.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Extent {
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

/// What the server thinks of tables, by database and name.
pub(super) async fn extents(
    connection: &mut Connection,
    names: &[(String, String)],
) -> Result<BTreeMap<(String, String), Extent>> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    if connection.server().flavor == Flavor::MySql {
        // Else it may tell what it knew a day ago.
        connection
            .execute("SET SESSION information_schema_stats_expiry = 0")
            .await?;
    }
    let pairs = names.iter();
    let pairs =
        pairs.map(|(database, table)| format!("({}, {})", literal(database), literal(table)));
    let sql = format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_ROWS, DATA_LENGTH FROM information_schema.TABLES \
         WHERE (TABLE_SCHEMA, TABLE_NAME) IN ({})",
        pairs.collect::<Vec<_>>().join(", ")
    );
    let rows = connection.query(&sql).await?;
    let extent = |row: &crate::wire::Row| {
        let extent = Extent {
            rows: row.number(2).unwrap_or(0),
            bytes: row.number(3).unwrap_or(0),
        };
        ((row.text(0).to_owned(), row.text(1).to_owned()), extent)
    };
    Ok(rows.iter().map(extent).collect())
}

/// The parts of all tables, in their order.
pub(super) async fn divide(
    division: &Division,
    connection: &mut Connection,
    plan: &Plan<Planned>,
    extents: &BTreeMap<(String, String), Extent>,
) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for (table, planned) in plan.tables.iter().enumerate() {
        let names = (planned.info.database.clone(), planned.info.name.clone());
        let extent = extents.get(&names).copied().unwrap_or_default();
        let left = plan.progress.left_of(&names.0, &names.1);
        let ranges = match left.filter(|_| !planned.key.columns.is_empty()) {
            Some(left) if left.len() != 1 => left,
            left => {
                let rest = left.and_then(|left| left.into_iter().next());
                let rest = rest.unwrap_or_else(|| fresh(planned));
                let wanted = division.parts(&**planned);
                cut(connection, planned, extent, rest, wanted.into()).await?
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

/// All of a table of which nothing was read.
fn fresh(planned: &Planned) -> Range {
    match planned.key.columns.is_empty() {
        true => Range::Whole,
        false => Range::behind(Vec::new()),
    }
}

async fn cut(
    connection: &mut Connection,
    planned: &Planned,
    extent: Extent,
    range: Range,
    wanted: u64,
) -> Result<Vec<Range>> {
    let Range::Keys { after, upto } = range else {
        return Ok(vec![range]);
    };
    if extent.bytes < SMALL_BYTES || wanted < 2 {
        return Ok(vec![Range::Keys { after, upto }]);
    }
    let cuts = match planned.key.counts {
        true => cut_numbers(connection, planned, (&after, &upto), wanted).await?,
        false => {
            let step = extent.rows.div_ceil(wanted);
            walk(connection, planned, (&after, &upto), (step, wanted - 1)).await?
        }
    };
    Ok(between(after, cuts, upto))
}

/// The ranges between keys.
fn between(mut after: Vec<String>, cuts: Vec<Vec<String>>, upto: Vec<String>) -> Vec<Range> {
    let mut ranges = Vec::new();
    for cut in cuts {
        ranges.push(Range::Keys {
            after: std::mem::replace(&mut after, cut.clone()),
            upto: cut,
        });
    }
    ranges.push(Range::Keys { after, upto });
    ranges
}

/// Keys that have so many rows between them, at most so many of them; none behind which nothing lies.
async fn walk(
    connection: &mut Connection,
    planned: &Planned,
    (after, upto): (&[String], &[String]),
    (step, most): (u64, u64),
) -> Result<Vec<Vec<String>>> {
    let key = &planned.key;
    let mut cuts: Vec<Vec<String>> = Vec::new();
    while (cuts.len() as u64) < most {
        let range = Range::Keys {
            after: cuts.last().map_or(after, Vec::as_slice).to_vec(),
            upto: upto.to_vec(),
        };
        let sql = format!(
            "SELECT {} FROM {}{}{} ORDER BY {} LIMIT 2 OFFSET {}",
            key.shown(),
            planned.info.sql_name(),
            key.hint(),
            condition(key, &range),
            key.names(),
            step.max(1) - 1
        );
        let rows = connection.query(&sql).await?;
        let [cut, _behind] = rows.as_slice() else {
            break;
        };
        match cut.iter().cloned().collect::<Option<Vec<String>>>() {
            Some(values) => cuts.push(key.stored(values)),
            None => break,
        }
    }
    Ok(cuts)
}

/// Numbers behind the first up to the second, and how many rows have them by the server's estimate.
#[derive(Debug, Clone, Copy)]
struct Weighed {
    after: i128,
    upto: i128,
    rows: u64,
}

/// Keys that cut a range into parts of about the same number of rows.
async fn cut_numbers(
    connection: &mut Connection,
    planned: &Planned,
    (after, upto): (&[String], &[String]),
    wanted: u64,
) -> Result<Vec<Vec<String>>> {
    let key = &planned.key;
    let Some((least, most)) = ends(connection, planned).await? else {
        return Ok(Vec::new());
    };
    // Where a try has stopped within a number, the rest of that number is still to be read.
    let from = key.number(after).map_or(least - 1, |number| number - 1);
    let to = key.number(upto).map_or(most, |number| number.min(most));
    if to <= from {
        return Ok(Vec::new());
    }
    let ranges = weigh(connection, planned, (from, to), wanted).await?;
    let total: u64 = ranges.iter().map(|range| range.rows).sum();
    let share = (total / wanted).max(1);
    let mut cuts = Vec::new();
    let mut rows = 0;
    for range in &ranges {
        let is_one = range.upto - range.after == 1;
        if is_one && key.columns.len() > 1 && range.rows >= 2 * share {
            let within = (number(key, range.after), number(key, range.upto));
            let first = if range.after == from {
                after
            } else {
                &within.0
            };
            let most = range.rows / share;
            let cut = walk(connection, planned, (first, &within.1), (share, most)).await?;
            cuts.extend(cut);
        }
        rows += range.rows;
        // The last number is no cut: nothing would lie behind it.
        if rows >= share && range.upto < to {
            cuts.push(number(key, range.upto));
            rows = 0;
        }
    }
    Ok(cuts)
}

/// Everything up to a number.
fn number(key: &Key, number: i128) -> Vec<String> {
    key.stored(vec![number.to_string()])
}

/// The least and the greatest number; `None` when there are no rows.
async fn ends(connection: &mut Connection, planned: &Planned) -> Result<Option<(i128, i128)>> {
    let name = planned.key.first();
    let table = planned.info.sql_name();
    let sql = format!("SELECT MIN({name}), MAX({name}) FROM {table}");
    let rows = connection.query(&sql).await?;
    let row = rows.first();
    Ok(row.and_then(|row| row.number(0).zip(row.number(1))))
}

/// Halves a range of numbers where the most rows are, until none has many; gives the ranges in order.
async fn weigh(
    connection: &mut Connection,
    planned: &Planned,
    (from, to): (i128, i128),
    wanted: u64,
) -> Result<Vec<Weighed>> {
    let mut ranges = vec![Weighed {
        after: from,
        upto: to,
        rows: estimate(connection, planned, (from, to)).await?,
    }];
    for _ in 0..wanted * RANGES_PER_PART + RANGES_BESIDE {
        let total: u64 = ranges.iter().map(|range| range.rows).sum();
        let divisible = |range: &&Weighed| range.upto - range.after > 1;
        let heaviest = ranges
            .iter()
            .filter(divisible)
            .max_by_key(|range| range.rows);
        let Some(heaviest) = heaviest.copied() else {
            break;
        };
        if heaviest.rows.saturating_mul(wanted * RANGES_PER_PART) <= total {
            break;
        }
        let middle = heaviest.after + (heaviest.upto - heaviest.after) / 2;
        ranges.retain(|range| range.upto != heaviest.upto);
        for (after, upto) in [(heaviest.after, middle), (middle, heaviest.upto)] {
            let rows = estimate(connection, planned, (after, upto)).await?;
            ranges.push(Weighed { after, upto, rows });
        }
    }
    ranges.sort_by_key(|range| range.after);
    Ok(ranges)
}

/// How many rows have a number in a range, as the server thinks after two looks into the index.
async fn estimate(
    connection: &mut Connection,
    planned: &Planned,
    (after, upto): (i128, i128),
) -> Result<u64> {
    let (name, key) = (planned.key.first(), &planned.key);
    let (explain, at) = match connection.server().flavor {
        Flavor::MySql => ("EXPLAIN FORMAT=TRADITIONAL", 9),
        Flavor::MariaDb => ("EXPLAIN", 8),
    };
    let sql = format!(
        "{explain} SELECT {name} FROM {}{} WHERE {name} > {after} AND {name} <= {upto}",
        planned.info.sql_name(),
        key.hint()
    );
    let rows = connection.query(&sql).await?;
    Ok(rows.first().and_then(|row| row.number(at)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_lie_between_cuts_without_gaps() {
        let key = |text: &str| vec![text.to_owned()];
        let ranges = between(Vec::new(), vec![key("3"), key("7")], key("9"));
        let [first, second, third] = ranges.as_slice() else {
            panic!("{ranges:?}");
        };
        assert!(first.opens() && !third.closes());
        assert_eq!(
            first.joined(second),
            Some(Range::Keys {
                after: Vec::new(),
                upto: key("7")
            })
        );
        assert!(second.joined(third).is_some());
        assert_eq!(between(key("1"), Vec::new(), key("2")).len(), 1);
    }
}
