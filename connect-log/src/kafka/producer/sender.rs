//! The heart of a producer: hands batches to the brokers that lead their partitions and takes what becomes of them.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use connect_core::{Error, Result};
use kafka_protocol::messages::{InitProducerIdRequest, ProduceResponse};
use tokio::sync::mpsc;

use super::{
    Shared,
    batch::Identity,
    link::{Event, Link},
    produce::{self, Addressed, Envelope},
    queue::Partition,
};
use crate::{
    FENCED,
    kafka::wire::{Cluster, Verdict, unavailable, verdict},
};

const DOING: &str = "deliver a record";
/// Kafka's `retry.backoff.ms`; doubled up to its `retry.backoff.max.ms`.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Runs on a thread of producers. Dropping it ends its links, too.
pub(super) struct Sender {
    shared: Arc<Shared>,
    cluster: Arc<Cluster>,
    envelope: Envelope,
    /// How long a record may wait: Kafka's `delivery.timeout.ms`.
    patience: Duration,
    /// By broker.
    links: BTreeMap<i32, Link>,
    next_link: u64,
    events: mpsc::Receiver<Event>,
    tell: mpsc::Sender<Event>,
    /// Partitions whose leader is unknown or had no room, or that wait after a failure.
    held: Vec<usize>,
    trouble: Option<Trouble>,
}

/// Something has failed and is tried again later.
struct Trouble {
    error: Error,
    pause: Duration,
    until: Instant,
}

impl Sender {
    pub(super) fn new(
        shared: Arc<Shared>,
        cluster: Arc<Cluster>,
        envelope: Envelope,
        patience: Duration,
    ) -> Self {
        let (tell, events) = mpsc::channel(16);
        Self {
            shared,
            cluster,
            envelope,
            patience,
            links: BTreeMap::new(),
            next_link: 0,
            events,
            tell,
            held: Vec::new(),
            trouble: None,
        }
    }

    /// Until it is dropped. After a lost record nothing more is sent: it would be overtaken by its own repetition.
    pub(super) async fn run(mut self) {
        while self.shared.ledger.failure().is_none() {
            let pause = self.trouble.as_ref().map(|trouble| trouble.until);
            tokio::select! {
                () = self.shared.work.notified() => {}
                Some(event) = self.events.recv() => self.take(event),
                () = until(pause) => self.look_again().await,
            }
            if let Err(error) = self.send_ready().await {
                self.fail(error);
            }
        }
        // What is on its way arrives.
        std::future::pending().await
    }

    fn fail(&self, error: Error) {
        self.shared.ledger.fail(self.cluster.health.explain(error));
    }

    /// Sends what can be sent.
    async fn send_ready(&mut self) -> Result<()> {
        if !self.is_identified().await? {
            return Ok(());
        }
        let lease = &self.envelope.lease;
        if lease.is_lost() {
            let what = "this worker has fallen out of its group";
            return Err(Error::new(&FENCED, what));
        }
        if !lease.holds() {
            self.pause(unsure());
            return Ok(());
        }
        loop {
            let mut requests: BTreeMap<i32, Vec<Addressed>> = BTreeMap::new();
            self.collect(&mut requests)?;
            if requests.is_empty() {
                return Ok(());
            }
            for (broker, batches) in requests {
                let sent = self.links.get(&broker).map(|link| link.send(batches));
                if let Some(Err(batches)) = sent {
                    self.came_back(batches, None);
                }
            }
        }
    }

