//! The streaming phase: from buffered packets to records, one poll at a time.

mod attend;
mod heard;
mod lag;
mod reader;
mod rows;

use std::{sync::Arc, time::Duration};

use bytes::{Buf, Bytes};
use cdc::{channels::Channels, pulse::Pulse, snapshot::Progress, text::Frame};
use connect_core::{Batch, Error, Result};
use tokio::time::{Instant, timeout_at};

use self::reader::{At, Reader};
pub(crate) use self::{
    lag::Lag,
    reader::{Settings, widened},
};
use crate::{
    binlog::{self, EVENT_LIMIT, Header, Payload},
    error,
    heartbeat::Beats,
    incremental::Incremental,
    position::Place,
    versions::Versions,
    wire::{Dump, Look, Packets, Side, readers, replicas, server_error},
};

/// A batch is full with so many records: they, their cells and what they are encoded to stay in a core's cache …
const BATCH_RECORDS: usize = 512;
/// … or so many bytes from the server.
const BATCH_BYTES: usize = 256 << 10;
/// A poll ends after this long, also with nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// A change older than this is backlog: then it is better to wait for a full batch than to run with every row.
const BACKLOG_S: i64 = 2;
/// How long the socket is left to fill when there is backlog.
const NAP: Duration = Duration::from_millis(2);
/// What a packet with an event begins with.
const EVENT: u8 = 0x00;
const ERROR: u8 = 0xff;

/// How a stream is run.
#[derive(Debug)]
pub(crate) struct Run {
    /// The source partition.
    pub partition: Arc<str>,
    /// The `topic.prefix`.
    pub prefix: String,
    /// Our number among the server's replicas.
    pub server_id: u32,
    /// A batch is full with so many records, if that is fewer than usual.
    pub batch_records: usize,
    /// Heartbeats, if there are any.
    pub beats: Option<Beats>,
    /// How long the server may be silent: it was asked for signs of life.
    pub silence_limit: Duration,
    /// What the stream shows of itself.
    pub pulse: Pulse,
    /// How far it is behind, in bytes.
    pub lag: Lag,
    /// Whether rows of the signal table are signals.
    pub takes_rows: bool,
    /// Where signals come from besides the stream.
    pub channels: Option<Arc<Channels>>,
}

/// The running stream.
#[derive(Debug)]
pub(crate) struct Stream {
    packets: Packets,
    reader: Reader,
    side: Side,
    payload: Unpacking,
    run: Run,
    incremental: Box<Incremental>,
    signal_offset: Option<i64>,
    /// The blocking snapshot that the stream has to wait for.
    blocking: Option<Arc<str>>,
    heard: Instant,
    reported: Option<Place>,
    reported_at: Instant,
    frames_in_batch: u32,
    bytes_in_batch: usize,
}

/// A compressed transaction that is being read.
struct Unpacking {
    payload: Payload,
    input: Option<Bytes>,
}

impl std::fmt::Debug for Unpacking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let left = self.input.as_ref().map(Bytes::len);
        f.debug_struct("Unpacking").field("left", &left).finish()
    }
}

impl Stream {
    /// A stream that goes on from a place.
    pub(crate) fn new(
        dump: Dump,
        side: Side,
        (settings, incremental): (Settings, Box<Incremental>),
        place: Place,
        run: Run,
    ) -> Result<Self> {
        let now = Instant::now();
        let signal_offset = place.signal_offset;
        Ok(Self {
            packets: dump.packets,
            reader: Reader::new(settings, place, dump.checked),
            side,
            payload: Unpacking {
                payload: Payload::new(EVENT_LIMIT)?,
                input: None,
            },
            incremental,
            signal_offset,
            run: Run {
                batch_records: BATCH_RECORDS.min(run.batch_records),
                ..run
            },
            blocking: None,
            heard: now,
            reported: None,
            reported_at: now,
            frames_in_batch: 0,
            bytes_in_batch: 0,
        })
    }

    /// See [`connect_core::SourceTask::poll`].
    pub(crate) async fn poll(&mut self, out: &mut Batch) -> Result<()> {
        match self.read(out).await {
            Err(error) if error.code() == &error::SERVER_ID => Err(self.by_whom(error).await),
            done => done,
        }
    }

    /// The error with the name of the one that has taken our place, if it tells one.
    async fn by_whom(&mut self, error: Error) -> Error {
        let error = error.context("server_id", self.run.server_id);
        let Ok(connection) = self.side.connection().await else {
            return error;
        };
        let by = match replicas(connection, self.run.server_id).await {
            Ok(others) if !others.is_empty() => others,
            // MariaDB asks for the right REPLICATION MASTER ADMIN.
            _ => readers(connection).await.unwrap_or_default(),
        };
        error.context("by", by.join(", "))
    }

