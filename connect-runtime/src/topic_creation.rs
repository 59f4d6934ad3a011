//! Topics of source connectors, created as `topic.creation.*` says (KIP-158).

use std::{collections::BTreeMap, sync::Arc};

use connect_core::{Error, Properties, Result, Route};
use connect_log::{Log, TopicSpec};
use regex::Regex;
use rustc_hash::FxHashSet;

use crate::worker_config::{WorkerConfig, under};

/// Creates topics before the first record goes there.
pub(crate) struct TopicCreation {
    log: Arc<dyn Log>,
    enabled: bool,
    groups: Vec<Group>,
    known: FxHashSet<Arc<str>>,
}

/// Settings of some topics.
struct Group {
    /// All, when there is none: the default group.
    include: Option<Vec<Regex>>,
    exclude: Vec<Regex>,
    partitions: Option<i32>,
    replication: Option<i16>,
    settings: BTreeMap<String, String>,
}

/// So many topics are asked for one by one.
const FEW: usize = 3;
/// More topics than this are looked up again.
const MAX_KNOWN: usize = 100_000;

impl TopicCreation {
    /// From a connector's resolved properties.
    pub(crate) fn new(
        log: &Arc<dyn Log>,
        worker: &WorkerConfig,
        config: &Properties,
    ) -> Result<Self> {
        let names = config
            .get("topic.creation.groups")
            .map_or("", String::as_str);
        let names = names
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty() && *name != "default");
        let groups = names
            .chain(["default"])
            .map(|name| Group::new(name, config));
        Ok(Self {
            log: Arc::clone(log),
            enabled: worker.topic_creation,
            groups: groups.collect::<Result<_>>()?,
            known: FxHashSet::default(),
        })
    }

    /// After `Ok` the topics exist, or their owner forbade to create them.
    pub(crate) async fn ensure(&mut self, routes: &[Arc<Route>]) -> Result<()> {
        if !self.enabled {
            return Ok(());
        }
        let topics = routes.iter().map(|route| route.topic());
        let unknown = topics.filter(|topic| !self.known.contains(*topic));
        let unknown: FxHashSet<Arc<str>> = unknown.map(Arc::clone).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        match unknown.len() {
            0..=FEW => self.create(&self.missing(&unknown).await?).await?,
            _ => self.create_unlisted(&unknown).await?,
        }
        if self.known.len() >= MAX_KNOWN {
            self.known.clear();
        }
        self.known.extend(unknown);
        Ok(())
    }

    /// Creates those of many that are not among all names. One that the user may not see there is asked for by its name when
    /// it cannot be created; not before, since a question for each takes longer than the topic.
    async fn create_unlisted(&self, topics: &FxHashSet<Arc<str>>) -> Result<()> {
        let all: FxHashSet<String> = self.log.topics().await?.into_iter().collect();
        let unlisted = topics.iter().filter(|topic| !all.contains(&***topic));
        let unlisted: FxHashSet<Arc<str>> = unlisted.map(Arc::clone).collect();
        let all_of_them: Vec<_> = unlisted.iter().map(Arc::clone).collect();
        let Err(refused) = self.create(&all_of_them).await else {
            return Ok(());
        };
        let missing = self.missing(&unlisted).await?;
        match missing.len() == unlisted.len() {
            true => Err(refused),
            false => self.create(&missing).await,
        }
    }

    /// Those that do not exist, asked for one by one.
    async fn missing(&self, topics: &FxHashSet<Arc<str>>) -> Result<Vec<Arc<str>>> {
        let mut missing = Vec::new();
        for topic in topics {
            if self.log.topic(topic).await?.is_none() {
                missing.push(Arc::clone(topic));
            }
        }
        Ok(missing)
    }

    async fn create(&self, missing: &[Arc<str>]) -> Result<()> {
        if missing.is_empty() {
            return Ok(());
        }
        let specs: Vec<TopicSpec> = missing.iter().map(|topic| self.spec(topic)).collect();
        self.log.create_topics(&specs).await?;
        for topic in missing {
            tracing::info!(%topic, "topic created");
        }
        Ok(())
    }

    fn spec(&self, topic: &Arc<str>) -> TopicSpec {
        let group = self.groups.iter().find(|group| group.matches(topic));
        TopicSpec {
            name: Arc::clone(topic),
            partitions: group.and_then(|group| group.partitions),
            replication: group.and_then(|group| group.replication),
            settings: group
                .map(|group| group.settings.clone())
                .unwrap_or_default(),
        }
    }
}

