//! A task per broker: sends produce requests, several before the first answer, and takes the answers in order.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::{Buf, Bytes, BytesMut};
use connect_core::{Error, Result};
use kafka_protocol::messages::{ProduceRequest, ProduceResponse};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
    task::AbortHandle,
    time::{Instant, timeout, timeout_at},
};

use super::{
    produce::{self, Addressed, Envelope},
    sender::unsure,
};
use crate::kafka::wire::{Cluster, Connection, Reader, Writer, broken, read, unavailable};

/// Requests on their way over one connection, as in Kafka's own client.
const MOST_REQUESTS: usize = 5;

/// What a link tells the sender.
pub(super) enum Event {
    /// The broker has answered a request.
    Answered {
        batches: Vec<Addressed>,
        answer: ProduceResponse,
    },
    /// The link has ended; what it had not sent or not seen answered comes back.
    Down {
        link: u64,
        batches: Vec<Addressed>,
        /// Why, unless the broker has closed an idle connection.
        error: Error,
    },
}

/// The sender's end of a link.
pub(super) struct Link {
    pub(super) number: u64,
    requests: mpsc::Sender<Vec<Addressed>>,
    task: AbortHandle,
}

/// Invariant 2: what was handed over and not sent does not come later than what another producer sends.
impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Link {
    /// Connects in the background.
    pub(super) fn start(
        number: u64,
        address: String,
        cluster: &Arc<Cluster>,
        envelope: &Envelope,
        events: &mpsc::Sender<Event>,
    ) -> Self {
        let (requests, inbox) = mpsc::channel(MOST_REQUESTS);
        let (cluster, envelope, events) = (Arc::clone(cluster), envelope.clone(), events.clone());
        let task = tokio::spawn(async move {
            let mut run = Run {
                number,
                inbox,
                events,
                waiting: VecDeque::new(),
                unsent: Vec::new(),
                correlation: 0,
                limit: cluster.dial.answer,
            };
            let error = match cluster.open(&address).await {
                Ok(connection) => run.serve(connection, &envelope).await,
                Err(error) => Err(error),
            };
            run.end(
                error
                    .err()
                    .unwrap_or_else(|| unavailable("the sender has ended")),
            )
            .await;
        });
        Self {
            number,
            requests,
            task: task.abort_handle(),
        }
    }

    /// Whether a request can be handed over now.
    pub(super) fn has_room(&self) -> bool {
        self.requests.capacity() > 0
    }

    /// Hands a request over; gives it back when the link has ended.
    pub(super) fn send(&self, batches: Vec<Addressed>) -> std::result::Result<(), Vec<Addressed>> {
        self.requests
            .try_send(batches)
            .map_err(mpsc::error::TrySendError::into_inner)
    }
}

struct Run {
    number: u64,
    inbox: mpsc::Receiver<Vec<Addressed>>,
    events: mpsc::Sender<Event>,
    waiting: VecDeque<Waiting>,
    /// A request that was not sent, since it must not be.
    unsent: Vec<Addressed>,
    correlation: i32,
    limit: Duration,
}

struct Waiting {
    correlation: i32,
    batches: Vec<Addressed>,
    since: Instant,
}

impl Run {
    /// Until the connection breaks, or nobody sends any more.
    async fn serve(&mut self, connection: Connection, envelope: &Envelope) -> Result<()> {
        let version = envelope.version(&connection)?;
        let (reader, mut writer) = connection.split();
        let mut frames = Frames {
            reader,
            buffer: BytesMut::new(),
        };
        loop {
            let deadline = self.waiting.front().map(|first| first.since + self.limit);
            let answer = async {
                match deadline {
                    Some(deadline) => timeout_at(deadline, frames.next())
                        .await
                        .unwrap_or_else(|_| Err(unavailable("the broker does not answer"))),
                    None => frames.next().await,
                }
            };
            tokio::select! {
                request = self.inbox.recv(), if self.waiting.len() < MOST_REQUESTS => {
                    let Some(batches) = request else { return Ok(()) };
                    self.send(&mut writer, envelope, version, batches).await?;
                }
                frame = answer => self.answered(frame?, version).await?,
            }
        }
    }

    async fn send(
        &mut self,
        writer: &mut Writer,
        envelope: &Envelope,
        version: i16,
        mut batches: Vec<Addressed>,
    ) -> Result<()> {
        if !envelope.lease.holds() {
            self.unsent = batches;
            return Err(unsure());
        }
        batches.sort_by(|a, b| a.topic.cmp(&b.topic));
        self.correlation = self.correlation.wrapping_add(1);
        let pieces = produce::request(envelope, version, self.correlation, &batches);
        // Before it is sent: also half a request may arrive.
        self.waiting.push_back(Waiting {
            correlation: self.correlation,
            batches,
            since: Instant::now(),
        });
        let sent = timeout(self.limit, async {
            for mut piece in pieces {
                writer.write_all_buf(&mut piece).await?;
            }
            writer.flush().await
        });
        match sent.await {
            Ok(sent) => sent.map_err(broken),
            Err(_) => Err(unavailable("the broker takes nothing")),
        }
    }

    async fn answered(&mut self, frame: Bytes, version: i16) -> Result<()> {
        let Some(first) = self.waiting.front() else {
            return Err(unavailable("the broker answered without a question"));
        };
        let answer = read::<ProduceRequest>(frame, version, first.correlation)?;
        if let Some(Waiting { batches, .. }) = self.waiting.pop_front() {
            // The sender is gone: nobody needs to know.
            let _ = self.events.send(Event::Answered { batches, answer }).await;
        }
        Ok(())
    }

    async fn end(mut self, error: Error) {
        self.inbox.close();
        let mut batches: Vec<Addressed> = self
            .waiting
            .drain(..)
            .flat_map(|waiting| waiting.batches)
            .collect();
        batches.append(&mut self.unsent);
        while let Ok(more) = self.inbox.try_recv() {
            batches.extend(more);
        }
        let _ = self
            .events
            .send(Event::Down {
                link: self.number,
                batches,
                error,
            })
            .await;
    }
}

/// Answers as they come. Dropping [`Frames::next`] loses nothing.
struct Frames {
    reader: Reader,
    buffer: BytesMut,
}

/// An answer to a produce request is a few bytes for each of its partitions.
const LARGEST: usize = 16 << 20;

impl Frames {
    async fn next(&mut self) -> Result<Bytes> {
        loop {
            if let Some(length) = self.buffer.first_chunk::<4>() {
                let length = u32::from_be_bytes(*length) as usize;
                if length > LARGEST {
                    return Err(
                        unavailable("the broker's answer is too large").context("bytes", length)
                    );
                }
                if self.buffer.len() >= 4 + length {
                    self.buffer.advance(4);
                    return Ok(self.buffer.split_to(length).freeze());
                }
            }
            if self
                .reader
                .read_buf(&mut self.buffer)
                .await
                .map_err(broken)?
                == 0
            {
                return Err(unavailable("the broker has closed the connection"));
            }
        }
    }
}