    async fn read(&mut self, out: &mut Batch) -> Result<()> {
        let deadline = self.deadline();
        (self.frames_in_batch, self.bytes_in_batch) = (0, 0);
        if self.send_chunk(out)? {
            return Ok(());
        }
        let mut now_ms = self.reader.begin_batch(out);
        if self.reported.is_none() {
            // Where it begins is stored at once: a task that is stopped before anything happens goes on from there.
            self.report(out, now_ms);
            return Ok(());
        }
        loop {
            if self.drain(out).await? {
                break;
            }
            let more = match out.is_empty() {
                true => self.wait(deadline).await?,
                false => self.more(now_ms).await?,
            };
            if !more || (out.is_empty() && Instant::now() >= deadline) {
                break;
            }
            if out.is_empty() {
                // The clock stands in every record: it must not be that of a quiet second ago.
                now_ms = self.reader.begin_batch(out);
            }
        }
        self.beat(out, now_ms).await?;
        self.attend(out, now_ms).await?;
        self.report(out, now_ms);
        Ok(())
    }

    /// Sets where the stream ends: between two transactions. When an earlier goal was reached, it goes on from there.
    pub(crate) fn aim(&mut self, goal: Place) {
        self.reader.aim(goal);
    }

    /// Whether everything before the goal has been read.
    pub(crate) fn reached(&self) -> bool {
        self.reader.reached()
    }

    /// A signal with this data asks for a snapshot, for which the stream waits: from now on the place tells it, so that it is
    /// taken over restarts, too. Not while the stream leads up to another one.
    pub(crate) fn pause_for(&mut self, signal_data: Arc<str>) {
        self.blocking = Some(signal_data);
    }

    /// Whether a snapshot is waited for, or led up to: no other one begins now.
    fn is_taken(&self) -> bool {
        self.is_paused() || self.reader.has_goal()
    }

    /// Whether it waits for a snapshot.
    pub(crate) fn is_paused(&self) -> bool {
        self.blocking.is_some()
    }

