//! The log itself: settings in, appenders and readers out.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use connect_core::{BoxFuture, Error, Result};

use super::{
    admin::Admin,
    appender::{KafkaAppender, Limits},
    client::Health,
    consumer::KafkaReader,
    member,
    producer::{Terms, Threads},
    properties::Properties,
    room,
    settings::{self, Settings},
    topics::Topics,
};
use crate::{
    Append, AppenderSpec, At, Log, Member, MemberSpec, Read, ReaderSpec, TopicInfo, TopicPartition,
    TopicSpec,
};

/// Topics of a Kafka cluster.
pub struct KafkaLog {
    settings: Settings,
    admin: Admin,
    topics: Topics,
    health: Health,
    senders: Threads,
    /// Whether the cluster has ever answered.
    is_met: AtomicBool,
}

/// What producers are unless the user says otherwise.
const PRODUCER: [(&str, &str); 4] = [
    ("compression.type", "lz4"),
    ("batch.size", "1000000"),
    // An outage may last so long before the appender gives up.
    ("delivery.timeout.ms", "120000"),
    ("transaction.timeout.ms", "60000"),
];

/// What readers are unless the user says otherwise. The queue is small because it is held per reader.
const READER: [(&str, &str); 7] = [
    ("isolation.level", "read_committed"),
    ("auto.offset.reset", "earliest"),
    ("partition.assignment.strategy", "cooperative-sticky"),
    ("queued.max.messages.kbytes", "4096"),
    ("fetch.max.bytes", "4194304"),
    // New topics under a subscribed name are found this soon.
    ("metadata.max.age.ms", "5000"),
    ("check.crcs", "true"),
];

impl KafkaLog {
    /// Connects in the background: fails only for settings that the client refuses.
    ///
    /// `settings` are Kafka's client properties (`bootstrap.servers`, `security.protocol`, …), for all clients.
    pub fn connect(settings: &BTreeMap<String, String>) -> Result<Arc<Self>> {
        if !settings.contains_key("bootstrap.servers") {
            return Err(Error::new(
                &crate::SETTING,
                "`bootstrap.servers` is missing",
            ));
        }
        let health = Health::default();
        let mut config = Properties::default();
        settings::apply(&mut config, &only_shared(settings))?;
        let senders = Threads::default();
        let admin = Admin::new(&config, &health, &senders)?;
        Ok(Arc::new(Self {
            settings: settings.clone(),
            topics: Topics::new(admin.clone()),
            admin,
            health,
            senders,
            is_met: AtomicBool::new(false),
        }))
    }

    /// The trouble that the clients have with the cluster at the moment, if any.
    pub fn trouble(&self) -> Option<Error> {
        self.health.trouble()
    }

    fn config(
        &self,
        defaults: &[(&str, &str)],
        own: &Settings,
        client_id: &str,
    ) -> Result<Properties> {
        let mut config = Properties::default();
        for (name, value) in defaults {
            config.set(name, *value);
        }
        if !client_id.is_empty() {
            config.set("client.id", client_id);
        }
        settings::apply(&mut config, &self.settings)?;
        settings::apply(&mut config, own)?;
        Ok(config)
    }

    fn producer(
        &self,
        own: &Settings,
        client_id: &str,
        transactional_id: Option<&str>,
    ) -> Result<Properties> {
        let mut config = self.config(&PRODUCER, own, client_id)?;
        if let Some(id) = transactional_id {
            config.set("transactional.id", id);
        }
        Ok(config)
    }

    fn limits(config: &Properties) -> Limits {
        Limits {
            request: config.number("max.request.size"),
            room: config.number("buffer.memory").unwrap_or(room::BYTES),
            compressed: config.get("compression.type") != Some("none"),
        }
    }

    async fn new_appender(&self, spec: AppenderSpec) -> Result<KafkaAppender> {
        let id = spec.transactional_id.as_deref();
        let config = self.producer(&spec.settings, &spec.client_id, id)?;
        let limits = Self::limits(&config);
        let (topics, admin) = (self.topics.clone(), self.admin.clone());
        let health = self.health.clone();
        let terms = Terms {
            lease: spec.lease,
            pace: spec.pace,
        };
        let mut appender =
            KafkaAppender::start(&self.senders, &config, terms, limits, topics, admin, health)
                .await?;
        appender.clean(&spec.cleans).await?;
        Ok(appender)
    }

    /// Waits until brokers know the topics that the controller has created.
    async fn until_known(&self, topics: &[TopicSpec]) -> Result<()> {
        let names: Vec<&str> = topics.iter().map(|topic| &*topic.name).collect();
        let all_known = async {
            while self
                .admin
                .settings(&names)
                .await?
                .iter()
                .any(Option::is_none)
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(())
        };
        let late = || Error::new(&crate::UNAVAILABLE, "new topics do not appear");
        tokio::time::timeout(Admin::LIMIT, all_known)
            .await
            .unwrap_or_else(|_| Err(late()))
    }
}

/// How long a broker may take to see the controller's changes of a topic.
const SEEN: Duration = Duration::from_secs(2);

