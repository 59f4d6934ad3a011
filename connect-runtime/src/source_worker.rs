//! A running source task: poll, transform, encode, append; one loop, one batch, one arena of bytes.

mod prepared;

use std::{sync::Arc, time::Duration};

use connect_core::{
    Advance, Batch, Encoded, Error, Position, Result, Start, Watermark, plugin::DynSourceTask,
};
use connect_log::{Append, Appended, Ticket};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};

use crate::{
    answers::TaskId,
    chain::Chain,
    dead_letters::{DeadLetters, Described, Left},
    encode::Encoder,
    ledger::Bookkeeper,
    metrics::{Flights, TaskMetrics},
    offsets::OffsetStore,
    shared::Shared,
    spans::TaskSpans,
    stop::Stop,
    tolerance::{Place, Stage, Tolerance},
    topic_creation::TopicCreation,
    transaction::{Boundary, Transaction},
};
pub(crate) use prepared::Prepared;

/// A source task with all that its records pass through, made in two steps: see [`Prepared`].
pub(crate) struct SourceWorker {
    task: Box<dyn DynSourceTask>,
    start: Start,
    pipe: Pipe,
    delivery: Delivery,
}

/// From a batch to serialized records.
struct Pipe {
    id: TaskId,
    shared: Arc<Shared>,
    chain: Chain,
    encoder: Encoder,
    topics: TopicCreation,
    tolerance: Tolerance,
    dead_letters: Option<DeadLetters>,
    metrics: Arc<TaskMetrics>,
    spans: TaskSpans,
    encoded: Encoded,
}

/// How records and positions become durable.
enum Delivery {
    /// One after the other: at least once.
    Plain {
        appender: Box<dyn Append>,
        last: Option<Ticket>,
        keeper: Arc<Bookkeeper>,
        flights: Arc<Flights>,
    },
    /// Together: exactly once.
    Transaction(Box<Transaction>),
}

impl SourceWorker {
    /// Runs until it is told to stop or fails.
    pub(crate) async fn run(self, stop: Stop, opened: oneshot::Sender<()>) -> Result<()> {
        let (shared, id) = (Arc::clone(&self.pipe.shared), self.pipe.id.clone());
        let ended = self.work(stop, opened).await;
        shared.ways.close(&id);
        ended
    }

    async fn work(mut self, stop: Stop, opened: oneshot::Sender<()>) -> Result<()> {
        tokio::select! {
            biased;
            // 1. It is told to stop before it is open.
            () = stop.soft() => return Ok(()),
            // 2. It is open, or cannot be.
            open = self.task.open(self.start.clone()) => open?,
        }
        let _supervisor_gone = opened.send(());
        let keeper = self.delivery.keeper();
        let flights = self.delivery.flights();
        tokio::select! {
            biased;
            // 1. Positions can be stored no more.
            failed = keep(keeper.as_deref()) => failed?,
            // 2. It is only looked at what becomes durable; this never ends.
            () = watch(flights) => {}
            // 3. The loop has ended: it was told to stop, or failed.
            ended = self.pump(&stop) => ended?,
        }
        self.delivery.finish().await?;
        self.task.close().await
    }

    async fn pump(&mut self, stop: &Stop) -> Result<()> {
        let mut batch = Batch::default();
        loop {
            batch.clear();
            let began = Instant::now();
            let spans = &mut self.pipe.spans;
            let delivery = (&mut self.delivery, spans);
            if !poll(&mut self.task, &mut batch, delivery, stop).await? {
                return Ok(());
            }
            self.pipe.metrics.polled(batch.len(), began.elapsed());
            self.pipe.metrics.used(cpu_time());
            if !batch.is_empty() {
                self.pipe.spans.polled(began);
            }
            let passed = self.pass(&mut batch).await;
            let error = passed.as_ref().err();
            self.pipe.spans.end(batch.len(), error);
            passed?;
        }
    }

    async fn pass(&mut self, batch: &mut Batch) -> Result<()> {
        self.pipe.fill(batch).await?;
        self.delivery.deliver(&mut self.pipe, batch).await
    }
}

