//! Statements of the stream: what they make of tables, and the topic that tells of them.

use connect_core::{Batch, Error, Result};

use super::{Placed, Reader, located};
use crate::{
    config::Inconsistent,
    ddl::{Change, Kind, Name, Statement, apart, bare, evolve::Sql, is_of_index},
    error,
    position::Mark,
    schema_changes::{SchemaChange, SchemaTopic, TableChange, joined},
    versions::{Ddl, Evolved, TableName},
    wire::Side,
};

/// A statement that is not only of a transaction.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) statement: Statement,
    pub(super) sql: String,
    /// The database of the session.
    pub(super) database: String,
    /// Whether a backslash escapes in its texts.
    pub(super) escapes: bool,
}

impl Reader {
    /// Takes a statement in: it changes what is known of tables, and is told.
    pub(super) async fn statement(
        &mut self,
        pending: Pending,
        at: &Placed<'_>,
        side: &mut Side,
        out: &mut Batch,
    ) -> Result<()> {
        let Pending {
            statement,
            sql,
            database,
            escapes,
        } = pending;
        let seconds_us = i64::from(at.header.timestamp_s) * 1_000_000;
        let us = self.committed_us.unwrap_or(seconds_us);
        let us = us.div_euclid(1000) * 1000;
        self.writer.event(at.header.server_id, at.start(), us);
        // Within a transaction, which a table that is made of a query is, it is one of its events.
        let is_alone = !self.course.is_open();
        if is_alone {
            let gtid = self.course.gtid().map(ToString::to_string);
            self.writer.begin_transaction(gtid, out);
        }
        let text = sql.as_str();
        match statement {
            Statement::Tables(changes) => {
                self.tables((Sql { text, escapes }, &database), &changes, at, side, out)
                    .await?;
            }
            Statement::Database(kind, name) => {
                let name = name.unwrap_or(database);
                self.heard.altered_database(&name);
                self.tables.database(kind, &name, &self.mark(at));
                // Debezium does not understand that one.
                let tables = (kind == Kind::Alter).then(String::new);
                self.tell_of_database(&name, tables, &sql, out);
            }
            _ => self.tell_of_database(&database, Some(String::new()), &sql, out),
        }
        if is_alone {
            self.writer.begin_transaction(None, out);
        }
        Ok(())
    }