    /// At most one batch for each partition that is ready, by the broker that leads it.
    fn collect(&mut self, requests: &mut BTreeMap<i32, Vec<Addressed>>) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let mut queue = shared.queue.lock();
        let Some(identity) = queue.identity() else {
            return Ok(());
        };
        let mut more = Vec::new();
        let mut homeless = false;
        while let Some(at) = queue.next() {
            let Some(partition) = queue.partitions.get_mut(at) else {
                continue;
            };
            let Some((broker, address)) = self.cluster.leader(&partition.topic, partition.index)
            else {
                self.held.push(at);
                homeless = true;
                continue;
            };
            if !self.link(broker, address).has_room() {
                self.held.push(at);
                continue;
            }
            if let Some(batch) = partition.take(identity)? {
                let (topic, index) = (Arc::clone(&partition.topic), partition.index);
                requests.entry(broker).or_default().push(Addressed {
                    at,
                    topic,
                    index,
                    batch,
                });
                more.push(at);
            }
        }
        for at in more {
            queue.list(at);
        }
        drop(queue);
        if homeless {
            self.pause(unavailable("a partition has no leader"));
        }
        Ok(())
    }

    fn link(&mut self, broker: i32, address: String) -> &Link {
        self.links.entry(broker).or_insert_with(|| {
            self.next_link += 1;
            Link::start(
                self.next_link,
                address,
                &self.cluster,
                &self.envelope,
                &self.tell,
            )
        })
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Answered { batches, answer } => self.answered(batches, &answer),
            Event::Down {
                link,
                batches,
                error,
            } => {
                self.links.retain(|_, other| other.number != link);
                if batches.is_empty() {
                    tracing::debug!(%error, "a broker's connection has ended");
                } else {
                    self.cluster.health.ill_because(&error);
                    self.came_back(batches, Some(error));
                }
            }
        }
        self.list_held();
    }

    fn answered(&mut self, batches: Vec<Addressed>, answer: &ProduceResponse) {
        let shared = Arc::clone(&self.shared);
        for batch in batches {
            let code = produce::result_of(answer, &batch);
            let verdict = match code {
                Some(code) => verdict(DOING, code),
                None => Verdict::Again(unavailable("the broker did not answer for a partition")),
            };
            let mut queue = shared.queue.lock();
            let Some(partition) = queue.partitions.get_mut(batch.at) else {
                continue;
            };
            let is_next = partition.is_next(&batch.batch);
            match verdict {
                Verdict::Done => {
                    partition.arrived(&batch.batch);
                    queue.list(batch.at);
                    drop(queue);
                    shared.settle(&batch.batch.content);
                    self.cluster.health.well();
                }
                // The one before it failed, and will be sent again first.
                Verdict::OutOfOrder(error) if !is_next => {
                    drop(queue);
                    self.came_back(vec![batch], Some(error));
                }
                Verdict::Again(error) => {
                    drop(queue);
                    self.came_back(vec![batch], Some(error));
                }
                Verdict::OutOfOrder(error) | Verdict::Never(error) => {
                    drop(queue);
                    self.fail(error.context("topic", &batch.topic));
                    return;
                }
            }
        }
    }

    fn came_back(&mut self, batches: Vec<Addressed>, error: Option<Error>) {
        {
            let mut queue = self.shared.queue.lock();
            for Addressed { at, batch, .. } in batches {
                if let Some(partition) = queue.partitions.get_mut(at) {
                    partition.came_back(batch);
                    self.held.push(at);
                }
            }
        }
        self.pause(error.unwrap_or_else(|| unavailable("the connection to a broker has ended")));
    }

    fn pause(&mut self, error: Error) {
        match &mut self.trouble {
            Some(trouble) => trouble.error = error,
            None => {
                let until = Instant::now() + PAUSE;
                self.trouble = Some(Trouble {
                    error,
                    pause: PAUSE,
                    until,
                });
            }
        }
    }

    /// After a pause: asks who leads what, and tries again.
    async fn look_again(&mut self) {
        let Some(trouble) = self.trouble.take() else {
            return;
        };
        if self.is_too_late() {
            self.fail(trouble.error);
            return;
        }
        let topics = self.held_topics();
        if let Err(error) = self.cluster.refresh(&topics).await {
            let pause = (trouble.pause * 2).min(LONGEST_PAUSE);
            self.trouble = Some(Trouble {
                error,
                pause,
                until: Instant::now() + pause,
            });
            return;
        }
        let shared = Arc::clone(&self.shared);
        let mut queue = shared.queue.lock();
        self.held.retain(|at| {
            let free = queue.partitions.get_mut(*at).is_none_or(Partition::unmute);
            if free {
                queue.list(*at);
            }
            !free
        });
        drop(queue);
        if !self.held.is_empty() {
            // What is on its way to another broker has not come back yet.
            self.pause(trouble.error);
        }
    }

    fn list_held(&mut self) {
        // While there is trouble, nothing of it is sent again before the pause is over.
        if self.trouble.is_some() {
            return;
        }
        let mut queue = self.shared.queue.lock();
        for at in self.held.drain(..) {
            queue.list(at);
        }
    }

    fn held_topics(&self) -> Vec<Arc<str>> {
        let queue = self.shared.queue.lock();
        let topics = self.held.iter().filter_map(|at| queue.partitions.get(*at));
        let mut topics: Vec<Arc<str>> = topics
            .map(|partition| Arc::clone(&partition.topic))
            .collect();
        topics.sort();
        topics.dedup();
        topics
    }

    fn is_too_late(&self) -> bool {
        self.shared
            .queue
            .lock()
            .oldest()
            .is_some_and(|oldest| oldest.elapsed() > self.patience)
    }

    /// Whether it is known who we are; a producer without transactions asks any broker for a new identity.
    async fn is_identified(&mut self) -> Result<bool> {
        if self.shared.queue.lock().identity().is_some() {
            return Ok(true);
        }
        if self.trouble.is_some() {
            return Ok(false);
        }
        let request = InitProducerIdRequest::default()
            .with_producer_id((-1).into())
            .with_producer_epoch(-1)
            .with_transactional_id(None);
        match self
            .cluster
            .ask_any(&request, super::INIT_PRODUCER_ID)
            .await
        {
            Ok(answer) => match verdict("start a producer", answer.error_code) {
                Verdict::Done => {
                    self.shared.queue.lock().identify(Identity {
                        id: answer.producer_id.0,
                        epoch: answer.producer_epoch,
                        transactional: false,
                    })?;
                    return Ok(true);
                }
                Verdict::Again(error) => self.pause(error),
                Verdict::OutOfOrder(error) | Verdict::Never(error) => return Err(error),
            },
            Err(error) => self.pause(error),
        }
        Ok(false)
    }
}

/// Another worker may have been told to do what this one does.
pub(super) fn unsure() -> Error {
    unavailable("this worker has not heard of its group for too long")
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}
