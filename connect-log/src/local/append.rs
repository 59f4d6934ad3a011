//! An appender: records in, drafts out to the writer, one watermark back.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use connect_core::{
    BoxFuture, Encoded, Error, Result, Watermark, encoded::EncodedRecord, error::RECORD_INVALID,
    error::RECORD_TOO_LARGE, watermark::watermark,
};
use tokio::sync::oneshot;

use super::{
    block::{Draft, TARGET_BYTES, size_of_record, write_headers},
    engine::Engine,
    known::Known,
    partition::{Partition, Topic},
    queue::closed,
    request::{Author, GroupOffsets, Records, Request, Work},
    store::Store,
    writer::unknown_topic,
};
use crate::{
    Append, Appended, AppenderSpec, GroupCommit, Ticket, headers::HeaderBlock, partition_for,
};

/// What a draft costs besides its body.
const DRAFT_OVERHEAD: usize = 256;
/// Bytes of a draft at first. One that follows a full one of the same partition gets all at once.
const DRAFT_BYTES: usize = 2 << 10;

/// One ordered writer.
pub(crate) struct Appender<S: Store> {
    engine: Arc<Engine<S>>,
    author: Arc<Author>,
    durable: Watermark<Ticket>,
    ticket: Ticket,
    known: Known,
    drafts: Vec<(Arc<Partition>, bool, Draft)>,
    bytes: usize,
    rounds: u32,
    headers: HeaderBlock,
}

impl<S: Store> Appender<S> {
    /// A new appender; with a transactional id, the older one of that id is fenced when this returns.
    pub(crate) async fn open(engine: Arc<Engine<S>>, spec: AppenderSpec) -> Result<Self> {
        let (advance, durable) = watermark();
        advance.to(0);
        let author = Arc::new(Author::new(spec.transactional_id, advance));
        if author.transactional_id.is_some() {
            let claim = Work::Claim(Arc::clone(&author));
            engine.shared.ask(claim).await?;
        }
        Ok(Self {
            engine,
            author,
            durable,
            ticket: 0,
            known: Known::new(),
            drafts: Vec::new(),
            bytes: 0,
            rounds: 0,
            headers: HeaderBlock::default(),
        })
    }

    fn is_transactional(&self) -> bool {
        self.author.transactional_id.is_some()
    }

    async fn take(&mut self, records: &Encoded) -> Result<Appended> {
        if !self.is_transactional() {
            // What an append that was dropped while it waited left behind was never taken.
            self.forget();
        }
        let taken = match self.draft_all(records) {
            Ok(refused) if self.is_transactional() || self.drafts.is_empty() => Ok(refused),
            Ok(refused) => self.send(None, None).await.map(|()| refused),
            Err(error) => Err(error),
        };
        match taken {
            Ok(refused) => Ok(Appended {
                ticket: self.ticket,
                refused,
            }),
            Err(error) => {
                self.forget();
                self.author.fail(&error);
                Err(error)
            }
        }
    }

    fn draft_all(&mut self, records: &Encoded) -> Result<Vec<(usize, Error)>> {
        if let Some(error) = self.author.failure() {
            return Err(error.clone());
        }
        self.known.refresh(&self.engine.shared.catalog);
        self.rounds = self.rounds.wrapping_add(1);
        self.headers.clear();
        let now_ms = now_ms();
        let mut refused = Vec::new();
        for (at, record) in records.records.iter().enumerate() {
            match self.draft(records, record, now_ms)? {
                None => self.ticket += 1,
                Some(error) => refused.push((at, error)),
            }
        }
        Ok(refused)
    }

