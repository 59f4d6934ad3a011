//! What of a worker is made before a predecessor of its task has to have stopped.

use std::sync::Arc;

use connect_core::{Encoded, Properties, Result, plugin::DynSourceTask, watermark::watermark};
use connect_log::{Append, AppenderSpec, Pace};

use super::{Delivery, Pipe, SourceWorker, start};
use crate::{
    answers::TaskId, chain::Chain, converters::Converters, dead_letters::DeadLetters,
    encode::Encoder, offsets::OffsetStore, shared::Shared, spans::TaskSpans, tolerance::Tolerance,
    topic_creation::TopicCreation, transaction::Boundary, worker_config::under,
};

/// A worker but for what it may take from a predecessor only once that has stopped: its place, and with exactly-once its id.
pub(crate) struct Prepared {
    task: Box<dyn DynSourceTask>,
    pipe: Pipe,
    offsets: OffsetStore,
    writer: Writer,
}

/// Who writes the records.
enum Writer {
    /// One that hinders no other.
    Plain(Box<dyn Append>),
    /// One that ends the one before it, and so has yet to be made.
    Transactional(Box<(AppenderSpec, Boundary)>),
}

impl Prepared {
    /// Makes everything that takes nothing from a predecessor; the task's own connection is not among it.
    pub(crate) async fn new(
        shared: &Arc<Shared>,
        id: &TaskId,
        config: &Properties,
        task: Box<dyn DynSourceTask>,
    ) -> Result<Self> {
        let metrics = shared.metrics.task(id);
        let worker = shared.current.get();
        let converters = Converters::new(&worker, config)?;
        let dead_letters = DeadLetters::of_source(shared, id, config, &metrics).await?;
        let pipe = Pipe {
            id: id.clone(),
            shared: Arc::clone(shared),
            chain: Chain::new(&shared.plugins.transforms, config)?
                .describing(dead_letters.is_some()),
            encoder: Encoder::new(converters),
            topics: TopicCreation::new(&shared.log, &worker, config)?,
            tolerance: Tolerance::new(id, config, &metrics),
            dead_letters,
            metrics,
            spans: TaskSpans::new(&shared.traces, id),
            encoded: Encoded::default(),
        };
        let offsets = OffsetStore::open(shared, config).await?;
        let mut settings = worker.under("producer.");
        settings.extend(under(config, "producer.override."));
        let transactional = worker.is_exactly_once();
        let spec = AppenderSpec {
            client_id: format!("connector-producer-{id}"),
            transactional_id: transactional.then(|| format!("{}-{id}", worker.group_id)),
            cleans: vec![Arc::clone(offsets.topic())],
            lease: shared.place.lease(),
            pace: Pace::Steady,
            settings,
        };
        let writer = match transactional {
            true => Writer::Transactional(Box::new((spec, Boundary::new(&worker, config)))),
            false => Writer::Plain(shared.log.appender(spec).await?),
        };
        Ok(Self {
            task,
            pipe,
            offsets,
            writer,
        })
    }

    /// See [`connect_core::SourceTask::prepare`].
    pub(crate) async fn prepare_task(&mut self) {
        self.task.prepare().await;
    }

    /// Makes the rest. No other run of the task may be left.
    pub(crate) async fn finish(self) -> Result<SourceWorker> {
        let Self {
            task,
            pipe,
            offsets,
            writer,
        } = self;
        let (advance, safe) = watermark();
        let metrics = &pipe.metrics;
        // Invariant 1: where the source stands is known once nobody else can commit any more, and another worker may have run the
        // task since this one has looked.
        let delivery = match writer {
            Writer::Plain(appender) => {
                offsets.refresh().await?;
                let interval = pipe.shared.current.get().offset_advance_interval.0;
                let to = (advance, interval);
                Delivery::plain(appender, &pipe.id, &offsets, to, metrics)
            }
            Writer::Transactional(made) => {
                let (spec, boundary) = *made;
                let appender = pipe.shared.log.appender(spec).await?;
                offsets.refresh().await?;
                Delivery::transactional(appender, boundary, &pipe.id, (&offsets, advance), metrics)
            }
        };
        let start = start(&pipe.shared, &pipe.id, safe, metrics, &offsets);
        Ok(SourceWorker {
            task,
            start,
            pipe,
            delivery,
        })
    }
}
