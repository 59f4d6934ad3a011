//! From one chunk to the next.

use std::time::Duration;

use connect_core::{Error, Result};
use tokio::time::Instant;

use super::{Chunk, Database, Incremental, Mark, Next, Phase, Read, Status, Tell, Window};
use crate::{iso, java::Part, notification::random_id, options::Watermarking};

/// After this long a chunk is tried again that could not be read.
const AGAIN: Duration = Duration::from_millis(200);

impl<G, R> Incremental<G, R>
where
    G: PartialOrd + Send + Sync,
    R: Send,
{
    /// One step: a window is closed, or a chunk is read. `stream_at` is how far the stream has come.
    pub async fn lead<D>(
        &mut self,
        window: &mut Option<D::Window>,
        stream_at: &G,
        database: &mut D,
        tell: &mut Tell<'_>,
    ) -> Result<()>
    where
        D: Database<Goal = G> + Send,
        D::Window: Window<Rows = R> + Send,
    {
        match &self.phase {
            Phase::Idle | Phase::Sending { .. } => Ok(()),
            Phase::Open { goal, .. } => {
                if window.as_ref().is_none_or(Window::is_void) {
                    tracing::info!(
                        "a table was altered while it was read: its chunk is read again"
                    );
                    *window = None;
                    self.phase = Phase::Due(Instant::now());
                } else if goal.as_ref().is_none_or(|goal| stream_at >= goal) {
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
                self.next_chunk(window, database, tell).await
            }
        }
    }

    fn close_window<W: Window<Rows = R>>(&mut self, window: &mut Option<W>) {
        let phase = std::mem::replace(&mut self.phase, Phase::Due(Instant::now()));
        if let (Phase::Open { last, .. }, Some(window)) = (phase, window.take()) {
            match window.into_rows() {
                None => self.change().last = Some(last),
                Some(rows) => {
                    let rows = Box::new(rows);
                    self.phase = Phase::Sending { rows, last };
                }
            }
        }
    }

    async fn next_chunk<D>(
        &mut self,
        window: &mut Option<D::Window>,
        database: &mut D,
        tell: &mut Tell<'_>,
    ) -> Result<()>
    where
        D: Database<Goal = G> + Send,
        D::Window: Window<Rows = R> + Send,
    {
        if self.mark.is_none() {
            let opened = self.open_mark(database).await;
            if let Some(status) = tolerated::<D>(opened)? {
                self.table_done(status, tell);
                self.again_or_idle();
                return Ok(());
            }
        }
        let mut found = None;
        while let Some(running) = self.running.clone() {
            let Some(collection) = running.current() else {
                break;
            };
            let next = Next {
                collection,
                last: running.last.as_deref(),
                maximum: running.maximum.as_deref(),
                limit: self.limit,
            };
            match database.read(next).await? {
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
        let id = self.mark.as_ref().map(|mark| mark.id.clone());
        let read = found.map(|chunk| self.was_read(chunk, tell));
        let closed = self.close_mark(database).await;
        if let Some(status) = tolerated::<D>(closed)? {
            self.table_done(status, tell);
            self.again_or_idle();
            return Ok(());
        }
        let Some((rows, last)) = read else {
            self.again_or_idle();
            return Ok(());
        };
        *window = Some(rows);
        self.phase = Phase::Open {
            id: id.unwrap_or_else(random_id),
            goal: Some(database.behind().await?),
            last,
        };
        Ok(())
    }

    fn again_or_idle(&mut self) {
        self.phase = match self.running {
            Some(_) => Phase::Due(Instant::now()),
            None => Phase::Idle,
        };
    }

    /// A chunk was read, which is told; gives its rows, and the key of the last one.
    fn was_read<W>(&mut self, chunk: Chunk<W>, tell: &mut Tell<'_>) -> (W, Vec<Part>) {
        let most = u64::from(self.settings.chunk_rows);
        self.limit = match chunk.is_cut {
            true => (chunk.rows as u64).max(1),
            false => (self.limit * 2).min(most),
        };
        self.has_begun = true;
        self.rows_scanned += chunk.rows as u64;
        let rows = i64::try_from(chunk.rows).unwrap_or(i64::MAX);
        self.shown.rows.add(rows);
        let running = self.change();
        let name = running.current().map(|one| one.id.clone());
        let data = vec![
            ("data_collections", running.names()),
            ("current_collection_in_progress", name.unwrap_or_default()),
            ("maximum_key", shown(&chunk.maximum)),
            ("last_processed_key", shown(&chunk.last)),
        ];
        running.maximum = Some(chunk.maximum);
        self.tell("IN_PROGRESS", data, tell);
        (chunk.window, chunk.last)
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

    async fn open_mark<D: Database<Goal = G>>(&mut self, database: &mut D) -> Result<()> {
        let mark = Mark {
            id: random_id(),
            opened: iso::now(),
        };
        if self.settings.marks.is_some() {
            let data = format!("{{\"openWindowTimestamp\": \"{}\"}}", mark.opened);
            let id = format!("{}-open", mark.id);
            database
                .insert_mark([&id, "snapshot-window-open", &data])
                .await?;
        }
        self.mark = Some(mark);
        Ok(())
    }

    async fn close_mark<D: Database<Goal = G>>(&mut self, database: &mut D) -> Result<()> {
        let (Some(mark), Some(how)) = (self.mark.take(), self.settings.marks) else {
            return Ok(());
        };
        match how {
            Watermarking::InsertInsert => {
                let data = format!(
                    "{{\"openWindowTimestamp\": \"{}\", \"closeWindowTimestamp\": \"{}\"}}",
                    mark.opened,
                    iso::now()
                );
                let id = format!("{}-close", mark.id);
                database
                    .insert_mark([&id, "snapshot-window-close", &data])
                    .await
            }
            Watermarking::InsertDelete => database.delete_mark(&format!("{}-open", mark.id)).await,
        }
    }
}

/// A key as notifications have it.
fn shown(key: &[Part]) -> String {
    let texts = key
        .iter()
        .map(|part| part.text().unwrap_or("<null>".to_owned()));
    texts.collect::<Vec<_>>().join(",")
}

/// What the server refuses ends the reading of a table, and not the task; everything else is an error of the task.
fn tolerated<D: Database>(result: Result<()>) -> Result<Option<Status>, Error> {
    match result {
        Ok(()) => Ok(None),
        Err(error) if D::is_refusal(&error) => {
            tracing::warn!(%error, "a table of an incremental snapshot cannot be read");
            Ok(Some("SQL_EXCEPTION"))
        }
        Err(error) => Err(error),
    }
}
