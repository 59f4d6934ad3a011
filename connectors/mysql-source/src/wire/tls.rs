//! TLS by the user's `database.ssl.mode`.

use std::sync::Arc;

use connect_core::Result;
use connect_tls::{Named, Tls, Trust};
use tokio::{io::BufReader, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::Target;
use crate::{config::SslMode, error};

/// A socket under TLS. rustls asks for 4 KiB at a time: the buffer gets many records with one call of the system.
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

fn settings(target: &Target) -> Tls<'_> {
    Tls {
        code: &error::TLS,
        trust: match target.ssl_mode {
            SslMode::VerifyIdentity => Trust::Host,
            SslMode::VerifyCa => Trust::Authority,
            _ => Trust::Anyone,
        },
        roots: Named::by("database.ssl.ca", target.ssl_ca.as_deref()),
        certificate: Named::by("database.ssl.cert", target.ssl_cert.as_deref()),
        key: Named::by("database.ssl.key", target.ssl_key.as_deref()),
    }
}
