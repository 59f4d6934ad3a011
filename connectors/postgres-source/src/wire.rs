//! One client for queries, COPY and replication: startup, TLS, authentication, messages.
//!
//! The simple query protocol is enough: there are few queries, and replication connections speak nothing else.

mod answer;
mod auth;
mod connect;
mod feedback;
mod frames;
mod halves;
mod replication;
mod side;
mod tls;
mod vigil;

use std::time::Duration;

use bytes::BytesMut;
use connect_core::{Result, Secret};
use postgres_protocol::message::frontend;
use tokio::io::AsyncWriteExt;

pub use answer::{Answer, Row};
pub(crate) use answer::{server_error, streamed_notice};
pub use feedback::Progress;
pub(crate) use frames::message_in;
pub use frames::{Frames, Message};
pub use replication::Replication;
pub use side::Side;
pub(crate) use tls::files as tls_files;
pub use vigil::Vigil;

use self::halves::WriteHalf;
use crate::{config::SslMode, error};

/// How to reach the server.
#[derive(Debug, Clone)]
pub struct Target {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User.
    pub user: String,
    /// Password; none for trust and certificates.
    pub password: Option<Secret>,
    /// Database.
    pub database: String,
    /// Whether and how to use TLS.
    pub ssl_mode: SslMode,
    /// File with trusted authorities; those of the system when none.
    pub ssl_root_cert: Option<String>,
    /// File with the client's certificates.
    pub ssl_cert: Option<String>,
    /// File with the client's key.
    pub ssl_key: Option<String>,
    /// Whether TCP probes an idle connection.
    pub keep_alive: bool,
    /// How long connecting and authenticating may take.
    pub connect_timeout: Duration,
    /// How long a query may take; zero for ever.
    pub query_timeout: Duration,
    /// What the server calls the connection, at most 63 bytes.
    pub application: String,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Queries and COPY.
    Query,
    /// The replication commands of one database, and queries too.
    Replication,
}

/// A connection that waits for a command.
#[derive(Debug)]
pub struct Connection {
    frames: Frames,
    writer: WriteHalf,
    out: BytesMut,
    server_version: u32,
    query_timeout: Duration,
}

impl Connection {
    /// Connects and authenticates.
    pub async fn open(target: &Target, purpose: Purpose) -> Result<Self> {
        connect::open(target, purpose).await
    }

    /// The server's major version, as in 15.
    pub fn server_version(&self) -> u32 {
        self.server_version
    }

    /// Whether the server has neither ended it nor said anything unasked, as it does before it ends one; looked at without asking it.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        matches!(self.frames.try_read().await, Ok(false))
    }

    /// How long a query may take; zero for ever.
    pub(crate) fn query_timeout(&self) -> Duration {
        self.query_timeout
    }

    /// Runs statements and gives all rows of all of them. After an error of the server the connection can be used on.
    pub async fn query(&mut self, sql: &str) -> Result<Vec<Row>> {
        let limit = self.query_timeout;
        self.send_query(sql).await?;
        if limit.is_zero() {
            return answer::rows(&mut self.frames).await;
        }
        match tokio::time::timeout(limit, answer::rows(&mut self.frames)).await {
            Ok(rows) => rows,
            Err(_) => Err(connect_core::Error::new(
                &error::TIMEOUT,
                "the server did not answer a query in time",
            )
            .context("limit_ms", limit.as_millis())),
        }
    }

    /// Runs statements for which only success counts.
    pub async fn execute(&mut self, sql: &str) -> Result<()> {
        self.query(sql).await.map(|_| ())
    }

    /// Starts a `COPY … TO STDOUT`; its rows then come as messages `d`, its end as `c`, `C` and `Z`.
    pub async fn copy_out(&mut self, sql: &str) -> Result<()> {
        self.send_query(sql).await?;
        answer::expect(&mut self.frames, b'H').await
    }

    /// The messages of a running COPY.
    pub fn frames(&mut self) -> &mut Frames {
        &mut self.frames
    }

    /// Starts replication. From here on the reading half and the feedback live their own lives.
    pub async fn replicate(mut self, sql: &str, progress: Progress) -> Result<Replication> {
        self.send_query(sql).await?;
        answer::expect(&mut self.frames, b'W').await?;
        Ok(Replication::new(self.frames, self.writer, progress))
    }

    /// Says goodbye; a server that does not listen any more is no error.
    pub async fn close(mut self) {
        self.out.clear();
        frontend::terminate(&mut self.out);
        let _ = self.writer.write_all(&self.out).await;
        let _ = self.writer.shutdown().await;
    }

    async fn send_query(&mut self, sql: &str) -> Result<()> {
        self.out.clear();
        frontend::query(sql, &mut self.out).map_err(error::io)?;
        self.writer.write_all(&self.out).await.map_err(error::io)?;
        self.writer.flush().await.map_err(error::io)
    }
}
