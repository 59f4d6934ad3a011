//! What a snapshot has to know before its first row is read.

use std::{collections::BTreeMap, sync::Arc};

use cdc::{
    options::TableOrder,
    snapshot::{Plan, Planned as _, Progress, Range, Report},
};
use connect_core::Result;

use super::{
    Planned,
    divide::{Extent, extents},
    key::{Key, keys},
    session::use_database,
};
use crate::{catalog::TableInfo, convert::Op, tables::Table, wire::Connection};

/// A plan, and what is known of its tables.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) plan: Plan<Planned>,
    pub(super) extents: BTreeMap<(String, String), Extent>,
    /// How many tables there are with those that are complete.
    all: usize,
}

impl Prepared {
    /// A plan for tables in their order, or in that of their sizes; of these, what the progress leaves.
    pub(super) async fn new(
        connection: &mut Connection,
        (tables, order): (Vec<(TableInfo, Arc<Table>)>, TableOrder),
        mut progress: Progress,
    ) -> Result<Self> {
        let mut tables = planned(connection, tables).await?;
        let names: Vec<(String, String)> = tables.iter().map(|table| table.names()).collect();
        let extents = extents(connection, &names).await?;
        let rows = |table: &Planned| extents.get(&table.names()).map_or(0, |extent| extent.rows);
        match order {
            TableOrder::Disabled => {}
            TableOrder::Ascending => tables.sort_by_key(rows),
            TableOrder::Descending => tables.sort_by_key(|table| std::cmp::Reverse(rows(table))),
        }
        if order != TableOrder::Disabled || !names.is_sorted() {
            progress.read.get_or_insert_default();
        }
        let all = tables.len();
        for table in &tables {
            refit(table, &mut progress);
        }
        tables.retain(|table| progress.misses(table.schema(), table.name()));
        Ok(Self {
            plan: Plan {
                last_with_rows: last_with_rows(connection, &tables).await?,
                tables: tables.into_iter().map(Arc::new).collect(),
                progress,
            },
            extents,
            all,
        })
    }

    /// Lets the report know.
    pub(super) fn announce(&self, report: &mut Report) {
        let left = self.plan.tables.iter().map(|table| table.full_name());
        let left: Vec<String> = left.collect();
        let estimate = self.extents.values().map(|extent| extent.rows).sum();
        report.begin(self.all, &left, (estimate, self.plan.progress.rows));
    }
}

async fn planned(
    connection: &mut Connection,
    tables: Vec<(TableInfo, Arc<Table>)>,
) -> Result<Vec<Planned>> {
    let read = |table: &Table| {
        table
            .columns
            .iter()
            .map(|column| column.op != Op::Skip)
            .collect()
    };
    let read: Vec<(&TableInfo, Vec<bool>)> = tables
        .iter()
        .map(|(info, table)| (info, read(table)))
        .collect();
    let keys = keys(connection, &read).await?;
    let all = tables.into_iter().zip(keys);
    Ok(all
        .map(|((info, table), key)| Planned { info, table, key })
        .collect())
}

/// Forgets what was read of a table in the order of another key than it has now.
fn refit(table: &Planned, progress: &mut Progress) {
    let fits = |key: &Key, range: &Range| match range {
        Range::Keys { after, upto } => key.fits(after) && key.fits(upto),
        Range::Whole | Range::Pages { .. } => key.columns.is_empty(),
    };
    let (schema, name) = (table.schema(), table.name());
    if !table.key.fits(progress.key_in(schema, name)) {
        progress.key.clear();
    }
    let is_it = |started: &&mut cdc::snapshot::Started| started.table == table.names();
    if let Some(started) = progress.started.iter_mut().find(is_it)
        && !started.left.iter().all(|range| fits(&table.key, range))
    {
        tracing::info!(table = %table.full_name(), "the key is another one now: the table is read from its start");
        started.left = vec![Range::behind(Vec::new())];
    }
}

/// The last table that has rows, seen in the snapshot's transaction.
async fn last_with_rows(connection: &mut Connection, tables: &[Planned]) -> Result<usize> {
    for (at, planned) in tables.iter().enumerate().rev() {
        use_database(connection, planned).await?;
        let from = match &planned.info.select {
            Some(select) => format!("({select}) AS selected"),
            None => planned.info.sql_name(),
        };
        let rows = connection
            .query(&format!("SELECT 1 FROM {from} LIMIT 1"))
            .await?;
        if !rows.is_empty() {
            return Ok(at);
        }
    }
    Ok(0)
}
