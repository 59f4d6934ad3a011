//! Transactions that MySQL has compressed (`binlog_transaction_compression`, `TRANSACTION_PAYLOAD_EVENT`)
//! (<https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Transaction__payload__event.html>,
//! <https://dev.mysql.com/doc/refman/9.4/en/binary-log-transaction-compression.html>).

use connect_core::{Error, Result};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::{HEADER, Header, header, kind};
use crate::{error, wire::Fields};

/// How much is decompressed at once.
const CHUNK: usize = 256 * 1024;
/// A buffer that a large event has made larger than this is given back.
const KEPT: usize = 4 * 1024 * 1024;
/// The fields before the compressed bytes are no longer: the server writes three numbers.
const FIELDS_LIMIT: usize = 1024;
/// The window of the server's highest level of compression is 128 MiB.
const WINDOW_LOG: u32 = 27;

/// Fields of the payload, and how it is compressed (`Transaction_payload::fields`, `compression::type`).
const END: u64 = 0;
const SIZE: u64 = 1;
const ALGORITHM: u64 = 2;
const ZSTD: u64 = 0;
const NONE: u64 = 255;

/// Takes compressed transactions apart, one after the other, event by event.
///
/// ```text
/// begin ─▶ next, next … with all bytes that the payload has, in parts of any length ─▶ end
/// ```
///
/// It holds one event and a part of the next, and the window of the decoder: never a transaction.
pub struct Payload {
    decoder: Decoder<'static>,
    limit: usize,
    outer: Header,
    /// Fields that are not complete.
    fields: Vec<u8>,
    body: Option<Body>,
    /// What has been decompressed; events before `at` have been given.
    buffer: Vec<u8>,
    at: usize,
}

/// What lies behind the fields.
#[derive(Debug, Clone, Copy)]
struct Body {
    is_zstd: bool,
    /// How many bytes of it have not come.
    left: u64,
    /// Whether a frame has ended, so that nothing of it is missing.
    is_whole: bool,
    /// Whether the decoder may hold what the buffer had no room for.
    holds_more: bool,
}

