//! The captured tables: whether there are any, can be read, and can be published without harm.

use cdc::options::signal_table;
use connect_core::{Result, config::List};

use super::{Look, names, statements};
use crate::{
    catalog::{TableInfo, literal, quoted},
    wire::{Answer, Connection},
};

impl Look<'_> {
    pub(super) async fn tables(
        &mut self,
        connection: &mut Connection,
        tables: &[TableInfo],
    ) -> Result<()> {
        if tables.is_empty() {
            let what = "No table passes the filters; tables made later are captured when they do";
            self.warning("table.include.list", what);
        }
        self.lists(connection, tables).await?;
        self.readable(connection, tables).await?;
        self.keys(tables);
        self.signals(connection).await
    }

    /// Items of include lists that nothing matches, perhaps since they are misspelled.
    async fn lists(&mut self, connection: &mut Connection, tables: &[TableInfo]) -> Result<()> {
        let config = self.config;
        let sql = "SELECT n.nspname, n.nspname || '.' || c.relname FROM pg_catalog.pg_class c \
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')";
        let rows = connection.query(sql).await?;
        let schemas = || rows.iter().map(|row| row.text(0).to_owned());
        let all = || rows.iter().map(|row| row.text(1).to_owned());
        let captured = || tables.iter().map(TableInfo::full_name);
        let columns = || {
            let each = |table: &TableInfo| {
                let name = table.full_name();
                let column =
                    move |column: &crate::catalog::ColumnInfo| format!("{name}.{}", column.name);
                table.columns.iter().map(column).collect::<Vec<_>>()
            };
            tables.iter().flat_map(each)
        };
        self.unmatched(
            ("schema.include.list", "schema"),
            &config.schema_include,
            schemas,
        );
        self.unmatched(("table.include.list", "table"), &config.table_include, all);
        self.unmatched(
            ("column.include.list", "captured column"),
            &config.column_include,
            columns,
        );
        let of_snapshot = ("snapshot.include.collection.list", "captured table");
        self.unmatched(of_snapshot, &config.snapshot_include, captured);
        Ok(())
    }

    fn unmatched<I: Iterator<Item = String>>(
        &mut self,
        (key, what): (&str, &str),
        list: &List,
        names: impl Fn() -> I,
    ) {
        for item in &list.0 {
            let Ok(pattern) = regex::Regex::new(&format!("(?i)^(?:{item})$")) else {
                continue;
            };
            if !names().any(|name| pattern.is_match(&name)) {
                self.warning(key, format!("\"{item}\" matches no {what} of the database"));
            }
        }
    }

    async fn readable(&mut self, connection: &mut Connection, tables: &[TableInfo]) -> Result<()> {
        if tables.is_empty() {
            return Ok(());
        }
        let oids: Vec<String> = tables.iter().map(|table| table.oid.to_string()).collect();
        let sql = format!(
            "SELECT c.oid, pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE'), \
             pg_catalog.has_any_column_privilege(c.oid, 'SELECT') AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a \
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
             AND NOT pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')) \
             FROM pg_catalog.pg_class c WHERE c.oid IN ({})",
            oids.join(",")
        );
        let rows = connection.query(&sql).await?;
        let lacking = |at: usize| -> Vec<&TableInfo> {
            let lacks = |table: &&TableInfo| {
                let of_it = |row: &&crate::wire::Row| row.number(0) == Some(table.oid);
                rows.iter().find(of_it).is_some_and(|row| !row.is_true(at))
            };
            tables.iter().filter(lacks).collect()
        };
        let user = self.server.user.clone();
        let hidden = lacking(1);
        let mut schemas: Vec<&str> = hidden.iter().map(|table| &*table.schema).collect();
        schemas.dedup();
        for schema in schemas {
            let schema = quoted(schema);
            let what = format!(
                "The user may not look into the schema {schema}: `GRANT USAGE ON SCHEMA {schema} TO {user}`"
            );
            self.not_readable(what);
        }
        let unread: Vec<&TableInfo> = lacking(2)
            .into_iter()
            .filter(|table| self.captured.in_snapshot(&table.schema, &table.name))
            .collect();
        if !unread.is_empty() {
            let grants = statements(unread.iter().copied(), |table| {
                format!("GRANT SELECT ON {table} TO {user}")
            });
            let what = format!(
                "The user may not read {}: `{grants}`",
                names(unread.iter().copied())
            );
            self.not_readable(what);
        }
        Ok(())
    }

    /// Streaming needs no right on tables; snapshots do.
    fn not_readable(&mut self, what: String) {
        if self.policy.first || self.policy.always || self.policy.on_loss {
            self.error("database.user", what);
        } else {
            self.warning("database.user", what);
        }
    }

    /// Rules of `message.key.columns` that name what is not there.
    fn keys(&mut self, tables: &[TableInfo]) {
        let mut missing = Vec::new();
        for table in tables {
            let key = self.captured.key(&table.schema, &table.name);
            for column in key.into_iter().flatten() {
                if !table.columns.iter().any(|one| &one.name == column) {
                    missing.push(format!("{} has no column \"{column}\"", table.full_name()));
                }
            }
        }
        for what in missing.into_iter().take(super::MOST_NAMES) {
            self.warning("message.key.columns", what);
        }
    }

    async fn signals(&mut self, connection: &mut Connection) -> Result<()> {
        let Some((schema, table)) = self.config.signal_table.as_deref().and_then(signal_table)
        else {
            return Ok(());
        };
        let name = format!("{}.{}", quoted(schema), quoted(table));
        let sql = format!(
            "SELECT pg_catalog.has_table_privilege(c.oid, 'INSERT') FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {} AND c.relname = {}",
            literal(schema),
            literal(table)
        );
        let rows = connection.query(&sql).await?;
        let user = &self.server.user;
        let what = match rows.first() {
            None => format!(
                "The table does not exist: `CREATE TABLE {name} (id varchar(64) PRIMARY KEY, type varchar(32), data varchar(2048))`"
            ),
            Some(row) if !row.is_true(0) && !self.config.read_only => {
                format!(
                    "The user may not write into it: `GRANT INSERT, DELETE ON {name} TO {user}`"
                )
            }
            Some(_) => return Ok(()),
        };
        self.warning("signal.data.collection", what);
        Ok(())
    }
}
