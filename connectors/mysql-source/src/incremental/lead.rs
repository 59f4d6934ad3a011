//! A chunk of a table, in a transaction of its own.

use std::{sync::Arc, time::Duration};

use cdc::{
    captured::Captured,
    incremental::{Chunk, Database, Next, Read, Status},
};
use connect_core::{Error, Result};
use tokio::time::timeout;

use super::{
    Progress, Window,
    chunk::{self, Of},
    marks,
    order::Order,
};
use crate::{
    catalog::{self, TableInfo, literal, quoted},
    config::MySqlConfig,
    error::{self, is_of_server},
    gtid::Gtids,
    position::Mark,
    snapshot::end_of_binlog,
    tables::{Compiler, Table},
    wire::{Answer, Connection, Flavor},
};

/// What a connection needs that reads chunks: no long wait for the locks of others, and one moment for all statements of a
/// transaction.
pub(super) const SESSION: [&str; 2] = [
    "SET SESSION lock_wait_timeout = 1",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
];

/// `ER_TABLE_DEF_CHANGED`: between the transaction's moment and its first look at the table.
const ALTERED: u16 = 1412;

/// Reads chunks, and remembers the table that they are of.
#[derive(Debug)]
pub(super) struct Chunks {
    config: Arc<MySqlConfig>,
    captured: Arc<Captured>,
    compiler: Compiler,
    /// What was read before this stream: of servers that this one may know nothing of.
    before: Option<Gtids>,
    reading: Option<Reading>,
    /// As of which place the last chunk was read, where the server tells.
    moment: Option<Mark>,
}

/// A table, as it was when its last chunk was read.
#[derive(Debug, Clone)]
struct Reading {
    info: TableInfo,
    table: Arc<Table>,
    surrogate: Option<String>,
    order: Arc<Order>,
}

/// The same, with a connection, and how far the stream is.
pub(super) struct Lead<'a> {
    chunks: &'a mut Chunks,
    connection: &'a mut Connection,
    progress: &'a Progress,
}

impl Chunks {
    /// None read yet.
    pub(super) fn new(
        config: Arc<MySqlConfig>,
        captured: Arc<Captured>,
        compiler: Compiler,
        before: Option<Gtids>,
    ) -> Self {
        Self {
            config,
            captured,
            compiler,
            before,
            reading: None,
            moment: None,
        }
    }
}