    /// Puts a record into the draft of its partition, or says why its topic can never take it.
    fn draft(
        &mut self,
        records: &Encoded,
        record: &EncodedRecord,
        now_ms: i64,
    ) -> Result<Option<Error>> {
        let round = self.known.round;
        let known = self
            .known
            .find(&record.topic, &self.engine.shared.catalog)?;
        let topic = &known.topic;
        let headers = self.headers.of(records, record, write_headers);
        let size = size_of_record(record, headers.len());
        let key = records.key(record);
        if let Some(error) = refusal(topic, key, size) {
            return Ok(Some(error));
        }
        let index = choose(topic, record, key, self.rounds);
        let partition = topic
            .partition(index)
            .ok_or_else(|| unknown_topic(&record.topic).context("partition", index))?;
        self.bytes += size;
        let limit = self.engine.shared.limits.transaction_bytes;
        if self.author.transactional_id.is_some() && self.bytes > limit {
            return Err(too_large(limit));
        }
        let open = &mut known.open[partition.index as usize];
        let full = |draft: &Draft| draft.count > 0 && draft.body.len() + size > TARGET_BYTES;
        if open.round != round || full(&self.drafts[open.at].2) {
            let follows = open.round == round;
            let bytes = if follows { TARGET_BYTES } else { DRAFT_BYTES };
            open.round = round;
            open.at = self.drafts.len();
            let draft = Draft::with_capacity(bytes.max(size));
            self.drafts
                .push((Arc::clone(partition), known.compress, draft));
            self.bytes += DRAFT_OVERHEAD;
        }
        let timestamp_ms = match record.timestamp_ms {
            negative if negative < 0 => now_ms,
            given => given,
        };
        self.drafts[open.at]
            .2
            .push(records, record, headers, timestamp_ms);
        Ok(None)
    }

    /// Hands the drafts to the writer, in the order of all appends.
    async fn send(
        &mut self,
        offsets: Option<GroupOffsets>,
        reply: Option<oneshot::Sender<Result<()>>>,
    ) -> Result<()> {
        let room = self.engine.shared.queue.room(self.bytes).await?;
        let records = Records {
            author: Arc::clone(&self.author),
            drafts: std::mem::take(&mut self.drafts),
            ticket: self.ticket,
            offsets,
        };
        self.forget();
        let work = Work::Records(records);
        self.engine.shared.queue.push(Request { work, reply }, room)
    }

    fn forget(&mut self) {
        self.drafts.clear();
        self.bytes = 0;
        self.known.round += 1;
    }

    async fn commit_all(&mut self, offsets: Option<&GroupCommit>) -> Result<()> {
        if let Some(error) = self.author.failure() {
            return Err(error.clone());
        }
        let (reply, answer) = oneshot::channel();
        let offsets = offsets.map(|commit| GroupOffsets {
            group: commit.group.clone(),
            offsets: commit
                .offsets
                .iter()
                .map(|(at, offset)| (at.clone(), Some(*offset)))
                .collect(),
        });
        self.send(offsets, Some(reply)).await?;
        answer.await.map_err(|_| closed())?
    }
}

impl<S: Store> Append for Appender<S> {
    fn append<'a>(&'a mut self, records: &'a Encoded) -> BoxFuture<'a, Result<Appended>> {
        Box::pin(self.take(records))
    }

    fn durable(&self) -> Watermark<Ticket> {
        self.durable.clone()
    }

    fn commit<'a>(&'a mut self, offsets: Option<&'a GroupCommit>) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.commit_all(offsets))
    }

    fn abort(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            if self.is_transactional() {
                self.forget();
            }
            self.author.failure().map_or(Ok(()), |e| Err(e.clone()))
        })
    }
}

fn refusal(topic: &Topic, key: Option<&[u8]>, size: usize) -> Option<Error> {
    if size > topic.max_message_bytes() {
        let error = Error::new(
            &RECORD_TOO_LARGE,
            "the record is larger than its topic takes",
        );
        return Some(
            error
                .context("topic", &topic.name)
                .context("bytes", size)
                .context("max.message.bytes", topic.max_message_bytes()),
        );
    }
    if key.is_none() && topic.is_compacted() {
        let error = Error::new(
            &RECORD_INVALID,
            "a compacted topic takes no record without a key",
        );
        return Some(error.context("topic", &topic.name));
    }
    None
}

/// The partition that was asked for, else that of the key, else one after the other, a whole append to each.
fn choose(topic: &Topic, record: &EncodedRecord, key: Option<&[u8]>, round: u32) -> i32 {
    let count = topic.partitions.len() as i32;
    match (record.partition, key) {
        (Some(index), _) => index,
        (None, _) if count == 1 => 0,
        (None, Some(key)) => partition_for(key, count),
        (None, None) => (round % count.max(1) as u32) as i32,
    }
}

fn too_large(limit: usize) -> Error {
    let error = Error::new(
        &crate::error::TRANSACTION_TOO_LARGE,
        "the transaction does not fit into memory",
    );
    error.context("bytes", limit)
}

/// Milliseconds since 1970-01-01.
pub(crate) fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |t| i64::try_from(t.as_millis()).unwrap_or(i64::MAX))
}
