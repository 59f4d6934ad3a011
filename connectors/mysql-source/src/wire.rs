//! One client for queries, snapshots and the binlog: handshake, TLS, authentication, packets.
//!
//! Sources: <https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html>,
//! <https://mariadb.com/kb/en/clientserver-protocol/>. The text protocol is enough: there are few queries, and the rows of
//! snapshots are texts that stay where they lie.

mod answer;
mod auth;
mod compression;
mod connect;
mod dump;
mod packets;
mod read;
mod replicas;
mod side;
mod socket;
mod tls;
mod vigil;

use std::time::Duration;

use connect_core::{Error, Result, Secret};

pub(crate) use answer::server_error;
pub use answer::{Answer, Row, RowValues, is_end};
pub(crate) use compression::read_all as read_compressed;
pub use dump::{Dump, DumpFrom, Place as DumpPlace};
pub use packets::{Look, Packets};
pub use read::Fields;
pub use replicas::{readers, replicas};
pub use side::Side;
pub use vigil::Vigil;

use self::answer::Reply;
use crate::{
    config::{Compress, SslMode},
    error,
};

/// How to reach the server.
#[derive(Debug, Clone)]
pub struct Target {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User.
    pub user: String,
    /// Password; none for accounts without one.
    pub password: Option<Secret>,
    /// Whether and how to use TLS.
    pub ssl_mode: SslMode,
    /// File with trusted authorities; those of the system when none.
    pub ssl_ca: Option<String>,
    /// File with the client's certificates.
    pub ssl_cert: Option<String>,
    /// File with the client's key.
    pub ssl_key: Option<String>,
    /// Whether and how what is sent over it is compressed.
    pub compression: Compress,
    /// Whether TCP probes an idle connection.
    pub keep_alive: bool,
    /// How long connecting and authenticating may take.
    pub connect_timeout: Duration,
    /// How long a query may take; zero for ever.
    pub query_timeout: Duration,
    /// What the server calls the connection (`program_name` in `performance_schema.session_connect_attrs`).
    pub application: String,
}

/// Which of the two server families.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// Oracle's, Percona's, Aurora.
    MySql,
    /// MariaDB.
    MariaDb,
}

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its family.
    pub flavor: Flavor,
    /// Its version: 8.4.3 as (8, 4, 3).
    pub version: (u16, u16, u16),
    /// The connection's number there.
    pub thread: u32,
}

/// A connection that waits for a command.
#[derive(Debug)]
pub struct Connection {
    packets: Packets,
    server: Server,
    query_timeout: Duration,
}

impl Connection {
    /// Connects and authenticates.
    pub async fn open(target: &Target) -> Result<Self> {
        connect::open(target).await
    }

    /// The server.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Whether the server has neither ended it nor said anything unasked, as some do before they end one; looked at without asking it.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        matches!(self.packets.try_read().await, Ok(false))
    }

    /// Runs a statement and gives all its rows. After an error of the server the connection can be used on.
    pub async fn query(&mut self, sql: &str) -> Result<Vec<Row>> {
        let limit = self.query_timeout;
        let answered = async {
            self.packets.command(COM_QUERY, sql.as_bytes()).await?;
            answer::rows(&mut self.packets).await
        };
        if limit.is_zero() {
            return answered.await;
        }
        match tokio::time::timeout(limit, answered).await {
            Ok(rows) => rows,
            Err(_) => Err(
                Error::new(&error::TIMEOUT, "the server did not answer a query in time")
                    .context("limit_ms", limit.as_millis()),
            ),
        }
    }

    /// Runs a statement for which only success counts.
    pub async fn execute(&mut self, sql: &str) -> Result<()> {
        self.query(sql).await.map(|_| ())
    }

    /// Starts a query whose rows are read from [`Connection::packets`] as they come; gives how many columns they have.
    /// The rows end with a packet that [`answer::is_end`] knows.
    pub async fn select(&mut self, sql: &str) -> Result<usize> {
        self.packets.command(COM_QUERY, sql.as_bytes()).await?;
        match answer::head(&mut self.packets).await? {
            Reply::Columns(count) => Ok(count),
            Reply::Done => Err(error::protocol("a query has no rows and no columns")),
        }
    }

    /// The packets of a running query or dump.
    pub fn packets(&mut self) -> &mut Packets {
        &mut self.packets
    }

    /// Starts sending the binlog. Nothing else can be asked on this connection from here on.
    pub async fn dump(self, from: &DumpFrom<'_>) -> Result<Dump> {
        dump::start(self, from).await
    }

    /// Says goodbye; a server that does not listen any more is no error.
    pub async fn close(mut self) {
        let _ = self.packets.command(COM_QUIT, &[]).await;
        self.packets.shutdown().await;
    }
}

const COM_QUIT: u8 = 0x01;
const COM_QUERY: u8 = 0x03;
