//! What the group has committed: looked up for what is assigned, and committed for what was read.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use connect_core::{Error, Result};
use kafka_protocol::{
    ResponseError as Kafka,
    messages::{
        GroupId, OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest,
        OffsetFetchResponse, TopicName,
        offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
        offset_fetch_request::OffsetFetchRequestTopic,
    },
    protocol::StrBytes,
};
use tokio::time::{Instant, sleep, timeout};

use super::{Group, standing::Identity};
use crate::{
    NOT_MEMBER, TopicPartition,
    kafka::{
        consumer::plan::{Plan, Shared, Start},
        wire::{Verdict, verdict},
    },
};

/// The first that tells whether a transaction with offsets is open (KIP-447).
const FETCH: i16 = 7;
const COMMIT: i16 = 8;
/// How long a commit may wait for the group and its coordinator.
const LIMIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);
/// What the reader was told is not told again at once.
const LONG_PAUSE: Duration = Duration::from_secs(1);

/// Partitions with the time of each.
type Wanted = BTreeMap<TopicPartition, u64>;

/// Finds where the group has committed, for all partitions that begin there.
pub(in super::super) async fn look_up(shared: Arc<Shared>, group: Arc<Group>) {
    let mut changed = shared.watch();
    loop {
        changed.mark_unchanged();
        let wanted = wanted(&shared.plan());
        if wanted.is_empty() {
            // What had to rest is looked at again by and by.
            let _ = timeout(LONG_PAUSE, changed.changed()).await;
            continue;
        }
        match look(&shared, &group, wanted).await {
            Ok(true) => {}
            // Of a transaction that has not ended, or of a coordinator that is not there yet.
            Ok(false) => sleep(PAUSE).await,
            Err(error) if error.code() == &crate::UNAVAILABLE => {
                sleep(shared.settings.backoff).await
            }
            Err(error) => {
                shared.fail(error);
                sleep(LONG_PAUSE).await;
            }
        }
    }
}

fn wanted(plan: &Plan) -> Wanted {
    let now = Instant::now();
    let parts = plan.parts.iter();
    parts
        .filter(|(_, part)| part.start == Start::Committed && part.is_ready(now))
        .map(|(of, part)| (of.clone(), part.epoch))
        .collect()
}

/// Asks once; true when all were found.
async fn look(shared: &Shared, group: &Group, mut wanted: Wanted) -> Result<bool> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for of in wanted.keys() {
        topics.entry(&of.topic).or_default().push(of.partition);
    }
    let topic = |(name, partitions): (&str, Vec<i32>)| {
        OffsetFetchRequestTopic::default()
            .with_name(named(name))
            .with_partition_indexes(partitions)
    };
    let request = OffsetFetchRequest::default()
        .with_group_id(GroupId(group.name.clone()))
        .with_topics(Some(topics.into_iter().map(topic).collect()))
        .with_require_stable(true);
    let mut desk = group.desk.lock().await;
    let answer = desk.ask_once(&shared.cluster, &request, FETCH).await?;
    if answer.error_code != 0 {
        desk.forget();
        return refused("read a group's offsets", answer.error_code).map(|()| false);
    }
    drop(desk);
    let found = found(&answer)?;
    shared.change(|plan| {
        for (of, offset) in found {
            if let Some(epoch) = wanted.remove(&of) {
                begin(shared, plan, &of, epoch, offset);
            }
        }
    });
    shared.arrived.notify_one();
    Ok(wanted.is_empty())
}

/// The offsets that are known for sure; -1 where none was committed.
fn found(answer: &OffsetFetchResponse) -> Result<Vec<(TopicPartition, i64)>> {
    let mut found = Vec::new();
    for topic in &answer.topics {
        let name: Arc<str> = Arc::from(&*topic.name.0);
        for partition in &topic.partitions {
            let of = TopicPartition::new(Arc::clone(&name), partition.partition_index);
            match partition.error_code {
                0 => found.push((of, partition.committed_offset)),
                code => refused("read a group's offsets", code)?,
            }
        }
    }
    Ok(found)
}

