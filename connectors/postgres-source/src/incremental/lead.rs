//! From one chunk to the next.

use std::{sync::Arc, time::Duration};

use cdc::options::Watermarking;
use connect_core::{Error, Result};
use tokio::time::Instant;

use super::{
    Chunk, Incremental, Mark, Phase, Reading, Recent, Sending, Tell, Window,
    chunk::{self, Order},
    random_id,
};
use crate::{
    catalog::{self, TableInfo, Which, literal},
    copy, error,
    position::parse_lsn,
    seen::Seen,
    temporal::{DAY_US, POSTGRES_EPOCH_US, postgres_micros_now, push_instant},
    wire::{Answer, Connection},
};

/// How long a table may be locked by others before the stream goes on without it.
const LOCK_TIMEOUT_MS: u64 = 500;
/// After this long a chunk is tried again that could not be read.
const AGAIN: Duration = Duration::from_millis(200);

/// Why a table is done with, in Debezium's words.
type Status = &'static str;

/// What came of the try to read a chunk.
enum Read {
    Chunk(Chunk),
    /// Not now: the table is locked, or what the stream has brought is not visible yet.
    Later,
    /// The table is done with.
    Done(Status),
}

impl Incremental {
    /// One step: a window is closed, or a chunk is read. `stream_at` is the LSN up to which the stream has come.
    pub(crate) async fn lead(
        &mut self,
        window: &mut Option<Window>,
        (recent, stream_at): (&Recent, u64),
        connection: &mut Connection,
        tell: &mut Tell<'_>,
    ) -> Result<()> {
        match &self.phase {
            Phase::Idle | Phase::Sending(_) => Ok(()),
            Phase::Open { lsn, .. } => {
                if window.as_ref().is_none_or(Window::is_void) {
                    tracing::info!(
                        "a table was altered while it was read: its chunk is read again"
                    );
                    *window = None;
                    self.phase = Phase::Due(Instant::now());
                } else if stream_at >= *lsn {
                    self.close_window(window);
                }
                Ok(())
            }
            Phase::Due(at) if *at > Instant::now() => Ok(()),
            Phase::Due(_) => {
                self.obey_stops(tell);
                if self.running.is_none() {
                    self.phase = Phase::Idle;
                    return Ok(());
                }
                if self.is_paused() {
                    return Ok(());
                }
                self.next_chunk(window, recent, connection, tell).await
            }
        }
    }

    fn close_window(&mut self, window: &mut Option<Window>) {
        let phase = std::mem::replace(&mut self.phase, Phase::Due(Instant::now()));
        if let (Phase::Open { last, .. }, Some(window)) = (phase, window.take()) {
            let (lines, rows) = window.into_rows();
            if rows.is_empty() {
                self.change().last = Some(last);
                return;
            }
            self.phase = Phase::Sending(Box::new(Sending {
                lines,
                rows,
                at: 0,
                last,
            }));
        }
    }

    async fn next_chunk(
        &mut self,
        window: &mut Option<Window>,
        recent: &Recent,
        connection: &mut Connection,
        tell: &mut Tell<'_>,
    ) -> Result<()> {
        if self.mark.is_none() {
            let opened = self.open_mark(connection).await;
            if let Some(status) = tolerated(opened)? {
                self.table_done(status, tell);
                self.again_or_idle();
                return Ok(());
            }
        }
        let mut found = None;
        while self.running.is_some() {
            match self.read_chunk(recent, connection).await? {
                Read::Later => {
                    self.phase = Phase::Due(Instant::now() + AGAIN);
                    return Ok(());
                }
                Read::Done(status) => self.table_done(status, tell),
                Read::Chunk(chunk) => {
                    found = Some(chunk);
                    break;
                }
            }
        }
        if let Some(chunk) = found {
            self.opened(chunk, window, tell);
        }
        let closed = self.close_mark(connection).await;
        if let Some(status) = tolerated(closed)? {
            *window = None;
            self.table_done(status, tell);
            self.again_or_idle();
            return Ok(());
        }
        let end = end_of_log(connection).await?;
        match &mut self.phase {
            Phase::Open { lsn, .. } => *lsn = end,
            _ => self.again_or_idle(),
        }
        Ok(())
    }

    fn again_or_idle(&mut self) {
        self.phase = match self.running {
            Some(_) => Phase::Due(Instant::now()),
            None => Phase::Idle,
        };
    }

