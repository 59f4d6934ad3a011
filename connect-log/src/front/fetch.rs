//! `Fetch`: records of partitions, waiting for them when there are none.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use connect_core::Error;
use kafka_protocol::{
    ResponseError,
    messages::{
        FetchRequest, FetchResponse, TopicName, fetch_request::FetchPartition,
        fetch_response::FetchableTopicResponse,
    },
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until, timeout_at},
};
use uuid::Uuid;

use super::{budget::Room, gather, ids::ById, serve::Front};
use crate::local::{Partition, PartitionId, Store};

/// The longest wait for records.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// How long to let records gather when there are some, but fewer than the client wants.
const GATHER: Duration = Duration::from_millis(20);
/// Partitions that are too many to look at with every record that comes.
const MANY: usize = 1000;
/// What is remembered of a partition that a client waits for, in bytes.
const ASKED_BYTES: usize = 256;
/// From this version on topics have ids instead of names.
pub(crate) const WITH_IDS: i16 = 13;

/// What a client wants of a topic.
pub(crate) struct Asked {
    pub(crate) name: TopicName,
    pub(crate) id: Uuid,
    pub(crate) partitions: Vec<AskedPartition>,
}

/// What a client wants of a partition.
pub(crate) struct AskedPartition {
    pub(crate) index: i32,
    pub(crate) found: Result<Arc<Partition>, ResponseError>,
    pub(crate) from: i64,
    pub(crate) max_bytes: usize,
}

/// Answers `Fetch`. Gives back the memory that the answer takes.
///
/// Sessions are declined: a client that is told session 0 names all its partitions in each request. Both isolation levels get the
/// same records, since only committed ones are in the log.
pub(crate) async fn fetch<'a, S: Store>(
    front: &'a Front<S>,
    request: FetchRequest,
    version: i16,
    mut room: Room<'a>,
) -> (FetchResponse, Room<'a>) {
    if request.session_id != 0 {
        let code = ResponseError::FetchSessionIdNotFound.code();
        return (FetchResponse::default().with_error_code(code), room);
    }
    let wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
    let deadline = Instant::now() + wait.min(MAX_WAIT);
    let max_bytes = usize::try_from(request.max_bytes).unwrap_or(0);
    let min_bytes = usize::try_from(request.min_bytes).unwrap_or(0);
    let limits = gather::Limits::of(max_bytes, min_bytes);
    let asked = resolve(front, request, version);
    let count: usize = asked.iter().map(|topic| topic.partitions.len()).sum();
    // The request is gone; what waits is small.
    room.shrink(count.saturating_mul(ASKED_BYTES));
    let (gathered, room) = {
        let watch = Watch::over(&asked);
        gather_in_time(front, &asked, version, limits, (deadline, &watch)).await
    };
    (response(asked, gathered), room)
}

/// Gathers once there is enough, or it is time.
async fn gather_in_time<'a, S: Store>(
    front: &'a Front<S>,
    asked: &[Asked],
    version: i16,
    limits: gather::Limits,
    (deadline, watch): (Instant, &Watch),
) -> (gather::Gathered, Room<'a>) {
    loop {
        if ready(asked, version) || Instant::now() >= deadline {
            let (gathered, answer_room) = gather::gather(front, asked, version, limits).await;
            if gathered.is_enough(limits) || Instant::now() >= deadline {
                return (gathered, answer_room);
            }
            drop((gathered, answer_room));
            sleep_until(deadline.min(Instant::now() + GATHER)).await;
        }
        // Woken or not: both are looked at above.
        let _ = timeout_at(deadline, watch.wake.notified()).await;
        if watch.partitions.len() > MANY {
            sleep_until(deadline.min(Instant::now() + GATHER)).await;
        }
    }
}

fn response(asked: Vec<Asked>, gathered: gather::Gathered) -> FetchResponse {
    let topics = asked.into_iter().zip(gathered.topics);
    let topics = topics.map(|(asked, partitions)| {
        FetchableTopicResponse::default()
            .with_topic(asked.name)
            .with_topic_id(asked.id)
            .with_partitions(partitions)
    });
    FetchResponse::default().with_responses(topics.collect())
}

fn resolve<S: Store>(front: &Front<S>, request: FetchRequest, version: i16) -> Vec<Asked> {
    let catalog = front.log.catalog();
    let mut by_id = ById::new(catalog, &front.cluster);
    let topics = request.topics.into_iter();
    topics
        .map(|asked| {
            let topic = match version {
                WITH_IDS.. => by_id.find(asked.topic_id),
                _ => catalog.get(&asked.topic),
            };
            let partition = |at: &FetchPartition| {
                let found = topic.as_ref().and_then(|t| t.partition(at.partition));
                AskedPartition {
                    index: at.partition,
                    found: match (&topic, found) {
                        (Some(_), None) => Err(ResponseError::UnknownTopicOrPartition),
                        (_, found) => found.cloned().ok_or(gone(version)),
                    },
                    from: at.fetch_offset,
                    max_bytes: usize::try_from(at.partition_max_bytes).unwrap_or(0),
                }
            };
            Asked {
                partitions: asked.partitions.iter().map(partition).collect(),
                // A name that is kept must not keep the whole request.
                name: TopicName(super::ids::text(&asked.topic)),
                id: asked.topic_id,
            }
        })
        .collect()
}

/// Whether there is anything to tell at once: records, or an error.
fn ready(asked: &[Asked], version: i16) -> bool {
    let mut partitions = asked.iter().flat_map(|topic| &topic.partitions);
    partitions.any(|asked| match asked.partition(version) {
        Ok(partition) => asked.from != partition.end(),
        Err(_) => true,
    })
}

impl AskedPartition {
    /// The partition, unless it is deleted or does not have the offset.
    pub(crate) fn partition(&self, version: i16) -> Result<&Arc<Partition>, ResponseError> {
        let partition = self.found.as_ref().map_err(|error| *error)?;
        if partition.is_gone() {
            return Err(gone(version));
        }
        if self.from < partition.start() || self.from > partition.end() {
            return Err(ResponseError::OffsetOutOfRange);
        }
        Ok(partition)
    }
}

/// What a client is told of a topic that is not there: so that it asks for the topics anew.
fn gone(version: i16) -> ResponseError {
    match version {
        WITH_IDS.. => ResponseError::UnknownTopicId,
        _ => ResponseError::UnknownTopicOrPartition,
    }
}

/// What a client is told when the log cannot be read: damage ends it, all else is tried again.
pub(crate) fn storage_error(error: &Error, partition: &Partition) -> ResponseError {
    tracing::warn!(
        error = %error, topic = %partition.topic, partition = partition.index,
        "the Kafka front could not read the log"
    );
    match error.code().name {
        name if name == crate::UNUSABLE.name => ResponseError::CorruptMessage,
        _ => ResponseError::KafkaStorageError,
    }
}

/// Wakes when records come, as long as it lives.
struct Watch {
    /// Each once, however often it was asked for: the writer wakes all of them.
    partitions: BTreeMap<PartitionId, Arc<Partition>>,
    wake: Arc<Notify>,
}

impl Watch {
    fn over(asked: &[Asked]) -> Self {
        let found = asked.iter().flat_map(|topic| &topic.partitions);
        let found = found.filter_map(|asked| asked.found.as_ref().ok());
        let watch = Self {
            partitions: found.map(|of| (of.id, Arc::clone(of))).collect(),
            wake: Arc::new(Notify::new()),
        };
        for partition in watch.partitions.values() {
            partition.watch(&watch.wake);
        }
        watch
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        for partition in self.partitions.values() {
            partition.unwatch(&self.wake);
        }
    }
}
