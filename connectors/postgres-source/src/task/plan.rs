//! Which tables a snapshot reads, in which order, and how.

use cdc::options::TableOrder;
use cdc::signal::{Execute, expand};
use connect_core::Result;

use super::{Compiler, Connection, Place, PostgresTask, Side};
use crate::{
    catalog::{self, TableInfo, Which},
    options::Locking,
    snapshot::Planned,
    wire::Answer,
};

impl PostgresTask {
    /// The tables of a snapshot, as they are in its own transaction.
    pub(super) async fn plan(
        &self,
        connection: &mut Connection,
        place: &mut Place,
        side: &mut Side,
    ) -> Result<Vec<Planned>> {
        let which = Which::Captured(&self.captured, &self.config);
        let mut tables = catalog::tables(connection, which).await?;
        tables.retain(|table| !table.columns.is_empty());
        let asked = place
            .snapshot
            .as_ref()
            .and_then(|p| Execute::of_data(p.only.as_deref()?));
        match &asked {
            None => tables.retain(|t| self.captured.in_snapshot(&t.schema, &t.name)),
            Some(asked) => self.pick(&mut tables, asked),
        }
        if self.config.snapshot_order != TableOrder::Disabled {
            self.sort(connection, &mut tables).await?;
            let progress = place.snapshot.get_or_insert_default();
            progress.read.get_or_insert_default();
        }
        let compiler = Compiler::new(&self.config, self.captured.clone());
        let oids: Vec<u32> = tables
            .iter()
            .flat_map(|t| &t.columns)
            .map(|column| column.type_oid)
            .collect();
        let customs = catalog::customs(side.connection().await?, &oids).await?;
        let planned = tables.into_iter().map(|mut info| {
            let table = compiler.compile(&info, &customs).into();
            info.select = match &asked {
                None => self.captured.select(&info.schema, &info.name).cloned(),
                Some(asked) => asked.statement(&info.full_name()),
            };
            // A statement of the user's has its own order.
            info.has_primary_key &= info.select.is_none();
            Planned { table, info }
        });
        Ok(planned.collect())
    }

    /// The tables that a signal names.
    fn pick(&self, tables: &mut Vec<TableInfo>, asked: &Execute) {
        tables.retain(|table| !self.captured.is_signals(&table.schema, &table.name));
        let names: Vec<String> = tables.iter().map(TableInfo::full_name).collect();
        let wanted = expand(&asked.collections, names.iter().map(String::as_str));
        for name in wanted.iter().filter(|name| !names.contains(name)) {
            tracing::warn!(table = %name, "nobody captures a table of this name");
        }
        tables.retain(|table| wanted.contains(&table.full_name()));
    }

    /// By the server's estimates of their rows.
    async fn sort(&self, connection: &mut Connection, tables: &mut [TableInfo]) -> Result<()> {
        let oids: Vec<String> = tables.iter().map(|table| table.oid.to_string()).collect();
        if oids.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "SELECT oid, reltuples::int8 FROM pg_catalog.pg_class WHERE oid IN ({})",
            oids.join(",")
        );
        let rows = connection.query(&sql).await?;
        let rows_of = |oid: u32| -> i64 {
            let row = rows.iter().find(|row| row.number(0) == Some(oid));
            row.and_then(|row| row.number(1)).unwrap_or(-1)
        };
        tables.sort_by_cached_key(|table| match self.config.snapshot_order {
            TableOrder::Descending => -rows_of(table.oid),
            TableOrder::Ascending | TableOrder::Disabled => rows_of(table.oid),
        });
        Ok(())
    }

    /// Keeps the tables from being altered, if that is wanted.
    pub(super) async fn lock(&self, connection: &mut Connection, plan: &[Planned]) -> Result<()> {
        if self.config.snapshot_locking != Locking::Shared || plan.is_empty() {
            return Ok(());
        }
        let names = plan.iter().map(|planned| planned.info.table_name());
        let names: Vec<String> = names.collect();
        let sql = format!(
            "SET LOCAL lock_timeout = {}; LOCK TABLE {} IN ACCESS SHARE MODE",
            self.config.snapshot_lock_timeout.0.as_millis(),
            names.join(", ")
        );
        connection.execute(&sql).await
    }
}
