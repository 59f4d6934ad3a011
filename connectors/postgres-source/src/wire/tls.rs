//! TLS by the server's words and the user's `sslmode`.

use std::sync::Arc;

use connect_core::{Error, Result};
use connect_tls::{Named, Tls, Trust};
use tokio::{io::BufReader, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::Target;
use crate::{config::SslMode, error};

/// A socket under TLS. rustls asks for 4 KiB at a time, and the server puts every message into a TLS record and a packet of
/// its own: the buffer gets hundreds of them with one call of the system.
pub(super) type Secured = TlsStream<BufReader<TcpStream>>;

/// Size of that buffer.
const BUFFER: usize = 64 * 1024;

/// Shakes hands over a socket on which the server has agreed to TLS.
pub(super) async fn handshake(target: &Target, socket: TcpStream) -> Result<Secured> {
    let tls = settings(target);
    let config = tls.client()?;
    let name = tls.server_name(&target.host)?;
    TlsConnector::from(Arc::new(config))
        .connect(name, BufReader::with_capacity(BUFFER, socket))
        .await
        .map_err(error::io)
}

/// What is wrong with the files, by the property that names each.
pub(crate) fn files(target: &Target) -> Vec<(&'static str, Error)> {
    settings(target).findings()
}

fn settings(target: &Target) -> Tls<'_> {
    Tls {
        code: &error::TLS,
        trust: match target.ssl_mode {
            SslMode::VerifyFull => Trust::Host,
            SslMode::VerifyCa => Trust::Authority,
            _ => Trust::Anyone,
        },
        roots: Named::by("database.sslrootcert", target.ssl_root_cert.as_deref()),
        certificate: Named::by("database.sslcert", target.ssl_cert.as_deref()),
        key: Named::by("database.sslkey", target.ssl_key.as_deref()),
    }
}
