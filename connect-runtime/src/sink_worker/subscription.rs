//! Which topics a sink task reads: a list, or all whose names match.

use std::{sync::Arc, time::Duration};

use connect_core::{Encoded, Error, Properties, Result};
use connect_log::{Log, Read};
use regex::Regex;
use tokio::time::Instant;

use crate::{
    answers::TaskId,
    chain::aliases,
    dead_letters,
    letters::{restore, topic_name_of},
    shared::Shared,
};

/// How often the names of all topics are looked at again.
const REFRESH: Duration = Duration::from_secs(5);

/// The topics of a sink task.
pub(super) struct Subscription {
    log: Arc<dyn Log>,
    regex: Option<Regex>,
    internal: [String; 3],
    /// Those that are named.
    named: Vec<String>,
    /// The topic of dead letters that are replayed; it is read once it exists.
    replays: Option<String>,
    /// Those that are subscribed to.
    topics: Vec<String>,
    refresh_at: Option<Instant>,
}

impl Subscription {
    /// From `topics` or `topics.regex` in a connector's resolved properties.
    pub(super) fn new(shared: &Shared, id: &TaskId, config: &Properties) -> Result<Self> {
        let regex = match config
            .get("topics.regex")
            .filter(|text| !text.trim().is_empty())
        {
            Some(text) => Some(Regex::new(&format!("^(?:{})$", text.trim())).map_err(|e| {
                Error::config("topics.regex is not a regular expression").caused_by(e)
            })?),
            None => None,
        };
        let worker = &shared.config;
        Ok(Self {
            log: Arc::clone(&shared.log),
            regex,
            internal: [
                &worker.config_topic,
                &worker.offset_topic,
                &worker.status_topic,
            ]
            .map(Clone::clone),
            named: aliases(config, "topics").map(str::to_owned).collect(),
            replays: dead_letters::topic_of(config)
                .map(|topic| topic_name_of(topic, &id.connector)),
            topics: Vec::new(),
            refresh_at: Some(Instant::now()),
        })
    }

    /// Subscribes at first, and again when new topics match.
    pub(super) async fn refresh(&mut self, reader: &mut dyn Read) -> Result<()> {
        if self.refresh_at.is_none_or(|at| at > Instant::now()) {
            return Ok(());
        }
        let waits = self.regex.is_some() || self.replays.is_some();
        self.refresh_at = waits.then(|| Instant::now() + REFRESH);
        let topics = self.wanted().await?;
        if topics != self.topics {
            reader.subscribe(&topics).await?;
            self.topics = topics;
        }
        Ok(())
    }

    async fn wanted(&self) -> Result<Vec<String>> {
        let replays = self.replays.iter();
        let Some(regex) = &self.regex else {
            let mut topics = self.named.clone();
            for name in replays {
                if self.log.topic(name).await?.is_some() {
                    topics.push(name.clone());
                }
            }
            return Ok(topics);
        };
        let is_replays = |name: &String| self.replays.as_ref() == Some(name);
        let matching = |name: &String| {
            is_replays(name) || regex.is_match(name) && !self.internal.contains(name)
        };
        let all = self.log.topics().await?.into_iter();
        Ok(all.filter(matching).collect())
    }

    /// Makes replayed records what they were when they were read first.
    pub(super) fn restore(&self, records: &mut Encoded) {
        if let Some(topic) = &self.replays {
            restore(records, topic);
        }
    }
}
