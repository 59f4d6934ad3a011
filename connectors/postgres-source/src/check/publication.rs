//! The publication: whether it is there or can be made, has all that is captured, and harms no table.

use connect_core::Result;

use super::{Look, few, names, statements};
use crate::{
    catalog::{TableInfo, literal, quoted},
    config::Autocreate,
    wire::{Answer, Connection, Row},
};

/// Properties that say which publication and how it is made.
const KEYS: [&str; 2] = ["publication.name", "publication.autocreate.mode"];

/// A publication as the server has it.
struct Found {
    all_tables: bool,
    /// Whether inserts, updates, deletes, truncates are published.
    operations: [bool; 4],
    is_owner: bool,
}

impl Look<'_> {
    pub(super) async fn publication(
        &mut self,
        connection: &mut Connection,
        tables: &[TableInfo],
    ) -> Result<()> {
        if !self.policy.streams || !self.are_known(&KEYS) {
            return Ok(());
        }
        let sql = format!(
            "SELECT puballtables, pubinsert, pubupdate, pubdelete, pubtruncate, \
             pg_catalog.pg_has_role(pubowner, 'USAGE') FROM pg_catalog.pg_publication WHERE pubname = {}",
            literal(&self.config.publication)
        );
        let found = connection.query(&sql).await?.first().map(found);
        let Some(found) = found else {
            self.missing(connection, tables).await?;
            return Ok(());
        };
        self.operations(&found);
        let filtered = self.config.autocreate == Autocreate::Filtered;
        match found.all_tables {
            true if filtered => self.error(
                "publication.name",
                format!(
                    "The publication is FOR ALL TABLES, which `publication.autocreate.mode=filtered` cannot change: choose \
                     another `publication.name`, or set `publication.autocreate.mode=disabled` to use it as it is, or \
                     `DROP PUBLICATION {}`",
                    self.name()
                ),
            ),
            false if filtered => self.refreshed(connection, tables, &found).await?,
            false => self.unpublished(connection, tables).await?,
            true => {}
        }
        if found.operations[1] || found.operations[2] {
            self.identities(connection, tables, found.all_tables)
                .await?;
        }
        Ok(())
    }

    fn name(&self) -> String {
        quoted(&self.config.publication)
    }

    /// It has to be made, by us or by somebody else.
    async fn missing(&mut self, connection: &mut Connection, tables: &[TableInfo]) -> Result<()> {
        let (name, mode) = (self.name(), self.config.autocreate);
        let create = match tables {
            [] => format!("`CREATE PUBLICATION {name}`"),
            tables => format!(
                "`CREATE PUBLICATION {name} FOR TABLE {}`",
                few(tables.iter().map(TableInfo::table_name), ", ")
            ),
        };
        if mode == Autocreate::Disabled {
            let what = format!(
                "The publication does not exist: {create}, or set `publication.autocreate.mode`"
            );
            self.error("publication.name", what);
            return Ok(());
        }
        if self.server.is_standby {
            let what = format!(
                "The publication does not exist, and a standby cannot make it. On the primary: {create}"
            );
            self.error("publication.name", what);
            return Ok(());
        }
        if !self.server.may_create {
            let (database, user) = (quoted(&self.config.database), &self.server.user);
            let what = format!(
                "The user may not create a publication: `GRANT CREATE ON DATABASE {database} TO {user}`, or let somebody else \
                 run {create}"
            );
            self.error("publication.autocreate.mode", what);
        }
        match mode {
            Autocreate::AllTables if !self.server.is_superuser => {
                let what = format!(
                    "Only a superuser can create a publication FOR ALL TABLES: choose `filtered`, or let a superuser run \
                     `CREATE PUBLICATION {name} FOR ALL TABLES`"
                );
                self.error("publication.autocreate.mode", what);
            }
            Autocreate::Filtered if tables.is_empty() => {
                let what =
                    "No table passes the filters, so that a filtered publication would be empty";
                self.error("table.include.list", what);
            }
            Autocreate::Filtered => self.not_owned(connection, tables, &create).await?,
            _ => {}
        }
        self.identities(connection, tables, mode == Autocreate::AllTables)
            .await
    }

    /// Only the owner of a table can publish it.
    async fn not_owned(
        &mut self,
        connection: &mut Connection,
        tables: &[TableInfo],
        otherwise: &str,
    ) -> Result<()> {
        if tables.is_empty() {
            return Ok(());
        }
        let oids: Vec<String> = tables.iter().map(|table| table.oid.to_string()).collect();
        let sql = format!(
            "SELECT c.oid FROM pg_catalog.pg_class c \
             WHERE c.oid IN ({}) AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')",
            oids.join(",")
        );
        let foreign = chosen(tables, &connection.query(&sql).await?);
        if !foreign.is_empty() {
            let user = &self.server.user;
            let owns = statements(foreign.iter().copied(), |table| {
                format!("ALTER TABLE {table} OWNER TO {user}")
            });
            let what = format!(
                "The user cannot publish tables that it does not own ({}): `{owns}`; or let somebody else run {otherwise} and \
                 set `publication.autocreate.mode=disabled`",
                names(foreign.iter().copied())
            );
            self.error("publication.autocreate.mode", what);
        }
        Ok(())
    }

    /// What the start does to bring it up to date.
    async fn refreshed(
        &mut self,
        connection: &mut Connection,
        tables: &[TableInfo],
        found: &Found,
    ) -> Result<()> {
        let name = self.name();
        let sql = format!(
            "SELECT r.prrelid FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid \
             WHERE p.pubname = {}",
            literal(&self.config.publication)
        );
        let rows = connection.query(&sql).await?;
        let kept = chosen(tables, &rows);
        if kept.len() == tables.len() && rows.len() == tables.len() {
            return Ok(());
        }
        if tables.is_empty() {
            let what = "No table passes the filters, so that a filtered publication would be empty";
            self.error("table.include.list", what);
            return Ok(());
        }
        let set = format!(
            "`ALTER PUBLICATION {name} SET TABLE {}`",
            few(tables.iter().map(TableInfo::table_name), ", ")
        );
        if self.server.is_standby {
            let what = format!(
                "The publication has other tables, and a standby cannot change it. On the primary: {set}"
            );
            self.error("publication.name", what);
            return Ok(());
        }
        if !found.is_owner {
            let user = &self.server.user;
            let what = format!(
                "The publication has other tables, and only its owner can change it: `ALTER PUBLICATION {name} OWNER TO \
                 {user}`, or let its owner run {set}"
            );
            self.error("publication.name", what);
        }
        self.not_owned(connection, tables, &set).await
    }

    /// Operations that are captured and will never come.
    fn operations(&mut self, found: &Found) {
        let skipped = self.config.skipped;
        let skipped = [
            skipped.create,
            skipped.update,
            skipped.delete,
            skipped.truncate,
        ];
        let words = ["insert", "update", "delete", "truncate"];
        let pairs = || words.into_iter().zip(found.operations).zip(skipped);
        let missing = pairs().filter(|((_, published), skipped)| !published && !skipped);
        let missing: Vec<&str> = missing.map(|((word, _), _)| word).collect();
        if missing.is_empty() {
            return;
        }
        let what = format!(
            "The publication leaves out {}, so that these changes will not come: `ALTER PUBLICATION {} SET (publish = '{}')`",
            missing.join(" and "),
            self.name(),
            words.join(", ")
        );
        self.warning("publication.name", what);
    }

    /// Captured tables whose changes will never come.
    async fn unpublished(
        &mut self,
        connection: &mut Connection,
        tables: &[TableInfo],
    ) -> Result<()> {
        let sql = format!(
            "SELECT schemaname, tablename FROM pg_catalog.pg_publication_tables WHERE pubname = {}",
            literal(&self.config.publication)
        );
        let rows = connection.query(&sql).await?;
        let is_listed = |table: &&TableInfo| {
            let is_it = |row: &Row| row.text(0) == table.schema && row.text(1) == table.name;
            rows.iter().any(is_it)
        };
        let unlisted: Vec<&TableInfo> = tables.iter().filter(|table| !is_listed(table)).collect();
        if unlisted.is_empty() {
            return Ok(());
        }
        let what = format!(
            "{} captured but not in the publication, so that their changes will not come: `ALTER PUBLICATION {} ADD TABLE {}`",
            names(unlisted.iter().copied()),
            self.name(),
            few(unlisted.iter().map(|table| table.table_name()), ", ")
        );
        self.warning("publication.name", what);
        Ok(())
    }

    /// Tables that the server refuses to update and delete from once they are published.
    async fn identities(
        &mut self,
        connection: &mut Connection,
        tables: &[TableInfo],
        all_tables: bool,
    ) -> Result<()> {
        let sql = "SELECT c.oid, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) \
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
            WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND c.oid >= 16384 AND (c.relreplident = 'n' \
            OR c.relreplident = 'd' AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i \
               WHERE i.indrelid = c.oid AND i.indisprimary AND i.indisvalid AND i.indimmediate) \
            OR c.relreplident = 'i' AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i \
               WHERE i.indrelid = c.oid AND i.indisreplident AND i.indisvalid)) ORDER BY 2";
        let rows = connection.query(sql).await?;
        let mut captured = chosen(tables, &rows);
        captured.retain(|table| !self.captured.identities().is_given(&table.full_name()));
        if !captured.is_empty() {
            let full = statements(captured.iter().copied(), |table| {
                format!("ALTER TABLE {table} REPLICA IDENTITY FULL")
            });
            let what = format!(
                "Without replica identity, since they have no primary key: {}. The server refuses updates and deletes of \
                 published tables that have none. Give them primary keys, or `{full}`",
                names(captured.iter().copied())
            );
            self.warning("table.include.list", what);
        }
        let is_captured = |row: &&Row| tables.iter().any(|table| row.number(0) == Some(table.oid));
        let others: Vec<&Row> = rows.iter().filter(|row| !is_captured(row)).collect();
        if all_tables && !others.is_empty() {
            let what = format!(
                "A publication FOR ALL TABLES has tables, too, that are not captured, and the server refuses updates and \
                 deletes of these, which have no replica identity: {}. Choose `filtered`, or give them primary keys",
                few(others.iter().map(|row| row.text(1).to_owned()), ", ")
            );
            self.warning("publication.autocreate.mode", what);
        }
        Ok(())
    }
}

fn found(row: &Row) -> Found {
    Found {
        all_tables: row.is_true(0),
        operations: [1, 2, 3, 4].map(|at| row.is_true(at)),
        is_owner: row.is_true(5),
    }
}

/// The tables whose oids are in the first column.
fn chosen<'t>(tables: &'t [TableInfo], rows: &[Row]) -> Vec<&'t TableInfo> {
    let oids: Vec<u32> = rows.iter().filter_map(|row| row.number(0)).collect();
    tables
        .iter()
        .filter(|table| oids.contains(&table.oid))
        .collect()
}
