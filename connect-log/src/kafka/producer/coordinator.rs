//! The transactions of one producer: what it tells the transaction coordinator and group coordinators.
//!
//! In the first protocol (KIP-98) the coordinator is told which partitions a transaction has before anything is sent to them. In the
//! second (KIP-890, since Kafka 4.0) brokers tell it themselves, and each end of a transaction gives the producer another epoch, so that
//! nothing of the one that has ended can come late. Then the end may be asked for again without doubt: the coordinator knows it by the
//! epoch before its own, and gives the same answer.

use std::{collections::BTreeSet, sync::Arc};

use connect_core::Result;
use kafka_protocol::{
    messages::{
        AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse,
        ApiVersionsRequest, EndTxnRequest, EndTxnResponse, GroupId, InitProducerIdRequest,
        TopicName, TransactionalId, TxnOffsetCommitRequest, TxnOffsetCommitResponse,
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
    GroupCommit, Pace, TopicPartition,
    kafka::wire::{Asked, Cluster, Kind, Peer, Retry, unavailable},
};

const ADD_PARTITIONS: i16 = 3;
const ADD_OFFSETS: i16 = 3;
/// The first with which a broker tells the features of its cluster.
const API_VERSIONS: i16 = 3;
/// The feature that says which protocol a cluster has.
const FEATURE: &str = "transaction.version";

/// How transactions are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::kafka) enum Protocol {
    /// Partitions are added, then written to, and the producer stays who it is.
    One,
    /// Partitions are added by being written to, and the producer has another epoch after each transaction.
    Two,
}

impl Protocol {
    fn offset_commit(self) -> i16 {
        match self {
            Self::One => 3,
            Self::Two => 5,
        }
    }

    fn end(self) -> i16 {
        match self {
            Self::One => 3,
            Self::Two => 5,
        }
    }
}

/// A handle; clones are of the same producer.
#[derive(Clone)]
pub(in crate::kafka) struct Coordinator {
    protocol: Protocol,
    id: TransactionalId,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    identity: Identity,
    cluster: Arc<Cluster>,
    transactions: Peer,
    group: Peer,
    leaders: Leaders,
}

impl Coordinator {
    /// Fences older producers of the id and ends their transactions. Gives who the producer is.
    pub(super) async fn start(
        cluster: Arc<Cluster>,
        id: Arc<str>,
        timeout_ms: i32,
        pace: Pace,
    ) -> Result<(Self, Identity)> {
        let id = StrBytes::from_string(id.to_string());
        let mut transactions = Peer::new(Kind::Transactions, id.clone());
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
        let answer = transactions
            .ask(&cluster, &request, asked, |answer| answer.error_code)
            .await?;
        let identity = Identity {
            id: answer.producer_id.0,
            epoch: answer.producer_epoch,
            transactional: true,
        };
        let protocol = match pace {
            Pace::Steady => Protocol::One,
            Pace::Rare => protocol_of(&cluster, &mut transactions).await?,
        };
        let inner = Inner {
            identity,
            cluster,
            transactions,
            group: Peer::new(Kind::Group, StrBytes::new()),
            leaders: Leaders::new(),
        };
        let this = Self {
            protocol,
            id,
            inner: Arc::new(Mutex::new(inner)),
        };
        Ok((this, identity))
    }

