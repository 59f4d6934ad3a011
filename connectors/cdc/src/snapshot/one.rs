//! A snapshot by one connection, table by table.

use std::sync::Arc;

use connect_core::{Batch, Result};

use super::{Marks, Part, Plan, Planned, Polled, Progress, Range, Reader, Report, Step};

/// A running snapshot.
#[derive(Debug)]
pub struct One<R: Reader> {
    reader: R,
    tables: Vec<Arc<R::Table>>,
    at: usize,
    /// Whether the server has been asked for the table at hand.
    is_asked: bool,
    /// Whether no row of the whole snapshot has been read yet.
    nothing_read: bool,
    last_with_rows: usize,
    progress: Progress,
    report: Report,
}

impl<R: Reader> One<R> {
    /// Reads what is planned with a connection.
    pub fn new(reader: R, plan: Plan<R::Table>, report: Report) -> Self {
        let Plan {
            tables,
            last_with_rows,
            progress,
        } = plan;
        let nothing_read = progress.table.is_none();
        tracing::info!(
            tables = tables.len(),
            resumed = !nothing_read,
            "snapshot started"
        );
        Self {
            reader,
            tables,
            at: 0,
            is_asked: false,
            nothing_read,
            last_with_rows,
            progress,
            report,
        }
    }

    /// Appends the next rows.
    pub async fn poll(&mut self, out: &mut Batch) -> Result<Polled> {
        let now_ms = self.reader.begin(out);
        self.report.started(out, now_ms);
        let is_complete = loop {
            let Some(planned) = self.tables.get(self.at) else {
                break true;
            };
            if !self.is_asked {
                let name = planned.full_name();
                self.report.table_begins(&name, out, now_ms);
                let part = self.part(planned);
                self.reader.start(planned, &part).await?;
                self.is_asked = true;
            }
            let before = out.len();
            let step = self.reader.step(self.marks(), out).await?;
            let read = out.len() - before;
            self.report.read(read);
            self.nothing_read &= read == 0;
            match step {
                Step::Waiting if out.is_empty() => return Ok(Polled::Nothing),
                Step::Full | Step::Waiting => break false,
                Step::End => self.table_complete(out, now_ms),
            }
        };
        Ok(self.stand(is_complete, out, now_ms))
    }

    fn part(&self, planned: &R::Table) -> Part {
        let key = self.progress.key_in(planned.schema(), planned.name());
        Part {
            table: self.at,
            index: 0,
            of: 1,
            range: Range::behind(key.to_vec()),
        }
    }

    fn marks(&self) -> Marks {
        Marks {
            // An empty first table leaves no first row of all.
            in_first: self.nothing_read && self.at == 0,
            in_last: self.at == self.last_with_rows,
            opens: true,
            closes: true,
        }
    }

    fn table_complete(&mut self, out: &mut Batch, now_ms: i64) {
        if let Some(planned) = self.tables.get(self.at) {
            self.report.table_done(&planned.full_name(), out, now_ms);
            if let Some(read) = &mut self.progress.read {
                read.push(planned.full_name());
            }
            let names = planned.names();
            self.progress
                .started
                .retain(|started| started.table != names);
            self.progress.table = Some(names);
            self.progress.key.clear();
            self.progress.complete = true;
            self.progress.rows = self.report.rows();
        }
        self.at += 1;
        self.is_asked = false;
    }

    fn stand(&mut self, is_complete: bool, out: &mut Batch, now_ms: i64) -> Polled {
        if is_complete {
            self.report.completed(out, now_ms);
            return Polled::Complete;
        }
        if let Some(planned) = self.tables.get(self.at).filter(|_| self.is_asked) {
            // A table without key has no place to come back to but its start.
            if let Some(key) = self.reader.last_key() {
                self.progress.table = Some(planned.names());
                self.progress.key = key;
                self.progress.complete = false;
                self.progress.rows = self.report.rows();
            }
        }
        Polled::More(self.progress.clone())
    }

    /// Ends the connection.
    pub async fn close(self) {
        self.reader.close().await;
    }
}
