//! What became of the records: a thread per producer takes the cluster's answers and tells the ledger.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use connect_core::{Error, Result, error::INTERNAL};
use rdkafka::{
    ClientConfig, ClientContext,
    config::{FromClientConfigAndContext, RDKafkaLogLevel},
    error::KafkaError,
    message::Message,
    producer::{BaseProducer, DeliveryResult, Producer, ProducerContext, PurgeConfig},
    types::RDKafkaErrorCode as Kafka,
};

use super::{
    client::{self, Health},
    error::{failed, failed_with},
    ledger::Ledger,
    room,
};
use crate::Ticket;

/// The context of a producer: hands deliveries to the ledger.
pub(super) struct Deliveries {
    pub(super) ledger: Arc<Ledger>,
    pub(super) health: Health,
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        client::log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        client::note(&self.health, &error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: usize) {
        match result {
            Ok(message) => {
                self.health.well();
                let weight = room::weight(message.key_len(), message.payload_len());
                self.ledger.arrived(ticket as Ticket, weight);
            }
            Err((cause, message)) => self.lost(cause, message.topic()),
        }
    }
}

impl Deliveries {
    fn lost(&self, cause: &KafkaError, topic: &str) {
        // Purged ones follow from an earlier failure or from an abort.
        let purged = [Kafka::PurgeQueue, Kafka::PurgeInflight];
        if cause
            .rdkafka_error_code()
            .is_some_and(|code| purged.contains(&code))
        {
            return;
        }
        let error = failed("deliver a record", cause.clone()).context("topic", topic);
        self.ledger.fail(self.health.explain(error));
    }
}

/// The thread that takes a producer's deliveries. It ends when this is dropped, and closes the producer, since that waits
/// for librdkafka's own threads.
pub(super) struct Delivery {
    stop: Arc<AtomicBool>,
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}

impl Delivery {
    /// A new producer and its thread.
    pub(super) fn start(
        config: &ClientConfig,
        ledger: &Arc<Ledger>,
        health: Health,
    ) -> Result<(Arc<BaseProducer<Deliveries>>, Self)> {
        let context = Deliveries {
            ledger: Arc::clone(ledger),
            health,
        };
        let producer = BaseProducer::from_config_and_context(config, context);
        let producer = Arc::new(producer.map_err(|err| failed("make a producer", err))?);
        let stop = Arc::new(AtomicBool::new(false));
        let (polled, stopped) = (Arc::clone(&producer), Arc::clone(&stop));
        let thread = std::thread::Builder::new().name("kafka-delivery".to_owned());
        let started = thread.spawn(move || take_deliveries(&polled, &stopped));
        started.map_err(|err| Error::new(&INTERNAL, "could not start a thread").caused_by(err))?;
        Ok((producer, Self { stop }))
    }
}

fn take_deliveries(producer: &BaseProducer<Deliveries>, stop: &AtomicBool) {
    /// Deliveries end the wait at once; this is how late the end of the appender or a fence is seen.
    const SLICE: Duration = Duration::from_millis(100);
    let ledger = &producer.context().ledger;
    while !stop.load(Ordering::Acquire) {
        producer.poll(SLICE);
        if let Some((code, _)) = producer.client().fatal_error() {
            ledger.fail(failed_with("deliver records", code));
        }
        if ledger.failure().is_some() {
            // Nothing after a lost record may arrive: it would be overtaken by its own repetition. A fenced producer would
            // otherwise hold its records until they time out, and a commit with them.
            producer.purge(PurgeConfig::default().queue().inflight());
        }
    }
}
