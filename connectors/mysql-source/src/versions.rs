//! Tables as they are at the place of the stream, without a history of schemas: the server tells what a table is now, the
//! statements of the stream tell what becomes of it, and the map of each table's rows is the judge.
//!
//! What the server says belongs to a moment: a statement that lies before it in the binlog is in there already, one that lies
//! behind it is not. In between nobody knows, and the server is asked once more.

use connect_core::Result;
use rustc_hash::FxHashMap;

use crate::{
    catalog::{self, TableInfo},
    ddl::{Change, Kind, Name, evolve},
    position::Mark,
    snapshot,
    wire::Connection,
};

/// The name of a table: its database and its own.
pub(crate) type TableName = (String, String);

/// What a table is, and when it was so.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    /// The table.
    pub info: TableInfo,
    /// Statements before this are in there.
    pub since: Mark,
    /// Statements from here on are not.
    pub until: Mark,
}

/// The tables that are known.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    tables: FxHashMap<TableName, Version>,
    /// The character sets of databases.
    charsets: FxHashMap<String, Option<String>>,
}

/// A statement that changes tables, and where it lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ddl<'a> {
    /// Its text.
    pub sql: &'a str,
    /// The database of the session.
    pub database: &'a str,
    /// Where it begins in the binlog.
    pub at: &'a Mark,
}

/// What a statement has made of a table.
#[derive(Debug)]
pub(crate) struct Evolved {
    /// What was done.
    pub kind: Kind,
    /// The table, under its new name.
    pub name: TableName,
}

impl Versions {
    /// What a table is known to be.
    pub(crate) fn get(&self, name: &TableName) -> Option<&TableInfo> {
        self.tables.get(name).map(|version| &version.info)
    }

    /// A table is known as of a place.
    pub(crate) fn put(&mut self, name: TableName, version: Version) {
        self.tables.insert(name, version);
    }

    /// A table as the server has it now; `None` when it has none of this name.
    pub(crate) async fn ask(
        &mut self,
        name: &TableName,
        connection: &mut Connection,
    ) -> Result<Option<&TableInfo>> {
        self.tables.remove(name);
        let since = snapshot::end_of_binlog(connection).await?.mark();
        let said = catalog::named(connection, std::slice::from_ref(name)).await?;
        let until = snapshot::end_of_binlog(connection).await?.mark();
        if let Some(info) = said.into_iter().next() {
            let version = Version { info, since, until };
            self.tables.insert(name.clone(), version);
        }
        Ok(self.get(name))
    }

    /// Takes in what a statement does to one table. `None` when it does nothing, since the table was there already.
    pub(crate) async fn evolve(
        &mut self,
        ddl: Ddl<'_>,
        change: &Change,
        connection: &mut Connection,
    ) -> Result<Option<Evolved>> {
        let full = |name: &Name| {
            let database = name.database.as_deref().unwrap_or(ddl.database);
            (database.to_owned(), name.table.clone())
        };
        let (from, to) = (full(&change.table), change.to.as_ref().map(full));
        match change.kind {
            Kind::Drop => {
                self.drop(&from, ddl.at);
            }
            Kind::Rename => self.rename(&from, to.as_ref(), ddl.at),
            Kind::Create => {
                let is_known = self.tables.contains_key(&from);
                if is_known && evolve::keeps_what_is_there(ddl.sql) {
                    return Ok(None);
                }
                self.create(ddl, &from, connection).await?;
            }
            Kind::Alter => {
                self.alter(ddl, &from, to.as_ref(), connection).await?;
            }
            Kind::Truncate => {}
        }
        let (kind, name) = (change.kind, to.unwrap_or(from));
        Ok(Some(Evolved { kind, name }))
    }

    /// A database has changed.
    pub(crate) fn database(&mut self, kind: Kind, name: &str) {
        self.charsets.remove(name);
        if kind == Kind::Drop {
            self.tables.retain(|(database, _), _| database != name);
        }
    }

    fn drop(&mut self, name: &TableName, at: &Mark) {
        let is_newer = |version: &Version| *at < version.since;
        if !self.tables.get(name).is_some_and(is_newer) {
            self.tables.remove(name);
        }
    }

    fn rename(&mut self, from: &TableName, to: Option<&TableName>, at: &Mark) {
        let Some(to) = to else {
            return;
        };
        if self
            .tables
            .get(to)
            .is_some_and(|version| *at < version.since)
        {
            return;
        }
        self.tables.remove(to);
        let is_before = |version: &Version| *at >= version.until;
        if self.tables.get(from).is_some_and(is_before)
            && let Some(mut version) = self.tables.remove(from)
        {
            (version.info.database, version.info.name) = to.clone();
            self.tables.insert(to.clone(), version);
        }
    }

    async fn create(
        &mut self,
        ddl: Ddl<'_>,
        name: &TableName,
        connection: &mut Connection,
    ) -> Result<()> {
        if self.is_newer(name, ddl.at) {
            return Ok(());
        }
        let info = match evolve::like(ddl.sql) {
            Some(other) => {
                let database = other.database.unwrap_or_else(|| ddl.database.to_owned());
                let other = self.tables.get(&(database, other.table));
                other
                    .filter(|other| *ddl.at >= other.until)
                    .map(|other| TableInfo {
                        database: name.0.clone(),
                        name: name.1.clone(),
                        ..other.info.clone()
                    })
            }
            None => {
                let charset = self.charset(&name.0, connection).await?;
                let name = (name.0.as_str(), name.1.as_str());
                evolve::created(ddl.sql, name, charset.as_deref())
            }
        };
        self.set_or_ask(info, ddl.at, name, connection).await
    }

    async fn alter(
        &mut self,
        ddl: Ddl<'_>,
        name: &TableName,
        to: Option<&TableName>,
        connection: &mut Connection,
    ) -> Result<()> {
        let after = to.unwrap_or(name);
        if self.is_newer(after, ddl.at) {
            return Ok(());
        }
        let version = self.tables.remove(name);
        let version = version.filter(|version| *ddl.at >= version.until);
        let info = version.and_then(|version| evolve::altered(ddl.sql, &version.info));
        let info = info.map(|info| TableInfo {
            database: after.0.clone(),
            name: after.1.clone(),
            ..info
        });
        self.set_or_ask(info, ddl.at, after, connection).await
    }

    /// Whether the server was asked for a table after a place.
    fn is_newer(&self, name: &TableName, at: &Mark) -> bool {
        let version = self.tables.get(name);
        version.is_some_and(|version| *at < version.since)
    }

    async fn set_or_ask(
        &mut self,
        info: Option<TableInfo>,
        at: &Mark,
        name: &TableName,
        connection: &mut Connection,
    ) -> Result<()> {
        match info {
            Some(info) => {
                let (since, until) = (at.clone(), at.clone());
                let version = Version { info, since, until };
                self.tables.insert(name.clone(), version);
            }
            None => {
                tracing::info!(database = %name.0, table = %name.1, "the server is asked for a changed table");
                self.ask(name, connection).await?;
            }
        }
        Ok(())
    }

    /// The character set of new tables in a database.
    async fn charset(
        &mut self,
        database: &str,
        connection: &mut Connection,
    ) -> Result<Option<String>> {
        if let Some(charset) = self.charsets.get(database) {
            return Ok(charset.clone());
        }
        let charset = catalog::database_charset(connection, database).await?;
        let charset = charset.map(|(charset, _)| charset);
        self.charsets.insert(database.to_owned(), charset.clone());
        Ok(charset)
    }
}