    async fn tables(
        &mut self,
        (sql, database): (Sql<'_>, &str),
        changes: &[Change],
        at: &Placed<'_>,
        side: &mut Side,
        out: &mut Batch,
    ) -> Result<()> {
        let mark = self.mark(at);
        let ddl = Ddl {
            sql,
            database,
            at: &mark,
        };
        for change in changes {
            for name in [Some(&change.table), change.to.as_ref()]
                .into_iter()
                .flatten()
            {
                let of = name.database.as_deref().unwrap_or(database);
                let name = (of.to_owned(), name.table.clone());
                self.heard.altered(&name, change.kind);
            }
        }
        let connection = side.connection().await?;
        let evolved = self.tables.evolve(ddl, changes, connection).await?;
        for truncated in evolved.iter().filter(|it| it.kind == Kind::Truncate) {
            if !self.rows.skips_truncates()
                && let Some(table) = self.tables.named(&truncated.name, connection).await?
            {
                self.writer.truncate(&table, out);
            }
        }
        for renamed in evolved.iter().filter(|it| it.is_renamed) {
            self.course.renamed(renamed.name.clone());
        }
        let is_told = |it: &&Evolved| it.kind != Kind::Truncate;
        let told: Vec<&Evolved> = evolved.iter().filter(is_told).collect();
        let exists = told.is_empty() && changes.iter().all(|change| change.kind == Kind::Create);
        let is_of_index = told.iter().all(|it| it.kind == Kind::Alter) && is_of_index(sql.text);
        if exists && !self.concerns(changes, database) {
            return Ok(());
        }
        match exists || is_of_index {
            true => self.tell_of_database(database, Some(String::new()), sql.text, out),
            false => self.tell_of_tables(sql.text, &told, out),
        }
        Ok(())
    }

    /// Whether some table belongs to a captured database.
    fn concerns(&self, changes: &[Change], session: &str) -> bool {
        let captured = self.tables.captured();
        let mut databases = changes
            .iter()
            .map(|change| change.table.database.as_deref());
        databases.any(|database| captured.schema(database.unwrap_or(session)))
    }

    /// Rows whose changes are not in the binlog: nothing is guessed, and nothing left out without a word.
    pub(super) fn logged_as_statement(
        &self,
        table: Option<Name>,
        session: &str,
        at: &Placed<'_>,
    ) -> Result<()> {
        let captured = self.tables.captured();
        let database = table.as_ref().and_then(|name| name.database.as_deref());
        let database = database.unwrap_or(session);
        let is_captured = match &table {
            Some(name) => captured.table(database, &name.table),
            None => captured.schema(database),
        };
        let name = table.as_ref().map_or("", |name| name.table.as_str());
        if !is_captured || self.inconsistent == Inconsistent::Skip {
            return Ok(());
        }
        if self.inconsistent == Inconsistent::Warn {
            tracing::warn!(file = %self.course.file(), pos = at.start(), database, table = name,
                "a change was logged as a statement: its rows are left out");
            return Ok(());
        }
        let what = "a change to a captured table was logged as a statement: its rows are not known";
        let error =
            Error::new(&error::STATEMENT, what).context("table", format!("{database}.{name}"));
        Err(located(error, self.course.file(), at))
    }

    fn mark(&self, at: &Placed<'_>) -> Mark {
        Mark {
            file: self.course.file().clone(),
            pos: at.start(),
        }
    }

    /// Tells of a statement that has changed tables, once for each.
    fn tell_of_tables(&mut self, sql: &str, told: &[&Evolved], out: &mut Batch) {
        let Some(topic) = self.told_in(sql) else {
            return;
        };
        let names: Vec<TableName> = told.iter().map(|it| it.name.clone()).collect();
        let tables = joined(&names);
        let (prefix, parts) = apart(sql);
        for (nth, it) in told.iter().enumerate() {
            let (database, table) = &it.name;
            let captured = self.tables.captured();
            if !captured.schema(database)
                || (self.only_captured && !captured.table(database, table))
            {
                continue;
            }
            let part = parts.get(nth).filter(|_| told.len() > 1);
            let ddl = match (it.kind, part) {
                (Kind::Drop, _) => format!("{prefix}`{database}`.`{table}`"),
                (Kind::Rename, Some(part)) => format!("{prefix}{part}"),
                _ => bare(sql).to_owned(),
            };
            let now = self.tables.version(&it.name);
            let is_there = now.is_some() || it.kind == Kind::Drop;
            let change = SchemaChange {
                database,
                tables: Some(tables.clone()),
                ddl: &ddl,
                change: is_there.then_some(TableChange {
                    kind: it.kind,
                    name: &it.name,
                    table: now,
                }),
            };
            self.writer.schema(&topic, &change, None, out);
        }
    }

    fn tell_of_database(
        &mut self,
        database: &str,
        tables: Option<String>,
        sql: &str,
        out: &mut Batch,
    ) {
        let passes = database.is_empty() || self.tables.captured().schema(database);
        if let Some(topic) = self.told_in(sql).filter(|_| passes) {
            let change = SchemaChange {
                database,
                // What Debezium does not understand, it tells as it stands there.
                ddl: if tables.is_some() {
                    sql.trim()
                } else {
                    bare(sql)
                },
                tables,
                change: None,
            };
            self.writer.schema(&topic, &change, None, out);
        }
    }

    /// The topic, if a statement is told there.
    fn told_in(&self, sql: &str) -> Option<std::sync::Arc<SchemaTopic>> {
        self.schema_topic
            .clone()
            .filter(|topic| topic.tells(sql.trim()))
    }
}
