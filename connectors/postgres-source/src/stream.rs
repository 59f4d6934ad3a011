//! The streaming phase: from buffered messages to records, one poll at a time.

mod attend;
mod course;
pub(crate) mod kept;
mod transaction;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use cdc::{channels::Channels, pulse::Pulse, text::Frame};
use connect_core::{Batch, Result};
use tokio::time::{Instant, timeout_at};

use crate::{
    error,
    heartbeat::Beats,
    incremental::Incremental,
    pgoutput::{self, Message, Replicated},
    position::{Place, Progress},
    temporal::POSTGRES_EPOCH_US,
    wire::{Frames, Replication, Side, Vigil, server_error, streamed_notice},
};

use self::kept::{KeptTransactions, Taken};

pub(crate) use self::{
    course::{Goal, Unseen},
    transaction::{Settings, Transactions},
};

/// A batch is full with so many records: they, their cells and what they are encoded to stay in a core's cache …
const BATCH_RECORDS: usize = 512;
/// … or so many bytes from the server.
const BATCH_BYTES: usize = 256 << 10;
/// A poll ends after this long, also with nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// A commit older than this is backlog: then it is better to wait for a full batch than to run with every row.
const BACKLOG_US: i64 = 50_000;
/// How long the socket is left to fill when there is backlog.
const NAP: Duration = Duration::from_millis(2);

/// The running stream.
#[derive(Debug)]
pub(crate) struct Stream {
    replication: Replication,
    /// The transactions that the server sends while they run.
    kept: KeptTransactions,
    /// One of them that was committed, and is read instead of the socket.
    committed: Option<Frames>,
    side: Side,
    /// Over the queries on the side, while which nobody listens to the stream.
    vigil: Vigil,
    transactions: Transactions,
    beats: Option<Beats>,
    incremental: Box<Incremental>,
    channels: Option<Arc<Channels>>,
    signal_offset: Option<i64>,
    /// The blocking snapshot that the stream has to wait for.
    blocking: Option<Arc<str>>,
    /// Whether the signal table is one of the channels.
    takes_rows: bool,
    partition: Arc<str>,
    /// How long the server may be silent, although it was asked.
    silence_limit: Duration,
    heard: Instant,
    reported: Option<Place>,
    reported_at: Instant,
    server_asked: bool,
    pulse: Pulse,
    /// A batch is full with so many records.
    batch_records: usize,
    frames_in_batch: u32,
    bytes_in_batch: usize,
    /// Whether anything was read since the last wait.
    drained: bool,
    /// Whether a replay has come to its end.
    over: bool,
}

/// Why draining stopped.
enum Step {
    /// The batch is full.
    Full,
    /// Everything that came has been read.
    Dry,
    /// A table must be looked up before going on.
    Relation(Bytes),
    /// What follows lies behind the goal.
    Goal,
    /// A transaction that was kept is to be read first.
    Committed(Frames),
}

impl Stream {
    /// A stream that goes on from a place.
    pub(crate) fn new(
        replication: Replication,
        side: Side,
        settings: Settings,
        place: Place,
        beats: Option<Beats>,
    ) -> Self {
        let now = Instant::now();
        Self {
            replication,
            kept: KeptTransactions::new(settings.kept_limit),
            committed: None,
            vigil: side.vigil(settings.silence_limit),
            side,
            partition: Arc::clone(&settings.partition),
            batch_records: BATCH_RECORDS.min(settings.batch_records),
            silence_limit: settings.silence_limit,
            pulse: settings.pulse,
            incremental: settings.incremental,
            channels: settings.channels,
            blocking: None,
            takes_rows: settings.takes_rows,
            signal_offset: place.signal_offset,
            transactions: Transactions::new(settings.relations, settings.tombstones, place)
                .with_context(settings.context)
                .telling(settings.transactions, settings.messages)
                .without(settings.skipped),
            beats,
            heard: now,
            reported: None,
            reported_at: now,
            server_asked: false,
            frames_in_batch: 0,
            bytes_in_batch: 0,
            drained: false,
            over: false,
        }
    }

    /// See [`connect_core::SourceTask::poll`].
    pub(crate) async fn poll(&mut self, out: &mut Batch) -> Result<()> {
        let deadline = self.deadline();
        (self.frames_in_batch, self.bytes_in_batch) = (0, 0);
        if self.send_chunk(out)? {
            return Ok(());
        }
        let mut now_ms = self.transactions.begin_batch(out);
        loop {
            match self.drain(out)? {
                Step::Full | Step::Goal => break,
                Step::Relation(payload) => {
                    let learning = self.transactions.learn(&payload, &mut self.side);
                    self.vigil.over(learning).await?;
                    continue;
                }
                Step::Committed(frames) => {
                    self.committed = Some(frames);
                    continue;
                }
                Step::Dry if self.read_committed().await? => continue,
                Step::Dry if self.transactions.reached() => break,
                Step::Dry => {}
            }
            let more = if out.is_empty() {
                self.wait(deadline).await?
            } else {
                self.more().await?
            };
            if !more || (out.is_empty() && Instant::now() >= deadline) {
                break;
            }
            if out.is_empty() {
                // The clock stands in every record: it must not be that of a quiet second ago.
                now_ms = self.transactions.begin_batch(out);
            }
        }
        self.reselect(out).await?;
        self.beat(out, now_ms).await?;
        self.attend(out, now_ms).await?;
        self.report(out, now_ms);
        Ok(())
    }

