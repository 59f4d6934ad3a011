//! A worker on a log in memory.

use std::{sync::Arc, time::Duration};

use connect_core::{Encoded, Properties, Result, plugin::Plugin};
use connect_log::{At, Event, Log, ReaderSpec, TopicPartition, memory::MemoryLog};
use connect_runtime::{
    ConnectorStatus, GivenConfig, Herder, RunningWorker, Runtime, State, WorkerConfig,
};

use super::{collecting::Collecting, counting::Counting};

/// How long a condition may take. It is only reached when something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Worker {
    pub herder: Herder,
    pub running: RunningWorker,
    pub log: Arc<dyn Log>,
}

pub fn plugins() -> Vec<Plugin> {
    vec![Plugin::source::<Counting>(), Plugin::sink::<Collecting>()]
}

impl Worker {
    pub async fn start(properties: &[(&str, &str)]) -> Self {
        Self::start_on(MemoryLog::new(), properties).await
    }

    pub async fn start_on(log: Arc<dyn Log>, properties: &[(&str, &str)]) -> Self {
        let _ = tracing_subscriber::fmt().with_test_writer().try_init();
        let mut given: Properties = properties
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        for (name, value) in [
            ("offset.storage.partitions", "2"),
            ("offset.advance.interval.ms", "10"),
            ("key.converter.schemas.enable", "false"),
            ("value.converter.schemas.enable", "false"),
        ] {
            given
                .entry(name.to_owned())
                .or_insert_with(|| value.to_owned());
        }
        let config = WorkerConfig::read(&given).unwrap();
        let (herder, running) = Runtime::start(config, Arc::clone(&log), plugins())
            .await
            .unwrap();
        Self {
            herder,
            running,
            log,
        }
    }

    /// Stops it and gives back the log.
    pub async fn stop(self) -> Arc<dyn Log> {
        self.running.stop(Duration::from_secs(10)).await;
        self.log
    }

    pub async fn create(&self, name: &str, config: &[(&str, &str)]) {
        self.herder.create(name, given(config), None).await.unwrap();
    }

    /// Waits until the task has this state, and gives the status.
    pub async fn task_is(&self, name: &str, state: State) -> ConnectorStatus {
        until(&format!("task {name}-0 is {state:?}"), async || {
            let status = self.herder.status(name).await.ok()?;
            (status.tasks.first()?.state == state).then_some(status)
        })
        .await
    }

    /// All records of a topic: keys, values and headers as text.
    pub async fn records(&self, topic: &str) -> Vec<Read> {
        records(&self.log, topic).await
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    pub key: Option<String>,
    pub value: Option<String>,
    pub headers: Vec<(String, String)>,
}

pub async fn records(log: &Arc<dyn Log>, topic: &str) -> Vec<Read> {
    let Some(info) = log.topic(topic).await.unwrap() else {
        return Vec::new();
    };
    let mut from = std::collections::BTreeMap::new();
    for partition in 0..info.partitions {
        let at = TopicPartition::new(topic, partition);
        let start = log.offset_at(&at, At::Earliest).await.unwrap();
        from.insert(at, start);
    }
    let mut reader = log.reader(ReaderSpec::default()).await.unwrap();
    reader.assign(&from).await.unwrap();
    let mut read = Vec::new();
    let mut records = Encoded::default();
    loop {
        records.clear();
        let event = reader
            .poll(&mut records, Duration::from_millis(100))
            .await
            .unwrap();
        if event == Event::Idle && reader.lag().values().all(|lag| *lag == 0) {
            return read;
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        read.extend(records.records.iter().map(|record| {
            Read {
                key: records.key(record).map(text),
                value: records.value(record).map(text),
                headers: records
                    .headers(record)
                    .iter()
                    .map(|h| {
                        (
                            h.name.to_string(),
                            h.value
                                .as_ref()
                                .map(|v| text(records.slice(v)))
                                .unwrap_or_default(),
                        )
                    })
                    .collect(),
            }
        }));
    }
}

pub fn given(config: &[(&str, &str)]) -> GivenConfig {
    config
        .iter()
        .map(|(k, v)| ((*k).to_owned(), Some((*v).to_owned())))
        .collect()
}

/// A counting source from an upstream of this name into a topic of this name.
pub fn counting(name: &str) -> Vec<(&str, &str)> {
    vec![
        ("connector.class", "test.CountingSourceConnector"),
        ("upstream", name),
        ("topic", name),
    ]
}

/// A collecting sink of a topic into a destination.
pub fn collecting<'a>(topic: &'a str, destination: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("connector.class", "CollectingSink"),
        ("topics", topic),
        ("destination", destination),
    ]
}

/// For a source whose topic has one partition and takes no record over 10 kB.
pub const SMALL_TOPIC: [(&str, &str); 3] = [
    ("topic.creation.default.partitions", "1"),
    ("topic.creation.default.replication.factor", "1"),
    ("topic.creation.default.max.message.bytes", "10000"),
];

/// Asks again and again until there is an answer.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asked = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asked)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"))
}

/// The HTTP status and the text of a refusal.
pub fn refused<T>(answer: Result<T>) -> (u16, String) {
    let error = answer.err().expect("it is refused");
    (error.code().status, error.to_string())
}
