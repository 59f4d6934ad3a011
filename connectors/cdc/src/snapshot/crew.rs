//! Threads that read parts of tables and decode their rows, each with a connection.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use connect_core::{Batch, Error, Result, error::INTERNAL};
use tokio::sync::{mpsc, watch};

use super::{
    Connect, Marks, Part, Reader, Step,
    gate::{Gate, died},
};

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
pub(super) struct Work<T> {
    pub(super) plan: Vec<Arc<T>>,
    pub(super) parts: Vec<Part>,
    pub(super) gate: Gate,
    /// The place of the next part that nobody reads yet.
    next: AtomicUsize,
    /// Batches whose rows have been sent.
    spare: Mutex<Vec<Batch>>,
    last_with_rows: usize,
    marks_first: bool,
}

impl<T> Work<T> {
    pub(super) fn new(
        plan: Vec<Arc<T>>,
        parts: Vec<Part>,
        last_with_rows: usize,
        marks_first: bool,
    ) -> Self {
        Self {
            gate: Gate::new(&parts, plan.len(), last_with_rows),
            plan,
            parts,
            next: AtomicUsize::new(0),
            spare: Mutex::default(),
            last_with_rows,
            marks_first,
        }
    }

    fn take(&self) -> Option<usize> {
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        (at < self.parts.len()).then_some(at)
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

    fn marks(&self, part: &Part) -> Marks {
        Marks {
            in_first: self.marks_first && part.table == 0,
            in_last: part.table == self.last_with_rows,
            opens: part.range.opens(),
            closes: part.range.closes(),
        }
    }
}

/// What the threads are told: their work, once it is known.
type Told<T> = Option<Arc<Work<T>>>;

/// The threads. They connect at once, then wait for their work, and end when it is done or nobody wants it any more.
#[derive(Debug)]
pub struct Crew<R: Reader> {
    work: watch::Sender<Told<R::Table>>,
    pieces: mpsc::Receiver<Result<Piece>>,
    threads: usize,
}

impl<R: Reader> Crew<R> {
    /// Starts so many threads.
    pub fn gather<C: Connect<Reader = R>>(threads: usize, connect: &Arc<C>) -> Result<Self> {
        let (work, told) = watch::channel(None);
        // Invariant 4: each thread fills one batch, and one more of each may wait here.
        let (sender, pieces) = mpsc::channel(threads.max(1));
        let refused = Arc::new(AtomicUsize::new(0));
        for number in 0..threads {
            spawn(Worker {
                connect: Arc::clone(connect),
                number,
                refused: Arc::clone(&refused),
                threads,
                told: told.clone(),
                pieces: sender.clone(),
            })?;
        }
        Ok(Self {
            work,
            pieces,
            threads,
        })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.threads
    }

    /// Lets them begin.
    pub(super) fn begin(&self, work: &Arc<Work<R::Table>>) {
        self.work.send_replace(Some(Arc::clone(work)));
    }

    /// The next rows; `None` when all threads are gone.
    pub(super) async fn next(&mut self) -> Option<Result<Piece>> {
        self.pieces.recv().await
    }
}

/// Starts a thread. It ends when no part is left, when nobody wants the rows any more, or with an error.
fn spawn<C: Connect>(worker: Worker<C>) -> Result<()> {
    let (mut told, span) = (worker.told.clone(), tracing::Span::current());
    let thread = thread::Builder::new().name(format!("snapshot-{}", worker.number));
    let body = move || {
        let _breaks = Breaks(told.clone());
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
                _ = told.wait_for(|_| false) => {}
                // 2. All parts are read, or one cannot be.
                () = worker.run() => {}
            }
        });
    };
    let spawned = thread.spawn(body);
    spawned.map_err(|e| Error::new(&INTERNAL, "no thread can be started").caused_by(e))?;
    Ok(())
}

/// Tells the others when its thread panics.
struct Breaks<T>(watch::Receiver<Told<T>>);

impl<T> Drop for Breaks<T> {
    fn drop(&mut self) {
        if let Some(work) = self.0.borrow().as_ref().filter(|_| thread::panicking()) {
            work.gate.breaks();
        }
    }
}

struct Worker<C: Connect> {
    connect: Arc<C>,
    number: usize,
    /// How many threads have been refused a connection, and how many there are.
    refused: Arc<AtomicUsize>,
    threads: usize,
    told: watch::Receiver<Told<<C::Reader as Reader>::Table>>,
    pieces: mpsc::Sender<Result<Piece>>,
}

impl<C: Connect> Worker<C> {
    async fn run(mut self) {
        if let Err(error) = Box::pin(self.read_all()).await {
            // Nobody may be there to hear it.
            let _ = self.pieces.send(Err(error)).await;
        }
    }

    async fn read_all(&mut self) -> Result<()> {
        let mut reader = match self.connect.connect(self.number).await {
            Ok(reader) => reader,
            // The others do its work.
            Err(error) if self.connect.is_refused(&error) && self.refuse() => {
                tracing::warn!(%error, "a snapshot has fewer connections than \"snapshot.max.threads\"");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let told = self.told.wait_for(Option::is_some).await;
        let Some(work) = told.ok().and_then(|told| told.clone()) else {
            return Ok(());
        };
        while let Some(at) = work.take() {
            self.read(&mut reader, at, &work).await?;
        }
        reader.close().await;
        Ok(())
    }

    /// One more thread has no connection; whether others may have one.
    fn refuse(&self) -> bool {
        self.refused.fetch_add(1, Ordering::Relaxed) + 1 < self.threads
    }

    async fn read(
        &self,
        reader: &mut C::Reader,
        at: usize,
        work: &Work<<C::Reader as Reader>::Table>,
    ) -> Result<()> {
        let Some(part) = work.parts.get(at) else {
            return Ok(());
        };
        let Some(planned) = work.plan.get(part.table) else {
            return Ok(());
        };
        reader.start(planned, part).await?;
        let gate = &work.gate;
        let (mut has_begun, mut is_first) = (false, true);
        loop {
            let mut batch = work.spare();
            let is_end = fill(reader, work.marks(part), &mut batch).await?;
            let begins = !has_begun && !batch.is_empty();
            if begins {
                gate.begin(part).await?;
            }
            if reader.has_all() && !batch.is_empty() {
                gate.end(part).await?;
            }
            let piece = Piece {
                part: at,
                batch,
                key: reader.last_key(),
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

/// Reads until a batch is full or the part ends; whether that is so.
async fn fill(reader: &mut impl Reader, marks: Marks, batch: &mut Batch) -> Result<bool> {
    reader.begin(batch);
    loop {
        match reader.step(marks, batch).await? {
            Step::End => return Ok(true),
            Step::Full => return Ok(false),
            Step::Waiting if !batch.is_empty() => return Ok(false),
            Step::Waiting => {}
        }
    }
}
