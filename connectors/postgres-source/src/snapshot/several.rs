//! A snapshot by several connections, all in the transaction snapshot of one.
//!
//! Each connection has a thread, which reads parts of tables one after the other and decodes their rows; the task hands the
//! batches on as they come. A part ends where the next one begins, so that it does not matter who reads which, and what is
//! complete stays complete after a restart, with whatever number of connections.

use std::{sync::Arc, time::Duration};

use cdc::context::Context;
use connect_core::{Batch, Result};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

use super::{
    Polled, Prepared, Report,
    divide::Division,
    gate::died,
    tables::{News, Tables},
    worker::{self, Piece, Work},
};
use crate::{
    PostgresConfig, error,
    position::Place,
    temporal::{POSTGRES_EPOCH_US, postgres_micros_now},
    wire::{Answer, Connection},
};

/// A poll ends after this long, also with nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the threads need.
#[derive(Debug)]
pub(crate) struct Workers {
    /// How to reach the server.
    pub config: Arc<PostgresConfig>,
    /// What records say of the task, if they do.
    pub context: Option<Context>,
    /// After this much silence the server is asked whether it is there.
    pub silence_limit: Duration,
}

/// A running snapshot.
#[derive(Debug)]
pub(crate) struct Several {
    /// Its transaction has the snapshot, and the locks.
    connection: Connection,
    work: Arc<Work>,
    tables: Tables,
    pieces: mpsc::Receiver<Result<Piece>>,
    /// The threads end when it is gone.
    _stop: watch::Sender<()>,
    place: Place,
    partition: Arc<str>,
    report: Report,
}

impl Several {
    /// Reads what was prepared with as many connections as configured.
    pub(crate) async fn new(
        mut connection: Connection,
        prepared: Prepared,
        partition: Arc<str>,
        workers: Workers,
    ) -> Result<Self> {
        let Prepared {
            plan,
            mut place,
            moment,
            last_with_rows,
            report,
        } = prepared;
        let division = Division::of(&workers.config);
        let progress = place.snapshot.take().unwrap_or_default();
        let resumed = progress.table.is_some() || !progress.started.is_empty();
        let parts = division.divide(&mut connection, &plan, &progress).await?;
        let exported = export(&mut connection).await?;
        let tables = Tables::new(&parts, plan.len(), progress);
        let threads = usize::from(division.threads).min(parts.len());
        tracing::info!(
            tables = plan.len(),
            parts = parts.len(),
            threads,
            resumed,
            "snapshot started"
        );
        let marks_first = division.marks_first();
        let shares = (plan, parts, threads.min(division.threads.into()));
        let work = Work::new(shares, moment, last_with_rows, marks_first, exported);
        let work = Arc::new(work);
        // Invariant 4: each thread fills one batch, and one more of each may wait here.
        let (sender, pieces) = mpsc::channel(threads.max(1));
        let (_stop, stop) = watch::channel(());
        for number in (0..division.threads).take(work.threads) {
            worker::spawn(number, &work, &workers, sender.clone(), stop.clone())?;
        }
        Ok(Self {
            connection,
            work,
            tables,
            pieces,
            _stop,
            place,
            partition,
            report,
        })
    }

    /// Appends the next rows.
    pub(crate) async fn poll(&mut self, out: &mut Batch) -> Result<Polled> {
        if !self.tables.are_complete() {
            let piece = match timeout(PATIENCE, self.pieces.recv()).await {
                Ok(Some(piece)) => piece?,
                Ok(None) => return Err(died()),
                Err(_) if self.work.gate.is_broken() => return Err(died()),
                Err(_) => return Ok(Polled::More),
            };
            self.take(piece, out);
        }
        let now_ms = now_ms();
        let is_complete = self.tables.are_complete();
        self.place.snapshot = match is_complete {
            true => {
                self.report.started(out, now_ms);
                self.report.completed(out, now_ms);
                None
            }
            false => Some(self.tables.progress(&self.work.plan)),
        };
        out.set_position(self.place.position(&self.partition));
        Ok(match is_complete {
            true => Polled::Complete,
            false => Polled::More,
        })
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
        } = self.tables.take(&mut piece, part, planned);
        std::mem::swap(out, &mut piece.batch);
        self.work.give_back(piece.batch);
        let (now_ms, info) = (now_ms(), &planned.info);
        self.report.started(out, now_ms);
        if table_begins {
            self.report.table_begins(info, out, now_ms);
        }
        let number = (part.index, part.of);
        if part_begins {
            self.report
                .part_begins(info, number, complete_rows, out, now_ms);
        }
        self.report.read(read);
        if piece.is_end {
            self.report.part_done(info, number, out, now_ms);
        }
        if table_ends {
            self.report.table_read(info, rows, out, now_ms);
        }
    }

    /// Ends the transaction; gives the place where streaming begins.
    pub(crate) async fn finish(self) -> Result<Place> {
        self.connection.close().await;
        Ok(self.place)
    }
}

/// The name under which other transactions see what this one sees.
async fn export(connection: &mut Connection) -> Result<String> {
    let rows = connection
        .query("SELECT pg_catalog.pg_export_snapshot()")
        .await?;
    let row = rows.first();
    let row = row.ok_or_else(|| error::protocol("the server exports no snapshot"))?;
    Ok(row.text(0).to_owned())
}

fn now_ms() -> i64 {
    (postgres_micros_now() + POSTGRES_EPOCH_US) / 1000
}
