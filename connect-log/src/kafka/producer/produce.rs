//! The produce request. Written by hand, since its batches are large and are sent from where they lie.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::{
    messages::{ProduceRequest, ProduceResponse},
    protocol::Request,
};

use connect_core::Result;

use super::{coordinator::Protocol, queue::Sealed};
use crate::{
    Lease,
    kafka::wire::{Connection, unavailable},
};

/// From 3 to 8 the request is the same, and from here, the first with compact strings, to 12.
const COMPACT: i16 = 9;
/// With it, the broker adds a partition to the transaction itself.
const ADDS: i16 = 12;
/// Requests up to this size are copied together, to be sent by one system call.
const SMALL: usize = 64 * 1024;

/// A batch and where it goes.
#[derive(Debug)]
pub(super) struct Addressed {
    /// The partition's number in the queue.
    pub(super) at: usize,
    pub(super) topic: Arc<str>,
    pub(super) index: i32,
    pub(super) batch: Sealed,
}

/// What every request of a producer has.
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    pub(super) client_id: Arc<str>,
    pub(super) transactional_id: Option<Arc<str>>,
    /// How long the broker may wait for replicas.
    pub(super) timeout_ms: i32,
    /// Nothing is sent without it.
    pub(super) lease: Lease,
    pub(super) protocol: Protocol,
}

impl Envelope {
    /// The version in which requests are sent over a connection.
    pub(super) fn version(&self, connection: &Connection) -> Result<i16> {
        match self.protocol {
            Protocol::One => connection.version(ProduceRequest::KEY, COMPACT),
            Protocol::Two => match connection.version(ProduceRequest::KEY, ADDS)? {
                ADDS => Ok(ADDS),
                _ => Err(unavailable(
                    "the broker cannot add partitions to transactions",
                )),
            },
        }
    }
}

/// The pieces of a request, in the order in which they are sent. Batches of one topic stand together.
pub(super) fn request(
    envelope: &Envelope,
    version: i16,
    correlation: i32,
    batches: &[Addressed],
) -> Vec<Bytes> {
    let mut out = Pieces {
        compact: version >= COMPACT,
        ..Pieces::default()
    };
    out.now.put_i16(ProduceRequest::KEY);
    out.now.put_i16(version);
    out.now.put_i32(correlation);
    out.now.put_i16(envelope.client_id.len() as i16);
    out.now.put_slice(envelope.client_id.as_bytes());
    out.tags();
    out.text(envelope.transactional_id.as_deref());
    /// All replicas that are in sync.
    const ACKS: i16 = -1;
    out.now.put_i16(ACKS);
    out.now.put_i32(envelope.timeout_ms);
    let topics: Vec<&[Addressed]> = batches.chunk_by(|a, b| a.topic == b.topic).collect();
    out.count(topics.len());
    for topic in topics {
        out.text(topic.first().map(|first| &*first.topic));
        out.count(topic.len());
        for batch in topic {
            out.now.put_i32(batch.index);
            out.batch(&batch.batch.bytes);
            out.tags();
        }
        out.tags();
    }
    out.tags();
    out.finish()
}

/// What became of a batch, by the answer; `None` when the broker does not tell.
pub(super) fn result_of(answer: &ProduceResponse, batch: &Addressed) -> Option<i16> {
    let topic = answer
        .responses
        .iter()
        .find(|topic| *topic.name.0 == *batch.topic)?;
    let partition = topic
        .partition_responses
        .iter()
        .find(|partition| partition.index == batch.index)?;
    Some(partition.error_code)
}

#[derive(Default)]
struct Pieces {
    compact: bool,
    done: Vec<Bytes>,
    now: BytesMut,
}

impl Pieces {
    fn tags(&mut self) {
        if self.compact {
            self.now.put_u8(0);
        }
    }

    fn count(&mut self, count: usize) {
        if self.compact {
            self.varint(count + 1);
        } else {
            self.now.put_i32(count as i32);
        }
    }

    fn text(&mut self, text: Option<&str>) {
        match (text, self.compact) {
            (None, true) => self.now.put_u8(0),
            (None, false) => self.now.put_i16(-1),
            (Some(text), compact) => {
                if compact {
                    self.varint(text.len() + 1);
                } else {
                    self.now.put_i16(text.len() as i16);
                }
                self.now.put_slice(text.as_bytes());
            }
        }
    }

    fn batch(&mut self, batch: &Bytes) {
        self.count(batch.len());
        if batch.len() <= SMALL {
            self.now.put_slice(batch);
        } else {
            self.done.push(self.now.split().freeze());
            self.done.push(batch.clone());
        }
    }

    fn varint(&mut self, number: usize) {
        let mut rest = number;
        while rest >= 0x80 {
            self.now.put_u8(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.now.put_u8(rest as u8);
    }

    fn finish(mut self) -> Vec<Bytes> {
        self.done.push(self.now.freeze());
        let length: usize = self.done.iter().map(Bytes::len).sum();
        let first = self.done.first().cloned().unwrap_or_default();
        let mut with_length = BytesMut::with_capacity(4 + first.len());
        with_length.put_u32(length as u32);
        with_length.put_slice(&first);
        if let Some(first) = self.done.first_mut() {
            *first = with_length.freeze();
        }
        self.done
    }
}