    pub(in crate::kafka) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// In which of these partitions a transaction of an earlier life is still open, although no transaction is.
    pub(in crate::kafka) async fn forgotten(
        self,
        of: BTreeSet<TopicPartition>,
    ) -> Result<BTreeSet<TopicPartition>> {
        let mut inner = self.inner.lock().await;
        let Inner {
            identity,
            cluster,
            leaders,
            ..
        } = &mut *inner;
        let (mut open, mut left) = (BTreeSet::new(), of);
        let mut retry = Retry::new();
        while !left.is_empty() {
            let look = forgotten::look(cluster, leaders, identity.id, left.clone()).await;
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
        let mut inner = self.inner.lock().await;
        let Inner {
            identity,
            cluster,
            transactions,
            ..
        } = &mut *inner;
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(self.id.clone())
            .with_v3_and_below_producer_id(identity.id.into())
            .with_v3_and_below_producer_epoch(identity.epoch)
            .with_v3_and_below_topics(topics);
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
        let mut inner = self.inner.lock().await;
        let Inner {
            identity,
            cluster,
            transactions,
            group: peer,
            ..
        } = &mut *inner;
        if self.protocol == Protocol::One {
            let request = AddOffsetsToTxnRequest::default()
                .with_transactional_id(self.id.clone())
                .with_producer_id(identity.id.into())
                .with_producer_epoch(identity.epoch)
                .with_group_id(group.clone());
            let asked = Asked {
                doing: "add offsets to a transaction",
                newest: ADD_OFFSETS,
            };
            transactions
                .ask(cluster, &request, asked, |answer| answer.error_code)
                .await?;
        }
        let request = TxnOffsetCommitRequest::default()
            .with_transactional_id(self.id.clone())
            .with_group_id(group.clone())
            .with_producer_id(identity.id.into())
            .with_producer_epoch(identity.epoch)
            .with_generation_id(-1)
            .with_topics(offset_topics(&commit));
        peer.is_of(&group.0);
        let asked = Asked {
            doing: "commit offsets in a transaction",
            newest: self.protocol.offset_commit(),
        };
        peer.ask(cluster, &request, asked, offsets_set)
            .await
            .map(drop)
    }

    /// Commits or aborts. Everything sent has arrived. Gives who the producer is from now on.
    pub(in crate::kafka) async fn end(self, commit: bool) -> Result<Identity> {
        let mut inner = self.inner.lock().await;
        let Inner {
            identity,
            cluster,
            transactions,
            ..
        } = &mut *inner;
        let request = EndTxnRequest::default()
            .with_transactional_id(self.id.clone())
            .with_producer_id(identity.id.into())
            .with_producer_epoch(identity.epoch)
            .with_committed(commit);
        let asked = Asked {
            doing: match commit {
                true => "commit a transaction",
                false => "abort a transaction",
            },
            newest: self.protocol.end(),
        };
        // Asked for again, the coordinator gives the id that comes after one that is spent.
        for _ in 0..2 {
            let answer = transactions
                .ask(cluster, &request, asked, |answer| answer.error_code)
                .await?;
            let next = next(*identity, &answer);
            if !next.is_spent() {
                *identity = next;
                return Ok(next);
            }
        }
        Err(unavailable(
            "the coordinator gives a producer no other epoch",
        ))
    }
}

/// The protocol of rare transactions. Source: KIP-584 (features), KIP-890. It is asked for once: a cluster whose feature is lowered
/// later still takes what was the right thing to send before.
async fn protocol_of(cluster: &Cluster, coordinator: &mut Peer) -> Result<Protocol> {
    let request = ApiVersionsRequest::default()
        .with_client_software_name(StrBytes::from_static_str("tidewater"))
        .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
    let asked = Asked {
        doing: "ask for the features of a cluster",
        newest: API_VERSIONS,
    };
    let answer = coordinator
        .ask(cluster, &request, asked, |answer| answer.error_code)
        .await?;
    let mut features = answer.finalized_features.iter();
    let two = features.any(|feature| *feature.name == *FEATURE && feature.max_version_level >= 2);
    Ok(match two {
        true => Protocol::Two,
        false => Protocol::One,
    })
}

/// Who the producer is after a transaction: who it was, if the coordinator does not say.
fn next(now: Identity, answer: &EndTxnResponse) -> Identity {
    match answer.producer_id.0 {
        ..0 => now,
        id => Identity {
            id,
            epoch: answer.producer_epoch,
            ..now
        },
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
