//! Bytes from the server, cut into packets where they lie
//! (<https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html>).

use std::{future::poll_fn, ops::Range, pin::pin, task::Poll};

use bytes::{Bytes, BytesMut};
use connect_core::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    compression::{self, Compression},
    socket::Socket,
};
use crate::error;

/// Size of the buffer: what a socket usually holds when a server hurries.
const BUFFER: usize = 256 * 1024;
/// Below this much room the buffer is taken anew.
const ROOM: usize = 32 * 1024;
/// Length and number of a packet.
const HEADER: usize = 4;
/// A packet of this length goes on in the next one.
const FULL: usize = 0xff_ffff;
/// No packet before authentication is larger.
const GREETING_LIMIT: usize = 64 * 1024;
/// The largest `max_allowed_packet`, and an event that hardly fits into it (`MAX_MAX_ALLOWED_PACKET` of the servers).
const PACKET_LIMIT: usize = (1 << 30) + (64 << 10);

/// What starts at some byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// A whole packet: where its payload lies in [`Packets::bytes`]. The next one begins at the end of it.
    Whole(Range<usize>),
    /// Not enough yet: so many bytes are missing.
    Missing(usize),
    /// A packet of more than 16 MiB, which comes in parts: to be taken by [`Packets::large`] once it is the next.
    Large,
}

/// A growing run of bytes from the server. Packets are looked at in place and taken many at once, as one frame.
#[derive(Debug)]
pub struct Packets {
    socket: Socket,
    buffer: BytesMut,
    out: BytesMut,
    limit: usize,
    missing: usize,
    /// The number that the next packet has, of ours or the server's.
    sequence: u8,
    /// What packets are wrapped in, if they are.
    compression: Option<Box<Compression>>,
}

impl Packets {
    pub(super) fn new(socket: Socket) -> Self {
        Self {
            socket,
            buffer: BytesMut::with_capacity(BUFFER),
            out: BytesMut::new(),
            limit: GREETING_LIMIT,
            missing: 0,
            sequence: 0,
            compression: None,
        }
    }

    /// Lets packets be as large as the server makes them.
    pub(super) fn authenticated(&mut self) {
        self.limit = PACKET_LIMIT;
    }

    /// From here on both sides compress what they send.
    pub(super) fn compress(&mut self, method: compression::Method) -> Result<()> {
        self.compression = Some(Box::new(Compression::new(method)?));
        Ok(())
    }

    pub(super) fn is_tls(&self) -> bool {
        self.socket.is_tls()
    }

    /// The plain socket, to put TLS on it. What came before that would come from somebody in between.
    pub(super) fn into_plain(self) -> Result<(tokio::net::TcpStream, u8)> {
        match self.socket {
            Socket::Plain(socket) if self.buffer.is_empty() => Ok((socket, self.sequence)),
            _ => Err(error::protocol("the server spoke before it was asked")),
        }
    }

    /// Goes on over another socket.
    pub(super) fn resumed(socket: Socket, sequence: u8) -> Self {
        Self {
            sequence,
            ..Self::new(socket)
        }
    }

    /// What has come and has not been taken.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// What starts at `at`.
    #[inline]
    pub fn look_at(&mut self, at: usize) -> Result<Look> {
        let look = look(&self.buffer, at, self.limit)?;
        if let Look::Missing(bytes) = look {
            self.missing = bytes;
        }
        Ok(look)
    }

