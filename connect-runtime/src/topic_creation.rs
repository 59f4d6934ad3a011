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
    include: Vec<Regex>,
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
        let missing = self.missing(&unknown).await?;
        if !missing.is_empty() {
            let specs: Vec<TopicSpec> = missing.iter().map(|topic| self.spec(topic)).collect();
            self.log.create_topics(&specs).await?;
            for topic in missing {
                tracing::info!(%topic, "topic created");
            }
        }
        if self.known.len() >= MAX_KNOWN {
            self.known.clear();
        }
        self.known.extend(unknown);
        Ok(())
    }

    /// Those that do not exist. Many at once, as the tables of a backlog are, are looked for among all names; one that the
    /// user may not see there is asked for by its name.
    async fn missing(&self, topics: &FxHashSet<Arc<str>>) -> Result<Vec<Arc<str>>> {
        let all: FxHashSet<String> = match topics.len() {
            0..=FEW => FxHashSet::default(),
            _ => self.log.topics().await?.into_iter().collect(),
        };
        let mut missing = Vec::new();
        for topic in topics.iter().filter(|topic| !all.contains(&***topic)) {
            if self.log.topic(topic).await?.is_none() {
                missing.push(Arc::clone(topic));
            }
        }
        Ok(missing)
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
        let include = regexes(settings.remove("include").as_deref())?;
        let exclude = regexes(settings.remove("exclude").as_deref())?;
        let include = if name == "default" {
            regexes(Some(".*"))?
        } else {
            include
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
        any(&self.include) && !any(&self.exclude)
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
    use super::*;

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