impl Group {
    fn new(name: &str, config: &Properties) -> Result<Self> {
        let mut settings = under(config, &format!("topic.creation.{name}."));
        let default = under(config, "topic.creation.default.");
        let mut number = |key: &str| {
            let text = settings.remove(key).or_else(|| default.get(key).cloned());
            text.and_then(|text| text.trim().parse::<i32>().ok())
                .filter(|number| *number > 0)
        };
        let partitions = number("partitions");
        let replication = number("replication.factor").and_then(|n| i16::try_from(n).ok());
        let include = settings.remove("include");
        let exclude = regexes(settings.remove("exclude").as_deref())?;
        // A regular expression takes tens of kilobytes, and every task has this group.
        let include = match name {
            "default" => None,
            _ => Some(regexes(include.as_deref())?),
        };
        Ok(Self {
            include,
            exclude,
            partitions,
            replication,
            settings,
        })
    }

    fn matches(&self, topic: &str) -> bool {
        let any = |all: &[Regex]| all.iter().any(|regex| regex.is_match(topic));
        self.include.as_deref().is_none_or(any) && !any(&self.exclude)
    }
}

/// Regular expressions, separated by commas, that match whole names.
fn regexes(list: Option<&str>) -> Result<Vec<Regex>> {
    let items = list
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty());
    items
        .map(|item| {
            Regex::new(&format!("^(?:{item})$")).map_err(|e| {
                Error::config(format!(
                    "'{item}' in topic.creation is not a regular expression"
                ))
                .caused_by(e)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use connect_log::memory::MemoryLog;

    use super::*;

    #[tokio::test]
    async fn of_many_topics_those_that_are_missing_are_created() {
        let log: Arc<dyn Log> = MemoryLog::new();
        let worker = WorkerConfig::read(&Properties::new()).unwrap();
        let config: Properties = [("topic.creation.default.partitions".into(), "2".into())].into();
        let mut creation = TopicCreation::new(&log, &worker, &config).unwrap();
        let routes = |names: [&str; 5]| names.map(|name| Route::new(name, None, None)).to_vec();
        let there = ["b", "d"].map(|name| TopicSpec::new(name, 7));
        log.create_topics(&there).await.unwrap();
        creation
            .ensure(&routes(["a", "b", "c", "d", "e"]))
            .await
            .unwrap();
        let mut partitions = Vec::new();
        for name in ["a", "b", "c", "d", "e"] {
            partitions.push(log.topic(name).await.unwrap().unwrap().partitions);
        }
        assert_eq!(partitions, [2, 7, 2, 7, 2]);
    }

    #[test]
    fn the_first_group_that_matches_decides_and_default_comes_last() {
        let config: Properties = [
            ("topic.creation.groups", "compacted"),
            ("topic.creation.default.partitions", "-1"),
            ("topic.creation.default.replication.factor", "2"),
            ("topic.creation.compacted.include", "a\\..*, b"),
            ("topic.creation.compacted.exclude", "a\\.x"),
            ("topic.creation.compacted.partitions", "3"),
            ("topic.creation.compacted.cleanup.policy", "compact"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into();
        let group = |name| Group::new(name, &config).unwrap();
        let (compacted, default) = (group("compacted"), group("default"));
        for (topic, ours) in [("a.b", true), ("b", true), ("a.x", false), ("bb", false)] {
            assert_eq!(compacted.matches(topic), ours, "{topic}");
            assert!(default.matches(topic));
        }
        assert_eq!(
            (compacted.partitions, compacted.replication),
            (Some(3), Some(2))
        );
        assert_eq!((default.partitions, default.replication), (None, Some(2)));
        assert_eq!(
            compacted.settings,
            BTreeMap::from([("cleanup.policy".into(), "compact".into())])
        );
    }
}
