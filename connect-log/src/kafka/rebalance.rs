//! What the group does to a reader: partitions come and go, and are told as events.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;
use rdkafka::{
    ClientContext, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol},
    error::{KafkaError, KafkaResult},
    types::RDKafkaRespErr,
};

use super::client::{self, Health};
use crate::TopicPartition;

/// A change of what is ours, asked for by the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// To be assigned when the reader has been told.
    Assign(Vec<TopicPartition>),
    /// To be given up when the reader has been told and polls again.
    Revoke(Vec<TopicPartition>),
    /// Given up already.
    Lost(Vec<TopicPartition>),
}

/// The context of a consumer: collects changes. It never carries them out itself, so that the reader has its say first.
#[derive(Default)]
pub(super) struct Membership {
    pub(super) health: Health,
    changes: Mutex<VecDeque<Change>>,
    closing: AtomicBool,
}

impl Membership {
    pub(super) fn new(health: Health) -> Self {
        Self {
            health,
            ..Self::default()
        }
    }

    /// The next change to tell.
    pub(super) fn next(&self) -> Option<Change> {
        self.changes.lock().pop_front()
    }

    /// From now on nobody is there to be told.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }
}

impl ClientContext for Membership {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, config: Option<&str>) -> client::Tokened {
        client::token(config)
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        client::log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        client::note(&self.health, &error, reason);
    }
}

impl ConsumerContext for Membership {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        kind: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let partitions = partitions(list);
        let assigns = kind == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        let gone = !assigns && consumer.assignment_lost();
        if self.closing.load(Ordering::Acquire) || gone {
            let done = if assigns {
                Ok(())
            } else {
                give_up(consumer, list)
            };
            if let Err(error) = done {
                tracing::debug!(%error, "kafka partitions could not be given up");
            }
        }
        let change = match (assigns, gone) {
            (true, _) => Change::Assign(partitions),
            (_, true) => Change::Lost(partitions),
            _ => Change::Revoke(partitions),
        };
        self.changes.lock().push_back(change);
    }
}

/// Gives partitions up, as the group's protocol wants it.
pub(super) fn give_up(
    consumer: &BaseConsumer<Membership>,
    list: &TopicPartitionList,
) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_unassign(list),
        _ => consumer.unassign(),
    }
}

/// Takes partitions over, as the group's protocol wants it.
pub(super) fn take(
    consumer: &BaseConsumer<Membership>,
    list: &TopicPartitionList,
) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_assign(list),
        _ => consumer.assign(list),
    }
}

fn partitions(list: &TopicPartitionList) -> Vec<TopicPartition> {
    let elements = list.elements();
    let elements = elements.iter();
    elements
        .map(|one| TopicPartition::new(one.topic(), one.partition()))
        .collect()
}
