//! From records of the spill to a stream, as if the server sent it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use connect_core::{Error, Result};
use tokio::{
    io::{AsyncWriteExt, DuplexStream, duplex},
    sync::oneshot,
};

use super::{Kind, Spool, read::Next};
use crate::{error, wire::Replication};

/// So many bytes are read ahead of the stream.
const AHEAD: usize = 256 << 10;
/// `CopyDone`: the session ends here.
const DONE: [u8; 5] = *b"c\0\0\0\x04";

/// Where the topic can be cut: when everything before the LSN is durable, the records before the offset can be forgotten.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks(Arc<Mutex<VecDeque<(u64, i64)>>>);

impl Marks {
    /// One more, behind the others.
    pub(crate) fn push(&self, lsn: u64, offset: i64) {
        let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        marks.push_back((lsn, offset));
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        let marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        marks.is_empty()
    }

    /// The last one that is passed when everything before `safe` is durable.
    pub(crate) fn passed(&self, safe: u64) -> Option<i64> {
        let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut passed = None;
        while let Some((_, offset)) = marks.pop_front_if(|(lsn, _)| *lsn <= safe) {
            passed = Some(offset);
        }
        passed
    }
}

/// A session that is yet to be read.
#[derive(Debug)]
pub(crate) struct Session {
    /// It has everything that was committed since this LSN.
    pub since: u64,
    spool: Spool,
    /// What the session has announced before, when reading begins at a mark.
    known: bool,
}

/// What follows a session.
#[derive(Debug)]
pub(crate) enum After {
    /// Another one.
    Session(Session),
    /// Nothing; the offset behind everything.
    End(i64),
}

impl After {
    /// The first session that is still there.
    pub(crate) async fn first(mut spool: Spool) -> Result<Self> {
        loop {
            let (since, known) = match spool.next().await? {
                Next::Nothing => continue,
                Next::End(offset) => return Ok(Self::End(offset)),
                Next::Record(Kind::Session(since), ..) => (since, false),
                Next::Record(Kind::Mark(since), ..) => (since, true),
                Next::Record(..) => return Err(spool.damaged("its first records are missing")),
            };
            return Ok(Self::Session(Session {
                since,
                spool,
                known,
            }));
        }
    }
}

impl Session {
    /// Replays it; what follows comes when it has ended.
    pub(crate) fn replay(self, marks: Marks) -> (Replication, oneshot::Receiver<Result<After>>) {
        let (mut pipe, reader) = duplex(AHEAD);
        let (tell, after) = oneshot::channel();
        let feeding = tokio::spawn(async move {
            let fed = self.feed(&mut pipe, &marks).await;
            // The stream sees its end after everything else, and then asks for what follows.
            let _ = tell.send(fed);
            let _ = pipe.write_all(&DONE).await;
        });
        (Replication::replay(reader, feeding), after)
    }

    async fn feed(mut self, pipe: &mut DuplexStream, marks: &Marks) -> Result<After> {
        loop {
            let bytes = match self.spool.next().await? {
                Next::Nothing => continue,
                Next::End(offset) => return Ok(After::End(offset)),
                Next::Record(Kind::Session(since), _, offset) => {
                    marks.push(since, offset);
                    let (spool, known) = (self.spool, false);
                    return Ok(After::Session(Session {
                        since,
                        spool,
                        known,
                    }));
                }
                Next::Record(Kind::Mark(lsn), _, offset) => {
                    marks.push(lsn, offset);
                    self.known = false;
                    continue;
                }
                Next::Record(Kind::Known, ..) if !self.known => continue,
                Next::Record(Kind::Known | Kind::Bytes, bytes, _) => bytes,
            };
            pipe.write_all(&bytes).await.map_err(error::io)?;
        }
    }
}

/// The stream ended without a word of what follows.
pub(crate) fn broken() -> Error {
    Error::new(
        &error::SPILL,
        "reading what was kept of the slot's changes was broken off",
    )
}
