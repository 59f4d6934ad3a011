//! One connection to a broker: a socket, what the broker can do, and who we are.

use std::{collections::BTreeMap, time::Duration};

use bytes::{Buf, Bytes, BytesMut};
use connect_core::{Error, Result};
use kafka_protocol::{
    messages::{ApiVersionsRequest, RequestHeader, ResponseHeader},
    protocol::{Decodable, Encodable, HeaderVersion, Request},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    dial::Dial,
    secure, shapes,
    stream::{self, Reader, Writer},
};
use crate::UNAVAILABLE;

/// What a broker supports: the lowest and highest version by API key.
pub(in crate::kafka) type Versions = BTreeMap<i16, (i16, i16)>;

/// A connection that is ready for requests.
pub(in crate::kafka) struct Connection {
    reader: Reader,
    writer: Writer,
    dial: Dial,
    pub(in crate::kafka) versions: Versions,
    correlation: i32,
}

/// An answer larger than this is not one: 100 MiB, as in Kafka's own client's `receive.max`.
const LARGEST_ANSWER: usize = 100 << 20;

impl Connection {
    /// Connects, asks what the broker can do, and logs in.
    pub(in crate::kafka) async fn open(address: &str, dial: &Dial) -> Result<Self> {
        let opened = timeout(dial.setup, Self::set_up(address, dial)).await;
        opened
            .unwrap_or_else(|_| Err(unavailable("the broker does not answer")))
            .map_err(|err| err.context("broker", address))
    }

    async fn set_up(address: &str, dial: &Dial) -> Result<Self> {
        let socket = TcpStream::connect(address).await;
        let socket =
            socket.map_err(|err| unavailable("could not connect to a broker").caused_by(err))?;
        socket.set_nodelay(true).map_err(broken)?;
        let (reader, writer) = match &dial.tls {
            None => stream::plain(socket),
            Some(tls) => stream::tls(tls.shake(socket, address).await?),
        };
        let mut this = Self {
            reader,
            writer,
            dial: dial.clone(),
            versions: Versions::new(),
            correlation: 0,
        };
        let answer = this.exchange(&ApiVersionsRequest::default(), 0).await?;
        this.versions = answer
            .api_keys
            .iter()
            .map(|api| (api.api_key, (api.min_version, api.max_version)))
            .collect();
        if let Some(login) = &dial.login {
            this.log_in(login).await?;
        }
        Ok(this)
    }

    /// Answers may take so long.
    pub(super) fn within(mut self, answer: Duration) -> Self {
        self.dial.answer = answer;
        self
    }

    /// The newest version of a request that both sides know, at most `newest`.
    pub(in crate::kafka) fn version(&self, key: i16, newest: i16) -> Result<i16> {
        match self.versions.get(&key) {
            Some((lowest, highest)) if *lowest <= newest => Ok(newest.min(*highest)),
            _ => Err(unavailable("the broker does not support a request").context("api", key)),
        }
    }

    /// Asks and waits for the answer, in the newest version up to `newest`.
    pub(in crate::kafka) async fn ask<R: Request>(
        &mut self,
        request: &R,
        newest: i16,
    ) -> Result<R::Response> {
        let version = self.version(R::KEY, newest)?;
        let answer = timeout(self.dial.answer, self.exchange(request, version)).await;
        answer.unwrap_or_else(|_| Err(unavailable("the broker does not answer")))
    }

    pub(super) async fn exchange<R: Request>(
        &mut self,
        request: &R,
        version: i16,
    ) -> Result<R::Response> {
        self.correlation += 1;
        let mut frame = BytesMut::new();
        frame.extend_from_slice(&[0; 4]);
        let header = RequestHeader::default()
            .with_request_api_key(R::KEY)
            .with_request_api_version(version)
            .with_correlation_id(self.correlation)
            .with_client_id(Some(self.dial.client_id.clone()));
        header
            .encode(&mut frame, R::header_version(version))
            .map_err(encoding)?;
        request.encode(&mut frame, version).map_err(encoding)?;
        let length = (frame.len() - 4) as u32;
        frame[..4].copy_from_slice(&length.to_be_bytes());
        self.writer.write_all(&frame).await.map_err(broken)?;
        self.writer.flush().await.map_err(broken)?;
        let answer = read_frame(&mut self.reader).await?;
        shapes::read::<R>(answer, version, self.correlation)
    }

    /// Both directions, for requests that follow each other without waiting.
    pub(in crate::kafka) fn split(self) -> (Reader, Writer) {
        (self.reader, self.writer)
    }
}

/// One answer, without its length.
async fn read_frame(reader: &mut Reader) -> Result<Bytes> {
    let length = reader.read_u32().await.map_err(broken)? as usize;
    if secure::is_alert(length) {
        return Err(secure::wants_tls());
    }
    if length > LARGEST_ANSWER {
        // Invariant 4: bytes from outside never decide how much memory is taken.
        return Err(unavailable("the broker's answer is too large").context("bytes", length));
    }
    let mut frame = BytesMut::zeroed(length);
    reader.read_exact(&mut frame).await.map_err(broken)?;
    Ok(frame.freeze())
}

/// Reads an answer whose request had this correlation id.
pub(super) fn decode<R: Decodable + HeaderVersion>(
    mut frame: Bytes,
    version: i16,
    correlation: i32,
) -> Result<R> {
    let header =
        ResponseHeader::decode(&mut frame, R::header_version(version)).map_err(decoding)?;
    if header.correlation_id != correlation {
        return Err(unavailable("the broker answered another request"));
    }
    let answer = R::decode(&mut frame, version).map_err(decoding)?;
    match frame.remaining() {
        0 => Ok(answer),
        rest => Err(
            unavailable("the broker's answer is longer than it should be").context("bytes", rest),
        ),
    }
}

/// The cluster, or a part of it, cannot be reached.
pub(in crate::kafka) fn unavailable(what: &'static str) -> Error {
    Error::new(&UNAVAILABLE, what)
}

pub(in crate::kafka) fn broken(cause: std::io::Error) -> Error {
    secure::refusal(&cause)
        .unwrap_or_else(|| unavailable("the connection to a broker broke"))
        .caused_by(cause)
}

fn encoding(cause: impl std::fmt::Display) -> Error {
    Error::new(&connect_core::error::INTERNAL, "could not write a request").context("cause", cause)
}

fn decoding(cause: impl std::fmt::Display) -> Error {
    unavailable("the broker's answer cannot be read").context("cause", cause)
}
