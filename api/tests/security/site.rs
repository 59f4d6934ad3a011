//! A worker with its REST API in this process, and a client that sends bytes.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use api::{Api, Loggers, RestConfig, Server};
use connect_core::{Properties, plugin::Plugin};
use connect_log::embedded::{EmbeddedLog, EmbeddedOptions};
use connect_runtime::{Herder, Logs, RunningWorker, Runtime, Witness, WorkerConfig};
use file_stream::{FileSink, FileSource};
use rustls::{ClientConfig, pki_types::ServerName};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// No answer takes longer.
const LIMIT: Duration = Duration::from_secs(60);

/// A worker that answers on several servers.
pub struct Site {
    pub folder: TempDir,
    pub herder: Herder,
    pub logs: Logs,
    worker: RunningWorker,
    stop: watch::Sender<bool>,
    serving: Vec<JoinHandle<()>>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// In small letters, as they came.
    pub head: String,
    pub body: String,
}

impl Answer {
    /// The value of a header, its name in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Site {
    /// A worker without servers.
    pub async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let log = EmbeddedLog::open(&folder.path().join("log"), &EmbeddedOptions::default());
        let plugins = vec![Plugin::source::<FileSource>(), Plugin::sink::<FileSink>()];
        let (config, witness) = (WorkerConfig::default(), Witness::default());
        let logs = witness.logs.clone();
        let started = Runtime::start_with(config, log.unwrap(), plugins, witness).await;
        let (herder, worker) = started.unwrap();
        Self {
            folder,
            herder,
            logs,
            worker,
            stop: watch::channel(false).0,
            serving: Vec::new(),
        }
    }

    /// A file in the site's folder; gives its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Starts a server with these properties; gives the address of each listener.
    pub async fn serve(&mut self, properties: &[(&str, &str)]) -> Vec<SocketAddr> {
        let server = bind(properties).await.unwrap();
        let addresses = server.addresses();
        let api = Api {
            herder: self.herder.clone(),
            loggers: Loggers::new("INFO", Box::new(|_| Ok(()))),
            url: Arc::from("http://site"),
            masks: !properties.contains(&("rest.secrets.masked", "false")),
        };
        let mut stopped = self.stop.subscribe();
        let stopped = async move {
            // A gone sender means that the test ends.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        self.serving.push(tokio::spawn(server.serve(api, stopped)));
        let address = |text: &String| text.rsplit_once('/').unwrap().1.parse().unwrap();
        addresses.iter().map(address).collect()
    }

    /// Ends the worker, then the servers, as the program does.
    pub async fn stop_worker_first(self) {
        self.worker.stop(LIMIT).await;
        self.stop.send_replace(true);
        for serving in self.serving {
            serving.await.unwrap();
        }
    }

    /// Ends everything.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for serving in self.serving {
            serving.await.unwrap();
        }
        self.worker.stop(LIMIT).await;
    }
}

/// Binds a server on a free port, unless the properties say where.
pub async fn bind(properties: &[(&str, &str)]) -> connect_core::Result<Server> {
    let any = ("listeners".to_owned(), "http://127.0.0.1:0".to_owned());
    let given = properties
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    let given: Properties = [any].into_iter().chain(given).collect();
    Server::bind(&RestConfig::read(&given)?).await
}

/// One request with header lines (each with its end) and a JSON body.
pub async fn ask(to: SocketAddr, line: &str, headers: &str, body: &str) -> Answer {
    let stream = TcpStream::connect(to).await.unwrap();
    send(stream, &request(line, headers, body)).await.unwrap()
}

/// The same over TLS.
pub async fn ask_tls(to: SocketAddr, client: ClientConfig, line: &str) -> std::io::Result<Answer> {
    let stream = TcpStream::connect(to).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(client))
        .connect(name, stream)
        .await?;
    send(stream, &request(line, "", "")).await
}

fn request(line: &str, headers: &str, body: &str) -> String {
    let ty = if body.is_empty() {
        ""
    } else {
        "Content-Type: application/json\r\n"
    };
    let length = body.len();
    format!(
        "{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{ty}{headers}Content-Length: {length}\r\n\r\n{body}"
    )
}

/// Bytes as they are, and all that comes back.
pub async fn send(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    bytes: &str,
) -> std::io::Result<Answer> {
    // Who refuses early may close before it has read all.
    let _ = stream.write_all(bytes.as_bytes()).await;
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match timeout(LIMIT, stream.read(&mut chunk)).await.unwrap() {
            Ok(0) => break,
            Ok(read) => answer.extend_from_slice(&chunk[..read]),
            Err(error) if answer.is_empty() => return Err(error),
            Err(_) => break,
        }
    }
    let text = String::from_utf8(answer).unwrap();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return Err(std::io::Error::other(format!("no answer: {text:?}")));
    };
    Ok(Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    })
}
