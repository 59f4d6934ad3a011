//! An idempotent and transactional producer of our own.
//!
//! Records are written into batches of Kafka's format at once, compressed block by block, by the task that has them; one of a few
//! threads sends the batches, up to five at a time for each partition, and tells the ledger what has arrived. No
//! allocation, no lock and no callback per record. Source: <https://kafka.apache.org/protocol>, KIP-98 (exactly once),
//! KIP-360 (epochs), KIP-890 (transactions of two answers). Read in this order: `batch`, `queue`, `sender` with `link`, `coordinator`.
//!
//! Who the producer is, its id and epoch, is kept in the queue: it marks each batch when it is sealed. The coordinator gives it, at the
//! start and after each transaction; by then nothing is left of the transaction before.

mod batch;
mod compress;
mod coordinator;
mod forgotten;
mod link;
mod produce;
mod queue;
mod sender;
mod threads;

use std::{future::Future, sync::Arc, time::Duration};

use connect_core::{Error, Result, error::INTERNAL};
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, watch},
    task::AbortHandle,
};

use self::{
    batch::Content, compress::Compression, produce::Envelope, queue::Queue, sender::Sender,
};
pub(super) use self::{
    batch::{Identity, write_headers},
    coordinator::{Coordinator, Protocol},
    queue::Push,
    threads::{Thread, Threads},
};
use super::{
    client::Health,
    ledger::Ledger,
    properties::Properties,
    wire::{Cluster, Dial},
};
use crate::{Lease, Pace};

const INIT_PRODUCER_ID: i16 = 4;

/// What the appender, the sender and its links share.
pub(super) struct Shared {
    pub(super) queue: Mutex<Queue>,
    /// There is something new in the queue.
    work: Notify,
    ledger: Arc<Ledger>,
    /// Whether arriving is not yet being durable.
    transactional: bool,
}

impl Shared {
    /// Wakes the sender.
    pub(super) fn wake(&self) {
        self.work.notify_one();
    }

    /// Invariant 1: a batch's tickets move only when the broker has said that it has the batch.
    fn settle(&self, content: &Content) {
        if !self.transactional {
            for (ticket, records) in &content.tickets {
                self.ledger.arrived(*ticket, *records);
            }
        }
        self.ledger.weigh(content.weight);
    }
}

/// What its user says of a producer, besides settings.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub(super) lease: Lease,
    pub(super) pace: Pace,
}

/// A running producer. Dropping it ends all that it does; what has not been sent is lost.
pub(super) struct Producer {
    pub(super) shared: Arc<Shared>,
    cluster: Arc<Cluster>,
    thread: Arc<Thread>,
    sending: AbortHandle,
    /// Tells what runs beside that there is no producer any more.
    end: watch::Sender<bool>,
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.sending.abort();
        self.end.send_replace(true);
    }
}

