//! Topics, offsets and groups of the cluster, through one client.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    thread,
    time::Duration,
};

use connect_core::{Error, Result, error::INTERNAL};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{
        AdminClient, AdminOptions, ConfigResource, ConfigSource, NewTopic, ResourceSpecifier,
        TopicReplication,
    },
    config::FromClientConfigAndContext,
    error::KafkaError,
    types::RDKafkaErrorCode as Kafka,
};

use super::{
    client::{Context, Health},
    error::{failed, failed_with},
    native::{self, Outcome},
    patience::Patience,
    wire,
};
use crate::{At, TopicInfo, TopicPartition, TopicSpec};

/// Topics that Kafka keeps for itself.
const INTERNAL_TOPICS: [&str; 4] = [
    "__consumer_offsets",
    "__transaction_state",
    "__share_group_state",
    "__cluster_metadata",
];

/// Defaults that [`TopicInfo`] tells even when nobody set them.
const TOLD_DEFAULTS: [&str; 2] = ["cleanup.policy", "max.message.bytes"];

/// The one client for administration.
#[derive(Clone)]
pub(super) struct Admin {
    client: Arc<AdminClient<Context>>,
    config: ClientConfig,
    health: Health,
}

impl Admin {
    /// How long a request may take.
    pub(super) const LIMIT: Duration = Duration::from_secs(30);
    /// Topics whose settings are asked for at once: a broker tells 35 of each, with their origins.
    const AT_ONCE: usize = 100;

    /// Connects in the background.
    pub(super) fn new(config: &ClientConfig, health: &Health) -> Result<Self> {
        let client = AdminClient::from_config_and_context(config, Context(health.clone()));
        let client = client.map_err(|err| failed("make a client for administration", err))?;
        let client = Arc::new(client);
        serve(Arc::downgrade(&client))?;
        Ok(Self {
            client,
            config: config.clone(),
            health: health.clone(),
        })
    }

    pub(super) async fn cluster_id(&self) -> Result<String> {
        let id = self
            .blocking(|client| client.inner().fetch_cluster_id(Self::LIMIT))
            .await?;
        id.ok_or_else(|| {
            self.explain(failed_with(
                "ask for the cluster's id",
                Kafka::OperationTimedOut,
            ))
        })
    }

    /// Asks any broker for anything.
    pub(super) async fn reach(&self) -> Result<()> {
        const LIMIT: Duration = Duration::from_secs(2);
        let ask = |client: &AdminClient<Context>| client.inner().fetch_metadata(Some(""), LIMIT);
        let asked = self.blocking(move |client| ask(client).map(drop)).await?;
        asked.map_err(|err| self.failed("reach the Kafka cluster", err))
    }

    /// Creates topics; one that exists is left as it is.
    pub(super) async fn create(&self, topics: &[TopicSpec]) -> Result<()> {
        /// So long a busy broker may be missing among those that can have replicas.
        const LIMIT: Duration = Duration::from_secs(5);
        let specs: Vec<NewTopic<'_>> = topics.iter().map(new_topic).collect();
        let mut patience = Patience::new(LIMIT);
        while let Some((name, code)) = self.create_once(&specs).await? {
            if !patience.again(code).await {
                return Err(failed_with("create a topic", code).context("topic", name));
            }
        }
        Ok(())
    }

