//! Topics, offsets and groups of the cluster.
//!
//! Nothing is remembered of who leads what: each question that only one broker can answer asks first which it is, so that a controller,
//! leader or coordinator that has moved is found by asking again. Connections live on a thread of the log's, since callers come from
//! runtimes that end.

mod brokers;
mod configs;
mod groups;
mod offsets;
mod outcome;
mod patience;
mod topics;

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use connect_core::{Error, Result, error::INTERNAL};
use tokio::time::timeout;

use self::{
    brokers::Brokers,
    offsets::Point,
    outcome::{Failed, Outcome},
};
use super::{
    client::Health,
    producer::{Thread, Threads},
    properties::Properties,
    wire::Dial,
};
use crate::{At, TopicInfo, TopicPartition, TopicSpec, UNAVAILABLE};

/// All questions of a log about its cluster.
#[derive(Clone)]
pub(super) struct Admin {
    brokers: Arc<Brokers>,
    thread: Arc<Thread>,
    health: Health,
}

impl Admin {
    /// How long a request may take.
    pub(super) const LIMIT: Duration = Duration::from_secs(30);
    /// The same for offsets of groups: as long as transactions hold them.
    const STABLE_LIMIT: Duration = Duration::from_secs(60);
    /// How long it may take to find a broker.
    const REACH_LIMIT: Duration = Duration::from_secs(2);

    /// Connects with the first question. Fails for settings that do not hold.
    pub(super) fn new(config: &Properties, health: &Health, threads: &Threads) -> Result<Self> {
        let bootstrap = config.get("bootstrap.servers").unwrap_or_default();
        let brokers = Brokers::new(bootstrap, Dial::read(config)?, health);
        Ok(Self {
            brokers: Arc::new(brokers),
            thread: threads.next()?,
            health: health.clone(),
        })
    }

    pub(super) async fn cluster_id(&self) -> Result<String> {
        let brokers = self.brokers();
        let asking = async move { topics::cluster_id(&brokers).await };
        self.run("ask for the cluster's id", Self::LIMIT, asking)
            .await
    }

    /// Asks any broker for anything.
    pub(super) async fn reach(&self) -> Result<()> {
        let brokers = self.brokers();
        let asking = async move { brokers.reach().await };
        self.run("reach the Kafka cluster", Self::REACH_LIMIT, asking)
            .await
    }

    /// Creates topics; one that exists is left as it is.
    pub(super) async fn create(&self, specs: &[TopicSpec]) -> Result<()> {
        let (brokers, specs) = (self.brokers(), specs.to_vec());
        let asking = async move { topics::create(&brokers, &specs).await };
        self.run("create a topic", Self::LIMIT, asking).await
    }

    pub(super) async fn alter(
        &self,
        name: &str,
        settings: &BTreeMap<String, String>,
    ) -> Result<()> {
        let (brokers, topic, settings) = (self.brokers(), name.to_owned(), settings.clone());
        let asking = async move { configs::alter(&brokers, &topic, &settings).await };
        let done = self.run("change a topic's settings", Self::LIMIT, asking);
        done.await.map_err(|err| err.context("topic", name))
    }

    pub(super) async fn delete(&self, name: &str) -> Result<()> {
        let (brokers, topic) = (self.brokers(), name.to_owned());
        let asking = async move { topics::delete(&brokers, &topic).await };
        let done = self.run("delete a topic", Self::LIMIT, asking);
        done.await.map_err(|err| err.context("topic", name))
    }

