//! Bytes from the server, cut into messages where they lie.

use std::{future::poll_fn, io::Read, ops::Range, pin::pin, task::Poll};

use bytes::{Bytes, BytesMut};
use connect_core::Result;
use tokio::io::AsyncReadExt;

use super::halves::{ReadHalf, Stored};
use crate::error;

/// Size of the buffer: what a socket usually holds when a server hurries.
const BUFFER: usize = 256 * 1024;
/// Below this much room the buffer is taken anew.
const ROOM: usize = 32 * 1024;
/// No message before authentication is larger; libpq has the same rule.
const GREETING_LIMIT: usize = 64 * 1024;
/// PostgreSQL sends no message of more than 1 GiB.
const MESSAGE_LIMIT: usize = (1 << 30) + 64 * 1024;
/// Tag and length.
const HEADER: usize = 5;

/// One message: its tag and where its body lies in [`Frames::bytes`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The tag.
    pub tag: u8,
    /// The body, without tag and length.
    pub body: Range<usize>,
}

/// A growing run of bytes from the server. Messages are looked at in place and taken many at once, as one frame.
#[derive(Debug)]
pub struct Frames {
    reader: ReadHalf,
    buffer: BytesMut,
    limit: usize,
    missing: usize,
}

impl Frames {
    pub(super) fn new(reader: ReadHalf) -> Self {
        Self {
            reader,
            buffer: BytesMut::with_capacity(BUFFER),
            limit: GREETING_LIMIT,
            missing: 0,
        }
    }

    /// Messages that a server sent earlier.
    pub(crate) fn stored(bytes: impl Read + Send + Sync + 'static) -> Self {
        let mut stored = Self::new(ReadHalf::Stored(Stored::new(bytes)));
        stored.authenticated();
        stored
    }

    /// Lets messages be as large as the server makes them.
    pub(super) fn authenticated(&mut self) {
        self.limit = MESSAGE_LIMIT;
    }

    /// What has come and has not been taken.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// The complete message that starts at `at`; `None` when more must be read first.
    #[inline]
    pub fn message_at(&mut self, at: usize) -> Result<Option<Message>> {
        match split(&self.buffer, at, self.limit)? {
            Split::Whole(message) => Ok(Some(message)),
            Split::Missing(bytes) => {
                self.missing = bytes;
                Ok(None)
            }
        }
    }

    /// Takes the first `len` bytes as one frame.
    pub fn take(&mut self, len: usize) -> Bytes {
        self.buffer.split_to(len).freeze()
    }

    /// Forgets the first `len` bytes.
    pub fn skip(&mut self, len: usize) {
        let _ = self.buffer.split_to(len);
    }

    /// Waits for more bytes. May be dropped at any time without losing any.
    pub async fn read(&mut self) -> Result<()> {
        match self.read_on().await? {
            true => Ok(()),
            false => Err(error::closed()),
        }
    }

    /// The same; `false` at the end.
    pub async fn read_on(&mut self) -> Result<bool> {
        self.make_room();
        let read = self.reader.read_buf(&mut self.buffer).await;
        Ok(read.map_err(error::io)? > 0)
    }

    /// Reads what has come without waiting; whether there was anything.
    pub async fn try_read(&mut self) -> Result<bool> {
        self.make_room();
        let Self { reader, buffer, .. } = self;
        let polled = poll_fn(|cx| {
            // Dropped after one look: `read_buf` loses nothing by that.
            Poll::Ready(match pin!(reader.read_buf(buffer)).poll(cx) {
                Poll::Pending => None,
                Poll::Ready(read) => Some(read),
            })
        })
        .await;
        match polled.transpose().map_err(error::io)? {
            None => Ok(false),
            Some(0) => Err(error::closed()),
            Some(_) => Ok(true),
        }
    }

    /// The next message, copied out: for everything that is not a stream of rows.
    pub(crate) async fn next(&mut self) -> Result<(u8, Bytes)> {
        loop {
            if let Some(message) = self.message_at(0)? {
                let frame = self.take(message.body.end);
                return Ok((message.tag, frame.slice(HEADER..)));
            }
            self.read().await?;
        }
    }

    /// Room for the rest of a large message, or for a good read. Gives back the memory of a large message when it is gone.
    fn make_room(&mut self) {
        let missing = std::mem::take(&mut self.missing);
        if missing > BUFFER {
            self.buffer.reserve(missing);
        } else if self.buffer.capacity() > 2 * BUFFER && self.buffer.len() < BUFFER / 2 {
            let rest = std::mem::take(&mut self.buffer);
            self.buffer = BytesMut::with_capacity(BUFFER);
            self.buffer.extend_from_slice(&rest);
        } else if self.buffer.capacity() - self.buffer.len() < ROOM.max(missing) {
            self.buffer.reserve(BUFFER);
        }
    }
}

/// The complete message that starts at `at` of some bytes; `None` when it is cut short.
pub(crate) fn message_in(bytes: &[u8], at: usize) -> Result<Option<Message>> {
    Ok(match split(bytes, at, MESSAGE_LIMIT)? {
        Split::Whole(message) => Some(message),
        Split::Missing(_) => None,
    })
}

enum Split {
    Whole(Message),
    Missing(usize),
}

#[inline]
fn split(bytes: &[u8], at: usize, limit: usize) -> Result<Split> {
    let rest = bytes.get(at..).unwrap_or(&[]);
    let Some((&[tag, a, b, c, d], _)) = rest.split_first_chunk::<HEADER>() else {
        return Ok(Split::Missing(HEADER - rest.len()));
    };
    let len = u32::from_be_bytes([a, b, c, d]) as usize;
    // Invariant 5: a length from outside is checked before anything is reserved for it.
    if len < 4 || len > limit {
        return Err(error::protocol(
            "a message of the server has an impossible length",
        ));
    }
    let end = at + 1 + len;
    if end > bytes.len() {
        return Ok(Split::Missing(end - bytes.len()));
    }
    let body = at + HEADER..end;
    Ok(Split::Whole(Message { tag, body }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(bytes: &[u8]) -> Result<Option<Message>> {
        split(bytes, 0, 100).map(|split| match split {
            Split::Whole(message) => Some(message),
            Split::Missing(_) => None,
        })
    }

    #[test]
    fn messages_are_cut_where_they_lie() {
        let bytes = b"Z\0\0\0\x05Irest";
        let expected = Message {
            tag: b'Z',
            body: 5..6,
        };
        assert_eq!(one(bytes).unwrap(), Some(expected));
        for end in 0..6 {
            assert_eq!(one(&bytes[..end]).unwrap(), None);
        }
    }

    #[test]
    fn impossible_lengths_are_refused() {
        assert!(one(b"Z\0\0\0\x03").is_err());
        assert!(one(b"Z\xff\xff\xff\xff").is_err());
        assert!(one(b"HTTP/1.1 400 Bad Request").is_err());
    }
}
