//! What appenders must know of topics before they write to them: that they exist, and how large a record may be.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use connect_core::{Error, Result};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use super::admin::Admin;
use crate::UNKNOWN_TOPIC;

/// Kafka's own default of `max.message.bytes`.
const DEFAULT_MAX_BYTES: usize = 1_048_588;
/// How long a record limit is believed when it stands in the way.
const BELIEVED: Duration = Duration::from_secs(5);
/// Topics remembered; beyond it everything is asked for again.
const MOST: usize = 100_000;

/// Shared by all appenders of a log.
#[derive(Clone)]
pub(super) struct Topics {
    admin: Admin,
    known: Arc<Mutex<FxHashMap<Arc<str>, Known>>>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    max_bytes: usize,
    asked: Instant,
}

impl Topics {
    pub(super) fn new(admin: Admin) -> Self {
        Self {
            admin,
            known: Arc::default(),
        }
    }

    /// The topics' `max.message.bytes`, asked for in one request as far as they are not known.
    /// Fails with `log.unknown_topic` when one does not exist.
    pub(super) async fn max_bytes(&self, topics: &[Arc<str>]) -> Result<Vec<usize>> {
        let unknown: Vec<&str> = {
            let known = self.known.lock();
            let unknown = topics.iter().filter(|topic| !known.contains_key(*topic));
            unknown.map(|topic| &**topic).collect()
        };
        if !unknown.is_empty() {
            self.ask(&unknown).await?;
        }
        let known = self.known.lock();
        let max_bytes = |topic| known.get(topic).map_or(DEFAULT_MAX_BYTES, |k| k.max_bytes);
        Ok(topics.iter().map(max_bytes).collect())
    }

    /// The same for one topic that just refused a record: asked again unless it was a moment ago.
    pub(super) async fn max_bytes_now(&self, topic: &Arc<str>) -> Result<usize> {
        let known = self.known.lock().get(topic).copied();
        match known {
            Some(known) if known.asked.elapsed() < BELIEVED => Ok(known.max_bytes),
            _ => {
                self.ask(&[topic]).await?;
                Ok(self.max_bytes(std::slice::from_ref(topic)).await?[0])
            }
        }
    }

    /// Forgets a topic that was changed or deleted.
    pub(super) fn forget(&self, topic: &str) {
        self.known.lock().remove(topic);
    }

    async fn ask(&self, topics: &[&str]) -> Result<()> {
        let found = self.admin.settings(topics).await?;
        let mut known = self.known.lock();
        if known.len() > MOST {
            known.clear();
        }
        for (topic, settings) in topics.iter().zip(found) {
            let Some(settings) = settings else {
                return Err(
                    Error::new(&UNKNOWN_TOPIC, "the topic does not exist").context("topic", topic)
                );
            };
            let max_bytes = settings
                .get("max.message.bytes")
                .and_then(|text| text.parse().ok());
            // Without the right to describe, Kafka's default is the best guess; the broker has the last word.
            let max_bytes = max_bytes.unwrap_or(DEFAULT_MAX_BYTES);
            let asked = Instant::now();
            known.insert(Arc::from(*topic), Known { max_bytes, asked });
        }
        Ok(())
    }
}
