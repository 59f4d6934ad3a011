//! The transactions of one producer: what it tells the transaction coordinator and group coordinators.

use std::{collections::BTreeSet, sync::Arc};

use connect_core::Result;
use kafka_protocol::{
    messages::{
        AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse,
        EndTxnRequest, GroupId, InitProducerIdRequest, TopicName, TransactionalId,
        TxnOffsetCommitRequest, TxnOffsetCommitResponse,
        add_partitions_to_txn_request::AddPartitionsToTxnTopic,
        txn_offset_commit_request::{TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic},
    },
    protocol::StrBytes,
};
use tokio::sync::Mutex;

use super::{
    batch::Identity,
    forgotten::{self, Leaders},
};
use crate::{
    GroupCommit, TopicPartition,
    kafka::wire::{Asked, Cluster, Kind, Peer, Retry},
};

const ADD_PARTITIONS: i16 = 3;
const ADD_OFFSETS: i16 = 3;
const OFFSET_COMMIT: i16 = 3;
const END: i16 = 3;

/// A handle; clones are of the same producer.
#[derive(Clone)]
pub(in crate::kafka) struct Coordinator {
    identity: Identity,
    id: TransactionalId,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    cluster: Arc<Cluster>,
    transactions: Peer,
    group: Peer,
    leaders: Leaders,
}

impl Coordinator {
    /// Fences older producers of the id and ends their transactions.
    pub(super) async fn start(
        cluster: Arc<Cluster>,
        id: Arc<str>,
        timeout_ms: i32,
    ) -> Result<Self> {
        let id = StrBytes::from_string(id.to_string());
        let mut inner = Inner {
            cluster,
            transactions: Peer::new(Kind::Transactions, id.clone()),
            group: Peer::new(Kind::Group, StrBytes::new()),
            leaders: Leaders::new(),
        };
        let id = TransactionalId(id);
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(id.clone()))
            .with_transaction_timeout_ms(timeout_ms)
            .with_producer_id((-1).into())
            .with_producer_epoch(-1);
        let asked = Asked {
            doing: "start transactions",
            newest: super::INIT_PRODUCER_ID,
        };
        let answer = inner
            .transactions
            .ask(&inner.cluster, &request, asked, |answer| answer.error_code)
            .await?;
        let identity = Identity {
            id: answer.producer_id.0,
            epoch: answer.producer_epoch,
            transactional: true,
        };
        Ok(Self {
            identity,
            id,
            inner: Arc::new(Mutex::new(inner)),
        })
    }

    pub(super) fn identity(&self) -> Identity {
        self.identity
    }

    /// In which of these partitions a transaction of an earlier life is still open, although no transaction is.
    pub(in crate::kafka) async fn forgotten(
        self,
        of: BTreeSet<TopicPartition>,
    ) -> Result<BTreeSet<TopicPartition>> {
        let mut inner = self.inner.lock().await;
        let Inner {
            cluster, leaders, ..
        } = &mut *inner;
        let (mut open, mut left) = (BTreeSet::new(), of);
        let mut retry = Retry::new();
        while !left.is_empty() {
            let look = forgotten::look(cluster, leaders, self.identity.id, left.clone()).await;
            let why = match look {
                Ok(found) => {
                    open.extend(found.open);
                    left = found.left;
                    found.why
                }
                Err(error) if error.code() == &crate::UNAVAILABLE => Some(error),
                Err(error) => return Err(error),
            };
            if let Some(error) = why {
                retry.pause(cluster, error).await?;
            }
        }
        // They are rarely needed again.
        leaders.clear();
        Ok(open)
    }

    /// Adds partitions to the transaction; before anything is sent to them.
    pub(in crate::kafka) async fn add(self, partitions: BTreeSet<TopicPartition>) -> Result<()> {
        let mut topics: Vec<AddPartitionsToTxnTopic> = Vec::new();
        for partition in &partitions {
            match topics.last_mut() {
                Some(last) if *last.name.0 == *partition.topic => {
                    last.partitions.push(partition.partition)
                }
                _ => topics.push(
                    AddPartitionsToTxnTopic::default()
                        .with_name(topic_name(&partition.topic))
                        .with_partitions(vec![partition.partition]),
                ),
            }
        }
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(self.id.clone())
            .with_v3_and_below_producer_id(self.identity.id.into())
            .with_v3_and_below_producer_epoch(self.identity.epoch)
            .with_v3_and_below_topics(topics);
        let mut inner = self.inner.lock().await;
        let Inner {
            cluster,
            transactions,
            ..
        } = &mut *inner;
        let asked = Asked {
            doing: "add partitions to a transaction",
            newest: ADD_PARTITIONS,
        };
        transactions
            .ask(cluster, &request, asked, added)
            .await
            .map(drop)
    }

    /// Adds a group's offsets to the transaction.
    pub(in crate::kafka) async fn add_offsets(self, commit: GroupCommit) -> Result<()> {
        let group = GroupId(StrBytes::from_string(commit.group.clone()));
        let request = AddOffsetsToTxnRequest::default()
            .with_transactional_id(self.id.clone())
            .with_producer_id(self.identity.id.into())
            .with_producer_epoch(self.identity.epoch)
            .with_group_id(group.clone());
        let mut inner = self.inner.lock().await;
        let Inner {
            cluster,
            transactions,
            group: peer,
            ..
        } = &mut *inner;
        let asked = Asked {
            doing: "add offsets to a transaction",
            newest: ADD_OFFSETS,
        };
        transactions
            .ask(cluster, &request, asked, |answer| answer.error_code)
            .await?;
        let request = TxnOffsetCommitRequest::default()
            .with_transactional_id(self.id.clone())
            .with_group_id(group.clone())
            .with_producer_id(self.identity.id.into())
            .with_producer_epoch(self.identity.epoch)
            .with_generation_id(-1)
            .with_topics(offset_topics(&commit));
        peer.is_of(&group.0);
        let asked = Asked {
            doing: "commit offsets in a transaction",
            newest: OFFSET_COMMIT,
        };
        peer.ask(cluster, &request, asked, offsets_set)
            .await
            .map(drop)
    }

    /// Commits or aborts. Everything sent has arrived.
    pub(in crate::kafka) async fn end(self, commit: bool) -> Result<()> {
        let request = EndTxnRequest::default()
            .with_transactional_id(self.id.clone())
            .with_producer_id(self.identity.id.into())
            .with_producer_epoch(self.identity.epoch)
            .with_committed(commit);
        let doing = if commit {
            "commit a transaction"
        } else {
            "abort a transaction"
        };
        let mut inner = self.inner.lock().await;
        let Inner {
            cluster,
            transactions,
            ..
        } = &mut *inner;
        transactions
            .ask(cluster, &request, Asked { doing, newest: END }, |answer| {
                answer.error_code
            })
            .await
            .map(drop)
    }
}

