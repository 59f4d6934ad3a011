//! Which topics a sink task reads: a list, or all whose names match.

use std::{sync::Arc, time::Duration};

use connect_core::{Error, Properties, Result};
use connect_log::{Log, Read};
use regex::Regex;
use tokio::time::Instant;

use crate::{chain::aliases, shared::Shared};

/// How often the names of all topics are looked at again.
const REFRESH: Duration = Duration::from_secs(5);

/// The topics of a sink task.
pub(super) struct Subscription {
    log: Arc<dyn Log>,
    regex: Option<Regex>,
    internal: [String; 3],
    topics: Vec<String>,
    refresh_at: Option<Instant>,
}

impl Subscription {
    /// From `topics` or `topics.regex` in a connector's resolved properties.
    pub(super) fn new(shared: &Shared, config: &Properties) -> Result<Self> {
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
            topics: aliases(config, "topics").map(str::to_owned).collect(),
            refresh_at: Some(Instant::now()),
        })
    }

    /// Subscribes at first, and again when new topics match.
    pub(super) async fn refresh(&mut self, reader: &mut dyn Read) -> Result<()> {
        if self.refresh_at.is_none_or(|at| at > Instant::now()) {
            return Ok(());
        }
        let Some(regex) = &self.regex else {
            self.refresh_at = None;
            return reader.subscribe(&self.topics).await;
        };
        self.refresh_at = Some(Instant::now() + REFRESH);
        let matching = |name: &String| regex.is_match(name) && !self.internal.contains(name);
        let topics: Vec<String> = self
            .log
            .topics()
            .await?
            .into_iter()
            .filter(matching)
            .collect();
        if topics != self.topics {
            reader.subscribe(&topics).await?;
            self.topics = topics;
        }
        Ok(())
    }
}
