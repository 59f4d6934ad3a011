//! Which brokers there are and which of them leads what.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use connect_core::{Error, Result};
use kafka_protocol::{
    messages::{
        MetadataRequest, MetadataResponse, TopicName, metadata_request::MetadataRequestTopic,
    },
    protocol::{Request, StrBytes},
};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use super::{
    codes::{Verdict, verdict},
    connection::{Connection, unavailable},
    dial::Dial,
};
use crate::{UNKNOWN_TOPIC, kafka::client::Health};

/// How long a topic that was just created may take to appear at every broker.
const APPEARS: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);
const METADATA: i16 = 9;

/// Shared by all that one client does.
pub(in crate::kafka) struct Cluster {
    bootstrap: Vec<String>,
    pub(in crate::kafka) dial: Dial,
    pub(in crate::kafka) health: Health,
    known: Mutex<Known>,
    /// To any broker, for questions that every one can answer.
    any: tokio::sync::Mutex<Option<Connection>>,
    /// Whom to try first: a broker that takes connections and never answers does not stand in the way for ever.
    first: AtomicUsize,
}

#[derive(Default)]
struct Known {
    brokers: BTreeMap<i32, String>,
    /// Leaders by partition; -1 without one.
    topics: FxHashMap<Arc<str>, Vec<i32>>,
}

impl Cluster {
    pub(in crate::kafka) fn new(bootstrap: &str, dial: Dial, health: Health) -> Self {
        let bootstrap = bootstrap
            .split(',')
            .map(|address| address.trim().to_owned());
        Self {
            bootstrap: bootstrap.filter(|address| !address.is_empty()).collect(),
            dial,
            health,
            known: Mutex::default(),
            any: tokio::sync::Mutex::new(None),
            first: AtomicUsize::new(0),
        }
    }

    /// The leader of a partition and its address, as far as they are known.
    pub(in crate::kafka) fn leader(&self, topic: &str, index: i32) -> Option<(i32, String)> {
        let known = self.known.lock();
        let leader = *known.topics.get(topic)?.get(usize::try_from(index).ok()?)?;
        Some((leader, known.brokers.get(&leader)?.clone()))
    }

    /// How many partitions a topic has, as far as it is known.
    pub(in crate::kafka) fn partitions(&self, topic: &str) -> Option<i32> {
        let known = self.known.lock();
        known
            .topics
            .get(topic)
            .and_then(|leaders| i32::try_from(leaders.len()).ok())
    }

    /// Learns of topics, waiting for those that were just created.
    pub(in crate::kafka) async fn learn(&self, topics: &[Arc<str>]) -> Result<()> {
        let all = async {
            loop {
                match self.refresh(topics).await {
                    Ok(()) => return Ok(()),
                    // A cluster that is away is waited for too: nothing has been taken yet.
                    Err(err) if err.code() == &crate::UNAUTHORIZED => return Err(err),
                    Err(_) => tokio::time::sleep(PAUSE).await,
                }
            }
        };
        match tokio::time::timeout(APPEARS, all).await {
            Ok(done) => done,
            Err(_) => self.refresh(topics).await,
        }
    }

    /// Asks once. Fails when a topic has no partitions yet.
    pub(in crate::kafka) async fn refresh(&self, topics: &[Arc<str>]) -> Result<()> {
        let named: Vec<&str> = topics.iter().map(|topic| &**topic).collect();
        let answer = self.metadata(Some(&named)).await?;
        self.note(topics, &answer)
    }

    /// What any broker knows of topics, or of all of them. Makes none.
    pub(in crate::kafka) async fn metadata(
        &self,
        topics: Option<&[&str]>,
    ) -> Result<MetadataResponse> {
        let named = |name: &&str| {
            let name = TopicName(StrBytes::from_string((*name).to_owned()));
            MetadataRequestTopic::default().with_name(Some(name))
        };
        let request = MetadataRequest::default()
            .with_topics(topics.map(|topics| topics.iter().map(named).collect()))
            .with_allow_auto_topic_creation(false);
        let answer = self.ask_any(&request, METADATA).await?;
        self.known.lock().brokers = answer
            .brokers
            .iter()
            .map(|broker| (broker.node_id.0, address(&broker.host, broker.port)))
            .collect();
        Ok(answer)
    }

    fn note(&self, topics: &[Arc<str>], answer: &MetadataResponse) -> Result<()> {
        let mut known = self.known.lock();
        let mut missing = Ok(());
        for topic in topics {
            let found = answer
                .topics
                .iter()
                .find(|t| t.name.as_ref().is_some_and(|n| *n.0 == **topic));
            let Some(found) = found else {
                missing = Err(nowhere(topic));
                continue;
            };
            if let Verdict::Again(err) | Verdict::Never(err) =
                verdict("find a topic", found.error_code)
            {
                missing = Err(err.context("topic", topic));
                continue;
            }
            let mut leaders = vec![-1; found.partitions.len()];
            for partition in &found.partitions {
                let index = usize::try_from(partition.partition_index).unwrap_or(usize::MAX);
                if let Some(leader) = leaders.get_mut(index) {
                    *leader = partition.leader_id.0;
                }
            }
            known.topics.insert(Arc::clone(topic), leaders);
        }
        missing
    }

    /// Asks any broker, trying those that are known one after the other.
    pub(in crate::kafka) async fn ask_any<R: Request>(
        &self,
        request: &R,
        newest: i16,
    ) -> Result<R::Response> {
        let mut any = self.any.lock().await;
        // Taken out, so that a question that is given up takes its connection along.
        if let Some(mut connection) = any.take()
            && let Ok(answer) = connection.ask(request, newest).await
        {
            *any = Some(connection);
            return Ok(answer);
        }
        let mut why = unavailable("no broker is known");
        for address in self.addresses() {
            match self.open(&address).await {
                Ok(mut connection) => match connection.ask(request, newest).await {
                    Ok(answer) => {
                        *any = Some(connection);
                        return Ok(answer);
                    }
                    Err(err) => why = err,
                },
                Err(err) => why = err,
            }
        }
        self.health.ill_because(&why);
        Err(why)
    }

    /// A new connection.
    pub(in crate::kafka) async fn open(&self, address: &str) -> Result<Connection> {
        let connection = Connection::open(address, &self.dial).await?;
        self.health.well();
        Ok(connection)
    }

    /// All brokers, each time another one first.
    fn addresses(&self) -> Vec<String> {
        let mut addresses: Vec<String> = self.known.lock().brokers.values().cloned().collect();
        addresses.extend(
            self.bootstrap
                .iter()
                .filter(|a| !addresses.contains(a))
                .cloned()
                .collect::<Vec<_>>(),
        );
        let first = self.first.fetch_add(1, Ordering::Relaxed);
        let first = first.checked_rem(addresses.len()).unwrap_or(0);
        addresses.rotate_left(first);
        addresses
    }
}

/// The address of a broker, as it is connected to.
pub(in crate::kafka) fn address(host: &str, port: i32) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

fn nowhere(topic: &str) -> Error {
    Error::new(&UNKNOWN_TOPIC, "the topic does not exist").context("topic", topic)
}