impl KafkaLog {
    async fn until_altered(&self, name: &str, settings: &BTreeMap<String, String>) -> Result<()> {
        loop {
            let found = self.admin.settings(&[name]).await?.pop().flatten();
            let found = found.unwrap_or_default();
            if settings
                .iter()
                .all(|(name, value)| found.get(name) == Some(value))
            {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Log for KafkaLog {
    fn cluster_id(&self) -> BoxFuture<'_, Result<String>> {
        Box::pin(self.admin.cluster_id())
    }

    fn create_topics<'a>(&'a self, topics: &'a [TopicSpec]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            if topics.is_empty() {
                return Ok(());
            }
            self.admin.create(topics).await?;
            self.until_known(topics).await
        })
    }

    fn alter_topic<'a>(
        &'a self,
        name: &'a str,
        settings: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.admin.alter(name, settings).await?;
            let seen = tokio::time::timeout(SEEN, self.until_altered(name, settings)).await;
            self.topics.forget(name);
            // A broker may write a value in another way; then nothing is wrong.
            seen.unwrap_or(Ok(()))
        })
    }

    fn delete_topic<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.admin.delete(name).await?;
            self.topics.forget(name);
            Ok(())
        })
    }

    fn partitions<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<i32>>> {
        Box::pin(self.admin.partitions(name))
    }

    fn topic<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<TopicInfo>>> {
        Box::pin(self.admin.topic(name))
    }

    fn topics(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        Box::pin(self.admin.topics())
    }

    fn offset_at<'a>(&'a self, of: &'a TopicPartition, at: At) -> BoxFuture<'a, Result<i64>> {
        Box::pin(self.admin.offset_at(of, at))
    }

    fn ends<'a>(
        &'a self,
        topic: &'a str,
        partitions: i32,
    ) -> BoxFuture<'a, Result<BTreeMap<i32, i64>>> {
        Box::pin(self.admin.ends(topic, partitions))
    }

    fn delete_records<'a>(
        &'a self,
        of: &'a TopicPartition,
        before: i64,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.admin.delete_records(of, before))
    }

    fn group_offsets<'a>(
        &'a self,
        group: &'a str,
    ) -> BoxFuture<'a, Result<BTreeMap<TopicPartition, i64>>> {
        Box::pin(self.admin.group_offsets(group))
    }

    fn alter_group_offsets<'a>(
        &'a self,
        group: &'a str,
        offsets: &'a BTreeMap<TopicPartition, Option<i64>>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.admin.alter_group_offsets(group, offsets))
    }

    fn delete_group<'a>(&'a self, group: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.admin.delete_group(group))
    }

    fn appender(&self, spec: AppenderSpec) -> BoxFuture<'_, Result<Box<dyn Append>>> {
        Box::pin(async move { Ok(Box::new(self.new_appender(spec).await?) as _) })
    }

    fn reader(&self, spec: ReaderSpec) -> BoxFuture<'_, Result<Box<dyn Read>>> {
        Box::pin(async move {
            let config = self.config(&READER, &spec.settings, &spec.client_id)?;
            let most = config.number("max.poll.records");
            let health = self.health.clone();
            let reader = KafkaReader::start(&self.senders, &config, spec.group, most, health)?;
            Ok(Box::new(reader) as _)
        })
    }

    fn join(&self, spec: MemberSpec) -> BoxFuture<'_, Result<Member>> {
        Box::pin(async move {
            let config = self.config(&[], &Settings::new(), &spec.client_id)?;
            member::join(&config, &self.health, spec)
        })
    }

    /// A client without traffic is not told that the cluster has gone or come back, nor that it was never there, so it is asked.
    fn health(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            let trouble = self.health.trouble();
            let reached = self.admin.reach().await;
            if trouble.is_none() && self.is_met.load(Ordering::Acquire) {
                // A broker that is only slow is no trouble; one that nobody can connect to is.
                return self.health.trouble().map_or(Ok(()), Err);
            }
            reached.map_err(|error| trouble.unwrap_or(error))?;
            self.is_met.store(true, Ordering::Release);
            self.health.well();
            Ok(())
        })
    }

    /// A producer that initialises its transactions fences the older ones of its id; it is dropped at once.
    fn fence<'a>(&'a self, transactional_ids: &'a [String]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            for id in transactional_ids {
                let spec = AppenderSpec {
                    client_id: format!("fence-{id}"),
                    transactional_id: Some(id.clone()),
                    ..AppenderSpec::default()
                };
                self.new_appender(spec)
                    .await
                    .map_err(|err| err.context("transactional.id", id))?;
            }
            Ok(())
        })
    }
}

/// The properties that are not of producers and consumers alone: for the administration client.
fn only_shared(settings: &Settings) -> Settings {
    let shared = [
        "bootstrap.",
        "security.",
        "sasl.",
        "ssl.",
        "client.",
        "socket.",
        "reconnect.",
        "request.timeout.",
    ];
    let is_shared = |name: &str| shared.iter().any(|prefix| name.starts_with(prefix));
    settings
        .iter()
        .filter(|(name, _)| is_shared(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
