//! A chunk of a table, in a transaction of its own.

use std::sync::Arc;

use cdc::incremental::{Chunk, Database, Next, Read, Status};
use connect_core::{Error, Result};

use super::{
    Recent, Window,
    chunk::{self, Order},
    marks,
};
use crate::{
    captured::Captured,
    catalog::{self, TableInfo, Which, literal},
    config::PostgresConfig,
    copy, error,
    position::parse_lsn,
    relations::{Compiler, Table},
    seen::Seen,
    wire::{Answer, Connection},
};

/// How long a table may be locked by others before the stream goes on without it.
const LOCK_TIMEOUT_MS: u64 = 500;

/// Reads chunks, and remembers the table that they are of.
#[derive(Debug)]
pub(super) struct Chunks {
    config: Arc<PostgresConfig>,
    captured: Captured,
    compiler: Compiler,
    reading: Option<Reading>,
}

/// A table, as it was when its last chunk was read.
#[derive(Debug, Clone)]
struct Reading {
    info: TableInfo,
    table: Arc<Table>,
    surrogate: Option<String>,
    order: Arc<Order>,
}

/// The same, with a connection, and what the stream has brought.
pub(super) struct Lead<'a> {
    pub(super) chunks: &'a mut Chunks,
    pub(super) connection: &'a mut Connection,
    pub(super) recent: &'a Recent,
}

impl Chunks {
    /// None read yet.
    pub(super) fn new(config: &Arc<PostgresConfig>, captured: &Captured) -> Self {
        Self {
            compiler: Compiler::new(config, captured.clone()),
            captured: captured.clone(),
            config: Arc::clone(config),
            reading: None,
        }
    }
}

impl Database for Lead<'_> {
    type Goal = u64;
    type Window = Window;

    async fn reason_against(&mut self) -> Result<Option<String>> {
        let config = &self.chunks.config;
        let is_possible = config.read_only || config.signal_table.is_some();
        let why = "an incremental snapshot needs `signal.data.collection`, or `read.only`";
        Ok((!is_possible).then(|| why.to_owned()))
    }

    async fn tables(&mut self) -> Result<Vec<String>> {
        let which = Which::Captured(&self.chunks.captured, &self.chunks.config);
        let tables = catalog::tables(self.connection, which).await?;
        Ok(tables.iter().map(TableInfo::full_name).collect())
    }

    async fn read(&mut self, next: Next<'_>) -> Result<Read<Window>> {
        let read = self.read_in_transaction(next).await;
        // Ends the transaction in any case; a connection that is lost fails here once more.
        let end = if read.is_ok() { "COMMIT" } else { "ROLLBACK" };
        match read {
            Ok(read) => {
                self.connection.execute(end).await?;
                Ok(read)
            }
            Err(error) if error.code() == &error::CONFLICT => {
                self.connection.execute(end).await?;
                Ok(Read::Later)
            }
            Err(error) if Self::is_refusal(&error) => {
                tracing::warn!(%error, "a table of an incremental snapshot cannot be read");
                self.connection.execute(end).await?;
                Ok(Read::Done("SQL_EXCEPTION"))
            }
            Err(error) => Err(error),
        }
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

    /// The LSN behind everything that is visible now; it is flushed soon.
    async fn behind(&mut self) -> Result<u64> {
        let sql = "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() \
            ELSE pg_catalog.pg_current_wal_insert_lsn() END";
        let rows = self.connection.query(sql).await?;
        let lsn = rows.first().and_then(|row| parse_lsn(row.text(0)));
        crate::snapshot::moment::flush(self.connection).await?;
        lsn.ok_or_else(|| error::protocol("the server tells no LSN"))
    }

    fn is_refusal(error: &Error) -> bool {
        [&error::QUERY, &error::PERMISSION].contains(&error.code())
    }
}