    /// Where the stream stands.
    pub(crate) fn place(&mut self) -> Place {
        let place = self.reader.place();
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

    /// Ends the stream; gives back the side connection, and what the tables are.
    pub(crate) async fn end(mut self) -> (Side, Versions) {
        self.packets.shutdown().await;
        self.incremental.close().await;
        (self.side, self.reader.into_versions())
    }

    /// Ends the stream; gives back the side connection.
    pub(crate) async fn close(mut self) -> Side {
        self.packets.shutdown().await;
        self.incremental.close().await;
        self.side
    }

    fn deadline(&self) -> Instant {
        let patience = Instant::now() + PATIENCE;
        let beat = self.run.beats.as_ref().map(Beats::due);
        let due = [beat, self.incremental.state.due()];
        due.into_iter().flatten().fold(patience, Instant::min)
    }

    fn is_full(&self, read: usize, out: &Batch) -> bool {
        out.len() >= self.run.batch_records || self.bytes_in_batch + read >= BATCH_BYTES
    }

    /// Reads the events that lie in the buffer, and takes them as one frame of the batch. Whether the batch is full.
    async fn drain(&mut self, out: &mut Batch) -> Result<bool> {
        if self.payload.input.is_some() && self.unpack(out).await? {
            return Ok(true);
        }
        let records = out.len();
        let mut at = 0;
        let full = loop {
            if self.is_full(at, out) || self.reader.reached() {
                break true;
            }
            let payload = match self.packets.look_at(at)? {
                Look::Whole(payload) => payload,
                Look::Missing(_) => break false,
                // What lies before it is taken first.
                Look::Large if at > 0 => break false,
                Look::Large => return self.large(out).await,
            };
            let frame = Frame {
                bytes: self.packets.bytes(),
                index: self.frames_in_batch,
            };
            let end = payload.end;
            let event = event_of(frame.bytes.get(payload).unwrap_or_default())?;
            let header = binlog::header(event)?;
            let body = binlog::body(event, &header, self.reader.checked)?;
            at = end;
            if header.is_payload() {
                let input = Bytes::copy_from_slice(body);
                self.begin_payload(header, input)?;
                break false;
            }
            let frame = Some(frame);
            let event = At {
                header,
                body,
                frame,
            };
            self.reader.event(event, &mut self.side, out).await?;
        };
        self.take(at, out.len() > records, out);
        if !out.is_empty() && self.packets.look_at(0)? == Look::Large {
            return Ok(true);
        }
        if self.payload.input.is_some() {
            return Ok(full || self.unpack(out).await?);
        }
        Ok(full)
    }

    /// An event of more than one packet: it is its own bytes, and its values are copied.
    async fn large(&mut self, out: &mut Batch) -> Result<bool> {
        let payload = self.packets.large().await?;
        let event = event_of(&payload)?;
        let header = binlog::header(event)?;
        let body = binlog::body(event, &header, self.reader.checked)?;
        if header.is_payload() {
            let input = payload.slice_ref(body);
            self.begin_payload(header, input)?;
            return self.unpack(out).await;
        }
        let frame = Frame {
            bytes: &payload,
            index: self.frames_in_batch,
        };
        let frame = Some(frame);
        let at = At {
            header,
            body,
            frame,
        };
        self.reader.event(at, &mut self.side, out).await?;
        self.frames_in_batch += 1;
        self.bytes_in_batch += payload.len();
        out.push_frame(payload);
        Ok(self.is_full(0, out))
    }

    fn begin_payload(&mut self, header: Header, input: Bytes) -> Result<()> {
        self.payload.input = Some(input);
        self.payload.payload.begin(header)
    }

    /// Reads on in a compressed transaction. Whether the batch is full.
    async fn unpack(&mut self, out: &mut Batch) -> Result<bool> {
        while let Some(input) = &mut self.payload.input {
            if out.len() >= self.run.batch_records || out.bytes() >= 4 * BATCH_BYTES {
                return Ok(true);
            }
            let mut rest = &input[..];
            let Some((header, body)) = self.payload.payload.next(&mut rest)? else {
                self.payload.input = None;
                self.payload.payload.end()?;
                return Ok(false);
            };
            let used = input.len() - rest.len();
            input.advance(used);
            let at = At {
                header,
                body,
                frame: None,
            };
            self.reader.event(at, &mut self.side, out).await?;
        }
        Ok(false)
    }

    /// Takes what has been read out of the buffer: as a frame of the batch when records lie in it.
    fn take(&mut self, bytes: usize, has_records: bool, out: &mut Batch) {
        if has_records {
            out.push_frame(self.packets.take(bytes));
            self.frames_in_batch += 1;
            self.bytes_in_batch += bytes;
        } else {
            self.packets.skip(bytes);
        }
    }

    /// Waits for the server; whether it said something before the deadline.
    async fn wait(&mut self, deadline: Instant) -> Result<bool> {
        match timeout_at(deadline, self.packets.read()).await {
            Ok(read) => {
                self.heard = Instant::now();
                read.map(|()| true)
            }
            // It sends heartbeats, so that silence means a dead connection.
            Err(_) if self.heard.elapsed() > self.run.silence_limit => Err(Error::new(
                &error::CONNECTION,
                "the server has fallen silent",
            )),
            Err(_) => Ok(false),
        }
    }

    /// What has come meanwhile; with backlog, what comes within a moment.
    async fn more(&mut self, now_ms: i64) -> Result<bool> {
        if self.packets.try_read().await? {
            self.heard = Instant::now();
            return Ok(true);
        }
        if now_ms / 1000 - i64::from(self.reader.last_s()) < BACKLOG_S {
            return Ok(false);
        }
        tokio::time::sleep(NAP).await;
        self.packets.try_read().await
    }

    async fn beat(&mut self, out: &mut Batch, now_ms: i64) -> Result<()> {
        self.side.tidy().await;
        let Some(beats) = &mut self.run.beats else {
            return Ok(());
        };
        match beats.beat(out, now_ms) {
            Some(query) => self.side.connection().await?.execute(&query).await,
            None => Ok(()),
        }
    }

    /// Sets the position: always with records, else when it has moved, about once a second.
    fn report(&mut self, out: &mut Batch, now_ms: i64) {
        out.set_within_transaction(self.reader.is_open());
        let place = self.place();
        self.run.lag.stands(&place.file, place.pos);
        let due = self.reported_at.elapsed() >= PATIENCE;
        let moved = self.reported.as_ref() != Some(&place);
        let versions = self.reader.versions();
        let is_fresh = versions.is_fresh();
        for position in versions.take_fresh(&self.run.prefix) {
            out.push_other_position(position);
        }
        if !out.is_empty() || is_fresh || (moved && (due || self.reported.is_none())) {
            out.set_position(place.position(&self.run.partition));
            self.reported = Some(place);
            self.reported_at = Instant::now();
        }
        let commit_ms = i64::from(self.reader.last_s()) * 1000;
        let tally = self.reader.tally();
        self.run.pulse.polled(out, tally, commit_ms, now_ms);
    }
}

/// The event in a packet.
pub(crate) fn event_of(packet: &[u8]) -> Result<&[u8]> {
    match packet.split_first() {
        Some((&EVENT, event)) => Ok(event),
        Some((&ERROR, _)) => Err(server_error(packet).into()),
        Some(_) => Err(Error::new(
            &error::CONNECTION,
            "the server has ended the stream",
        )),
        None => Err(error::protocol("the server sent an empty packet")),
    }
}
