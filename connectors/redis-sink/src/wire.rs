//! One connection: connect, log in, send commands, read replies.

use std::{io, sync::Arc, time::Duration};

use connect_core::{Error, Result};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::{
    address::Address,
    config::RedisConfig,
    error::{AUTH, PROTOCOL, TLS, broken, classify, late},
    resp::{Reply, whole},
    tls,
};

/// A connection that is logged in and has its database chosen.
pub(crate) struct Wire {
    stream: Box<dyn Stream>,
    read: Vec<u8>,
    taken: usize,
    limit: Duration,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// No reply to our commands is larger.
const LARGEST_REPLY: usize = 64 << 20;

impl Wire {
    /// Connects and logs in.
    pub(crate) async fn connect(config: &RedisConfig) -> Result<Self> {
        let address = config.address().map_err(Error::config)?;
        let limit = Duration::from_secs(config.timeout_seconds.0.into());
        let stream = timeout(limit, reach(config, &address))
            .await
            .map_err(|_| late())?
            .map_err(|err| err.context("server", format!("{}:{}", address.host, address.port)))?;
        let mut wire = Self {
            stream,
            read: Vec::with_capacity(16 * 1024),
            taken: 0,
            limit,
        };
        wire.log_in(&address).await?;
        if address.database != 0 {
            let number = address.database.to_string();
            wire.ask(&[b"SELECT", number.as_bytes()]).await?;
        }
        Ok(wire)
    }

    /// Sends commands as they are.
    pub(crate) async fn send(&mut self, commands: &[u8]) -> Result<()> {
        let sending = async {
            self.stream.write_all(commands).await?;
            self.stream.flush().await
        };
        timeout(self.limit, sending)
            .await
            .map_err(|_| late())?
            .map_err(broken)
    }

    /// The next reply, be it an error or not.
    pub(crate) async fn reply(&mut self) -> Result<Reply> {
        loop {
            let unread = self.read.get(self.taken..).unwrap_or(&[]);
            match Reply::parse(unread) {
                Ok(Some((reply, len))) => {
                    self.taken += len;
                    return Ok(reply);
                }
                Ok(None) if unread.len() < LARGEST_REPLY => self.fill().await?,
                _ => return Err(Error::new(&PROTOCOL, "the answer is not Redis's protocol")),
            }
        }
    }

    /// Sends one command; an error that Redis answers with is an error here.
    pub(crate) async fn ask(&mut self, words: &[&[u8]]) -> Result<Reply> {
        let mut command = Vec::new();
        whole(words, &mut command);
        self.send(&command).await?;
        match self.reply().await? {
            Reply::Error(answer) => Err(classify(&answer)),
            reply => Ok(reply),
        }
    }

    async fn fill(&mut self) -> Result<()> {
        self.read.drain(..self.taken);
        self.taken = 0;
        self.read.reserve(16 * 1024);
        let read = timeout(self.limit, self.stream.read_buf(&mut self.read))
            .await
            .map_err(|_| late())?
            .map_err(broken)?;
        if read == 0 {
            return Err(broken(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(())
    }

    /// `HELLO 3` with the login, or `AUTH` where the server is older than Redis 6.
    async fn log_in(&mut self, address: &Address) -> Result<()> {
        let user = address.username.as_deref().unwrap_or("default");
        let password = address.password.as_ref().map(|p| p.reveal());
        let mut hello: Vec<&[u8]> = vec![b"HELLO", b"3"];
        if let Some(password) = password {
            hello.extend([b"AUTH".as_slice(), user.as_bytes(), password.as_bytes()]);
        }
        hello.extend([b"SETNAME".as_slice(), b"tidewater"]);
        let mut command = Vec::new();
        whole(&hello, &mut command);
        self.send(&command).await?;
        match (self.reply().await?, password) {
            (Reply::Error(answer), _) if !is_old(&answer) => Err(refused(&answer)),
            (Reply::Error(_), Some(password)) => {
                let mut auth: Vec<&[u8]> = vec![b"AUTH"];
                auth.extend(address.username.as_deref().map(str::as_bytes));
                auth.push(password.as_bytes());
                self.ask(&auth).await.map(drop)
            }
            _ => Ok(()),
        }
    }
}

fn is_old(answer: &str) -> bool {
    answer.starts_with("NOPROTO") || answer.to_ascii_lowercase().contains("unknown command")
}

fn refused(answer: &str) -> Error {
    // Servers without a password answer so to one that has none.
    if answer.contains("without any password configured") {
        return Error::new(&AUTH, "Redis has no password, but `redis.password` has one");
    }
    classify(answer)
}

async fn reach(config: &RedisConfig, address: &Address) -> Result<Box<dyn Stream>> {
    let tls = match address.tls {
        true => {
            let tls = tls::settings(config);
            let connector = TlsConnector::from(Arc::new(tls.client()?));
            Some((connector, tls.server_name(&address.host)?))
        }
        false => None,
    };
    let tcp = TcpStream::connect((address.host.as_str(), address.port))
        .await
        .map_err(broken)?;
    tcp.set_nodelay(true).map_err(broken)?;
    match tls {
        None => Ok(Box::new(tcp)),
        Some((connector, name)) => match connector.connect(name, tcp).await {
            Ok(stream) => Ok(Box::new(stream)),
            // A certificate that does not hold today will not hold in a second.
            Err(err) if err.kind() == io::ErrorKind::InvalidData => {
                Err(Error::new(&TLS, "the TLS handshake with Redis failed").caused_by(err))
            }
            Err(err) => Err(broken(err)),
        },
    }
}