impl Producer {
    /// Starts one on a thread; with a transactional id it also fences older producers of it.
    pub(super) async fn start(
        threads: &Threads,
        config: &Properties,
        terms: Terms,
        ledger: &Arc<Ledger>,
        health: Health,
    ) -> Result<(Self, Option<Coordinator>)> {
        let settings = Settings::read(config, terms.lease)?;
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue::new(settings.compression, settings.batch_size)),
            work: Notify::new(),
            ledger: Arc::clone(ledger),
            transactional: settings.envelope.transactional_id.is_some(),
        });
        let cluster = Arc::new(Cluster::new(
            &settings.bootstrap,
            settings.dial.clone(),
            health,
        ));
        let (ready, start) = tokio::sync::oneshot::channel();
        let (mut envelope, patience) = (settings.envelope, settings.patience);
        let thread = threads.next()?;
        let sender = (Arc::clone(&shared), Arc::clone(&cluster));
        let sending = thread.runtime.spawn(async move {
            let (shared, cluster) = sender;
            // The sender begins when it is known who it is, and how it writes.
            if let Ok(envelope) = start.await {
                Sender::new(shared, cluster, envelope, patience).run().await;
            }
        });
        let this = Self {
            shared,
            cluster,
            thread,
            sending: sending.abort_handle(),
            end: watch::Sender::new(false),
        };
        let mut coordinator = None;
        if let Some(id) = envelope.transactional_id.clone() {
            let (cluster, timeout_ms) =
                (Arc::clone(&this.cluster), settings.transaction_timeout_ms);
            let starting = Coordinator::start(cluster, id, timeout_ms, terms.pace);
            let (started, identity) = this.on_thread(starting).await?;
            this.is_now(identity)?;
            envelope.protocol = started.protocol();
            coordinator = Some(started);
        }
        // The thread waits for it.
        let _ = ready.send(envelope);
        Ok((this, coordinator))
    }

    /// Who it is from now on.
    pub(super) fn is_now(&self, identity: Identity) -> Result<()> {
        self.shared.queue.lock().identify(identity)
    }

    /// Learns how many partitions topics have.
    pub(super) async fn partitions(&self, topics: &[Arc<str>]) -> Result<Vec<i32>> {
        let (cluster, asked) = (Arc::clone(&self.cluster), topics.to_vec());
        self.on_thread(async move { cluster.learn(&asked).await })
            .await?;
        Ok(topics
            .iter()
            .map(|topic| self.cluster.partitions(topic).unwrap_or(0))
            .collect())
    }

    /// Runs something that uses connections where those connections are served: to its end also when the caller gives up, as
    /// long as there is this producer.
    pub(super) async fn on_thread<T: Send + 'static>(
        &self,
        what: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let mut end = self.end.subscribe();
        let task = self.thread.runtime.spawn(async move {
            tokio::select! {
                biased;
                // 1. The producer is gone.
                _ = end.wait_for(|is_gone| *is_gone) => Err(gone()),
                // 2. It is done.
                done = what => done,
            }
        });
        task.await.map_err(|_| gone())?
    }
}

fn gone() -> Error {
    Error::new(&INTERNAL, "the producer has ended")
}

/// The settings of a producer.
#[derive(Debug)]
struct Settings {
    bootstrap: String,
    dial: Dial,
    envelope: Envelope,
    compression: Compression,
    batch_size: usize,
    patience: Duration,
    transaction_timeout_ms: i32,
}

impl Settings {
    fn read(config: &Properties, lease: Lease) -> Result<Self> {
        let text = |name: &str| config.get(name).unwrap_or_default().to_owned();
        let dial = Dial::read(config)?;
        let envelope = Envelope {
            client_id: text("client.id").into(),
            transactional_id: config.get("transactional.id").map(Into::into),
            timeout_ms: i32::try_from(dial.answer.as_millis()).unwrap_or(i32::MAX),
            lease,
            protocol: Protocol::One,
        };
        Ok(Self {
            bootstrap: text("bootstrap.servers"),
            dial,
            envelope,
            compression: Compression::named(config.get("compression.type").unwrap_or("lz4"))?,
            batch_size: config.number("batch.size").unwrap_or(1_000_000),
            patience: Duration::from_millis(
                config.number("delivery.timeout.ms").unwrap_or(120_000),
            ),
            transaction_timeout_ms: config.number("transaction.timeout.ms").unwrap_or(60_000),
        })
    }
}

/// Records as one batch, for those who read them.
#[cfg(test)]
pub(in crate::kafka) fn batch_of(
    records: &connect_core::Encoded,
    compression: &str,
) -> bytes::Bytes {
    let by = Identity {
        id: 7,
        epoch: 0,
        transactional: true,
    };
    let compression = Compression::named(compression).expect("a compression");
    let mut builder = batch::Builder::new(compression);
    for record in &records.records {
        let mut headers = Vec::new();
        write_headers(records, records.headers(record), &mut headers);
        builder.push(records, record, &headers, 1);
    }
    builder.seal(by, 0).expect("a batch").0
}
