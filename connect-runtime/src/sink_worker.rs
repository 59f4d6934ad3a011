//! A running sink task: read, decode, transform, write; then flush and commit.

mod consumed;
mod gather;
mod subscription;

use std::{sync::Arc, time::Duration};

use connect_core::{Batch, Encoded, Error, Properties, Result, plugin::DynSinkTask};
use connect_log::{Event, FENCED, Lease, NOT_MEMBER, Read, ReaderSpec};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};

use crate::{
    answers::TaskId,
    chain::Chain,
    converters::Converters,
    dead_letters::DeadLetters,
    decode::Decoder,
    metrics::TaskMetrics,
    offset_request::group_of,
    shared::Shared,
    source_worker::cpu_time,
    spans::TaskSpans,
    stop::Stop,
    tolerance::{Place, Stage, Tolerance},
    worker_config::under,
};
use consumed::Consumed;
use gather::Gather;
use subscription::Subscription;

/// A sink task with all that its records pass through.
pub(crate) struct SinkWorker {
    task: Box<dyn DynSinkTask>,
    reader: Box<dyn Read>,
    subscription: Subscription,
    gather: Gather,
    pipe: Pipe,
    consumed: Consumed,
    next_commit: Instant,
    interval: Duration,
    lease: Lease,
}

/// How often it is looked whether this worker is sure of its place again.
const LEASE_LOOK: Duration = Duration::from_millis(50);

/// From serialized records to a batch, and the way of those that are refused.
struct Pipe {
    id: TaskId,
    shared: Arc<Shared>,
    decoder: Decoder,
    chain: Chain,
    tolerance: Tolerance,
    dead_letters: Option<DeadLetters>,
    metrics: Arc<TaskMetrics>,
    spans: TaskSpans,
    batch: Batch,
    /// For each record of the batch its index among those that were read.
    origins: Vec<u32>,
}

impl SinkWorker {
    /// Makes everything but the destination's connection: that is [`SinkWorker::run`]'s first step.
    pub(crate) async fn new(
        shared: &Arc<Shared>,
        id: &TaskId,
        config: &Properties,
        task: Box<dyn DynSinkTask>,
    ) -> Result<Self> {
        let metrics = shared.metrics.task(id);
        // What an earlier run has read and not committed is read again.
        metrics.settled(false);
        let worker = shared.current.get();
        let mut settings = worker.under("consumer.");
        settings
            .entry("auto.offset.reset".to_owned())
            .or_insert_with(|| "earliest".to_owned());
        settings.extend(under(config, "consumer.override."));
        let gather = Gather::new(&settings);
        let spec = ReaderSpec {
            client_id: format!("connector-consumer-{id}"),
            group: Some(group_of(config, &id.connector)),
            settings,
        };
        let pipe = Pipe {
            id: id.clone(),
            shared: Arc::clone(shared),
            decoder: Decoder::new(&Converters::new(&worker, config)?),
            chain: Chain::new(&shared.plugins.transforms, config)?,
            tolerance: Tolerance::new(id, config, &metrics),
            dead_letters: DeadLetters::new(shared, id, config, &metrics).await?,
            metrics,
            spans: TaskSpans::new(&shared.traces, id),
            batch: Batch::default(),
            origins: Vec::new(),
        };
        let interval = worker.offset_flush_interval.0;
        Ok(Self {
            task,
            reader: shared.log.reader(spec).await?,
            subscription: Subscription::new(shared, id, config)?,
            gather,
            pipe,
            consumed: Consumed::default(),
            next_commit: Instant::now() + interval,
            interval,
            lease: shared.place.lease(),
        })
    }

    /// Runs until it is told to stop or fails.
    pub(crate) async fn run(mut self, stop: Stop, opened: oneshot::Sender<()>) -> Result<()> {
        tokio::select! {
            biased;
            // 1. It is told to stop before it is open.
            () = stop.soft() => return self.reader.close().await,
            // 2. It is open, or cannot be.
            open = self.task.open(self.pipe.metrics.meter.clone()) => open?,
        }
        let _supervisor_gone = opened.send(());
        let ended = self.pump(&stop).await;
        if let Err(error) = ended {
            // Leaving at once lets the others of the group go on; what was not committed is read again.
            drop(self.reader.close().await);
            return Err(error);
        }
        self.commit().await?;
        self.task.close().await?;
        self.reader.close().await
    }

    async fn pump(&mut self, stop: &Stop) -> Result<()> {
        let mut records = Encoded::default();
        loop {
            self.subscription.refresh(&mut *self.reader).await?;
            records.clear();
            let began = Instant::now();
            let event = tokio::select! {
                biased;
                // 1. It is told to stop: what the poll would give is not committed, so it is read again.
                () = stop.soft() => return Ok(()),
                // 2. Records, or a change in the group.
                event = self.gather.poll(&mut *self.reader, &mut records) => event?,
            };
            self.take(event, &mut records, began).await?;
        }
    }