/// One poll; meanwhile transactions that become due are committed. `false` when it is told to stop: then the poll is dropped for good.
async fn poll(
    task: &mut Box<dyn DynSourceTask>,
    batch: &mut Batch,
    (delivery, spans): (&mut Delivery, &mut TaskSpans),
    stop: &Stop,
) -> Result<bool> {
    let mut polled = task.poll(batch);
    loop {
        let due = delivery.due();
        tokio::select! {
            biased;
            // 1. It is told to stop.
            () = stop.soft() => return Ok(false),
            // 2. A commit that is under way has ended.
            settled = delivery.settled(), if delivery.is_committing() => {
                spans.committed(settled.as_ref().err());
                settled?;
            }
            // 3. Rows, or an error.
            polled = &mut polled => return polled.map(|()| true),
            // 4. A transaction is due while the source is quiet.
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                spans.committing_beside();
                delivery.begin_commit();
            }
        }
    }
}

/// Processor time of this thread, which is the task's alone.
pub(crate) fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

async fn keep(keeper: Option<&Bookkeeper>) -> Result<()> {
    match keeper {
        Some(keeper) => keeper.run().await,
        None => std::future::pending().await,
    }
}

async fn watch(flights: Option<(Arc<Flights>, Watermark<Ticket>)>) {
    match flights {
        Some((flights, durable)) => flights.watch(durable).await,
        None => std::future::pending().await,
    }
}

fn start(
    shared: &Shared,
    id: &TaskId,
    safe: Watermark<Position>,
    metrics: &TaskMetrics,
    offsets: &OffsetStore,
) -> Start {
    Start {
        stored: offsets.stored(&id.connector),
        safe,
        meter: metrics.meter.clone(),
        outside: shared
            .ways
            .open(id, &shared.log, shared.keep(&id.connector)),
    }
}

impl Pipe {
    /// Transforms and encodes a batch into `self.encoded`.
    async fn fill(&mut self, batch: &mut Batch) -> Result<()> {
        self.encoded.clear();
        if batch.is_empty() {
            return Ok(());
        }
        self.spans.stage("transform");
        for refused in self.chain.apply(batch, &mut Vec::new()).await? {
            let left = Left::Seen(refused.seen);
            self.refuse(
                (&refused.topic, batch.position()),
                Stage::Transformation,
                left,
                refused.error,
            )
            .await?;
        }
        self.spans.stage("encode");
        let fresh = self.encoder.prepare(batch).await?;
        self.topics.ensure(&fresh).await?;
        if self.shared.config.topic_tracking {
            let topics = self.encoder.topics();
            topics.for_each(|topic| self.shared.statuses.use_topic(&self.id, topic));
        }
        let refused = self.encoder.encode(batch, &mut self.encoded).await?;
        for (index, stage, error) in refused {
            let Some(row) = batch.row(index) else {
                continue;
            };
            let seen = self.dead_letters.is_some().then(|| Described::of(row));
            self.refuse(
                (row.topic(), batch.position()),
                stage,
                Left::Seen(seen),
                error,
            )
            .await?;
        }
        self.spans.put(&mut self.encoded);
        self.spans.stage("append");
        Ok(())
    }

    async fn appended(&mut self, appended: Appended, position: Option<&Position>) -> Result<()> {
        let taken = self.encoded.len() - appended.refused.len();
        self.metrics.wrote(taken);
        for (at, error) in appended.refused {
            let Some(topic) = self.encoded.records.get(at).map(|r| Arc::clone(&r.topic)) else {
                continue;
            };
            self.refuse((&topic, position), Stage::Produce, Left::Encoded(at), error)
                .await?;
        }
        Ok(())
    }

    /// Skips a record and keeps what is left of it as a dead letter, if that is allowed.
    async fn refuse(
        &mut self,
        (topic, position): (&str, Option<&Position>),
        stage: Stage,
        left: Left,
        error: Error,
    ) -> Result<()> {
        let place = Place { topic, at: None };
        self.tolerance.refuse(stage, place, error.clone())?;
        if let Some(dead_letters) = &mut self.dead_letters {
            let of = (topic, position);
            dead_letters
                .keep(&self.encoded, left, of, (stage, &error))
                .await?;
        }
        Ok(())
    }