impl Lead<'_> {
    async fn read_in_transaction(&mut self, next: Next<'_>) -> Result<Read<Window>> {
        let id = next.collection.id.as_str();
        let known = self.chunks.reading.as_ref();
        let name = match known.filter(|reading| reading.info.full_name() == id) {
            Some(reading) => reading.info.sql_name(),
            None => match self.look_up(id).await? {
                Some(info) => info.sql_name(),
                None => {
                    tracing::warn!(table = %id, "nobody captures a table of this name");
                    return Ok(Read::Done("UNKNOWN_SCHEMA"));
                }
            },
        };
        // A table cannot be altered between the look at its columns and that at its rows. A lock takes no snapshot.
        let begin = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}; \
             LOCK TABLE {name} IN ACCESS SHARE MODE"
        );
        self.connection.execute(&begin).await?;
        if !self.sees_all().await? {
            return Ok(Read::Later);
        }
        let surrogate = next.collection.surrogate.as_deref();
        let reading = match self.shape(id, surrogate).await? {
            Ok(reading) => reading,
            Err(status) => return Ok(Read::Done(status)),
        };
        self.read_rows(&reading, next).await
    }

    async fn read_rows(&mut self, reading: &Reading, next: Next<'_>) -> Result<Read<Window>> {
        let Reading {
            info, table, order, ..
        } = reading;
        let condition = next.collection.condition.as_deref();
        let maximum = match next.maximum {
            Some(maximum) => maximum.to_vec(),
            None => match chunk::maximum(self.connection, info, order, condition).await? {
                Some(maximum) => maximum,
                None => return Ok(Read::Done("EMPTY")),
            },
        };
        let bounds = (next.last, maximum.as_slice());
        let limit = (condition, next.limit);
        let read = chunk::read(self.connection, (info, table), order, bounds, limit).await?;
        let Some(last) = read.rows.last() else {
            return Ok(Read::Done("SUCCEEDED"));
        };
        let line = read.lines.get(last.clone()).unwrap_or(&[]);
        Ok(Read::Chunk(Chunk {
            rows: read.rows.len(),
            is_cut: read.is_cut,
            last: order.key(copy::texts_or_null(line, &order.places())),
            maximum,
            window: Window::new(info, (table, order), read.lines, read.rows),
        }))
    }

    async fn look_up(&mut self, id: &str) -> Result<Option<TableInfo>> {
        let found = catalog::tables(self.connection, Which::Named(id)).await?;
        let captured = |info: &TableInfo| self.chunks.captured.table(&info.schema, &info.name);
        Ok(found.into_iter().find(captured))
    }

    /// Compiles the table as it is now, if it is not as it was; or why it cannot be read.
    async fn shape(
        &mut self,
        id: &str,
        surrogate: Option<&str>,
    ) -> Result<Result<Reading, Status>> {
        let Some(info) = self.look_up(id).await? else {
            return Ok(Err("UNKNOWN_SCHEMA"));
        };
        let chunks = &mut *self.chunks;
        let is_same = |it: &&Reading| it.info == info && it.surrogate.as_deref() == surrogate;
        if let Some(reading) = chunks.reading.as_ref().filter(is_same) {
            return Ok(Ok(reading.clone()));
        }
        let order = match Order::of(&info, &chunks.captured, surrogate) {
            Ok(Some(order)) => order,
            Ok(None) => {
                tracing::warn!(table = %id, "a table without key cannot be read in chunks: name a surrogate key");
                return Ok(Err("NO_PRIMARY_KEY"));
            }
            Err(column) => {
                tracing::warn!(table = %id, column, "a key column does not exist");
                return Ok(Err("SQL_EXCEPTION"));
            }
        };
        let customs = chunks.compiler.customs(self.connection, &info).await?;
        let reading = Reading {
            table: Arc::new(chunks.compiler.compile(&info, &customs)),
            info,
            surrogate: surrogate.map(str::to_owned),
            order: Arc::new(order),
        };
        chunks.reading = Some(reading.clone());
        Ok(Ok(reading))
    }

    /// Whether the transaction's snapshot, which this takes, sees all that the stream has brought. On a standby it does: there a
    /// commit is visible before it is sent.
    async fn sees_all(&mut self) -> Result<bool> {
        let sql = "SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() \
            THEN pg_catalog.txid_current_snapshot()::text END";
        let rows = self.connection.query(sql).await?;
        let text = rows.first().map_or("", |row| row.text(0));
        let seen = text.parse::<Seen>().ok();
        Ok(seen.is_none_or(|seen| self.recent.are_seen(&seen)))
    }
}