impl Payload {
    /// `limit` is the longest event in a payload: [`super::EVENT_LIMIT`], or less.
    pub fn new(limit: usize) -> Result<Self> {
        let mut decoder = Decoder::new().map_err(broken)?;
        // Invariant 4: the window is memory that the payload asks for.
        let window = decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG));
        window.map_err(broken)?;
        Ok(Self {
            decoder,
            limit,
            outer: Header::default(),
            fields: Vec::new(),
            body: None,
            buffer: Vec::new(),
            at: 0,
        })
    }

    /// A payload begins, whose event has this header. What was left of another one is forgotten.
    pub fn begin(&mut self, outer: Header) -> Result<()> {
        self.decoder.reinit().map_err(broken)?;
        self.outer = outer;
        self.fields.clear();
        self.body = None;
        self.buffer.clear();
        self.at = 0;
        Ok(())
    }

    /// The next event in it: header, and content for [`super::event`]. `None` once `input` is used up.
    ///
    /// No event has a checksum, and in none the server writes a position: there is no place in a file where it alone begins
    /// or ends. Its header gets `size` and `next_pos` of the payload, whose place is its place, and the payload's time, as with
    /// Debezium.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<(Header, &[u8])>> {
        if self.body.is_none() && !self.read_fields(input)? {
            return Ok(None);
        }
        let len = loop {
            match self.whole()? {
                Some(len) => break len,
                None if !self.read_more(input)? => return Ok(None),
                None => {}
            }
        };
        let event = self.buffer.get(self.at..self.at + len).unwrap_or_default();
        self.at += len;
        let mut inner = header(event)?;
        if inner.kind == kind::PAYLOAD {
            return Err(error::protocol(
                "a compressed transaction lies in another one",
            ));
        }
        let outer = &self.outer;
        (inner.size, inner.next_pos) = (outer.size, outer.next_pos);
        inner.timestamp_s = outer.timestamp_s;
        Ok(Some((inner, event.get(HEADER..).unwrap_or_default())))
    }

    /// All bytes of the payload have been given: an error if that leaves something open.
    pub fn end(&mut self) -> Result<()> {
        let is_whole = |body: &Body| body.left == 0 && (body.is_whole || !body.is_zstd);
        match self.body.as_ref().is_some_and(is_whole) && self.at == self.buffer.len() {
            true => Ok(()),
            false => Err(error::protocol("a compressed transaction is cut short")),
        }
    }

    /// How many bytes its buffer takes; the window of the decoder comes on top of them.
    pub fn held(&self) -> usize {
        self.buffer.capacity()
    }

    /// Takes the fields; whether they are complete.
    fn read_fields(&mut self, input: &mut &[u8]) -> Result<bool> {
        let before = self.fields.len();
        let room = FIELDS_LIMIT.saturating_sub(before);
        let part = input.get(..room.min(input.len())).unwrap_or_default();
        self.fields.extend_from_slice(part);
        match fields(&self.fields) {
            Ok((body, len)) => {
                *input = input.get(len.saturating_sub(before)..).unwrap_or_default();
                self.body = Some(body?);
                Ok(true)
            }
            Err(error) if self.fields.len() >= FIELDS_LIMIT => Err(error),
            Err(_) => {
                *input = &[];
                Ok(false)
            }
        }
    }

    /// The length of the event that lies in the buffer, if all of it does.
    fn whole(&self) -> Result<Option<usize>> {
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let Some(len) = length(rest) else {
            return Ok(None);
        };
        if !(HEADER..=self.limit).contains(&len) {
            // Invariant 5: a length from outside is checked before anything is reserved for it.
            let what = "an event in a compressed transaction has an impossible length";
            return Err(Error::new(&error::PROTOCOL, what).context("bytes", len));
        }
        Ok((len <= rest.len()).then_some(len))
    }

    /// Decompresses some more; whether there was anything.
    fn read_more(&mut self, input: &mut &[u8]) -> Result<bool> {
        self.make_room();
        let Some(body) = &mut self.body else {
            return Ok(false);
        };
        if input.is_empty() && !body.holds_more {
            return Ok(false);
        }
        let left = usize::try_from(body.left).unwrap_or(usize::MAX);
        if input.len() > left {
            let what = "a compressed transaction is longer than it says";
            return Err(error::protocol(what));
        }
        let used = if body.is_zstd {
            let (before, room) = (self.buffer.len(), self.buffer.capacity());
            let mut from = InBuffer::around(input);
            let mut to = OutBuffer::around_pos(&mut self.buffer, before);
            let hint = self.decoder.run(&mut from, &mut to).map_err(broken)?;
            body.holds_more = to.pos() == room && hint != 0;
            body.is_whole = hint == 0;
            from.pos()
        } else {
            let used = input.len().min(CHUNK);
            let part = input.get(..used).unwrap_or_default();
            self.buffer.extend_from_slice(part);
            used
        };
        body.left -= used as u64;
        *input = input.get(used..).unwrap_or_default();
        Ok(true)
    }

    /// Room for the rest of an event, as far as it is near, or for a good part. Gives back the memory of a large event.
    fn make_room(&mut self) {
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let (whole, rest) = (length(rest).unwrap_or_default(), rest.len());
        let is_too_large = self.buffer.capacity() > KEPT && whole.max(rest) < 2 * CHUNK;
        let has_room = self.buffer.capacity() - self.buffer.len() >= CHUNK / 2;
        if has_room && rest > 0 && !is_too_large {
            return;
        }
        self.buffer.drain(..self.at);
        self.at = 0;
        if is_too_large {
            self.buffer.shrink_to(CHUNK);
        }
        if self.buffer.capacity() - rest < CHUNK / 2 {
            // What an event says of its length is believed as its bytes come, twice as many each time.
            let near = whole.saturating_sub(rest).min(rest).max(CHUNK);
            self.buffer.reserve_exact(near);
        }
    }
}

/// The length that an event says it has.
fn length(event: &[u8]) -> Option<usize> {
    let (size, _) = event.get(9..)?.split_first_chunk::<4>()?;
    usize::try_from(u32::from_le_bytes(*size)).ok()
}

/// Reads fields. The outer error is that of fields that are not complete. Gives how long they are, too.
fn fields(bytes: &[u8]) -> Result<(Result<Body>, usize)> {
    let mut fields = Fields(bytes);
    let (mut size, mut algorithm) = (None, ZSTD);
    loop {
        let field = fields.lenenc()?;
        if field == END {
            break;
        }
        let mut value = Fields(fields.lenenc_bytes()?);
        match field {
            SIZE => size = Some(value.lenenc()?),
            ALGORITHM => algorithm = value.lenenc()?,
            _ => {}
        }
    }
    let body = match (size, algorithm) {
        (Some(left), ZSTD | NONE) => Ok(Body {
            is_zstd: algorithm == ZSTD,
            left,
            is_whole: false,
            holds_more: false,
        }),
        (None, _) => Err(error::protocol(
            "a compressed transaction does not say how long it is",
        )),
        (_, other) => {
            let what = "a transaction is compressed in a way that is not known";
            Err(Error::new(&error::PROTOCOL, what).context("type", other))
        }
    };
    Ok((body, bytes.len() - fields.rest().len()))
}

fn broken(error: std::io::Error) -> Error {
    error::protocol("a compressed transaction cannot be decompressed").caused_by(error)
}

#[cfg(test)]
mod tests;