    /// Invariant 1: letters are durable before the positions behind their records are.
    async fn flush_letters(&mut self) -> Result<()> {
        match &mut self.dead_letters {
            Some(dead_letters) => dead_letters.flush().await,
            None => Ok(()),
        }
    }
}

impl Delivery {
    fn plain(
        appender: Box<dyn Append>,
        id: &TaskId,
        offsets: &OffsetStore,
        (safe, interval): (Advance<Position>, Duration),
        metrics: &Arc<TaskMetrics>,
    ) -> Self {
        let durable = appender.durable();
        let keeper = Bookkeeper::new(durable, &id.connector, offsets, safe, interval, metrics);
        Self::Plain {
            appender,
            last: None,
            keeper: Arc::new(keeper),
            flights: Arc::new(Flights::new(metrics)),
        }
    }

    fn transactional(
        appender: Box<dyn Append>,
        boundary: Boundary,
        id: &TaskId,
        (offsets, safe): (&OffsetStore, Advance<Position>),
        metrics: &Arc<TaskMetrics>,
    ) -> Self {
        let transaction =
            Transaction::new(appender, boundary, &id.connector, offsets, safe, metrics);
        Self::Transaction(Box::new(transaction))
    }

    fn keeper(&self) -> Option<Arc<Bookkeeper>> {
        match self {
            Self::Plain { keeper, .. } => Some(Arc::clone(keeper)),
            Self::Transaction(_) => None,
        }
    }

    /// What is on its way, and what tells that it has arrived.
    fn flights(&self) -> Option<(Arc<Flights>, Watermark<Ticket>)> {
        match self {
            Self::Plain {
                appender, flights, ..
            } => Some((Arc::clone(flights), appender.durable())),
            Self::Transaction(_) => None,
        }
    }

    async fn deliver(&mut self, pipe: &mut Pipe, batch: &Batch) -> Result<()> {
        let positions = batch.other_positions().iter().chain(batch.position());
        match self {
            Self::Plain {
                appender,
                last,
                keeper,
                flights,
            } => {
                if !pipe.encoded.is_empty() {
                    let appended = appender.append(&pipe.encoded).await?;
                    *last = Some(appended.ticket);
                    flights.left(appended.ticket, pipe.encoded.len());
                    pipe.appended(appended, batch.position()).await?;
                }
                pipe.flush_letters().await?;
                for position in positions {
                    keeper.note(*last, position.clone());
                }
            }
            Self::Transaction(transaction) => {
                if transaction.is_committing() {
                    let settled = transaction.settled().await;
                    pipe.spans.committed(settled.as_ref().err());
                    settled?;
                }
                if !pipe.encoded.is_empty() {
                    let appended = transaction.append(&pipe.encoded).await?;
                    pipe.appended(appended, batch.position()).await?;
                }
                pipe.flush_letters().await?;
                for position in positions {
                    transaction.note(position.clone());
                }
                transaction.ends_within(batch.is_within_transaction());
                if transaction.due().is_some_and(|due| due <= Instant::now()) {
                    pipe.spans.committing_beside();
                    transaction.begin_commit();
                }
            }
        }
        Ok(())
    }

    fn due(&self) -> Option<Instant> {
        match self {
            Self::Plain { .. } => None,
            Self::Transaction(transaction) => transaction.due(),
        }
    }

    fn begin_commit(&mut self) {
        if let Self::Transaction(transaction) = self {
            transaction.begin_commit();
        }
    }

    fn is_committing(&self) -> bool {
        matches!(self, Self::Transaction(transaction) if transaction.is_committing())
    }

    async fn settled(&mut self) -> Result<()> {
        match self {
            Self::Plain { .. } => Ok(()),
            Self::Transaction(transaction) => transaction.settled().await,
        }
    }

    /// Waits until everything that was delivered is durable, and its positions too.
    async fn finish(&mut self) -> Result<()> {
        match self {
            Self::Plain { keeper, .. } => keeper.finish().await,
            Self::Transaction(transaction) => transaction.finish().await,
        }
    }
}
