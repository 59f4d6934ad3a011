//! Transactions that their coordinator has ended without telling every partition.
//!
//! A coordinator that is elected while no leader of a partition is known takes the partition for deleted and leaves its marker out:
//! so it happens when a broker is killed that is alone, and starts again. In the partition the transaction stays open. Readers of
//! committed records wait at it, and the next commit of the same producer would commit it too. So whoever begins to write to a
//! partition looks first whether it still holds a transaction of an earlier life, by `DescribeProducers` (KIP-664).

use std::collections::{BTreeMap, BTreeSet};

use connect_core::{Error, Result};
use kafka_protocol::{
    messages::{
        DescribeProducersRequest, DescribeProducersResponse, describe_producers_request,
        describe_producers_response::PartitionResponse,
    },
    protocol::{Request, StrBytes},
};
use std::sync::Arc;

use super::coordinator::topic_name;
use crate::{
    TopicPartition,
    kafka::wire::{Cluster, Connection, Verdict, unavailable, verdict},
};

const DESCRIBE_PRODUCERS: i16 = 0;
const DOING: &str = "look for open transactions";

/// Connections to leaders, by address.
pub(super) type Leaders = BTreeMap<String, Connection>;

/// What one round of questions gave.
#[derive(Default)]
pub(super) struct Found {
    /// Where a transaction is open.
    pub(super) open: BTreeSet<TopicPartition>,
    /// Who could not be asked, to be asked again, and why.
    pub(super) left: BTreeSet<TopicPartition>,
    pub(super) why: Option<Error>,
}

impl Found {
    fn again(&mut self, of: BTreeSet<TopicPartition>, why: Error) {
        self.left.extend(of);
        self.why = Some(why);
    }
}

/// Asks the leaders of partitions once for open transactions of a producer. Brokers that do not know the question, or do not
/// answer it to everybody, count as having none.
pub(super) async fn look(
    cluster: &Cluster,
    leaders: &mut Leaders,
    producer_id: i64,
    of: BTreeSet<TopicPartition>,
) -> Result<Found> {
    let topics: BTreeSet<Arc<str>> = of.iter().map(|of| Arc::clone(&of.topic)).collect();
    cluster
        .refresh(&topics.into_iter().collect::<Vec<_>>())
        .await?;
    let mut found = Found::default();
    for (address, of) in by_leader(cluster, of, &mut found) {
        match ask(cluster, leaders, &address, &of).await {
            Ok(Some(answer)) => read(&answer, producer_id, of, &mut found)?,
            Ok(None) => {}
            Err(error) if error.code() == &crate::UNAUTHORIZED => return Err(error),
            Err(error) => {
                leaders.remove(&address);
                found.again(of, error);
            }
        }
    }
    Ok(found)
}

fn by_leader(
    cluster: &Cluster,
    of: BTreeSet<TopicPartition>,
    found: &mut Found,
) -> BTreeMap<String, BTreeSet<TopicPartition>> {
    let mut by_leader: BTreeMap<String, BTreeSet<TopicPartition>> = BTreeMap::new();
    for of in of {
        match cluster.leader(&of.topic, of.partition) {
            Some((_, address)) => drop(by_leader.entry(address).or_default().insert(of)),
            None => found.again([of].into(), unavailable("a partition has no leader")),
        }
    }
    by_leader
}

async fn ask(
    cluster: &Cluster,
    leaders: &mut Leaders,
    address: &str,
    of: &BTreeSet<TopicPartition>,
) -> Result<Option<DescribeProducersResponse>> {
    if !leaders.contains_key(address) {
        leaders.insert(address.to_owned(), cluster.open(address).await?);
    }
    match leaders.get_mut(address) {
        Some(leader) if leader.versions.contains_key(&DescribeProducersRequest::KEY) => {
            leader.ask(&request(of), DESCRIBE_PRODUCERS).await.map(Some)
        }
        _ => Ok(None),
    }
}

fn request(of: &BTreeSet<TopicPartition>) -> DescribeProducersRequest {
    let mut topics: Vec<describe_producers_request::TopicRequest> = Vec::new();
    for of in of {
        match topics.last_mut() {
            Some(last) if *last.name.0 == *of.topic => last.partition_indexes.push(of.partition),
            _ => topics.push(
                describe_producers_request::TopicRequest::default()
                    .with_name(topic_name(&of.topic))
                    .with_partition_indexes(vec![of.partition]),
            ),
        }
    }
    DescribeProducersRequest::default().with_topics(topics)
}

fn read(
    answer: &DescribeProducersResponse,
    producer_id: i64,
    mut of: BTreeSet<TopicPartition>,
    found: &mut Found,
) -> Result<()> {
    for topic in &answer.topics {
        let name: &StrBytes = &topic.name.0;
        for partition in &topic.partitions {
            let asked = TopicPartition::new(&**name, partition.partition_index);
            if !of.remove(&asked) {
                continue;
            }
            match verdict(DOING, partition.error_code) {
                Verdict::Done if is_open(partition, producer_id) => drop(found.open.insert(asked)),
                Verdict::Done => {}
                Verdict::Again(why) | Verdict::OutOfOrder(why) => found.again([asked].into(), why),
                // To write does not mean to be allowed to look.
                Verdict::Never(why) if why.code() == &crate::UNAUTHORIZED => {}
                Verdict::Never(why) => return Err(why),
            }
        }
    }
    match of.is_empty() {
        true => Ok(()),
        false => Err(unavailable("the broker left partitions out of its answer")),
    }
}

fn is_open(partition: &PartitionResponse, producer_id: i64) -> bool {
    let mut producers = partition.active_producers.iter();
    producers.any(|one| one.producer_id.0 == producer_id && one.current_txn_start_offset >= 0)
}
