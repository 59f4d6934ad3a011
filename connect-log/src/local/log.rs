//! The trait's methods over the engine.

use std::{collections::BTreeMap, sync::Arc};

use connect_core::{BoxFuture, Error, Result};

use super::{
    append::Appender,
    engine::{Engine, Limits},
    partition::Partition,
    read::Reader,
    request::{GroupOffsets, Work},
    settings::Settings,
    store::Store,
    writer::unknown_topic,
};
use crate::{
    Append, AppenderSpec, At, Log, Read, ReaderSpec, TopicInfo, TopicPartition, TopicSpec,
};

/// Partitions that a topic can have.
const MAX_PARTITIONS: i32 = 10_000;
/// Characters that a topic's name can have, as in Kafka.
const MAX_NAME: usize = 249;

/// A log in this process. What it stands on is its parameter; see [`EmbeddedLog`](crate::embedded::EmbeddedLog) and
/// [`MemoryLog`](crate::memory::MemoryLog).
#[expect(private_bounds, reason = "stores are a matter of this crate")]
pub struct LocalLog<S: Store> {
    pub(crate) engine: Arc<Engine<S>>,
}

#[expect(private_bounds, reason = "stores are a matter of this crate")]
impl<S: Store> LocalLog<S> {
    pub(crate) fn start(store: S, limits: Limits) -> Result<Arc<Self>> {
        let engine = Engine::start(store, limits)?;
        Ok(Arc::new(Self { engine }))
    }

    /// Does what is due of retention and compaction now, and waits for it. It happens by itself from time to time.
    pub async fn upkeep(&self) -> Result<()> {
        self.engine.shared.keeper.round().await
    }

    fn partition(&self, of: &TopicPartition) -> Result<Arc<Partition>> {
        let partition = self.engine.shared.catalog.partition(of);
        partition.ok_or_else(|| unknown_topic(&of.topic).context("partition", of.partition))
    }
}

impl<S: Store> Log for LocalLog<S> {
    fn cluster_id(&self) -> BoxFuture<'_, Result<String>> {
        Box::pin(async { Ok(self.engine.shared.cluster_id.clone()) })
    }

    fn create_topics<'a>(&'a self, topics: &'a [TopicSpec]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            for topic in topics {
                let create = Work::Create {
                    name: valid_name(&topic.name)?,
                    partitions: valid_partitions(topic.partitions.unwrap_or(1))?,
                    settings: Settings::parse(topic.settings.clone())?,
                };
                self.engine.shared.ask(create).await?;
            }
            Ok(())
        })
    }

    fn alter_topic<'a>(
        &'a self,
        name: &'a str,
        settings: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let topic = self.engine.shared.catalog.get(name);
            let topic = topic.ok_or_else(|| unknown_topic(name))?;
            let mut all = topic.settings().given.clone();
            all.extend(settings.clone());
            let alter = Work::Alter {
                name: name.to_owned(),
                settings: Settings::parse(all)?,
            };
            self.engine.shared.ask(alter).await
        })
    }

    fn delete_topic<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        let name = name.to_owned();
        Box::pin(async move { self.engine.shared.ask(Work::Delete { name }).await })
    }

    fn topic<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<TopicInfo>>> {
        Box::pin(async move {
            let topic = self.engine.shared.catalog.get(name);
            Ok(topic.map(|topic| TopicInfo {
                name: Arc::clone(&topic.name),
                partitions: topic.partitions.len() as i32,
                settings: topic.settings().shown(),
            }))
        })
    }

    fn topics(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        Box::pin(async { Ok(self.engine.shared.catalog.names()) })
    }

    fn offset_at<'a>(&'a self, of: &'a TopicPartition, at: At) -> BoxFuture<'a, Result<i64>> {
        Box::pin(async move {
            let partition = self.partition(of)?;
            match at {
                At::Earliest => Ok(partition.start()),
                // A transaction is not in the log before it is committed.
                At::Latest | At::End => Ok(partition.end()),
                At::Time(time_ms) => {
                    let found = self.at_time(&partition, time_ms).await?;
                    Ok(found.map_or(partition.end(), |found| found.offset))
                }
            }
        })
    }

    fn delete_records<'a>(
        &'a self,
        of: &'a TopicPartition,
        before: i64,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let partition = self.partition(of)?;
            self.engine
                .shared
                .ask(Work::Truncate { partition, before })
                .await
        })
    }

    fn group_offsets<'a>(
        &'a self,
        group: &'a str,
    ) -> BoxFuture<'a, Result<BTreeMap<TopicPartition, i64>>> {
        Box::pin(async move { Ok(self.engine.shared.groups.offsets(group)) })
    }

    fn alter_group_offsets<'a>(
        &'a self,
        group: &'a str,
        offsets: &'a BTreeMap<TopicPartition, Option<i64>>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.engine.shared.groups.must_be_empty(group)?;
            let offsets = GroupOffsets {
                group: group.to_owned(),
                offsets: offsets.iter().map(|(at, o)| (at.clone(), *o)).collect(),
            };
            self.engine.shared.ask(Work::Offsets(offsets)).await
        })
    }

    fn delete_group<'a>(&'a self, group: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.engine.shared.groups.must_be_empty(group)?;
            let forget = Work::ForgetGroup(group.to_owned());
            self.engine.shared.ask(forget).await
        })
    }

    fn appender(&self, spec: AppenderSpec) -> BoxFuture<'_, Result<Box<dyn Append>>> {
        Box::pin(async move {
            let appender = Appender::open(Arc::clone(&self.engine), spec).await?;
            Ok(Box::new(appender) as Box<dyn Append>)
        })
    }

    fn reader(&self, spec: ReaderSpec) -> BoxFuture<'_, Result<Box<dyn Read>>> {
        Box::pin(async move {
            let reader = Reader::new(Arc::clone(&self.engine), &spec)?;
            Ok(Box::new(reader) as Box<dyn Read>)
        })
    }

    fn fence<'a>(&'a self, transactional_ids: &'a [String]) -> BoxFuture<'a, Result<()>> {
        let fence = Work::Fence(transactional_ids.to_vec());
        Box::pin(async move { self.engine.shared.ask(fence).await })
    }
}

/// A topic's name, by Kafka's rules.
pub(crate) fn valid_name(name: &Arc<str>) -> Result<Arc<str>> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let empty = name.is_empty() || &**name == "." || &**name == "..";
    if empty || name.len() > MAX_NAME || !name.chars().all(legal) {
        let error = Error::config(
            "a topic's name has 1 to 249 ASCII letters, digits, points, underscores and hyphens",
        );
        return Err(error.context("topic", name));
    }
    Ok(Arc::clone(name))
}

fn valid_partitions(count: i32) -> Result<i32> {
    if (1..=MAX_PARTITIONS).contains(&count) {
        return Ok(count);
    }
    let error = Error::config("a topic has between 1 and 10000 partitions");
    Err(error.context("partitions", count))
}