    /// Settings by topic, in the order of the names; `None` for a topic that does not exist.
    pub(super) async fn settings(
        &self,
        names: &[&str],
    ) -> Result<Vec<Option<BTreeMap<String, String>>>> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let brokers = self.brokers();
        let questions = names.len().div_ceil(configs::AT_ONCE).max(1);
        let limit = Self::LIMIT * u32::try_from(questions).unwrap_or(u32::MAX);
        let asking = async move { configs::settings(&brokers, &names).await };
        self.run("describe topics", limit, asking).await
    }

    pub(super) async fn topic(&self, name: &str) -> Result<Option<TopicInfo>> {
        let (brokers, topic) = (self.brokers(), name.to_owned());
        let asking = async move { configs::topic(&brokers, &topic).await };
        self.run("describe a topic", Self::LIMIT, asking).await
    }

    pub(super) async fn partitions(&self, name: &str) -> Result<Option<i32>> {
        let (brokers, topic) = (self.brokers(), name.to_owned());
        let asking = async move { configs::partitions(&brokers, &topic).await };
        let count = self
            .run("ask for a topic's partitions", Self::LIMIT, asking)
            .await?;
        Ok(Some(count).filter(|count| *count > 0))
    }

    pub(super) async fn topics(&self) -> Result<Vec<String>> {
        let brokers = self.brokers();
        let asking = async move { topics::names(&brokers).await };
        self.run("list topics", Self::LIMIT, asking).await
    }

    pub(super) async fn offset_at(&self, of: &TopicPartition, at: At) -> Result<i64> {
        let (brokers, asked) = (self.brokers(), of.clone());
        let asking = async move { offsets::at(&brokers, &asked, at).await };
        let found = self.run("look an offset up", Self::LIMIT, asking).await;
        found.map_err(|err| about(err, of))
    }

    /// The ends of all partitions of a topic.
    pub(super) async fn ends(&self, topic: &str, partitions: i32) -> Result<BTreeMap<i32, i64>> {
        let (brokers, name) = (self.brokers(), topic.to_owned());
        let of = (0..partitions).collect::<Vec<_>>();
        let asking = async move { offsets::find(&brokers, &name, &of, Point::END).await };
        let found = self.run("look offsets up", Self::LIMIT, asking).await;
        found.map_err(|err| err.context("topic", topic))
    }

    pub(super) async fn delete_records(&self, of: &TopicPartition, before: i64) -> Result<()> {
        let (brokers, asked) = (self.brokers(), of.clone());
        let asking = async move { offsets::delete_records(&brokers, &asked, before).await };
        let done = self.run("delete records", Self::LIMIT, asking).await;
        done.map_err(|err| about(err, of))
    }

    pub(super) async fn group_offsets(&self, group: &str) -> Result<BTreeMap<TopicPartition, i64>> {
        self.stable_offsets(group, None).await
    }

    /// Waits until offsets that a transaction committed are seen by everybody.
    ///
    /// Kafka answers a commit before the group knows of it, and asked for all offsets of a group it leaves out those that are
    /// their partition's first.
    pub(super) async fn until_stable(&self, group: &str, of: &[TopicPartition]) -> Result<()> {
        self.stable_offsets(group, Some(of.to_vec()))
            .await
            .map(drop)
    }

    async fn stable_offsets(
        &self,
        group: &str,
        of: Option<Vec<TopicPartition>>,
    ) -> Result<BTreeMap<TopicPartition, i64>> {
        let (brokers, name) = (self.brokers(), group.to_owned());
        let asking = async move { groups::offsets(&brokers, &name, of.as_deref()).await };
        let found = self.run("read a group's offsets", Self::STABLE_LIMIT, asking);
        found.await.map_err(|err| err.context("group", group))
    }

    /// Sets offsets, and removes those without a number.
    pub(super) async fn alter_group_offsets(
        &self,
        group: &str,
        offsets: &BTreeMap<TopicPartition, Option<i64>>,
    ) -> Result<()> {
        let (brokers, name, offsets) = (self.brokers(), group.to_owned(), offsets.clone());
        let asking = async move { groups::alter(&brokers, &name, &offsets).await };
        let done = self.run("change a group's offsets", Self::LIMIT, asking);
        done.await
            .map_err(|err| group_error(err).context("group", group))
    }

    pub(super) async fn delete_group(&self, group: &str) -> Result<()> {
        let (brokers, name) = (self.brokers(), group.to_owned());
        let asking = async move { groups::delete(&brokers, &name).await };
        let done = self.run("delete a group", Self::LIMIT, asking);
        done.await.map_err(|err| err.context("group", group))
    }

    fn brokers(&self) -> Arc<Brokers> {
        Arc::clone(&self.brokers)
    }

    /// Asks where the connections are served: to the end also when the caller gives up.
    async fn run<T: Send + 'static>(
        &self,
        doing: &'static str,
        limit: Duration,
        asking: impl Future<Output = Outcome<T>> + Send + 'static,
    ) -> Result<T> {
        let asking = self.thread.runtime.spawn(timeout(limit, asking));
        let broke_off =
            |err| Error::new(&INTERNAL, "a request to the cluster broke off").caused_by(err);
        let failed = match asking.await.map_err(broke_off)? {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(failed)) => failed,
            Err(_) => Failed::Broken(late(limit)),
        };
        Err(self.health.explain(failed.told(doing)))
    }
}

fn late(limit: Duration) -> Error {
    let what = "the cluster has not answered in time";
    Error::new(&UNAVAILABLE, what).context("seconds", limit.as_secs())
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
