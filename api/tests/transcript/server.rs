//! A worker with its REST API, on an embedded log in a folder that goes away with it.

use std::{fs, net::SocketAddr, sync::Arc, time::Duration};

use api::{Api, Loggers, RestConfig};
use connect_core::{Properties, plugin::Plugin};
use connect_log::embedded::{EmbeddedLog, EmbeddedOptions};
use connect_runtime::{Runtime, WorkerConfig};
use file_stream::{FileSink, FileSource};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// How long the worker gets to stop.
const STOP: Duration = Duration::from_secs(10);

/// A running server.
pub struct Server {
    pub address: SocketAddr,
    pub folder: TempDir,
    worker: connect_runtime::RunningWorker,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Starts it, with the files that the transcript names.
    pub async fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        fs::write(folder.path().join("in.txt"), "a\nb\nc\n").expect("a file");
        let secret = format!("path={}\n", folder.path().join("in2.txt").display());
        fs::write(folder.path().join("secret.properties"), secret).expect("a file");
        let any = ("listeners".to_owned(), "http://127.0.0.1:0".to_owned());
        let rest = RestConfig::read(&Properties::from([any])).expect("a configuration");
        let server = api::Server::bind(&rest).await.expect("a port");
        let address = server.addresses().remove(0);
        let address = address.strip_prefix("http://").expect("an address");
        let address: SocketAddr = address.parse().expect("an address");
        let given = Properties::from([
            ("listeners".to_owned(), format!("http://{address}")),
            ("offset.flush.interval.ms".to_owned(), "50".to_owned()),
        ]);
        let config = WorkerConfig::read(&given).expect("a configuration");
        let log = EmbeddedLog::open(&folder.path().join("log"), &EmbeddedOptions::default());
        let plugins = vec![Plugin::source::<FileSource>(), Plugin::sink::<FileSink>()];
        let started = Runtime::start(config, log.expect("a log"), plugins).await;
        let (herder, worker) = started.expect("a worker");
        let api = Api {
            herder,
            loggers: Loggers::new("INFO", Box::new(|_| Ok(()))),
            url: Arc::from(format!("http://{address}")),
            masks: true,
        };
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            // A gone sender means that the test ends.
            let _ = stopped.await;
        };
        let serving = tokio::spawn(server.serve(api, stopped));
        Self {
            address,
            folder,
            worker,
            stop,
            serving,
        }
    }

    /// Stops the worker, then the server.
    pub async fn stop(self) {
        self.worker.stop(STOP).await;
        self.stop.send(()).expect("it serves");
        self.serving.await.expect("it ends");
    }
}
