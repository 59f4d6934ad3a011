//! What the catalog knows of tables beyond their Relation messages: keys, defaults, nullability, types.

use std::time::Duration;

use connect_core::{Error, Result};
use rustc_hash::FxHashMap;
use tokio::time::{Instant, sleep};

use crate::{
    captured::Captured,
    config::PostgresConfig,
    error,
    seen::Seen,
    types::{Custom, Customs, oid::FIRST_CUSTOM},
    wire::{Answer, Connection, Row},
};

/// How long a commit may take from the log to the eyes of others. Only one that waits for a synchronous standby takes longer.
const VISIBLE_AFTER: Duration = Duration::from_secs(1);
/// How often it is looked for.
const GLANCE: Duration = Duration::from_millis(2);

/// A table as the catalog has it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableInfo {
    /// Its oid: the relation id of the stream.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its columns in order.
    pub columns: Vec<ColumnInfo>,
    /// The columns of its primary key, else of its first unique index; may be empty.
    pub key: Vec<String>,
    /// Whether `key` is the primary key.
    pub has_primary_key: bool,
    /// `d`, `n`, `f` or `i`.
    pub replica_identity: u8,
    /// The statement that gives its rows in a snapshot, where that is not the table itself.
    pub select: Option<String>,
    /// Whether the stream has told its columns.
    pub streamed: bool,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// Its type.
    pub type_oid: u32,
    /// Its type's modifier, or -1.
    pub modifier: i32,
    /// The name of its type, as the JDBC driver tells it: a sequence of its own makes an integer a `serial`.
    pub source_type: String,
    /// Its type in SQL, for casts.
    pub type_name: String,
    /// Whether it is declared NOT NULL.
    pub required: bool,
    /// Its default as SQL.
    pub default: Option<String>,
}

