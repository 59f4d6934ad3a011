//! One of the worker's compacted topics: read to its end at start, then written by this worker.

use std::{collections::BTreeMap, sync::Arc};

use connect_core::{Encoded, Error, Result, error::INTERNAL};
use connect_log::{Append, AppenderSpec, Log, Offsets, ReaderSpec, TopicSpec, read_to_end};
use tokio::{runtime::Handle, sync::Mutex};

use crate::error::INTERNAL_TOPIC;

/// A record to write: its key, and its value or none to remove the key.
pub(crate) type Entry = (Vec<u8>, Option<Vec<u8>>);

/// A compacted topic with one writer.
pub(crate) struct InternalTopic {
    log: Arc<dyn Log>,
    topic: Arc<str>,
    client_id: String,
    appender: Mutex<Option<Box<dyn Append>>>,
    /// Up to where it has been read.
    read: Mutex<Offsets>,
    runtime: Handle,
}

impl InternalTopic {
    /// Creates the topic if need be, checks its shape, and reads it: the last value of every key that is not removed.
    pub(crate) async fn open(
        log: &Arc<dyn Log>,
        spec: TopicSpec,
        client_id: &str,
    ) -> Result<(Self, BTreeMap<Vec<u8>, Vec<u8>>)> {
        let spec = spec.compacted();
        log.create_topics(std::slice::from_ref(&spec)).await?;
        check_shape(log, &spec).await?;
        let topic = Self {
            log: Arc::clone(log),
            topic: spec.name,
            client_id: client_id.to_owned(),
            appender: Mutex::new(None),
            read: Mutex::default(),
            runtime: Handle::current(),
        };
        let mut entries = BTreeMap::new();
        for (key, value) in topic.read_on().await? {
            match value {
                Some(value) => entries.insert(key, value),
                None => entries.remove(&key),
            };
        }
        Ok((topic, entries))
    }

    /// Everything that was written since it was last read, by whomever; transactions that are open now are waited for.
    /// The last value of each key; `None` for one that was removed.
    pub(crate) async fn read_on(&self) -> Result<BTreeMap<Vec<u8>, Option<Vec<u8>>>> {
        let spec = ReaderSpec {
            client_id: self.client_id.clone(),
            ..ReaderSpec::default()
        };
        let mut entries = BTreeMap::new();
        let mut read = self.read.lock().await;
        let mut next = read.clone();
        read_to_end(&*self.log, &self.topic, &mut next, spec, |records| {
            for record in &records.records {
                let key = records.key(record).unwrap_or(&[]).to_vec();
                entries.insert(key, records.value(record).map(<[u8]>::to_vec));
            }
        })
        .await?;
        *read = next;
        Ok(entries)
    }

    /// Its name.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.topic
    }

    /// Writes records in order and waits until they are durable.
    pub(crate) async fn write(&self, entries: &[Entry]) -> Result<()> {
        let mut records = Encoded::default();
        for (key, value) in entries {
            records.push(&self.topic, Some(key), value.as_deref(), -1);
        }
        let mut slot = self.appender.lock().await;
        let appender = match &mut *slot {
            Some(appender) => appender,
            empty => empty.insert(self.open_appender().await?),
        };
        let (appended, mut durable) = (appender.append(&records).await, appender.durable());
        if appended.is_err() {
            // An appender that failed takes nothing more: the next write makes a new one.
            *slot = None;
        }
        drop(slot);
        let appended = appended?;
        if let Some((_, error)) = appended.refused.into_iter().next() {
            return Err(error);
        }
        let reached = durable.reach(appended.ticket).await;
        if reached.is_err() {
            *self.appender.lock().await = None;
        }
        reached
    }

    /// Tasks write here from runtimes of their own, which end with them: the appender must not.
    async fn open_appender(&self) -> Result<Box<dyn Append>> {
        let log = Arc::clone(&self.log);
        let spec = AppenderSpec {
            client_id: self.client_id.clone(),
            ..AppenderSpec::default()
        };
        let opened = self
            .runtime
            .spawn(async move { log.appender(spec).await })
            .await;
        opened.unwrap_or_else(|e| {
            Err(Error::new(&INTERNAL, "an appender was not opened").caused_by(e))
        })
    }
}

/// Kafka Connect's rules: the topic is compacted, and the one of configurations has one partition.
async fn check_shape(log: &Arc<dyn Log>, spec: &TopicSpec) -> Result<()> {
    let Some(info) = log.topic(&spec.name).await? else {
        return Ok(());
    };
    let policy = info
        .settings
        .get("cleanup.policy")
        .map_or("compact", String::as_str);
    if policy != "compact" {
        let what = format!(
            "Topic '{}' must have 'cleanup.policy=compact', but it is '{policy}'",
            spec.name
        );
        return Err(Error::new(&INTERNAL_TOPIC, what));
    }
    if spec.partitions == Some(1) && info.partitions != 1 {
        let what = format!(
            "Topic '{}' must have a single partition, but it has {}",
            spec.name, info.partitions
        );
        return Err(Error::new(&INTERNAL_TOPIC, what));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
