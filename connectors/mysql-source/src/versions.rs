//! Tables as they are at the place of the stream, without a history of schemas: the server tells what a table is now, the
//! statements of the stream tell what becomes of it, and the map of each table's rows is the judge.
//!
//! What the server says belongs to a moment: a statement that lies before it in the binlog is in there already, one that lies
//! behind it is not. In between nobody knows, and the server is asked once more.

mod state;

pub(crate) use state::are_versions;

use connect_core::Result;
use rustc_hash::FxHashMap;

use crate::{
    catalog::{self, TableInfo},
    ddl::{
        Change, Kind, Name,
        evolve::{self, Sql},
    },
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

/// A table as it was from a place on; none when it was gone.
#[derive(Debug, Clone, PartialEq)]
struct Past {
    /// Which of all versions of this source it is.
    nth: u64,
    from: Mark,
    info: Option<TableInfo>,
}

/// A table, and what it was before.
#[derive(Debug, Default)]
struct Kept {
    /// In order; the last one is what it is.
    past: Vec<Past>,
    since: Mark,
    until: Mark,
}

impl Kept {
    fn info(&self) -> Option<&TableInfo> {
        self.past.last()?.info.as_ref()
    }
}

/// So many versions of a table are kept for a restart in the past.
const MOST_VERSIONS: usize = 16;

/// The tables that are known.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    tables: FxHashMap<TableName, Kept>,
    /// Tables whose versions are not stored yet.
    fresh: Vec<TableName>,
    /// How many versions there have been.
    count: u64,
    /// The character sets of databases.
    charsets: FxHashMap<String, Option<String>>,
}

/// A statement that changes tables, and where it lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ddl<'a> {
    /// Its text.
    pub sql: Sql<'a>,
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
    /// Whether it had another one before.
    pub is_renamed: bool,
}

impl Versions {
    /// What a table is known to be.
    pub(crate) fn get(&self, name: &TableName) -> Option<&TableInfo> {
        self.tables.get(name)?.info()
    }

    /// A table is known as of a place.
    pub(crate) fn put(&mut self, name: TableName, version: Version) {
        let Version { info, since, until } = version;
        self.push(&name, Some(info), since, until);
    }

    fn push(&mut self, name: &TableName, info: Option<TableInfo>, since: Mark, until: Mark) {
        let kept = self.tables.entry(name.clone()).or_default();
        if kept.past.is_empty() || kept.info() != info.as_ref() {
            self.count += 1;
            kept.past.push(Past {
                nth: self.count,
                from: since.clone(),
                info,
            });
            // Invariant 4: so many of each table.
            let surplus = kept.past.len().saturating_sub(MOST_VERSIONS);
            kept.past.drain(..surplus);
            if !self.fresh.contains(name) {
                self.fresh.push(name.clone());
            }
        }
        (kept.since, kept.until) = (since, until);
    }

    /// A table as the server has it now; `None` when it has none of this name.
    pub(crate) async fn ask(
        &mut self,
        name: &TableName,
        connection: &mut Connection,
    ) -> Result<Option<&TableInfo>> {
        let since = snapshot::end_of_binlog(connection).await?.mark();
        let said = catalog::settled(connection, name).await?;
        let until = snapshot::end_of_binlog(connection).await?.mark();
        self.push(name, said, since, until);
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
                let is_known = self.get(&from).is_some();
                if is_known && evolve::keeps_what_is_there(ddl.sql.text) {
                    return Ok(None);
                }
                self.create(ddl, &from, connection).await?;
            }
            Kind::Alter => {
                self.alter(ddl, &from, to.as_ref(), connection).await?;
            }
            Kind::Truncate => {}
        }
        Ok(Some(Evolved {
            kind: change.kind,
            is_renamed: to.is_some(),
            name: to.unwrap_or(from),
        }))
    }

    /// A database has changed.
    pub(crate) fn database(&mut self, kind: Kind, name: &str, at: &Mark) {
        self.charsets.remove(name);
        if kind == Kind::Drop {
            let of = |known: &&TableName| known.0 == name;
            let gone: Vec<TableName> = self.tables.keys().filter(of).cloned().collect();
            gone.iter().for_each(|name| self.drop(name, at));
        }
    }

    fn drop(&mut self, name: &TableName, at: &Mark) {
        if self.get(name).is_some() && !self.is_newer(name, at) {
            self.push(name, None, at.clone(), at.clone());
        }
    }

    fn rename(&mut self, from: &TableName, to: Option<&TableName>, at: &Mark) {
        let Some(to) = to.filter(|to| !self.is_newer(to, at)) else {
            return;
        };
        let info = self.before(from, at).map(|info| TableInfo {
            database: to.0.clone(),
            name: to.1.clone(),
            ..info.clone()
        });
        self.push(to, info, at.clone(), at.clone());
        self.drop(from, at);
    }

    /// A table as it is before a statement, where that is certain.
    fn before(&self, name: &TableName, at: &Mark) -> Option<&TableInfo> {
        let kept = self.tables.get(name)?;
        kept.info().filter(|_| *at >= kept.until)
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
        let info = match evolve::like(ddl.sql.text) {
            Some(other) => {
                let database = other.database.unwrap_or_else(|| ddl.database.to_owned());
                let other = self.before(&(database, other.table), ddl.at);
                other.map(|other| TableInfo {
                    database: name.0.clone(),
                    name: name.1.clone(),
                    ..other.clone()
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
        let info = self.before(name, ddl.at);
        let info = info.and_then(|info| evolve::altered(ddl.sql, info));
        if to.is_some() {
            self.drop(name, ddl.at);
        }
        let info = info.map(|info| TableInfo {
            database: after.0.clone(),
            name: after.1.clone(),
            ..info
        });
        self.set_or_ask(info, ddl.at, after, connection).await
    }

    /// Whether the server was asked for a table after a place.
    fn is_newer(&self, name: &TableName, at: &Mark) -> bool {
        self.tables.get(name).is_some_and(|kept| *at < kept.since)
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
                self.push(name, Some(info), at.clone(), at.clone());
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