    /// Sets where the stream ends. When an earlier goal was reached, it goes on from there.
    pub(crate) fn aim(&mut self, goal: Goal) {
        self.transactions.aim(goal);
    }

    /// Whether everything before the goal has been read.
    pub(crate) fn reached(&self) -> bool {
        self.transactions.reached()
    }

    /// Whether a replay has come to its end.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Whether something is yet to come that was passed by earlier.
    pub(crate) fn is_behind(&self) -> bool {
        self.transactions.is_behind()
    }

    /// Where the stream stands.
    pub(crate) fn place(&self) -> Place {
        let place = self.transactions.place();
        let asked = self.blocking.as_ref().map(|signal| Progress {
            only: Some(Arc::clone(signal)),
            ..Progress::default()
        });
        Place {
            snapshot: asked.or(place.snapshot),
            incremental: self.incremental.state.running(),
            signal_offset: self.signal_offset,
            ..place
        }
    }

    /// Whether it waits for a snapshot.
    pub(crate) fn is_paused(&self) -> bool {
        self.blocking.is_some()
    }

    /// Gives it a connection that is open already.
    pub(crate) fn lend(&mut self, side: Side) {
        self.side = side;
    }

    /// Ends the stream after a last word about what is durable; gives back the side connection.
    pub(crate) async fn close(self) -> Side {
        self.replication.close().await;
        self.side
    }

    fn deadline(&self) -> Instant {
        let patience = Instant::now() + PATIENCE;
        let beat = self.beats.as_ref().map(Beats::due);
        let due = [beat, self.incremental.state.due()];
        due.into_iter().flatten().fold(patience, Instant::min)
    }

    /// Reads the messages that lie in the buffer, and takes them as one frame of the batch.
    fn drain(&mut self, out: &mut Batch) -> Result<Step> {
        let records = out.len();
        let (is_replay, is_kept) = (self.replication.is_replay(), self.committed.is_some());
        let mut at = 0;
        let mut received = 0;
        let step = loop {
            let full = self.is_full(at, out);
            let frames = match &mut self.committed {
                Some(committed) => committed,
                None => &mut self.replication.frames,
            };
            let Some(message) = frames.message_at(at)? else {
                break if full { Step::Full } else { Step::Dry };
            };
            let start = std::mem::replace(&mut at, message.body.end);
            let frame = Frame {
                bytes: frames.bytes(),
                index: self.frames_in_batch,
            };
            let body = frame.bytes.get(message.body).unwrap_or(&[]);
            match message.tag {
                b'd' => match pgoutput::replicated(body)? {
                    Replicated::XLogData { lsn, payload } => {
                        // An offset of Debezium's cannot tell changes apart that share an LSN.
                        if full && !self.transactions.shares(lsn) {
                            at = start;
                            break Step::Full;
                        }
                        received = lsn;
                        let kept = (!is_kept).then_some(&mut self.kept);
                        match read(&mut self.transactions, kept, (lsn, payload), frame, out)? {
                            None => {}
                            Some(Step::Goal) => {
                                at = start;
                                break Step::Goal;
                            }
                            Some(step) => break step,
                        }
                    }
                    Replicated::Keepalive { end, wants_reply } => {
                        received = end;
                        self.transactions.keepalive(end);
                        if wants_reply {
                            self.server_asked = true;
                            self.replication.answer();
                        }
                    }
                    Replicated::Unknown => {}
                },
                b'c' if is_replay => {
                    self.over = true;
                    break Step::Goal;
                }
                tag => not_data(tag, body)?,
            }
        };
        self.note_received(received);
        self.take(at, out.len() > records, out);
        Ok(step)
    }

    /// Notes what has come from the server: not what was kept of it, which it has told long since.
    fn note_received(&mut self, received: u64) {
        if received > 0 && self.committed.is_none() {
            self.drained = true;
            self.replication.received(received);
        }
    }

    /// Whether the batch should end where this much of the buffer has been read.
    fn is_full(&self, read: usize, out: &Batch) -> bool {
        out.len() >= self.batch_records
            || self.bytes_in_batch + read >= BATCH_BYTES
            || self.transactions.is_full()
    }

    /// Takes what has been read out of the buffer: as a frame of the batch when records lie in it.
    fn take(&mut self, bytes: usize, has_records: bool, out: &mut Batch) {
        let frames = match &mut self.committed {
            Some(committed) => committed,
            None => &mut self.replication.frames,
        };
        if has_records {
            out.push_frame(frames.take(bytes));
            self.frames_in_batch += 1;
            self.bytes_in_batch += bytes;
        } else {
            frames.skip(bytes);
        }
    }