    /// The first topic that was refused.
    async fn create_once(&self, specs: &[NewTopic<'_>]) -> Result<Option<(String, Kafka)>> {
        let results = self.client.create_topics(specs, &options()).await;
        let results = results.map_err(|err| self.failed("create topics", err))?;
        let refused = |result: &(String, Kafka)| result.1 != Kafka::TopicAlreadyExists;
        Ok(results
            .into_iter()
            .filter_map(std::result::Result::err)
            .find(refused))
    }

    pub(super) async fn alter(
        &self,
        name: &str,
        settings: &BTreeMap<String, String>,
    ) -> Result<()> {
        let (topic, settings) = (name.to_owned(), settings.clone());
        let done = self.native("change a topic's settings", move |client| {
            native::alter_topic(client.inner(), &topic, settings.iter(), Self::LIMIT)
        });
        done.await.map_err(|err| err.context("topic", name))
    }

    pub(super) async fn delete(&self, name: &str) -> Result<()> {
        let results = self.client.delete_topics(&[name], &options()).await;
        for result in results.map_err(|err| self.failed("delete a topic", err))? {
            match result {
                Ok(_) | Err((_, Kafka::UnknownTopicOrPartition)) => {}
                Err((name, code)) => {
                    return Err(failed_with("delete a topic", code).context("topic", name));
                }
            }
        }
        Ok(())
    }

    /// Settings by topic, in the order of the names; `None` for a topic that does not exist.
    pub(super) async fn settings(
        &self,
        names: &[&str],
    ) -> Result<Vec<Option<BTreeMap<String, String>>>> {
        let mut found = Vec::with_capacity(names.len());
        for some in names.chunks(Self::AT_ONCE) {
            self.settings_of(some, &mut found).await?;
        }
        Ok(found)
    }

    async fn settings_of(
        &self,
        names: &[&str],
        found: &mut Vec<Option<BTreeMap<String, String>>>,
    ) -> Result<()> {
        let topics: Vec<_> = names
            .iter()
            .map(|name| ResourceSpecifier::Topic(name))
            .collect();
        let results = self.client.describe_configs(&topics, &options()).await;
        let results = results.map_err(|err| self.failed("describe topics", err))?;
        // All topics are asked of one broker, which answers in the order of the question.
        for (name, result) in names.iter().zip(results) {
            let settings = result.map(|resource| told(&resource)).unwrap_or_default();
            // The binding shows an unknown topic, and one that we may not describe, as one without settings.
            let exists = !settings.is_empty() || self.partitions(name).await? > 0;
            found.push(exists.then_some(settings));
        }
        Ok(())
    }

    /// How many partitions a topic has; 0 when there is none.
    async fn partitions(&self, name: &str) -> Result<usize> {
        let topic = name.to_owned();
        let metadata = self.blocking(move |client| {
            let metadata = client.inner().fetch_metadata(Some(&topic), Self::LIMIT)?;
            let found = metadata.topics().iter().find(|found| found.name() == topic);
            Ok(found.map_or(0, |found| found.partitions().len()))
        });
        let partitions: Result<usize, KafkaError> = metadata.await?;
        partitions.map_err(|err| self.failed("describe a topic", err))
    }

    pub(super) async fn topic(&self, name: &str) -> Result<Option<TopicInfo>> {
        let Some(settings) = self.settings(&[name]).await?.pop().flatten() else {
            return Ok(None);
        };
        let partitions = self.partitions(name).await?;
        Ok((partitions > 0).then(|| TopicInfo {
            name: name.into(),
            partitions: i32::try_from(partitions).unwrap_or(i32::MAX),
            settings,
        }))
    }

    pub(super) async fn topics(&self) -> Result<Vec<String>> {
        let names = self.blocking(|client| {
            let metadata = client.inner().fetch_metadata(None, Self::LIMIT)?;
            let names = metadata
                .topics()
                .iter()
                .map(|topic| topic.name().to_owned());
            Ok(names.collect())
        });
        let names: Result<Vec<String>, KafkaError> = names.await?;
        let mut names = names.map_err(|err| self.failed("list topics", err))?;
        names.retain(|name| !INTERNAL_TOPICS.contains(&name.as_str()));
        names.sort_unstable();
        Ok(names)
    }

    pub(super) async fn offset_at(&self, of: &TopicPartition, at: At) -> Result<i64> {
        let spec = match at {
            At::Earliest => -2,
            At::Latest | At::End => -1,
            At::Time(ms) => ms.max(0),
        };
        let committed = at != At::End;
        match (self.offset(of, spec, committed).await?, at) {
            (-1, At::Time(_)) => self.offset(of, -1, committed).await,
            (offset, _) => Ok(offset),
        }
    }

    async fn offset(&self, of: &TopicPartition, spec: i64, committed: bool) -> Result<i64> {
        let asked = of.clone();
        let found = self.native("look an offset up", move |client| {
            let list = list([(&asked, Some(spec))])?;
            native::offsets_at(client.inner(), &list, committed, Self::LIMIT)
        });
        let found = found.await.map_err(|err| about(err, of))?;
        Ok(found.first().map_or(-1, |(_, offset)| *offset))
    }

    /// The ends of all partitions of a topic, in one request.
    pub(super) async fn ends(&self, topic: &str, partitions: i32) -> Result<BTreeMap<i32, i64>> {
        let all: Vec<TopicPartition> = (0..partitions)
            .map(|partition| TopicPartition::new(topic, partition))
            .collect();
        let found = self.native("look offsets up", move |client| {
            let list = list(all.iter().map(|of| (of, Some(-1))))?;
            native::offsets_at(client.inner(), &list, false, Self::LIMIT)
        });
        Ok(found.await?.into_iter().collect())
    }

    pub(super) async fn delete_records(&self, of: &TopicPartition, before: i64) -> Result<()> {
        let list = list([(of, Some(before))]);
        let list = list.map_err(|code| failed_with("delete records", code))?;
        let mut patience = Patience::new(Self::LIMIT);
        loop {
            let done = self.client.delete_records(&list, &options()).await;
            let done = done.and_then(|done| done.elements().iter().try_for_each(|one| one.error()));
            let code = done.as_ref().err().and_then(KafkaError::rdkafka_error_code);
            match (done, code) {
                (Ok(()), _) => return Ok(()),
                (_, Some(code)) if patience.again(code).await => {}
                (Err(err), _) => return Err(about(self.failed("delete records", err), of)),
            }
        }
    }

    pub(super) async fn group_offsets(&self, group: &str) -> Result<BTreeMap<TopicPartition, i64>> {
        self.stable_offsets(group, None).await
    }

    /// Waits until offsets that a transaction committed are seen by everybody.
    ///
    /// Kafka answers a commit before the group knows of it, and asked for all offsets of a group it leaves out those that are
    /// their partition's first.
    pub(super) async fn until_stable(&self, group: &str, of: &[TopicPartition]) -> Result<()> {
        self.stable_offsets(group, Some(of)).await.map(drop)
    }

    async fn stable_offsets(
        &self,
        group: &str,
        of: Option<&[TopicPartition]>,
    ) -> Result<BTreeMap<TopicPartition, i64>> {
        let offsets = wire::committed(&self.config, &self.health, group, of).await;
        offsets.map_err(|err| err.context("group", group))
    }

    pub(super) async fn alter_group_offsets(
        &self,
        group: &str,
        offsets: &BTreeMap<TopicPartition, Option<i64>>,
    ) -> Result<()> {
        let (set, removed): (Vec<_>, Vec<_>) = offsets
            .iter()
            .map(|(of, offset)| (of.clone(), *offset))
            .partition(|(_, offset)| offset.is_some());
        let name = group.to_owned();
        let done = self.native("change a group's offsets", move |client| {
            if !set.is_empty() {
                let list = list(set.iter().map(|(of, offset)| (of, *offset)))?;
                native::alter_group_offsets(client.inner(), &name, &list, Self::LIMIT)?;
            }
            if !removed.is_empty() {
                let list = list(removed.iter().map(|(of, _)| (of, None)))?;
                match native::delete_group_offsets(client.inner(), &name, &list, Self::LIMIT) {
                    Ok(()) | Err(Kafka::GroupIdNotFound) => {}
                    Err(code) => return Err(code),
                }
            }
            Ok(())
        });
        done.await
            .map_err(|err| group_error(err).context("group", group))
    }

    pub(super) async fn delete_group(&self, group: &str) -> Result<()> {
        let mut patience = Patience::new(Self::LIMIT);
        loop {
            let results = self.client.delete_groups(&[group], &options()).await;
            let results = results.map_err(|err| self.failed("delete a group", err))?;
            match results.into_iter().find_map(Result::err) {
                None | Some((_, Kafka::GroupIdNotFound)) => return Ok(()),
                Some((_, code)) if patience.again(code).await => {}
                Some((name, code)) => {
                    return Err(failed_with("delete a group", code).context("group", name));
                }
            }
        }
    }

    async fn native<T: Send + 'static>(
        &self,
        doing: &'static str,
        call: impl Fn(&AdminClient<Context>) -> Outcome<T> + Clone + Send + 'static,
    ) -> Result<T> {
        let mut patience = Patience::new(Self::LIMIT);
        loop {
            let done = self.blocking(call.clone()).await?;
            match done {
                Err(code) if patience.again(code).await => {}
                other => return other.map_err(|code| self.explain(failed_with(doing, code))),
            }
        }
    }

