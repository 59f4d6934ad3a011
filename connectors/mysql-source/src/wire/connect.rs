//! From an address to an authenticated connection
//! (<https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html>).

use std::net::SocketAddr;

use connect_core::{Error, Result};
use tokio::net::{TcpSocket, TcpStream, lookup_host};

use super::{
    Connection, Fields, Flavor, Packets, Server, Target, auth, compression::Method, server_error,
    socket::Socket, tls,
};
use crate::{
    config::{Compress, SslMode},
    error,
};

/// What values must look like, whatever the server's configuration says: texts are UTF-8, `TIMESTAMP` is in UTC, and
/// statements are read as MySQL's own are.
const SESSION: &str = "SET NAMES utf8mb4, time_zone = '+00:00', sql_mode = ''";

/// utf8mb4_general_ci, which all servers know.
const COLLATION: u8 = 45;
/// How large a packet may be that we send.
const MAX_PACKET: u32 = 16 << 20;

/// Capabilities: <https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html>.
mod capability {
    pub(super) const LONG_PASSWORD: u32 = 1;
    pub(super) const LONG_FLAG: u32 = 1 << 2;
    pub(super) const COMPRESS: u32 = 1 << 5;
    pub(super) const PROTOCOL_41: u32 = 1 << 9;
    pub(super) const SSL: u32 = 1 << 11;
    pub(super) const TRANSACTIONS: u32 = 1 << 13;
    pub(super) const SECURE_CONNECTION: u32 = 1 << 15;
    pub(super) const PLUGIN_AUTH: u32 = 1 << 19;
    pub(super) const CONNECT_ATTRS: u32 = 1 << 20;
    pub(super) const LENENC_AUTH: u32 = 1 << 21;
    pub(super) const DEPRECATE_EOF: u32 = 1 << 24;
    pub(super) const ZSTD: u32 = 1 << 26;
}

/// How much the server tries: its client's default.
const ZSTD_LEVEL: u8 = 3;

const WANTED: u32 = capability::LONG_PASSWORD
    | capability::LONG_FLAG
    | capability::PROTOCOL_41
    | capability::TRANSACTIONS
    | capability::SECURE_CONNECTION
    | capability::PLUGIN_AUTH
    | capability::LENENC_AUTH
    | capability::DEPRECATE_EOF;

/// What the server greets with.
#[derive(Debug)]
struct Greeting {
    server: Server,
    capabilities: u32,
    plugin: String,
    nonce: Vec<u8>,
}

pub(super) async fn open(target: &Target) -> Result<Connection> {
    let limit = target.connect_timeout;
    // Boxed, since a handshake is large and rare.
    match tokio::time::timeout(limit, Box::pin(connect(target))).await {
        Ok(connection) => connection,
        Err(_) => Err(Error::new(&error::CONNECTION, "connecting took too long")
            .context("limit_ms", limit.as_millis())
            .context("server", address(target))),
    }
}

fn address(target: &Target) -> String {
    format!("{}:{}", target.host, target.port)
}

async fn connect(target: &Target) -> Result<Connection> {
    let mut packets = Packets::new(Socket::Plain(dial(target).await?));
    let greeting = greeting(&packets.next().await?)?;
    let mut capabilities = WANTED | (greeting.capabilities & capability::CONNECT_ATTRS);
    let compression = compression(target.compression, &greeting)?;
    capabilities |= compression.map_or(0, |(capability, _)| capability);
    if wants_tls(target.ssl_mode, greeting.capabilities)? {
        capabilities |= capability::SSL;
        packets.send(&head(capabilities)).await?;
        let (socket, sequence) = packets.into_plain()?;
        let secured = tls::handshake(target, socket).await?;
        packets = Packets::resumed(Socket::Tls(Box::new(secured)), sequence);
    }
    let (nonce, password) = (greeting.nonce.clone(), target.password.as_ref());
    let mut method = auth::Method::new(&greeting.plugin, nonce, password, packets.is_tls());
    let response = method.greet();
    let login = login(capabilities, &greeting, &response, target);
    packets.send(&login).await?;
    auth::authenticate(&mut packets, method).await?;
    packets.authenticated();
    if let Some((_, method)) = compression {
        packets.compress(method)?;
    }
    let mut connection = Connection {
        packets,
        server: greeting.server,
        query_timeout: target.query_timeout,
    };
    connection.execute(SESSION).await?;
    Ok(connection)
}

/// Which compression both sides can do, with its capability.
fn compression(wanted: Compress, greeting: &Greeting) -> Result<Option<(u32, Method)>> {
    let (capability, method) = match wanted {
        Compress::None => return Ok(None),
        Compress::Zlib => (capability::COMPRESS, Method::Zlib),
        Compress::Zstd => (capability::ZSTD, Method::Zstd),
    };
    // MariaDB has other capabilities at this bit.
    let is_other = method == Method::Zstd && greeting.server.flavor == Flavor::MariaDb;
    match greeting.capabilities & capability != 0 && !is_other {
        true => Ok(Some((capability, method))),
        false => Err(Error::new(
            &error::COMPRESSION,
            "the server does not offer this compression",
        )),
    }
}