    async fn take(&mut self, event: Event, records: &mut Encoded, began: Instant) -> Result<()> {
        self.pipe.metrics.used(cpu_time());
        if !records.is_empty() {
            until_sure(&self.lease).await?;
            self.pipe.spans.read(began, records);
            let written = self.write(records).await;
            self.pipe.spans.end(records.len(), written.as_ref().err());
            written?;
        }
        match event {
            Event::Records => {}
            Event::Assigned(partitions) => self.consumed.assigned(&partitions),
            Event::Revoked(partitions) => {
                self.commit().await?;
                self.consumed.gone(&partitions);
            }
            Event::Lost(partitions) => self.consumed.gone(&partitions),
            // Nothing more to come for now: a good moment, since a crash would repeat less.
            Event::Idle if self.consumed.is_dirty() => self.commit().await?,
            Event::Idle => {}
        }
        let lags = self.reader.lag();
        let partitions = self.consumed.partitions();
        self.pipe.metrics.sink(partitions, lags.values().copied());
        if Instant::now() >= self.next_commit {
            self.commit().await?;
        }
        Ok(())
    }

    async fn write(&mut self, records: &mut Encoded) -> Result<()> {
        // Nothing is committed before this has ended well.
        self.consumed.read(records);
        self.subscription.restore(records);
        self.pipe.fill(records).await?;
        let began = Instant::now();
        self.pipe.spans.stage("write");
        if !self.pipe.batch.is_empty() {
            let rejects = self.task.write(&self.pipe.batch).await?;
            self.pipe
                .metrics
                .put(self.pipe.batch.len() - rejects.len(), began.elapsed());
            for (at, error) in rejects {
                let origin = self.pipe.origins.get(at).copied().unwrap_or(u32::MAX);
                self.pipe.refuse(records, origin, Stage::Put, error).await?;
            }
        }
        let made = records.records.iter().map(|record| record.timestamp_ms);
        self.pipe.metrics.written(made);
        Ok(())
    }

    /// Everything that was written is durable in the destination, and every dead letter in the log; then the offsets are committed.
    async fn commit(&mut self) -> Result<()> {
        self.next_commit = Instant::now() + self.interval;
        if !self.consumed.is_dirty() {
            return Ok(());
        }
        let began = Instant::now();
        self.pipe.spans.committing();
        let committed = self.flush_and_commit().await;
        self.pipe.spans.end(0, committed.as_ref().err());
        self.pipe.metrics.commit(began.elapsed(), committed.is_ok());
        match committed {
            // The group was rebalanced: the next poll says which partitions are gone, and their new owner reads from the last commit.
            Err(error) if error.code() == &NOT_MEMBER => {
                tracing::warn!(task = %self.pipe.id, %error, "offsets were not committed");
                self.consumed.clean();
                self.pipe.metrics.settled(true);
                Ok(())
            }
            other => other,
        }
    }

    async fn flush_and_commit(&mut self) -> Result<()> {
        self.pipe.spans.stage("flush");
        self.task.flush().await?;
        if let Some(dead_letters) = &mut self.pipe.dead_letters {
            dead_letters.flush().await?;
        }
        self.pipe.spans.stage("commit");
        self.reader.commit(self.consumed.offsets()).await?;
        self.consumed.clean();
        self.pipe.metrics.settled(false);
        Ok(())
    }
}

/// A worker that may have been replaced writes nothing: the destination cannot tell it from its successor.
async fn until_sure(lease: &Lease) -> Result<()> {
    while !lease.holds() {
        if lease.is_lost() {
            let what = "this worker has fallen out of its group";
            return Err(Error::new(&FENCED, what));
        }
        sleep(LEASE_LOOK).await;
    }
    Ok(())
}

impl Pipe {
    /// Decodes and transforms records into `self.batch`.
    async fn fill(&mut self, records: &Encoded) -> Result<()> {
        self.batch.clear();
        self.origins.clear();
        self.metrics.read(records.len());
        self.metrics.took(records.bytes.len());
        self.spans.stage("decode");
        let refused = self
            .decoder
            .decode(records, &mut self.batch, &mut self.origins)
            .await?;
        for (origin, stage, error) in refused {
            self.refuse(records, origin, stage, error).await?;
        }
        if self.shared.config.topic_tracking {
            for route in self.batch.routes() {
                self.shared.statuses.use_topic(&self.id, route.topic());
            }
        }
        self.spans.stage("transform");
        let chain = self.chain.apply(&mut self.batch, &mut self.origins);
        for refused in chain.await? {
            self.refuse(
                records,
                refused.origin,
                Stage::Transformation,
                refused.error,
            )
            .await?;
        }
        Ok(())
    }

    /// Skips a record and keeps it as a dead letter, if that is allowed.
    async fn refuse(
        &mut self,
        records: &Encoded,
        origin: u32,
        stage: Stage,
        error: Error,
    ) -> Result<()> {
        let Some(record) = records.records.get(origin as usize) else {
            return Err(error);
        };
        let at = Some((record.partition.unwrap_or(0), record.offset));
        self.tolerance.refuse(
            stage,
            Place {
                topic: &record.topic,
                at,
            },
            error.clone(),
        )?;
        if let Some(dead_letters) = &mut self.dead_letters {
            dead_letters.send(records, record, stage, &error).await?;
        }
        Ok(())
    }
}