    /// Runs a call that waits for the cluster where it blocks nobody.
    async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&AdminClient<Context>) -> T + Send + 'static,
    ) -> Result<T> {
        let client = Arc::clone(&self.client);
        let done = tokio::task::spawn_blocking(move || call(&client)).await;
        done.map_err(|err| Error::new(&INTERNAL, "a call to the cluster broke off").caused_by(err))
    }

    fn failed(&self, doing: &'static str, cause: KafkaError) -> Error {
        self.explain(failed(doing, cause))
    }

    fn explain(&self, error: Error) -> Error {
        self.health.explain(error)
    }
}

/// Hears what the client has to tell, until it is gone.
fn serve(client: Weak<AdminClient<Context>>) -> Result<()> {
    let body = move || {
        while let Some(client) = client.upgrade() {
            native::serve(client.inner());
        }
    };
    let thread = thread::Builder::new()
        .name("kafka-admin".into())
        .spawn(body);
    thread
        .map(drop)
        .map_err(|err| Error::new(&INTERNAL, "no thread can be started").caused_by(err))
}

fn about(error: Error, of: &TopicPartition) -> Error {
    error
        .context("topic", &of.topic)
        .context("partition", of.partition)
}

/// Kafka says "unknown member" to an outsider who changes the offsets of a group with members.
fn group_error(error: Error) -> Error {
    if error.code() == &crate::NOT_MEMBER {
        return Error::new(&crate::GROUP_BUSY, "the group still has members").caused_by(error);
    }
    error
}

