//! The catalog of TimescaleDB: which chunk is a part of what.

use connect_core::{Error, Result};
use rustc_hash::FxHashSet;

use super::known::{Owner, Table};
use crate::{
    catalog::literal,
    wire::{Answer, Connection, Purpose, Row, Target},
};

const OWNERS: &str = "SELECT c.schema_name, c.table_name, h.schema_name, h.table_name, a.user_view_schema, a.user_view_name \
    FROM _timescaledb_catalog.chunk c JOIN _timescaledb_catalog.hypertable h ON h.id = c.hypertable_id \
    LEFT JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = h.id \
    WHERE (c.schema_name, c.table_name) IN ";

/// What these chunks are parts of, as far as the catalog has them. The connection is opened for this question: there are
/// few, when chunks are made.
pub(super) async fn owners(
    target: &Target,
    statements: &[String],
    chunks: &FxHashSet<Table>,
) -> Result<Vec<(Table, Owner)>> {
    let asked = ask(target, statements, &question(chunks)).await;
    let rows = asked.map_err(|why| {
        let what = format!("Failed to read TimescaleDB metadata: {why}");
        Error::new(why.code(), what).caused_by(why)
    })?;
    Ok(rows.iter().map(found).collect())
}

async fn ask(target: &Target, statements: &[String], sql: &str) -> Result<Vec<Row>> {
    let mut connection = Connection::open(target, Purpose::Query).await?;
    for statement in statements {
        connection.execute(statement).await?;
    }
    let rows = connection.query(sql).await?;
    connection.close().await;
    Ok(rows)
}

fn question(chunks: &FxHashSet<Table>) -> String {
    let pair = |chunk: &Table| format!("({},{})", literal(&chunk.schema), literal(&chunk.name));
    let pairs: Vec<String> = chunks.iter().map(pair).collect();
    format!("{OWNERS}({})", pairs.join(","))
}

fn found(row: &Row) -> (Table, Owner) {
    let table = |at| Table {
        schema: row.text(at).to_owned(),
        name: row.text(at + 1).to_owned(),
    };
    let owner = Owner {
        hypertable: table(2),
        aggregate: row.get(4).is_some_and(Option::is_some).then(|| table(4)),
    };
    (table(0), owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        let (schema, name) = ("s".to_owned(), "it's".to_owned());
        let sql = question(&[Table { schema, name }].into_iter().collect());
        assert!(sql.ends_with(" IN (('s','it''s'))"), "{sql}");
    }
}
