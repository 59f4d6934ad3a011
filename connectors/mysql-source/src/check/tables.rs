//! The captured tables.

use connect_core::Result;
use rustc_hash::FxHashSet;

use super::{Look, few};
use crate::{
    catalog::TableInfo,
    error,
    wire::{Answer, Connection},
};

/// So many tables are tried to be read, one after the other.
const MOST_TRIED: usize = 500;

impl Look<'_> {
    pub(super) async fn tables(
        &mut self,
        connection: &mut Connection,
        tables: &[TableInfo],
    ) -> Result<()> {
        if tables.is_empty() {
            let what = "No table of the server passes the lists, or the user may not see any";
            self.warning("table.include.list", what);
            return Ok(());
        }
        self.keys(tables);
        self.named_keys(tables);
        self.readable(connection, tables).await?;
        self.engines(connection, tables).await
    }

    fn keys(&mut self, tables: &[TableInfo]) {
        let captured = &self.captured;
        let is_keyless = |table: &&TableInfo| {
            table.key.is_empty() && captured.key(&table.database, &table.name).is_none()
        };
        let keyless: Vec<&TableInfo> = tables.iter().filter(is_keyless).collect();
        if !keyless.is_empty() {
            let names = few(keyless.into_iter().map(TableInfo::full_name));
            let what = format!(
                "Tables without a primary key or a unique index of columns that are never null: {names}. Their records have no key; name one with message.key.columns"
            );
            self.warning("message.key.columns", what);
        }
    }

    /// Keys that rules name, and the table does not have.
    fn named_keys(&mut self, tables: &[TableInfo]) {
        let mut missing = Vec::new();
        for table in tables {
            let named = self
                .captured
                .key(&table.database, &table.name)
                .unwrap_or_default();
            let is_there = |name: &&String| {
                let mut columns = table.columns.iter();
                columns.any(|column| column.name.eq_ignore_ascii_case(name))
            };
            let gone = named.iter().filter(|name| !is_there(name));
            missing.extend(gone.map(|name| format!("{}.{name}", table.full_name())));
        }
        if !missing.is_empty() {
            let what = format!("There are no such columns: {}", few(missing));
            self.error("message.key.columns", what);
        }
    }

    async fn readable(&mut self, connection: &mut Connection, tables: &[TableInfo]) -> Result<()> {
        let mut denied = Vec::new();
        for table in tables.iter().take(MOST_TRIED) {
            let sql = format!("SELECT 1 FROM {} LIMIT 0", table.sql_name());
            match connection.query(&sql).await {
                Err(error) if error.code() == &error::PERMISSION => denied.push(table.full_name()),
                // What else is wrong with a table is told when it is read.
                _ => {}
            }
        }
        if !denied.is_empty() {
            let what = format!(
                "The user may not read {}: GRANT SELECT ON *.* TO {} (or on each of them)",
                few(denied),
                self.user
            );
            self.error("database.user", what);
        }
        Ok(())
    }

    /// A snapshot of tables without transactions is not of one moment.
    async fn engines(&mut self, connection: &mut Connection, tables: &[TableInfo]) -> Result<()> {
        let sql = "SELECT t.TABLE_SCHEMA, t.TABLE_NAME FROM information_schema.TABLES t \
            JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE WHERE e.TRANSACTIONS = 'NO'";
        let rows = connection.query(sql).await?;
        let others: FxHashSet<(&str, &str)> =
            rows.iter().map(|row| (row.text(0), row.text(1))).collect();
        let is_other =
            |table: &&TableInfo| others.contains(&(table.database.as_str(), table.name.as_str()));
        let found: Vec<String> = tables
            .iter()
            .filter(is_other)
            .map(TableInfo::full_name)
            .collect();
        if !found.is_empty() && self.config.policy().first {
            let what = format!(
                "Tables whose engine has no transactions: {}. What is written to them while a snapshot runs is read twice or in part; use InnoDB",
                few(found)
            );
            self.warning("table.include.list", what);
        }
        Ok(())
    }
}