impl Database for Lead<'_> {
    type Goal = Mark;
    type Window = Window;

    async fn reason_against(&mut self) -> Result<Option<String>> {
        let config = &self.chunks.config;
        let (is_read_only, has_table) = (config.read_only, config.signal_table.is_some());
        if !is_read_only && !has_table {
            let why = "an incremental snapshot needs `signal.data.collection`, or `read.only`";
            return Ok(Some(why.to_owned()));
        }
        if self.connection.server().flavor == Flavor::MariaDb || self.has_gtids().await? {
            return Ok(None);
        }
        let why = match is_read_only {
            true => {
                "with `read.only` an incremental snapshot needs `gtid_mode=ON`; without, name a `signal.data.collection`"
            }
            false if self.is_set("binlog_order_commits").await? => return Ok(None),
            false => "an incremental snapshot needs `gtid_mode=ON` or `binlog_order_commits=ON`",
        };
        Ok(Some(why.to_owned()))
    }

    async fn tables(&mut self) -> Result<Vec<String>> {
        let captured = &self.chunks.captured;
        let passes = |database: &str, table: &str| captured.table(database, table);
        let tables = catalog::tables(self.connection, passes).await?;
        Ok(tables.iter().map(TableInfo::full_name).collect())
    }

    async fn read(&mut self, next: Next<'_>) -> Result<Read<Window>> {
        if !self.sees_all().await? {
            return Ok(Read::Later);
        }
        let limit = self.chunks.config.query_timeout.0;
        let read = match limit {
            Duration::ZERO => self.read_in_transaction(next).await,
            limit => match timeout(limit, self.read_in_transaction(next)).await {
                Ok(read) => read,
                // What is still on its way makes the connection useless.
                Err(_) => {
                    let what = "the server did not answer a query in time";
                    let error = Error::new(&error::TIMEOUT, what);
                    return Err(error.context("limit_ms", limit.as_millis()));
                }
            },
        };
        let read = match read {
            Err(error) if error.code() == &error::CONFLICT || is_of_server(&error, &[ALTERED]) => {
                Ok(Read::Later)
            }
            Err(error) if is_of_server(&error, error::UNKNOWN) => Ok(Read::Done("UNKNOWN_SCHEMA")),
            Err(error) if Self::is_refusal(&error) => {
                tracing::warn!(%error, "a table of an incremental snapshot cannot be read");
                Ok(Read::Done("SQL_EXCEPTION"))
            }
            other => other,
        }?;
        self.connection.execute("COMMIT").await?;
        Ok(read)
    }

    async fn insert_mark(&mut self, row: [&str; 3]) -> Result<()> {
        let Some(table) = marks(&self.chunks.config) else {
            return Ok(());
        };
        let values = row.map(literal).join(", ");
        let sql = format!("INSERT INTO {table} VALUES ({values})");
        self.connection.execute(&sql).await
    }

    async fn delete_mark(&mut self, id: &str) -> Result<()> {
        let Some(table) = marks(&self.chunks.config) else {
            return Ok(());
        };
        let sql = format!("DELETE FROM {table} WHERE id = {}", literal(id));
        self.connection.execute(&sql).await
    }

    async fn behind(&mut self) -> Result<Mark> {
        match self.chunks.moment.take() {
            Some(moment) => Ok(moment),
            None => Ok(end_of_binlog(self.connection).await?.mark()),
        }
    }

    fn is_refusal(error: &Error) -> bool {
        [&error::QUERY, &error::PERMISSION].contains(&error.code())
    }
}

impl<'a> Lead<'a> {
    /// With a connection that has a [`SESSION`].
    pub(super) fn new(
        chunks: &'a mut Chunks,
        connection: &'a mut Connection,
        progress: &'a Progress,
    ) -> Self {
        Self {
            chunks,
            connection,
            progress,
        }
    }

    async fn read_in_transaction(&mut self, next: Next<'_>) -> Result<Read<Window>> {
        let id = next.collection.id.as_str();
        let Some((database, name)) = id.split_once('.') else {
            return Ok(Read::Done("UNKNOWN_SCHEMA"));
        };
        let begin = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
        self.connection.execute(begin).await?;
        if !self.meets_the_stream().await? {
            return Ok(Read::Later);
        }
        // From here on the table cannot be altered.
        let (of, table) = (quoted(database), quoted(name));
        let look = format!("SELECT 1 FROM {of}.{table} LIMIT 0");
        self.connection.execute(&look).await?;
        let surrogate = next.collection.surrogate.as_deref();
        match self.shape((database, name), surrogate).await? {
            Ok(reading) => self.read_rows(&reading, next).await,
            Err(status) => Ok(Read::Done(status)),
        }
    }

    async fn read_rows(&mut self, reading: &Reading, next: Next<'_>) -> Result<Read<Window>> {
        let of = Of {
            info: &reading.info,
            table: &reading.table,
            order: &reading.order,
            condition: next.collection.condition.as_deref(),
        };
        let maximum = match next.maximum {
            Some(maximum) => maximum.to_vec(),
            None => match chunk::maximum(self.connection, of).await? {
                Some(maximum) => maximum,
                None => return Ok(Read::Done("EMPTY")),
            },
        };
        let bounds = (next.last, maximum.as_slice());
        let lines = chunk::read(self.connection, of, bounds, next.limit).await?;
        let Some(last) = lines.last().map(|row| reading.order.key(row)) else {
            return Ok(Read::Done("SUCCEEDED"));
        };
        Ok(Read::Chunk(Chunk {
            rows: lines.rows.len(),
            is_cut: lines.is_cut,
            last,
            maximum,
            window: Window::new(&reading.info, (&reading.table, &reading.order), lines)?,
        }))
    }

