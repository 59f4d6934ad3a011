//! From messages of the server to records of the spill.

use std::time::Duration;

use connect_core::{
    Advance, Position, Result,
    keep::Writer,
    meter::{Gauge, Meter},
};
use rustc_hash::FxHashMap;
use tokio::time::Instant;

use super::Kind;
use crate::{
    pgoutput::{self, Message, Replicated},
    stream::not_data,
    wire::Replication,
};

/// A record has so many bytes at most: less than every log takes by default.
const PIECE: usize = 256 << 10;
/// Invariant 4: after so many bytes what was recorded becomes durable …
const COMMIT_BYTES: usize = 8 << 20;
/// … or after so long.
const LINGER: Duration = Duration::from_millis(500);
/// After so many bytes there is a place before which everything can be forgotten.
const MARK_BYTES: usize = 32 << 20;

/// Records one session.
pub(super) struct Recorder {
    writer: Box<dyn Writer>,
    /// What the relations of the session look like now, as messages of the server: about what the server keeps of them itself.
    known: FxHashMap<u32, Box<[u8]>>,
    /// Messages that were not appended yet.
    pending: Vec<u8>,
    /// How many bytes were appended and are not durable.
    appended: usize,
    /// Since when they wait.
    since: Option<Instant>,
    bytes_since_mark: usize,
    in_transaction: bool,
    /// Everything that was committed before this LSN has been recorded.
    boundary: u64,
    durable: Advance<Position>,
    spilled: Spilled,
}

struct Spilled {
    bytes: Gauge,
    transactions: Gauge,
}

impl Recorder {
    /// A session with everything that was committed since an LSN; `durable` tells the server.
    pub(super) async fn begin(
        mut writer: Box<dyn Writer>,
        since: u64,
        meter: &Meter,
        durable: Advance<Position>,
    ) -> Result<Self> {
        let key = Kind::Session(since).to_string();
        writer.append(key.as_bytes(), &[]).await?;
        Ok(Self {
            writer,
            known: FxHashMap::default(),
            pending: Vec::new(),
            appended: 0,
            since: None,
            bytes_since_mark: 0,
            in_transaction: false,
            boundary: since,
            durable,
            spilled: Spilled {
                bytes: meter.gauge("slot-spilled-bytes"),
                transactions: meter.gauge("slot-spilled-transactions"),
            },
        })
    }

    /// Takes what lies in the buffer; whether there is enough to flush.
    pub(super) fn take(&mut self, replication: &mut Replication) -> Result<bool> {
        let mut at = 0;
        while !self.is_full() {
            let Some(message) = replication.frames.message_at(at)? else {
                break;
            };
            let start = std::mem::replace(&mut at, message.body.end);
            let bytes = replication.frames.bytes();
            let body = bytes.get(message.body.clone()).unwrap_or(&[]);
            let whole = bytes.get(start..message.body.end).unwrap_or(&[]);
            match message.tag {
                b'd' => match pgoutput::replicated(body)? {
                    Replicated::XLogData { lsn, payload } => {
                        self.put(whole);
                        self.note(lsn, &pgoutput::message(payload)?, whole);
                    }
                    Replicated::Keepalive { end, wants_reply } => {
                        if wants_reply {
                            replication.answer();
                        }
                        self.keepalive(end);
                    }
                    Replicated::Unknown => {}
                },
                tag => not_data(tag, body)?,
            }
        }
        replication.frames.skip(at);
        Ok(self.is_full())
    }

    fn note(&mut self, lsn: u64, message: &Message<'_>, whole: &[u8]) {
        match message {
            Message::Begin(_) => self.in_transaction = true,
            Message::Commit(commit) => {
                self.in_transaction = false;
                self.boundary = commit.end_lsn;
                self.spilled.transactions.add(1);
            }
            Message::Relation(relation) => drop(self.known.insert(relation.id, whole.into())),
            // It stands between transactions; its LSN is the end of its record, where the next commit may begin.
            Message::Logical(logical) if !logical.transactional => self.keepalive(lsn),
            _ => {}
        }
    }

    /// Between transactions everything before `end` has been sent.
    fn keepalive(&mut self, end: u64) {
        if !self.in_transaction && end > self.boundary {
            self.boundary = end;
            self.put(&keepalive(end));
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        self.since.get_or_insert_with(Instant::now);
    }

    fn is_full(&self) -> bool {
        self.pending.len() >= PIECE || self.wants_mark()
    }

    fn wants_mark(&self) -> bool {
        !self.in_transaction && self.bytes_since_mark + self.pending.len() >= MARK_BYTES
    }

    /// When what was taken has to become durable; `None` without anything.
    pub(super) fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + LINGER)
    }

    /// Appends what was taken.
    pub(super) async fn flush(&mut self) -> Result<()> {
        let pending = std::mem::take(&mut self.pending);
        append(&mut *self.writer, Kind::Bytes, &pending).await?;
        self.appended += pending.len();
        self.bytes_since_mark += pending.len();
        self.spilled
            .bytes
            .add(i64::try_from(pending.len()).unwrap_or(0));
        if self.wants_mark() {
            self.mark().await?;
        }
        if self.appended >= COMMIT_BYTES {
            self.commit_appended().await?;
        }
        Ok(())
    }

    /// A reader can begin here.
    async fn mark(&mut self) -> Result<()> {
        self.bytes_since_mark = 0;
        let key = Kind::Mark(self.boundary).to_string();
        self.writer.append(key.as_bytes(), &[]).await?;
        let known = self.known.values().fold(Vec::new(), |mut all, relation| {
            all.extend_from_slice(relation);
            all
        });
        append(&mut *self.writer, Kind::Known, &known).await
    }

    /// Makes everything durable that was taken, and lets the server forget it.
    pub(super) async fn commit(&mut self) -> Result<()> {
        self.flush().await?;
        self.commit_appended().await
    }

    /// Only between two messages, so that no message is cut off in what is visible.
    async fn commit_appended(&mut self) -> Result<()> {
        (self.since, self.appended) = (None, 0);
        self.writer.commit().await?;
        // Invariant 1: only now. It is durable in the log, from which nobody but the task takes it.
        self.durable.to(Position {
            partition: "".into(),
            offset: "".into(),
            order: self.boundary,
        });
        Ok(())
    }
}

/// Appends bytes in pieces.
async fn append(writer: &mut dyn Writer, kind: Kind, bytes: &[u8]) -> Result<()> {
    let key = kind.to_string();
    for piece in bytes.chunks(PIECE) {
        writer.append(key.as_bytes(), piece).await?;
    }
    Ok(())
}

/// The message by which the server says that everything before an LSN was sent.
fn keepalive(end: u64) -> [u8; 23] {
    let mut out = [0; 23];
    let fields: [&[u8]; 3] = [b"d", &22u32.to_be_bytes(), b"k"];
    // The clock and the wish for a reply stay zero.
    let bytes = fields
        .into_iter()
        .flatten()
        .copied()
        .chain(end.to_be_bytes());
    out.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    out
}
