//! One client: requests in, answers out, one after the other, as a broker does it.

use std::{io, time::Duration};

use bytes::{Bytes, BytesMut};
use kafka_protocol::{
    messages::{ApiKey, ResponseHeader, ResponseKind},
    protocol::{Encodable, StrBytes},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    time::timeout,
};

use super::{
    answer::{self, Answer},
    ids::text,
    request,
    serve::Front,
};
use crate::local::Store;

/// The largest request: a fetch of ten thousand partitions has half of it. Records that somebody wants to write are more, and need not
/// be read to be refused.
const MAX_REQUEST: usize = 1 << 20;
/// Requests of more than this are received a few at a time.
const LARGE_REQUEST: usize = 64 << 10;
/// What a request takes decoded, in its own bytes, at most about.
const DECODED: usize = 16;
/// A client that says nothing for so long is gone (Kafka's `connections.max.idle.ms`).
const IDLE: Duration = Duration::from_secs(600);
/// How long a request that has begun may take to come.
const RECEIVE: Duration = Duration::from_secs(30);
/// How long an answer may take to go, and what is added for each quarter of a megabyte.
const SEND: Duration = Duration::from_secs(30);
const SEND_MORE: Duration = Duration::from_secs(1);

/// The client as the answers need it.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// Where this client finds the front.
    pub(crate) host: StrBytes,
    pub(crate) port: i32,
    /// Its own address, without the port.
    pub(crate) address: StrBytes,
}

/// Answers a client until it leaves, misbehaves, or the front stops.
pub(crate) async fn run<S: Store>(
    mut stream: TcpStream,
    front: &Front<S>,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let peer = peer(&stream, front)?;
    loop {
        let received = tokio::select! {
            biased;
            () = stopped(&mut stop) => return Ok(()),
            received = receive(&mut stream, front) => received?,
        };
        let Some(body) = received else {
            return Ok(());
        };
        let room = front
            .requests
            .take(body.len().saturating_mul(DECODED))
            .await;
        let request = request::read(body)?;
        let answer = tokio::select! {
            biased;
            () = stopped(&mut stop) => return Ok(()),
            answer = Box::pin(answer::answer(front, &peer, request, room)) => answer?,
            () = gone(&stream) => return Ok(()),
        };
        if let Some(answer) = answer {
            send(&mut stream, answer).await?;
        }
    }
}

fn peer<S: Store>(stream: &TcpStream, front: &Front<S>) -> io::Result<Peer> {
    // Where it connected to is where it can connect again.
    let local = stream.local_addr()?;
    let (host, port) = match &front.advertised {
        Some(advertised) => (text(&advertised.host), advertised.port),
        None => (
            StrBytes::from(local.ip().to_canonical().to_string()),
            local.port(),
        ),
    };
    Ok(Peer {
        host,
        port: i32::from(port),
        address: StrBytes::from(stream.peer_addr()?.ip().to_canonical().to_string()),
    })
}

/// The next request without its length; `None` when the client left.
async fn receive<S: Store>(stream: &mut TcpStream, front: &Front<S>) -> io::Result<Option<Bytes>> {
    let mut length = [0; 4];
    match timeout(IDLE, stream.read_exact(&mut length)).await {
        Err(_) => return Err(io::Error::other("it was idle for too long")),
        Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Ok(read) => read?,
    };
    let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > MAX_REQUEST {
        return Err(io::Error::other("a request is larger than the front takes"));
    }
    let _turn = match length {
        large if large > LARGE_REQUEST => front.large_requests.acquire().await.ok(),
        _ => None,
    };
    let mut body = BytesMut::with_capacity(length);
    let receive = async {
        let mut rest = stream.take(length as u64);
        while body.len() < length {
            if rest.read_buf(&mut body).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    };
    match timeout(RECEIVE, receive).await {
        Err(_) => Err(io::Error::other("a request did not come to its end")),
        Ok(received) => received.map(|()| Some(body.freeze())),
    }
}

/// Sends an answer. The records of a fetch are given up before, so that an answer is in memory once while it is sent.
async fn send(stream: &mut TcpStream, answer: Answer<'_>) -> io::Result<()> {
    let Answer { frame, mut room } = answer;
    if let Some(room) = &mut room {
        room.shrink(frame.len());
    }
    let limit = SEND + SEND_MORE * (frame.len() >> 18) as u32;
    let sent = timeout(limit, stream.write_all(&frame)).await;
    sent.map_err(|_| io::Error::other("the client did not take its answer"))?
}

/// The bytes of an answer, with their length before them.
pub(crate) fn frame(
    key: ApiKey,
    version: i16,
    correlation_id: i32,
    response: ResponseKind,
) -> io::Result<BytesMut> {
    let mut frame = BytesMut::zeroed(4);
    let head = ResponseHeader::default().with_correlation_id(correlation_id);
    head.encode(&mut frame, key.response_header_version(version))
        .and_then(|()| response.encode(&mut frame, version))
        .map_err(|error| io::Error::other(format!("{key:?} version {version}: {error}")))?;
    drop(response);
    let length = (frame.len() - 4) as u32;
    if let Some(head) = frame.get_mut(..4) {
        head.copy_from_slice(&length.to_be_bytes());
    }
    Ok(frame)
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A gone sender means that the front ends too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Ends when the client has left. Nothing is read: what it has sent already is its next request.
async fn gone(stream: &TcpStream) {
    let mut byte = [0];
    match stream.peek(&mut byte).await {
        Ok(0) | Err(_) => {}
        Ok(_) => std::future::pending().await,
    }
}