    /// Compiles the table as it is now, if it is not as it was; or why it cannot be read.
    async fn shape(
        &mut self,
        (database, name): (&str, &str),
        surrogate: Option<&str>,
    ) -> Result<Result<Reading, Status>> {
        let names = [(database.to_owned(), name.to_owned())];
        let found = catalog::named(self.connection, &names).await?;
        let chunks = &mut *self.chunks;
        let captured = |info: &TableInfo| chunks.captured.table(&info.database, &info.name);
        let Some(info) = found.into_iter().find(captured) else {
            tracing::warn!(
                database,
                table = name,
                "nobody captures a table of this name"
            );
            return Ok(Err("UNKNOWN_SCHEMA"));
        };
        let is_same = |it: &&Reading| it.info == info && it.surrogate.as_deref() == surrogate;
        if let Some(reading) = chunks.reading.as_ref().filter(is_same) {
            return Ok(Ok(reading.clone()));
        }
        let order = match Order::of(&info, &chunks.captured, surrogate) {
            Ok(Some(order)) => order,
            Ok(None) => {
                tracing::warn!(table = %info.full_name(), "a table without key cannot be read in chunks: name a surrogate key");
                return Ok(Err("NO_PRIMARY_KEY"));
            }
            Err(column) => {
                tracing::warn!(table = %info.full_name(), column, "a key column does not exist");
                return Ok(Err("SQL_EXCEPTION"));
            }
        };
        let reading = Reading {
            table: Arc::new(chunks.compiler.compile(&info)),
            info,
            surrogate: surrogate.map(str::to_owned),
            order: Arc::new(order),
        };
        chunks.reading = Some(reading.clone());
        Ok(Ok(reading))
    }

    /// Whether all that the stream has brought is visible now. Of MySQL, which counts a transaction as executed when it is committed;
    /// without ids, marks stand for this.
    async fn sees_all(&mut self) -> Result<bool> {
        let Some(Gtids::MySql(brought)) = &self.progress.gtids else {
            return Ok(true);
        };
        let new = match &self.chunks.before {
            Some(Gtids::MySql(before)) => brought.without(before),
            _ => brought.clone(),
        };
        if new.is_empty() {
            return Ok(true);
        }
        let sql = format!("SELECT GTID_SUBSET('{new}', @@GLOBAL.gtid_executed)");
        let rows = self.connection.query(&sql).await?;
        Ok(rows.first().is_some_and(|row| row.text(0) == "1"))
    }

    /// Whether the transaction's moment is not before the stream. MariaDB tells it as a place in the binlog.
    async fn meets_the_stream(&mut self) -> Result<bool> {
        self.chunks.moment = None;
        if self.connection.server().flavor == Flavor::MySql {
            return Ok(true);
        }
        let rows = self
            .connection
            .query("SHOW STATUS LIKE 'binlog_snapshot_%'")
            .await?;
        let of = |name: &str| {
            let is_it = |row: &&crate::wire::Row| row.text(0).eq_ignore_ascii_case(name);
            rows.iter().find(is_it)
        };
        let told = of("binlog_snapshot_file").zip(of("binlog_snapshot_position"));
        let moment = told.and_then(|(file, pos)| {
            Some(Mark {
                file: file.text(1).into(),
                pos: pos.number(1)?,
            })
        });
        let what = "the server does not tell as of which place a transaction is";
        let moment = moment.ok_or_else(|| Error::new(&error::BINLOG, what))?;
        let meets = match self.progress.is_within {
            true => moment > self.progress.at,
            false => moment >= self.progress.at,
        };
        self.chunks.moment = Some(moment);
        Ok(meets)
    }

    async fn has_gtids(&mut self) -> Result<bool> {
        let rows = self.connection.query("SELECT @@GLOBAL.gtid_mode").await?;
        Ok(rows.first().is_some_and(|row| row.text(0) == "ON"))
    }

    async fn is_set(&mut self, name: &str) -> Result<bool> {
        let sql = format!("SELECT @@GLOBAL.{name}");
        let rows = self.connection.query(&sql).await?;
        Ok(rows.first().is_some_and(|row| row.text(0) == "1"))
    }
}
