//! A snapshot by several connections, all as of the same moment.
//!
//! Each connection has a thread, which reads parts of tables one after the other and decodes their rows; the task hands the
//! batches on as they come. A part ends where the next one begins, so that it does not matter who reads which, and what is
//! complete stays complete after a restart, with whatever number of connections.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use connect_core::{Batch, Result};
use tokio::time::timeout;

use super::{
    Crew, Part, Plan, Planned, Polled, Reader, Report,
    crew::{Piece, Work},
    gate::died,
    tables::{News, Tables},
};

/// A poll ends after this long, also with nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// A running snapshot.
#[derive(Debug)]
pub struct Several<R: Reader> {
    crew: Crew<R>,
    work: Arc<Work<R::Table>>,
    tables: Tables,
    report: Report,
}

impl<R: Reader> Several<R> {
    /// Gives a crew its work: the parts of the planned tables, in their order. `marks_first` says whether there is a first row
    /// of all.
    pub fn new(
        crew: Crew<R>,
        plan: Plan<R::Table>,
        parts: Vec<Part>,
        marks_first: bool,
        report: Report,
    ) -> Self {
        let Plan {
            tables: plan,
            last_with_rows,
            progress,
        } = plan;
        tracing::info!(
            tables = plan.len(),
            parts = parts.len(),
            threads = crew.len(),
            resumed = progress.table.is_some() || progress.is_divided(),
            "snapshot started"
        );
        let tables = Tables::new(&parts, plan.len(), progress);
        let work = Arc::new(Work::new(plan, parts, last_with_rows, marks_first));
        crew.begin(&work);
        Self {
            crew,
            work,
            tables,
            report,
        }
    }

    /// Appends the next rows.
    pub async fn poll(&mut self, out: &mut Batch) -> Result<Polled> {
        if !self.tables.are_complete() {
            let piece = match timeout(PATIENCE, self.crew.next()).await {
                Ok(Some(piece)) => piece?,
                Ok(None) => return Err(died()),
                Err(_) if self.work.gate.is_broken() => return Err(died()),
                Err(_) => return Ok(Polled::Nothing),
            };
            self.take(piece, out);
        }
        if !self.tables.are_complete() {
            return Ok(Polled::More(self.tables.progress(&self.work.plan)));
        }
        let now_ms = now_ms();
        self.report.started(out, now_ms);
        self.report.completed(out, now_ms);
        Ok(Polled::Complete)
    }

    /// The rows of a piece become those of the batch, without a copy.
    fn take(&mut self, mut piece: Piece, out: &mut Batch) {
        let work = Arc::clone(&self.work);
        let Some(part) = work.parts.get(piece.part) else {
            return;
        };
        let Some(planned) = work.plan.get(part.table) else {
            return;
        };
        let read = piece.batch.len();
        let News {
            table_begins,
            part_begins,
            table_ends,
            complete_rows,
            rows,
        } = self.tables.take(&mut piece, part, &**planned);
        std::mem::swap(out, &mut piece.batch);
        self.work.give_back(piece.batch);
        let (now_ms, name) = (now_ms(), planned.full_name());
        self.report.started(out, now_ms);
        if table_begins {
            self.report.table_begins(&name, out, now_ms);
        }
        let number = (part.index, part.of);
        if part_begins {
            self.report
                .part_begins(&name, number, complete_rows, out, now_ms);
        }
        self.report.read(read);
        if piece.is_end {
            self.report.part_done(&name, number, out, now_ms);
        }
        if table_ends {
            self.report.table_read(&name, rows, out, now_ms);
        }
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let ms = since.map_or(0, |since| since.as_millis());
    i64::try_from(ms).unwrap_or(i64::MAX)
}