    /// A chunk was read: its window is open.
    fn opened(&mut self, chunk: Chunk, window: &mut Option<Window>, tell: &mut Tell<'_>) {
        let Some(reading) = &self.reading else { return };
        self.limit = match chunk.is_cut {
            true => (chunk.rows.len() as u64).max(1),
            false => (self.limit * 2).min(u64::from(self.config.chunk_size.0)),
        };
        let places = reading.order.places();
        let line = chunk
            .rows
            .last()
            .and_then(|row| chunk.lines.get(row.clone()));
        let texts = copy::texts_or_null(line.unwrap_or(&[]), &places);
        let last = reading.order.key(texts);
        self.rows_scanned += chunk.rows.len() as u64;
        let rows = i64::try_from(chunk.rows.len()).unwrap_or(i64::MAX);
        self.shown.rows.add(rows);
        *window = Some(Window::new(
            &reading.info,
            chunk.lines,
            chunk.rows,
            &reading.table.key_columns().collect::<Vec<u16>>(),
        ));
        let id = self
            .mark
            .as_ref()
            .map_or_else(random_id, |mark| mark.id.clone());
        let shown = |key: &[cdc::java::Part]| {
            let texts = key
                .iter()
                .map(|part| part.text().unwrap_or("<null>".to_owned()));
            texts.collect::<Vec<_>>().join(",")
        };
        let running = self.running.clone().unwrap_or_default();
        let data = vec![
            ("data_collections", running.names()),
            (
                "current_collection_in_progress",
                running
                    .current()
                    .map(|one| one.id.clone())
                    .unwrap_or_default(),
            ),
            (
                "maximum_key",
                running.maximum.as_deref().map(shown).unwrap_or_default(),
            ),
            ("last_processed_key", shown(&last)),
        ];
        self.tell("IN_PROGRESS", data, tell);
        let lsn = u64::MAX;
        self.phase = Phase::Open { id, lsn, last };
    }

    fn table_done(&mut self, status: Status, tell: &mut Tell<'_>) {
        let running = self.running.clone().unwrap_or_default();
        let name = running
            .current()
            .map(|one| one.id.clone())
            .unwrap_or_default();
        let rows = self.rows_scanned;
        tracing::info!(table = %name, rows, status, "table of an incremental snapshot done");
        let data = vec![
            ("data_collections", running.names()),
            ("scanned_collection", name),
            ("total_rows_scanned", rows.to_string()),
            ("status", status.to_owned()),
        ];
        self.tell("TABLE_SCAN_COMPLETED", data, tell);
        self.next_table(tell);
    }

    async fn read_chunk(&mut self, recent: &Recent, connection: &mut Connection) -> Result<Read> {
        let read = self.read_in_transaction(recent, connection).await;
        // Ends the transaction in any case; a connection that is lost fails here once more.
        match read {
            Ok(read) => {
                connection.execute("COMMIT").await?;
                Ok(read)
            }
            Err(error) => {
                if error.code() == &error::CONFLICT {
                    connection.execute("ROLLBACK").await?;
                    return Ok(Read::Later);
                }
                match tolerated(Err(error))? {
                    None => Ok(Read::Later),
                    Some(status) => {
                        connection.execute("ROLLBACK").await?;
                        Ok(Read::Done(status))
                    }
                }
            }
        }
    }