/// Which tables to look up.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which<'a> {
    /// All that the filters pass.
    Captured(&'a Captured, &'a PostgresConfig),
    /// One.
    Oid(u32),
    /// All that the filters pass, whether they have rows of their own or not.
    All(&'a Captured),
    /// One, as `schema.table`.
    Named(&'a str),
}

const TABLES: &str = "SELECT c.oid, n.nspname, c.relname, c.relreplident, c.relispartition, c.relkind \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p')";

/// Waits until others see what a committed transaction has done. The server sends a transaction when its commit is logged, which
/// is a moment before that: the catalog would still tell of the tables before it. Gives what is visible now; `None` on a
/// standby, whose snapshots do not say which transactions run.
pub(crate) async fn wait_to_see(connection: &mut Connection, xid: u32) -> Result<Option<Seen>> {
    let started = Instant::now();
    let sql = "SELECT pg_catalog.txid_current_snapshot(), pg_catalog.pg_is_in_recovery()";
    loop {
        let rows = connection.query(sql).await?;
        let standby = rows.first().is_none_or(|row| row.is_true(1));
        let seen = rows
            .first()
            .and_then(|row| row.text(0).parse::<Seen>().ok());
        let visible = seen.as_ref().is_none_or(|seen| seen.sees(xid));
        if visible || started.elapsed() >= VISIBLE_AFTER {
            return Ok(seen.filter(|_| !standby));
        }
        sleep(GLANCE).await;
    }
}

/// Tables, ordered by schema and name.
pub(crate) async fn tables(
    connection: &mut Connection,
    which: Which<'_>,
) -> Result<Vec<TableInfo>> {
    let filter = match which {
        Which::Oid(oid) => format!(" AND c.oid = {oid}"),
        Which::Named(name) => format!(" AND n.nspname || '.' || c.relname = {}", literal(name)),
        Which::Captured(..) | Which::All(_) => " AND c.relpersistence = 'p'".to_owned(),
    };
    // The order of bytes, which is the order in which a snapshot goes on after a restart.
    let order = " ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\"";
    let rows = connection
        .query(&format!("{TABLES}{filter}{order}"))
        .await?;
    let mut tables: Vec<TableInfo> = rows
        .iter()
        .filter(|row| is_wanted(row, which))
        .map(table)
        .collect::<Result<_>>()?;
    if tables.is_empty() {
        return Ok(tables);
    }
    let oids: Vec<String> = tables.iter().map(|table| table.oid.to_string()).collect();
    let oids = oids.join(",");
    add_columns(connection, &oids, &mut tables).await?;
    add_keys(connection, &oids, &mut tables).await?;
    Ok(tables)
}

/// Rows of a partitioned table come from its leaves, or, published through their root, from the root.
fn is_wanted(row: &Row, which: Which<'_>) -> bool {
    let (captured, config) = match which {
        Which::Captured(captured, config) => (captured, config),
        Which::All(captured) => return captured.table(row.text(1), row.text(2)),
        Which::Oid(_) | Which::Named(_) => return true,
    };
    let (is_partition, is_root) = (row.is_true(4), row.text(5) == "p");
    let has_rows = if config.via_partition_root {
        !is_partition
    } else {
        !is_root
    };
    has_rows && captured.table(row.text(1), row.text(2))
}

fn table(row: &Row) -> Result<TableInfo> {
    Ok(TableInfo {
        oid: number(row, 0)?,
        schema: row.text(1).to_owned(),
        name: row.text(2).to_owned(),
        columns: Vec::new(),
        key: Vec::new(),
        has_primary_key: false,
        replica_identity: row.text(3).bytes().next().unwrap_or(b'd'),
        select: None,
        streamed: false,
    })
}

async fn add_columns(
    connection: &mut Connection,
    oids: &str,
    tables: &mut [TableInfo],
) -> Result<()> {
    let sql = format!(
        "SELECT a.attrelid, a.attname, a.atttypid, a.atttypmod, \
         pg_catalog.format_type(a.atttypid, a.atttypmod), \
         a.attnotnull OR t.typtype = 'd' AND t.typnotnull, \
         pg_catalog.pg_get_expr(d.adbin, d.adrelid), t.typname \
         FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
         LEFT JOIN pg_catalog.pg_attrdef d \
         ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated = '' \
         WHERE a.attrelid IN ({oids}) AND a.attnum > 0 AND NOT a.attisdropped \
         ORDER BY a.attrelid, a.attnum"
    );
    let places = places(tables);
    for row in connection.query(&sql).await? {
        let oid: u32 = number(&row, 0)?;
        let Some(table) = places.get(&oid).and_then(|at| tables.get_mut(*at)) else {
            continue;
        };
        table.columns.push(ColumnInfo {
            name: row.text(1).to_owned(),
            type_oid: number(&row, 2)?,
            modifier: number(&row, 3)?,
            source_type: source_type(row.text(7), row.text(6)),
            type_name: row.text(4).to_owned(),
            required: row.is_true(5),
            default: row.get(6).cloned().flatten(),
        });
    }
    Ok(())
}

/// Where each table is.
fn places(tables: &[TableInfo]) -> FxHashMap<u32, usize> {
    let place = |(at, table): (usize, &TableInfo)| (table.oid, at);
    tables.iter().enumerate().map(place).collect()
}

fn source_type(name: &str, default: &str) -> String {
    let serial = SERIALS.iter().find(|(plain, _)| *plain == name);
    match serial.filter(|_| default.starts_with("nextval(")) {
        Some((_, serial)) => (*serial).to_owned(),
        None => name.to_owned(),
    }
}

/// Integers, and what they are called with a sequence.
pub(crate) const SERIALS: [(&str, &str); 3] = [
    ("int2", "smallserial"),
    ("int4", "serial"),
    ("int8", "bigserial"),
];

async fn add_keys(connection: &mut Connection, oids: &str, tables: &mut [TableInfo]) -> Result<()> {
    let sql = format!(
        "SELECT i.indrelid, i.indisprimary, i.indexrelid, a.attname \
         FROM pg_catalog.pg_index i \
         CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place) \
         JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum \
         JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid \
         WHERE i.indrelid IN ({oids}) AND i.indisunique AND i.indisvalid AND i.indimmediate \
         AND i.indpred IS NULL AND i.indexprs IS NULL AND (k.place <= i.indnkeyatts OR NOT i.indisprimary) \
         ORDER BY i.indrelid, i.indisprimary DESC, x.relname, k.place"
    );
    let places = places(tables);
    let mut index_of = (0u32, 0u32);
    for row in connection.query(&sql).await? {
        let (oid, index): (u32, u32) = (number(&row, 0)?, number(&row, 2)?);
        // The first index of each table is the one.
        if index_of.0 != oid {
            index_of = (oid, index);
        }
        if index_of != (oid, index) {
            continue;
        }
        if let Some(table) = places.get(&oid).and_then(|at| tables.get_mut(*at)) {
            table.has_primary_key = row.is_true(1);
            table.key.push(row.text(3).to_owned());
        }
    }
    Ok(())
}

/// The types among `oids`, and those that they are made of, that are not the server's own.
pub(crate) async fn customs(connection: &mut Connection, oids: &[u32]) -> Result<Customs> {
    let wanted: Vec<String> = oids
        .iter()
        .filter(|oid| **oid >= FIRST_CUSTOM)
        .map(u32::to_string)
        .collect();
    if wanted.is_empty() {
        return Ok(Customs::default());
    }
    let sql = format!(
        "WITH RECURSIVE wanted(oid) AS (SELECT unnest(ARRAY[{}]::oid[]) UNION \
         SELECT inner_oid FROM wanted w JOIN pg_catalog.pg_type t ON t.oid = w.oid \
         CROSS JOIN LATERAL (VALUES (t.typbasetype), (t.typelem)) v(inner_oid) WHERE inner_oid >= {FIRST_CUSTOM}) \
         SELECT t.oid, t.typname, t.typtype, t.typbasetype, t.typtypmod, \
         CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END, \
         (SELECT pg_catalog.json_agg(e.enumlabel ORDER BY e.enumsortorder) \
          FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid) \
         FROM wanted w JOIN pg_catalog.pg_type t ON t.oid = w.oid",
        wanted.join(",")
    );
    connection.query(&sql).await?.iter().map(custom).collect()
}

fn custom(row: &Row) -> Result<(u32, Custom)> {
    let item: u32 = number(row, 5)?;
    let custom = match row.text(2) {
        "e" => Custom::Enum(serde_json::from_str(row.text(6)).unwrap_or_default()),
        "d" => Custom::Domain(number(row, 3)?, number(row, 4)?),
        _ if item != 0 => Custom::Array(item),
        _ => Custom::Named(row.text(1).to_owned()),
    };
    Ok((number(row, 0)?, custom))
}

fn number<N: std::str::FromStr>(row: &Row, at: usize) -> Result<N> {
    row.number(at).ok_or_else(|| {
        Error::new(
            &error::PROTOCOL,
            "the catalog gave something that is no number",
        )
        .context("column", at)
    })
}

/// A name in SQL.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text in SQL.
pub(crate) fn literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if doubled.contains('\\') {
        format!(" E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

impl TableInfo {
    /// `schema.table`, as in filters and positions.
    pub(crate) fn full_name(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// What stands behind FROM: schema and name in SQL, or the statement.
    pub(crate) fn sql_name(&self) -> String {
        if let Some(select) = &self.select {
            return format!("({select}) AS selected");
        }
        self.table_name()
    }

    /// Schema and name in SQL.
    pub(crate) fn table_name(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_are_quoted() {
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\'b"), " E'a\\\\''b'");
    }
}