    /// Reads on in a transaction that was kept; `false` when there is none.
    async fn read_committed(&mut self) -> Result<bool> {
        let Some(committed) = &mut self.committed else {
            return Ok(false);
        };
        if !committed.read_on().await? {
            self.committed = None;
        }
        Ok(true)
    }

    /// Waits for the server; whether it said something before the deadline.
    async fn wait(&mut self, deadline: Instant) -> Result<bool> {
        // What nobody captures leaves no record, but its packets come as fast.
        if std::mem::take(&mut self.drained) && self.is_backlog() {
            rest().await;
        }
        match timeout_at(deadline, self.replication.frames.read()).await {
            Ok(read) => {
                self.heard = Instant::now();
                read.map(|()| true)
            }
            // The feedback asks it to answer, so that silence means a dead connection.
            Err(_)
                if self.heard.elapsed() > self.silence_limit && !self.replication.is_replay() =>
            {
                Err(connect_core::Error::new(
                    &error::CONNECTION,
                    "the server has fallen silent",
                ))
            }
            Err(_) => Ok(false),
        }
    }

    /// What has come meanwhile; with backlog, what comes within a moment.
    async fn more(&mut self) -> Result<bool> {
        if self.replication.frames.try_read().await? {
            self.heard = Instant::now();
            return Ok(true);
        }
        if !self.is_backlog() {
            return Ok(false);
        }
        rest().await;
        self.replication.frames.try_read().await
    }

    fn is_backlog(&self) -> bool {
        self.kept.is_in_block() || self.transactions.behind_us() >= BACKLOG_US
    }

    async fn beat(&mut self, out: &mut Batch, now_ms: i64) -> Result<()> {
        self.side.tidy().await;
        let Some(beats) = &mut self.beats else {
            return Ok(());
        };
        if let Some(query) = beats.beat(out, now_ms) {
            let side = &mut self.side;
            let beating = async { side.connection().await?.execute(&query).await };
            self.vigil.over(beating).await?;
        }
        Ok(())
    }

    /// Sets the position: always with records, else when it has moved, about once a second or when the server asks.
    fn report(&mut self, out: &mut Batch, now_ms: i64) {
        out.set_within_transaction(self.transactions.is_open());
        let place = self.place();
        let due = self.server_asked || self.reported_at.elapsed() >= PATIENCE;
        let moved = self.reported.as_ref() != Some(&place);
        let commit_ms = place.ts_us / 1000;
        if !out.is_empty() || (due && moved) {
            out.set_position(place.position(&self.partition));
            self.reported = Some(place);
            self.reported_at = Instant::now();
        }
        self.server_asked = false;
        let tally = self.transactions.tally();
        self.pulse.polled(out, tally, commit_ms, now_ms);
    }
}

/// Reads one pgoutput message, or tells what to do first. One that belongs to a transaction that runs is kept.
#[inline]
fn read(
    transactions: &mut Transactions,
    kept: Option<&mut KeptTransactions>,
    (lsn, payload): (u64, &[u8]),
    frame: Frame<'_>,
    out: &mut Batch,
) -> Result<Option<Step>> {
    match kept.map_or(Ok(Taken::No), |kept| kept.take(lsn, payload))? {
        Taken::No => {}
        Taken::Yes => return Ok(None),
        Taken::Committed(frames) => return Ok(Some(Step::Committed(frames))),
    }
    let message = pgoutput::message(payload)?;
    if transactions.stops_at(lsn, &message) {
        return Ok(Some(Step::Goal));
    }
    if let Message::Relation(relation) = message
        && !transactions.pass_by(relation)
    {
        return Ok(Some(Step::Relation(Bytes::copy_from_slice(payload))));
    }
    transactions.message(lsn, message, frame, out)?;
    Ok(None)
}

/// Leaves the socket to fill, and lets the runtime see that it has.
async fn rest() {
    nap();
    tokio::task::yield_now().await;
}

/// A timer of the runtime would not do: every packet that comes would wake the thread, which is the task's own, to look at
/// the timer.
#[expect(
    clippy::disallowed_methods,
    reason = "bounded, and meant to stop the thread"
)]
fn nap() {
    std::thread::sleep(NAP);
}

/// A message that is none of the stream's: the end, or nothing that matters.
pub(crate) fn not_data(tag: u8, body: &[u8]) -> Result<()> {
    match tag {
        b'E' => Err(server_error(body).into()),
        b'c' => Err(error::closed()),
        b'N' => streamed_notice(body),
        // Changed parameters.
        _ => Ok(()),
    }
}

/// Microseconds since 1970-01-01 of PostgreSQL's.
pub(crate) fn unix_us(postgres_us: i64) -> i64 {
    postgres_us.saturating_add(POSTGRES_EPOCH_US)
}
