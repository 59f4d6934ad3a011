//! Commands on their way, and what their replies mean for the records they came from.

use connect_core::{Error, Rejects, Result, Verdict};

use crate::{
    error::{PROTOCOL, classify},
    resp::{Reply, whole},
    wire::Wire,
};

/// Commands that are sent together. Cleared and reused.
pub(crate) struct Pipeline {
    out: Vec<u8>,
    /// The record of each command, by its index in the batch.
    commands: Vec<usize>,
    /// For each chunk, how many commands were there at its end.
    chunks: Vec<usize>,
    record: usize,
    /// Whether chunks are transactions, so that nobody sees a row half replaced.
    atomic: bool,
}

/// What came of the commands of a pipeline.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Records that Redis refused.
    pub(crate) rejects: Rejects,
    /// Records that were there already.
    pub(crate) stale: i64,
}

/// A pipeline is sent when it has this many commands or bytes.
const FULL_COMMANDS: usize = 1024;
const FULL_BYTES: usize = 512 * 1024;
/// A transaction blocks all other clients, so it ends after this many commands: a fraction of a millisecond.
const CHUNK_COMMANDS: usize = 128;

impl Pipeline {
    /// An empty one.
    pub(crate) fn new(atomic: bool) -> Self {
        Self {
            out: Vec::new(),
            commands: Vec::new(),
            chunks: Vec::new(),
            record: 0,
            atomic,
        }
    }

    /// The commands that follow are of this record of the batch.
    pub(crate) fn begin(&mut self, record: usize) {
        let since = self.chunks.last().copied().unwrap_or(0);
        if self.commands.len() - since >= CHUNK_COMMANDS {
            self.end_chunk();
        }
        self.record = record;
    }

    /// Where the next command is to be written.
    pub(crate) fn command(&mut self) -> &mut Vec<u8> {
        let since = self.chunks.last().copied().unwrap_or(0);
        if self.atomic && self.commands.len() == since {
            whole(&[b"MULTI"], &mut self.out);
        }
        self.commands.push(self.record);
        &mut self.out
    }

    /// Whether it is time to send it.
    pub(crate) fn is_full(&self) -> bool {
        self.commands.len() >= FULL_COMMANDS || self.out.len() >= FULL_BYTES
    }

    /// Whether it has no commands.
    pub(crate) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Sends all commands.
    pub(crate) async fn send(&mut self, wire: &mut Wire) -> Result<()> {
        self.end_chunk();
        wire.send(&self.out).await
    }

    /// Reads all replies and forgets the commands.
    pub(crate) async fn receive(&mut self, wire: &mut Wire, outcome: &mut Outcome) -> Result<()> {
        let mut from = 0;
        for end in self.chunks.drain(..) {
            let records = self.commands.get(from..end).unwrap_or(&[]);
            from = end;
            if self.atomic {
                read_transaction(wire, records, outcome).await?;
            } else {
                for record in records {
                    outcome.note(*record, wire.reply().await?)?;
                }
            }
        }
        self.commands.clear();
        self.out.clear();
        self.out.shrink_to(2 * FULL_BYTES);
        Ok(())
    }

    fn end_chunk(&mut self) {
        let end = self.commands.len();
        if self.chunks.last().copied().unwrap_or(0) == end {
            return;
        }
        if self.atomic {
            whole(&[b"EXEC"], &mut self.out);
        }
        self.chunks.push(end);
    }
}

/// The replies of `MULTI`, of each command, and of `EXEC`.
async fn read_transaction(wire: &mut Wire, records: &[usize], outcome: &mut Outcome) -> Result<()> {
    let mut refused = None;
    for _ in 0..=records.len() {
        match wire.reply().await? {
            Reply::Error(answer) => refused = refused.or(Some(answer)),
            Reply::Ok | Reply::Queued => {}
            _ => return Err(unexpected()),
        }
    }
    let done = wire.reply().await?;
    match (refused, done) {
        // Nothing was executed: no record is refused for its own sake.
        (Some(answer), _) | (None, Reply::Error(answer)) => Err(classify(&answer)),
        (None, Reply::Array(replies)) if replies.len() == records.len() => records
            .iter()
            .zip(replies)
            .try_for_each(|(record, reply)| outcome.note(*record, reply)),
        _ => Err(unexpected()),
    }
}

impl Outcome {
    fn note(&mut self, record: usize, reply: Reply) -> Result<()> {
        let Reply::Error(answer) = reply else {
            return Ok(());
        };
        // Invariant 6: the stream has this entry, or a later one, already.
        if answer.contains("equal or smaller than the target stream top item") {
            self.stale += 1;
            return Ok(());
        }
        let err = classify(&answer);
        if err.verdict() != Verdict::Reject {
            return Err(err);
        }
        self.reject(record, err);
        Ok(())
    }

    /// Notes a record as refused.
    pub(crate) fn reject(&mut self, record: usize, err: Error) {
        self.rejects.push((record, err));
    }

    /// The refused records by index, each once with its first error.
    pub(crate) fn into_rejects(mut self) -> Rejects {
        self.rejects.sort_by_key(|(index, _)| *index);
        self.rejects.dedup_by_key(|(index, _)| *index);
        self.rejects
    }
}

fn unexpected() -> Error {
    Error::new(&PROTOCOL, "Redis answered a transaction in an unknown way")
}