    async fn read_in_transaction(
        &mut self,
        recent: &Recent,
        connection: &mut Connection,
    ) -> Result<Read> {
        let running = self.running.clone().unwrap_or_default();
        let Some(current) = running.current() else {
            return Ok(Read::Later);
        };
        let name = match &self.reading {
            Some(reading) if reading.info.full_name() == current.id => reading.info.sql_name(),
            _ => match self.look_up(&current.id, connection).await? {
                Some(info) => info.sql_name(),
                None => {
                    tracing::warn!(table = %current.id, "nobody captures a table of this name");
                    return Ok(Read::Done("UNKNOWN_SCHEMA"));
                }
            },
        };
        // A table cannot be altered between the look at its columns and that at its rows. A lock takes no snapshot.
        let begin = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}; \
             LOCK TABLE {name} IN ACCESS SHARE MODE"
        );
        connection.execute(&begin).await?;
        if !sees_all(recent, connection).await? {
            return Ok(Read::Later);
        }
        let order = match self
            .shape(&current.id, current.surrogate.as_deref(), connection)
            .await?
        {
            Ok(order) => order,
            Err(status) => return Ok(Read::Done(status)),
        };
        let Some(Reading { info, table, .. }) = &self.reading else {
            return Ok(Read::Done("UNKNOWN_SCHEMA"));
        };
        let (info, table) = (info.clone(), Arc::clone(table));
        let condition = current.condition.as_deref();
        let maximum = match &running.maximum {
            Some(maximum) => maximum.clone(),
            None => match chunk::maximum(connection, &info, &order, condition).await? {
                Some(maximum) => maximum,
                None => return Ok(Read::Done("EMPTY")),
            },
        };
        let bounds = (running.last.as_deref(), maximum.as_slice());
        let limit = (condition, self.limit);
        let chunk = chunk::read(connection, (&info, &table), &order, bounds, limit).await?;
        self.change().maximum = Some(maximum);
        Ok(match chunk.rows.is_empty() {
            true => Read::Done("SUCCEEDED"),
            false => Read::Chunk(chunk),
        })
    }

    async fn look_up(&self, id: &str, connection: &mut Connection) -> Result<Option<TableInfo>> {
        let found = catalog::tables(connection, Which::Named(id)).await?;
        let captured = |info: &TableInfo| self.captured.table(&info.schema, &info.name);
        Ok(found.into_iter().find(captured))
    }

    /// Compiles the table as it is now, if it is not as it was; its order, or why it cannot be read.
    async fn shape(
        &mut self,
        id: &str,
        surrogate: Option<&str>,
        connection: &mut Connection,
    ) -> Result<Result<Order, Status>> {
        let Some(info) = self.look_up(id, connection).await? else {
            return Ok(Err("UNKNOWN_SCHEMA"));
        };
        if let Some(reading) = self.reading.as_ref().filter(|r| r.info == info) {
            return Ok(Ok(reading.order.clone()));
        }
        let order = match Order::of(&info, &self.captured, surrogate) {
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
        let customs = self.compiler.customs(connection, &info).await?;
        let table = Arc::new(self.compiler.compile(&info, &customs));
        self.reading = Some(Reading {
            info,
            table,
            order: order.clone(),
        });
        Ok(Ok(order))
    }

    async fn open_mark(&mut self, connection: &mut Connection) -> Result<()> {
        let mark = Mark {
            id: random_id(),
            opened: now(),
        };
        if let Some((table, _)) = self.marks() {
            let data = format!("{{\"openWindowTimestamp\": \"{}\"}}", mark.opened);
            let id = format!("{}-open", mark.id);
            insert(connection, &table, [&id, "snapshot-window-open", &data]).await?;
        }
        self.mark = Some(mark);
        Ok(())
    }

    async fn close_mark(&mut self, connection: &mut Connection) -> Result<()> {
        let (Some(mark), Some((table, how))) = (self.mark.take(), self.marks()) else {
            return Ok(());
        };
        match how {
            Watermarking::InsertInsert => {
                let data = format!(
                    "{{\"openWindowTimestamp\": \"{}\", \"closeWindowTimestamp\": \"{}\"}}",
                    mark.opened,
                    now()
                );
                let id = format!("{}-close", mark.id);
                insert(connection, &table, [&id, "snapshot-window-close", &data]).await
            }
            Watermarking::InsertDelete => {
                let id = literal(&format!("{}-open", mark.id));
                let sql = format!("DELETE FROM {table} WHERE id = {id}");
                connection.execute(&sql).await
            }
        }
    }
}

async fn insert(connection: &mut Connection, table: &str, values: [&str; 3]) -> Result<()> {
    let values = values.map(literal).join(", ");
    let sql = format!("INSERT INTO {table} VALUES ({values})");
    connection.execute(&sql).await
}

/// The time as Java writes an `Instant`.
fn now() -> String {
    let us = postgres_micros_now() + POSTGRES_EPOCH_US;
    let mut text = Vec::new();
    push_instant(us.div_euclid(DAY_US), us.rem_euclid(DAY_US), 6, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// What the server refuses ends the reading of a table, and not the task; everything else is an error of the task.
fn tolerated(result: Result<()>) -> Result<Option<Status>, Error> {
    match result {
        Ok(()) => Ok(None),
        Err(error) if [&error::QUERY, &error::PERMISSION].contains(&error.code()) => {
            tracing::warn!(%error, "a table of an incremental snapshot cannot be read");
            Ok(Some("SQL_EXCEPTION"))
        }
        Err(error) => Err(error),
    }
}

/// Whether the transaction's snapshot, which this takes, sees all that the stream has brought. On a standby it does: there a commit is
/// visible before it is sent.
async fn sees_all(recent: &Recent, connection: &mut Connection) -> Result<bool> {
    let sql = "SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() \
        THEN pg_catalog.txid_current_snapshot()::text END";
    let rows = connection.query(sql).await?;
    let text = rows.first().map_or("", |row| row.text(0));
    let seen = text.parse::<Seen>().ok();
    Ok(seen.is_none_or(|seen| recent.are_seen(&seen)))
}

/// The LSN behind everything that is visible now; it is flushed soon.
async fn end_of_log(connection: &mut Connection) -> Result<u64> {
    let sql = "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() \
        ELSE pg_catalog.pg_current_wal_insert_lsn() END";
    let rows = connection.query(sql).await?;
    let lsn = rows.first().and_then(|row| parse_lsn(row.text(0)));
    crate::snapshot::moment::flush(connection).await?;
    lsn.ok_or_else(|| error::protocol("the server tells no LSN"))
}
