//! One of several connections: a thread that reads parts of tables and decodes their rows.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use cdc::context::Context;
use connect_core::{Batch, Error, Result, error::INTERNAL};
use tokio::sync::{mpsc, watch};

use super::{
    Planned, begin,
    divide::Part,
    gate::{Gate, died},
    marker,
    prepare::Moment,
    reader::{Budget, Emit, Reader, Step},
    several::Workers,
};
use crate::{
    PostgresConfig,
    change::{ChangeWriter, Marker},
    error::ServerError,
    options::Isolation,
    task::{snapshot_connection, target},
    wire::{Connection, Vigil},
};

/// The server has no connection left.
const TOO_MANY: &str = "53300";

/// Rows of a part.
#[derive(Debug)]
pub(super) struct Piece {
    /// The part's place among all.
    pub(super) part: usize,
    /// The rows.
    pub(super) batch: Batch,
    /// The key of the last one, where they come in the order of keys.
    pub(super) key: Option<Vec<String>>,
    /// Whether they are the part's first.
    pub(super) is_first: bool,
    /// Whether the part is complete with them.
    pub(super) is_end: bool,
}

/// What all threads of a snapshot share.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) plan: Vec<Planned>,
    pub(super) parts: Vec<Part>,
    pub(super) gate: Gate,
    /// The place of the next part that nobody reads yet.
    next: AtomicUsize,
    /// How many threads have been refused a connection.
    refused: AtomicUsize,
    /// How many threads there are at most.
    pub(super) threads: usize,
    /// Batches whose rows have been sent.
    spare: Mutex<Vec<Batch>>,
    moment: Moment,
    last_with_rows: usize,
    marks_first: bool,
    /// The name under which the snapshot was exported.
    exported: String,
}

impl Work {
    pub(super) fn new(
        (plan, parts, threads): (Vec<Planned>, Vec<Part>, usize),
        moment: Moment,
        last_with_rows: usize,
        marks_first: bool,
        exported: String,
    ) -> Self {
        Self {
            gate: Gate::new(&parts, plan.len(), last_with_rows),
            plan,
            parts,
            next: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            threads,
            spare: Mutex::default(),
            moment,
            last_with_rows,
            marks_first,
            exported,
        }
    }

    fn take(&self) -> Option<usize> {
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        (at < self.parts.len()).then_some(at)
    }

    /// One more thread has no connection; whether others may have one.
    fn refuse(&self) -> bool {
        self.refused.fetch_add(1, Ordering::Relaxed) + 1 < self.threads
    }

    fn spare(&self) -> Batch {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        spare.pop().unwrap_or_default()
    }

    /// Takes a batch back.
    pub(super) fn give_back(&self, mut batch: Batch) {
        batch.clear();
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        // Invariant 4: there are not more than threads that ask for one.
        spare.push(batch);
    }
}

/// Starts a thread. It ends when no part is left, when `stop` is gone, or with an error.
pub(super) fn spawn(
    number: u16,
    work: &Arc<Work>,
    workers: &Workers,
    pieces: mpsc::Sender<Result<Piece>>,
    mut stop: watch::Receiver<()>,
) -> Result<()> {
    let worker = Worker {
        config: Arc::clone(&workers.config),
        context: workers.context.clone(),
        silence_limit: workers.silence_limit,
        work: Arc::clone(work),
        pieces,
    };
    let (work, span) = (Arc::clone(work), tracing::Span::current());
    let body = move || {
        let _breaks = Breaks(work);
        let _entered = span.enter();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let Ok(runtime) = runtime else {
            tracing::error!("no runtime can be started");
            return;
        };
        runtime.block_on(async {
            tokio::select! {
                biased;
                // 1. Nobody wants the rows any more.
                _ = stop.changed() => {}
                // 2. All parts are read, or one cannot be.
                () = worker.run() => {}
            }
        });
    };
    let thread = thread::Builder::new().name(format!("snapshot-{number}"));
    let spawned = thread.spawn(body);
    spawned.map_err(|e| Error::new(&INTERNAL, "no thread can be started").caused_by(e))?;
    Ok(())
}

/// Tells the others when its thread panics.
struct Breaks(Arc<Work>);

impl Drop for Breaks {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.gate.breaks();
        }
    }
}

