//! From an address to an authenticated connection.

use std::net::SocketAddr;

use bytes::BytesMut;
use connect_core::{Error, Result};
use postgres_protocol::message::frontend;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream, lookup_host},
};

use super::{
    Connection, Frames, Purpose, Target, answer, auth,
    halves::{self, ReadHalf, WriteHalf},
    tls,
};
use crate::{config::SslMode, error};

/// The forms in which values must come, whatever the server's configuration says.
const SESSION: [(&str, &str); 7] = [
    ("client_encoding", "UTF8"),
    ("DateStyle", "ISO, YMD"),
    ("TimeZone", "UTC"),
    ("IntervalStyle", "iso_8601"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    ("lc_monetary", "C"),
];

/// One way to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    TlsIfOffered,
    Tls,
}

pub(super) async fn open(target: &Target, purpose: Purpose) -> Result<Connection> {
    let mut failed = None;
    for way in ways(target.ssl_mode) {
        match attempt(target, purpose, *way).await {
            Ok(connection) => return Ok(connection),
            Err(error) if is_about_tls(&error) => failed.get_or_insert(error),
            Err(error) => return Err(failed.unwrap_or(error)),
        };
    }
    Err(failed.unwrap_or_else(error::closed))
}

fn ways(mode: SslMode) -> &'static [Way] {
    match mode {
        SslMode::Disable => &[Way::Plain],
        SslMode::Allow => &[Way::Plain, Way::Tls],
        SslMode::Prefer => &[Way::TlsIfOffered, Way::Plain],
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[Way::Tls],
    }
}

/// Whether the other way may work: the handshake failed, or pg_hba.conf wants it otherwise (SQLSTATE 28000).
fn is_about_tls(error: &Error) -> bool {
    let cause = std::error::Error::source(error);
    let server = cause.and_then(|c| c.downcast_ref::<error::ServerError>());
    error.code() == &error::TLS || server.is_some_and(|e| e.state == "28000")
}

async fn attempt(target: &Target, purpose: Purpose, way: Way) -> Result<Connection> {
    let limit = target.connect_timeout;
    let connected = async {
        let socket = dial(target).await?;
        let (reader, writer) = secure(target, socket, way).await?;
        start(target, purpose, reader, writer).await
    };
    // Boxed, since a handshake is large and rare.
    match tokio::time::timeout(limit, Box::pin(connected)).await {
        Ok(connection) => connection,
        Err(_) => Err(Error::new(&error::CONNECTION, "connecting took too long")
            .context("limit_ms", limit.as_millis())
            .context("server", address(target))),
    }
}

fn address(target: &Target) -> String {
    format!("{}:{}", target.host, target.port)
}

async fn dial(target: &Target) -> Result<TcpStream> {
    let unreachable = |what: &'static str, cause: std::io::Error| {
        Error::new(&error::CONNECTION, what)
            .context("server", address(target))
            .caused_by(cause)
    };
    let addresses = lookup_host((target.host.as_str(), target.port))
        .await
        .map_err(|e| unreachable("the host name is not known", e))?;
    let mut failed = std::io::Error::other("the host name has no address");
    for address in addresses {
        match dial_one(address, target.keep_alive).await {
            Ok(socket) => return Ok(socket),
            Err(cause) => failed = cause,
        }
    }
    Err(unreachable("the server cannot be reached", failed))
}

async fn dial_one(address: SocketAddr, keep_alive: bool) -> std::io::Result<TcpStream> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_keepalive(keep_alive)?;
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn secure(target: &Target, mut socket: TcpStream, way: Way) -> Result<(ReadHalf, WriteHalf)> {
    if way == Way::Plain {
        return Ok(halves::plain(socket));
    }
    let mut request = BytesMut::new();
    frontend::ssl_request(&mut request);
    socket.write_all(&request).await.map_err(error::io)?;
    // Exactly one byte: whatever came with it would come from somebody in between.
    let agreed = socket.read_u8().await.map_err(error::io)?;
    match (agreed, way) {
        (b'S', _) => Ok(halves::tls(tls::handshake(target, socket).await?)),
        (b'N', Way::TlsIfOffered) => Ok(halves::plain(socket)),
        (b'N', _) => Err(Error::new(&error::TLS, "the server offers no TLS")),
        _ => Err(error::protocol(
            "the server did not understand the question for TLS",
        )),
    }
}

async fn start(
    target: &Target,
    purpose: Purpose,
    reader: ReadHalf,
    mut writer: WriteHalf,
) -> Result<Connection> {
    let mut out = BytesMut::new();
    let who = [
        ("user", target.user.as_str()),
        ("database", target.database.as_str()),
        ("application_name", target.application.as_str()),
    ];
    let replication = (purpose == Purpose::Replication).then_some(("replication", "database"));
    let parameters = who.into_iter().chain(SESSION).chain(replication);
    frontend::startup_message(parameters, &mut out).map_err(error::io)?;
    writer.write_all(&out).await.map_err(error::io)?;
    writer.flush().await.map_err(error::io)?;

    let mut frames = Frames::new(reader);
    let password = target.password.as_ref();
    auth::authenticate(&mut frames, &mut writer, &target.user, password).await?;
    frames.authenticated();
    let server_version = settle(&mut frames).await?;
    let query_timeout = target.query_timeout;
    Ok(Connection {
        frames,
        writer,
        out,
        server_version,
        query_timeout,
    })
}

/// Reads until the server is ready; gives its major version.
async fn settle(frames: &mut Frames) -> Result<u32> {
    let mut version = None;
    loop {
        let (tag, body) = frames.next().await?;
        match tag {
            b'S' => version = version.or_else(|| major_version(&body)),
            b'E' => return Err(answer::server_error(&body).into()),
            b'N' => answer::notice(&body),
            b'Z' => return version.ok_or_else(|| error::protocol("the server tells no version")),
            _ => {}
        }
    }
}

/// `server_version\0 15.4 (Debian …)\0`, also `18beta1`.
fn major_version(body: &[u8]) -> Option<u32> {
    let mut parts = body.split(|byte| *byte == 0);
    if parts.next()? != b"server_version" {
        return None;
    }
    let text = std::str::from_utf8(parts.next()?).ok()?;
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text.get(..digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_every_spelling() {
        assert_eq!(
            major_version(b"server_version\x0015.18 (Debian 15.18-0)\0"),
            Some(15)
        );
        assert_eq!(major_version(b"server_version\x0018beta1\0"), Some(18));
        assert_eq!(major_version(b"TimeZone\0UTC\0"), None);
    }
}