fn begin(shared: &Shared, plan: &mut Plan, of: &TopicPartition, epoch: u64, offset: i64) {
    const MISSING: &str =
        "the group has committed no offset, and `auto.offset.reset` does not say where to begin";
    if offset < 0 {
        plan.reset(of, epoch, shared.settings.reset, MISSING);
    } else if let Some(part) = plan.part(of, epoch)
        && part.start == Start::Committed
    {
        part.start = Start::At(offset);
    }
}

/// Commits the next offsets to read. Waits while the group is being formed anew.
pub(in super::super) async fn commit(
    shared: Arc<Shared>,
    group: Arc<Group>,
    offsets: BTreeMap<TopicPartition, i64>,
) -> Result<()> {
    let deadline = Instant::now() + LIMIT;
    loop {
        if group.standing.has_lost(offsets.keys()) {
            return Err(not_ours());
        }
        let (identity, _) = group.standing.identity();
        let request = request(&shared, &group, &identity, &offsets);
        let mut desk = group.desk.lock().await;
        let answer = desk.ask_once(&shared.cluster, &request, COMMIT).await;
        let why = match answer.map(|answer| first_error(&answer)) {
            Ok(code) => match Kafka::try_from_code(code) {
                None => return Ok(()),
                Some(Kafka::RebalanceInProgress) => verdict_error(code),
                Some(Kafka::IllegalGeneration | Kafka::UnknownMemberId) => {
                    // What was sent may be of before a join that has just been answered.
                    let (now, joins) = group.standing.identity();
                    if now == identity && !joins {
                        return Err(not_ours().context("broker", code));
                    }
                    verdict_error(code)
                }
                Some(Kafka::FencedInstanceId) => return Err(not_ours()),
                Some(_) => {
                    refused("commit offsets", code)?;
                    desk.forget();
                    verdict_error(code)
                }
            },
            Err(error) if error.code() == &crate::UNAVAILABLE => error,
            Err(error) => return Err(error),
        };
        drop(desk);
        if Instant::now() >= deadline {
            return Err(shared.cluster.health.explain(why));
        }
        sleep(PAUSE).await;
    }
}

fn request(
    shared: &Shared,
    group: &Group,
    identity: &Identity,
    offsets: &BTreeMap<TopicPartition, i64>,
) -> OffsetCommitRequest {
    let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
    for (of, offset) in offsets {
        let partition = OffsetCommitRequestPartition::default()
            .with_partition_index(of.partition)
            .with_committed_offset(*offset)
            .with_committed_metadata(Some(StrBytes::new()));
        topics.entry(&of.topic).or_default().push(partition);
    }
    let topic = |(name, partitions): (&str, Vec<OffsetCommitRequestPartition>)| {
        OffsetCommitRequestTopic::default()
            .with_name(named(name))
            .with_partitions(partitions)
    };
    let instance = match identity.generation {
        // Without a membership there is no place to take.
        -1 => None,
        _ => shared.settings.group.instance.clone(),
    };
    OffsetCommitRequest::default()
        .with_group_id(GroupId(group.name.clone()))
        .with_generation_id_or_member_epoch(identity.generation)
        .with_member_id(identity.member.clone())
        .with_group_instance_id(instance)
        .with_topics(topics.into_iter().map(topic).collect())
}

fn first_error(answer: &OffsetCommitResponse) -> i16 {
    let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
    let mut codes = partitions.map(|partition| partition.error_code);
    codes.find(|code| *code != 0).unwrap_or(0)
}

/// Fails for a code that will be the same the next time.
fn refused(doing: &'static str, code: i16) -> Result<()> {
    match verdict(doing, code) {
        Verdict::Done | Verdict::Again(_) => Ok(()),
        Verdict::OutOfOrder(error) | Verdict::Never(error) => Err(error),
    }
}

fn verdict_error(code: i16) -> Error {
    match verdict("commit offsets", code) {
        Verdict::Again(error) | Verdict::OutOfOrder(error) | Verdict::Never(error) => error,
        Verdict::Done => not_ours(),
    }
}

fn not_ours() -> Error {
    Error::new(
        &NOT_MEMBER,
        "could not commit offsets: this reader is not in its group any more",
    )
}

fn named(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}