    /// Takes the packet of more than 16 MiB that is next out of its parts, as they come.
    pub async fn large(&mut self) -> Result<Bytes> {
        let mut whole = Vec::new();
        loop {
            match part(&self.buffer, 0) {
                Err(missing) => {
                    self.missing = missing;
                    self.read().await?;
                }
                Ok(payload) => {
                    // Invariant 4: a value may be as large as the server lets it be, and no larger.
                    if whole.len() + payload.len() > self.limit {
                        return Err(impossible());
                    }
                    let (is_last, end) = (payload.len() < FULL, payload.end);
                    // No more than is needed: a large value is there several times on its way.
                    whole.reserve_exact(payload.len());
                    whole.extend_from_slice(self.buffer.get(payload).unwrap_or_default());
                    self.skip(end);
                    if is_last {
                        return Ok(whole.into());
                    }
                }
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
        self.make_room();
        loop {
            if self.unpack()? {
                return Ok(());
            }
            let buffer = match &mut self.compression {
                Some(compression) => &mut compression.raw,
                None => &mut self.buffer,
            };
            let read = self.socket.read_buf(buffer).await;
            if read.map_err(error::io)? == 0 {
                return Err(error::closed());
            }
            if self.compression.is_none() {
                return Ok(());
            }
        }
    }

    /// Reads what has come without waiting; whether there was anything.
    pub async fn try_read(&mut self) -> Result<bool> {
        self.make_room();
        if self.unpack()? {
            return Ok(true);
        }
        let Self {
            socket,
            buffer,
            compression,
            ..
        } = self;
        let buffer = match compression {
            Some(compression) => &mut compression.raw,
            None => buffer,
        };
        let polled = poll_fn(|cx| {
            // Dropped after one look: `read_buf` loses nothing by that.
            Poll::Ready(match pin!(socket.read_buf(buffer)).poll(cx) {
                Poll::Pending => None,
                Poll::Ready(read) => Some(read),
            })
        })
        .await;
        match polled.transpose().map_err(error::io)? {
            None => Ok(false),
            Some(0) => Err(error::closed()),
            Some(_) if self.compression.is_some() => self.unpack(),
            Some(_) => Ok(true),
        }
    }

    /// Takes the next piece out of its compression; whether there was one.
    fn unpack(&mut self) -> Result<bool> {
        match &mut self.compression {
            Some(compression) => compression.unpack(&mut self.buffer),
            None => Ok(false),
        }
    }

    /// The next packet's payload, taken out: for everything that is not a stream of rows or events.
    pub(crate) async fn next(&mut self) -> Result<Bytes> {
        loop {
            match self.look_at(0)? {
                Look::Whole(packet) => {
                    let number = self.buffer.get(HEADER - 1).copied().unwrap_or_default();
                    self.sequence = number.wrapping_add(1);
                    let frame = self.take(packet.end);
                    return Ok(frame.slice(packet));
                }
                Look::Large => return self.large().await,
                Look::Missing(_) => self.read().await?,
            }
        }
    }

    /// Sends a command.
    pub(super) async fn command(&mut self, command: u8, argument: &[u8]) -> Result<()> {
        self.sequence = 0;
        let mut payload = Vec::with_capacity(argument.len() + 1);
        payload.push(command);
        payload.extend_from_slice(argument);
        self.send(&payload).await
    }

    /// Sends a payload in as many packets as it needs.
    pub(super) async fn send(&mut self, payload: &[u8]) -> Result<()> {
        self.out.clear();
        let mut rest = payload;
        loop {
            let (part, after) = rest.split_at(rest.len().min(FULL));
            let [a, b, c, _] = (part.len() as u32).to_le_bytes();
            self.out.extend_from_slice(&[a, b, c, self.sequence]);
            self.out.extend_from_slice(part);
            self.sequence = self.sequence.wrapping_add(1);
            rest = after;
            if part.len() < FULL {
                break;
            }
        }
        if self.compression.is_some() {
            let packets = std::mem::take(&mut self.out);
            compression::wrap(&packets, &mut self.out);
        }
        self.socket.write_all(&self.out).await.map_err(error::io)?;
        self.out = BytesMut::new();
        self.socket.flush().await.map_err(error::io)
    }

    pub(crate) async fn shutdown(&mut self) {
        let _ = self.socket.shutdown().await;
    }

    /// Room for the rest of a large packet, or for a good read. Gives back the memory of a large packet when it is gone.
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

#[inline]
fn look(bytes: &[u8], at: usize, limit: usize) -> Result<Look> {
    let len = match part(bytes, at) {
        Ok(payload) if payload.len() < FULL.min(limit + 1) => return Ok(Look::Whole(payload)),
        Ok(payload) => payload.len(),
        Err(missing) => missing,
    };
    // Invariant 5: a length from outside is checked before anything is reserved for it.
    match length(bytes, at) {
        Some(whole) if whole > limit => Err(impossible()),
        Some(FULL) => Ok(Look::Large),
        _ => Ok(Look::Missing(len)),
    }
}

fn impossible() -> connect_core::Error {
    error::protocol("a packet of the server has an impossible length")
}

/// The length of the packet that starts at `at`, once it is there.
fn length(bytes: &[u8], at: usize) -> Option<usize> {
    let (&[a, b, c, _], _) = bytes.get(at..)?.split_first_chunk::<HEADER>()?;
    Some(u32::from_le_bytes([a, b, c, 0]) as usize)
}

/// The payload of the packet that starts at `at`, or how many bytes are missing.
#[inline]
fn part(bytes: &[u8], at: usize) -> std::result::Result<Range<usize>, usize> {
    let rest = bytes.get(at..).unwrap_or(&[]);
    let Some((&[a, b, c, _], _)) = rest.split_first_chunk::<HEADER>() else {
        return Err(HEADER - rest.len());
    };
    let len = u32::from_le_bytes([a, b, c, 0]) as usize;
    let start = at + HEADER;
    match start + len {
        end if end > bytes.len() => Err(end - bytes.len()),
        end => Ok(start..end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_cut_where_they_lie() {
        let bytes = b"\x03\0\0\x07abcrest";
        assert_eq!(look(bytes, 0, 100).unwrap(), Look::Whole(4..7));
        for end in 0..7 {
            let cut = look(&bytes[..end], 0, 100).unwrap();
            assert!(matches!(cut, Look::Missing(_)), "{end}: {cut:?}");
        }
    }

    #[test]
    fn what_goes_on_in_another_packet_is_large_at_once() {
        assert_eq!(
            look(b"\xff\xff\xff\0", 0, PACKET_LIMIT).unwrap(),
            Look::Large
        );
    }

    #[test]
    fn impossible_lengths_are_refused() {
        assert!(look(b"HTTP/1.1 400 Bad Request", 0, GREETING_LIMIT).is_err());
        assert!(look(b"\xff\xff\xff\0", 0, GREETING_LIMIT).is_err());
    }
}