/// The first thing that is wrong.
fn added(answer: &AddPartitionsToTxnResponse) -> i16 {
    let of_topics = answer
        .results_by_topic_v3_and_below
        .iter()
        .flat_map(|topic| &topic.results_by_partition);
    let codes: Vec<i16> = of_topics
        .map(|partition| partition.partition_error_code)
        .filter(|code| *code != 0)
        .collect();
    // Others are only "not attempted" because of the real one.
    const NOT_ATTEMPTED: i16 = 55;
    codes
        .iter()
        .copied()
        .find(|code| *code != NOT_ATTEMPTED)
        .or(codes.first().copied())
        .unwrap_or(0)
}

fn offsets_set(answer: &TxnOffsetCommitResponse) -> i16 {
    let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
    partitions
        .map(|partition| partition.error_code)
        .find(|code| *code != 0)
        .unwrap_or(0)
}

fn offset_topics(commit: &GroupCommit) -> Vec<TxnOffsetCommitRequestTopic> {
    let mut topics: Vec<TxnOffsetCommitRequestTopic> = Vec::new();
    for (of, offset) in &commit.offsets {
        let partition = TxnOffsetCommitRequestPartition::default()
            .with_partition_index(of.partition)
            .with_committed_offset(*offset)
            .with_committed_metadata(Some(StrBytes::new()));
        match topics.last_mut() {
            Some(last) if *last.name.0 == *of.topic => last.partitions.push(partition),
            _ => topics.push(
                TxnOffsetCommitRequestTopic::default()
                    .with_name(topic_name(&of.topic))
                    .with_partitions(vec![partition]),
            ),
        }
    }
    topics
}

pub(super) fn topic_name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}