struct Worker {
    config: Arc<PostgresConfig>,
    context: Option<Context>,
    silence_limit: std::time::Duration,
    work: Arc<Work>,
    pieces: mpsc::Sender<Result<Piece>>,
}

/// A worker with its connection.
struct Session {
    connection: Connection,
    vigil: Vigil,
    writer: ChangeWriter,
}

impl Worker {
    async fn run(self) {
        if let Err(error) = Box::pin(self.read_all()).await {
            // Nobody may be there to hear it.
            let _ = self.pieces.send(Err(error)).await;
        }
    }

    async fn read_all(&self) -> Result<()> {
        let mut session = match self.open().await {
            Ok(session) => session,
            // The others do its work.
            Err(error) if is_refused(&error) && self.work.refuse() => {
                tracing::warn!(%error, "a snapshot has fewer connections than \"snapshot.max.threads\"");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        while let Some(at) = self.work.take() {
            if let Some(part) = self.work.parts.get(at)
                && let Some(planned) = self.work.plan.get(part.table)
            {
                self.read(&mut session, at, part, planned).await?;
            }
        }
        session.connection.close().await;
        Ok(())
    }

    /// A connection within the snapshot.
    async fn open(&self) -> Result<Session> {
        let mut connection = snapshot_connection(&self.config).await?;
        let exported = Some(self.work.exported.as_str());
        begin(&mut connection, Isolation::RepeatableRead, exported).await?;
        let vigil = Vigil::new(target(&self.config), self.silence_limit);
        let vigil = vigil.over_process(&mut connection).await?;
        let writer = self.work.moment.writer().with_context(self.context.clone());
        Ok(Session {
            connection,
            vigil,
            writer,
        })
    }

    async fn read(
        &self,
        session: &mut Session,
        at: usize,
        part: &Part,
        planned: &Planned,
    ) -> Result<()> {
        let starting = Reader::start(&mut session.connection, planned, &part.range);
        let mut reader = session.vigil.over(starting).await?;
        let (opens, closes) = (part.range.opens(), part.range.closes());
        let is_first = self.work.marks_first && part.table == 0;
        let is_last = part.table == self.work.last_with_rows;
        let marks =
            |first: bool, last: bool| marker(is_first, is_last, first && opens, last && closes);
        let gate = &self.work.gate;
        let (mut has_begun, mut is_first) = (false, true);
        loop {
            let mut batch = self.work.spare();
            let is_end = session
                .fill(
                    &mut reader,
                    planned,
                    (self.work.moment.lsn, &marks),
                    &mut batch,
                )
                .await?;
            let begins = !has_begun && !batch.is_empty();
            if begins {
                gate.begin(part).await?;
            }
            if reader.has_all() && !batch.is_empty() {
                gate.end(part).await?;
            }
            let key = reader.last_key();
            let piece = Piece {
                part: at,
                batch,
                key,
                is_first: std::mem::take(&mut is_first),
                is_end,
            };
            self.pieces.send(Ok(piece)).await.map_err(|_| died())?;
            if begins {
                gate.began(part);
                has_begun = true;
            }
            if is_end {
                gate.ended(part);
                return Ok(());
            }
        }
    }
}

impl Session {
    /// Reads until a batch is full or the part ends; whether that is so.
    async fn fill(
        &mut self,
        reader: &mut Reader,
        planned: &Planned,
        (lsn, marker): (u64, &(dyn Fn(bool, bool) -> Marker + Sync)),
        batch: &mut Batch,
    ) -> Result<bool> {
        self.writer.begin_batch(batch);
        let mut budget = Budget::default();
        loop {
            let mut emit = Emit {
                planned,
                writer: &mut self.writer,
                lsn,
                marker,
            };
            let frames = self.connection.frames();
            let step = reader.step(frames, &mut emit, &mut budget, batch).await?;
            self.vigil.heard(step != Step::Waiting).await?;
            match step {
                Step::End => return Ok(true),
                Step::Full => return Ok(false),
                Step::Waiting if !batch.is_empty() => return Ok(false),
                Step::Waiting => {}
            }
        }
    }
}

fn is_refused(error: &Error) -> bool {
    let cause = std::error::Error::source(error);
    let server = cause.and_then(|cause| cause.downcast_ref::<ServerError>());
    server.is_some_and(|server| server.state == TOO_MANY)
}
