//! Gathers the records of an answer to `Fetch`, within its limits.

use bytes::Bytes;
use connect_core::Result;
use kafka_protocol::{ResponseError, messages::fetch_response::PartitionData};

use super::{
    batch::{Batches, Pushed},
    budget::Room,
    fetch::{Asked, AskedPartition, storage_error},
    serve::Front,
};
use crate::local::{Block, Partition, Store};

/// Bytes of records in an answer, at most, but for one record that is larger. With more the time per record hardly falls, and each
/// client that is slow to read holds so much memory.
const ANSWER_BYTES: usize = 1 << 20;
/// An answer is in memory as blocks, as batches and as a frame while it is made.
const COPIES: usize = 3;
/// What an answer takes besides.
const PARTITION_BYTES: usize = 512;

/// How much a client wants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    max_bytes: usize,
    min_bytes: usize,
}

/// Records of partitions, in the order of the request.
pub(crate) struct Gathered {
    pub(crate) topics: Vec<Vec<PartitionData>>,
    bytes: usize,
    errors: bool,
    /// The bytes that have to be allowed for the first record.
    large: Option<usize>,
}

impl Limits {
    pub(crate) fn of(max_bytes: usize, min_bytes: usize) -> Self {
        let max_bytes = max_bytes.min(ANSWER_BYTES);
        Self {
            max_bytes,
            min_bytes: min_bytes.min(max_bytes),
        }
    }
}

impl Gathered {
    /// Whether a client that may wait gets it now.
    pub(crate) fn is_enough(&self, limits: Limits) -> bool {
        self.errors || self.bytes >= limits.min_bytes
    }
}

/// Gathers what there is now. The memory is taken before anything is read; a record that needs more than an ordinary answer is gone
/// for once more, with as much memory as it needs.
pub(crate) async fn gather<'a, S: Store>(
    front: &'a Front<S>,
    asked: &[Asked],
    version: i16,
    limits: Limits,
) -> (Gathered, Room<'a>) {
    let count: usize = asked.iter().map(|topic| topic.partitions.len()).sum();
    let besides = count.saturating_mul(PARTITION_BYTES);
    let mut allowed = ANSWER_BYTES;
    loop {
        let bytes = allowed.saturating_mul(COPIES).saturating_add(besides);
        let room = front.answers.take(bytes).await;
        let gathered = all(front, asked, version, limits, allowed).await;
        match gathered.large {
            Some(large) => allowed = large,
            None => return (gathered, room),
        }
    }
}

/// `allowed`: bytes that one block may have.
async fn all<S: Store>(
    front: &Front<S>,
    asked: &[Asked],
    version: i16,
    limits: Limits,
    allowed: usize,
) -> Gathered {
    let mut gathered = Gathered {
        topics: Vec::with_capacity(asked.len()),
        bytes: 0,
        errors: false,
        large: None,
    };
    for topic in asked {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for asked in &topic.partitions {
            let data = PartitionData::default().with_partition_index(asked.index);
            partitions.push(match asked.partition(version) {
                Ok(partition) => {
                    let at = (asked, partition.as_ref());
                    let data = records(front, at, limits, allowed, &mut gathered, data).await;
                    if gathered.large.is_some() {
                        return gathered;
                    }
                    data
                }
                Err(error) => {
                    gathered.errors = true;
                    refused(data, error)
                }
            });
        }
        gathered.topics.push(partitions);
    }
    gathered
}

fn refused(data: PartitionData, error: ResponseError) -> PartitionData {
    data.with_error_code(error.code())
        .with_high_watermark(-1)
        .with_last_stable_offset(-1)
        .with_log_start_offset(-1)
        .with_records(Some(Bytes::new()))
}

async fn records<S: Store>(
    front: &Front<S>,
    (asked, partition): (&AskedPartition, &Partition),
    limits: Limits,
    allowed: usize,
    gathered: &mut Gathered,
    data: PartitionData,
) -> PartitionData {
    let left = limits.max_bytes.saturating_sub(gathered.bytes);
    let mut reading = Reading {
        from: asked.from,
        max_bytes: left.min(asked.max_bytes),
        allowed,
        first: gathered.bytes == 0,
        batches: Batches::default(),
        large: None,
    };
    if let Err(error) = reading.read(front, partition).await
        && reading.batches.len() == 0
    {
        gathered.errors = true;
        return refused(data, storage_error(&error, partition));
    }
    gathered.large = reading.large;
    gathered.bytes += reading.batches.len();
    let end = partition.end();
    data.with_high_watermark(end)
        .with_last_stable_offset(end)
        .with_log_start_offset(partition.start())
        .with_records(Some(Bytes::from(reading.batches.into_bytes())))
}

/// The reading of one partition.
struct Reading {
    from: i64,
    max_bytes: usize,
    allowed: usize,
    /// Whether the answer has no record yet: then it gets one, however large.
    first: bool,
    batches: Batches,
    large: Option<usize>,
}

impl Reading {
    async fn read<S: Store>(&mut self, front: &Front<S>, of: &Partition) -> Result<()> {
        while self.from < of.end() {
            let left = self.max_bytes.saturating_sub(self.batches.len());
            if left == 0 && !self.is_first() {
                break;
            }
            let more = match of.recent(self.from) {
                Some(block) => self.fits(block.body.len()) && self.push(&block)?,
                None => self.read_stored(front, of, left).await?,
            };
            if !more {
                break;
            }
        }
        Ok(())
    }

    /// `false` when nothing more is to be read, here and below.
    async fn read_stored<S: Store>(
        &mut self,
        front: &Front<S>,
        of: &Partition,
        left: usize,
    ) -> Result<bool> {
        let _turn = front.store_reads.acquire().await;
        let end = of.end();
        let bytes = front.log.stored(of, self.from, left).await?;
        if bytes == 0 {
            self.batches.push_gap(self.from..end);
            return Ok(false);
        }
        if !self.fits(bytes) {
            return Ok(false);
        }
        let blocks = front.log.blocks(of, self.from, bytes).await?;
        // None: compacted away since it was looked at, and the next look sees it.
        let some = !blocks.is_empty();
        for block in blocks {
            if !self.push(&block)? {
                return Ok(false);
            }
        }
        Ok(some)
    }

    /// Whether so many bytes may be read: beside other records there must be room in the answer, and in any case in memory.
    fn fits(&mut self, bytes: usize) -> bool {
        if !self.is_first() {
            return bytes <= self.max_bytes.saturating_sub(self.batches.len());
        }
        if bytes > self.allowed {
            self.large = Some(bytes);
            return false;
        }
        true
    }

    fn push(&mut self, block: &Block) -> Result<bool> {
        let pushed = self.batches.push(block, self.from, self.max_bytes)?;
        self.from = block.last + 1;
        Ok(pushed == Pushed::All)
    }

    fn is_first(&self) -> bool {
        self.first && self.batches.len() == 0
    }
}
