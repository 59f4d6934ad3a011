//! Transactions that the server sends while they run, kept until they end.
//!
//! Each has a file of its own without a name, so that nothing of it is left behind a crash: what was not committed comes
//! again from the server. Once committed it is read from there as if the server had sent it after the commit.

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use connect_core::{Error, Result};
use rustc_hash::FxHashMap;
use tempfile::SpooledTempFile;

use crate::{
    error,
    pgoutput::{Commit, InProgress, in_progress},
    wire::Frames,
};

/// So much of a transaction stays in memory.
const IN_MEMORY: usize = 64 << 10;
/// So much of a block is written at once.
const PIECE: usize = 64 << 10;

/// The transactions that run.
#[derive(Debug)]
pub(crate) struct KeptTransactions {
    running: FxHashMap<u32, Running>,
    /// The transaction whose block is being read.
    block: Option<u32>,
    /// What of the block is not written yet.
    piece: Vec<u8>,
    /// Bytes of all transactions.
    bytes: u64,
    limit: u64,
}

#[derive(Debug)]
struct Running {
    file: SpooledTempFile,
    /// LSN of its first change.
    first_lsn: u64,
    bytes: u64,
    /// Where the first message of each subtransaction lies.
    subtransactions: FxHashMap<u32, u64>,
}

/// What a message was.
#[derive(Debug)]
pub(crate) enum Taken {
    /// An ordinary one, which is not ours.
    No,
    /// It is kept, or has changed what is kept.
    Yes,
    /// A transaction was committed: here it is.
    Committed(Frames),
}

impl KeptTransactions {
    /// Keeps up to so many bytes.
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            running: FxHashMap::default(),
            block: None,
            piece: Vec::new(),
            bytes: 0,
            limit,
        }
    }

    /// Whether a block is being read.
    pub(crate) fn is_in_block(&self) -> bool {
        self.block.is_some()
    }

    /// Takes a pgoutput message if it belongs to a transaction that runs.
    pub(crate) fn take(&mut self, lsn: u64, payload: &[u8]) -> Result<Taken> {
        match in_progress(payload, self.block.is_some())? {
            None => return Ok(Taken::No),
            Some(InProgress::Start { xid }) => self.start(xid, lsn),
            Some(InProgress::Stop) => {
                self.write_piece()?;
                self.block = None;
            }
            Some(InProgress::Part { xid, tag, rest }) => self.part(xid, lsn, (tag, rest))?,
            Some(InProgress::Abort { xid, subxid }) => self.abort(xid, subxid)?,
            Some(InProgress::Commit {
                xid,
                commit,
                committed_us,
            }) => {
                let frames = self.commit(xid, lsn, commit, committed_us)?;
                return Ok(frames.map_or(Taken::Yes, Taken::Committed));
            }
        }
        Ok(Taken::Yes)
    }

    fn start(&mut self, xid: u32, lsn: u64) {
        self.block = Some(xid);
        self.running.entry(xid).or_insert_with(|| Running {
            file: SpooledTempFile::new(IN_MEMORY),
            first_lsn: lsn,
            bytes: 0,
            subtransactions: FxHashMap::default(),
        });
    }

    fn part(&mut self, xid: Option<u32>, lsn: u64, message: (u8, &[u8])) -> Result<()> {
        let Some(running) = self.block.and_then(|top| self.running.get_mut(&top)) else {
            return Err(error::protocol("a change stands outside of a block"));
        };
        if let Some(sub) = xid.filter(|xid| Some(*xid) != self.block) {
            let at = running.bytes + self.piece.len() as u64;
            running.subtransactions.entry(sub).or_insert(at);
        }
        frame(lsn, message, &mut self.piece)?;
        if self.piece.len() >= PIECE {
            self.write_piece()?;
        }
        Ok(())
    }

    fn write_piece(&mut self) -> Result<()> {
        if let Some(running) = self.block.and_then(|top| self.running.get_mut(&top)) {
            // Invariant 4: the disk is not ours alone.
            self.bytes += self.piece.len() as u64;
            if self.bytes > self.limit {
                return Err(Error::new(
                    &error::IN_PROGRESS,
                    "transactions that run are larger than `stream.in.progress.max.bytes`",
                )
                .context("limit", self.limit));
            }
            running.file.write_all(&self.piece).map_err(on_disk)?;
            running.bytes += self.piece.len() as u64;
        }
        self.piece.clear();
        Ok(())
    }

    /// All changes since the first of a subtransaction are its own or those of subtransactions within it.
    fn abort(&mut self, xid: u32, subxid: u32) -> Result<()> {
        if xid == subxid {
            let gone = self.running.remove(&xid);
            self.bytes -= gone.map_or(0, |gone| gone.bytes);
            return Ok(());
        }
        let Some(running) = self.running.get_mut(&xid) else {
            return Ok(());
        };
        let Some(at) = running.subtransactions.remove(&subxid) else {
            return Ok(());
        };
        running.subtransactions.retain(|_, other| *other < at);
        running.file.set_len(at).map_err(on_disk)?;
        running.file.seek(SeekFrom::Start(at)).map_err(on_disk)?;
        self.bytes -= running.bytes - at;
        running.bytes = at;
        Ok(())
    }

    fn commit(
        &mut self,
        xid: u32,
        end: u64,
        commit: Commit,
        committed_us: i64,
    ) -> Result<Option<Frames>> {
        let Some(mut running) = self.running.remove(&xid) else {
            return Ok(None);
        };
        self.bytes -= running.bytes;
        let (mut first, mut last) = (Vec::new(), Vec::new());
        let begin = [
            &commit.lsn.to_be_bytes()[..],
            &committed_us.to_be_bytes(),
            &xid.to_be_bytes(),
        ];
        frame(running.first_lsn, (b'B', &begin.concat()), &mut first)?;
        let ended = [
            &[0][..],
            &commit.lsn.to_be_bytes(),
            &commit.end_lsn.to_be_bytes(),
            &committed_us.to_be_bytes(),
        ];
        frame(end, (b'C', &ended.concat()), &mut last)?;
        running.file.rewind().map_err(on_disk)?;
        let changes = running.file.take(running.bytes);
        let all = Cursor::new(first).chain(changes).chain(Cursor::new(last));
        Ok(Some(Frames::stored(all)))
    }
}

/// Appends a message as it stands on the wire outside of blocks: CopyData, XLogData, pgoutput.
fn frame(lsn: u64, (tag, rest): (u8, &[u8]), out: &mut Vec<u8>) -> Result<()> {
    let len = u32::try_from(rest.len() + 30);
    let len = len.map_err(|_| error::protocol("a message of a block is too long"))?;
    out.push(b'd');
    out.extend_from_slice(&len.to_be_bytes());
    out.push(b'w');
    out.extend_from_slice(&lsn.to_be_bytes());
    out.extend_from_slice(&[0; 16]);
    out.push(tag);
    out.extend_from_slice(rest);
    Ok(())
}

fn on_disk(cause: io::Error) -> Error {
    Error::new(
        &error::IN_PROGRESS,
        "a transaction that runs cannot be kept on disk",
    )
    .caused_by(cause)
}

#[cfg(test)]
mod tests;