/// Whether to go on with TLS.
fn wants_tls(mode: SslMode, capabilities: u32) -> Result<bool> {
    let has = capabilities & capability::SSL != 0;
    match mode {
        SslMode::Disabled => Ok(false),
        SslMode::Preferred => Ok(has),
        _ if has => Ok(true),
        _ => Err(Error::new(&error::TLS, "the server offers no TLS")),
    }
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

/// Reads `Protocol::HandshakeV10`.
fn greeting(payload: &[u8]) -> Result<Greeting> {
    if payload.first() == Some(&0xff) {
        return Err(server_error(payload).into());
    }
    let mut fields = Fields(payload);
    if fields.u8()? != 10 {
        return Err(error::protocol("the server greets in another protocol"));
    }
    let version = String::from_utf8_lossy(fields.until_zero()).into_owned();
    let thread = fields.u32()?;
    let mut nonce = fields.bytes(8)?.to_vec();
    fields.u8()?;
    let low = fields.u16()?;
    fields.bytes(3)?;
    let capabilities = u32::from(low) | u32::from(fields.u16()?) << 16;
    let len = fields.u8()?;
    fields.bytes(10)?;
    if capabilities & capability::PROTOCOL_41 == 0 || capabilities & capability::PLUGIN_AUTH == 0 {
        return Err(
            Error::new(&error::VERSION, "the server is too old").context("version", version)
        );
    }
    let rest = usize::from(len).saturating_sub(8).max(13);
    nonce.extend_from_slice(fields.bytes(rest)?.strip_suffix(&[0]).unwrap_or_default());
    let plugin = String::from_utf8_lossy(fields.until_zero()).into_owned();
    Ok(Greeting {
        server: Server {
            flavor: flavor(&version),
            version: number(&version),
            thread,
        },
        capabilities,
        plugin,
        nonce,
    })
}

/// MariaDB says so in its version, before or behind its number.
fn flavor(version: &str) -> Flavor {
    match version.to_ascii_lowercase().contains("mariadb") {
        true => Flavor::MariaDb,
        false => Flavor::MySql,
    }
}

/// `9.7.4-2`, `8.0.33`, `5.5.5-10.11.19-MariaDB-log`, `11.8.9-MariaDB`.
fn number(version: &str) -> (u16, u16, u16) {
    // What MariaDB puts before its version, for replicas that know one digit only.
    let version = version.strip_prefix("5.5.5-").unwrap_or(version);
    let digits = version.split(|c: char| !c.is_ascii_digit());
    let mut numbers = digits.map(|digits| digits.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next())
}

/// The beginning of `Protocol::HandshakeResponse41`, which alone asks for TLS.
fn head(capabilities: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(32);
    out.extend_from_slice(&capabilities.to_le_bytes());
    out.extend_from_slice(&MAX_PACKET.to_le_bytes());
    out.push(COLLATION);
    out.extend_from_slice(&[0; 23]);
    out
}

fn login(capabilities: u32, greeting: &Greeting, response: &[u8], target: &Target) -> Vec<u8> {
    let mut out = head(capabilities);
    out.extend_from_slice(target.user.as_bytes());
    out.push(0);
    push_lenenc(response, &mut out);
    out.extend_from_slice(greeting.plugin.as_bytes());
    out.push(0);
    if capabilities & capability::CONNECT_ATTRS != 0 {
        let mut attributes = Vec::new();
        for text in [
            "_client_name",
            "tidewater",
            "program_name",
            &target.application,
        ] {
            push_lenenc(text.as_bytes(), &mut attributes);
        }
        push_lenenc(&attributes, &mut out);
    }
    if capabilities & capability::ZSTD != 0 {
        out.push(ZSTD_LEVEL);
    }
    out
}

fn push_lenenc(bytes: &[u8], out: &mut Vec<u8>) {
    match u8::try_from(bytes.len()) {
        Ok(len @ 0..=0xfa) => out.push(len),
        _ => {
            out.push(0xfd);
            let len = (bytes.len() as u32).to_le_bytes();
            out.extend_from_slice(len.get(..3).unwrap_or_default());
        }
    }
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_flavors_are_read_from_every_spelling() {
        for (text, flavor_of, version) in [
            ("9.7.4-2", Flavor::MySql, (9, 7, 4)),
            ("8.0.33", Flavor::MySql, (8, 0, 33)),
            ("8.0.mysql_aurora.3.04.0", Flavor::MySql, (8, 0, 0)),
            ("5.5.5-10.11.19-MariaDB-log", Flavor::MariaDb, (10, 11, 19)),
            ("11.8.9-MariaDB-ubu2404", Flavor::MariaDb, (11, 8, 9)),
            ("", Flavor::MySql, (0, 0, 0)),
        ] {
            assert_eq!((flavor(text), number(text)), (flavor_of, version), "{text}");
        }
    }

    #[test]
    fn every_prefix_of_a_greeting_fails_politely() {
        let mut bytes = b"\x0a9.7.4\0\x01\0\0\0abcdefgh\0".to_vec();
        bytes.extend_from_slice(&[0xff, 0xff, 255, 2, 0, 0xff, 0xff, 21]);
        bytes.extend_from_slice(&[0; 10]);
        bytes.extend_from_slice(b"ijklmnopqrst\0caching_sha2_password\0");
        let whole = greeting(&bytes).unwrap();
        assert_eq!(whole.nonce, b"abcdefghijklmnopqrst");
        assert_eq!(whole.plugin, "caching_sha2_password");
        let needed = bytes.len() - "caching_sha2_password\0".len();
        for end in 0..needed {
            assert!(greeting(&bytes[..end]).is_err(), "{end}");
        }
    }
}
