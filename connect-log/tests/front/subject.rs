//! A log with a front, and records in it.

use std::{
    future::Future,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use connect_core::Encoded;
use connect_log::{
    AppenderSpec, Log, TopicSpec,
    embedded::{EmbeddedLog, EmbeddedOptions},
    front,
};
use stack::{KafkaTools, Kcat};
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime, sync::watch, task::JoinHandle};

/// A log in a folder, served on a port.
pub(super) struct Subject {
    pub(super) log: Arc<EmbeddedLog>,
    bootstrap: String,
    runtime: Runtime,
    stop: watch::Sender<bool>,
    served: Option<JoinHandle<connect_core::Result<()>>>,
    folder: Arc<TempDir>,
}

/// One record to append.
#[derive(Debug, Clone, Default)]
pub(super) struct Given<'a> {
    pub(super) partition: Option<i32>,
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
    pub(super) time: i64,
    pub(super) headers: Vec<(&'a str, Option<&'a [u8]>)>,
}

impl Subject {
    pub(super) fn start() -> Self {
        Self::over(Arc::new(tempfile::tempdir().expect("a folder")), 0)
    }

    fn over(folder: Arc<TempDir>, port: u16) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let log = open(folder.path());
        let (stop, mut stopped) = watch::channel(false);
        let (served, bootstrap) = runtime.block_on(async {
            let listener = TcpListener::bind(("127.0.0.1", port)).await;
            let listener = listener.expect("a port");
            let address = listener.local_addr().expect("an address");
            let ended = async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            let served = tokio::spawn(front::serve(listener, Arc::clone(&log), None, ended));
            (served, address.to_string())
        });
        Self {
            log,
            bootstrap,
            runtime,
            stop,
            served: Some(served),
            folder,
        }
    }

    /// The log closed and opened again, served on the same port.
    pub(super) fn restart(mut self) -> Self {
        let port = self
            .bootstrap
            .rsplit_once(':')
            .map(|(_, port)| port.parse());
        let port = port.expect("a port").expect("a number");
        let folder = Arc::clone(&self.folder);
        self.end();
        drop(self);
        Self::over(folder, port)
    }

    /// Ends the front, in order.
    pub(super) fn end(&mut self) {
        self.stop.send_replace(true);
        if let Some(served) = self.served.take() {
            let served = self.runtime.block_on(served);
            served.expect("no panic").expect("an orderly end");
        }
    }

    pub(super) fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    pub(super) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub(super) fn topic(&self, spec: TopicSpec) -> Arc<str> {
        self.run(self.log.create_topics(std::slice::from_ref(&spec)))
            .expect("a topic");
        spec.name
    }

    /// Appends records and waits until they are durable.
    pub(super) fn append(&self, topic: &Arc<str>, given: &[Given<'_>]) {
        let mut records = Encoded::default();
        for one in given {
            let record = records.push(topic, one.key, one.value, one.time);
            record.partition = one.partition;
            for (name, value) in &one.headers {
                records.push_header(*name, *value);
            }
        }
        self.append_encoded(&records);
    }

    pub(super) fn append_encoded(&self, records: &Encoded) {
        self.run(async {
            let mut appender = self.log.appender(AppenderSpec::default()).await?;
            let taken = appender.append(records).await?;
            assert!(taken.refused.is_empty(), "{:?}", taken.refused);
            appender.commit(None).await
        })
        .expect("durable");
    }

    /// So many records with numbers as values.
    pub(super) fn count_up(&self, topic: &Arc<str>, of: std::ops::Range<usize>) {
        let mut records = Encoded::default();
        for number in of {
            let key = format!("key-{}", number % 100);
            let value = format!("value number {number} of a topic that is not small");
            records.push(
                topic,
                Some(key.as_bytes()),
                Some(value.as_bytes()),
                1_700_000_000_000 + number as i64,
            );
            if records.len() == 2000 {
                self.append_encoded(&records);
                records.clear();
            }
        }
        self.append_encoded(&records);
    }

    pub(super) fn kcat(&self) -> Kcat {
        Kcat::at(&self.bootstrap).expect("kcat")
    }

    pub(super) fn tools(&self) -> KafkaTools {
        KafkaTools::at(&self.bootstrap)
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.end();
        }
    }
}

fn open(folder: &Path) -> Arc<EmbeddedLog> {
    EmbeddedLog::open(folder, &EmbeddedOptions::default()).expect("a log")
}

/// A topic whose records are kept whatever their times.
pub(super) fn kept(name: &str, partitions: i32) -> TopicSpec {
    TopicSpec::new(name, partitions).setting("retention.ms", "-1")
}

/// What a command prints and how it ends, also when it fails.
pub(super) fn output(command: &mut Command) -> (String, String) {
    let output = command.stdin(Stdio::null()).output().expect("it starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}