/// A list for librdkafka; without an offset only the partitions count.
pub(super) fn list<'a>(
    of: impl IntoIterator<Item = (&'a TopicPartition, Option<i64>)>,
) -> Outcome<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for (of, offset) in of {
        let mut element = list.add_partition(&of.topic, of.partition);
        if let Some(offset) = offset {
            element
                .set_offset(Offset::from_raw(offset))
                .map_err(|_| Kafka::InvalidArgument)?;
        }
    }
    Ok(list)
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(Admin::LIMIT))
        .operation_timeout(Some(Admin::LIMIT))
}

fn new_topic(spec: &TopicSpec) -> NewTopic<'_> {
    let replication = TopicReplication::Fixed(spec.replication.map_or(-1, i32::from));
    let topic = NewTopic::new(&spec.name, spec.partitions.unwrap_or(-1), replication);
    let settings = spec.settings.iter();
    settings.fold(topic, |topic, (name, value)| topic.set(name, value))
}

fn told(resource: &ConfigResource) -> BTreeMap<String, String> {
    let entries = resource.entries.iter().filter(|entry| {
        entry.source == ConfigSource::DynamicTopic || TOLD_DEFAULTS.contains(&entry.name.as_str())
    });
    entries
        .filter_map(|entry| Some((entry.name.clone(), entry.value.clone()?)))
        .collect()
}
